//===- SampleStatistics.cpp - Medians and quartiles of times --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleStatistics.h"

#include <algorithm>
#include <cassert>

using namespace ctc::driver;

/// The value below which `fraction` of the sorted samples lie.
static double quantile(const std::vector<double> &sorted, double fraction) {
  const double rank = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(rank);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] +
         (rank - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

SampleStatistics SampleStatistics::of(std::vector<double> samples) {
  assert(!samples.empty());
  std::sort(samples.begin(), samples.end());
  return {quantile(samples, 0.5), quantile(samples, 0.25),
          quantile(samples, 0.75), samples.front(), samples.size()};
}
