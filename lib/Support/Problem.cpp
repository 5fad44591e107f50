//===- Problem.cpp - One transposed convolution ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/Problem.h"

#include <algorithm>
#include <array>
#include <utility>

using namespace ctc;

namespace {
/// One row per enumerator; the first spelling is the canonical one.
template <typename Enum, size_t N>
using NameTable = std::array<std::pair<Enum, std::string_view>, N>;

constexpr NameTable<ElementType, 3> kElementTypes{
    {{ElementType::F32, "f32"},
     {ElementType::F16, "f16"},
     {ElementType::BF16, "bf16"}}};
constexpr NameTable<Layout, 2> kLayouts{
    {{Layout::ChannelsFirst, "channels_first"},
     {Layout::ChannelsLast, "channels_last"}}};
constexpr NameTable<WeightLayout, 2> kWeightLayouts{
    {{WeightLayout::InputOutputKernel, "input_output_kernel"},
     {WeightLayout::OutputKernelInput, "output_kernel_input"}}};
constexpr NameTable<Precision, 3> kPrecisions{{{Precision::TF32, "tf32"},
                                               {Precision::TF32x3, "tf32x3"},
                                               {Precision::IEEE, "ieee"}}};

template <typename Enum, size_t N>
std::string_view nameIn(const NameTable<Enum, N> &table, Enum value) {
  for (const auto &[key, text] : table)
    if (key == value)
      return text;
  return "?";
}

template <typename Enum, size_t N>
std::optional<Enum> parseIn(const NameTable<Enum, N> &table,
                            std::string_view text) {
  for (const auto &[key, spelling] : table)
    if (spelling == text)
      return key;
  return std::nullopt;
}

std::vector<int64_t> arrange(Layout layout, int64_t batch, int64_t channels,
                             const std::vector<int64_t> &spatial) {
  std::vector<int64_t> shape{batch};
  if (layout == Layout::ChannelsFirst)
    shape.push_back(channels);
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  if (layout == Layout::ChannelsLast)
    shape.push_back(channels);
  return shape;
}
} // namespace

std::string_view ctc::name(ElementType type) {
  return nameIn(kElementTypes, type);
}
std::string_view ctc::name(Layout layout) { return nameIn(kLayouts, layout); }
std::string_view ctc::name(WeightLayout layout) {
  return nameIn(kWeightLayouts, layout);
}
std::string_view ctc::name(Precision precision) {
  return nameIn(kPrecisions, precision);
}
std::optional<ElementType> ctc::parseElementType(std::string_view text) {
  return parseIn(kElementTypes, text);
}
std::optional<Layout> ctc::parseLayout(std::string_view text) {
  return parseIn(kLayouts, text);
}
std::optional<Precision> ctc::parsePrecision(std::string_view text) {
  return parseIn(kPrecisions, text);
}

int64_t ctc::byteWidth(ElementType type) {
  return type == ElementType::F32 ? 4 : 2;
}

std::optional<int64_t> ctc::checkedProduct(const std::vector<int64_t> &sizes) {
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end())
    return 0;
  int64_t product = 1;
  for (int64_t size : sizes)
    if (__builtin_mul_overflow(product, size, &product))
      return std::nullopt;
  return product;
}

std::string ctc::formatShape(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t size : shape) {
    if (!text.empty())
      text += 'x';
    text += size == kDynamic ? "?" : std::to_string(size);
  }
  return text;
}

Expected<int64_t> ctc::outputSize(const SpatialDim &dim) {
  struct Range {
    const char *what;
    int64_t value, least;
  };
  for (const Range &range :
       {Range{"input size", dim.input, 0}, Range{"kernel size", dim.kernel, 1},
        Range{"stride", dim.stride, 1}, Range{"dilation", dim.dilation, 1},
        Range{"output padding", dim.outputPadding, 0}})
    if (range.value < range.least)
      return invalidProblem(
          std::string(range.what) + " is " + std::to_string(range.value) +
          ", must be at least " + std::to_string(range.least));
  if (dim.kernel > kMaxKernel)
    return invalidProblem("kernel size is " + std::to_string(dim.kernel) +
                          ", must be at most " + std::to_string(kMaxKernel));

  int64_t reach, span, size;
  bool overflow = __builtin_mul_overflow(dim.input - 1, dim.stride, &reach);
  overflow |= __builtin_mul_overflow(dim.dilation, dim.kernel - 1, &span);
  overflow |= __builtin_add_overflow(reach, span, &size);
  overflow |= __builtin_sub_overflow(size, dim.padLow, &size);
  overflow |= __builtin_sub_overflow(size, dim.padHigh, &size);
  overflow |= __builtin_add_overflow(size, dim.outputPadding, &size);
  overflow |= __builtin_add_overflow(size, 1, &size);
  if (overflow)
    return invalidProblem("output size does not fit in 63 bits");
  if (size < 0)
    return invalidProblem("output size is " + std::to_string(size) +
                          ", must be at least 0");
  return size;
}

std::vector<int64_t> Problem::outputSpatial() const {
  std::vector<int64_t> sizes;
  for (const SpatialDim &dim : dims)
    sizes.push_back(outputSize(dim).value_or(0));
  return sizes;
}

std::vector<int64_t> Problem::inputShape() const {
  std::vector<int64_t> spatial;
  for (const SpatialDim &dim : dims)
    spatial.push_back(dim.input);
  return arrange(layout, batch, inputChannels, spatial);
}

std::vector<int64_t> Problem::weightShape() const {
  std::vector<int64_t> shape;
  if (weightLayout == WeightLayout::InputOutputKernel)
    shape.push_back(inputChannels);
  shape.push_back(outputChannelsPerGroup());
  for (const SpatialDim &dim : dims)
    shape.push_back(dim.kernel);
  if (weightLayout == WeightLayout::OutputKernelInput)
    shape.push_back(inputChannels);
  return shape;
}

std::vector<int64_t> Problem::outputShape() const {
  return arrange(layout, batch, outputChannels, outputSpatial());
}

static Expected<void> verifyChannels(const Problem &problem) {
  if (problem.groups < 1)
    return invalidProblem("groups is " + std::to_string(problem.groups) +
                          ", must be at least 1");
  for (auto [what, count] : {std::pair{"input", problem.inputChannels},
                             std::pair{"output", problem.outputChannels}}) {
    if (count < 0)
      return invalidProblem(std::string(what) + " channels are " +
                            std::to_string(count) + ", must be at least 0");
    if (count % problem.groups != 0)
      return invalidProblem(
          std::string(what) + " channels are " + std::to_string(count) +
          ", must be a multiple of groups " + std::to_string(problem.groups));
  }
  return {};
}

static Expected<void> verifySize(const char *what, std::vector<int64_t> shape,
                                 ElementType type) {
  const std::string text = formatShape(shape);
  std::replace(shape.begin(), shape.end(), kDynamic, int64_t{1});
  shape.push_back(byteWidth(type));
  if (!checkedProduct(shape))
    return invalidProblem(std::string(what) + " of shape " + text +
                          " does not fit in 2^63 - 1 bytes");
  return {};
}

Expected<void> ctc::verify(const Problem &problem) {
  if (problem.rank() < 1 || problem.rank() > 3)
    return invalidProblem("there are " + std::to_string(problem.rank()) +
                          " spatial dimensions, must be 1, 2 or 3");
  if (problem.batch < 0 && !problem.hasDynamicBatch())
    return invalidProblem("batch is " + std::to_string(problem.batch) +
                          ", must be at least 0");
  if (auto channels = verifyChannels(problem); !channels)
    return channels;
  for (int i = 0; i < problem.rank(); ++i)
    if (auto size = outputSize(problem.dims[i]); !size)
      return invalidProblem("spatial dimension " + std::to_string(i) + ": " +
                            size.error().message);
  for (auto &[what, shape] : {std::pair{"input", problem.inputShape()},
                              std::pair{"weight", problem.weightShape()},
                              std::pair{"output", problem.outputShape()}})
    if (auto size = verifySize(what, shape, problem.type); !size)
      return size;
  if (problem.precision != Precision::TF32 && problem.type != ElementType::F32)
    return invalidProblem(
        "precision is " + std::string(name(problem.precision)) +
        ", which needs f32 operands, not " + std::string(name(problem.type)));
  return {};
}
