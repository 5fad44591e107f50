//===- MmaCandidates.cpp - Tiles that mma_sync may take -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/MmaCandidates.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"
#include "ctc/Tuning/BoxSearch.h"
#include "ctc/Tuning/MmaLayout.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <map>
#include <set>

using namespace ctc;

namespace {

// Sums of a lane; the rest of its 255 registers is for fragments and places.
constexpr int64_t kMaxAccumulators = 128;
constexpr int64_t kMaxChannels = 128;
constexpr int64_t kMaxWarpgroupChannels = 256;
// Phases grouped along one dimension, and taps unrolled for them.
constexpr int64_t kMaxGrouped = 8;
constexpr int64_t kMaxGroupedTaps = 64;
// Matrix instructions that stand in the code one by one, which takes time to
// compile and room in the instruction cache.
constexpr int64_t kMaxUnrolledMatrix = 1024;
// Positions computed over those that exist, and from what size of a row on it
// has to be kept.
constexpr double kMaxWaste = 1.15;
constexpr int64_t kLongRow = 64;
// Along a dimension whose phases are not grouped.
constexpr int64_t kMaxTapsPerChunk = 8;
// Warps of a block, and those that do not share tiles with others.
constexpr int64_t kMaxWarps = 16;
constexpr int64_t kMaxTileWarps = 8;
// Registers that ptxas takes of such a block beyond the estimate, in most of 60
// kernels.
constexpr double kSpareRegisters = 24;
// Blocks of a multiprocessor past which they hide each other's latency, so that
// a split reduction only adds its sum.
constexpr double kMaxSplitBlocks = 4;
// Work at the border past which blocks may leave taps out, and past which they
// have to. In between the model decides: a known number of taps is unrolled.
constexpr double kClipBorder = 1.1;
constexpr double kMaxUnclippedBorder = 1.4;

class Enumeration {
public:
  Enumeration(const Problem &problem, const std::vector<DimPhasePlan> &plans,
              const Chip &chip, llvm::ArrayRef<ir::Family> families)
      : problem(problem), plans(plans), chip(chip), families(families),
        step(kMmaPlanes * 4 / byteWidth(problem.type)) {}

  std::vector<std::pair<MmaCost, MmaTile>> build() {
    for (allowWaste = false; found.empty(); allowWaste = true) {
      for (ir::Family family : families)
        visitFamily(family);
      if (allowWaste)
        break;
    }
    llvm::sort(found, [](const auto &a, const auto &b) {
      return a.first.total < b.first.total;
    });
    return std::move(found);
  }

private:
  void visitFamily(ir::Family family) {
    MmaTile tile;
    tile.family = family;
    // Rows of warpgroups' instructions are positions; else columns are what
    // lies together in the output.
    positionRows = tile.usesWarpgroups() || !channelsFirst();
    maxChannels = tile.usesWarpgroups() ? kMaxWarpgroupChannels : kMaxChannels;
    tile.lanes = positionRows ? ir::Lanes::Channels : ir::Lanes::Positions;
    const double border = unclippedBorder();
    for (bool clip : {false, true}) {
      if (clip ? border <= kClipBorder : border > kMaxUnclippedBorder)
        continue;
      tile.clip = clip;
      visitGroupings(tile);
    }
  }

  void visitGroupings(MmaTile tile) {
    for (const std::vector<int64_t> &phases : groupings()) {
      tile.phases = phases;
      for (int64_t channels : channelTiles())
        for (int64_t warps : {1, 2, 4})
          if (channels % (warps * channelUnit()) == 0) {
            tile.warpsChannels = warps;
            tile.warpChannels = channels / warps;
            visitPositions(tile);
          }
    }
  }

  bool channelsFirst() const { return problem.layout == Layout::ChannelsFirst; }
  int64_t channelUnit() const { return positionRows ? kOctet : 2 * kOctet; }
  int64_t positionUnit() const { return positionRows ? 2 * kOctet : kOctet; }

  /// Work over useful work where all blocks walk all taps of their phase.
  double unclippedBorder() const {
    double walked = 1, useful = 1;
    for (int i = 0; i < problem.rank(); ++i) {
      double pairs = 0;
      for (const Phase &phase : plans[i].phases)
        pairs += double(phase.qCount) * double(phase.tapCount);
      walked *= pairs;
      useful *= double(usefulPairs(problem.dims[i]));
    }
    return useful > 0 ? walked / useful : 1;
  }

  /// No phases grouped, those of the innermost dimension, those of the two
  /// innermost, those of all.
  std::vector<std::vector<int64_t>> groupings() const {
    std::vector<int64_t> phases(plans.size(), 1);
    std::vector<std::vector<int64_t>> result{phases};
    int64_t grouped = 1, taps = 1;
    for (size_t i = plans.size(); i-- > 0;) {
      const auto count = int64_t(plans[i].phases.size());
      grouped *= std::max<int64_t>(1, count);
      taps *= problem.dims[i].kernel;
      if (count < 2 || grouped > kMaxGrouped || taps > kMaxGroupedTaps)
        break;
      phases[i] = count;
      result.push_back(phases);
    }
    return result;
  }

  /// All channels of a group, or a part of them, whose rounding wastes little
  /// more than the least.
  std::vector<int64_t> channelTiles() const {
    const int64_t channels =
        std::max<int64_t>(1, problem.outputChannelsPerGroup());
    std::map<int64_t, int64_t> computed; // By tile.
    int64_t least = INT64_MAX;
    for (int64_t parts = 1; parts <= 16; ++parts) {
      const int64_t tile = roundUp(ceilDiv(channels, parts), channelUnit());
      if (tile <= maxChannels) {
        computed[tile] = roundUp(channels, tile);
        least = std::min(least, computed[tile]);
      }
    }
    for (int64_t tile = 32; tile <= maxChannels; tile *= 2) {
      computed[tile] = roundUp(channels, tile);
      least = std::min(least, computed[tile]);
    }
    std::vector<int64_t> tiles;
    for (auto [tile, total] : computed)
      if (double(total) <= 1.15 * double(least))
        tiles.push_back(tile);
    return tiles;
  }

  void visitPositions(MmaTile tile) {
    for (int64_t positions : {8, 16, 32, 64, 128}) {
      tile.warpPositions = positions;
      if (positions % positionUnit() != 0 ||
          tile.accumulators() > kMaxAccumulators)
        continue;
      for (int64_t warps : {1, 2, 4, 8}) {
        tile.warpsPositions = warps;
        if (tile.warps() > kMaxTileWarps ||
            (tile.usesWarpgroups() && warps % 4 != 0))
          continue;
        for (const std::vector<int64_t> &box : boxes(tile)) {
          if (!allowWaste && isWasteful(box, tile.positions()))
            continue;
          tile.batch = box.front();
          tile.box.assign(box.begin() + 1, box.end());
          visitSplits(tile);
        }
      }
    }
  }

  /// Whether a box computes much more than there is, where rows are long.
  bool isWasteful(const std::vector<int64_t> &box, int64_t positions) const {
    const BoxSearch search = boxSearch(problem, plans);
    if (search.sizes.back() < kLongRow)
      return false;
    double waste = double(positions);
    for (size_t i = 0; i < box.size(); ++i)
      waste *=
          double(ceilDiv(search.sizes[i], box[i])) / double(search.sizes[i]);
    return waste > kMaxWaste;
  }

  /// Boxes for the tile's positions, with little and with much regard for their
  /// halo.
  const std::set<std::vector<int64_t>> &boxes(const MmaTile &tile) {
    auto &known = boxesOf[{tile.phases, tile.positions()}];
    if (!known.empty())
      return known;
    BoxSearch search = boxSearch(problem, plans);
    search.grain = kOctet;
    for (size_t i = 0; i < plans.size(); ++i)
      if (tile.phases[i] > 1)
        search.reach[i + 1] = groupPhases(problem.dims[i], plans[i]).window;
    if (channelsFirst())
      search.alignment = 16 / byteWidth(problem.type);
    for (double weight : {0.05, 0.4}) {
      search.haloWeight = weight;
      known.insert(search.best(tile.positions()));
    }
    // Many samples of one position have all their taps in common.
    std::vector<int64_t> samples(search.sizes.size(), 1);
    samples.front() = std::min(search.sizes.front(), tile.positions());
    if (tile.clip && 2 * samples.front() > tile.positions())
      known.insert(samples);
    return known;
  }

  /// Reductions split between warps, where blocks are few and chunks would be
  /// many.
  void visitSplits(MmaTile tile) {
    visitChunks(tile);
    if (blockCount(tile, problem, plans) >
        kMaxSplitBlocks * chip.board.multiprocessors)
      return;
    const int64_t tileWarps = tile.warps();
    for (int64_t split : {2, 4}) {
      tile.split = split;
      if (split * tileWarps <= kMaxWarps && tile.storedPositions() > 0 &&
          split * step <= problem.inputChannelsPerGroup())
        visitChunks(tile);
    }
  }

  void visitChunks(MmaTile tile) {
    for (size_t i = 0; i < plans.size(); ++i)
      tile.taps.push_back(
          tile.phases[i] > 1
              ? problem.dims[i].kernel
              : std::clamp<int64_t>(plans[i].maxTapCount, 1, kMaxTapsPerChunk));
    const bool registers = channelsFirst() && problem.type != ElementType::F32;
    const int64_t least = step * tile.split;
    for (int64_t chunk : {least, 2 * least, 4 * least}) {
      if (chunk > least && chunk / 2 >= problem.inputChannelsPerGroup())
        break;
      tile.chunk = chunk;
      for (int64_t stages : {1, 2, 3, 4}) {
        if (stages > 2 && registers)
          break;
        if (stages > ceilDiv(problem.inputChannelsPerGroup(), chunk) + 1)
          break;
        tile.stages = stages;
        consider(tile);
      }
    }
  }

  /// Fewer taps per chunk where all do not fit.
  void consider(MmaTile tile) {
    if (tile.exchangedBytes() > chip.maxSharedPerBlock)
      return;
    while (bytes(tile) > double(chip.maxSharedPerBlock)) {
      auto most = tile.taps.end();
      for (auto it = tile.taps.begin(); it != tile.taps.end(); ++it)
        if (tile.phases[it - tile.taps.begin()] == 1 && *it > 1 &&
            (most == tile.taps.end() || *it > *most))
          most = it;
      if (most == tile.taps.end())
        return;
      *most = ceilDiv(*most, 2);
    }
    if (unrolledMatrix(tile) > kMaxUnrolledMatrix)
      return;
    const MmaCost cost = estimateCost(tile, problem, plans, chip);
    // Blocks of more warps than that have fewer than 255 registers a lane.
    if (tile.warps() <= kMaxTileWarps ||
        (cost.registers + kSpareRegisters) * 32 * double(tile.warps()) <=
            double(chip.maxRegistersPerSM))
      found.push_back({cost, tile});
  }

  /// Matrix instructions of the taps of grouped phases, which are unrolled.
  int64_t unrolledMatrix(const MmaTile &tile) const {
    int64_t count =
        tile.chunk / step / tile.split * (tile.warpPositions / kOctet) *
        (tile.usesWarpgroups() ? 1 : tile.warpChannels / kOctet) / 2;
    for (size_t i = 0; i < plans.size(); ++i)
      if (tile.phases[i] > 1)
        count *= problem.dims[i].kernel;
    return count;
  }

  /// Workgroup memory without the padding of its rows.
  double bytes(const MmaTile &tile) const {
    double patch = double(tile.batch), taps = 1;
    for (size_t i = 0; i < plans.size(); ++i) {
      patch *= double(tile.box[i] +
                      (tile.phases[i] > 1
                           ? groupPhases(problem.dims[i], plans[i]).window
                           : (tile.taps[i] - 1) * plans[i].inputStep));
      taps *= double(tile.taps[i]);
    }
    return double(tile.stages * tile.chunk * byteWidth(problem.type)) *
           (patch + taps * double(tile.channels()));
  }

  const Problem &problem;
  const std::vector<DimPhasePlan> &plans;
  const Chip &chip;
  const llvm::ArrayRef<ir::Family> families;
  const int64_t step;
  bool allowWaste = false, positionRows = false;
  int64_t maxChannels = kMaxChannels;
  std::map<std::pair<std::vector<int64_t>, int64_t>,
           std::set<std::vector<int64_t>>>
      boxesOf;
  std::vector<std::pair<MmaCost, MmaTile>> found;
};

} // namespace

std::vector<std::pair<MmaCost, MmaTile>>
ctc::rankTiles(const Problem &problem, const std::vector<DimPhasePlan> &plans,
               const Chip &chip, llvm::ArrayRef<ir::Family> families) {
  return Enumeration(problem, plans, chip, families).build();
}
