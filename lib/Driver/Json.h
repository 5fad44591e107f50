//===- Json.h - JSON as ctc prints it ---------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_JSON_H
#define CTC_LIB_DRIVER_JSON_H

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace ctc::driver {

struct MemoryFinding;

/// As --json prints one.
llvm::json::Value toJSON(const MemoryFinding &finding);

/// A time in seconds, rounded to microseconds.
double roundedSeconds(double seconds);

/// Prints a value and a newline, indented by 2, keys sorted. Numbers have the
/// fewest digits that read back as the same (LLVM's own writer has always 17);
/// infinities and NaN, which JSON lacks, are null.
void printJson(const llvm::json::Value &value, llvm::raw_ostream &os);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_JSON_H
