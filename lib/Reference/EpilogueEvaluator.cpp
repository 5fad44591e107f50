//===- EpilogueEvaluator.cpp - Epilogues over intervals -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/EpilogueEvaluator.h"

#include <array>

using namespace ctc;

/// An operation of fixed arity other than the unary functions of Interval.h.
struct EpilogueEvaluator::Operation {
  std::string_view name;
  size_t arity;
  bool rounds;
  Interval (*function)(const Node &, const Interval *);
};

static FloatFormat scalarFormat(ScalarType type) {
  switch (type) {
  case ScalarType::F16:
    return kF16;
  case ScalarType::BF16:
    return kBF16;
  case ScalarType::F32:
  case ScalarType::I1:
    return kF32;
  }
  return kF32;
}

std::span<const EpilogueEvaluator::Operation> EpilogueEvaluator::operations() {
  using Values = const Interval *;
  static const std::array<Operation, 18> table{{
      {"arith.addf", 2, true,
       [](const Node &n, Values v) {
         return add(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.subf", 2, true,
       [](const Node &n, Values v) {
         return subtract(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.mulf", 2, true,
       [](const Node &n, Values v) {
         return multiply(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.divf", 2, true,
       [](const Node &n, Values v) {
         return divide(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"math.fma", 3, true,
       [](const Node &n, Values v) {
         return add(multiply(v[n.operands[0]], v[n.operands[1]]),
                    v[n.operands[2]]);
       }},
      {"math.powf", 2, true,
       [](const Node &n, Values v) {
         return power(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.truncf", 1, true,
       [](const Node &n, Values v) { return v[n.operands[0]]; }},
      {"arith.extf", 1, false,
       [](const Node &n, Values v) { return v[n.operands[0]]; }},
      {"arith.negf", 1, false,
       [](const Node &n, Values v) { return negate(v[n.operands[0]]); }},
      {"math.absf", 1, false,
       [](const Node &n, Values v) { return absolute(v[n.operands[0]]); }},
      {"math.floor", 1, false,
       [](const Node &n, Values v) { return floorOf(v[n.operands[0]]); }},
      {"math.ceil", 1, false,
       [](const Node &n, Values v) { return ceilOf(v[n.operands[0]]); }},
      {"arith.maximumf", 2, false,
       [](const Node &n, Values v) {
         return maximum(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.minimumf", 2, false,
       [](const Node &n, Values v) {
         return minimum(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.maxnumf", 2, false,
       [](const Node &n, Values v) {
         return maximumNumber(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.minnumf", 2, false,
       [](const Node &n, Values v) {
         return minimumNumber(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"math.copysign", 2, false,
       [](const Node &n, Values v) {
         return copySign(v[n.operands[0]], v[n.operands[1]]);
       }},
      {"arith.select", 3, false,
       [](const Node &n, Values v) {
         return ctc::select(v[n.operands[0]], v[n.operands[1]],
                            v[n.operands[2]]);
       }},
  }};
  return table;
}

Expected<EpilogueEvaluator::Node>
EpilogueEvaluator::resolve(const EpilogueNode &node, size_t index) {
  Node resolved{};
  size_t arity = 0;
  if (node.name == "arith.constant") {
    resolved.constant = Interval::exactly(node.constant);
    resolved.function = [](const Node &n, const Interval *) {
      return n.constant;
    };
  } else if (node.name == "arith.cmpf") {
    const auto predicate = parsePredicate(node.predicate);
    if (!predicate)
      return makeError(ErrorCode::InvalidProblem,
                       "epilogue compares with predicate '" + node.predicate +
                           "', must be one of arith.cmpf's");
    arity = 2;
    resolved.predicate = *predicate;
    resolved.function = [](const Node &n, const Interval *v) {
      return compare(n.predicate, v[n.operands[0]], v[n.operands[1]]);
    };
  } else {
    for (const Operation &operation : operations())
      if (operation.name == node.name) {
        resolved.function = operation.function;
        resolved.rounds = operation.rounds;
        arity = operation.arity;
      }
    for (const MathFunction &math : mathFunctions())
      if (math.name == node.name) {
        resolved.math = &math;
        resolved.function = [](const Node &n, const Interval *v) {
          return apply(*n.math, v[n.operands[0]]);
        };
        resolved.rounds = true;
        arity = 1;
      }
    if (!resolved.function)
      return makeError(ErrorCode::InvalidProblem,
                       "epilogue operation '" + node.name +
                           "' has no reference; docs/Numerics.md lists those "
                           "that have one");
  }
  bool fits = node.operands.size() == arity;
  for (size_t i = 0; fits && i < arity; ++i) {
    fits = node.operands[i] < index;
    resolved.operands[i] = node.operands[i];
  }
  if (!fits)
    return makeError(ErrorCode::InvalidProblem,
                     "epilogue operation '" + node.name + "' at node " +
                         std::to_string(index) + " must have " +
                         std::to_string(arity) + " operands before it");
  resolved.format = scalarFormat(node.type);
  return resolved;
}

Expected<EpilogueEvaluator>
EpilogueEvaluator::create(const Epilogue &epilogue) {
  EpilogueEvaluator evaluator;
  evaluator.argumentCount = 1 + epilogue.operands.size();
  evaluator.result = epilogue.nodes.empty() ? 0 : epilogue.result;
  for (size_t i = evaluator.argumentCount; i < epilogue.nodes.size(); ++i) {
    auto node = resolve(epilogue.nodes[i], i);
    if (!node)
      return tl::unexpected(node.error());
    evaluator.nodes.push_back(*node);
  }
  if (evaluator.result >= evaluator.argumentCount + evaluator.nodes.size())
    return makeError(
        ErrorCode::InvalidProblem,
        "epilogue's result is node " + std::to_string(evaluator.result) +
            ", must be below " +
            std::to_string(evaluator.argumentCount + evaluator.nodes.size()));
  return evaluator;
}

Interval EpilogueEvaluator::evaluate(std::span<const Interval> arguments,
                                     std::vector<Interval> &scratch) const {
  scratch.assign(arguments.begin(), arguments.end());
  scratch.resize(argumentCount + nodes.size());
  Interval *values = scratch.data();
  Interval *next = values + argumentCount;
  for (const Node &node : nodes) {
    *next = node.function(node, values);
    if (node.rounds)
      *next = withRounding(*next, node.format);
    ++next;
  }
  return values[result];
}
