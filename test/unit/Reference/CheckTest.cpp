//===- CheckTest.cpp - Is this output right? ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Check.h"
#include "HostProducer.h"
#include "ctc/Reference/Fill.h"
#include "ctc/Support/Float.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace ctc;
using namespace ctc::test;

namespace {
Problem layer(ElementType type, Precision precision = Precision::TF32) {
  Problem problem{2, 6, 8, 2, {{5, 3, 2, 1, 1, 0, 1}, {4, 3, 2, 1, 0, 1, 0}}};
  problem.type = type;
  problem.precision = precision;
  problem.bias = true;
  return problem;
}

CheckReport run(const Problem &problem, Fill fill, Mutant mutant,
                Arithmetic arithmetic = Arithmetic::FMA) {
  const auto inputs = *makeInputs(problem, {}, {fill, 5, {}});
  const bool exact = fill == Fill::Exact;
  const Accumulation reference =
      accumulate(problem, inputs, {.magnitude = !exact});
  CheckOptions options;
  if (!exact)
    options.error = accumulationError(arithmetic, problem);
  return *check(problem, {}, reference, {}, produce(problem, inputs, mutant),
                options);
}

struct Kind {
  ElementType type;
  Precision precision;
};
constexpr Kind kKinds[] = {{ElementType::F32, Precision::IEEE},
                           {ElementType::F32, Precision::TF32},
                           {ElementType::F16, Precision::TF32},
                           {ElementType::BF16, Precision::TF32}};

/// Fills that reject a mutant in a layer of the given kind.
std::string rejectedBy(Mutant mutant, Kind kind) {
  std::string names;
  for (Fill fill : {Fill::Exact, Fill::Random}) {
    const auto report = run(layer(kind.type, kind.precision), fill, mutant);
    if (!report.passed())
      names += std::string(names.empty() ? "" : " ") + std::string(name(fill));
  }
  return names;
}

EpilogueNode node(std::string name, std::vector<uint32_t> operands,
                  ScalarType type = ScalarType::F32) {
  return {std::move(name), type, std::move(operands), 0, ""};
}

EpilogueNode constant(double value) {
  return {"arith.constant", ScalarType::F32, {}, value, ""};
}

/// x * 0.5 * (1 + erf(x / sqrt 2)).
Epilogue gelu() {
  Epilogue epilogue;
  epilogue.nodes = {node("argument", {}),
                    constant(0.70710676908493042),
                    constant(0.5),
                    constant(1),
                    node("arith.mulf", {0, 1}),
                    node("math.erf", {4}),
                    node("arith.addf", {5, 3}),
                    node("arith.mulf", {0, 2}),
                    node("arith.mulf", {7, 6})};
  epilogue.result = 8;
  return epilogue;
}

float geluOf(float x) {
  return 0.5f * x * (1 + std::erf(x * 0.70710676908493042f));
}

float geluTanhOf(float x) {
  return 0.5f * x *
         (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
}

/// The layer's output in f32, an epilogue applied on the host.
template <typename Function>
CheckReport runEpilogue(const Epilogue &epilogue, ElementType outputType,
                        const Function &function) {
  Problem problem = layer(outputType, Precision::TF32);
  const auto inputs = *makeInputs(problem, epilogue, {Fill::Random, 5, {}});
  const Accumulation reference =
      accumulate(problem, inputs, {.magnitude = true});
  Tensor output(problem.type, problem.outputShape());
  for (int64_t i = 0; i < output.count(); ++i)
    output.set(i, function(static_cast<float>(reference.value[i])));
  return *check(problem, epilogue, reference, inputs.operands, output,
                {accumulationError(Arithmetic::FMA, problem), 0});
}
} // namespace

TEST(Check, TheRightResultPasses) {
  for (const Kind &kind : kKinds)
    for (Fill fill : {Fill::Exact, Fill::Random}) {
      const auto report =
          run(layer(kind.type, kind.precision), fill, Mutant::None);
      EXPECT_TRUE(report.passed()) << report.summary();
      EXPECT_LE(report.worstRatio, 1.0);
      if (fill == Fill::Random)
        EXPECT_GT(report.worstRatio, 0.01);
      EXPECT_GT(report.nonZeroFraction(), 0.95);
      EXPECT_GT(report.withTaps, 0);
    }
}

TEST(Check, MutantsFail) {
  for (const Kind &kind : kKinds)
    for (Mutant mutant : {Mutant::DroppedTap, Mutant::ShiftedPhase,
                          Mutant::UnwrittenElement, Mutant::ShiftedBias})
      EXPECT_EQ(rejectedBy(mutant, kind), "exact random")
          << name(kind.type) << " mutant " << int(mutant);
}

TEST(Check, MutantsOfRoundingFail) {
  constexpr Kind ieee = kKinds[0], tf32 = kKinds[1], f16 = kKinds[2],
                 bf16 = kKinds[3];
  EXPECT_EQ(rejectedBy(Mutant::BF16Operands, ieee), "exact random");
  EXPECT_EQ(rejectedBy(Mutant::BF16Operands, tf32), "exact random");
  EXPECT_EQ(rejectedBy(Mutant::BF16Operands, f16), "exact random");
  // Exact fills fit tf32, so only the random one can tell.
  EXPECT_EQ(rejectedBy(Mutant::TruncatedOperands, tf32), "random");
  EXPECT_EQ(rejectedBy(Mutant::TruncatedResult, f16), "exact random");
  EXPECT_EQ(rejectedBy(Mutant::TruncatedResult, bf16), "exact random");
  EXPECT_EQ(rejectedBy(Mutant::HalfSum, ieee), "exact random");
  EXPECT_EQ(rejectedBy(Mutant::HalfSum, f16), "exact random");
}

TEST(Check, TF32IsNotIEEE) {
  // Rounding to tf32 where the layer says ieee must show, and the reverse.
  const Problem ieee = layer(ElementType::F32, Precision::IEEE);
  const Problem tf32 = layer(ElementType::F32, Precision::TF32);
  const auto inputs = *makeInputs(ieee, {}, {Fill::Random, 5, {}});
  for (const auto &[claimed, computed] :
       {std::pair{&ieee, &tf32}, std::pair{&tf32, &ieee}}) {
    const auto reference = accumulate(*claimed, inputs, {.magnitude = true});
    const auto report =
        *check(*claimed, {}, reference, {}, produce(*computed, inputs),
               {accumulationError(Arithmetic::MatrixUnit, *claimed), 0});
    EXPECT_FALSE(report.passed());
  }
}

TEST(Check, NamesTheFirstWrongOutput) {
  const Problem problem = layer(ElementType::F32, Precision::IEEE);
  const auto inputs = *makeInputs(problem, {}, {Fill::Exact, 5, {}});
  const Accumulation reference = accumulate(problem, inputs);
  Tensor output = produce(problem, inputs);
  const int64_t at = output.count() / 2;
  output.set(at, 77);
  output.set(at + 1, NAN);
  const auto report = *check(problem, {}, reference, {}, output, {});
  EXPECT_EQ(report.wrong, 2);
  EXPECT_EQ(report.nan, 1);
  ASSERT_TRUE(report.first);
  EXPECT_EQ(report.first->index, (std::vector<int64_t>{1, 0, 0, 0}));
  char expected[160];
  std::snprintf(expected, sizeof(expected),
                "2 of %lld outputs wrong (1 NaN); the first is y[1,0,0,0] = "
                "77, must be in [%.9g, %.9g]",
                static_cast<long long>(output.count()), report.first->lo,
                report.first->lo);
  EXPECT_EQ(report.summary(), expected);
}

TEST(Check, OutputsWithoutTapsAreExactlyTheBias) {
  // Kernel < stride: two of three outputs have no tap.
  Problem problem{1, 2, 2, 1, {{4, 1, 3, 1, 0, 0, 0}}};
  problem.precision = Precision::IEEE;
  problem.bias = true;
  const auto inputs = *makeInputs(problem, {}, {Fill::Random, 5, {}});
  const auto reference = accumulate(problem, inputs, {.magnitude = true});
  const CheckOptions options{accumulationError(Arithmetic::FMA, problem), 0};
  Tensor output = produce(problem, inputs);
  auto report = *check(problem, {}, reference, {}, output, options);
  EXPECT_TRUE(report.passed()) << report.summary();
  EXPECT_EQ(report.withTaps, 8);
  output.set(1, std::nextafter(static_cast<float>(output.get(1)), 2.0f));
  report = *check(problem, {}, reference, {}, output, options);
  EXPECT_EQ(report.wrong, 1);
}

TEST(Check, ErrorsByArithmeticAndPrecision) {
  Problem problem = layer(ElementType::F32, Precision::TF32);
  auto error = accumulationError(Arithmetic::FMA, problem);
  EXPECT_EQ(error.unit, 0x1p-24);
  EXPECT_EQ(error.extra, 2);
  problem.precision = Precision::TF32x3;
  error = accumulationError(Arithmetic::MatrixUnit, problem);
  EXPECT_EQ(error.unit, 0x1p-23);
  EXPECT_EQ(error.extra, 13);
}

TEST(Check, EpilogueWithinItsUlps) {
  for (const Kind &kind : kKinds) {
    const auto report = runEpilogue(gelu(), kind.type, geluOf);
    EXPECT_TRUE(report.passed()) << name(kind.type) << report.summary();
  }
  EXPECT_FALSE(runEpilogue(gelu(), ElementType::F32, geluTanhOf).passed());
  EXPECT_FALSE(runEpilogue(gelu(), ElementType::F16, geluTanhOf).passed());
  EXPECT_FALSE(runEpilogue(gelu(), ElementType::F32, [](float x) {
                 return x;
               }).passed());
}

TEST(Check, OperandsMeetTheirOutputs) {
  // y = acc + z, z per channel and per row of the output.
  for (Layout layout : {Layout::ChannelsFirst, Layout::ChannelsLast}) {
    Problem problem = layer(ElementType::F32, Precision::IEEE);
    problem.layout = layout;
    const bool first = layout == Layout::ChannelsFirst;
    const std::vector<int64_t> shape = problem.outputShape();
    const size_t channelDim = first ? 1 : 3, rowDim = first ? 2 : 1;
    Epilogue epilogue;
    epilogue.operands.push_back({"z",
                                 ElementType::F32,
                                 {shape[channelDim], 1, shape[rowDim]},
                                 {int32_t(channelDim), -1, int32_t(rowDim)}});
    epilogue.nodes = {node("argument", {}), node("argument", {}),
                      node("arith.addf", {0, 1})};
    epilogue.result = 2;
    const auto inputs = *makeInputs(problem, epilogue, {Fill::Exact, 5, {}});
    const auto reference = accumulate(problem, inputs);
    Tensor output = produce(problem, inputs);
    for (int64_t i = 0; i < output.count(); ++i) {
      std::vector<int64_t> at(4);
      for (int64_t d = 3, rest = i; d >= 0; rest /= shape[d--])
        at[d] = rest % shape[d];
      output.set(i, output.get(i) +
                        inputs.operands[0].get(at[channelDim] * shape[rowDim] +
                                               at[rowDim]));
    }
    auto report =
        *check(problem, epilogue, reference, inputs.operands, output, {});
    EXPECT_TRUE(report.passed()) << report.summary();
    report = *check(problem, epilogue, reference, inputs.operands,
                    produce(problem, inputs), {});
    EXPECT_FALSE(report.passed());
  }
}

TEST(Check, InfinityInTheInputMustComeOut) {
  Problem problem{1, 1, 1, 1, {{3, 1, 1, 1, 0, 0, 0}}};
  problem.precision = Precision::IEEE;
  auto inputs = *makeInputs(problem, {}, {Fill::Random, 5, {}});
  inputs.input.set(1, std::numeric_limits<double>::infinity());
  inputs.weight.set(0, 2);
  const Accumulation reference =
      accumulate(problem, inputs, {.magnitude = true});
  CheckOptions options;
  options.error = accumulationError(Arithmetic::FMA, problem);
  Tensor output = produce(problem, inputs, Mutant::None);
  auto right = check(problem, {}, reference, {}, output, options);
  ASSERT_TRUE(right);
  EXPECT_EQ(right->summary(), "0 of 3 outputs wrong");
  output.set(1, 1);
  auto wrong = check(problem, {}, reference, {}, output, options);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->summary(),
            "1 of 3 outputs wrong; the first is y[0,0,1] = 1, "
            "must be in [inf, inf]");
}

TEST(Check, NaNInTheInputDecidesNothing) {
  Problem problem{1, 1, 1, 1, {{3, 1, 1, 1, 0, 0, 0}}};
  problem.precision = Precision::IEEE;
  auto inputs = *makeInputs(problem, {}, {Fill::Random, 5, {}});
  inputs.input.set(1, std::numeric_limits<double>::quiet_NaN());
  const Accumulation reference =
      accumulate(problem, inputs, {.magnitude = true});
  CheckOptions options;
  options.error = accumulationError(Arithmetic::FMA, problem);
  auto report = check(problem, {}, reference, {},
                      produce(problem, inputs, Mutant::None), options);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->summary(), "0 of 3 outputs wrong; 1 not decided, since the "
                               "reference is not finite");
  EXPECT_TRUE(report->passed());
  for (int64_t i : {0, 2})
    inputs.input.set(i, std::numeric_limits<double>::infinity());
  report = check(problem, {}, accumulate(problem, inputs, {.magnitude = true}),
                 {}, produce(problem, inputs, Mutant::None), options);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->undecided, 1) << "an infinity is a value to compare with";
  EXPECT_TRUE(report->passed());
  for (int64_t i : {0, 2})
    inputs.input.set(i, std::numeric_limits<double>::quiet_NaN());
  report = check(problem, {}, accumulate(problem, inputs, {.magnitude = true}),
                 {}, produce(problem, inputs, Mutant::None), options);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->undecided, 3);
  EXPECT_EQ(report->summary(),
            "none of 3 outputs decided, since the reference is finite for "
            "none: NaN or infinities went in, or sums may overflow");
  EXPECT_FALSE(report->passed());
  // Without outputs there is nothing to decide.
  EXPECT_TRUE(CheckReport().passed());
}

TEST(Check, RefusesUnknownEpilogues) {
  const Problem problem = layer(ElementType::F32);
  auto messageOf = [&](std::vector<EpilogueNode> nodes) {
    Epilogue epilogue;
    epilogue.nodes = std::move(nodes);
    epilogue.result = static_cast<uint32_t>(epilogue.nodes.size()) - 1;
    auto report = check(problem, epilogue, {}, {},
                        Tensor(problem.type, problem.outputShape()), {});
    return report ? "no error" : report.error().message;
  };
  EXPECT_EQ(messageOf({node("argument", {}), node("math.atan", {0})}),
            "epilogue operation 'math.atan' has no reference; docs/Numerics.md "
            "lists those that have one");
  EXPECT_EQ(messageOf({node("argument", {}), node("arith.addf", {0})}),
            "epilogue operation 'arith.addf' at node 1 must have 2 operands "
            "before it");
  EXPECT_EQ(messageOf({node("argument", {}), node("arith.addf", {0, 1})}),
            "epilogue operation 'arith.addf' at node 1 must have 2 operands "
            "before it");
  EpilogueNode cmp = node("arith.cmpf", {0, 0}, ScalarType::I1);
  cmp.predicate = "gt";
  EXPECT_EQ(messageOf({node("argument", {}), cmp}),
            "epilogue compares with predicate 'gt', must be one of "
            "arith.cmpf's");
}
