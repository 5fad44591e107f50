//===- TimeEstimate.cpp - How long a launch takes, to first order ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TimeEstimate.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>
#include <cmath>

using namespace ctc;
using namespace ctc::driver;

static constexpr int kWarpLanes = 32;

//===----------------------------------------------------------------------===//
// Occupancy
//===----------------------------------------------------------------------===//

/// CUDA C++ Programming Guide, "Multiprocessor Level", and the CUDA toolkit's
/// occupancy calculator: registers are given to warps in units of 256, in each
/// of the four parts of a multiprocessor; every block takes 1 KiB of shared
/// memory more than it asks for, in units of 128 bytes.
Occupancy driver::occupancyOf(const LaunchProfile &launch,
                              const KernelResources *resources,
                              const Chip &chip) {
  constexpr int64_t kParts = 4, kRegisterUnit = 256;
  constexpr int64_t kReservedShared = 1024, kSharedUnit = 128;
  const auto warps = std::max<int64_t>(1, int64_t(launch.warpsPerBlock()));
  Occupancy result;
  result.mostWarps = chip.maxThreadsPerSM / kWarpLanes;
  result.blocks = chip.maxBlocksPerSM;
  result.limit = "blocks";
  auto limit = [&](int64_t blocks, const char *by) {
    if (blocks >= result.blocks)
      return;
    result.blocks = blocks;
    result.limit = by;
  };
  limit(result.mostWarps / warps, "threads");
  limit(chip.maxSharedPerSM /
            roundUp(int64_t(launch.sharedBytes) + kReservedShared, kSharedUnit),
        "shared memory");
  if (resources && resources->registers) {
    const int64_t perWarp =
        roundUp(int64_t(resources->registers) * kWarpLanes, kRegisterUnit);
    limit(chip.maxRegistersPerSM / kParts / perWarp * kParts / warps,
          "registers");
  }
  result.blocks = std::max<int64_t>(1, result.blocks);
  result.warps = result.blocks * warps;
  return result;
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

namespace {
/// What the units of a launch have to do.
struct Work {
  double issued = 0;
  std::array<double, kPipes> lanes = {}; ///< Machine instructions * 32.
  double matrixMultiplyAdds = 0;
  double matrixSeconds = 0; ///< Of one multiprocessor.
  double sharedBytes = 0;   ///< 128 for a wavefront; with what passes L1.
  double secondLevelBytes = 0, memoryBytes = 0;
};
} // namespace

/// Multiply-adds of one multiprocessor per clock; 0 if matrices do not do them.
static double matrixRate(ctc_multiply_unit unit, const ChipRates &rates) {
  switch (unit) {
  case CTC_MULTIPLY_MMA_FP64:
    return rates.matrix64 ? rates.matrix64 : rates.fp64;
  case CTC_MULTIPLY_MMA_TF32:
    return rates.matrixTf32 * rates.mmaSyncShare;
  case CTC_MULTIPLY_MMA_16:
    return rates.matrix16 * rates.mmaSyncShare;
  case CTC_MULTIPLY_MMA_8:
    return rates.matrix8 * rates.mmaSyncShare;
  case CTC_MULTIPLY_WGMMA_TF32:
    return rates.matrixTf32;
  case CTC_MULTIPLY_WGMMA_16:
    return rates.matrix16;
  case CTC_MULTIPLY_WGMMA_8:
    return rates.matrix8;
  default:
    return 0;
  }
}

/// Asynchronous copies do not pass through the first level on their way to
/// shared memory, where they are counted.
static double sharedBytesOf(const InstructionProfile &one) {
  double bytes = kSharedBytesPerClock * one.shared.units;
  if (one.kind != "async copy")
    bytes += kSectorBytes * (one.global.units + one.local.units);
  if (one.kind == "exchange")
    bytes += kSharedBytesPerClock * one.warps *
             one.pipes[static_cast<size_t>(Pipe::Memory)];
  return bytes;
}

static void addWork(const InstructionProfile &one, const Chip &chip,
                    Work &work) {
  work.issued += one.issued();
  for (size_t i = 0; i < kPipes; ++i)
    work.lanes[i] += one.warps * one.pipes[i] * kWarpLanes;
  if (double rate = matrixRate(one.unit, chip.rates)) {
    work.matrixMultiplyAdds += one.multiplyAdds;
    work.matrixSeconds += one.multiplyAdds / (rate * chip.board.matrixClock);
  }
  work.sharedBytes += sharedBytesOf(one);
}

static Work workOf(const LaunchProfile &launch, const Chip &chip) {
  Work work;
  for (const InstructionProfile &one : launch.instructions)
    addWork(one, chip, work);
  for (const BufferProfile &buffer : launch.buffers) {
    work.secondLevelBytes += buffer.blockLoaded + buffer.stored;
    work.memoryBytes += buffer.distinctLoaded + buffer.distinctStored;
  }
  return work;
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

namespace {
class Estimator {
public:
  Estimator(const Chip &chip, double tail) : chip(chip), tail(tail) {}

  /// A unit of every multiprocessor, `rate` per clock.
  void add(const char *unit, double work, const char *of, double rate) {
    addRate(unit, work, of, rate * chip.board.clock * multiprocessors(), tail);
  }
  /// A unit that all multiprocessors share, `rate` per second.
  void addShared(const char *unit, double work, const char *of, double rate) {
    addRate(unit, work, of, rate, 1);
  }
  double multiprocessors() const { return chip.board.multiprocessors; }

  std::vector<UnitTime> units;

private:
  void addRate(const char *unit, double work, const char *of, double rate,
               double factor) {
    if (work > 0)
      units.push_back({unit, work, of, rate, factor * work / rate});
  }

  const Chip &chip;
  double tail;
};
} // namespace

/// The units of every multiprocessor.
static void addProcessorUnits(Estimator &estimator, const Work &work,
                              const Chip &chip) {
  const ChipRates &rates = chip.rates;
  auto pipe = [&](const char *name, Pipe which, double rate) {
    estimator.add(name, work.lanes[static_cast<size_t>(which)], "lanes", rate);
  };
  estimator.add("issue", work.issued, "warp instructions", kIssueSlots);
  pipe("fp32", Pipe::Fp32, rates.fp32);
  pipe("integer", Pipe::Integer, rates.integer);
  pipe("fp16", Pipe::Fp16, rates.fp16);
  pipe("fp64", Pipe::Fp64, rates.fp64);
  pipe("special", Pipe::Special, rates.special);
  if (work.matrixSeconds > 0)
    estimator.add("matrix", work.matrixMultiplyAdds, "multiply-adds",
                  work.matrixMultiplyAdds / work.matrixSeconds /
                      chip.board.clock);
  estimator.add("shared memory", work.sharedBytes, "bytes",
                kSharedBytesPerClock);
}

static std::vector<UnitTime>::const_iterator
busiest(const std::vector<UnitTime> &units) {
  return std::max_element(units.begin(), units.end(),
                          [](const UnitTime &a, const UnitTime &b) {
                            return a.seconds < b.seconds;
                          });
}

double driver::secondsAlone(const InstructionProfile &instruction,
                            const Chip &chip) {
  Work work;
  addWork(instruction, chip, work);
  Estimator estimator(chip, /*tail=*/1);
  addProcessorUnits(estimator, work, chip);
  const auto binding = busiest(estimator.units);
  return binding == estimator.units.end() ? 0 : binding->seconds;
}

TimeEstimate driver::estimateTime(const LaunchProfile &launch,
                                  const KernelResources *resources,
                                  const Chip &chip) {
  TimeEstimate result;
  result.occupancy = occupancyOf(launch, resources, chip);
  const double processors = chip.board.multiprocessors;
  if (launch.blocks > 0)
    result.tail =
        std::ceil(launch.blocks / processors) * processors / launch.blocks;
  const Work work = workOf(launch, chip);
  Estimator estimator(chip, result.tail);
  addProcessorUnits(estimator, work, chip);
  estimator.addShared("L2", work.secondLevelBytes, "bytes",
                      chip.rates.l2Bytes * chip.board.clock * processors);
  estimator.addShared("DRAM", work.memoryBytes, "bytes",
                      chip.board.memoryBytes * kReachableMemory);
  result.units = std::move(estimator.units);
  const auto binding = busiest(result.units);
  result.binding = static_cast<size_t>(binding - result.units.begin());
  result.launchSeconds = kLaunchSeconds;
  result.seconds =
      kLaunchSeconds + (binding == result.units.end() ? 0 : binding->seconds);
  return result;
}
