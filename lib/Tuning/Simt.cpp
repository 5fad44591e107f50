//===- Simt.cpp - Tiles of the simt family --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/Simt.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Tuning/BoxSearch.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/bit.h"

#include <algorithm>

using namespace ctc;

namespace {

/// The tile as plain numbers while it is being chosen.
struct SimtTile {
  int64_t batch = 1;
  std::vector<int64_t> box, taps;
  int64_t chunk = 1;
  int64_t threadsPositions = 32, threadsChannels = 1;
  int64_t threadPositions = 8, threadChannels = 1;

  int64_t positions() const { return threadsPositions * threadPositions; }
};

// 64 accumulators per thread leave registers for operands and addresses below
// the 255 a thread may have, with two blocks of 128 threads or more per SM.
constexpr int64_t kThreads = 128;
constexpr int64_t kMaxThreadTile = 8;
constexpr int64_t kMaxThreadsChannels = 8;
// The unrolled chunk: 8 channels times 64 accumulators is 512 FMA.
constexpr int64_t kMaxChunk = 8;
// Leaves room for two blocks per SM on chips with 100 KiB of shared memory.
constexpr int64_t kSharedBudget = 40960;
// Along one dimension; more taps only deepen the halo.
constexpr int64_t kMaxTapsPerChunk = 8;

} // namespace

static void chooseChannels(const Problem &problem, SimtTile &tile) {
  const int64_t channels =
      std::max<int64_t>(1, problem.outputChannelsPerGroup());
  const int64_t most = kMaxThreadTile * kMaxThreadsChannels;
  const int64_t perTile = ceilDiv(channels, ceilDiv(channels, most));
  tile.threadsChannels =
      int64_t(llvm::bit_ceil(uint64_t(ceilDiv(perTile, kMaxThreadTile))));
  tile.threadChannels = ceilDiv(perTile, tile.threadsChannels);
  tile.threadsPositions = kThreads / tile.threadsChannels;
}

/// The chunk size from 4 up that rounds the group's input channels up least.
static int64_t chooseChunk(int64_t channels) {
  if (channels <= kMaxChunk)
    return std::max<int64_t>(1, channels);
  int64_t best = kMaxChunk;
  for (int64_t chunk = kMaxChunk; chunk >= 4; --chunk)
    if (roundUp(channels, chunk) < roundUp(channels, best))
      best = chunk;
  return best;
}

/// Fewer positions per thread, then fewer threads, where a phase is small.
static void shrinkToWork(int64_t positions, SimtTile &tile) {
  while (tile.threadPositions > 1 && tile.positions() / 2 >= positions)
    tile.threadPositions /= 2;
  while (tile.threadsPositions * tile.threadsChannels > 32 &&
         tile.positions() / 2 >= positions)
    tile.threadsPositions /= 2;
}

static ir::KernelAttr toAttr(mlir::MLIRContext *context, const SimtTile &tile) {
  auto sizes = [&](llvm::ArrayRef<int64_t> values) {
    return mlir::DenseI64ArrayAttr::get(context, values);
  };
  return ir::KernelAttr::get(
      context, ir::Family::Simt, ir::Lanes::Positions, tile.batch,
      sizes(tile.box), sizes(std::vector<int64_t>(tile.box.size(), 1)),
      sizes(tile.taps), tile.chunk,
      sizes({tile.threadsPositions, tile.threadsChannels}),
      sizes({tile.threadPositions, tile.threadChannels}), /*stages=*/1,
      /*clip=*/true, ir::ChoiceSource::Heuristic);
}

/// Halves the largest tap count, then the chunk, until the chunk's buffers fit.
static void shrinkToShared(mlir::MLIRContext *context,
                           const std::vector<int64_t> &steps, SimtTile &tile) {
  while (sharedLayout(toAttr(context, tile), steps).totalBytes >
         kSharedBudget) {
    auto most = std::max_element(tile.taps.begin(), tile.taps.end());
    if (*most > 1)
      *most = ceilDiv(*most, 2);
    else if (tile.chunk > 1)
      tile.chunk = ceilDiv(tile.chunk, 2);
    else
      return;
  }
}

static std::string explain(const Problem &problem, const SimtTile &tile) {
  std::vector<int64_t> box = tile.box;
  return "simt serves every layer; a block of " +
         std::to_string(tile.threadsPositions * tile.threadsChannels) +
         " threads computes " + std::to_string(tile.batch) + " x " +
         formatShape(box) + " positions of one phase by " +
         std::to_string(tile.threadsChannels * tile.threadChannels) + " of " +
         std::to_string(problem.outputChannelsPerGroup()) +
         " channels per group, " + std::to_string(tile.threadPositions) +
         " x " + std::to_string(tile.threadChannels) + " per thread";
}

std::optional<std::string> ctc::whyNotSimt(const Problem &problem) {
  if (problem.precision == Precision::TF32x3)
    return "its precision is tf32x3, which takes matrix instructions";
  return std::nullopt;
}

Expected<KernelChoice> ctc::chooseSimt(mlir::MLIRContext *context,
                                       const Problem &problem) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  SimtTile tile;
  chooseChannels(problem, tile);
  tile.chunk = chooseChunk(problem.inputChannelsPerGroup());

  const BoxSearch search = boxSearch(problem, *plans);
  std::vector<int64_t> steps;
  for (const DimPhasePlan &plan : *plans) {
    steps.push_back(plan.inputStep);
    tile.taps.push_back(
        std::clamp<int64_t>(plan.maxTapCount, 1, kMaxTapsPerChunk));
  }
  shrinkToWork(search.volume(), tile);
  const std::vector<int64_t> best = search.best(tile.positions());
  tile.batch = best.front();
  tile.box.assign(best.begin() + 1, best.end());
  shrinkToShared(context, steps, tile);
  return KernelChoice{toAttr(context, tile), explain(problem, tile)};
}
