//===- EpilogueSteps.cpp - Named elementwise functions --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EpilogueSteps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/StringExtras.h"

#include <numbers>

using namespace mlir;
using namespace ctc;
using RegionBuilder = ImplicitLocOpBuilder;
using Numbers = llvm::ArrayRef<double>;

static Value number(RegionBuilder &b, double value) {
  return arith::ConstantOp::create(
      b, b.getF32FloatAttr(static_cast<float>(value)));
}
static Value add(RegionBuilder &b, Value x, Value y) {
  return arith::AddFOp::create(b, x, y);
}
static Value mul(RegionBuilder &b, Value x, Value y) {
  return arith::MulFOp::create(b, x, y);
}
static Value clamp(RegionBuilder &b, Value x, double least, double most) {
  Value low = arith::MaximumFOp::create(b, x, number(b, least));
  return arith::MinimumFOp::create(b, low, number(b, most));
}
static Value positive(RegionBuilder &b, Value x) {
  return arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, number(b, 0));
}

static Value relu(RegionBuilder &b, Value x, Numbers, Value) {
  return arith::MaximumFOp::create(b, x, number(b, 0));
}
static Value leakyRelu(RegionBuilder &b, Value x, Numbers n, Value) {
  return arith::SelectOp::create(b, positive(b, x), x,
                                 mul(b, x, number(b, n[0])));
}
static Value elu(RegionBuilder &b, Value x, Numbers n, Value) {
  Value below = mul(b, math::ExpM1Op::create(b, x), number(b, n[0]));
  return arith::SelectOp::create(b, positive(b, x), x, below);
}
static Value gelu(RegionBuilder &b, Value x, Numbers, Value) {
  Value scaled = mul(b, x, number(b, 1 / std::numbers::sqrt2));
  Value cumulative = add(b, math::ErfOp::create(b, scaled), number(b, 1));
  return mul(b, mul(b, x, number(b, 0.5)), cumulative);
}
static Value geluTanh(RegionBuilder &b, Value x, Numbers, Value) {
  Value cube = mul(b, mul(b, x, x), x);
  Value inner = add(b, x, mul(b, cube, number(b, 0.044715)));
  Value scaled =
      mul(b, inner, number(b, std::numbers::sqrt2 * std::numbers::inv_sqrtpi));
  Value cumulative = add(b, math::TanhOp::create(b, scaled), number(b, 1));
  return mul(b, mul(b, x, number(b, 0.5)), cumulative);
}
/// 1 + exp(-x)
static Value logisticDenominator(RegionBuilder &b, Value x) {
  Value negative = arith::NegFOp::create(b, x);
  return add(b, math::ExpOp::create(b, negative), number(b, 1));
}
static Value silu(RegionBuilder &b, Value x, Numbers, Value) {
  return arith::DivFOp::create(b, x, logisticDenominator(b, x));
}
static Value sigmoid(RegionBuilder &b, Value x, Numbers, Value) {
  return arith::DivFOp::create(b, number(b, 1), logisticDenominator(b, x));
}
static Value hyperbolicTangent(RegionBuilder &b, Value x, Numbers, Value) {
  return math::TanhOp::create(b, x);
}
/// max(x, 0) + log1p(exp(-|x|)), which never overflows.
static Value softplus(RegionBuilder &b, Value x, Numbers, Value) {
  Value negative = arith::NegFOp::create(b, math::AbsFOp::create(b, x));
  Value tail = math::Log1pOp::create(b, math::ExpOp::create(b, negative));
  return add(b, arith::MaximumFOp::create(b, x, number(b, 0)), tail);
}
static Value mish(RegionBuilder &b, Value x, Numbers, Value) {
  return mul(b, x, math::TanhOp::create(b, softplus(b, x, {}, {})));
}
static Value hardSigmoid(RegionBuilder &b, Value x, Numbers, Value) {
  Value shifted = clamp(b, add(b, x, number(b, 3)), 0, 6);
  return arith::DivFOp::create(b, shifted, number(b, 6));
}
static Value hardSwish(RegionBuilder &b, Value x, Numbers, Value) {
  return mul(b, x, hardSigmoid(b, x, {}, {}));
}
static Value clampTo(RegionBuilder &b, Value x, Numbers n, Value) {
  return clamp(b, x, n[0], n[1]);
}
static Value addNumber(RegionBuilder &b, Value x, Numbers n, Value) {
  return add(b, x, number(b, n[0]));
}
static Value mulNumber(RegionBuilder &b, Value x, Numbers n, Value) {
  return mul(b, x, number(b, n[0]));
}
static Value addOperand(RegionBuilder &b, Value x, Numbers, Value operand) {
  return add(b, x, operand);
}
static Value mulOperand(RegionBuilder &b, Value x, Numbers, Value operand) {
  return mul(b, x, operand);
}

namespace {
struct StepRow {
  EpilogueStepInfo info;
  EpilogueStep::Build build;
  StepOperand operand = StepOperand::None;
  /// Defaults of the numbers behind the colons; NaN where one must be given.
  std::initializer_list<double> numbers = {};
};
} // namespace

static constexpr double kRequired = std::numeric_limits<double>::quiet_NaN();

static const StepRow kSteps[] = {
    {{"relu", "max(x, 0)"}, relu},
    {{"leaky_relu:SLOPE", "x above 0, SLOPE*x below (0.01)"},
     leakyRelu,
     StepOperand::None,
     {0.01}},
    {{"elu:ALPHA", "x above 0, ALPHA*(exp(x)-1) below (1)"},
     elu,
     StepOperand::None,
     {1}},
    {{"gelu", "x*(1+erf(x/sqrt(2)))/2"}, gelu},
    {{"gelu_tanh", "GELU's approximation by tanh"}, geluTanh},
    {{"silu", "x*sigmoid(x)"}, silu},
    {{"sigmoid", "1/(1+exp(-x))"}, sigmoid},
    {{"tanh", "tanh(x)"}, hyperbolicTangent},
    {{"softplus", "log(1+exp(x))"}, softplus},
    {{"mish", "x*tanh(softplus(x))"}, mish},
    {{"hardsigmoid", "clamp(x+3, 0, 6)/6"}, hardSigmoid},
    {{"hardswish", "x*hardsigmoid(x)"}, hardSwish},
    {{"clamp:LOW:HIGH", "x within [LOW, HIGH] (-1, 1)"},
     clampTo,
     StepOperand::None,
     {-1, 1}},
    {{"add:NUMBER", "x + NUMBER"}, addNumber, StepOperand::None, {kRequired}},
    {{"mul:NUMBER", "x * NUMBER"}, mulNumber, StepOperand::None, {kRequired}},
    {{"add_tensor", "x + z, z of the output's shape"},
     addOperand,
     StepOperand::Tensor},
    {{"mul_tensor", "x * z, z of the output's shape"},
     mulOperand,
     StepOperand::Tensor},
    {{"add_channel", "x + z, z one value per output channel"},
     addOperand,
     StepOperand::Channel},
    {{"mul_channel", "x * z, z one value per output channel"},
     mulOperand,
     StepOperand::Channel},
};

llvm::ArrayRef<EpilogueStepInfo> ctc::epilogueSteps() {
  static const auto infos =
      llvm::map_to_vector(kSteps, [](const StepRow &row) { return row.info; });
  return infos;
}

static tl::unexpected<Error> badStep(llvm::StringRef text,
                                     const llvm::Twine &legal) {
  return makeError(ErrorCode::Usage,
                   ("epilogue step is '" + text + "', must be " + legal).str());
}

Expected<EpilogueStep> ctc::parseEpilogueStep(llvm::StringRef text) {
  const auto [name, rest] = text.split(':');
  const StepRow *row = llvm::find_if(kSteps, [&](const StepRow &candidate) {
    return candidate.info.spelling.split(':').first == name;
  });
  if (row == std::end(kSteps))
    return badStep(
        text, "one of " +
                  llvm::join(llvm::map_range(epilogueSteps(),
                                             [](const EpilogueStepInfo &info) {
                                               return info.spelling;
                                             }),
                             ", "));
  EpilogueStep step{row->operand, row->numbers, row->build};
  if (text.contains(':') && step.numbers.empty())
    return makeError(ErrorCode::Usage, ("epilogue step is '" + text + "', " +
                                        name + " takes no number")
                                           .str());
  llvm::SmallVector<llvm::StringRef> given;
  if (text.contains(':'))
    rest.split(given, ':');
  bool legal = given.size() <= step.numbers.size();
  for (size_t i = 0; legal && i < given.size(); ++i)
    legal = !given[i].getAsDouble(step.numbers[i]) &&
            std::isfinite(static_cast<float>(step.numbers[i]));
  if (!legal || llvm::any_of(step.numbers, [](double n) { return n != n; }))
    return badStep(text,
                   row->info.spelling + " with finite numbers in their places");
  if (row->build == clampTo && step.numbers[0] > step.numbers[1])
    return badStep(text, row->info.spelling + " with LOW at most HIGH");
  return step;
}
