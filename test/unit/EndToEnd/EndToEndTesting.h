//===- EndToEndTesting.h - A layer executed and checked ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_ENDTOEND_ENDTOENDTESTING_H
#define CTC_TEST_UNIT_ENDTOEND_ENDTOENDTESTING_H

#include "ctc/Bundle/Bundle.h"

#include <set>
#include <string>

namespace ctc::endtoend {

/// A bundle for one chip, PTX only, of a module with a function @layer.
Bundle compileLayer(const std::string &module,
                    const std::string &chip = "sm_80");

/// Names of the fills, exact and random, with which the bundle's layer gives
/// another result on the cpu device than the oracle; empty where it is right.
std::string rejectedBy(const Bundle &bundle);

/// Kinds of misuse of memory that the cpu device finds in the bundle's layer,
/// "race" and alike, each once.
std::set<std::string> misuseOf(const Bundle &bundle);

} // namespace ctc::endtoend

#endif // CTC_TEST_UNIT_ENDTOEND_ENDTOENDTESTING_H
