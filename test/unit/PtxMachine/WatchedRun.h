//===- WatchedRun.h - Runs a kernel under an observer -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_WATCHEDRUN_H
#define CTC_TEST_UNIT_PTXMACHINE_WATCHEDRUN_H

#include "Execution/ClusterExecutor.h"
#include "Families/Families.h"
#include "Program/ModuleImage.h"
#include "Program/ProgramBuilder.h"
#include "Syntax/Parser.h"

#include <gtest/gtest.h>

namespace ctc::ptx::testing {

/// The program of the first function of a module.
inline std::unique_ptr<Program> buildProgram(const std::string &ptx,
                                             GlobalMemory &memory) {
  auto module = parseModule(ptx);
  EXPECT_TRUE(module) << module.error().message;
  ModuleImage image(memory);
  EXPECT_TRUE(image.place(*module));
  ProgramBuilder builder(*module, image, decoderTable());
  auto program = builder.build(module->functions.front());
  EXPECT_TRUE(program) << program.error().message;
  return std::move(*program);
}

/// Runs the first cluster of a launch.
inline void runWatched(const std::string &ptx, GlobalMemory &memory,
                       const LaunchConfig &config, Observer &observer) {
  auto program = buildProgram(ptx, memory);
  ClusterExecutor executor(*program, memory, config, &observer);
  EXPECT_TRUE(executor.run(0)) << executor.faultMessage();
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_WATCHEDRUN_H
