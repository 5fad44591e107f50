//===- TosaToCTC.cpp - TOSA's transposed convolution ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// TOSA's output is (I-1)*s + out_pad_low + out_pad_high + K wide, so its
// out_pad is the negative of ctc's padding. Its layout is channels last, its
// weight (Cout, KH, KW, Cin), which stays where it is (weight_layout).
//
//===----------------------------------------------------------------------===//

#include "ctc/Conversion/Passes.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace ctc {
#define GEN_PASS_DEF_CONVERTTOSATOCTC
#include "ctc/Conversion/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

//===----------------------------------------------------------------------===//
// What ctc can express of the operation
//===----------------------------------------------------------------------===//

static LogicalResult checkTypes(tosa::TransposeConv2DOp op) {
  for (auto [what, value] :
       {std::pair{"input", op.getInput()}, std::pair{"weight", op.getWeight()},
        std::pair{"bias", op.getBias()}, std::pair{"output", op.getOutput()}}) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type)
      return op.emitOpError(what) << " has type " << value.getType()
                                  << ", must be ranked: run tosa-infer-shapes";
    if (!isa<Float32Type, Float16Type, BFloat16Type>(type.getElementType()))
      return op.emitOpError(what)
             << " has element type " << type.getElementType()
             << ", must be f32, f16 or bf16; quantised and 8-bit convolutions "
                "are not supported";
    for (int64_t dim = value == op.getInput() || value == op.getOutput();
         dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        return op.emitOpError(what)
               << " type " << type << " has dynamic dimension " << dim
               << ", only the batch may be dynamic: run tosa-infer-shapes";
  }
  return success();
}

/// Zero points of floats are constant zero.
static LogicalResult checkZeroPoints(tosa::TransposeConv2DOp op) {
  for (auto [what, value] : {std::pair{"input_zp", op.getInputZp()},
                             std::pair{"weight_zp", op.getWeightZp()}})
    if (!matchPattern(value, m_AnyZeroFloat()))
      return op.emitOpError(what) << " must be constant zero";
  return success();
}

/// The layer in plain integers, from verified types.
static Problem makeProblem(tosa::TransposeConv2DOp op,
                           ctc::Precision precision) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  auto weight = cast<RankedTensorType>(op.getWeight().getType());
  Problem problem;
  problem.batch = input.isDynamicDim(0) ? kDynamic : input.getDimSize(0);
  problem.inputChannels = input.getDimSize(3);
  problem.outputChannels = weight.getDimSize(0);
  for (int64_t i = 0; i < 2; ++i)
    problem.dims.push_back({.input = input.getDimSize(i + 1),
                            .kernel = weight.getDimSize(i + 1),
                            .stride = op.getStride()[i],
                            .padLow = -op.getOutPad()[2 * i],
                            .padHigh = -op.getOutPad()[2 * i + 1]});
  problem.type = ir::elementType(input);
  problem.layout = ctc::Layout::ChannelsLast;
  problem.precision = precision;
  return problem;
}

/// The result's type must be the one the formula gives.
static LogicalResult checkShape(tosa::TransposeConv2DOp op,
                                const Problem &problem) {
  if (auto legal = ctc::verify(problem); !legal)
    return op.emitOpError(legal.error().message);
  auto shape = problem.outputShape();
  llvm::replace(shape, kDynamic, ShapedType::kDynamic);
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  auto expected = type.clone(ArrayRef<int64_t>(shape));
  if (type == expected)
    return success();
  return op.emitOpError("output has type ")
         << type << ", must be " << expected << ": run tosa-infer-shapes";
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

namespace {
/// How the layer gets TOSA's bias of shape (Cout) or (1).
struct Bias {
  Value operand;      ///< One value per channel; the layer's bias.
  Value scalar;       ///< One value for all channels; an extra operand.
  FloatAttr constant; ///< One constant for all channels.
};
} // namespace

static Bias splitBias(tosa::TransposeConv2DOp op, const Problem &problem) {
  Bias bias;
  DenseElementsAttr constant;
  if (matchPattern(op.getBias(), m_Constant(&constant)) && constant.isSplat()) {
    const APFloat value = constant.getSplatValue<APFloat>();
    if (!value.isZero())
      bias.constant = FloatAttr::get(
          Float32Type::get(op.getContext()),
          FloatAttr::get(constant.getElementType(), value).getValueAsDouble());
    return bias;
  }
  auto type = cast<RankedTensorType>(op.getBias().getType());
  (type.getDimSize(0) == problem.outputChannels ? bias.operand : bias.scalar) =
      op.getBias();
  return bias;
}

/// Adds what is left of the bias to the accumulator.
static void buildEpilogue(OpBuilder &builder, ir::ConvTransposeOp layer,
                          const Bias &bias) {
  if (!bias.scalar && !bias.constant)
    return;
  OpBuilder::InsertionGuard guard(builder);
  const Location loc = layer.getLoc();
  const Type f32 = builder.getF32Type();
  Block *block = builder.createBlock(&layer.getEpilogue(), {}, f32, loc);
  Value value;
  if (bias.constant) {
    value = arith::ConstantOp::create(builder, loc, bias.constant);
  } else {
    value = block->addArgument(
        cast<ShapedType>(bias.scalar.getType()).getElementType(), loc);
    if (value.getType() != f32)
      value = arith::ExtFOp::create(builder, loc, f32, value);
  }
  value = arith::AddFOp::create(builder, loc, block->getArgument(0), value);
  ir::YieldOp::create(builder, loc, value);
}

static Value makeDestination(OpBuilder &builder, tosa::TransposeConv2DOp op) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  SmallVector<Value> sizes;
  if (type.isDynamicDim(0))
    sizes.push_back(
        tensor::DimOp::create(builder, op.getLoc(), op.getInput(), 0));
  return tensor::EmptyOp::create(builder, op.getLoc(), type, sizes);
}

/// The values as an attribute, null when all are the absent attribute's.
static DenseI64ArrayAttr arrayUnless(OpBuilder &builder, int64_t absent,
                                     ArrayRef<int64_t> values) {
  if (llvm::all_equal(values) && values.front() == absent)
    return {};
  return builder.getDenseI64ArrayAttr(values);
}

static void buildLayer(RewriterBase &rewriter, tosa::TransposeConv2DOp op,
                       const Problem &problem) {
  const Bias bias = splitBias(op, problem);
  SmallVector<Value> extras;
  ArrayAttr maps;
  if (bias.scalar) {
    extras.push_back(bias.scalar);
    maps = rewriter.getAffineMapArrayAttr(
        AffineMap::get(4, 0, rewriter.getAffineConstantExpr(0)));
  }
  SmallVector<int64_t> strides, low, high;
  for (const SpatialDim &dim : problem.dims) {
    strides.push_back(dim.stride);
    low.push_back(dim.padLow);
    high.push_back(dim.padHigh);
  }
  Value destination = makeDestination(rewriter, op);
  auto layer = ir::ConvTransposeOp::create(
      rewriter, op.getLoc(), op.getOutput().getType(), op.getInput(),
      op.getWeight(), bias.operand, extras, destination,
      arrayUnless(rewriter, 1, strides), /*dilation=*/nullptr,
      arrayUnless(rewriter, 0, low), arrayUnless(rewriter, 0, high),
      /*output_padding=*/nullptr, /*groups=*/1, ir::Layout::ChannelsLast,
      ir::WeightLayout::OutputKernelInput,
      static_cast<ir::Precision>(problem.precision), maps,
      /*kernel=*/nullptr, /*packed=*/false);
  buildEpilogue(rewriter, layer, bias);
  SmallVector<Operation *> sources;
  for (Value operand : op->getOperands())
    if (Operation *source = operand.getDefiningOp())
      if (!llvm::is_contained(sources, source))
        sources.push_back(source);
  rewriter.replaceOp(op, layer->getResults());
  for (Operation *source : sources) // Zero points and a constant bias.
    if (isOpTriviallyDead(source))
      rewriter.eraseOp(source);
}

namespace {
struct ConvertTosaToCTC : ctc::impl::ConvertTosaToCTCBase<ConvertTosaToCTC> {
  using ConvertTosaToCTCBase::ConvertTosaToCTCBase;

  void runOnOperation() override {
    auto parsed = parsePrecision(precision);
    if (!parsed) {
      getOperation()->emitError("unknown precision '")
          << precision << "', must be one of ieee, tf32, tf32x3";
      return signalPassFailure();
    }
    SmallVector<tosa::TransposeConv2DOp> ops;
    getOperation()->walk(
        [&](tosa::TransposeConv2DOp op) { ops.push_back(op); });
    for (tosa::TransposeConv2DOp op : ops)
      if (failed(convert(op, *parsed)))
        signalPassFailure();
  }

  static LogicalResult convert(tosa::TransposeConv2DOp op,
                               ctc::Precision precision) {
    if (failed(checkTypes(op)) || failed(checkZeroPoints(op)))
      return failure();
    // local_bound asks for the error of a direct dot product in the type.
    if (op.getLocalBound())
      precision = ctc::Precision::IEEE;
    if (ir::elementType(op.getInput().getType()) != ElementType::F32)
      precision = ctc::Precision::TF32; // What 16-bit operands carry.
    const Problem problem = makeProblem(op, precision);
    if (failed(checkShape(op, problem)))
      return failure();
    IRRewriter rewriter(op);
    buildLayer(rewriter, op, problem);
    return success();
  }
};
} // namespace
