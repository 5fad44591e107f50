//===- WorkFactors.cpp - Multiplications issued over useful ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/WorkFactors.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"

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
  double inputs = 0; ///< In-range input elements that blocks load.
  double taps = 0;   ///< Taps whose weights blocks load.
};
} // namespace

/// Taps [first, last) of a phase that reach the input from any position of the
/// box [qBegin, qEnd): the same clipping a block does.
static std::pair<int64_t, int64_t> clippedTaps(const SpatialDim &dim,
                                               const DimPhasePlan &plan,
                                               const Phase &phase,
                                               int64_t qBegin, int64_t qEnd) {
  const int64_t step = plan.inputStep;
  const int64_t first = std::max<int64_t>(
      0, ceilDiv(qBegin - phase.inputOffset - (dim.input - 1), step));
  const int64_t last = std::min(
      phase.tapCount, floorDiv(qEnd - 1 - phase.inputOffset, step) + 1);
  return {first, std::max(first, last)};
}

namespace {
/// How blocks of a kernel cover one dimension.
struct DimTiling {
  int64_t box = 1, chunk = 1;
  bool clip = true;
  int64_t vector = 1, row = 0; ///< As in Tiling; 1 but innermost.

  /// In-range elements of the row of `size` elements that begins at input
  /// coordinate `low`.
  double loaded(const SpatialDim &dim, int64_t low, int64_t size) const {
    const int64_t first = low - floorMod(low, vector);
    const int64_t last = vector > 1 ? first + row : first + size;
    return double(std::max<int64_t>(0, std::min(last, dim.input) -
                                           std::max<int64_t>(first, 0)));
  }
};
} // namespace

/// In-range elements of the halos that a block loads for taps [first, last) in
/// chunks, its box starting at input coordinate `base` for tap 0.
static double loadedInputs(const SpatialDim &dim, int64_t step, int64_t base,
                           const DimTiling &tiling,
                           std::pair<int64_t, int64_t> taps) {
  double loaded = 0;
  const int64_t reach = (tiling.chunk - 1) * step;
  for (int64_t tap = taps.first; tap < taps.second; tap += tiling.chunk)
    loaded += tiling.loaded(dim, base - tap * step - reach, tiling.box + reach);
  return loaded;
}

/// The share of a phase's walked taps that hit an input row.
static double exactShare(const SpatialDim &dim, const DimPhasePlan &plan,
                         const Phase &phase) {
  int64_t exact = 0;
  for (int64_t j = 0; j < phase.tapCount; ++j) {
    const int64_t k = phase.firstTap + j * plan.tapStep;
    exact += floorMod(k * dim.dilation - phase.residue, dim.stride) == 0;
  }
  return phase.tapCount ? double(exact) / double(phase.tapCount) : 1;
}

/// Blocks of all phases: every block walks all taps.
static DimWork countGrouped(const SpatialDim &dim, const DimPhasePlan &plan,
                            const DimTiling &tiling) {
  DimWork work;
  work.useful = static_cast<double>(usefulPairs(dim));
  const PhaseGroup group = groupPhases(dim, plan);
  for (int64_t q = 0; q < plan.maxQCount; q += tiling.box) {
    for (const Phase &phase : plan.phases) {
      const auto taps = double(phase.tapCount);
      const int64_t count =
          std::clamp<int64_t>(phase.qCount - q, 0, tiling.box);
      work.walked += taps * double(count);
      work.exact += taps * double(count) * exactShare(dim, plan, phase);
      work.issued += taps * double(tiling.box);
    }
    work.taps += double(dim.kernel);
    work.inputs +=
        tiling.loaded(dim, group.inputBase + q, tiling.box + group.window);
  }
  return work;
}

static DimWork countWork(const SpatialDim &dim, const DimPhasePlan &plan,
                         const DimTiling &tiling) {
  DimWork work;
  work.useful = static_cast<double>(usefulPairs(dim));
  const int64_t box = tiling.box;
  for (const Phase &phase : plan.phases) {
    const double share = exactShare(dim, plan, phase);
    for (int64_t q = 0; q < phase.qCount; q += box) {
      const int64_t count = std::min(box, phase.qCount - q);
      const int64_t begin = phase.qBegin + q;
      const auto range =
          tiling.clip ? clippedTaps(dim, plan, phase, begin, begin + count)
                      : std::pair<int64_t, int64_t>{0, phase.tapCount};
      const auto taps = static_cast<double>(range.second - range.first);
      work.walked += taps * double(count);
      work.exact += taps * double(count) * share;
      work.issued += taps * double(box);
      work.taps += taps;
      work.inputs += loadedInputs(dim, plan.inputStep,
                                  begin - phase.inputOffset, tiling, range);
    }
  }
  return work;
}

static void countBytes(const Problem &problem, const Tiling &tiling,
                       const DimWork &all, WorkFactors &work) {
  const auto width = double(byteWidth(problem.type));
  auto bytesOf = [&](std::vector<int64_t> shape) {
    std::replace(shape.begin(), shape.end(), kDynamic, int64_t{1});
    return double(checkedProduct(shape).value_or(0)) * width;
  };
  const double output = bytesOf(problem.outputShape());
  work.leastBytes =
      bytesOf(problem.inputShape()) + bytesOf(problem.weightShape()) + output;

  const int64_t batch = problem.hasDynamicBatch() ? 1 : problem.batch;
  const double channelTiles =
      double(ceilDiv(problem.outputChannelsPerGroup(), tiling.outputChannels));
  const double inputs =
      all.inputs * double(batch) * double(problem.inputChannels) * channelTiles;
  const double weights =
      all.taps * double(ceilDiv(batch, tiling.batch)) *
      double(roundUp(problem.groups, tiling.groups)) *
      double(roundUp(problem.inputChannelsPerGroup(), tiling.inputChannels)) *
      channelTiles * double(tiling.outputChannels);
  work.requestedBytes = (inputs + weights) * width + output;
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
  DimWork all{1, 1, 1, 1, 1, 1};
  for (int i = 0; i < problem.rank(); ++i) {
    DimTiling dim{tiling.box[i], tiling.taps[i]};
    dim.clip = tiling.clip;
    if (i + 1 == problem.rank()) {
      dim.vector = tiling.vector;
      dim.row = tiling.row;
    }
    const DimWork one = tiling.isGrouped(i)
                            ? countGrouped(problem.dims[i], (*plans)[i], dim)
                            : countWork(problem.dims[i], (*plans)[i], dim);
    all.useful *= one.useful;
    all.exact *= one.exact;
    all.walked *= one.walked;
    all.issued *= one.issued;
    all.inputs *= one.inputs;
    all.taps *= one.taps;
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
                double(roundUp(problem.groups, tiling.groups)) /
                double(problem.groups) * double(roundUp(batch, batchTile)) /
                double(batch);
  }
  countBytes(problem, tiling, all, work);
  return work;
}
