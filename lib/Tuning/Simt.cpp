//===- Simt.cpp - Tiles of the simt family --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/Simt.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"
#include "ctc/Tuning/BoxSearch.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/bit.h"

#include <algorithm>
#include <functional>
#include <numeric>

using namespace ctc;

namespace {

// 64 sums per thread leave registers for operands and addresses with four
// blocks of 128 threads per multiprocessor.
constexpr int64_t kWarpSize = 32;
constexpr int64_t kThreads = 128;
constexpr int64_t kMaxSums = 64;
constexpr int64_t kMaxThreadTile = 8;
constexpr int64_t kMaxThreadsChannels = 8;
// The unrolled chunk: 8 channels times 64 sums is 512 FMA. With grouped phases
// taps are unrolled, too, and more is worth its code.
constexpr int64_t kMaxChunk = 8;
constexpr int64_t kMaxUnrolled = 1536;
// Taps of grouped phases: with one output channel a tap's weight takes one
// register, and a pixel that is loaded for one phase alone serves one
// multiply-add. Else their pixels are in registers together.
constexpr int64_t kMaxGroupedTapsOfOne = 96;
// What a kernel chosen by someone else may unroll.
constexpr int64_t kMostUnrolled = 16384;
// Phases of one dimension in a block.
constexpr int64_t kMaxGroup = 4;
// Leaves room for two blocks per SM on chips with 100 KiB of shared memory.
constexpr int64_t kSharedBudget = 40960;
// Along one dimension; more taps only deepen the halo.
constexpr int64_t kMaxTapsPerChunk = 8;
// Input and output channels of a group up to which a block takes several.
constexpr int64_t kMaxGroupWidth = 4;
// Neighbouring channels that a block reads and writes: whole sectors of every
// type. More leave fewer positions for its threads, and so deeper halos.
constexpr int64_t kGroupsRun = 32;
// Blocks of several groups load once and wait for it, so that as many as a
// multiprocessor holds have loads under way together.
constexpr int64_t kResidentBlocks = 4;
// Rows of a box: what a warp stores at a time.
constexpr int64_t kRow = 32;

/// The tile as plain numbers while it is being chosen.
struct SimtTile {
  int64_t batch = 1;
  std::vector<int64_t> box, phases, taps;
  int64_t chunk = 1;
  int64_t threadsPositions = 32, threadsChannels = 1;
  int64_t threadPositions = 8, threadChannels = 1;
  int64_t groups = 1;
  int64_t mostSums = kMaxSums;

  /// Where an operand of several groups is more than one vector of 16 bytes it
  /// takes the registers of half of the sums.
  int64_t maxSums() const {
    const int64_t operand =
        ceilDiv(threadChannels * groups, channels()) * chunk;
    const bool wide = groups > 1 && operand > 4;
    return wide ? mostSums / 2 : mostSums;
  }
  int64_t threads() const { return threadsPositions * threadsChannels; }
  int64_t positions() const { return threadsPositions * threadPositions; }
  int64_t channels() const { return threadsChannels * threadChannels; }
  int64_t phaseCount() const {
    return std::accumulate(phases.begin(), phases.end(), int64_t{1},
                           std::multiplies<>());
  }
  /// Taps that are unrolled.
  int64_t groupedTaps() const {
    int64_t count = 1;
    for (size_t i = 0; i < phases.size(); ++i)
      if (phases[i] > 1)
        count *= taps[i];
    return count;
  }
};

/// Builds the tile of a problem step by step.
class SimtSearch {
public:
  SimtSearch(mlir::MLIRContext *context, const Problem &problem,
             const std::vector<DimPhasePlan> &plans, const Chip &chip)
      : context(context), problem(problem), plans(plans), chip(chip) {}

  /// The tile of at most so many sums per thread.
  SimtTile best(int64_t mostSums);
  ir::KernelAttr toAttr() const;

private:
  SimtTile bestOfOneGroup();
  /// A tile whose blocks take several groups, where those are narrow and their
  /// channels neighbours in memory; nothing where they are not or it does not
  /// fit.
  std::optional<SimtTile> bestOfGroups();
  void chooseChannels();
  void chooseGroups();
  void shrinkPositions();
  bool fits() const;
  int64_t *mostTaps();
  void groupPhases();
  bool canGroup(size_t dim, int64_t least) const;
  bool readsMatter() const;
  void chooseChunk();
  void shrinkToWork();
  void chooseBox(int64_t positions);
  int64_t blocks() const;
  void shrinkToShared();

  mlir::MLIRContext *context;
  const Problem &problem;
  const std::vector<DimPhasePlan> &plans;
  const Chip &chip;
  SimtTile tile;
};

} // namespace

void SimtSearch::chooseChannels() {
  const int64_t channels =
      std::max<int64_t>(1, problem.outputChannelsPerGroup());
  const int64_t most = kMaxThreadTile * kMaxThreadsChannels;
  const int64_t perTile = ceilDiv(channels, ceilDiv(channels, most));
  tile.threadsChannels =
      int64_t(llvm::bit_ceil(uint64_t(ceilDiv(perTile, kMaxThreadTile))));
  tile.threadChannels = ceilDiv(perTile, tile.threadsChannels);
  tile.threadsPositions = kThreads / tile.threadsChannels;
}

/// Neighbouring channels for a thread, threads side by side along whole groups
/// up to whole sectors, and positions for the rest of the block.
void SimtSearch::chooseGroups() {
  const int64_t width = problem.outputChannelsPerGroup();
  const int64_t channels = problem.outputChannels;
  auto serves = [&](int64_t held) {
    return channels % held == 0 && (held % width == 0 || width % held == 0);
  };
  tile.threadChannels = serves(4) ? 4 : serves(2) ? 2 : 1;
  // Threads of one group, or 1 where a thread has whole ones.
  const int64_t unit =
      std::lcm(tile.threadChannels, width) / tile.threadChannels;
  const int64_t widest = std::max(width, problem.inputChannelsPerGroup());
  const int64_t most =
      std::max<int64_t>(1, kGroupsRun * width / widest / tile.threadChannels);
  const int64_t all = channels / tile.threadChannels;
  int64_t lanes = roundUp(ceilDiv(all, ceilDiv(all, most)), unit);
  // Blocks are whole warps: lanes of any number may take too many.
  if (std::lcm(lanes, kWarpSize) > kThreads) {
    const int64_t step = std::lcm(unit, int64_t{8});
    lanes = roundUp(lanes, step);
    if (lanes > std::max(most, step))
      lanes -= step;
  }
  const int64_t whole = std::lcm(lanes, kWarpSize); // At least a warp.
  tile.threadsChannels = lanes;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
  const int64_t copies = std::max<int64_t>(1, kThreads / whole);
  tile.threadsPositions = copies * whole / lanes;
  tile.groups = lanes * tile.threadChannels / width;
}

/// Whether a thread can hold `least` positions of all phases of a dimension,
/// too, and unroll their taps.
bool SimtSearch::canGroup(size_t dim, int64_t least) const {
  const DimPhasePlan &plan = plans[dim];
  const auto phases = int64_t(plan.phases.size());
  const int64_t held = least * tile.threadChannels * tile.phaseCount() * phases;
  const int64_t mostTaps = tile.threadChannels == 1 && tile.groups == 1
                               ? kMaxGroupedTapsOfOne
                               : kMaxTapsInRegisters;
  return phases > 1 && phases <= kMaxGroup &&
         phases == problem.dims[dim].stride && plan.maxTapCount > 0 &&
         held <= tile.maxSums() &&
         tile.groupedTaps() * problem.dims[dim].kernel <= mostTaps &&
         tile.groupedTaps() * problem.dims[dim].kernel * least *
                 tile.threadChannels <=
             kMaxUnrolled;
}

/// Whether the input has more than an eighth of the output's elements.
bool SimtSearch::readsMatter() const {
  int64_t phases = 1;
  for (const DimPhasePlan &plan : plans)
    phases *= std::max<int64_t>(1, int64_t(plan.phases.size()));
  return problem.inputChannelsPerGroup() * 8 >
         problem.outputChannelsPerGroup() * phases;
}

/// Phases of the innermost dimension make whole rows. Those of the others are
/// worth it where reading the input once for all of them counts.
void SimtSearch::groupPhases() {
  tile.phases.assign(plans.size(), 1);
  for (const DimPhasePlan &plan : plans)
    tile.taps.push_back(
        std::clamp<int64_t>(plan.maxTapCount, 1, kMaxTapsPerChunk));
  for (size_t i = plans.size(); i-- > 0;) {
    const bool inner = i + 1 == plans.size();
    if ((inner || readsMatter()) && canGroup(i, 2)) {
      tile.phases[i] = int64_t(plans[i].phases.size());
      tile.taps[i] = problem.dims[i].kernel;
    }
  }
  const int64_t sums = tile.threadChannels * tile.phaseCount();
  tile.threadPositions = std::clamp<int64_t>(
      int64_t(llvm::bit_floor(uint64_t(tile.maxSums() / sums))), 1,
      kMaxThreadTile);
}

/// The chunk size from half of the largest up that rounds the group's input
/// channels up least.
void SimtSearch::chooseChunk() {
  const int64_t channels =
      std::max<int64_t>(1, problem.inputChannelsPerGroup());
  int64_t most = kMaxChunk;
  if (const int64_t taps = tile.groupedTaps(); taps > 1)
    most = std::clamp<int64_t>(
        kMaxUnrolled / (taps * tile.threadPositions * tile.threadChannels), 1,
        kMaxChunk);
  tile.chunk = std::min(most, channels);
  for (int64_t chunk = tile.chunk; 2 * chunk >= most && chunk > 0; --chunk)
    if (roundUp(channels, chunk) < roundUp(channels, tile.chunk))
      tile.chunk = chunk;
}

int64_t SimtSearch::blocks() const {
  __int128 count =
      ceilDiv(problem.outputChannelsPerGroup(), tile.channels() / tile.groups);
  count *= ceilDiv(problem.groups, tile.groups);
  count *= problem.hasDynamicBatch() ? 1 : ceilDiv(problem.batch, tile.batch);
  for (size_t i = 0; i < plans.size(); ++i) {
    count *= ceilDiv(std::max<int64_t>(1, plans[i].maxQCount), tile.box[i]);
    if (tile.phases[i] == 1)
      count *= std::max<int64_t>(1, int64_t(plans[i].phases.size()));
    count = std::min<__int128>(count, kMaxGridX);
  }
  return int64_t(count);
}

void SimtSearch::chooseBox(int64_t positions) {
  BoxSearch search = boxSearch(problem, plans);
  for (size_t i = 0; i < plans.size(); ++i)
    if (tile.phases[i] > 1)
      search.reach[i + 1] = ctc::groupPhases(problem.dims[i], plans[i]).window;
  if (problem.layout == Layout::ChannelsFirst) {
    search.rowGrain = kRow;
    search.rowWeight = 0.5;
  }
  // Positions of a thread are then neighbouring rows, and share most of what
  // they read.
  if (tile.groups > 1)
    search.grain = tile.threadsPositions;
  const std::vector<int64_t> best = search.best(positions);
  tile.batch = best.front();
  tile.box.assign(best.begin() + 1, best.end());
}

/// Fewer positions per thread, then fewer threads, where a phase is small or
/// blocks would be too few for the chip.
void SimtSearch::shrinkToWork() {
  const int64_t work = boxSearch(problem, plans).volume();
  const int64_t enough =
      chip.board.multiprocessors * (tile.groups > 1 ? kResidentBlocks : 1);
  auto tooLarge = [&] {
    if (tile.positions() / 2 >= work)
      return true;
    chooseBox(tile.positions());
    return blocks() < enough;
  };
  while (tile.threadPositions > 1 && tooLarge())
    tile.threadPositions /= 2;
  while (tile.threads() % (2 * kWarpSize) == 0 &&
         tile.threadsPositions % 2 == 0 && tooLarge())
    tile.threadsPositions /= 2;
  chooseBox(tile.positions());
}

ir::KernelAttr SimtSearch::toAttr() const {
  auto sizes = [&](llvm::ArrayRef<int64_t> values) {
    return mlir::DenseI64ArrayAttr::get(context, values);
  };
  return ir::KernelAttr::get(
      context, ir::Family::Simt,
      tile.groups > 1 ? ir::Lanes::Channels : ir::Lanes::Positions, tile.batch,
      sizes(tile.box), sizes(tile.phases), sizes(tile.taps), tile.chunk,
      sizes({tile.threadsPositions, tile.threadsChannels}),
      sizes({tile.threadPositions, tile.threadChannels}), /*stages=*/1,
      /*clip=*/true, ir::ChoiceSource::Heuristic, tile.groups, /*split=*/1);
}

static SharedLayout sharedLayoutOf(ir::KernelAttr kernel,
                                   const Problem &problem,
                                   llvm::ArrayRef<DimPhasePlan> plans) {
  const std::vector<int64_t> shape = problem.outputShape();
  const bool last = problem.layout == Layout::ChannelsLast;
  return sharedLayout(kernel, chunkWindow(kernel, problem, plans),
                      storesStaged(kernel, problem.type, problem.layout,
                                   shape[shape.size() - (last ? 2 : 1)],
                                   problem.dims.back().stride));
}

/// The largest count of taps that are in chunks; nothing where all are single.
int64_t *SimtSearch::mostTaps() {
  int64_t *most = nullptr;
  for (size_t i = 0; i < tile.taps.size(); ++i)
    if (tile.phases[i] == 1 && tile.taps[i] > (most ? *most : 1))
      most = &tile.taps[i];
  return most;
}

/// Halves the chunk down to two channels, then the largest count of taps that
/// are in chunks, until the chunk's buffers fit: chunks of taps load most of
/// the halo once more.
void SimtSearch::shrinkToShared() {
  while (!fits()) {
    int64_t *taps = mostTaps();
    if (tile.chunk > (taps ? 2 : 1))
      tile.chunk = ceilDiv(tile.chunk, 2);
    else if (taps)
      *taps = ceilDiv(*taps, 2);
    else
      return;
  }
}

bool SimtSearch::fits() const {
  return sharedLayoutOf(toAttr(), problem, plans).totalBytes <= kSharedBudget;
}

/// Fewer positions per thread, where more would unroll too much or take too
/// much workgroup memory; two share weights.
void SimtSearch::shrinkPositions() {
  auto unrolled = [&] {
    return tile.groupedTaps() * tile.threadPositions * tile.threadChannels *
           tile.chunk;
  };
  while (tile.threadPositions > 2 && (unrolled() > kMaxUnrolled || !fits())) {
    tile.threadPositions /= 2;
    chooseBox(tile.positions());
  }
}

std::optional<SimtTile> SimtSearch::bestOfGroups() {
  const int64_t inputs = problem.inputChannelsPerGroup();
  const int64_t outputs = problem.outputChannelsPerGroup();
  if (problem.layout != Layout::ChannelsLast || problem.groups == 1 ||
      inputs < 1 || inputs > kMaxGroupWidth || outputs < 1 ||
      outputs > kMaxGroupWidth)
    return std::nullopt;
  chooseGroups();
  tile.chunk = inputs;
  groupPhases();
  shrinkToWork();
  shrinkPositions();
  while (!fits()) {
    int64_t *taps = mostTaps();
    if (!taps)
      return std::nullopt;
    *taps = ceilDiv(*taps, 2);
  }
  return tile;
}

SimtTile SimtSearch::bestOfOneGroup() {
  chooseChannels();
  groupPhases();
  shrinkToWork();
  chooseChunk();
  shrinkToShared();
  return tile;
}

SimtTile SimtSearch::best(int64_t mostSums) {
  SimtTile empty;
  empty.mostSums = mostSums;
  tile = empty;
  if (auto groups = bestOfGroups())
    return *groups;
  tile = empty;
  return bestOfOneGroup();
}

static std::string explain(const Problem &problem, const SimtTile &tile) {
  std::vector<int64_t> box = tile.box;
  return "simt serves every layer; a block of " +
         std::to_string(tile.threadsPositions * tile.threadsChannels) +
         " threads computes " + std::to_string(tile.batch) + " x " +
         formatShape(box) + " positions of " +
         (tile.phaseCount() == 1
              ? "one phase"
              : std::to_string(tile.phaseCount()) + " phases") +
         " by " + std::to_string(tile.channels() / tile.groups) + " of " +
         std::to_string(problem.outputChannelsPerGroup()) +
         " channels per group, " +
         (tile.groups == 1 ? "" : std::to_string(tile.groups) + " groups, ") +
         std::to_string(tile.threadPositions) + " x " +
         std::to_string(tile.threadChannels) + " per thread";
}

std::optional<std::string> ctc::whyNotSimt(const Problem &problem) {
  if (problem.precision == Precision::TF32x3)
    return "its precision is tf32x3, which takes matrix instructions";
  return std::nullopt;
}

/// Channels of several groups are one run, and a chunk holds whole groups.
static Expected<void> checkGroups(ir::KernelAttr kernel,
                                  const Problem &problem) {
  const int64_t groups = kernel.getGroups();
  if (groups == 1)
    return {};
  const std::string value =
      "the kernel takes " + std::to_string(groups) + " groups per block";
  if (problem.layout != Layout::ChannelsLast)
    return invalidProblem(value + ", must be 1 in channels_first");
  if (kernel.getGroupChannels() != problem.outputChannelsPerGroup())
    return invalidProblem(value + " and " +
                          std::to_string(kernel.getGroupChannels()) +
                          " channels of each, must take all " +
                          std::to_string(problem.outputChannelsPerGroup()));
  if (kernel.getChunkChannels() != problem.inputChannelsPerGroup())
    return invalidProblem(value + " and chunk_channels is " +
                          std::to_string(kernel.getChunkChannels()) +
                          ", must be all " +
                          std::to_string(problem.inputChannelsPerGroup()) +
                          " input channels of a group");
  return {};
}

Expected<void> ctc::checkSimt(ir::KernelAttr kernel, const Problem &problem,
                              llvm::ArrayRef<DimPhasePlan> plans,
                              const Chip &chip) {
  if (auto phases = checkPhases(kernel, problem, plans); !phases)
    return phases;
  if (auto groups = checkGroups(kernel, problem); !groups)
    return groups;
  __int128 unrolled = kernel.getChunkChannels();
  for (int64_t size : kernel.getWorkerTile().asArrayRef())
    unrolled *= size;
  for (size_t i = 0; i < plans.size(); ++i)
    if (kernel.getPhases()[int64_t(i)] > 1)
      unrolled *= kernel.getTaps()[int64_t(i)];
  if (kernel.getPhaseCount() > 1 && unrolled > kMostUnrolled)
    return invalidProblem(
        "the kernel unrolls " + std::to_string(int64_t(unrolled)) +
        " multiply-adds, chunk_channels times worker_tile times the taps of "
        "grouped phases, at most " +
        std::to_string(kMostUnrolled) + " are legal");
  const int64_t limit = std::min(kMaxStaticShared, chip.maxSharedPerBlock);
  if (const int64_t bytes = sharedLayoutOf(kernel, problem, plans).totalBytes;
      bytes > limit)
    return tl::unexpected(tooLarge(bytes, limit, chip));
  return {};
}

Expected<KernelChoice> ctc::chooseSimt(mlir::MLIRContext *context,
                                       const Problem &problem, const Chip &chip,
                                       llvm::ArrayRef<ir::KernelAttr> spilled) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  SimtSearch search(context, problem, *plans, chip);
  for (int64_t mostSums = kMaxSums; mostSums > 0; mostSums /= 2) {
    const SimtTile tile = search.best(mostSums);
    if (const ir::KernelAttr kernel = search.toAttr();
        !llvm::is_contained(spilled, kernel))
      return KernelChoice{kernel, explain(problem, tile)};
  }
  return invalidProblem("every kernel of family simt that serves this layer "
                        "spills");
}
