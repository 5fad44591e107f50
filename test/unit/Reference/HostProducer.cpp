//===- HostProducer.cpp - A right result, and planted wrong ones ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostProducer.h"
#include "ctc/Support/Float.h"
#include "ctc/Support/IntegerMath.h"

#include <cmath>
#include <numeric>

using namespace ctc;
using namespace ctc::test;

namespace {
class Producer {
public:
  Producer(const Problem &problem, const LayerInputs &inputs, Mutant mutant)
      : problem(problem), inputs(inputs), mutant(mutant) {}

  float at(int64_t n, int64_t co, const std::vector<int64_t> &o) const {
    float sum = 0;
    const int64_t perGroup = problem.outputChannelsPerGroup();
    const int64_t group = co / perGroup;
    for (int64_t ci = 0; ci < problem.inputChannelsPerGroup(); ++ci) {
      std::vector<int64_t> k(o.size(), 0), i(o.size(), 0);
      do {
        if (!source(o, k, i))
          continue;
        const int64_t channel = group * problem.inputChannelsPerGroup() + ci;
        const float x = operand(inputs.input.get(inputIndex(n, channel, i)));
        const float w =
            operand(inputs.weight.get(weightIndex(channel, co % perGroup, k)));
        sum = std::fma(x, w, sum);
        if (mutant == Mutant::HalfSum)
          sum = static_cast<float>(roundTo(sum, kF16));
      } while (next(k));
    }
    if (inputs.bias) {
      const int64_t shift = mutant == Mutant::ShiftedBias;
      sum += static_cast<float>(
          inputs.bias->get((co + shift) % problem.outputChannels));
    }
    return sum;
  }

private:
  /// Which input tap k brings to output o; false when none.
  bool source(const std::vector<int64_t> &o, const std::vector<int64_t> &k,
              std::vector<int64_t> &i) const {
    for (size_t d = 0; d < o.size(); ++d) {
      const SpatialDim &dim = problem.dims[d];
      const int64_t t = o[d] + dim.padLow - k[d] * dim.dilation;
      if (floorMod(t, dim.stride) != 0)
        return false;
      i[d] = floorDiv(t, dim.stride);
      if (mutant == Mutant::ShiftedPhase &&
          floorMod(o[d] + dim.padLow, dim.stride) == dim.stride - 1)
        ++i[d];
      if (i[d] < 0 || i[d] >= dim.input)
        return false;
      if (mutant == Mutant::DroppedTap && dim.kernel > 1 &&
          k[d] == dim.kernel - 1)
        return false;
    }
    return true;
  }

  bool next(std::vector<int64_t> &k) const {
    for (size_t d = k.size(); d-- > 0;) {
      if (++k[d] < problem.dims[d].kernel)
        return true;
      k[d] = 0;
    }
    return false;
  }

  int64_t inputIndex(int64_t n, int64_t c,
                     const std::vector<int64_t> &i) const {
    int64_t index = n;
    if (problem.layout == Layout::ChannelsFirst)
      index = index * problem.inputChannels + c;
    for (size_t d = 0; d < i.size(); ++d)
      index = index * problem.dims[d].input + i[d];
    if (problem.layout == Layout::ChannelsLast)
      index = index * problem.inputChannels + c;
    return index;
  }

  int64_t weightIndex(int64_t ci, int64_t co,
                      const std::vector<int64_t> &k) const {
    int64_t index = ci * problem.outputChannelsPerGroup() + co;
    for (size_t d = 0; d < k.size(); ++d)
      index = index * problem.dims[d].kernel + k[d];
    return index;
  }

  float operand(double value) const {
    const bool tf32 = problem.type == ElementType::F32 &&
                      problem.precision == Precision::TF32;
    if (mutant == Mutant::BF16Operands)
      value = roundTo(value, kBF16);
    else if (tf32)
      value =
          roundTo(value, kTF32,
                  mutant == Mutant::TruncatedOperands ? Rounding::TowardZero
                                                      : Rounding::NearestAway);
    return static_cast<float>(value);
  }

  const Problem &problem;
  const LayerInputs &inputs;
  const Mutant mutant;
};
} // namespace

Tensor ctc::test::produce(const Problem &problem, const LayerInputs &inputs,
                          Mutant mutant) {
  const Producer producer(problem, inputs, mutant);
  Tensor output(problem.type, problem.outputShape());
  const std::vector<int64_t> sizes = output.shape();
  const size_t channelDim =
      problem.layout == Layout::ChannelsFirst ? 1 : sizes.size() - 1;
  for (int64_t index = 0; index < output.count(); ++index) {
    std::vector<int64_t> at(sizes.size());
    int64_t rest = index;
    for (size_t d = sizes.size(); d-- > 0; rest /= sizes[d])
      at[d] = rest % sizes[d];
    const int64_t n = at[0], co = at[channelDim];
    at.erase(at.begin() + static_cast<int64_t>(channelDim));
    at.erase(at.begin());
    double value = producer.at(n, co, at);
    if (mutant == Mutant::TruncatedResult)
      value = roundTo(value, formatOf(problem.type), Rounding::TowardZero);
    if (mutant == Mutant::UnwrittenElement && index == output.count() - 1)
      value = NAN;
    output.set(index, value);
  }
  return output;
}
