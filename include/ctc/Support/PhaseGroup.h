//===- PhaseGroup.h - The phases of a dimension together --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All phases of one dimension computed from one halo. Position x of phase f is
// output f + x * s, so the phases of a position are neighbours in the output.
// The phases read the input at most a few elements apart: tap j of a phase
// reads
//
//   inputBase + x + shift,   0 <= shift <= window,
//
// and no tap is walked that does not belong to the phase.
//
// Worked example: K = 3, s = 2, d = 1, lo = 1. Output 0 has residue 1 and tap
// 1, output 1 has residue 0 and taps 0 and 2. They read inputs x, x + 1 and x:
// a window of 1 and three taps, as without grouping.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_PHASEGROUP_H
#define CTC_SUPPORT_PHASEGROUP_H

#include "ctc/Support/PhasePlan.h"

namespace ctc {

/// What a slot of the phase-ordered kernel does in a group.
struct GroupedTap {
  int64_t phase = -1; ///< First output of its phase; -1 when it has none.
  int64_t shift = 0;  ///< In input elements, from 0 to the window.

  bool operator==(const GroupedTap &) const = default;
};

struct PhaseGroup {
  int64_t inputBase = 0;        ///< Input that position 0 reads with shift 0.
  int64_t window = 0;           ///< Largest shift.
  std::vector<GroupedTap> taps; ///< By slot; size K.
};

PhaseGroup groupPhases(const SpatialDim &dim, const DimPhasePlan &plan);

} // namespace ctc

#endif // CTC_SUPPORT_PHASEGROUP_H
