//===- LayerFlags.cpp - A layer from flags --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerFlags.h"
#include "Options.h"
#include "Values.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::StringRef;
using llvm::opt::ArgList;

static tl::unexpected<Error> usage(std::string message) {
  return makeError(ErrorCode::Usage, std::move(message));
}

bool driver::hasLayerFlags(const ArgList &arguments) {
  return arguments.hasArg(OPT_input, OPT_weight, OPT_bias, OPT_stride,
                          OPT_dilation, OPT_padding, OPT_output_padding,
                          OPT_groups, OPT_precision, OPT_layout, OPT_epilogue);
}

/// Channels, batch and spatial sizes from the shapes of input and weight.
static Expected<Problem> fromShapes(const TypedShape &input,
                                    const TypedShape &weight, Layout layout) {
  const size_t dims = input.sizes.size();
  if (dims < 3 || dims > 5)
    return usage("--input has " + std::to_string(dims) +
                 " sizes, must have 3 to 5: batch, channels and 1 to 3 "
                 "spatial sizes");
  if (weight.sizes.size() != dims)
    return usage("--weight has " + std::to_string(weight.sizes.size()) +
                 " sizes, must have " + std::to_string(dims) +
                 " as --input has");
  if (weight.type != input.type)
    return usage("--weight has type " + std::string(name(weight.type)) +
                 ", must have --input's, " + std::string(name(input.type)));
  if (weight.sizes.front() == kDynamic)
    return usage("--weight has size '?', must be static");
  Problem problem;
  problem.type = input.type;
  problem.layout = layout;
  problem.batch = input.sizes.front();
  const bool first = layout == Layout::ChannelsFirst;
  problem.inputChannels = first ? input.sizes[1] : input.sizes.back();
  if (weight.sizes.front() != problem.inputChannels)
    return usage("--weight has " + std::to_string(weight.sizes.front()) +
                 " input channels, must have --input's " +
                 std::to_string(problem.inputChannels));
  for (size_t i = 0; i + 2 < dims; ++i) {
    SpatialDim dim;
    dim.input = input.sizes[first ? i + 2 : i + 1];
    dim.kernel = weight.sizes[i + 2];
    problem.dims.push_back(dim);
  }
  return problem;
}

namespace {
/// A flag with one value per dimension and the field it sets.
struct DimensionFlag {
  OptionID id;
  StringRef name;
  int64_t SpatialDim::*field;
};
} // namespace

static Expected<void> readDimensions(const ArgList &arguments,
                                     Problem &problem) {
  const size_t rank = problem.dims.size();
  for (const DimensionFlag &flag :
       {DimensionFlag{OPT_stride, "--stride", &SpatialDim::stride},
        DimensionFlag{OPT_dilation, "--dilation", &SpatialDim::dilation},
        DimensionFlag{OPT_output_padding, "--output-padding",
                      &SpatialDim::outputPadding}}) {
    if (!arguments.hasArg(flag.id))
      continue;
    auto values =
        parsePerDimension(flag.name, arguments.getLastArgValue(flag.id), rank);
    if (!values)
      return tl::unexpected(values.error());
    for (size_t i = 0; i < rank; ++i)
      problem.dims[i].*flag.field = (*values)[i];
  }
  if (!arguments.hasArg(OPT_padding))
    return {};
  auto padding =
      parsePadding("--padding", arguments.getLastArgValue(OPT_padding), rank);
  if (!padding)
    return tl::unexpected(padding.error());
  for (size_t i = 0; i < rank; ++i) {
    problem.dims[i].padLow = (*padding)[i].low;
    problem.dims[i].padHigh = (*padding)[i].high;
  }
  return {};
}

Expected<Problem> driver::problemFromFlags(const ArgList &arguments) {
  for (auto [id, flag] :
       {std::pair{OPT_input, "--input"}, std::pair{OPT_weight, "--weight"}})
    if (!arguments.hasArg(id))
      return usage("a layer from flags needs --input and --weight; " +
                   std::string(flag) + " is missing");
  auto input = parseTypedShape("--input", arguments.getLastArgValue(OPT_input));
  if (!input)
    return tl::unexpected(input.error());
  auto weight =
      parseTypedShape("--weight", arguments.getLastArgValue(OPT_weight));
  if (!weight)
    return tl::unexpected(weight.error());
  auto layout = parseName<Layout>(
      "--layout", arguments.getLastArgValue(OPT_layout, "channels_first"),
      parseLayout, kLayoutNames);
  if (!layout)
    return tl::unexpected(layout.error());
  auto precision = parseName<Precision>(
      "--precision", arguments.getLastArgValue(OPT_precision, "tf32"),
      parsePrecision, kPrecisionNames);
  if (!precision)
    return tl::unexpected(precision.error());
  auto groups = parseInteger(
      "--groups", arguments.getLastArgValue(OPT_groups, "1"), INT64_MIN + 1);
  if (!groups)
    return tl::unexpected(groups.error());

  auto problem = fromShapes(*input, *weight, *layout);
  if (!problem)
    return problem;
  problem->precision = *precision;
  problem->groups = *groups;
  problem->bias = arguments.hasArg(OPT_bias);
  if (__builtin_mul_overflow(weight->sizes[1], *groups,
                             &problem->outputChannels))
    return makeError(ErrorCode::InvalidProblem,
                     "output channels do not fit in 63 bits");
  if (auto read = readDimensions(arguments, *problem); !read)
    return tl::unexpected(read.error());
  if (auto legal = verify(*problem); !legal)
    return tl::unexpected(legal.error());
  return problem;
}

std::vector<std::string> driver::epilogueFromFlags(const ArgList &arguments) {
  std::vector<std::string> steps;
  const StringRef text = arguments.getLastArgValue(OPT_epilogue);
  if (!text.empty())
    for (StringRef step : llvm::split(text, ','))
      steps.push_back(step.str());
  return steps;
}
