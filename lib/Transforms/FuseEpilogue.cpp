//===- FuseEpilogue.cpp - Elementwise consumers into the epilogue ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The consumers of a layer are walked in their order in the block, each turned
// into scalars of a region built aside, until exactly one value is left that
// others use: that is the new result. So a chain is fused one operation at a
// time, and a diamond such as x * sigmoid(x) in one step, when its branches
// have met. A consumer that cannot be fused before that leaves the layer as it
// was.
//
//===----------------------------------------------------------------------===//

#include "EpilogueScalars.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

namespace ctc {
#define GEN_PASS_DEF_FUSEEPILOGUE
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

//===----------------------------------------------------------------------===//
// Broadcasts that an indexing map can say
//===----------------------------------------------------------------------===//

/// The operand before a reshape that only adds or drops dimensions of size 1.
static std::optional<ElementwiseOperand>
beforeReshape(const ElementwiseOperand &operand, Value source) {
  auto from = dyn_cast<RankedTensorType>(source.getType());
  auto to = cast<RankedTensorType>(operand.value.getType());
  if (!from)
    return std::nullopt;
  SmallVector<std::pair<int64_t, AffineExpr>> wide;
  for (auto [size, expr] :
       llvm::zip_equal(to.getShape(), operand.map.getResults()))
    if (size != 1)
      wide.push_back({size, expr});
  SmallVector<AffineExpr> exprs;
  auto next = wide.begin();
  for (int64_t size : from.getShape()) {
    if (size == 1) {
      exprs.push_back(getAffineConstantExpr(0, source.getContext()));
      continue;
    }
    if (next == wide.end() || next->first != size)
      return std::nullopt;
    exprs.push_back((next++)->second);
  }
  if (next != wide.end())
    return std::nullopt;
  return ElementwiseOperand{source, AffineMap::get(operand.map.getNumDims(), 0,
                                                   exprs, source.getContext())};
}

/// The operand before a broadcast along new dimensions.
static ElementwiseOperand beforeBroadcast(const ElementwiseOperand &operand,
                                          linalg::BroadcastOp op) {
  SmallVector<AffineExpr> exprs;
  for (auto [dim, expr] : llvm::enumerate(operand.map.getResults()))
    if (!llvm::is_contained(op.getDimensions(), int64_t(dim)))
      exprs.push_back(expr);
  return {op.getInput(),
          AffineMap::get(operand.map.getNumDims(), 0, exprs, op.getContext())};
}

/// The first operand of a row of reshapes and broadcasts.
static ElementwiseOperand lookThrough(ElementwiseOperand operand) {
  while (Operation *op = operand.value.getDefiningOp()) {
    std::optional<ElementwiseOperand> before;
    if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op))
      before = beforeBroadcast(operand, broadcast);
    else if (isa<tosa::ReshapeOp, tensor::ExpandShapeOp,
                 tensor::CollapseShapeOp, tensor::ReshapeOp>(op))
      before = beforeReshape(operand, op->getOperand(0));
    if (!before)
      break;
    operand = *before;
  }
  return operand;
}

/// The one value of a constant, a splat or a tensor filled with a constant.
static TypedAttr splatValue(Value value) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return {};
  if (auto splat = dyn_cast<SplatElementsAttr>(attribute))
    attribute = splat.getSplatValue<Attribute>();
  if (isa<FloatAttr, IntegerAttr>(attribute))
    return cast<TypedAttr>(attribute);
  return {};
}

//===----------------------------------------------------------------------===//
// A fusion under way
//===----------------------------------------------------------------------===//

namespace {
/// The new epilogue of one layer, built aside until it is complete.
class Fusion {
public:
  Fusion(ir::ConvTransposeOp layer, ScalarWidth width);

  /// Adds the element of a consumer of what is inside, or fails with a reason.
  LogicalResult add(Operation *consumer, std::string &reason);

  /// Consumers that were not added yet, in no order.
  SmallVector<Operation *> pending() const;
  ArrayRef<Operation *> added() const { return consumers; }

  /// Whether the last consumer's result can take the place of the layer's.
  bool isComplete();

  /// Replaces the last consumer's result by the layer's, and the layer's
  /// epilogue by the new one.
  void commit(RewriterBase &rewriter);

private:
  FailureOr<Value> element(const ElementwiseOperand &operand,
                           std::string &reason);
  FailureOr<Value> extraElement(ElementwiseOperand operand,
                                std::string &reason);
  void openRegion();

  ir::ConvTransposeOp layer;
  ScalarWidth width;
  OpBuilder builder;
  Region region;
  SmallVector<Operation *> consumers;
  DenseMap<Value, Value> scalars; ///< Of the layer's and consumers' results.
  SmallVector<Value> extras;      ///< The layer's own come first.
  SmallVector<AffineMap> maps;
};
} // namespace

Fusion::Fusion(ir::ConvTransposeOp layer, ScalarWidth width)
    : layer(layer), width(width), builder(layer.getContext()),
      extras(layer.getExtras()), maps(layer.getExtraMapsArray()) {
  openRegion();
}

/// Copies the layer's epilogue and rounds what it yields to the layer's type,
/// as the layer's result was.
void Fusion::openRegion() {
  Block *block;
  Value yielded;
  const Location loc = layer.getLoc();
  if (layer.hasEpilogue()) {
    IRMapping mapping;
    layer.getEpilogue().cloneInto(&region, mapping);
    block = &region.front();
    auto yield = cast<ir::YieldOp>(block->getTerminator());
    yielded = yield.getValue();
    yield.erase();
  } else {
    block = &region.emplaceBlock();
    yielded = block->addArgument(builder.getF32Type(), loc);
  }
  builder.setInsertionPointToEnd(block);
  const Type type = width.compute(layer.getInputType().getElementType());
  Value result = yielded;
  if (yielded.getType() != type) {
    // What was just extended from the type needs no rounding to it.
    auto extend = yielded.getDefiningOp<arith::ExtFOp>();
    if (extend && extend.getIn().getType() == type) {
      result = extend.getIn();
      if (extend->use_empty())
        extend->erase();
    } else {
      result = arith::TruncFOp::create(builder, loc, type, yielded);
    }
  }
  scalars[layer->getResult(0)] = result;
}

FailureOr<Value> Fusion::extraElement(ElementwiseOperand operand,
                                      std::string &reason) {
  operand = lookThrough(operand);
  llvm::raw_string_ostream os(reason);
  auto type = dyn_cast<RankedTensorType>(operand.value.getType());
  if (!type) {
    os << "uses a scalar of type " << operand.value.getType()
       << ", must be a constant or a tensor";
    return failure();
  }
  if (!isa<Float16Type, BFloat16Type, Float32Type>(type.getElementType())) {
    os << "uses an operand of type " << type
       << ", must have elements of f32, f16 or bf16";
    return failure();
  }
  Block &block = region.front();
  for (auto [index, value, map] : llvm::enumerate(extras, maps))
    if (value == operand.value && map == operand.map)
      return width.widen(builder, block.getArgument(index + 1));
  extras.push_back(operand.value);
  maps.push_back(operand.map);
  return width.widen(builder, block.addArgument(type.getElementType(),
                                                operand.value.getLoc()));
}

FailureOr<Value> Fusion::element(const ElementwiseOperand &operand,
                                 std::string &reason) {
  if (Value inside = scalars.lookup(operand.value)) {
    if (operand.map.isIdentity())
      return inside;
    reason = "does not use the layer's result element by element";
    return failure();
  }
  if (TypedAttr constant = splatValue(operand.value)) {
    if (auto value = dyn_cast<FloatAttr>(constant))
      constant = FloatAttr::get(width.compute(value.getType()),
                                value.getValueAsDouble());
    return arith::ConstantOp::create(builder, operand.value.getLoc(), constant)
        .getResult();
  }
  return extraElement(operand, reason);
}

LogicalResult Fusion::add(Operation *consumer, std::string &reason) {
  auto operands = elementwiseOperands(consumer, reason);
  if (failed(operands))
    return failure();
  auto type = cast<RankedTensorType>(consumer->getResult(0).getType());
  if (type.getShape() != layer.getOutputType().getShape()) {
    llvm::raw_string_ostream(reason)
        << "'" << consumer->getName() << "' results in " << type
        << ", another shape than the layer's";
    return failure();
  }
  SmallVector<Value> elements;
  for (const ElementwiseOperand &operand : *operands) {
    std::string why;
    auto value = element(operand, why);
    if (failed(value)) {
      llvm::raw_string_ostream(reason)
          << "'" << consumer->getName() << "' " << why;
      return failure();
    }
    elements.push_back(*value);
  }
  auto scalar = buildScalar(builder, consumer, elements, width, reason);
  if (failed(scalar))
    return failure();
  scalars[consumer->getResult(0)] = *scalar;
  consumers.push_back(consumer);
  return success();
}

SmallVector<Operation *> Fusion::pending() const {
  llvm::SetVector<Operation *> users;
  for (auto [value, scalar] : scalars)
    for (Operation *user : value.getUsers())
      if (!llvm::is_contained(consumers, user))
        users.insert(user);
  return users.takeVector();
}

bool Fusion::isComplete() {
  if (consumers.empty() ||
      consumers.back()->getResult(0).getType() != layer.getOutputType())
    return false;
  for (Operation *user : pending())
    for (Value operand : user->getOperands())
      if (scalars.contains(operand) &&
          operand != consumers.back()->getResult(0))
        return false;
  return true;
}

void Fusion::commit(RewriterBase &rewriter) {
  Operation *last = consumers.back();
  Value result = scalars.lookup(last->getResult(0));
  if (!result.getType().isF32())
    result = arith::ExtFOp::create(builder, last->getLoc(),
                                   builder.getF32Type(), result);
  ir::YieldOp::create(builder, last->getLoc(), result);

  rewriter.moveOpBefore(layer, last); // The extra operands dominate it there.
  rewriter.modifyOpInPlace(layer, [&] {
    SmallVector<Location> locs{layer.getLoc()};
    for (Operation *consumer : consumers)
      locs.push_back(consumer->getLoc());
    layer->setLoc(rewriter.getFusedLoc(locs));
    layer.getExtrasMutable().assign(extras);
    if (!maps.empty())
      layer.setExtraMapsAttr(rewriter.getAffineMapArrayAttr(maps));
    layer.getEpilogue().takeBody(region);
  });
  rewriter.replaceAllUsesWith(last->getResult(0), layer->getResult(0));
  // Erase the consumers, and what only they used: destinations, constants.
  llvm::SetVector<Operation *> sources;
  for (Operation *consumer : llvm::reverse(consumers)) {
    for (Value operand : consumer->getOperands())
      if (Operation *source = operand.getDefiningOp())
        sources.insert(source);
    rewriter.eraseOp(consumer);
    sources.remove(consumer);
  }
  while (!sources.empty()) {
    Operation *source = sources.pop_back_val();
    if (!isOpTriviallyDead(source))
      continue;
    for (Value operand : source->getOperands())
      if (Operation *before = operand.getDefiningOp())
        sources.insert(before);
    rewriter.eraseOp(source);
  }
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// The first of the users in the block, null when one stands elsewhere.
static Operation *firstIn(Block *block, ArrayRef<Operation *> users) {
  Operation *first = nullptr;
  for (Operation *user : users) {
    if (user->getBlock() != block)
      return nullptr;
    if (!first || user->isBeforeInBlock(first))
      first = user;
  }
  return first;
}

/// Fuses the least number of consumers that leaves one result.
static LogicalResult fuseOnce(RewriterBase &rewriter, ir::ConvTransposeOp layer,
                              ScalarWidth width, bool mayDrop) {
  if (layer->getNumResults() == 0)
    return rewriter.notifyMatchFailure(layer, "the layer is on memrefs");
  if (layer.getKernelAttr())
    return rewriter.notifyMatchFailure(layer, "its kernel is already chosen");
  Fusion fusion(layer, width);
  while (!fusion.isComplete()) {
    const SmallVector<Operation *> users = fusion.pending();
    if (users.empty())
      return failure(); // Nobody reads the result: nothing to report.
    Operation *next = firstIn(layer->getBlock(), users);
    if (!next)
      return rewriter.notifyMatchFailure(layer,
                                         "its result is used in another block");
    if (next->hasTrait<OpTrait::IsTerminator>()) {
      if (fusion.added().empty())
        return failure(); // The result just leaves its block: nothing to
                          // report.
      return rewriter.notifyMatchFailure(next, [&](Diagnostic &diagnostic) {
        diagnostic << "'" << next->getName()
                   << "' uses several values, or one of another type than the "
                      "layer's";
      });
    }
    std::string reason;
    if (failed(fusion.add(next, reason)))
      return rewriter.notifyMatchFailure(
          next, [&](Diagnostic &diagnostic) { diagnostic << reason; });
  }
  // Dropping a rounding needs the leave of every consumer.
  if (width.narrow && !mayDrop &&
      !llvm::all_of(fusion.added(), allowsContraction))
    return rewriter.notifyMatchFailure(
        layer, "a rounding may not be dropped without fastmath<contract>");
  fusion.commit(rewriter);
  return success();
}

namespace {
/// Turns reasons into remarks.
struct Explain : RewriterBase::Listener {
  void
  notifyMatchFailure(Location loc,
                     function_ref<void(Diagnostic &)> reasonCallback) override {
    Diagnostic reason(loc, DiagnosticSeverity::Remark);
    reasonCallback(reason);
    emitRemark(loc) << "not fused: " << reason.str();
  }
};

struct FuseEpilogue : ctc::impl::FuseEpilogueBase<FuseEpilogue> {
  using FuseEpilogueBase::FuseEpilogueBase;

  void runOnOperation() override {
    SmallVector<ir::ConvTransposeOp> layers;
    getOperation()->walk(
        [&](ir::ConvTransposeOp layer) { layers.push_back(layer); });
    for (ir::ConvTransposeOp layer : layers)
      fuse(layer);
  }

  void fuse(ir::ConvTransposeOp layer) {
    Explain listener;
    IRRewriter quiet(&getContext());
    IRRewriter rewriter(&getContext(), explain ? &listener : nullptr);
    const Type type = layer.getInputType().getElementType();
    const ScalarWidth exact, wide{type.isF32() ? Type() : type};
    // Without roundings where that is allowed, else with them.
    while ((wide.narrow &&
            succeeded(fuseOnce(quiet, layer, wide, dropRoundings))) ||
           succeeded(fuseOnce(rewriter, layer, exact, false)))
      ;
  }
};
} // namespace
