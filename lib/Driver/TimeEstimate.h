//===- TimeEstimate.h - How long a launch takes, to first order -*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every unit of the board takes at least its work over its rate. The launch
// takes at least as long as its busiest unit, which binds. What is left out
// makes it longer: latencies that too few warps cover, units that do not
// overlap, instructions that ptxas adds. docs/Profile.md has the formulas.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_TIMEESTIMATE_H
#define CTC_LIB_DRIVER_TIMEESTIMATE_H

#include "LayerProfile.h"
#include "ctc/Chips/Chips.h"

namespace ctc::driver {

/// How many blocks a multiprocessor holds at a time, and what allows no more.
struct Occupancy {
  int64_t blocks = 0;
  int64_t warps = 0, mostWarps = 0;
  std::string limit; ///< "registers", "shared memory", "threads", "blocks".
};

struct UnitTime {
  std::string unit;
  double work = 0;
  std::string of; ///< What the work is counted in.
  /// Of all multiprocessors together, per second.
  double rate = 0;
  double seconds = 0;
};

struct TimeEstimate {
  Occupancy occupancy;
  /// Time of the multiprocessor with the most blocks over the mean.
  double tail = 1;
  std::vector<UnitTime> units; ///< Those that have work.
  size_t binding = 0; ///< Index of the busiest; none if there are none.
  double launchSeconds = 0;
  double seconds = 0; ///< The binding unit and the launch.
};

/// What a launch takes besides its work: assumed, about the time of a kernel
/// that only reads and writes one value.
constexpr double kLaunchSeconds = 2e-6;
/// The part of a memory's published bandwidth that kernels reach: on an H200
/// 4.3 TB/s are copied and 4.5 read, of 4.8; other boards are assumed alike.
constexpr double kReachableMemory = 0.9;

/// The blocks of `warps` warps that fit; `resources` is null where ptxas
/// reported nothing, then registers are no limit.
Occupancy occupancyOf(const LaunchProfile &launch,
                      const KernelResources *resources, const Chip &chip);

TimeEstimate estimateTime(const LaunchProfile &launch,
                          const KernelResources *resources, const Chip &chip);

/// Seconds that one instruction keeps its busiest unit busy, as if no other
/// were executed and all multiprocessors shared it evenly.
double secondsAlone(const InstructionProfile &instruction, const Chip &chip);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_TIMEESTIMATE_H
