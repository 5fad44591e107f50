//===- Fill.cpp - Inputs for a layer --------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Fill.h"
#include "ctc/Reference/Geometry.h"
#include "ctc/Support/Float.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>

using namespace ctc;

std::string_view ctc::name(Fill fill) {
  return fill == Fill::Exact ? "exact" : "random";
}

std::optional<Fill> ctc::parseFill(std::string_view text) {
  for (Fill fill : {Fill::Exact, Fill::Random})
    if (name(fill) == text)
      return fill;
  return std::nullopt;
}

namespace {
/// Random numbers by position: the finalizer of SplitMix64 (Steele, Lea,
/// Flood: "Fast splittable pseudorandom number generators", 2014).
class Stream {
public:
  Stream(uint64_t seed, uint64_t tensor) : base(mix(seed) ^ mix(~tensor)) {}

  uint64_t bits(int64_t index) const {
    return mix(base + static_cast<uint64_t>(index));
  }
  /// Uniform in [-1, 1), a multiple of 2^-23.
  double uniform(int64_t index) const {
    return static_cast<double>(bits(index) >> 40) * 0x1p-23 - 1;
  }
  /// Magnitude uniform in [least, most], either sign.
  int64_t signedInteger(int64_t index, int64_t least, int64_t most) const {
    const uint64_t random = bits(index);
    const auto span = static_cast<uint64_t>(most - least + 1);
    const int64_t magnitude =
        least + static_cast<int64_t>((random >> 1) % span);
    return random & 1 ? -magnitude : magnitude;
  }
  /// Odd magnitude in (most/2, most]: needs all bits of `most`.
  int64_t wide(int64_t index, int64_t most) const {
    const int64_t value = signedInteger(index, most / 2 + 1, most);
    return value < 0 ? -(-value | 1) : value | 1;
  }

private:
  static uint64_t mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
  }
  uint64_t base;
};

/// Amplitudes of the exact fill, all in units. With n the most products of an
/// output, dense products stay below `large * small` <= kDense / n. Sparse full
/// values add at most kSparse on either side, and the one full pair of a lone
/// input channel less than 2^22, the bias at most 2^19: together below 2^24.
struct ExactPlan {
  static constexpr int64_t kDense = (int64_t{1} << 23) - (int64_t{1} << 20);
  static constexpr int64_t kSparse = int64_t{1} << 21;

  int64_t full;  ///< Largest integer of the type's precision: 2047 or 255.
  int64_t large; ///< Amplitude of the side that carries precision.
  int64_t small; ///< Of the other side.

  ExactPlan(ElementType type, int64_t products)
      : full(type == ElementType::BF16 ? 255 : 2047) {
    const int64_t budget = kDense / std::max<int64_t>(1, products);
    large = std::clamp<int64_t>(budget, 1, full);
    small = std::clamp<int64_t>(budget / large, 1, full);
  }

  /// Full values per sample and group, or per filter, where large < full.
  int64_t sparseCount() const { return kSparse / (full * small); }

  /// The value of an element on the side that carries precision; `position`
  /// counts the elements of a slab of `size` that can meet in one output.
  int64_t largeValue(const Stream &stream, int64_t index, int64_t position,
                     int64_t size) const {
    if (large == full || position % ceilDiv(size, sparseCount()) == 0)
      return stream.wide(index, full);
    return stream.signedInteger(index, 1, large);
  }
};
} // namespace

/// The most pairs (i, k) of one dimension that share an output.
static int64_t mostPairs(const SpatialDim &dim) {
  // Taps with equal k*d mod s share outputs: one in s / gcd(s, d).
  int64_t a = dim.stride, b = dim.dilation;
  while (b)
    a = std::exchange(b, a % b);
  return std::min(dim.input, ceilDiv(dim.kernel, dim.stride / a));
}

/// Which side of input channel `ci` of a group carries full precision.
static bool inputIsLarge(int64_t group, int64_t ci) {
  return (group + ci) % 2 == 0;
}

static void fillExactInput(const Geometry &g, const ExactPlan &plan,
                           uint64_t seed, Tensor &input) {
  const Stream stream(seed, 0);
  const int64_t slab = g.inputChannels * g.inputSpatial;
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t group = 0; group < g.groups; ++group)
      for (int64_t at = 0; at < slab; ++at) {
        const int64_t ci = at / g.inputSpatial;
        const int64_t index = (n * g.groups + group) * slab + at;
        int64_t value = stream.signedInteger(index, 1, plan.small);
        if (inputIsLarge(group, ci))
          value = plan.largeValue(stream, index, at, slab);
        else if (g.inputChannels == 1 && at == (n * 7 + 3) % slab)
          value = stream.wide(index, plan.full);
        input.set(g.inputOrder.at(n, group * g.inputChannels + ci,
                                  at % g.inputSpatial),
                  static_cast<double>(value) * 0x1p-10);
      }
}

static void fillExactWeight(const Geometry &g, const ExactPlan &plan,
                            uint64_t seed, Tensor &weight) {
  const Stream stream(seed, 1);
  const int64_t filter = g.inputChannels * g.kernelSpatial;
  for (int64_t group = 0; group < g.groups; ++group)
    for (int64_t ci = 0; ci < g.inputChannels; ++ci)
      for (int64_t co = 0; co < g.outputChannels; ++co)
        for (int64_t k = 0; k < g.kernelSpatial; ++k) {
          const int64_t index =
              ((group * g.inputChannels + ci) * g.outputChannels + co) *
                  g.kernelSpatial +
              k;
          int64_t value = stream.signedInteger(index, 1, plan.small);
          if (!inputIsLarge(group, ci))
            value = plan.largeValue(stream, index, ci * g.kernelSpatial + k,
                                    filter);
          else if (g.inputChannels == 1 && k == co % g.kernelSpatial)
            value = stream.wide(index, plan.full);
          weight.set(g.weightOrder.at(group * g.inputChannels + ci, co, k),
                     static_cast<double>(value) * 0x1p-10);
        }
}

static Expected<void> fillExact(const Geometry &g, const Problem &problem,
                                uint64_t seed, LayerInputs &inputs) {
  int64_t products = g.inputChannels;
  bool overflow = false;
  for (const SpatialDim &dim : g.dims)
    overflow |= __builtin_mul_overflow(products, mostPairs(dim), &products);
  if (overflow || products > ExactPlan::kDense)
    return makeError(ErrorCode::InvalidProblem,
                     "an output sums more than " +
                         std::to_string(ExactPlan::kDense) +
                         " products, too many for an exact fill; use a random "
                         "one");
  const ExactPlan plan(problem.type, products);
  fillExactInput(g, plan, seed, inputs.input);
  fillExactWeight(g, plan, seed, inputs.weight);
  const Stream stream(seed, 2);
  if (inputs.bias)
    for (int64_t c = 0; c < inputs.bias->count(); ++c)
      inputs.bias->set(c, static_cast<double>(stream.wide(c, plan.full)) *
                              0x1p-12);
  return {};
}

static void fillRandom(const Geometry &g, uint64_t seed, LayerInputs &inputs) {
  const Stream stream(seed, 0);
  const int64_t channels = g.groups * g.inputChannels;
  int64_t index = 0;
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t s = 0; s < g.inputSpatial; ++s, ++index)
        inputs.input.set(g.inputOrder.at(n, c, s), stream.uniform(index));
  const Stream weights(seed, 1);
  index = 0;
  for (int64_t ci = 0; ci < channels; ++ci)
    for (int64_t co = 0; co < g.outputChannels; ++co)
      for (int64_t k = 0; k < g.kernelSpatial; ++k, ++index)
        inputs.weight.set(g.weightOrder.at(ci, co, k), weights.uniform(index));
  const Stream biases(seed, 2);
  for (int64_t i = 0; inputs.bias && i < inputs.bias->count(); ++i)
    inputs.bias->set(i, biases.uniform(i));
}

std::vector<Tensor> ctc::makeOperands(const Epilogue &epilogue, int64_t batch,
                                      const FillOptions &options) {
  std::vector<Tensor> operands;
  for (const EpilogueOperand &operand : epilogue.operands) {
    std::vector<int64_t> shape = operand.shape;
    std::replace(shape.begin(), shape.end(), kDynamic, batch);
    const Stream stream(options.seed, 3 + operands.size());
    Tensor &tensor = operands.emplace_back(operand.type, shape);
    for (int64_t i = 0; i < tensor.count(); ++i)
      tensor.set(i, options.fill == Fill::Random
                        ? stream.uniform(i)
                        : static_cast<double>(stream.signedInteger(i, 1, 8)) *
                              0.25);
  }
  return operands;
}

Expected<LayerInputs> ctc::makeInputs(const Problem &problem,
                                      const Epilogue &epilogue,
                                      const FillOptions &options) {
  const Geometry geometry(problem);
  LayerInputs inputs{Tensor(problem.type, problem.inputShape()),
                     Tensor(problem.type, problem.weightShape()), std::nullopt,
                     makeOperands(epilogue, problem.batch, options)};
  if (problem.bias)
    inputs.bias.emplace(options.biasType.value_or(problem.type),
                        std::vector{problem.outputChannels});
  if (options.fill == Fill::Random) {
    fillRandom(geometry, options.seed, inputs);
    return inputs;
  }
  if (auto filled = fillExact(geometry, problem, options.seed, inputs); !filled)
    return tl::unexpected(filled.error());
  return inputs;
}

Tensor ctc::convertLayout(const Tensor &tensor, Layout from, Layout to) {
  if (from == to)
    return tensor;
  std::vector<int64_t> shape = tensor.shape();
  const bool first = from == Layout::ChannelsFirst;
  const int64_t channels = first ? shape[1] : shape.back();
  if (first)
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  else
    std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  Tensor result(tensor.type(), shape);
  if (result.count() == 0)
    return result;
  const int64_t batch = shape[0];
  const int64_t spatial = tensor.count() / (batch * channels);
  const auto source = ActivationOrder::of(from, channels, spatial);
  const auto target = ActivationOrder::of(to, channels, spatial);
  const auto width = static_cast<size_t>(byteWidth(tensor.type()));
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t s = 0; s < spatial; ++s)
        std::copy_n(tensor.bytes().data() + source.at(n, c, s) * width, width,
                    result.bytes().data() + target.at(n, c, s) * width);
  return result;
}
