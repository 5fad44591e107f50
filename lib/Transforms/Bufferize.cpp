//===- Bufferize.cpp - Entries on buffers with a fixed ABI ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Dialect/CTC.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhasePlan.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Transforms/Passes.h"
#include "ctc/Tuning/MmaLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/Support/Regex.h"

namespace ctc {
#define GEN_PASS_DEF_BUFFERIZE
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

/// The buffer a tensor becomes.
static MemRefType bufferType(Type type) {
  auto shaped = cast<ShapedType>(type);
  return MemRefType::get(shaped.getShape(), shaped.getElementType());
}

/// Whether `op` only makes the contents of a destination, which the layer does
/// not read: tensor.empty, a fill, and what they need.
static bool onlyFeedsDestination(Operation *op, ir::ConvTransposeOp conv) {
  if (op->use_empty()) // A value that is returned is used for real.
    return isMemoryEffectFree(op) && !op->hasTrait<OpTrait::IsTerminator>();
  return llvm::all_of(op->getUses(), [&](OpOperand &use) {
    if (use.getOwner() == conv)
      return use.get() == conv.getOutput();
    return isMemoryEffectFree(op) && onlyFeedsDestination(use.getOwner(), conv);
  });
}

/// An entry's name becomes that of a kernel: a PTX identifier (PTX ISA 4.4)
/// that leaves the names beside it free.
static LogicalResult checkName(func::FuncOp entry, ModuleOp module) {
  static const llvm::Regex identifier(
      "^([A-Za-z][A-Za-z0-9_$]*|_[A-Za-z0-9_$]+)$");
  static const llvm::Regex reserved("(__prepare|_phases[0-9]+|^WARP_SZ)$");
  const StringRef name = entry.getSymName();
  if (!identifier.match(name) || reserved.match(name))
    return entry.emitOpError("name '")
           << name
           << "' cannot be an entry's, must be letters, digits, '_' and '$', "
              "not start with a digit, and not end in __prepare or _phases and "
              "a number";
  const std::string prepare = (name + kPrepareSuffix).str();
  for (StringRef needed : {StringRef(prepare), StringRef(kKernelModule)})
    if (Operation *taken = module.lookupSymbol(needed)) {
      InFlightDiagnostic diagnostic = entry.emitOpError("needs the name '")
                                      << needed << "', which is taken";
      diagnostic.attachNote(taken->getLoc()) << "here";
      return diagnostic;
    }
  return success();
}

/// The layer of an entry, or an error naming what does not belong.
static FailureOr<ir::ConvTransposeOp> findLayer(func::FuncOp entry) {
  if (!entry.getBody().hasOneBlock())
    return entry.emitOpError("is an entry of ")
           << entry.getBody().getBlocks().size() << " blocks, must have one";
  auto layers = entry.getBody().front().getOps<ir::ConvTransposeOp>();
  if (layers.empty())
    return entry.emitOpError("is an entry without a ctc.conv_transpose, "
                             "must have exactly one");
  ir::ConvTransposeOp layer = *layers.begin();
  if (!llvm::hasSingleElement(layers))
    return (*std::next(layers.begin()))
               .emitOpError("is a second layer of the entry '")
           << entry.getSymName() << "', an entry must have exactly one";
  for (Operation &op : entry.getBody().front().without_terminator()) {
    if (&op == layer || onlyFeedsDestination(&op, layer))
      continue;
    InFlightDiagnostic diagnostic =
        op.emitOpError("cannot be fused into the entry '")
        << entry.getSymName()
        << "', which must hold one ctc.conv_transpose on the function's "
           "arguments and return its result";
    diagnostic.attachNote(layer.getLoc()) << "the entry's layer";
    return failure();
  }
  return layer;
}

/// The entry's arguments feed the layer, and it returns the layer's result.
static LogicalResult checkDataFlow(func::FuncOp entry,
                                   ir::ConvTransposeOp layer) {
  const bool tensors = layer.getNumResults() == 1;
  for (Value operand : layer->getOperands()) {
    if (tensors && operand == layer.getOutput())
      continue;
    if (!isa<BlockArgument>(operand))
      return layer.emitOpError("operand of type ")
             << operand.getType() << " is not an argument of the entry '"
             << entry.getSymName() << "', must be one";
  }
  for (BlockArgument argument : entry.getArguments()) {
    if (!llvm::is_contained(layer->getOperands(), argument))
      return entry.emitOpError("argument ")
             << argument.getArgNumber()
             << " is not an operand of the entry's layer, must be one";
    const Type type = argument.getType();
    auto buffer = dyn_cast<MemRefType>(type);
    auto tensor = dyn_cast<RankedTensorType>(type);
    if ((buffer && buffer.getMemorySpace()) || (tensor && tensor.getEncoding()))
      return entry.emitOpError("argument ")
             << argument.getArgNumber() << " has type " << type
             << ", must have no memory space and no encoding";
  }
  Operation *terminator = entry.getBody().front().getTerminator();
  if (TypeRange(terminator->getOperandTypes()) !=
          TypeRange(layer->getResultTypes()) ||
      !llvm::equal(terminator->getOperands(), layer->getResults()))
    return terminator->emitOpError("returns (")
           << terminator->getOperandTypes() << "), must return "
           << (tensors ? "the result of ctc.conv_transpose and nothing else"
                       : "nothing");
  return success();
}

/// Shape of the packed weights (ctc.pack_weights).
static FailureOr<MemRefType> packedType(ir::ConvTransposeOp layer) {
  const Problem problem = layer.getProblem();
  const auto shape = ir::packedWeightShape(problem, layer.getKernelAttr());
  std::vector<int64_t> bytes = shape;
  bytes.push_back(byteWidth(problem.type));
  if (!checkedProduct(bytes))
    return layer.emitOpError("packed weights of shape ")
           << formatShape(shape) << " do not fit in 2^63 - 1 bytes";
  return MemRefType::get(shape, layer.getWeightType().getElementType());
}

static func::FuncOp makeFunction(ImplicitLocOpBuilder &b, StringRef name,
                                 ArrayRef<Value> sources,
                                 ArrayRef<Type> types) {
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.addEntryBlock();
  // A user's name for an argument follows it into the manifest.
  for (auto [index, source] : llvm::enumerate(sources))
    if (auto argument = dyn_cast_if_present<BlockArgument>(source))
      if (auto parent =
              dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()))
        if (auto label = parent.getArgAttr(argument.getArgNumber(), kNameAttr))
          function.setArgAttr(index, kNameAttr, label);
  return function;
}

static void buildPrepare(ImplicitLocOpBuilder &b, func::FuncOp entry,
                         ir::ConvTransposeOp layer, MemRefType packed) {
  const Problem problem = layer.getProblem();
  auto function =
      makeFunction(b, (entry.getSymName() + kPrepareSuffix).str(),
                   {layer.getWeight(), Value()},
                   {bufferType(layer.getWeight().getType()), packed});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  SmallVector<int64_t> tapSteps;
  for (const SpatialDim &dim : problem.dims)
    tapSteps.push_back(tapStep(dim));
  const bool round = problem.type == ElementType::F32 &&
                     problem.precision == ctc::Precision::TF32;
  const ir::KernelAttr kernel = layer.getKernelAttr();
  ir::FragmentsAttr fragments;
  const bool channelsLast = layer.getLayout() == ir::Layout::ChannelsLast;
  if (kernel.usesMatrixUnits())
    fragments = ir::FragmentsAttr::get(
        b.getContext(), kernel.getChunkChannels(), kernel.getSplit(),
        lanePlanes(kernel, channelsLast, problem.type),
        fragmentUnit(kernel, channelsLast), kernel.getLanes(),
        layer.getLayout(), kernel.usesWarpgroups());
  ir::PackWeightsOp::create(b, function.getArgument(0), function.getArgument(1),
                            problem.groups, tapSteps, layer.getWeightLayout(),
                            fragments, round, kernel.getGroups());
  func::ReturnOp::create(b);
}

static void buildEntry(ImplicitLocOpBuilder &b, func::FuncOp entry,
                       ir::ConvTransposeOp layer, MemRefType packed) {
  SmallVector<Value> sources{layer.getInput(), layer.getWeight()};
  if (layer.getBias())
    sources.push_back(layer.getBias());
  llvm::append_range(sources, layer.getExtras());
  sources.push_back(layer.getOutput());
  SmallVector<Type> types;
  for (Value source : sources)
    types.push_back(bufferType(source.getType()));
  // The packed weights are not the user's weight, nor do they have its name.
  types[1] = packed;
  sources[1] = Value();

  auto function = makeFunction(b, entry.getSymName(), sources, types);
  function->setDiscardableAttrs(entry->getDiscardableAttrDictionary());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.getBody().front());
  // The layer's operands stand in the order of the ABI.
  OperationState state(layer.getLoc(), layer->getName());
  state.addOperands(ValueRange(function.getArguments()));
  state.addAttributes(layer->getAttrs());
  IRMapping mapping;
  layer.getEpilogue().cloneInto(state.addRegion(), mapping);
  cast<ir::ConvTransposeOp>(b.create(state)).setPacked(true);
  func::ReturnOp::create(b);
}

namespace {
struct Bufferize : ctc::impl::BufferizeBase<Bufferize> {
  void runOnOperation() override {
    for (auto entry :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>()))
      if (!entry.isExternal() && failed(visit(entry)))
        return signalPassFailure();
  }

  LogicalResult visit(func::FuncOp function) {
    if (function.isPublic())
      return convert(function);
    WalkResult result = function.walk([&](ir::ConvTransposeOp layer) {
      layer.emitOpError("stands in the private function '")
          << function.getSymName() << "', must stand in a public one";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  LogicalResult convert(func::FuncOp entry) {
    FailureOr<ir::ConvTransposeOp> layer = findLayer(entry);
    if (failed(layer) || failed(checkDataFlow(entry, *layer)))
      return failure();
    if (!layer->getKernelAttr())
      return layer->emitOpError("has no kernel, run ctc-select-kernel first");
    if (layer->getPacked())
      return success(); // Already in the entry's ABI.
    FailureOr<MemRefType> packed = packedType(*layer);
    if (failed(packed) || failed(checkName(entry, getOperation())))
      return failure();
    ImplicitLocOpBuilder b(entry.getLoc(), entry);
    buildPrepare(b, entry, *layer, *packed);
    buildEntry(b, entry, *layer, *packed);
    entry.erase();
    return success();
  }
};
} // namespace
