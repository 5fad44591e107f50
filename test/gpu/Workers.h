//===- Workers.h - Processes that launch recorded cases ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch that faults takes its CUDA context along, and one that hangs takes
// its process. So the launches are made by processes of their own: when one is
// lost, the case at hand gets the blame and a new process goes on behind it.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_WORKERS_H
#define CTC_TEST_GPU_WORKERS_H

#include "Compare.h"

namespace ctc::gpu {

struct RunOptions {
  int device = 0;
  unsigned processes = 8;
  bool fromText = false;   ///< Load the PTX although there is a cubin.
  int secondsPerCase = 20; ///< Until a launch counts as hung.
};

/// What became of a case.
struct CaseResult {
  Outcome outcome;
  std::string message; ///< The first difference, or the error.
};

struct RunResults {
  std::string device;
  std::vector<CaseResult> cases; ///< As Records::cases.
};

/// Launches every case of every module. Must be called before the process has
/// threads or a CUDA context. Fails when no process gets a GPU.
Expected<RunResults> run(const Records &records, const RunOptions &options);

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_WORKERS_H
