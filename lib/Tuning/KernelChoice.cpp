//===- KernelChoice.cpp - Which kernel serves a problem -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/KernelChoice.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"
#include "ctc/Tuning/MmaSync.h"
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

std::vector<int64_t> ctc::chunkHalo(ir::KernelAttr kernel,
                                    const Problem &problem,
                                    llvm::ArrayRef<DimPhasePlan> plans) {
  std::vector<int64_t> halo;
  for (size_t i = 0; i < plans.size(); ++i) {
    const int64_t box = kernel.getBox()[i];
    halo.push_back(
        kernel.getPhases()[i] > 1
            ? box + groupPhases(problem.dims[i], plans[i]).window
            : saturate(box + static_cast<__int128>(kernel.getTaps()[i] - 1) *
                                 plans[i].inputStep));
  }
  return halo;
}

int64_t ctc::dynamicSharedBytes(ir::KernelAttr kernel, const Problem &problem,
                                llvm::ArrayRef<int64_t> halo) {
  return kernel.getFamily() == ir::Family::Simt
             ? 0
             : mmaMemory(kernel, problem, halo).totalBytes;
}

Error ctc::tooLarge(int64_t bytes, int64_t limit, const Chip &chip) {
  return {ErrorCode::InvalidProblem,
          "the kernel's tiles take " + std::to_string(bytes) +
              " bytes of workgroup memory, at most " + std::to_string(limit) +
              " are available on " + std::string(chip.name) +
              "; use a smaller box, taps or chunk_channels"};
}

Expected<void> ctc::checkFits(ir::KernelAttr kernel, const Problem &problem,
                              const Chip &chip) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  if (kernel.getFamily() == ir::Family::MmaSync)
    return checkMmaSync(kernel, problem, *plans, chip);
  std::vector<int64_t> steps;
  for (const DimPhasePlan &plan : *plans)
    steps.push_back(plan.inputStep);
  const int64_t limit = std::min(kMaxStaticShared, chip.maxSharedPerBlock);
  if (const int64_t bytes = sharedLayout(kernel, steps).totalBytes;
      bytes > limit)
    return tl::unexpected(tooLarge(bytes, limit, chip));
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
  tiling.phases.assign(kernel.getPhases().asArrayRef().begin(),
                       kernel.getPhases().asArrayRef().end());
  tiling.clip = kernel.getClip();
  return tiling;
}

static std::string listFamilies() {
  std::string text;
  for (uint32_t i = 0; i <= ir::getMaxEnumValForFamily(); ++i)
    text += (i ? ", " : "") + ir::stringifyFamily(ir::Family(i)).str();
  return text;
}

Expected<KernelChoice>
ctc::chooseKernel(mlir::MLIRContext *context, const Problem &problem,
                  const Chip &chip, llvm::StringRef family, int64_t candidate) {
  const std::optional<ir::Family> forced = ir::symbolizeFamily(family);
  if (!family.empty() && !forced)
    return makeError(ErrorCode::InvalidProblem,
                     "unknown kernel family '" + family.str() +
                         "', must be one of " + listFamilies());
  const std::optional<std::string> noMma = whyNotMmaSync(problem);
  const std::optional<std::string> noSimt = whyNotSimt(problem);
  if (forced == ir::Family::MmaSync && noMma)
    return invalidProblem("family mma_sync cannot serve this layer: " + *noMma +
                          "; simt can");
  if (forced == ir::Family::Simt && noSimt)
    return invalidProblem("family simt cannot serve this layer: " + *noSimt +
                          "; mma_sync can");
  const bool mma = forced ? *forced == ir::Family::MmaSync
                          : !noMma && (noSimt || prefersMmaSync(problem));
  if (!mma && candidate > 0)
    return invalidProblem("candidate is " + std::to_string(candidate) +
                          ", must be 0 for family simt, which has one");
  auto choice = mma ? chooseMmaSync(context, problem, chip, candidate)
                    : chooseSimt(context, problem);
  if (!choice)
    return choice;
  if (auto fits = checkFits(choice->kernel, problem, chip); !fits)
    return tl::unexpected(fits.error());
  return choice;
}
