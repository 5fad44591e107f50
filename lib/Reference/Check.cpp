//===- Check.cpp - Is this output right? ----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Check.h"
#include "ctc/Reference/EpilogueEvaluator.h"
#include "ctc/Reference/Geometry.h"
#include "ctc/Reference/Parallel.h"
#include "ctc/Reference/Sample.h"

#include <cmath>
#include <cstdio>
#include <mutex>

using namespace ctc;

AccumulationError ctc::accumulationError(Arithmetic arithmetic,
                                         const Problem &problem) {
  const bool split = problem.type == ElementType::F32 &&
                     problem.precision == Precision::TF32x3;
  return {arithmetic == Arithmetic::FMA ? 0x1p-24 : 0x1p-23, split ? 13 : 2};
}

namespace {
/// How an extra operand's elements meet the output's coordinates: its index is
/// the sum of coordinate times stride over n, channel and the three spatial
/// dimensions.
struct OperandView {
  const Tensor &tensor;
  std::array<int64_t, 5> strides{};
};

/// What the reference says of one output.
struct Expectation {
  double value;
  double magnitude; ///< Any where the error is zero.
  int64_t products;
};

/// Judges outputs, one at a time.
class OutputChecker {
public:
  OutputChecker(const Problem &problem, const EpilogueEvaluator &evaluator,
                const std::vector<OperandView> &operands, const Tensor &output,
                const CheckOptions &options)
      : problem(problem), g(problem), evaluator(evaluator), operands(operands),
        output(output), error(options.error), format(formatOf(problem.type)) {}

  const Geometry &geometry() const { return g; }

  void operator()(const OutputIndex &index, const Expectation &reference,
                  CheckReport &report) {
    coordinates = index;
    report.nonZero += reference.products > 0 && reference.value != 0;
    compare(expected(reference), reference.products, report);
  }

private:
  /// The output before its rounding to the output's type.
  Interval expected(const Expectation &reference) {
    const double value = reference.value;
    double radius = 0;
    if (reference.products > 0 && error.unit > 0)
      radius = static_cast<double>(reference.products + error.extra) *
               error.unit * reference.magnitude;
    // Infinities and NaN come from the input; no rounding leads away from them.
    arguments.assign(1, std::isfinite(value) && std::isfinite(radius)
                            ? Interval{value - radius, value + radius, false}
                            : Interval::exactly(value));
    for (const OperandView &operand : operands) {
      int64_t element = 0;
      for (size_t i = 0; i < coordinates.size(); ++i)
        element += coordinates[i] * operand.strides[i];
      arguments.push_back(Interval::exactly(operand.tensor.get(element)));
    }
    return evaluator.evaluate(arguments, scratch);
  }

  void compare(const Interval &expected, int64_t products,
               CheckReport &report) const {
    const double lo = roundTo(expected.lo, format);
    const double hi = roundTo(expected.hi, format);
    const int64_t spatial =
        (coordinates[2] * g.output[1] + coordinates[3]) * g.output[2] +
        coordinates[4];
    const double value =
        output.get(g.outputOrder.at(coordinates[0], coordinates[1], spatial));
    ++report.outputs;
    report.undecided += expected.nan && std::isinf(expected.lo) &&
                        std::isinf(expected.hi) && expected.lo < expected.hi;
    report.withTaps += products > 0;
    const bool isNaN = std::isnan(value);
    const bool right = isNaN ? expected.nan : lo <= value && value <= hi;
    if (!isNaN && std::isfinite(expected.lo) && std::isfinite(expected.hi))
      report.worstRatio = std::max(report.worstRatio, ratio(expected, value));
    if (right)
      return;
    report.nan += isNaN;
    if (report.wrong++ == 0)
      report.first = Mismatch{where(), value, lo, hi};
  }

  double ratio(const Interval &expected, double value) const {
    const double radius = (expected.hi - expected.lo) / 2;
    const double center = expected.lo + radius;
    const double halfUlp =
        ulpOf(std::max(std::fabs(expected.lo), std::fabs(expected.hi)),
              format) /
        2;
    return std::fabs(value - center) / (radius + halfUlp);
  }

  std::vector<int64_t> where() const {
    std::vector<int64_t> index{coordinates[0], coordinates[1]};
    index.insert(index.end(), coordinates.end() - problem.rank(),
                 coordinates.end());
    return index;
  }

  const Problem &problem;
  const Geometry g;
  const EpilogueEvaluator &evaluator;
  const std::vector<OperandView> &operands;
  const Tensor &output;
  const AccumulationError error;
  const FloatFormat format;
  OutputIndex coordinates{};
  std::vector<Interval> arguments, scratch;
};
} // namespace

/// One plane's (n, channel) report; `first` is the plane's own first mismatch.
static CheckReport checkPlane(OutputChecker &checker,
                              const Accumulation &accumulation, bool isExact,
                              int64_t plane) {
  const Geometry &g = checker.geometry();
  auto pairs = [&](size_t dim, int64_t o) {
    return accumulation.pairs[dim][static_cast<size_t>(o)];
  };
  CheckReport report;
  const int64_t channels = g.groups * g.outputChannels;
  auto at = static_cast<size_t>(plane * g.outputSpatial);
  for (int64_t o0 = 0; o0 < g.output[0]; ++o0)
    for (int64_t o1 = 0; o1 < g.output[1]; ++o1)
      for (int64_t o2 = 0; o2 < g.output[2]; ++o2, ++at)
        checker({plane / channels, plane % channels, o0, o1, o2},
                {accumulation.value[at],
                 isExact ? 0 : accumulation.magnitude[at],
                 g.inputChannels * pairs(0, o0) * pairs(1, o1) * pairs(2, o2)},
                report);
  return report;
}

/// Which of n, channel, three spatial coordinates output dimension `dim` is.
static size_t coordinateOf(const Problem &problem, int dim) {
  if (dim == 0)
    return 0;
  const bool first = problem.layout == Layout::ChannelsFirst;
  if (dim == (first ? 1 : problem.rank() + 1))
    return 1;
  const int spatial = first ? dim - 2 : dim - 1;
  const int coordinate = 2 + 3 - problem.rank() + spatial;
  return static_cast<size_t>(coordinate);
}

static OperandView viewOperand(const Problem &problem,
                               const EpilogueOperand &operand,
                               const Tensor &tensor) {
  OperandView view{tensor, {}};
  int64_t stride = 1;
  for (size_t i = tensor.shape().size(); i-- > 0;) {
    if (operand.outputDims[i] >= 0)
      view.strides[coordinateOf(problem, operand.outputDims[i])] = stride;
    stride *= tensor.shape()[i];
  }
  return view;
}

static std::vector<OperandView>
viewOperands(const Problem &problem, const Epilogue &epilogue,
             const std::vector<Tensor> &operands) {
  std::vector<OperandView> views;
  for (size_t i = 0; i < operands.size(); ++i)
    views.push_back(viewOperand(problem, epilogue.operands[i], operands[i]));
  return views;
}

static void merge(CheckReport &all, CheckReport plane) {
  all.outputs += plane.outputs;
  all.wrong += plane.wrong;
  all.nan += plane.nan;
  all.withTaps += plane.withTaps;
  all.nonZero += plane.nonZero;
  all.undecided += plane.undecided;
  all.worstRatio = std::max(all.worstRatio, plane.worstRatio);
  if (plane.first && (!all.first || plane.first->index < all.first->index))
    all.first = std::move(plane.first);
}

Expected<CheckReport> ctc::check(const Problem &problem,
                                 const Epilogue &epilogue,
                                 const Accumulation &accumulation,
                                 const std::vector<Tensor> &operands,
                                 const Tensor &output,
                                 const CheckOptions &options) {
  auto evaluator = EpilogueEvaluator::create(epilogue);
  if (!evaluator)
    return tl::unexpected(evaluator.error());
  const auto views = viewOperands(problem, epilogue, operands);
  CheckReport report;
  std::mutex mutex;
  parallelFor(problem.batch * problem.outputChannels, options.threads, [&] {
    return [&, checker = OutputChecker(problem, *evaluator, views, output,
                                       options)](int64_t plane) mutable {
      CheckReport one =
          checkPlane(checker, accumulation, options.error.unit == 0, plane);
      const std::lock_guard lock(mutex);
      merge(report, std::move(one));
    };
  });
  return report;
}

Expected<CheckReport> ctc::checkSamples(const Problem &problem,
                                        const Epilogue &epilogue,
                                        const SampledAccumulation &accumulation,
                                        const std::vector<Tensor> &operands,
                                        const Tensor &output,
                                        const CheckOptions &options) {
  auto evaluator = EpilogueEvaluator::create(epilogue);
  if (!evaluator)
    return tl::unexpected(evaluator.error());
  const auto views = viewOperands(problem, epilogue, operands);
  OutputChecker checker(problem, *evaluator, views, output, options);
  CheckReport report;
  for (size_t i = 0; i < accumulation.outputs.size(); ++i)
    checker(accumulation.outputs[i],
            {accumulation.value[i], accumulation.magnitude[i],
             accumulation.products[i]},
            report);
  return report;
}

std::string CheckReport::summary() const {
  if (decidedNothing())
    return "none of " + std::to_string(outputs) +
           " outputs decided, since the reference is finite for none: NaN or "
           "infinities went in, or sums may overflow";
  std::string text = std::to_string(wrong) + " of " + std::to_string(outputs) +
                     " outputs wrong";
  if (nan)
    text += " (" + std::to_string(nan) + " NaN)";
  if (undecided)
    text += "; " + std::to_string(undecided) +
            " not decided, since the reference is not finite";
  if (!first)
    return text;
  text += "; the first is y[";
  for (size_t i = 0; i < first->index.size(); ++i)
    text += (i ? "," : "") + std::to_string(first->index[i]);
  char numbers[128];
  std::snprintf(numbers, sizeof(numbers), "] = %.9g, must be in [%.9g, %.9g]",
                first->value, first->lo, first->hi);
  return text + numbers;
}
