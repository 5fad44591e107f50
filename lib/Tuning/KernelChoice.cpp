//===- KernelChoice.cpp - Which kernel serves a problem -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/KernelChoice.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Tuning/Simt.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace ctc;

/// Past every limit of shared memory, yet small enough to multiply by any size
/// of a kernel: a product that grows past it stays there.
static constexpr int64_t kHuge = int64_t{1} << 40;

static int64_t saturate(__int128 value) {
  return value > kHuge ? kHuge : static_cast<int64_t>(value);
}

SharedLayout ctc::sharedLayout(ir::KernelAttr kernel,
                               llvm::ArrayRef<int64_t> inputStep) {
  SharedLayout layout;
  int64_t row = kernel.getBatch(), taps = 1;
  for (auto [box, count, step] :
       llvm::zip_equal(kernel.getBox().asArrayRef(),
                       kernel.getTaps().asArrayRef(), inputStep)) {
    layout.halo.push_back(
        saturate(box + static_cast<__int128>(count - 1) * step));
    row = saturate(static_cast<__int128>(row) * layout.halo.back());
    taps = saturate(static_cast<__int128>(taps) * count);
  }
  // An odd pitch spreads the channels of one position over the banks, which
  // matters where consecutive threads run along channels.
  layout.patchPitch = row | 1;
  layout.patchBytes =
      roundUp(kernel.getChunkChannels() * layout.patchPitch * 4, 16);
  layout.weightElements =
      taps * kernel.getChunkChannels() * kernel.getChannels();
  layout.weightBytes = roundUp(layout.weightElements * 4, 16);
  layout.stagingPitch = kernel.getPositions() | 1;
  layout.stagingBytes = kernel.getChannels() * layout.stagingPitch * 4;
  layout.totalBytes =
      std::max(kernel.getStages() * (layout.patchBytes + layout.weightBytes),
               roundUp(layout.stagingBytes, 16));
  return layout;
}

static std::vector<int64_t> inputSteps(const Problem &problem) {
  std::vector<int64_t> steps;
  for (const SpatialDim &dim : problem.dims)
    steps.push_back(inputStep(dim));
  return steps;
}

Expected<void> ctc::checkFits(ir::KernelAttr kernel, const Problem &problem,
                              const Chip &chip) {
  const int64_t limit = std::min(kMaxStaticShared, chip.maxSharedPerBlock);
  const SharedLayout layout = sharedLayout(kernel, inputSteps(problem));
  if (layout.totalBytes > limit)
    return makeError(
        ErrorCode::InvalidProblem,
        "the kernel's tiles take " + std::to_string(layout.totalBytes) +
            " bytes of workgroup memory, at most " + std::to_string(limit) +
            " are available on " + std::string(chip.name) +
            "; use a smaller box, taps or chunk_channels");
  return {};
}

Tiling ctc::tilingOf(ir::KernelAttr kernel) {
  Tiling tiling;
  tiling.batch = kernel.getBatch();
  tiling.box.assign(kernel.getBox().asArrayRef().begin(),
                    kernel.getBox().asArrayRef().end());
  tiling.positions = kernel.getPositions();
  tiling.outputChannels = kernel.getChannels();
  tiling.inputChannels = kernel.getChunkChannels();
  tiling.taps.assign(kernel.getTaps().asArrayRef().begin(),
                     kernel.getTaps().asArrayRef().end());
  return tiling;
}

Expected<KernelChoice> ctc::chooseKernel(mlir::MLIRContext *context,
                                         const Problem &problem,
                                         const Chip &chip,
                                         llvm::StringRef family) {
  if (!family.empty() && !ir::symbolizeFamily(family))
    return makeError(ErrorCode::InvalidProblem, "unknown kernel family '" +
                                                    family.str() +
                                                    "', must be one of simt");
  if (problem.precision == Precision::TF32x3)
    return makeError(ErrorCode::InvalidProblem,
                     "precision is tf32x3, which no kernel family serves on " +
                         std::string(chip.name) +
                         "; simt serves tf32 and ieee");
  auto choice = chooseSimt(context, problem);
  if (!choice)
    return choice;
  if (auto fits = checkFits(choice->kernel, problem, chip); !fits)
    return tl::unexpected(fits.error());
  return choice;
}
