//===- KernelChoice.h - Which kernel serves a problem ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The decision that ctc-select-kernel writes into the IR, as pure functions of
// the problem and the chip.

#ifndef CTC_TUNING_KERNELCHOICE_H
#define CTC_TUNING_KERNELCHOICE_H

#include "ctc/Chips/Chips.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Support/WorkFactors.h"

namespace ctc {

struct KernelChoice {
  ir::KernelAttr kernel;
  std::string reason; ///< One sentence.
};

/// Chooses a kernel for a verified problem. `family` forces one; a family that
/// is unknown or cannot serve is an error naming those that can. `candidate`
/// takes the kernel at that place of the family's ranking, from 0.
Expected<KernelChoice> chooseKernel(mlir::MLIRContext *context,
                                    const Problem &problem, const Chip &chip,
                                    llvm::StringRef family,
                                    int64_t candidate = 0);

/// How a kernel uses workgroup memory; sizes in bytes. Chunk buffers and the
/// staging tile of the epilogue are never alive together and share the bytes.
struct SharedLayout {
  std::vector<int64_t> halo;  ///< Elements per spatial dimension.
  int64_t patchPitch = 0;     ///< f32 elements per channel of a patch; odd.
  int64_t weightElements = 0; ///< f32 elements of a chunk's weights.
  int64_t patchBytes = 0;     ///< One buffer.
  int64_t weightBytes = 0;    ///< One buffer.
  int64_t stagingPitch = 0;   ///< f32 elements per channel of the staging tile.
  int64_t stagingBytes = 0;
  int64_t totalBytes = 0; ///< With all stages.
};
SharedLayout sharedLayout(ir::KernelAttr kernel,
                          llvm::ArrayRef<int64_t> inputStep);

/// Sizes of the patch that a chunk loads, per spatial dimension. Saturates far
/// above what fits anywhere.
std::vector<int64_t> chunkHalo(ir::KernelAttr kernel, const Problem &problem,
                               llvm::ArrayRef<DimPhasePlan> plans);

/// Workgroup memory that a launch asks for, in bytes.
int64_t dynamicSharedBytes(ir::KernelAttr kernel, const Problem &problem,
                           llvm::ArrayRef<int64_t> halo);

/// Tiles take `bytes` of workgroup memory where the chip has `limit`.
Error tooLarge(int64_t bytes, int64_t limit, const Chip &chip);

/// The kernel fits the chip, or an error that names the bytes and the limit.
Expected<void> checkFits(ir::KernelAttr kernel, const Problem &problem,
                         const Chip &chip);

/// The part of a kernel that decides how much work it issues.
Tiling tilingOf(ir::KernelAttr kernel);

} // namespace ctc

#endif // CTC_TUNING_KERNELCHOICE_H
