//===- InspectReport.h - A bundle in words ----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_INSPECTREPORT_H
#define CTC_LIB_DRIVER_INSPECTREPORT_H

#include "ctc/Bundle/Manifest.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace ctc::driver {

/// Entries, phases, kernel choice, work factors, arguments and launches, and
/// what ptxas says per chip, for people.
void printBundle(const Bundle &bundle, llvm::StringRef path,
                 llvm::raw_ostream &os);

/// The same for machines; docs/Driver.md has the fields.
llvm::json::Value bundleToJson(const Bundle &bundle);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_INSPECTREPORT_H
