//===- ConvTransposeOp.cpp - The layer ------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Effects.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Dialect/EpilogueOps.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhasePlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace ctc;
using namespace ctc::ir;

static_assert(int(ir::Layout::ChannelsLast) == int(ctc::Layout::ChannelsLast));
static_assert(int(ir::WeightLayout::OutputKernelInput) ==
              int(ctc::WeightLayout::OutputKernelInput));
static_assert(int(ir::Precision::TF32x3) == int(ctc::Precision::TF32x3) &&
              int(ir::Precision::IEEE) == int(ctc::Precision::IEEE));

//===----------------------------------------------------------------------===//
// The layer in plain integers
//===----------------------------------------------------------------------===//

static int64_t valueOr(std::optional<ArrayRef<int64_t>> values, int64_t index,
                       int64_t otherwise) {
  return values ? (*values)[index] : otherwise;
}

/// A size of the type, kDynamic for `?`.
static int64_t sizeAt(ShapedType type, int64_t dim) {
  return type.isDynamicDim(dim) ? kDynamic : type.getDimSize(dim);
}

SmallVector<int64_t> ir::weightDims(ir::WeightLayout layout,
                                    int64_t spatialRank) {
  SmallVector<int64_t> dims;
  switch (layout) {
  case ir::WeightLayout::InputOutputKernel:
    dims = {0, 1};
    break;
  case ir::WeightLayout::OutputKernelInput:
    dims = {spatialRank + 1, 0};
    break;
  }
  // The kernel's dimensions follow the output channels in both.
  for (int64_t i = 0; i < spatialRank; ++i)
    dims.push_back(dims[1] + 1 + i);
  return dims;
}

Problem ConvTransposeOp::getProblem() {
  const bool last = getLayout() == ir::Layout::ChannelsLast;
  const int64_t rank = getSpatialRank();
  const int64_t channelDim = last ? rank + 1 : 1;
  // Packed weights have one dimension of slots per kernel dimension, at 2.
  const SmallVector<int64_t> weightDim = weightDims(
      getPacked() ? ir::WeightLayout::InputOutputKernel : getWeightLayout(),
      rank);
  Problem problem;
  problem.batch = sizeAt(getInputType(), 0);
  problem.inputChannels = getInputType().getDimSize(channelDim);
  problem.outputChannels = getOutputType().getDimSize(channelDim);
  problem.groups = getGroups();
  for (int64_t i = 0; i < rank; ++i)
    problem.dims.push_back(
        {getInputType().getDimSize(i + (last ? 1 : 2)),
         getWeightType().getDimSize(weightDim[i + 2]),
         valueOr(getStride(), i, 1), valueOr(getDilation(), i, 1),
         valueOr(getPaddingLow(), i, 0), valueOr(getPaddingHigh(), i, 0),
         valueOr(getOutputPadding(), i, 0)});
  problem.type = elementType(getInputType());
  problem.layout = static_cast<ctc::Layout>(getLayout());
  problem.weightLayout = static_cast<ctc::WeightLayout>(getWeightLayout());
  problem.precision = static_cast<ctc::Precision>(getPrecision());
  problem.bias = getBias() != nullptr;
  return problem;
}

ctc::Expected<SmallVector<int64_t>> ConvTransposeOp::inferOutputShape() {
  Problem problem = getProblem();
  if (auto legal = ctc::verify(problem); !legal)
    return tl::unexpected(legal.error());
  auto shape = problem.outputShape();
  llvm::replace(shape, kDynamic, ShapedType::kDynamic);
  return SmallVector<int64_t>(shape.begin(), shape.end());
}

SmallVector<AffineMap> ConvTransposeOp::getExtraMapsArray() {
  SmallVector<AffineMap> maps;
  if (auto attribute = getExtraMaps())
    llvm::append_range(maps, attribute->getAsValueRange<AffineMapAttr>());
  return maps;
}

//===----------------------------------------------------------------------===//
// Verifier; labels as in the operation's description
//===----------------------------------------------------------------------===//

// C1, C2 and C9: kinds, element types, ranks, static sizes.
static LogicalResult verifyTypes(ConvTransposeOp op) {
  const ShapedType input = op.getInputType(), weight = op.getWeightType(),
                   output = op.getOutputType();
  const bool tensors = isa<TensorType>(input);
  for (Value operand : op->getOperands())
    if (isa<TensorType>(operand.getType()) != tensors)
      return op.emitOpError("operand of type ")
             << operand.getType() << " beside input of type " << input
             << ", must be all tensors or all memrefs";
  for (Value operand : op->getOperands())
    if (auto type = dyn_cast<MemRefType>(operand.getType());
        type && !type.getLayout().isIdentity())
      return op.emitOpError("operand of type ")
             << type << " is not contiguous, must have the identity layout";
  if (!tensors &&
      (op.getInput() == op.getOutput() || op.getWeight() == op.getOutput()))
    return op.emitOpError(
        "output is also an input, must be a buffer of its own");
  if (op.getNumResults() != (tensors ? 1u : 0u))
    return op.emitOpError("has ")
           << op.getNumResults() << " results, must have "
           << (tensors ? "one on tensors" : "none on memrefs");
  if (tensors && op->getResult(0).getType() != output)
    return op.emitOpError("result type ")
           << op->getResult(0).getType() << " differs from output type "
           << output;
  for (ShapedType type : {weight, output})
    if (type.getElementType() != input.getElementType())
      return op.emitOpError("element type ")
             << type.getElementType() << " differs from the input's, "
             << input.getElementType();
  if (input.getRank() < 3 || input.getRank() > 5)
    return op.emitOpError("input has rank ")
           << input.getRank() << ", must be 3, 4 or 5";
  const int64_t weightRank = input.getRank() + (op.getPacked() ? 2 : 0);
  if (weight.getRank() != weightRank || output.getRank() != input.getRank())
    return op.emitOpError("weight has rank ")
           << weight.getRank() << " and output rank " << output.getRank()
           << ", must be " << weightRank << " and " << input.getRank();
  for (auto [what, type] :
       {std::pair{"input", input}, std::pair{"weight", weight},
        std::pair{"output", output}})
    for (int64_t dim =
             isa<RankedTensorType, MemRefType>(type) && type != weight ? 1 : 0;
         dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        return op.emitOpError(what)
               << " type " << type << " has dynamic dimension " << dim
               << ", only the batch may be dynamic";
  if (input.isDynamicDim(0) != output.isDynamicDim(0))
    return op.emitOpError("batch is dynamic in one of input ")
           << input << " and output " << output << ", must be in both or none";
  return success();
}

// C3: one value per spatial dimension.
static LogicalResult verifyAttributeSizes(ConvTransposeOp op) {
  for (auto [name, values] :
       {std::pair{"stride", op.getStride()},
        std::pair{"dilation", op.getDilation()},
        std::pair{"padding_low", op.getPaddingLow()},
        std::pair{"padding_high", op.getPaddingHigh()},
        std::pair{"output_padding", op.getOutputPadding()}})
    if (values && int64_t(values->size()) != op.getSpatialRank())
      return op.emitOpError(name)
             << " has " << values->size()
             << " values, must have one for each of " << op.getSpatialRank()
             << " spatial dimensions";
  return success();
}

static std::string shapeText(ArrayRef<int64_t> shape) {
  std::vector<int64_t> sizes(shape.begin(), shape.end());
  llvm::replace(sizes, ShapedType::kDynamic, kDynamic);
  return formatShape(sizes);
}

std::vector<int64_t> ir::packedWeightShape(const Problem &problem,
                                           KernelAttr kernel) {
  std::vector<int64_t> shape{
      ceilDiv(problem.groups, kernel.getGroups()),
      ceilDiv(problem.outputChannelsPerGroup(), kernel.getGroupChannels())};
  for (const SpatialDim &dim : problem.dims)
    shape.push_back(dim.kernel);
  shape.push_back(
      roundUp(problem.inputChannelsPerGroup(), kernel.getChunkChannels()));
  shape.push_back(kernel.getChannels());
  return shape;
}

// C6: the weight as its layout says.
static LogicalResult verifyWeightShape(ConvTransposeOp op,
                                       const Problem &problem) {
  if (op.getPacked())
    return success();
  const auto expected = problem.weightShape();
  if (op.getWeightType().getShape() == ArrayRef<int64_t>(expected))
    return success();
  return op.emitOpError("weight has shape ")
         << shapeText(op.getWeightType().getShape()) << ", must be "
         << formatShape(expected)
         << (problem.weightLayout == ctc::WeightLayout::InputOutputKernel
                 ? " (Cin, Cout/groups, kernel)"
                 : " (Cout/groups, kernel, Cin)");
}

// C6 to C8: shapes of weight, bias and output, once C4 and C5 hold.
static LogicalResult verifyShapes(ConvTransposeOp op) {
  const Problem problem = op.getProblem();
  auto outputShape = op.inferOutputShape(); // C4, C5, C8, C10
  if (!outputShape)
    return op.emitOpError(outputShape.error().message);
  if (failed(verifyWeightShape(op, problem)))
    return failure();
  if (Value bias = op.getBias()) {
    auto type = cast<ShapedType>(bias.getType());
    if (type.getRank() != 1 || type.getDimSize(0) != problem.outputChannels)
      return op.emitOpError("bias has shape ")
             << shapeText(type.getShape()) << ", must be "
             << problem.outputChannels << ", the output channels";
    if (!type.getElementType().isF32() &&
        type.getElementType() != op.getInputType().getElementType())
      return op.emitOpError("bias has element type ")
             << type.getElementType() << ", must be f32 or "
             << op.getInputType().getElementType();
  }
  if (problem.batch != sizeAt(op.getOutputType(), 0) ||
      ArrayRef<int64_t>(*outputShape) != op.getOutputType().getShape())
    return op.emitOpError("output has shape ")
           << shapeText(op.getOutputType().getShape()) << ", must be "
           << shapeText(*outputShape);
  return success();
}

// C11: the maps of the extra operands.
static LogicalResult verifyExtraMaps(ConvTransposeOp op) {
  const auto maps = op.getExtraMapsArray();
  if (maps.size() != op.getExtras().size())
    return op.emitOpError("has ")
           << op.getExtras().size() << " extra operands and " << maps.size()
           << " extra_maps, must be as many";
  const ArrayRef<int64_t> output = op.getOutputType().getShape();
  for (auto [index, value, map] : llvm::enumerate(op.getExtras(), maps)) {
    auto type = cast<ShapedType>(value.getType());
    if (map.getNumDims() != output.size() || map.getNumSymbols() != 0 ||
        map.getNumResults() != type.getRank())
      return op.emitOpError("extra_maps[")
             << index << "] is " << AffineMapAttr::get(map) << ", must map "
             << output.size() << " output dimensions to " << type.getRank();
    llvm::SmallBitVector used(output.size());
    for (auto [size, expr] : llvm::zip(type.getShape(), map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      auto constant = dyn_cast<AffineConstantExpr>(expr);
      const bool zero = constant && constant.getValue() == 0;
      if (!zero && (!dim || used.test(dim.getPosition())))
        return op.emitOpError("extra_maps[")
               << index << "] is " << AffineMapAttr::get(map)
               << ", each result must be a distinct dimension or 0";
      if (dim)
        used.set(dim.getPosition());
      const int64_t expected = dim ? output[dim.getPosition()] : 1;
      if (size != expected)
        return op.emitOpError("extra operand ")
               << index << " has type " << type << ", its size under "
               << AffineMapAttr::get(map) << " must be "
               << (ShapedType::isDynamic(expected) ? std::string("?")
                                                   : std::to_string(expected));
    }
  }
  return success();
}

// C13: the kernel fits the problem.
static LogicalResult verifyKernel(ConvTransposeOp op) {
  auto kernel = op.getKernelAttr();
  if (kernel && kernel.getBox().size() != op.getSpatialRank())
    return op.emitOpError("kernel has a box of ")
           << kernel.getBox().size() << " sizes, must be one for each of "
           << op.getSpatialRank() << " spatial dimensions";
  if (op.getPacked() && !kernel)
    return op.emitOpError("has packed weights but no kernel to say how");
  if (!op.getPacked())
    return success();
  const auto shape = packedWeightShape(op.getProblem(), kernel);
  if (op.getWeightType().getShape() != ArrayRef<int64_t>(shape))
    return op.emitOpError("packed weight has shape ")
           << shapeText(op.getWeightType().getShape()) << ", must be "
           << formatShape(shape) << " for its kernel";
  return success();
}

// C14: an attribute without a dialect's prefix is one of the operation's.
// First, because a misspelled one makes other messages wrong.
static LogicalResult verifyAttributeNames(ConvTransposeOp op) {
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (!attribute.getName().getValue().contains('.'))
      return op.emitOpError("unknown attribute '")
             << attribute.getName().getValue() << "', must be one of "
             << llvm::join(ConvTransposeOp::getAttributeNames().drop_back(),
                           ", ");
  return success();
}

LogicalResult ConvTransposeOp::verify() {
  if (failed(verifyAttributeNames(*this)) || failed(verifyTypes(*this)) ||
      failed(verifyAttributeSizes(*this)) || failed(verifyShapes(*this)) ||
      failed(verifyExtraMaps(*this)))
    return failure();
  return verifyKernel(*this);
}

LogicalResult ConvTransposeOp::verifyRegions() {
  SmallVector<Type> extraTypes;
  for (Value value : getExtras())
    extraTypes.push_back(getElementTypeOrSelf(value.getType()));
  return verifyEpilogue(*this, getEpilogue(), extraTypes); // C12
}

//===----------------------------------------------------------------------===//
// Folding, shapes, effects
//===----------------------------------------------------------------------===//

LogicalResult ConvTransposeOp::fold(FoldAdaptor,
                                    SmallVectorImpl<OpFoldResult> &results) {
  if (getNumResults() != 1)
    return failure();
  auto type = cast<RankedTensorType>(getResult(0).getType());
  // Nothing to compute: an empty output is any empty tensor of its shape.
  if (type.hasStaticShape() && type.getNumElements() == 0) {
    results.push_back(getOutput());
    return success();
  }
  // No tap reaches any output, and nothing is added.
  if (!type.hasStaticShape() || getBias() || hasEpilogue())
    return failure();
  const Problem problem = getProblem();
  const bool tapless = problem.inputChannels == 0 ||
                       llvm::any_of(problem.dims, [](const SpatialDim &dim) {
                         return usefulPairs(dim) == 0;
                       });
  if (!tapless)
    return failure();
  results.push_back(
      DenseElementsAttr::get(type, FloatAttr::get(type.getElementType(), 0.0)));
  return success();
}

LogicalResult
ConvTransposeOp::reifyResultShapes(OpBuilder &builder,
                                   ReifiedRankedShapedTypeDims &reified) {
  if (getNumResults() == 0)
    return failure();
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < getOutputType().getRank(); ++dim)
    sizes.push_back(
        getOutputType().isDynamicDim(dim)
            ? tensor::getMixedSize(builder, getLoc(), getInput(), dim)
            : builder.getIndexAttr(getOutputType().getDimSize(dim)));
  reified.push_back(sizes);
  return success();
}

void ConvTransposeOp::getEffects(Effects &effects) {
  addBufferEffects(*this, &getOutputMutable(), effects);
}

#define GET_OP_CLASSES
#include "ctc/Dialect/CTCOps.cpp.inc"
