//===- WorkFactors.h - Multiplications issued over useful -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Work is reported as three factors over the in-range (input, tap) pairs:
//
//   holes   taps walked that reach no input of any output (1.0 with phases)
//   border  taps that fall outside the input, after a block clips its taps if
//           it does
//   tile    rounding of positions, output and input channels to tiles
//
// Their product times the useful multiply-adds is what the kernel issues.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_WORKFACTORS_H
#define CTC_SUPPORT_WORKFACTORS_H

#include "ctc/Support/PhasePlan.h"

namespace ctc {

struct WorkFactors {
  double usefulMacs = 0; ///< Multiply-adds; per sample when N is dynamic.
  double holes = 1;
  double border = 1;
  double tile = 1;
  /// Bytes of x, w and y once each; per sample when N is dynamic.
  double leastBytes = 0;
  /// What blocks ask of the memory system: halos and weights as often as they
  /// are loaded into workgroup memory, in range, and y once. Caches serve what
  /// neighbouring blocks share, so it bounds traffic from above.
  double requestedBytes = 0;

  bool operator==(const WorkFactors &) const = default;
};

/// The part of a kernel's tiling that decides how much work it issues. All
/// sizes in elements.
struct Tiling {
  int64_t batch = 1;        ///< Samples per block.
  std::vector<int64_t> box; ///< Positions q per block, per dimension.
  /// Positions a block computes, idle ones included; at least batch times box.
  int64_t positions = 0;
  int64_t outputChannels = 1; ///< Of one group, per block.
  int64_t inputChannels = 1;  ///< Reduction chunk; a group is rounded to it.
  std::vector<int64_t> taps;  ///< Of one reduction chunk, per dimension.
  /// Phases that a block computes together, per dimension; none are where it is
  /// empty. A block loads one halo for all of them and all taps' weights.
  std::vector<int64_t> phases = {};
  /// Blocks leave out taps that reach no input, but for grouped phases.
  bool clip = true;

  bool isGrouped(size_t dim) const {
    return !phases.empty() && phases[dim] > 1;
  }
  /// Elements of one load along the innermost dimension: rows of the input that
  /// a block loads begin at multiples of it and are as many as hold its halo
  /// wherever that begins, or `row` elements.
  int64_t vector = 1, row = 0;
  int64_t groups = 1; ///< Per block.
};

/// The factors of a verified problem under a tiling. Factors of a problem
/// without useful work are 1.
Expected<WorkFactors> workFactors(const Problem &problem, const Tiling &tiling);

} // namespace ctc

#endif // CTC_SUPPORT_WORKFACTORS_H
