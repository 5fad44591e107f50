//===- ParseJson.h - JSON from files of others ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's parser, and what frees its values, call themselves for every level of
// nesting: a file of nothing but brackets would end the stack. All files are
// read through here.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_PARSEJSON_H
#define CTC_TUNING_PARSEJSON_H

#include "ctc/Support/Error.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/JSON.h"

namespace ctc {

/// Levels of arrays and objects that a file may nest; those ctc knows need 8.
inline constexpr int kMostJsonLevels = 100;

/// Parses a file's text. Fails with Usage: "`subject` is no JSON: ...", or says
/// in which line the nesting gets too deep.
Expected<llvm::json::Value> parseJson(llvm::StringRef text,
                                      llvm::StringRef subject);

} // namespace ctc

#endif // CTC_TUNING_PARSEJSON_H
