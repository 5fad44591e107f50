//===- Sample.cpp - Some outputs of a layer, in float64 -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Sample.h"
#include "ctc/Reference/Geometry.h"
#include "ctc/Reference/Parallel.h"
#include "ctc/Support/Float.h"

#include <cmath>
#include <random>
#include <set>

using namespace ctc;

std::vector<OutputIndex> ctc::sampleOutputs(const Problem &problem,
                                            int64_t count, uint64_t seed) {
  const Geometry g(problem);
  const OutputIndex sizes{g.batch, g.groups * g.outputChannels, g.output[0],
                          g.output[1], g.output[2]};
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end())
    return {};
  std::set<OutputIndex> found;
  for (unsigned corner = 0; corner < 1u << sizes.size(); ++corner) {
    OutputIndex index{};
    for (size_t i = 0; i < sizes.size(); ++i)
      index[i] = corner >> i & 1 ? sizes[i] - 1 : 0;
    found.insert(index);
  }
  std::mt19937_64 random(seed);
  // Coordinates drawn twice are no loss; with few outputs all are found soon.
  for (int64_t drawn = 0; drawn < count; ++drawn) {
    OutputIndex index{};
    for (size_t i = 0; i < sizes.size(); ++i)
      index[i] =
          static_cast<int64_t>(random() % static_cast<uint64_t>(sizes[i]));
    found.insert(index);
  }
  return {found.begin(), found.end()};
}

namespace {
/// A tap of one dimension that reaches an output, and the input it reads.
struct Tap {
  int64_t kernel, input;
};

/// Sums single outputs.
class Gatherer {
public:
  Gatherer(const Problem &problem, const LayerInputs &inputs)
      : g(problem), inputs(inputs),
        rounds(problem.type == ElementType::F32 &&
               problem.precision == Precision::TF32) {}

  void operator()(SampledAccumulation &result, size_t at) {
    const OutputIndex &index = result.outputs[at];
    for (size_t dim = 0; dim < taps.size(); ++dim)
      findTaps(dim, index[dim + 2]);
    double value = 0, magnitude = 0;
    if (inputs.bias) {
      value = inputs.bias->get(index[1]);
      magnitude = std::fabs(value);
    }
    for (int64_t ci = 0; ci < g.inputChannels; ++ci)
      for (const Tap &t0 : taps[0])
        for (const Tap &t1 : taps[1])
          for (const Tap &t2 : taps[2]) {
            const double product = factor(index, ci, t0, t1, t2);
            value += product;
            magnitude += std::fabs(product);
          }
    result.value[at] = value;
    result.magnitude[at] = magnitude;
    result.products[at] =
        g.inputChannels *
        static_cast<int64_t>(taps[0].size() * taps[1].size() * taps[2].size());
  }

private:
  void findTaps(size_t dim, int64_t output) {
    const SpatialDim &d = g.dims[dim];
    taps[dim].clear();
    for (int64_t k = 0; k < d.kernel; ++k) {
      const int64_t scaled = output + d.padLow - k * d.dilation;
      if (scaled >= 0 && scaled % d.stride == 0 && scaled / d.stride < d.input)
        taps[dim].push_back({k, scaled / d.stride});
    }
  }

  double rounded(double value) const {
    return rounds ? roundTo(value, kTF32, Rounding::NearestAway) : value;
  }

  double factor(const OutputIndex &index, int64_t ci, const Tap &t0,
                const Tap &t1, const Tap &t2) const {
    const int64_t group = index[1] / g.outputChannels;
    const int64_t channel = group * g.inputChannels + ci;
    const auto &[d0, d1, d2] = g.dims;
    const int64_t x = (t0.input * d1.input + t1.input) * d2.input + t2.input;
    const int64_t w =
        (t0.kernel * d1.kernel + t1.kernel) * d2.kernel + t2.kernel;
    return rounded(inputs.input.get(g.inputOrder.at(index[0], channel, x))) *
           rounded(inputs.weight.get(
               g.weightOrder.at(channel, index[1] % g.outputChannels, w)));
  }

  Geometry g;
  const LayerInputs &inputs;
  bool rounds;
  std::array<std::vector<Tap>, 3> taps;
};
} // namespace

SampledAccumulation ctc::accumulateSamples(const Problem &problem,
                                           const LayerInputs &inputs,
                                           std::vector<OutputIndex> outputs,
                                           unsigned threads) {
  SampledAccumulation result;
  result.outputs = std::move(outputs);
  const size_t count = result.outputs.size();
  result.value.resize(count);
  result.magnitude.resize(count);
  result.products.resize(count);
  parallelFor(static_cast<int64_t>(count), threads, [&] {
    return [&, gather = Gatherer(problem, inputs)](int64_t at) mutable {
      gather(result, static_cast<size_t>(at));
    };
  });
  return result;
}
