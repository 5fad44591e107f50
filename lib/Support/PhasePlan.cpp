//===- PhasePlan.cpp - Folding the stride away ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/PhasePlan.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>
#include <numeric>

using namespace ctc;

/// The inverse of `value` modulo `modulus`; both coprime. Extended Euclid.
static int64_t inverseModulo(int64_t value, int64_t modulus) {
  int64_t previous = 0, current = 1;
  int64_t a = modulus, b = value % modulus;
  while (b > 1) {
    const int64_t quotient = a / b;
    std::tie(a, b) = std::pair(b, a - quotient * b);
    std::tie(previous, current) =
        std::pair(current, previous - quotient * current);
  }
  return floorMod(current, modulus);
}

/// Slot of the first tap of the class k0, k0+T, ...: the classes stand in the
/// order of k0, and the first K mod T of them have one tap more.
static int64_t firstSlot(int64_t k0, int64_t tapStep, int64_t kernel) {
  return k0 * (kernel / tapStep) + std::min(k0, kernel % tapStep);
}

int64_t ctc::tapStep(const SpatialDim &dim) {
  return dim.stride / std::gcd(dim.stride, dim.dilation);
}

int64_t ctc::inputStep(const SpatialDim &dim) {
  return dim.dilation / std::gcd(dim.stride, dim.dilation);
}

Expected<DimPhasePlan> ctc::planPhases(const SpatialDim &dim) {
  auto size = outputSize(dim);
  if (!size)
    return tl::unexpected(size.error());
  const int64_t s = dim.stride, d = dim.dilation;
  const int64_t g = std::gcd(s, d);

  DimPhasePlan plan;
  plan.outputSize = *size;
  plan.tapStep = tapStep(dim);
  plan.inputStep = inputStep(dim);
  const int64_t count = std::min(s, *size);
  if (count > kMaxPhasesPerDim)
    return makeError(ErrorCode::InvalidProblem,
                     "stride " + std::to_string(s) + " makes " +
                         std::to_string(count) +
                         " phases in one dimension, at most " +
                         std::to_string(kMaxPhasesPerDim) + " are supported");

  const int64_t inverse = inverseModulo(plan.inputStep, plan.tapStep);
  for (int64_t o = 0; o < count; ++o) {
    Phase phase;
    phase.residue = floorMod(o + dim.padLow, s);
    phase.qBegin = ceilDiv(dim.padLow - phase.residue, s);
    phase.qCount =
        floorDiv(*size - 1 + dim.padLow - phase.residue, s) - phase.qBegin + 1;
    if (phase.residue % g == 0) {
      // r/g and the inverse are both below T <= s, whose square may overflow.
      const int64_t k0 = static_cast<int64_t>(
          static_cast<__int128>(phase.residue / g) * inverse % plan.tapStep);
      if (k0 < dim.kernel) {
        phase.firstTap = k0;
        phase.tapCount = ceilDiv(dim.kernel - k0, plan.tapStep);
        phase.inputOffset = (k0 * d - phase.residue) / s;
        phase.firstSlot = firstSlot(k0, plan.tapStep, dim.kernel);
      }
    }
    plan.maxTapCount = std::max(plan.maxTapCount, phase.tapCount);
    plan.maxQCount = std::max(plan.maxQCount, phase.qCount);
    plan.phases.push_back(phase);
  }
  std::sort(
      plan.phases.begin(), plan.phases.end(),
      [](const Phase &a, const Phase &b) { return a.residue < b.residue; });
  return plan;
}

Expected<std::vector<DimPhasePlan>> ctc::planPhases(const Problem &problem) {
  std::vector<DimPhasePlan> plans;
  for (int i = 0; i < problem.rank(); ++i) {
    auto plan = planPhases(problem.dims[i]);
    if (!plan)
      return makeError(plan.error().code, "spatial dimension " +
                                              std::to_string(i) + ": " +
                                              plan.error().message);
    plans.push_back(std::move(*plan));
  }
  return plans;
}

std::vector<int64_t> ctc::slotToTap(const SpatialDim &dim) {
  const int64_t step = tapStep(dim);
  std::vector<int64_t> taps;
  taps.reserve(dim.kernel);
  for (int64_t k0 = 0; k0 < std::min(step, dim.kernel); ++k0)
    for (int64_t k = k0; k < dim.kernel; k += step)
      taps.push_back(k);
  return taps;
}

int64_t ctc::usefulPairs(const SpatialDim &dim) {
  const int64_t size = outputSize(dim).value_or(0);
  int64_t pairs = 0;
  for (int64_t k = 0; k < dim.kernel; ++k) {
    const int64_t shift = dim.padLow - k * dim.dilation;
    const int64_t first = std::max<int64_t>(0, ceilDiv(shift, dim.stride));
    const int64_t last =
        std::min(dim.input - 1, floorDiv(size - 1 + shift, dim.stride));
    pairs += std::max<int64_t>(0, last - first + 1);
  }
  return pairs;
}
