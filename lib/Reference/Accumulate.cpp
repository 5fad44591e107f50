//===- Accumulate.cpp - The operator in float64, by its definition --------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The order of the loops is chosen for speed only: a task owns a block of
// output channels of one sample, whose accumulators lie side by side, so that
// the innermost loop over them is contiguous whatever the stride. Rows of the
// input are walked in short pieces, for which the accumulators stay in cache
// while all channels and taps pass by.
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Accumulate.h"
#include "ctc/Reference/Geometry.h"
#include "ctc/Reference/Parallel.h"
#include "ctc/Support/Float.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>
#include <cmath>

using namespace ctc;

namespace {
/// Input coordinates [begin, end) of the innermost dimension that one tap sends
/// into the output, and the output coordinate of input 0.
struct TapRange {
  int64_t begin, end, offset;
};

struct Job {
  const Geometry &geometry;
  bool roundToTF32;
  std::vector<float> input; ///< N,Cin,spatial, rounded.
  const Tensor &weight;
  const Tensor *bias;
  std::vector<TapRange> taps; ///< Of the innermost dimension.
  Accumulation &result;

  double rounded(double value) const {
    return roundToTF32 ? roundTo(value, kTF32, Rounding::NearestAway) : value;
  }
};
} // namespace

/// Counts the pairs (i, k) that land on each output coordinate.
static std::vector<int64_t> countPairs(const SpatialDim &dim, int64_t output) {
  std::vector<int64_t> pairs(static_cast<size_t>(output), 0);
  for (int64_t i = 0; i < dim.input; ++i)
    for (int64_t k = 0; k < dim.kernel; ++k) {
      const int64_t o = i * dim.stride - dim.padLow + k * dim.dilation;
      if (o >= 0 && o < output)
        ++pairs[static_cast<size_t>(o)];
    }
  return pairs;
}

static std::vector<TapRange> tapRanges(const SpatialDim &dim, int64_t output) {
  std::vector<TapRange> ranges;
  for (int64_t k = 0; k < dim.kernel; ++k) {
    // 0 <= i*s + offset < output
    const int64_t offset = k * dim.dilation - dim.padLow;
    ranges.push_back(
        {std::max<int64_t>(0, ceilDiv(-offset, dim.stride)),
         std::min(dim.input, floorDiv(output - 1 - offset, dim.stride) + 1),
         offset});
  }
  return ranges;
}

static std::vector<float> canonicalInput(const Job &job, const Tensor &input) {
  const Geometry &g = job.geometry;
  const int64_t channels = g.inputChannels * g.groups;
  std::vector<float> values(static_cast<size_t>(input.count()));
  size_t index = 0;
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t s = 0; s < g.inputSpatial; ++s)
        values[index++] = static_cast<float>(
            job.rounded(input.get(g.inputOrder.at(n, c, s))));
  return values;
}

namespace {
/// Accumulates blocks of `Block` output channels of one group and sample.
template <int Block, bool Magnitude> class BlockWorker {
public:
  explicit BlockWorker(const Job &job) : job(job), g(job.geometry) {
    const auto size = static_cast<size_t>(g.outputSpatial * Block);
    value.resize(size);
    magnitude.resize(Magnitude ? size : 0);
    weights.resize(
        static_cast<size_t>(g.inputChannels * g.kernelSpatial * Block));
  }

  /// Tasks number (group, channel block, sample), the sample fastest so that a
  /// worker mostly keeps its weights.
  void operator()(int64_t task) {
    const int64_t n = task % g.batch;
    const int64_t block = task / g.batch;
    if (block != packedBlock)
      pack(block);
    std::fill(value.begin(), value.end(), 0.0);
    std::fill(magnitude.begin(), magnitude.end(), 0.0);
    const int64_t group = block / blocksPerGroup(g);
    const float *input = job.input.data() + (n * g.groups + group) *
                                                g.inputChannels *
                                                g.inputSpatial;
    // A piece of a row: about 32 KiB of accumulators.
    const int64_t piece =
        std::clamp<int64_t>(4096 / (Block * g.dims[2].stride), 4, 128);
    for (int64_t i0 = 0; i0 < g.dims[0].input; ++i0)
      for (int64_t i1 = 0; i1 < g.dims[1].input; ++i1)
        for (int64_t i2 = 0; i2 < g.dims[2].input; i2 += piece)
          scatterPiece(input, i0, i1, i2,
                       std::min(g.dims[2].input, i2 + piece));
    store(n, block);
  }

  static int64_t blocksPerGroup(const Geometry &g) {
    return ceilDiv(g.outputChannels, Block);
  }

private:
  int64_t firstChannel(int64_t block) const {
    return block % blocksPerGroup(g) * Block;
  }

  void pack(int64_t block) {
    packedBlock = block;
    const int64_t group = block / blocksPerGroup(g);
    const int64_t first = firstChannel(block);
    size_t index = 0;
    for (int64_t ci = 0; ci < g.inputChannels; ++ci)
      for (int64_t k = 0; k < g.kernelSpatial; ++k)
        for (int64_t co = first; co < first + Block; ++co) {
          const int64_t row = group * g.inputChannels + ci;
          weights[index++] =
              co < g.outputChannels
                  ? job.rounded(job.weight.get(g.weightOrder.at(row, co, k)))
                  : 0;
        }
  }

  /// All channels and taps of inputs (i0, i1, [begin, end)).
  void scatterPiece(const float *input, int64_t i0, int64_t i1, int64_t begin,
                    int64_t end) {
    const auto &[d0, d1, d2] = g.dims;
    const double *weight = weights.data();
    for (int64_t ci = 0; ci < g.inputChannels; ++ci) {
      const float *row =
          input + ((ci * d0.input + i0) * d1.input + i1) * d2.input;
      for (int64_t k0 = 0; k0 < d0.kernel; ++k0) {
        const int64_t o0 = i0 * d0.stride - d0.padLow + k0 * d0.dilation;
        for (int64_t k1 = 0; k1 < d1.kernel; ++k1) {
          const int64_t o1 = i1 * d1.stride - d1.padLow + k1 * d1.dilation;
          if (o0 < 0 || o0 >= g.output[0] || o1 < 0 || o1 >= g.output[1]) {
            weight += d2.kernel * Block;
            continue;
          }
          const int64_t rowStart = (o0 * g.output[1] + o1) * g.output[2];
          for (const TapRange &tap : job.taps) {
            scatterRow(row, std::max(begin, tap.begin), std::min(end, tap.end),
                       rowStart + tap.offset, weight);
            weight += Block;
          }
        }
      }
    }
  }

  void scatterRow(const float *row, int64_t begin, int64_t end, int64_t origin,
                  const double *weight) {
    double w[Block], absW[Block];
    for (int c = 0; c < Block; ++c) {
      w[c] = weight[c];
      absW[c] = std::fabs(weight[c]);
    }
    const int64_t stride = g.dims[2].stride;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = (origin + i * stride) * Block;
      const double x = row[i];
      double *out = value.data() + at;
      for (int c = 0; c < Block; ++c)
        out[c] += x * w[c];
      if constexpr (Magnitude) {
        const double absX = std::fabs(x);
        double *outMagnitude = magnitude.data() + at;
        for (int c = 0; c < Block; ++c)
          outMagnitude[c] += absX * absW[c];
      }
    }
  }

  void store(int64_t n, int64_t block) {
    const int64_t group = block / blocksPerGroup(g);
    const int64_t first = firstChannel(block);
    const int64_t last = std::min<int64_t>(first + Block, g.outputChannels);
    for (int64_t co = first; co < last; ++co) {
      const int64_t channel = group * g.outputChannels + co;
      const double bias = job.bias ? job.bias->get(channel) : 0;
      const int64_t plane = n * g.groups * g.outputChannels + channel;
      for (int64_t o = 0; o < g.outputSpatial; ++o) {
        const auto from = static_cast<size_t>(o * Block + co - first);
        const auto to = static_cast<size_t>(plane * g.outputSpatial + o);
        job.result.value[to] = value[from] + bias;
        if constexpr (Magnitude)
          job.result.magnitude[to] = magnitude[from] + std::fabs(bias);
      }
    }
  }

  const Job &job;
  const Geometry &g;
  std::vector<double> value, magnitude; ///< Spatial, then Block channels.
  std::vector<double> weights;          ///< Ci, taps, then Block channels.
  int64_t packedBlock = -1;
};
} // namespace

template <int Block>
static void run(const Job &job, const AccumulateOptions &options) {
  const Geometry &g = job.geometry;
  auto runAll = [&]<bool Magnitude>() {
    using Worker = BlockWorker<Block, Magnitude>;
    parallelFor(g.groups * Worker::blocksPerGroup(g) * g.batch, options.threads,
                [&] { return Worker(job); });
  };
  if (options.magnitude)
    runAll.template operator()<true>();
  else
    runAll.template operator()<false>();
}

Accumulation ctc::accumulate(const Problem &problem, const LayerInputs &inputs,
                             const AccumulateOptions &options) {
  const Geometry geometry(problem);
  Accumulation result;
  for (size_t i = 0; i < geometry.dims.size(); ++i)
    result.pairs[i] = countPairs(geometry.dims[i], geometry.output[i]);
  const int64_t outputs = geometry.batch * geometry.groups *
                          geometry.outputChannels * geometry.outputSpatial;
  result.value.resize(static_cast<size_t>(outputs));
  if (options.magnitude)
    result.magnitude.resize(static_cast<size_t>(outputs));
  if (outputs == 0)
    return result;

  Job job{geometry,
          problem.type == ElementType::F32 &&
              problem.precision == Precision::TF32,
          {},
          inputs.weight,
          inputs.bias ? &*inputs.bias : nullptr,
          tapRanges(geometry.dims[2], geometry.output[2]),
          result};
  job.input = canonicalInput(job, inputs.input);
  // Wide blocks for speed, narrow ones so that depthwise layers waste nothing.
  if (geometry.outputChannels >= 8)
    run<8>(job, options);
  else if (geometry.outputChannels >= 4)
    run<4>(job, options);
  else if (geometry.outputChannels >= 2)
    run<2>(job, options);
  else
    run<1>(job, options);
  return result;
}
