//===- Checking.h - Launches of tests that check memory ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With CTC_PTX_CHECK in the environment the launches of lanes() and KernelRun
// check memory, and fail their test if anything is found.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_CHECKING_H
#define CTC_TEST_UNIT_PTXMACHINE_CHECKING_H

#include "ctc/PtxMachine/Machine.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace ctc::ptx::testing {

inline bool isChecking() {
  const char *value = std::getenv("CTC_PTX_CHECK");
  return value && *value;
}

inline void expectNoFindings(const LaunchResult &result) {
  for (const Finding &finding : result.findings)
    ADD_FAILURE() << nameOf(finding.kind) << ": " << finding.message << "; "
                  << finding.occurrences << " times";
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_CHECKING_H
