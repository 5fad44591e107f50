//===- WorkFactors.cpp - Multiplications issued over useful ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/WorkFactors.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>

using namespace ctc;

namespace {
/// Pairs (position, tap) of one dimension. The factors are products over the
/// dimensions because a block's box and its clipped taps are.
struct DimWork {
  double useful = 0; ///< From the definition: pairs that read an input.
  double exact = 0;  ///< Walked taps that satisfy k*d = r (mod s).
  double walked = 0; ///< Taps a block walks for positions that exist.
  double issued = 0; ///< Taps a block walks for all positions of its box.
};
} // namespace

/// Taps [first, last) of a phase that reach the input from any position of the
/// box [qBegin, qEnd): the same clipping a block does.
static int64_t clippedTaps(const SpatialDim &dim, const DimPhasePlan &plan,
                           const Phase &phase, int64_t qBegin, int64_t qEnd) {
  const int64_t step = plan.inputStep;
  const int64_t first = std::max<int64_t>(
      0, ceilDiv(qBegin - phase.inputOffset - (dim.input - 1), step));
  const int64_t last = std::min(
      phase.tapCount, floorDiv(qEnd - 1 - phase.inputOffset, step) + 1);
  return std::max<int64_t>(0, last - first);
}

static DimWork countWork(const SpatialDim &dim, const DimPhasePlan &plan,
                         int64_t box) {
  DimWork work;
  work.useful = static_cast<double>(usefulPairs(dim));
  for (const Phase &phase : plan.phases) {
    int64_t exactTaps = 0;
    for (int64_t j = 0; j < phase.tapCount; ++j) {
      const int64_t k = phase.firstTap + j * plan.tapStep;
      exactTaps += floorMod(k * dim.dilation - phase.residue, dim.stride) == 0;
    }
    const double share =
        phase.tapCount ? double(exactTaps) / double(phase.tapCount) : 1;
    for (int64_t q = 0; q < phase.qCount; q += box) {
      const int64_t count = std::min(box, phase.qCount - q);
      const int64_t begin = phase.qBegin + q;
      const auto taps = static_cast<double>(
          clippedTaps(dim, plan, phase, begin, begin + count));
      work.walked += taps * double(count);
      work.exact += taps * double(count) * share;
      work.issued += taps * double(box);
    }
  }
  return work;
}

Expected<WorkFactors> ctc::workFactors(const Problem &problem,
                                       const Tiling &tiling) {
  auto plans = planPhases(problem);
  if (!plans)
    return tl::unexpected(plans.error());
  const int64_t batch = problem.hasDynamicBatch() ? 1 : problem.batch;
  const int64_t cin = problem.inputChannelsPerGroup();
  const int64_t cout = problem.outputChannelsPerGroup();

  WorkFactors work;
  DimWork all{1, 1, 1, 1};
  for (int i = 0; i < problem.rank(); ++i) {
    const DimWork one = countWork(problem.dims[i], (*plans)[i], tiling.box[i]);
    all.useful *= one.useful;
    all.exact *= one.exact;
    all.walked *= one.walked;
    all.issued *= one.issued;
  }
  const double channels =
      double(problem.groups) * double(cin) * double(cout) * double(batch);
  work.usefulMacs = all.useful * channels;
  if (work.usefulMacs > 0) {
    work.holes = all.walked / all.exact;
    work.border = all.exact / all.useful;
    const int64_t batchTile = problem.hasDynamicBatch() ? 1 : tiling.batch;
    double boxVolume = double(tiling.batch);
    for (int64_t size : tiling.box)
      boxVolume *= double(size);
    work.tile = all.issued / all.walked *
                std::max(1., double(tiling.positions) / boxVolume) *
                double(roundUp(cin, tiling.inputChannels)) / double(cin) *
                double(roundUp(cout, tiling.outputChannels)) / double(cout) *
                double(roundUp(batch, batchTile)) / double(batch);
  }
  for (std::vector<int64_t> shape :
       {problem.inputShape(), problem.weightShape(), problem.outputShape()}) {
    std::replace(shape.begin(), shape.end(), kDynamic, int64_t{1});
    work.leastBytes += double(checkedProduct(shape).value_or(0)) *
                       double(byteWidth(problem.type));
  }
  return work;
}
