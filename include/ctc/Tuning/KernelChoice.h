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

/// Every family, in the dialect's order.
std::vector<ir::Family> allFamilies();
/// The names of families, for messages.
std::string listFamilies(llvm::ArrayRef<ir::Family> families,
                         llvm::StringRef separator = ", ");

/// Chooses a kernel for a verified problem. `family` forces one; a family that
/// is unknown or cannot serve is an error naming those that can. `candidate`
/// takes the kernel at that place of the family's ranking, from 0. `spilled`
/// are kernels whose registers did not fit: they, and kernels estimated to need
/// as many, are left out.
Expected<KernelChoice>
chooseKernel(mlir::MLIRContext *context, const Problem &problem,
             const Chip &chip, llvm::StringRef family, int64_t candidate = 0,
             llvm::ArrayRef<ir::KernelAttr> spilled = {});

/// How a kernel uses workgroup memory; sizes in bytes. Chunk buffers and the
/// staging tile of the epilogue are never alive together and share the bytes.
struct SharedLayout {
  std::vector<int64_t> window; ///< Elements per spatial dimension.
  int64_t patchPitch = 0;      ///< f32 elements per channel of a patch.
  /// f32 elements per position of a patch: 1, but where a block takes several
  /// groups. There the channels of a position are neighbours.
  int64_t positionPitch = 1;
  int64_t patchElements = 0;  ///< f32 elements of a patch.
  int64_t weightPitch = 0;    ///< f32 elements per input channel and tap.
  int64_t weightElements = 0; ///< f32 elements of a chunk's weights.
  int64_t patchBytes = 0;     ///< One buffer.
  int64_t weightBytes = 0;    ///< One buffer.
  /// Phases grouped along the innermost dimension, whose outputs stand side by
  /// side in the staging tile.
  int64_t run = 1;
  /// f32 elements per channel, and phase of the other dimensions, of the
  /// staging tile; a multiple of 4.
  int64_t stagingPitch = 0;
  int64_t stagingBytes = 0; ///< 0 where tiles are stored from registers.
  int64_t totalBytes = 0;   ///< With all stages.
};
SharedLayout sharedLayout(ir::KernelAttr kernel, llvm::ArrayRef<int64_t> window,
                          bool staged);

/// Whether a simt kernel stores its tile through workgroup memory, so that
/// threads run along what is contiguous in the output. It does not where the
/// grouped phases of a position are one aligned vector: then consecutive
/// threads write consecutive vectors anyway. Sizes are of the innermost spatial
/// dimension.
bool storesStaged(ir::KernelAttr kernel, ElementType type, Layout layout,
                  int64_t outputWidth, int64_t stride);

/// Elements that a simt kernel loads at a time along the innermost dimension:
/// aligned vectors of 16 bytes where rows of the input are whole ones, else 1.
int64_t patchVector(ir::KernelAttr kernel, ElementType type, Layout layout,
                    int64_t inputWidth);

/// What a chunk's halo is loaded as, per spatial dimension: rows grow to whole
/// vectors.
std::vector<int64_t> chunkWindow(ir::KernelAttr kernel, const Problem &problem,
                                 llvm::ArrayRef<DimPhasePlan> plans);

/// Grouped phases are all phases of their dimension, with all taps.
Expected<void> checkPhases(ir::KernelAttr kernel, const Problem &problem,
                           llvm::ArrayRef<DimPhasePlan> plans);

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
Tiling tilingOf(ir::KernelAttr kernel, const Problem &problem);

} // namespace ctc

#endif // CTC_TUNING_KERNELCHOICE_H
