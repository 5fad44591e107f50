//===- PhasePlan.h - Folding the stride away --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One spatial dimension split by residue. With g = gcd(s, d) and T = s / g,
// give output o the residue r = (o + lo) mod s and the quotient
// q = (o + lo - r) / s. A tap k reaches o only if k*d = r (mod s). For a
// residue the taps are either none, or the progression k0, k0+T, k0+2T, ... <
// K, and tap number j reads input
//
//   i = q - inputOffset - j * (d / g),    inputOffset = (k0*d - r) / s.
//
// So every phase is a dense unit-stride correlation over its own taps.
//
// Worked example: K = 3, s = 2, d = 1, lo = 1. Residue 0 has taps 0 and 2
// (offsets 0 and 1), residue 1 has tap 1 (offset 0): three taps in all, none
// multiplied by a hole.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_PHASEPLAN_H
#define CTC_SUPPORT_PHASEPLAN_H

#include "ctc/Support/Problem.h"

namespace ctc {

/// One residue of one dimension that at least one output has.
struct Phase {
  int64_t residue = 0;
  int64_t firstTap = 0;    ///< k0; 0 when there is no tap.
  int64_t tapCount = 0;    ///< Number of taps, possibly 0.
  int64_t inputOffset = 0; ///< (k0*d - r) / s; 0 when there is no tap.
  int64_t qBegin = 0;      ///< First quotient with an output.
  int64_t qCount = 0;      ///< Number of outputs, at least 1.
  int64_t firstSlot = 0;   ///< Position of tap 0 in the phase-ordered kernel.

  bool operator==(const Phase &) const = default;
};

/// All phases of one dimension, by ascending residue. The phase-ordered kernel
/// lists the taps class by class (k0, k0+T, ...) in the order of k0, so slot
/// numbers are a permutation of [0, K) whether or not a residue has outputs.
struct DimPhasePlan {
  int64_t outputSize = 0;
  int64_t tapStep = 1;   ///< T = s / gcd(s, d), in kernel elements.
  int64_t inputStep = 1; ///< d / gcd(s, d), in input elements.
  int64_t maxTapCount = 0;
  int64_t maxQCount = 0;
  std::vector<Phase> phases; ///< Empty when the output is empty.
};

/// Largest number of phases a dimension may have. Phases are rows of a table in
/// the kernel; a table past this would no longer be small.
inline constexpr int64_t kMaxPhasesPerDim = 65536;

/// T = s / gcd(s, d): kernel elements between the taps of a phase.
int64_t tapStep(const SpatialDim &dim);
/// d / gcd(s, d): input elements between what neighbouring taps of a phase
/// read.
int64_t inputStep(const SpatialDim &dim);

/// The phases of one verified dimension. Fails when there are more than
/// kMaxPhasesPerDim of them.
Expected<DimPhasePlan> planPhases(const SpatialDim &dim);

/// The plans of all dimensions, outermost first.
Expected<std::vector<DimPhasePlan>> planPhases(const Problem &problem);

/// The kernel element that stands at each slot of the phase-ordered kernel;
/// size K, a permutation.
std::vector<int64_t> slotToTap(const SpatialDim &dim);

/// Pairs (input, tap) of one dimension that land on an output: the useful
/// multiplications per channel pair are the product over the dimensions.
int64_t usefulPairs(const SpatialDim &dim);

} // namespace ctc

#endif // CTC_SUPPORT_PHASEPLAN_H
