//===- Scaling.cpp - Shrinking large layers -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scaling.h"
#include "ctc/Support/PhasePlan.h"

#include <algorithm>
#include <cmath>

using namespace ctc;

double driver::usefulMultiplyAdds(const Problem &problem) {
  double count = static_cast<double>(problem.batch) *
                 static_cast<double>(problem.inputChannels) *
                 static_cast<double>(problem.outputChannelsPerGroup());
  for (const SpatialDim &dim : problem.dims)
    count *= static_cast<double>(usefulPairs(dim));
  return count;
}

/// A smaller size of the same parity that still has an output; the size itself
/// when there is none.
static int64_t shrink(const SpatialDim &dim) {
  SpatialDim smaller = dim;
  // Three quarters, so that no dimension collapses while others stay large.
  smaller.input = dim.input * 3 / 4;
  smaller.input -= (dim.input - smaller.input) % 2;
  if (smaller.input == dim.input)
    smaller.input -= 2;
  if (smaller.input < 1 || outputSize(smaller).value_or(0) < 1)
    return dim.input;
  return smaller.input;
}

Problem driver::scaleTo(Problem problem, double limit) {
  const double all = usefulMultiplyAdds(problem);
  if (all <= limit || problem.batch < 1)
    return problem;
  const double perSample = all / static_cast<double>(problem.batch);
  problem.batch =
      std::max<int64_t>(1, static_cast<int64_t>(std::floor(limit / perSample)));
  while (usefulMultiplyAdds(problem) > limit) {
    // The largest dimension that can shrink.
    SpatialDim *largest = nullptr;
    for (SpatialDim &dim : problem.dims)
      if (shrink(dim) < dim.input && (!largest || dim.input > largest->input))
        largest = &dim;
    if (!largest)
      break;
    largest->input = shrink(*largest);
  }
  return problem;
}
