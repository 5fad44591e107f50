//===- MmaSync.cpp - Tiles of the mma_sync family -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/MmaSync.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"
#include "ctc/Tuning/BoxSearch.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <algorithm>

using namespace ctc;

namespace {
/// The tile as plain numbers while it is being chosen.
struct MmaTile {
  ir::Lanes lanes = ir::Lanes::Positions;
  int64_t batch = 1;
  std::vector<int64_t> box, phases, taps;
  int64_t chunk = 8;
  int64_t warpsPositions = 8, warpsChannels = 1;
  int64_t warpPositions = 64, warpChannels = 16;
  int64_t stages = 2;
  bool clip = false;

  int64_t positions() const { return warpsPositions * warpPositions; }
  int64_t channels() const { return warpsChannels * warpChannels; }
};

// Accumulators of a lane; the rest of its 255 registers is for fragments.
constexpr int64_t kMaxAccumulators = 128;
// Past it a patch fits no chip, and its layout is not worth working out.
constexpr int64_t kMaxPatchPositions = 65536;
} // namespace

std::optional<std::string> ctc::whyNotMmaSync(const Problem &problem) {
  if (problem.precision == Precision::IEEE)
    return "its precision is ieee, and matrix instructions round f32 to tf32";
  return std::nullopt;
}

bool ctc::prefersMmaSync(const Problem &problem) {
  return problem.inputChannelsPerGroup() >= 8 &&
         problem.outputChannelsPerGroup() >= 8;
}

Expected<void> ctc::checkMmaSync(ir::KernelAttr kernel, const Problem &problem,
                                 llvm::ArrayRef<DimPhasePlan> plans,
                                 const Chip &chip) {
  if (auto why = whyNotMmaSync(problem))
    return invalidProblem(
        "kernel of family mma_sync cannot serve this layer: " + *why +
        "; simt can");
  const int64_t step = kMmaPlanes * 4 / byteWidth(problem.type);
  if (kernel.getChunkChannels() % step != 0)
    return invalidProblem("chunk_channels is " +
                          std::to_string(kernel.getChunkChannels()) +
                          ", must be a multiple of " + std::to_string(step) +
                          " for " + std::string(name(problem.type)));
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
  const std::vector<int64_t> halo = chunkHalo(kernel, problem, plans);
  std::vector<int64_t> positions = halo;
  positions.push_back(kernel.getBatch());
  const auto volume = checkedProduct(positions);
  if (!volume || *volume > kMaxPatchPositions)
    return tl::unexpected(
        tooLarge(volume.value_or(INT64_MAX / 4096) * kernel.getChunkChannels() *
                     byteWidth(problem.type),
                 chip.maxSharedPerBlock, chip));
  const MmaMemory memory = mmaMemory(kernel, problem, halo);
  if (memory.totalBytes > chip.maxSharedPerBlock)
    return tl::unexpected(
        tooLarge(memory.totalBytes, chip.maxSharedPerBlock, chip));
  if (!memory.patch.async && kernel.getStages() > 2)
    return invalidProblem(
        "stages is " + std::to_string(kernel.getStages()) +
        ", must be 1 or 2 for a patch that is copied through registers");
  return {};
}

static ir::KernelAttr toAttr(mlir::MLIRContext *context, const MmaTile &tile) {
  auto sizes = [&](llvm::ArrayRef<int64_t> values) {
    return mlir::DenseI64ArrayAttr::get(context, values);
  };
  return ir::KernelAttr::get(
      context, ir::Family::MmaSync, tile.lanes, tile.batch, sizes(tile.box),
      sizes(tile.phases), sizes(tile.taps), tile.chunk,
      sizes({tile.warpsPositions, tile.warpsChannels}),
      sizes({tile.warpPositions, tile.warpChannels}), tile.stages, tile.clip,
      ir::ChoiceSource::Heuristic);
}

/// Channels of a block: all of a group up to 128, in warps of at most 64.
static void chooseChannels(const Problem &problem, MmaTile &tile) {
  tile.lanes = problem.layout == Layout::ChannelsFirst ? ir::Lanes::Positions
                                                       : ir::Lanes::Channels;
  const int64_t unit = tile.lanes == ir::Lanes::Positions ? 16 : 8;
  const int64_t channels =
      std::max<int64_t>(1, problem.outputChannelsPerGroup());
  const int64_t perTile = ceilDiv(channels, ceilDiv(channels, int64_t{128}));
  tile.warpsChannels = perTile > 64 ? 2 : 1;
  tile.warpChannels = roundUp(ceilDiv(perTile, tile.warpsChannels), unit);
  tile.warpsPositions = 8 / tile.warpsChannels;
}

/// Groups the phases of the innermost dimension where there are few: their
/// outputs are neighbours in memory.
static void groupInnermost(const Problem &problem,
                           const std::vector<DimPhasePlan> &plans,
                           BoxSearch &search, MmaTile &tile) {
  const size_t last = plans.size() - 1;
  const auto phases = int64_t(plans[last].phases.size());
  if (phases < 2 || phases > 4 || problem.dims[last].kernel > 16)
    return;
  tile.phases[last] = phases;
  tile.taps[last] = problem.dims[last].kernel;
  search.reach.back() = groupPhases(problem.dims[last], plans[last]).window;
}

Expected<KernelChoice> ctc::chooseMmaSync(mlir::MLIRContext *context,
                                          const Problem &problem,
                                          const Chip &chip) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  MmaTile tile;
  chooseChannels(problem, tile);
  BoxSearch search = boxSearch(problem, *plans);
  search.grain = kOctet;
  for (const DimPhasePlan &plan : *plans) {
    tile.taps.push_back(std::clamp<int64_t>(plan.maxTapCount, 1, 8));
    tile.phases.push_back(1);
  }
  groupInnermost(problem, *plans, search, tile);
  int64_t grouped = 1;
  for (int64_t count : tile.phases)
    grouped *= count;

  const int64_t unit = tile.lanes == ir::Lanes::Positions ? 8 : 16;
  tile.warpPositions = std::clamp<int64_t>(
      kMaxAccumulators * 32 / (tile.warpChannels * grouped) / unit * unit, unit,
      128);
  while (tile.warpPositions / 2 >= unit &&
         (tile.warpPositions / 2) % unit == 0 &&
         tile.positions() / 2 >= search.volume())
    tile.warpPositions /= 2;
  while (tile.warpsPositions > 1 && tile.positions() / 2 >= search.volume())
    tile.warpsPositions /= 2;
  const std::vector<int64_t> best = search.best(tile.positions());
  tile.batch = best.front();
  tile.box.assign(best.begin() + 1, best.end());

  const int64_t step = kMmaPlanes * 4 / byteWidth(problem.type);
  tile.chunk = problem.inputChannelsPerGroup() > step ? 2 * step : step;
  tile.stages = problem.type != ElementType::F32 &&
                        problem.layout == Layout::ChannelsFirst
                    ? 2
                    : 3;
  auto fits = [&] {
    return checkMmaSync(toAttr(context, tile), problem, *plans, chip)
        .has_value();
  };
  while (!fits()) {
    auto most = tile.taps.end();
    for (auto it = tile.taps.begin(); it != tile.taps.end(); ++it)
      if (tile.phases[it - tile.taps.begin()] == 1 && *it > 1 &&
          (most == tile.taps.end() || *it > *most))
        most = it;
    if (tile.chunk > step)
      tile.chunk = step;
    else if (tile.stages > 2)
      --tile.stages;
    else if (most != tile.taps.end())
      *most = ceilDiv(*most, 2);
    else if (tile.stages > 1)
      --tile.stages;
    else
      break;
  }
  const ir::KernelAttr kernel = toAttr(context, tile);
  std::string reason =
      "mma_sync: a block of " + std::to_string(kernel.getThreads() / 32) +
      " warps computes " + std::to_string(tile.batch) + " x " +
      formatShape(tile.box) + " positions of " +
      std::to_string(kernel.getPhaseCount()) + " phases by " +
      std::to_string(kernel.getChannels()) + " of " +
      std::to_string(problem.outputChannelsPerGroup()) + " channels per group";
  return KernelChoice{kernel, reason};
}
