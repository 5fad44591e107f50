//===- PhaseGroup.cpp - The phases of a dimension together ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/PhaseGroup.h"

#include <algorithm>
#include <limits>

using namespace ctc;

PhaseGroup ctc::groupPhases(const SpatialDim &dim, const DimPhasePlan &plan) {
  PhaseGroup group;
  group.taps.resize(dim.kernel);
  int64_t lowest = std::numeric_limits<int64_t>::max();
  for (const Phase &phase : plan.phases)
    for (int64_t j = 0; j < phase.tapCount; ++j) {
      GroupedTap &tap = group.taps[phase.firstSlot + j];
      tap.phase = phase.qBegin * dim.stride + phase.residue - dim.padLow;
      tap.shift = phase.qBegin - phase.inputOffset - j * plan.inputStep;
      lowest = std::min(lowest, tap.shift);
    }
  for (GroupedTap &tap : group.taps) {
    if (tap.phase < 0)
      continue;
    tap.shift -= lowest;
    group.inputBase = lowest;
    group.window = std::max(group.window, tap.shift);
  }
  return group;
}
