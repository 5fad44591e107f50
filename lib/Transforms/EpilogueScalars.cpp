//===- EpilogueScalars.cpp - One element of an elementwise op -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EpilogueScalars.h"
#include "TosaScalars.h"

#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace ctc;

using Operands = SmallVector<ElementwiseOperand>;

Type ScalarWidth::compute(Type type) const {
  return narrow && type == narrow ? Float32Type::get(type.getContext()) : type;
}

Value ScalarWidth::widen(OpBuilder &builder, Value value) const {
  const Type type = compute(value.getType());
  if (type == value.getType())
    return value;
  return arith::ExtFOp::create(builder, value.getLoc(), type, value);
}

static std::string quoted(Operation *op) {
  return "'" + op->getName().getStringRef().str() + "'";
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// A linalg operation whose loops are the dimensions of its one result, in any
/// order. Operands that the payload ignores are left out.
static FailureOr<Operands> linalgOperands(linalg::LinalgOp op,
                                          std::string &reason) {
  if (op.getNumParallelLoops() != op.getNumLoops()) {
    reason = quoted(op) + " reduces";
    return failure();
  }
  if (op.getNumDpsInits() != 1) {
    reason = quoted(op) + " has " + std::to_string(op.getNumDpsInits()) +
             " results, must have one";
    return failure();
  }
  const AffineMap result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!result.isPermutation()) {
    reason = quoted(op) + " does not write each element once";
    return failure();
  }
  const AffineMap loops = inversePermutation(result);
  Operands operands;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!op.payloadUsesValueFromOperand(&operand))
      continue;
    const AffineMap map = op.getMatchingIndexingMap(&operand).compose(loops);
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true)) {
      reason = quoted(op) + " indexes an operand by more than a permutation";
      return failure();
    }
    operands.push_back({operand.get(), map});
  }
  return operands;
}

/// An operation of arith or math on tensors: all operands have the result's
/// shape, or are scalars.
static Operands arithOperands(Operation *op, int64_t rank) {
  Operands operands;
  for (Value value : op->getOperands())
    operands.push_back(
        {value, isa<ShapedType>(value.getType())
                    ? AffineMap::getMultiDimIdentityMap(rank, op->getContext())
                    : AffineMap::get(rank, 0, op->getContext())});
  return operands;
}

FailureOr<Operands> ctc::elementwiseOperands(Operation *op,
                                             std::string &reason) {
  if (op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType())) {
    reason = quoted(op) + " does not result in one ranked tensor";
    return failure();
  }
  const auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (auto generic = dyn_cast<linalg::LinalgOp>(op))
    return linalgOperands(generic, reason);
  if (OpTrait::hasElementwiseMappableTraits(op))
    return arithOperands(op, type.getRank());
  if (isTosaElementwise(op))
    return tosaOperands(op, type, reason);
  reason = quoted(op) + " is not elementwise";
  return failure();
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

/// A constant in the type it is computed in; nothing for anything else.
static Value cloneConstant(OpBuilder &builder, Operation *op,
                           ScalarWidth width) {
  FloatAttr value;
  if (!matchPattern(op, m_Constant(&value)))
    return {};
  return arith::ConstantOp::create(
      builder, op->getLoc(),
      FloatAttr::get(width.compute(value.getType()), value.getValueAsDouble()));
}

/// The operation on scalars, in the types that `width` computes in.
static FailureOr<Value> cloneScalar(OpBuilder &builder, Operation *op,
                                    ValueRange elements, ScalarWidth width,
                                    std::string &reason) {
  if (op->getNumResults() != 1 || op->getNumRegions() != 0) {
    reason = "holds " + quoted(op);
    return failure();
  }
  if (Value constant = cloneConstant(builder, op, width))
    return constant;
  const Type type =
      width.compute(getElementTypeOrSelf(op->getResult(0).getType()));
  if (isa<arith::ExtFOp, arith::TruncFOp>(op) && elements[0].getType() == type)
    return elements[0];
  IRMapping mapping;
  for (auto [operand, element] : llvm::zip_equal(op->getOperands(), elements))
    mapping.map(operand, element);
  Operation *scalar = builder.clone(*op, mapping);
  scalar->getResult(0).setType(type);
  reason = ir::explainEpilogueOp(scalar);
  if (!reason.empty())
    return failure();
  return scalar->getResult(0);
}

/// A value of the payload: already computed, or a constant from outside.
static Value payloadValue(OpBuilder &builder, Value value, IRMapping &values,
                          ScalarWidth width) {
  if (Value known = values.lookupOrNull(value))
    return known;
  Operation *constant = value.getDefiningOp();
  if (!constant || !constant->hasTrait<OpTrait::ConstantLike>())
    return {};
  Value clone = cloneConstant(builder, constant, width);
  if (clone)
    values.map(value, clone);
  return clone;
}

static FailureOr<Value> buildPayload(OpBuilder &builder, linalg::LinalgOp op,
                                     ValueRange elements, ScalarWidth width,
                                     std::string &reason) {
  IRMapping values;
  size_t index = 0;
  for (OpOperand &operand : op->getOpOperands())
    if (op.payloadUsesValueFromOperand(&operand))
      values.map(op.getMatchingBlockArgument(&operand), elements[index++]);
  auto outside = [&](Operation &inner) {
    reason = quoted(op) + " uses a value from outside in " + quoted(&inner);
    return failure();
  };
  for (Operation &inner : op.getBlock()->without_terminator()) {
    SmallVector<Value> arguments;
    for (Value operand : inner.getOperands()) {
      arguments.push_back(payloadValue(builder, operand, values, width));
      if (!arguments.back())
        return outside(inner);
    }
    auto result = cloneScalar(builder, &inner, arguments, width, reason);
    if (failed(result))
      return failure();
    values.map(inner.getResult(0), *result);
  }
  Operation *yield = op.getBlock()->getTerminator();
  if (Value result = payloadValue(builder, yield->getOperand(0), values, width))
    return result;
  return outside(*yield);
}

FailureOr<Value> ctc::buildScalar(OpBuilder &builder, Operation *op,
                                  ValueRange elements, ScalarWidth width,
                                  std::string &reason) {
  if (auto generic = dyn_cast<linalg::LinalgOp>(op))
    return buildPayload(builder, generic, elements, width, reason);
  if (isTosaElementwise(op))
    return buildTosaScalar(builder, op, elements, width, reason);
  return cloneScalar(builder, op, elements, width, reason);
}

bool ctc::allowsContraction(Operation *op) {
  WalkResult result = op->walk([](arith::ArithFastMathInterface inner) {
    return bitEnumContainsAll(inner.getFastMathFlagsAttr().getValue(),
                              arith::FastMathFlags::contract)
               ? WalkResult::advance()
               : WalkResult::interrupt();
  });
  return !result.wasInterrupted() &&
         (isa<linalg::LinalgOp, arith::ArithFastMathInterface>(op));
}
