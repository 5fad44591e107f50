//===- BoxSearch.h - Boxes that waste little --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_BOXSEARCH_H
#define CTC_TUNING_BOXSEARCH_H

#include "ctc/Support/PhasePlan.h"

namespace ctc {

/// The search for the box of positions that a block computes.
struct BoxSearch {
  /// Samples, then positions of the largest phase per dimension; at least 1.
  std::vector<int64_t> sizes;
  /// Inputs beyond the box that its taps read, per element of `sizes`.
  std::vector<int64_t> reach;
  /// Boxes are multiples of it along the innermost dimension, where that has
  /// room for it.
  int64_t grain = 1;
  /// Elements that rows of the halo are rounded up to.
  int64_t alignment = 1;
  /// Cost of an element of the halo beside that of a position.
  double haloWeight = 0.05;
  /// Positions that rows of the box are rounded up to, since shorter ones waste
  /// part of a sector of 32 bytes, and the cost of one of them.
  int64_t rowGrain = 8;
  double rowWeight = 0.05;

  /// All positions, at most 2^20.
  int64_t volume() const;
  /// The box, samples first, of at most `positions` positions that covers the
  /// sizes with the least cost.
  std::vector<int64_t> best(int64_t positions) const;
  /// Estimated cost of covering the sizes with boxes for which blocks compute
  /// `positions` positions, idle ones included, with a share for the halo.
  double cost(const std::vector<int64_t> &box, int64_t positions) const;
};

/// The search for a problem's phases, each computed by itself.
BoxSearch boxSearch(const Problem &problem,
                    const std::vector<DimPhasePlan> &plans);

} // namespace ctc

#endif // CTC_TUNING_BOXSEARCH_H
