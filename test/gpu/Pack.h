//===- Pack.h - Records into loadable modules -------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_PACK_H
#define CTC_TEST_GPU_PACK_H

#include "Record.h"

namespace ctc::gpu {

struct PackOptions {
  std::string ptxas = "ptxas";
  std::string arch = "sm_90a";
  unsigned threads = 2;
};

/// The modules of these cases: kernels that are all their text holds share a
/// module, 64 at a time, and the others have one each. Every module is
/// assembled; a shared one that ptxas refuses is split until the refused
/// kernel stands alone. Fails when ptxas cannot be run at all.
Expected<std::vector<Module>> pack(const std::vector<Case> &cases,
                                   const PackOptions &options);

/// The cases without those that repeat another's launch.
std::vector<Case> withoutDuplicates(std::vector<Case> cases);

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_PACK_H
