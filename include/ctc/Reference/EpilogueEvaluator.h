//===- EpilogueEvaluator.h - Epilogues over intervals -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Applies an epilogue in float64 to an interval of accumulators, widening by
// what each operation may err on the device (Interval.h). Nodes are resolved
// once, so that evaluating an element only calls functions.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_EPILOGUEEVALUATOR_H
#define CTC_REFERENCE_EPILOGUEEVALUATOR_H

#include "ctc/Reference/Interval.h"

namespace ctc {

class EpilogueEvaluator {
public:
  /// Fails with InvalidProblem on an operation the reference does not know or
  /// that does not fit its operands.
  static Expected<EpilogueEvaluator> create(const Epilogue &epilogue);

  /// What the output's element may be before it is rounded to the output's
  /// type. `arguments` holds the accumulator and one element per extra
  /// operand. `scratch` is reused between calls; each thread has its own.
  Interval evaluate(std::span<const Interval> arguments,
                    std::vector<Interval> &scratch) const;

private:
  /// A resolved node; `function` reads its operands from the values before it.
  struct Node {
    Interval (*function)(const Node &node, const Interval *values);
    uint32_t operands[3] = {0, 0, 0};
    const MathFunction *math = nullptr;
    Predicate predicate{};
    Interval constant;
    /// Whether the result is rounded to `format`.
    bool rounds = false;
    FloatFormat format = kF32;
  };
  struct Operation;

  static std::span<const Operation> operations();
  static Expected<Node> resolve(const EpilogueNode &node, size_t index);

  size_t argumentCount = 1;
  std::vector<Node> nodes; ///< After the arguments.
  uint32_t result = 0;
};

} // namespace ctc

#endif // CTC_REFERENCE_EPILOGUEEVALUATOR_H
