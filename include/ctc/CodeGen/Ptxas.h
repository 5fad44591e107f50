//===- Ptxas.h - From PTX to cubins ---------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CODEGEN_PTXAS_H
#define CTC_CODEGEN_PTXAS_H

#include "ctc/Bundle/Manifest.h"
#include "ctc/Chips/Chips.h"

namespace ctc {

struct AssembledPtx {
  std::vector<uint8_t> cubin;
  std::string assembler; ///< "ptxas 13.0.88"
  std::vector<KernelResources> resources;
};

/// Runs ptxas. When it fails the message holds what it printed and the command
/// that repeats it, and the PTX is kept for that command. With `lineInfo` the
/// cubin knows the PTX's locations.
Expected<AssembledPtx> assemble(const std::string &ptx, const Chip &chip,
                                bool lineInfo = false);

/// ptxas's -v report as resources per kernel, in its order.
std::vector<KernelResources> parseReport(const std::string &report);

} // namespace ctc

#endif // CTC_CODEGEN_PTXAS_H
