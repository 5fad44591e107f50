//===- MmaCost.cpp - What a kernel of mma_sync costs ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block's work is counted in what a multiprocessor does per clock: matrix
// instructions, wavefronts of workgroup memory, instructions issued, bytes from
// the second level. The busiest of them bounds a multiprocessor, DRAM the chip;
// to that comes the latency of filling and draining blocks, which blocks that
// share a multiprocessor hide from each other. docs/Performance.md compares the
// estimates with times on a GPU.
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"
#include "ctc/Tuning/MmaCandidates.h"
#include "ctc/Tuning/MmaLayout.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>

using namespace ctc;

namespace {

// Instructions of a thread, counted in machine code for sm_90a.
constexpr double kCopyInstructions = 8;    ///< A vector, its place known.
constexpr double kRoundInstructions = 20;  ///< A vector of four, in place.
constexpr double kPlaceInstructions = 45;  ///< Working out a vector's place.
constexpr double kChunkInstructions = 50;  ///< The loop and its barrier.
constexpr double kBlockInstructions = 300; ///< Finding the block's place.
constexpr double kDirectStore = 1;         ///< A sum stored from registers.
constexpr double kStagedStore = 7;         ///< One stored through memory.
/// A sum that warps of a split exchange: a quarter of a store and of a load,
/// and what it takes to add it.
constexpr double kExchangeInstructions = 1.5;
constexpr double kMaxRegisters = 240;
/// Time over what a multiprocessor's busiest unit takes, measured on an H200
/// over some 700 kernels of each family.
struct IdleTime {
  double least;     ///< With enough warps in several blocks.
  double alone;     ///< What a block loses that has no other beside it.
  double fullWarps; ///< Warps that fill a multiprocessor,
  double few;       ///< and the power with which fewer take longer.
};
constexpr IdleTime kWarpIdle = {1.14, 0.5, 8, 0.7};
constexpr IdleTime kWarpgroupIdle = {1, 0.2, 8, 0.45};
// Columns that an instruction of a warpgroup takes the time of at least.
constexpr double kLeastColumns = 32;
// Instructions of a warp around one of its warpgroup, and to round a word.
constexpr double kWarpgroupInstructions = 6;
constexpr double kRoundWord = 3;
// Clocks until a block's first chunk is there: the phase table, then DRAM.
constexpr double kFillClocks = 1600;
constexpr double kDrainClocks = 600;
// Clocks of the two barriers of a split and what waits for them.
constexpr double kExchangeClocks = 400;
// Clocks from issuing a copy to its data.
constexpr double kCopyClocks = 1000;
// Clocks that a chunk's barrier and the copies behind it leave the matrix units
// idle, with one block on a multiprocessor.
constexpr double kChunkClocks = 120;

/// What one block does.
struct BlockWork {
  double matrix = 0, shared = 0, issue = 0, l2 = 0, chain = 0; ///< Clocks.
};

class Estimate {
public:
  Estimate(const MmaTile &tile, const Problem &problem,
           const std::vector<DimPhasePlan> &plans, const Chip &chip)
      : tile(tile), problem(problem), plans(plans), chip(chip),
        word(4 / byteWidth(problem.type)) {
    chunks = double(ceilDiv(problem.inputChannelsPerGroup(), tile.chunk));
    perSM = std::ceil(blockCount(tile, problem, plans) /
                      chip.board.multiprocessors);
    measureTaps();
  }

  MmaCost build() {
    const BlockWork block = blockWork();
    const double clock = chip.board.clock;
    const double resident = residentBlocks();
    MmaCost cost;
    cost.matrix = perSM * block.matrix / clock;
    cost.shared = perSM * block.shared / clock;
    cost.issue = perSM * block.issue / clock;
    cost.l2 = perSM * block.l2 / clock;
    cost.chain = std::ceil(perSM / resident) * block.chain / clock;
    cost.dram = bytes() / chip.board.memoryBytes / 0.9;
    const double busy =
        std::max({cost.matrix, cost.shared, cost.issue, cost.l2});
    // Parts overlap, but not to the last clock.
    const double sum = cost.matrix + cost.shared + cost.issue + cost.l2;
    const double work =
        (busy + 0.15 * (sum - busy)) * idle(resident) + cost.chain;
    cost.total = std::max(work, cost.dram) + 0.2 * std::min(work, cost.dram);
    // Past the registers of a lane sums go to local memory.
    cost.registers = estimateRegisters();
    cost.total *= 1 + 0.05 * std::max(0., cost.registers - kMaxRegisters);
    return cost;
  }

private:
  size_t rank() const { return plans.size(); }

  /// Time over busy time: a block that waits at a barrier leaves the
  /// multiprocessor to others, and few warps do not fill it.
  double idle(double resident) const {
    const double warps = resident * double(tile.warps());
    const IdleTime &time = tile.usesWarpgroups() ? kWarpgroupIdle : kWarpIdle;
    return time.least * (1 + time.alone / std::pow(resident, 1.5)) *
           std::pow(std::max(1., time.fullWarps / warps), time.few);
  }

  bool rounds() const {
    return word == 1 && problem.precision == Precision::TF32;
  }

  /// Taps that a block walks for all its phases, and the shifts they read at.
  void measureTaps() {
    for (size_t i = 0; i < rank(); ++i) {
      const DimPhasePlan &plan = plans[i];
      if (tile.phases[i] > 1) {
        window.push_back(groupPhases(problem.dims[i], plan).window);
        taps *= double(problem.dims[i].kernel);
        const int64_t steps = window.back() / plan.inputStep;
        shifts *= double(steps + 1);
        tapChunks *= 1;
        continue;
      }
      double walked = 0, chunksOfTaps = 0, blocks = 0;
      for (const Phase &phase : plan.phases)
        for (int64_t count : walkedTaps(i, phase)) {
          walked += double(count);
          chunksOfTaps += double(ceilDiv(count, tile.taps[i]));
          ++blocks;
        }
      blocks = std::max(1., blocks);
      taps *= walked / blocks;
      shifts *= walked / blocks;
      tapChunks *= chunksOfTaps / blocks;
      window.push_back((tile.taps[i] - 1) * plan.inputStep);
    }
  }

  /// Taps of a phase that blocks walk: one number for all, or one per box where
  /// blocks leave out what reaches no input. Of many boxes the first stand for
  /// all, as the border is at both ends.
  std::vector<int64_t> walkedTaps(size_t i, const Phase &phase) const {
    if (!tile.clip)
      return {phase.tapCount};
    constexpr int64_t kMaxBoxes = 256;
    std::vector<int64_t> counts;
    const int64_t step = plans[i].inputStep, box = tile.box[i];
    const int64_t boxes = std::min(kMaxBoxes, ceilDiv(phase.qCount, box));
    for (int64_t number = 0; number < boxes; ++number) {
      const int64_t first = phase.qBegin + number * box;
      const int64_t last =
          std::min(first + box, phase.qBegin + phase.qCount) - 1;
      const int64_t low = std::max<int64_t>(
          0,
          ceilDiv(first - phase.inputOffset - problem.dims[i].input + 1, step));
      const int64_t high = std::min(
          phase.tapCount, floorDiv(last - phase.inputOffset, step) + 1);
      counts.push_back(std::max<int64_t>(0, high - low));
    }
    return counts;
  }

  /// Blocks that share a multiprocessor: no more than there are for it.
  double residentBlocks() const {
    const double threads = double(tile.warps()) * 32;
    const double registers = std::min(255., estimateRegisters());
    const double byRegisters =
        std::floor(double(chip.maxRegistersPerSM) / (registers * threads));
    const double byMemory =
        std::floor(double(chip.maxSharedPerSM) / (memoryBytes() + 1024));
    const double byThreads = std::floor(double(chip.maxThreadsPerSM) / threads);
    return std::max(1.,
                    std::min({byRegisters, byMemory, byThreads, 16., perSM}));
  }

  /// Of a lane: sums, fragments, places of its copies, the rest.
  double estimateRegisters() const {
    // Taps unrolled along several dimensions share rows of positions, which
    // stay in registers meanwhile.
    const bool rows =
        llvm::count_if(tile.phases, [](int64_t n) { return n > 1; }) > 1;
    const double fragments =
        (rows ? 4. : 3.) * double(tile.warpPositions) / 8 +
        (tile.usesWarpgroups() ? 0. : 2. * double(tile.warpChannels) / 8);
    const double threads = double(tile.warps()) * 32;
    const double patchVectors = patchBytes() / copyBytes() / threads;
    const double vectors = patchVectors + weightBytes() / 16 / threads;
    // Pairs of 16-bit planes wait in registers to be stored.
    const bool held =
        word > 1 && problem.layout == Layout::ChannelsFirst && tile.stages > 1;
    return double(tile.accumulators()) + fragments +
           2 * std::min(vectors, 24.) +
           (held ? std::min(patchVectors, 12.) * copyBytes() / 4 : 0) + 40;
  }

  /// Stored positions of a plane, with what alignment adds.
  double patchPositions() const {
    double positions = double(tile.batch);
    for (size_t i = 0; i < rank(); ++i) {
      int64_t size = tile.box[i] + window[i];
      if (i + 1 == rank() && problem.layout == Layout::ChannelsFirst) {
        const int64_t vector = copyPositions();
        size = roundUp(size + vector - 1, vector);
      }
      positions *= double(size);
    }
    return positions;
  }

  int64_t copyPositions() const {
    int64_t vector = 16 / byteWidth(problem.type);
    while (problem.dims.back().input % vector != 0)
      vector /= 2;
    return vector;
  }

  /// Of a position.
  int64_t chunkBytes() const { return tile.chunk * byteWidth(problem.type); }
  double patchBytes() const { return patchPositions() * double(chunkBytes()); }
  /// Weights of a chunk: of all taps that one chunk of taps holds.
  double weightBytes() const {
    double count = 1;
    for (int64_t size : tile.taps)
      count *= double(size);
    return count *
           double(tile.chunk * tile.channels() * byteWidth(problem.type));
  }
  double memoryBytes() const {
    return std::max(double(tile.stages) *
                        (patchBytes() + paddingBytes() + weightBytes()),
                    double(tile.exchangedBytes()));
  }
  /// What keeps loads of positions of 32 planes or more free of bank conflicts:
  /// 16 bytes each, and 32 where neighbours are two positions apart.
  double paddingBytes() const {
    if (!channelsLast() || chunkBytes() / tile.split < 128)
      return 0;
    return patchPositions() * (interleaved() == 2 ? 32 : 16);
  }
  double bytes() const {
    auto size = [&](const std::vector<int64_t> &shape) {
      double elements = 1;
      for (int64_t value : shape)
        elements *= value == kDynamic ? 1 : double(value);
      return elements * double(byteWidth(problem.type));
    };
    return size(problem.inputShape()) + size(problem.weightShape()) +
           size(problem.outputShape());
  }

  BlockWork blockWork() const {
    BlockWork work;
    const double warps = double(tile.warps());
    const auto split = double(tile.split);
    const double steps = chunks * double(tile.chunk) / double(word) / 8 / split;
    const double octets = double(tile.warpPositions) / 8;
    const double channelOctets = double(tile.warpChannels) / 8;
    const double instructions = taps * steps * octets * channelOctets / 2;
    const double rate =
        (word == 1 ? chip.rates.matrixTf32 : chip.rates.matrix16) *
        (tile.usesWarpgroups() ? 1 : chip.rates.mmaSyncShare) *
        (problem.precision == Precision::TF32x3 ? 1. / 3 : 1.);
    const double columns = double(tile.warpChannels);
    const double stretched =
        tile.usesWarpgroups() ? std::max(columns, kLeastColumns) / columns : 1;
    work.matrix = stretched * instructions * warps * 1024 * double(word) / rate;

    // Words of a lane, or wavefronts of a warp.
    const double pixelWords = shifts * reuse() * steps * octets * 2;
    // Each warpgroup's instruction reads its weights for four warps.
    const double weightWords = tile.usesWarpgroups()
                                   ? instructions / 2
                                   : taps * steps * channelOctets * 2;
    const double copied = chunks * tapChunks * (patchBytes() + weightBytes());
    const double rounded = rounds() && !tile.usesWarpgroups()
                               ? chunks * tapChunks * patchBytes()
                               : 0;
    work.shared = warps * (pixelWords + weightWords) +
                  (copied + 2 * rounded + 2 * double(tile.exchangedBytes())) /
                      kSharedBytesPerClock;
    work.l2 = (copied + stored()) / chip.rates.l2Bytes;

    const double loads =
        problem.layout == Layout::ChannelsFirst ? pixelWords : pixelWords / 4;
    const double threads = warps * 32;
    const double vectors = copied / copyBytes() / threads;
    const double multiplied =
        tile.usesWarpgroups()
            ? instructions / channelOctets * kWarpgroupInstructions +
                  (rounds() ? pixelWords * kRoundWord : 0)
            : instructions + weightWords / 4;
    const double perThread =
        multiplied + loads + vectors * kCopyInstructions +
        rounded / 16 / threads * kRoundInstructions +
        vectors / chunks * kPlaceInstructions +
        chunks * tapChunks * kChunkInstructions + kBlockInstructions +
        double(tile.accumulators()) / split * storeInstructions() +
        (split > 1 ? kExchangeInstructions * double(tile.accumulators()) : 0);
    work.issue = warps * perThread / kIssueSlots;
    work.chain = kFillClocks + kDrainClocks +
                 (split > 1 ? kExchangeClocks : 0) +
                 chunks * tapChunks * (kChunkClocks + exposedClocks(work));
    return work;
  }

  /// Clocks of a chunk's copies that multiplying other chunks does not hide.
  double exposedClocks(const BlockWork &work) const {
    const double chunk =
        std::max({work.matrix, work.shared, work.issue, work.l2}) /
        (chunks * tapChunks);
    // Rounding takes place a chunk ahead, for which copies have to be there; a
    // multiplication that is under way keeps its buffer.
    const int64_t later = tile.usesWarpgroups() ? 2 : rounds() ? 3 : 1;
    const auto ahead =
        double(tile.stages > 2 ? std::max<int64_t>(1, tile.stages - later)
                               : tile.stages - 1);
    return std::max(0., kCopyClocks - ahead * chunk * residentBlocks());
  }

  int64_t interleaved() const {
    return interleavedOctets({tile.family, tile.split, channelsLast(),
                              chunkBytes(), tile.warpPositions});
  }

  /// How many of the loads of a shift are left where unrolled taps share
  /// positions: rows of them, or neighbours of interleaved octets.
  double reuse() const {
    if (tile.clip)
      return 1;
    double left = 1, rows = double(tile.warpPositions);
    const int64_t turns = interleaved();
    for (size_t i = rank(); i-- > 0;) {
      double size = std::min(rows, double(tile.box[i]));
      rows = std::max(1., rows / size);
      const bool last = i + 1 == rank();
      if (turns > 1)
        size = std::min(size, double(turns));
      const double count =
          tile.phases[i] > 1 ? 1 : double(plans[i].maxTapCount);
      if ((turns > 1) == last && size > 1)
        left *= (size + count - 1) / (size * count);
    }
    return left;
  }

  double copyBytes() const {
    if (problem.layout == Layout::ChannelsFirst)
      return double(copyPositions() * byteWidth(problem.type) * word);
    int64_t vector = 16 / byteWidth(problem.type);
    while (problem.inputChannels % vector != 0 ||
           problem.inputChannelsPerGroup() % vector != 0)
      vector /= 2;
    return double(vector * byteWidth(problem.type));
  }

  /// Bytes stored, in whole sectors: outputs of phases that are not grouped lie
  /// apart.
  double stored() const {
    const size_t last = rank() - 1;
    const int64_t apart =
        channelsLast() || tile.phases[last] > 1 ? 1 : problem.dims[last].stride;
    return double(std::min<int64_t>(apart, 8)) *
           double(tile.positions() * tile.channels() * tile.phaseCount() *
                  byteWidth(problem.type));
  }

  bool channelsLast() const { return problem.layout == Layout::ChannelsLast; }

  double storeInstructions() const {
    const size_t last = rank() - 1;
    const StorePlan plan =
        planStore({tile.lanes, problem.type, tile.phases[last], tile.box[last],
                   tile.storedPositions(), plans[last].outputSize,
                   problem.dims[last].stride, channelsLast()});
    return plan.staged ? 2 + kStagedStore / double(plan.vector) : kDirectStore;
  }

  const MmaTile &tile;
  const Problem &problem;
  const std::vector<DimPhasePlan> &plans;
  const Chip &chip;
  const int64_t word;
  double perSM = 1; ///< Blocks of the busiest multiprocessor.
  double chunks = 1, taps = 1, shifts = 1, tapChunks = 1;
  std::vector<int64_t> window;
};

} // namespace

int64_t MmaTile::phaseCount() const {
  int64_t count = 1;
  for (int64_t number : phases)
    count *= number;
  return count;
}

const char *MmaCost::bound() const {
  const std::pair<double, const char *> parts[] = {
      {matrix, "matrix instructions"},
      {shared, "workgroup memory"},
      {issue, "instructions"},
      {l2, "the second level"},
      {dram, "memory"},
      {chain, "latency"}};
  return std::max_element(
             std::begin(parts), std::end(parts),
             [](const auto &a, const auto &b) { return a.first < b.first; })
      ->second;
}

int64_t MmaTile::storedPositions() const {
  const auto parts = ir::KernelAttr::getStoredParts(
      lanes, {warpPositions, warpChannels}, split);
  return parts ? warpPositions / parts->first : 0;
}

double ctc::blockCount(const MmaTile &tile, const Problem &problem,
                       const std::vector<DimPhasePlan> &plans) {
  const int64_t batch = problem.hasDynamicBatch() ? 1 : problem.batch;
  double blocks =
      double(ceilDiv(std::max<int64_t>(1, batch), tile.batch)) *
      double(problem.groups) *
      double(ceilDiv(std::max<int64_t>(1, problem.outputChannelsPerGroup()),
                     tile.channels()));
  for (size_t i = 0; i < plans.size(); ++i) {
    blocks *=
        double(std::max<int64_t>(1, ceilDiv(plans[i].maxQCount, tile.box[i])));
    if (tile.phases[i] == 1)
      blocks *= std::max<double>(1, double(plans[i].phases.size()));
  }
  return blocks;
}

MmaCost ctc::estimateCost(const MmaTile &tile, const Problem &problem,
                          const std::vector<DimPhasePlan> &plans,
                          const Chip &chip) {
  return Estimate(tile, problem, plans, chip).build();
}
