//===- Epilogue.h - The elementwise tail of a layer as data -----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The epilogue region of ctc.conv_transpose as a list of nodes in SSA order, so
// that the reference can apply in float64 what the kernel applies in f32
// without knowing MLIR. Node 0 is always the accumulator (f32, bias added);
// nodes 1 to E are the elements of the E extra operands. The value of node
// `result`, rounded once, is the output.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_EPILOGUE_H
#define CTC_SUPPORT_EPILOGUE_H

#include "ctc/Support/Problem.h"

#include <bit>

namespace ctc {

/// Type of an epilogue value: a float type or a truth value.
enum class ScalarType : uint8_t { F32, F16, BF16, I1 };

/// An elementwise operation. `name` is the MLIR operation's full name
/// ("arith.addf", "math.erf", ...), "argument" or "arith.constant".
struct EpilogueNode {
  std::string name;
  ScalarType type = ScalarType::F32;
  std::vector<uint32_t> operands; ///< Indices of earlier nodes.
  double constant = 0;            ///< arith.constant only.
  std::string predicate;          ///< arith.cmpf only: "ogt", "une", ...

  /// Constants are equal by their bits, since a NaN may be one.
  bool operator==(const EpilogueNode &other) const {
    return name == other.name && type == other.type &&
           operands == other.operands && predicate == other.predicate &&
           std::bit_cast<uint64_t>(constant) ==
               std::bit_cast<uint64_t>(other.constant);
  }
};

/// An extra operand of the epilogue and how its elements meet the output's.
struct EpilogueOperand {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape; ///< kDynamic where it is the batch.
  /// For each dimension of `shape`, the dimension of the output (in the
  /// output's memory order) it runs along, or -1 where it is a broadcast of
  /// size 1.
  std::vector<int32_t> outputDims;

  bool operator==(const EpilogueOperand &) const = default;
};

struct Epilogue {
  std::vector<EpilogueOperand> operands;
  /// Empty when the output is just the rounded accumulator.
  std::vector<EpilogueNode> nodes;
  /// Which node is the result; ignored when `nodes` is empty.
  uint32_t result = 0;

  bool operator==(const Epilogue &) const = default;
};

} // namespace ctc

#endif // CTC_SUPPORT_EPILOGUE_H
