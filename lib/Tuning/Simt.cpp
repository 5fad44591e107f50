//===- Simt.cpp - Tiles of the simt family --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/Simt.h"
#include "ctc/Support/IntegerMath.h"

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

/// Estimated cost of covering `sizes` positions (batch first) with a box:
/// positions computed, idle ones included, times a share for the halo.
static double boxCost(const std::vector<int64_t> &sizes,
                      const std::vector<int64_t> &box,
                      const std::vector<DimPhasePlan> &plans,
                      int64_t positions) {
  double blocks = 1, halo = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    blocks *= double(ceilDiv(sizes[i], box[i]));
    if (i > 0) {
      const DimPhasePlan &plan = plans[i - 1];
      const double reach = double(std::max<int64_t>(0, plan.maxTapCount - 1)) *
                           double(plan.inputStep);
      halo *= (double(box[i]) + reach) / double(box[i]);
    }
  }
  // Rows shorter than 8 elements waste part of each 32-byte sector.
  const double sectors = double(roundUp(box.back(), 8)) / double(box.back());
  return blocks * double(positions) * (1 + 0.05 * halo + 0.05 * sectors);
}

/// Tries every box of power-of-two or exact sizes, innermost dimension first.
static void searchBox(const std::vector<int64_t> &sizes,
                      const std::vector<DimPhasePlan> &plans, size_t dim,
                      int64_t room, std::vector<int64_t> &box,
                      int64_t positions, double &bestCost,
                      std::vector<int64_t> &best) {
  std::vector<int64_t> candidates;
  for (int64_t size = 1; size <= room && size < 2 * sizes[dim]; size *= 2)
    candidates.push_back(std::min(size, sizes[dim]));
  if (sizes[dim] <= room)
    candidates.push_back(sizes[dim]);
  for (int64_t parts = 2; parts <= 8; ++parts)
    if (int64_t part = ceilDiv(sizes[dim], parts); part <= room)
      candidates.push_back(part);
  for (int64_t size : candidates) {
    box[dim] = size;
    if (dim > 0) {
      searchBox(sizes, plans, dim - 1, room / size, box, positions, bestCost,
                best);
    } else if (double cost = boxCost(sizes, box, plans, positions);
               cost < bestCost) {
      bestCost = cost;
      best = box;
    }
  }
}

static ir::KernelAttr toAttr(mlir::MLIRContext *context, const SimtTile &tile) {
  return ir::KernelAttr::get(
      context, ir::Family::Simt, ir::Lanes::Positions, tile.batch,
      mlir::DenseI64ArrayAttr::get(context, tile.box),
      mlir::DenseI64ArrayAttr::get(context, tile.taps), tile.chunk,
      tile.threadsPositions, tile.threadsChannels, tile.threadPositions,
      tile.threadChannels, /*stages=*/1, ir::ChoiceSource::Heuristic);
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

Expected<KernelChoice> ctc::chooseSimt(mlir::MLIRContext *context,
                                       const Problem &problem) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  SimtTile tile;
  chooseChannels(problem, tile);
  tile.chunk = chooseChunk(problem.inputChannelsPerGroup());

  std::vector<int64_t> sizes{
      problem.hasDynamicBatch() ? 1 : std::max<int64_t>(1, problem.batch)};
  std::vector<int64_t> steps;
  for (const DimPhasePlan &plan : *plans) {
    sizes.push_back(std::max<int64_t>(1, plan.maxQCount));
    steps.push_back(plan.inputStep);
    tile.taps.push_back(
        std::clamp<int64_t>(plan.maxTapCount, 1, kMaxTapsPerChunk));
  }
  int64_t positions = 1;
  for (int64_t size : sizes)
    positions = std::min<int64_t>(positions * std::min<int64_t>(size, 1 << 20),
                                  1 << 20);
  shrinkToWork(positions, tile);

  std::vector<int64_t> box(sizes.size(), 1), best(sizes.size(), 1);
  double bestCost = std::numeric_limits<double>::infinity();
  searchBox(sizes, *plans, sizes.size() - 1, tile.positions(), box,
            tile.positions(), bestCost, best);
  tile.batch = best.front();
  tile.box.assign(best.begin() + 1, best.end());
  shrinkToShared(context, steps, tile);
  return KernelChoice{toAttr(context, tile), explain(problem, tile)};
}
