//===- MmaSync.cpp - Tiles of the mma_sync family -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/MmaSync.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Tuning/MmaCandidates.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <limits>
#include <optional>

using namespace ctc;

// Past it a patch fits no chip, and its layout is not worth working out.
static constexpr int64_t kMaxPatchPositions = 65536;

std::optional<std::string> ctc::whyNotMmaSync(const Problem &problem) {
  if (problem.precision == Precision::IEEE)
    return "its precision is ieee, and matrix instructions round f32 to tf32";
  return std::nullopt;
}

std::optional<std::string> ctc::whyNotWgmmaRA(const Problem &problem,
                                              const Chip &chip) {
  // wgmma exists on compute capability 9.0 only, and only in its own code (PTX
  // ISA 9.7.16.5.2, "Target ISA Notes").
  if (chip.major != 9 || !chip.archSpecific)
    return std::string(chip.name) + " has no wgmma instructions, sm_90a has";
  if (problem.type == ElementType::F32 && problem.precision != Precision::TF32)
    return "its precision is " + std::string(name(problem.precision)) +
           ", and wgmma takes f32 as tf32";
  return std::nullopt;
}

bool ctc::prefersMmaSync(const Problem &problem) {
  // Columns of few output channels are padded, which long reductions make up
  // for: 64 channels to 3 took half of simt's time on an H200.
  const int64_t inputs = problem.inputChannelsPerGroup();
  return inputs >= 8 && (problem.outputChannelsPerGroup() >= 8 || inputs >= 64);
}

/// A warpgroup's instruction has all its sums in registers: a lane's leave room
/// for what a kernel needs besides them. Other families' may spill.
static Expected<void> checkRegisters(ir::KernelAttr kernel, const Chip &chip) {
  constexpr int64_t kLaneRegisters = 255, kOtherRegisters = 32;
  const auto tile = kernel.getWorkerTile();
  const int64_t sums = tile[0] * tile[1] * kernel.getPhaseCount() / 32;
  const int64_t most =
      std::min(kLaneRegisters, chip.maxRegistersPerSM / kernel.getThreads()) -
      kOtherRegisters;
  if (!kernel.usesWarpgroups() || sums <= most)
    return {};
  return invalidProblem("a lane holds " + std::to_string(sums) +
                        " sums, phases times worker_tile over 32, at most " +
                        std::to_string(most) + " are legal in a block of " +
                        std::to_string(kernel.getThreads()) + " threads on " +
                        std::string(chip.name));
}

Expected<void> ctc::checkMmaSync(ir::KernelAttr kernel, const Problem &problem,
                                 llvm::ArrayRef<DimPhasePlan> plans,
                                 const Chip &chip) {
  if (problem.layout == Layout::ChannelsLast &&
      kernel.getLanes() != ir::Lanes::Channels)
    return invalidProblem("lanes is positions, must be channels for a layer "
                          "that is channels_last");
  if (auto fits = checkRegisters(kernel, chip); !fits)
    return fits;
  // Every share of a split has whole steps.
  const int64_t split = kernel.getSplit();
  const int64_t step = split * kMmaPlanes * 4 / byteWidth(problem.type);
  if (kernel.getChunkChannels() % step != 0)
    return invalidProblem(
        "chunk_channels is " + std::to_string(kernel.getChunkChannels()) +
        ", must be a multiple of " + std::to_string(step) + " for " +
        std::string(name(problem.type)) +
        (split > 1 ? " and a split of " + std::to_string(split) : ""));
  if (auto phases = checkPhases(kernel, problem, plans); !phases)
    return phases;
  for (size_t i = 0; i < plans.size(); ++i) {
    // Copies of weights take all slots of the kernel for one phase's.
    const int64_t most = std::max<int64_t>(1, plans[i].maxTapCount);
    if (kernel.getPhases()[i] == 1 && kernel.getTaps()[i] > most)
      return invalidProblem("taps is " + std::to_string(kernel.getTaps()[i]) +
                            " in dimension " + std::to_string(i) +
                            " whose phases are not grouped, must be at most "
                            "the taps of a phase, " +
                            std::to_string(most));
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
      context, tile.family, tile.lanes, tile.batch, sizes(tile.box),
      sizes(tile.phases), sizes(tile.taps), tile.chunk,
      sizes({tile.warpsPositions, tile.warpsChannels}),
      sizes({tile.warpPositions, tile.warpChannels}), tile.stages, tile.clip,
      ir::ChoiceSource::Heuristic, /*groups=*/1, tile.split);
}

static std::string explain(const MmaTile &tile, const MmaCost &cost,
                           const Problem &problem) {
  std::string estimate;
  llvm::raw_string_ostream(estimate)
      << llvm::format("%.3g us", cost.total * 1e6);
  return ir::stringifyFamily(tile.family).str() + " is estimated at " +
         estimate + ", bound by " + cost.bound() + "; a block of " +
         std::to_string(tile.warps()) + " warps computes " +
         std::to_string(tile.batch) + " x " + formatShape(tile.box) +
         " positions of " +
         (tile.phaseCount() == 1
              ? "one phase"
              : std::to_string(tile.phaseCount()) + " phases") +
         " by " + std::to_string(tile.channels()) + " of " +
         std::to_string(problem.outputChannelsPerGroup()) +
         " channels per group" +
         (tile.split == 1 ? ""
                          : ", the reduction split between " +
                                std::to_string(tile.split) + " warps");
}

/// Registers of a lane that a kernel is estimated to leave free.
static double spareRegisters(const MmaCost &cost, const MmaTile &tile,
                             const Chip &chip) {
  const double threads = double(tile.warps()) * 32;
  return std::min(255., double(chip.maxRegistersPerSM) / threads) -
         cost.registers;
}

/// What a kernel has to spare where kernels of the ranking spilled. Of 1264
/// kernels for sm_80 and sm_120a those that spilled were estimated at 200 to
/// 241 of 255 registers, three of them below 210.
static double
leastSpareRegisters(llvm::ArrayRef<std::pair<MmaCost, MmaTile>> ranking,
                    llvm::ArrayRef<ir::KernelAttr> spilled, const Chip &chip) {
  constexpr double kFewer = 12, kRoomy = 45;
  double least = -std::numeric_limits<double>::infinity();
  if (spilled.empty())
    return least;
  for (const auto &[cost, tile] : ranking)
    if (llvm::is_contained(spilled, toAttr(spilled[0].getContext(), tile)))
      least =
          std::max({least, kRoomy, spareRegisters(cost, tile, chip) + kFewer});
  return least;
}

Expected<KernelChoice>
ctc::chooseMmaSync(mlir::MLIRContext *context, const Problem &problem,
                   const Chip &chip, llvm::ArrayRef<ir::Family> families,
                   int64_t rank, llvm::ArrayRef<ir::KernelAttr> spilled) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  // The ranking leaves out the padding of workgroup memory, so the best may not
  // fit.
  Error error{ErrorCode::InvalidProblem, "no tile of " +
                                             listFamilies(families, " and ") +
                                             " fits " + std::string(chip.name)};
  int64_t fitting = 0;
  const auto ranking = rankTiles(problem, *plans, chip, families);
  auto choose = [&](double spare) -> std::optional<KernelChoice> {
    fitting = 0;
    for (const auto &[cost, tile] : ranking) {
      const ir::KernelAttr kernel = toAttr(context, tile);
      if (spareRegisters(cost, tile, chip) < spare ||
          llvm::is_contained(spilled, kernel))
        continue;
      if (auto fits = checkMmaSync(kernel, problem, *plans, chip); !fits)
        error = fits.error();
      else if (fitting++ == rank)
        return KernelChoice{kernel, explain(tile, cost, problem)};
    }
    return std::nullopt;
  };
  if (auto choice = choose(leastSpareRegisters(ranking, spilled, chip)))
    return *choice;
  // Of what is left, any that did not spill yet.
  if (!spilled.empty())
    if (auto choice = choose(-std::numeric_limits<double>::infinity()))
      return *choice;
  if (fitting > 0)
    return invalidProblem("candidate is " + std::to_string(rank) +
                          ", must be less than " + std::to_string(fitting) +
                          ", the number of kernels of " +
                          listFamilies(families, " and ") + " that fit " +
                          std::string(chip.name));
  return tl::unexpected(error);
}
