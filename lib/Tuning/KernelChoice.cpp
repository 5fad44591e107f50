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
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

#include <algorithm>

using namespace ctc;

/// Past every limit of shared memory, yet small enough to multiply by any size
/// of a kernel: a product that grows past it stays there.
static constexpr int64_t kHuge = int64_t{1} << 40;

static int64_t saturate(__int128 value) {
  return value > kHuge ? kHuge : static_cast<int64_t>(value);
}

SharedLayout ctc::sharedLayout(ir::KernelAttr kernel,
                               llvm::ArrayRef<int64_t> window, bool staged) {
  SharedLayout layout;
  int64_t row = kernel.getBatch(), taps = 1;
  for (auto [size, count] :
       llvm::zip_equal(window, kernel.getTaps().asArrayRef())) {
    layout.window.push_back(size);
    row = saturate(static_cast<__int128>(row) * size);
    taps = saturate(static_cast<__int128>(taps) * count);
  }
  // An odd pitch spreads the channels of one position over the banks, which
  // matters where consecutive threads run along channels.
  layout.patchPitch =
      kernel.getLanes() == ir::Lanes::Positions ? row : (row | 1);
  layout.patchElements = kernel.getChunkChannels() * layout.patchPitch;
  if (kernel.getGroups() > 1) {
    layout.patchPitch = 1;
    layout.positionPitch = kernel.getInputChannels();
    layout.patchElements =
        saturate(static_cast<__int128>(row) * layout.positionPitch);
  }
  layout.patchBytes = roundUp(layout.patchElements * 4, 16);
  // A thread's weights are one vector, also where they are three.
  const int64_t channels = kernel.getChannels();
  layout.weightPitch = channels % 4 == 3 ? channels + 1 : channels;
  layout.weightElements = taps * kernel.getChunkChannels() * layout.weightPitch;
  layout.weightBytes = roundUp(layout.weightElements * 4, 16);
  layout.run = kernel.getPhases().asArrayRef().back();
  // A pitch of 4 more than the banks keeps vectors aligned and spreads the
  // channels of a position over the banks.
  const int64_t places = kernel.getPositions() * layout.run;
  layout.stagingPitch = places + floorMod(4 - places, 32);
  if (staged)
    layout.stagingBytes = kernel.getChannels() * kernel.getPhaseCount() /
                          layout.run * layout.stagingPitch * 4;
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

int64_t ctc::patchVector(ir::KernelAttr kernel, ElementType type, Layout layout,
                         int64_t inputWidth) {
  const int64_t vector = 16 / byteWidth(type);
  return layout == Layout::ChannelsFirst &&
                 kernel.getLanes() == ir::Lanes::Positions &&
                 inputWidth % vector == 0
             ? vector
             : 1;
}

std::vector<int64_t> ctc::chunkWindow(ir::KernelAttr kernel,
                                      const Problem &problem,
                                      llvm::ArrayRef<DimPhasePlan> plans) {
  std::vector<int64_t> window = chunkHalo(kernel, problem, plans);
  const int64_t vector = patchVector(kernel, problem.type, problem.layout,
                                     problem.dims.back().input);
  const DimPhasePlan &plan = plans.back();
  const int64_t box = kernel.getBox().asArrayRef().back();
  // Where all boxes begin at the same place in a vector it is known how far
  // behind the vector's start that is.
  const bool grouped = kernel.getPhases().asArrayRef().back() > 1;
  const bool oneTap = plan.phases.size() == 1 && plan.maxTapCount == 1;
  int64_t skew = vector - 1;
  if ((grouped || oneTap) && (box % vector == 0 || box >= plan.maxQCount))
    skew = floorMod(groupPhases(problem.dims.back(), plan).inputBase, vector);
  window.back() = roundUp(window.back() + skew, vector);
  return window;
}

bool ctc::storesStaged(ir::KernelAttr kernel, ElementType type, Layout layout,
                       int64_t outputWidth, int64_t stride) {
  const int64_t run = kernel.getPhases().asArrayRef().back();
  // Channels of several groups are vectors of the output as they are.
  if (kernel.getGroups() > 1)
    return false;
  return layout == Layout::ChannelsLast ||
         kernel.getLanes() == ir::Lanes::Channels || run != stride ||
         outputWidth % run != 0 || !llvm::has_single_bit(uint64_t(run)) ||
         run * byteWidth(type) > 16;
}

Expected<void> ctc::checkPhases(ir::KernelAttr kernel, const Problem &problem,
                                llvm::ArrayRef<DimPhasePlan> plans) {
  for (size_t i = 0; i < plans.size(); ++i) {
    const int64_t phases = kernel.getPhases()[i];
    if (phases == 1)
      continue;
    if (phases != int64_t(plans[i].phases.size()))
      return invalidProblem(
          "phases is " + std::to_string(phases) + " in dimension " +
          std::to_string(i) + ", must be 1 or all " +
          std::to_string(plans[i].phases.size()) + " of them");
    if (kernel.getTaps()[i] != problem.dims[i].kernel)
      return invalidProblem("taps is " + std::to_string(kernel.getTaps()[i]) +
                            " in dimension " + std::to_string(i) +
                            " whose phases are grouped, must be the kernel "
                            "size, " +
                            std::to_string(problem.dims[i].kernel));
  }
  return {};
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

std::vector<ir::Family> ctc::allFamilies() {
  std::vector<ir::Family> families;
  for (uint32_t i = 0; i <= ir::getMaxEnumValForFamily(); ++i)
    families.push_back(ir::Family(i));
  return families;
}

std::string ctc::listFamilies(llvm::ArrayRef<ir::Family> families,
                              llvm::StringRef separator) {
  return llvm::join(llvm::map_range(families, ir::stringifyFamily), separator);
}

/// Why a family cannot serve a problem on a chip, if it cannot.
static std::optional<std::string>
whyNot(ir::Family family, const Problem &problem, const Chip &chip) {
  switch (family) {
  case ir::Family::Simt:
    return whyNotSimt(problem);
  case ir::Family::MmaSync:
    return whyNotMmaSync(problem);
  case ir::Family::WgmmaRA:
    return whyNotWgmmaRA(problem, chip);
  }
  llvm_unreachable("unknown family");
}

static std::vector<ir::Family> servingFamilies(const Problem &problem,
                                               const Chip &chip) {
  std::vector<ir::Family> serving;
  for (ir::Family family : allFamilies())
    if (!whyNot(family, problem, chip))
      serving.push_back(family);
  return serving;
}

/// The family serves the problem, or an error about `what` that names those
/// that do.
static Expected<void> checkServes(const std::string &what, ir::Family family,
                                  const Problem &problem, const Chip &chip) {
  const auto why = whyNot(family, problem, chip);
  if (!why)
    return {};
  return invalidProblem(what + ir::stringifyFamily(family).str() +
                        " cannot serve this layer: " + *why + "; " +
                        listFamilies(servingFamilies(problem, chip)) + " can");
}

Expected<void> ctc::checkFits(ir::KernelAttr kernel, const Problem &problem,
                              const Chip &chip) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  if (auto serves =
          checkServes("kernel of family ", kernel.getFamily(), problem, chip);
      !serves)
    return serves;
  if (kernel.usesMatrixUnits())
    return checkMmaSync(kernel, problem, *plans, chip);
  return checkSimt(kernel, problem, *plans, chip);
}

Tiling ctc::tilingOf(ir::KernelAttr kernel, const Problem &problem) {
  Tiling tiling;
  tiling.batch = kernel.getBatch();
  tiling.box.assign(kernel.getBox().asArrayRef().begin(),
                    kernel.getBox().asArrayRef().end());
  tiling.positions = kernel.getPositions();
  tiling.outputChannels = kernel.getGroupChannels();
  tiling.groups = kernel.getGroups();
  tiling.inputChannels = kernel.getChunkChannels();
  tiling.taps.assign(kernel.getTaps().asArrayRef().begin(),
                     kernel.getTaps().asArrayRef().end());
  tiling.phases.assign(kernel.getPhases().asArrayRef().begin(),
                       kernel.getPhases().asArrayRef().end());
  tiling.clip = kernel.getClip();
  auto plans = planPhases(problem);
  if (kernel.getFamily() == ir::Family::Simt && plans) {
    tiling.vector = patchVector(kernel, problem.type, problem.layout,
                                problem.dims.back().input);
    tiling.row = chunkWindow(kernel, problem, *plans).back();
  }
  return tiling;
}

Expected<KernelChoice>
ctc::chooseKernel(mlir::MLIRContext *context, const Problem &problem,
                  const Chip &chip, llvm::StringRef family, int64_t candidate,
                  llvm::ArrayRef<ir::KernelAttr> spilled) {
  const std::optional<ir::Family> forced = ir::symbolizeFamily(family);
  if (!family.empty() && !forced)
    return makeError(ErrorCode::InvalidProblem,
                     "unknown kernel family '" + family.str() +
                         "', must be one of " + listFamilies(allFamilies()));
  if (forced)
    if (auto serves = checkServes("family ", *forced, problem, chip); !serves)
      return tl::unexpected(serves.error());
  const std::vector<ir::Family> serving = servingFamilies(problem, chip);
  std::vector<ir::Family> matrix;
  for (ir::Family one : serving)
    if (one != ir::Family::Simt && (!forced || one == *forced))
      matrix.push_back(one);
  const bool simt =
      matrix.empty() || (!forced && serving.front() == ir::Family::Simt &&
                         !prefersMmaSync(problem));
  if (simt && candidate > 0)
    return invalidProblem("candidate is " + std::to_string(candidate) +
                          ", must be 0 for family simt, which has one");
  auto choice =
      simt ? chooseSimt(context, problem, chip, spilled)
           : chooseMmaSync(context, problem, chip, matrix, candidate, spilled);
  if (!choice)
    return choice;
  if (auto fits = checkFits(choice->kernel, problem, chip); !fits)
    return tl::unexpected(fits.error());
  return choice;
}
