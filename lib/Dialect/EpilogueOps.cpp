//===- EpilogueOps.cpp - What may stand in an epilogue --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace ctc;
using namespace ctc::ir;

// Elementwise float operations that have a float64 meaning in the reference and
// a lowering to NVVM or libdevice. Sorted, because messages list them.
static constexpr llvm::StringLiteral kEpilogueOps[] = {
    "arith.addf",    "arith.cmpf",     "arith.constant", "arith.divf",
    "arith.extf",    "arith.maximumf", "arith.maxnumf",  "arith.minimumf",
    "arith.minnumf", "arith.mulf",     "arith.negf",     "arith.select",
    "arith.subf",    "arith.truncf",   "math.absf",      "math.ceil",
    "math.copysign", "math.cos",       "math.erf",       "math.exp",
    "math.exp2",     "math.expm1",     "math.floor",     "math.fma",
    "math.log",      "math.log1p",     "math.log2",      "math.powf",
    "math.rsqrt",    "math.sin",       "math.sqrt",      "math.tanh"};

static bool isEpilogueType(Type type) {
  return type.isF32() || type.isF16() || type.isBF16() || type.isInteger(1);
}

std::string ir::explainEpilogueOp(Operation *op) {
  std::string reason;
  llvm::raw_string_ostream os(reason);
  if (!llvm::is_contained(kEpilogueOps, op->getName().getStringRef())) {
    os << "holds '" << op->getName() << "', must be one of "
       << listEpilogueOps();
    return reason;
  }
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (!isEpilogueType(type)) {
        os << "holds '" << op->getName() << "' on type " << type
           << ", must be f32, f16, bf16 or i1";
        return reason;
      }
  // The reference and the lowering to NVVM know no other rounding.
  if (auto truncate = dyn_cast<arith::TruncFOp>(op))
    if (auto mode = truncate.getRoundingmode();
        mode && *mode != arith::RoundingMode::to_nearest_even)
      os << "rounds " << arith::stringifyRoundingMode(*mode)
         << ", must round to_nearest_even";
  return reason;
}

std::string ir::listEpilogueOps() {
  return llvm::join(ArrayRef(kEpilogueOps), ", ");
}

LogicalResult ir::verifyEpilogue(Operation *op, Region &region,
                                 ArrayRef<Type> extraTypes) {
  if (region.empty())
    return success();
  Block &block = region.front();
  SmallVector<Type> expected{Float32Type::get(op->getContext())};
  llvm::append_range(expected, extraTypes);
  if (TypeRange(block.getArgumentTypes()) != TypeRange(expected))
    return op->emitOpError("epilogue takes (")
           << block.getArgumentTypes() << "), must take (" << expected
           << "): the accumulator and one element of each extra operand";
  for (Operation &inner : block.without_terminator())
    if (std::string reason = explainEpilogueOp(&inner); !reason.empty()) {
      auto diagnostic = op->emitOpError("epilogue ") << reason;
      diagnostic.attachNote(inner.getLoc()) << "here";
      return diagnostic;
    }
  if (!isa<YieldOp>(block.getTerminator()))
    return op->emitOpError("epilogue ends with '")
           << block.getTerminator()->getName() << "', must end with ctc.yield";
  return success();
}

ElementType ir::elementType(Type type) {
  const Type element = getElementTypeOrSelf(type);
  if (element.isF16())
    return ElementType::F16;
  return element.isBF16() ? ElementType::BF16 : ElementType::F32;
}

static ScalarType scalarType(Type type) {
  if (type.isInteger(1))
    return ScalarType::I1;
  return static_cast<ScalarType>(elementType(type));
}

static_assert(int(ScalarType::F16) == int(ElementType::F16) &&
              int(ScalarType::BF16) == int(ElementType::BF16));

static EpilogueOperand exportOperand(Value value, AffineMap map,
                                     unsigned index) {
  EpilogueOperand operand;
  operand.name = "operand" + std::to_string(index);
  operand.type = elementType(value.getType());
  auto shape = cast<ShapedType>(value.getType()).getShape();
  for (auto [size, expr] : llvm::zip_equal(shape, map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    operand.shape.push_back(ShapedType::isDynamic(size) ? kDynamic : size);
    operand.outputDims.push_back(dim ? int32_t(dim.getPosition()) : -1);
  }
  return operand;
}

static EpilogueNode exportNode(Operation &op,
                               const DenseMap<Value, uint32_t> &numbers) {
  EpilogueNode node;
  node.name = op.getName().getStringRef().str();
  node.type = scalarType(op.getResult(0).getType());
  for (Value operand : op.getOperands())
    node.operands.push_back(numbers.lookup(operand));
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    node.predicate =
        arith::stringifyCmpFPredicate(compare.getPredicate()).str();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (auto value = dyn_cast<FloatAttr>(constant.getValue()))
      node.constant = value.getValueAsDouble();
    else
      node.constant =
          cast<IntegerAttr>(constant.getValue()).getValue().isZero() ? 0 : 1;
  }
  return node;
}

Epilogue ir::exportEpilogue(ConvTransposeOp op) {
  Epilogue epilogue;
  for (auto [index, value, map] :
       llvm::enumerate(op.getExtras(), op.getExtraMapsArray()))
    epilogue.operands.push_back(exportOperand(value, map, index));
  if (!op.hasEpilogue())
    return epilogue;
  Block &block = op.getEpilogue().front();
  DenseMap<Value, uint32_t> numbers;
  auto add = [&](Value value, EpilogueNode node) {
    numbers[value] = epilogue.nodes.size();
    epilogue.nodes.push_back(std::move(node));
  };
  for (Value argument : block.getArguments())
    add(argument, {"argument", scalarType(argument.getType()), {}, 0, ""});
  for (Operation &inner : block.without_terminator())
    add(inner.getResult(0), exportNode(inner, numbers));
  epilogue.result =
      numbers.lookup(cast<YieldOp>(block.getTerminator()).getValue());
  return epilogue;
}
