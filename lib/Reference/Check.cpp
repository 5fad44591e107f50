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

/// Checks the planes (n, channel) of the output.
class PlaneChecker {
public:
  PlaneChecker(const Problem &problem, const Accumulation &accumulation,
               const EpilogueEvaluator &evaluator,
               const std::vector<OperandView> &operands, const Tensor &output,
               const CheckOptions &options)
      : problem(problem), g(problem), accumulation(accumulation),
        evaluator(evaluator), operands(operands), output(output),
        error(options.error), format(formatOf(problem.type)) {}

  /// One plane's report; `first` is the plane's own first mismatch.
  CheckReport operator()(int64_t plane) {
    CheckReport report;
    const int64_t channels = g.groups * g.outputChannels;
    coordinates = {plane / channels, plane % channels, 0, 0, 0};
    int64_t spatial = 0;
    for (int64_t o0 = 0; o0 < g.output[0]; ++o0)
      for (int64_t o1 = 0; o1 < g.output[1]; ++o1)
        for (int64_t o2 = 0; o2 < g.output[2]; ++o2, ++spatial) {
          coordinates[2] = o0, coordinates[3] = o1, coordinates[4] = o2;
          const int64_t products =
              g.inputChannels * pairs(0, o0) * pairs(1, o1) * pairs(2, o2);
          const int64_t index = plane * g.outputSpatial + spatial;
          report.nonZero += products > 0 &&
                            accumulation.value[static_cast<size_t>(index)] != 0;
          const Interval expected = expectedAt(index, products);
          compare(expected, spatial, products, report);
        }
    return report;
  }

private:
  int64_t pairs(size_t dim, int64_t o) const {
    return accumulation.pairs[dim][static_cast<size_t>(o)];
  }

  /// The output before its rounding to the output's type.
  Interval expectedAt(int64_t index, int64_t products) {
    const auto at = static_cast<size_t>(index);
    const double value = accumulation.value[at];
    double radius = 0;
    if (products > 0 && error.unit > 0)
      radius = static_cast<double>(products + error.extra) * error.unit *
               accumulation.magnitude[at];
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

  void compare(const Interval &expected, int64_t spatial, int64_t products,
               CheckReport &report) const {
    const double lo = roundTo(expected.lo, format);
    const double hi = roundTo(expected.hi, format);
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
  const Accumulation &accumulation;
  const EpilogueEvaluator &evaluator;
  const std::vector<OperandView> &operands;
  const Tensor &output;
  const AccumulationError error;
  const FloatFormat format;
  std::array<int64_t, 5> coordinates{};
  std::vector<Interval> arguments, scratch;
};
} // namespace

/// Which of n, channel, three spatial coordinates output dimension `dim` is.
static size_t coordinateOf(const Problem &problem, int dim) {
  if (dim == 0)
    return 0;
  const bool first = problem.layout == Layout::ChannelsFirst;
  if (dim == (first ? 1 : problem.rank() + 1))
    return 1;
  const int spatial = first ? dim - 2 : dim - 1;
  return static_cast<size_t>(2 + 3 - problem.rank() + spatial);
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
  std::vector<OperandView> views;
  for (size_t i = 0; i < operands.size(); ++i)
    views.push_back(viewOperand(problem, epilogue.operands[i], operands[i]));
  CheckReport report;
  std::mutex mutex;
  parallelFor(problem.batch * problem.outputChannels, options.threads, [&] {
    return [&, checker = PlaneChecker(problem, accumulation, *evaluator, views,
                                      output, options)](int64_t plane) mutable {
      CheckReport one = checker(plane);
      const std::lock_guard lock(mutex);
      merge(report, std::move(one));
    };
  });
  return report;
}

std::string CheckReport::summary() const {
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
