//===- LayerBuilder.cpp - A module from a layer's attributes --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Pipelines/LayerBuilder.h"
#include "EpilogueSteps.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Transforms/Entry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace ctc;

static Type elementTypeOf(MLIRContext &context, ElementType type) {
  switch (type) {
  case ElementType::F32:
    return Float32Type::get(&context);
  case ElementType::F16:
    return Float16Type::get(&context);
  case ElementType::BF16:
    return BFloat16Type::get(&context);
  }
  return {};
}

namespace {
/// Builds the entry `layer` into a module.
class LayerBuilder {
public:
  LayerBuilder(ImplicitLocOpBuilder &b, const Problem &problem,
               llvm::ArrayRef<EpilogueStep> steps)
      : b(b), problem(problem), steps(steps),
        element(elementTypeOf(*b.getContext(), problem.type)),
        outputType(tensor(problem.outputShape())) {}

  void build() {
    SmallVector<Type> types{tensor(problem.inputShape()),
                            tensor(problem.weightShape())};
    SmallVector<std::string> names{"input", "weight"};
    if (problem.bias) {
      types.push_back(tensor({problem.outputChannels}));
      names.push_back("bias");
    }
    const size_t firstExtra = types.size();
    for (const EpilogueStep &step : steps)
      if (step.operand != StepOperand::None) {
        types.push_back(step.operand == StepOperand::Tensor
                            ? outputType
                            : tensor({problem.outputChannels}));
        names.push_back("operand" +
                        std::to_string(types.size() - 1 - firstExtra));
      }
    auto entry = func::FuncOp::create(b, "layer",
                                      b.getFunctionType(types, {outputType}));
    for (auto [index, name] : llvm::enumerate(names))
      entry.setArgAttr(index, kNameAttr, b.getStringAttr(name));
    b.setInsertionPointToStart(entry.addEntryBlock());
    auto conv = buildConv(entry.getArguments(), firstExtra);
    func::ReturnOp::create(b, conv->getResults());
  }

private:
  RankedTensorType tensor(std::vector<int64_t> shape) const {
    std::replace(shape.begin(), shape.end(), kDynamic, ShapedType::kDynamic);
    return RankedTensorType::get(shape, element);
  }

  Operation *buildConv(ValueRange arguments, size_t firstExtra) {
    SmallVector<Value> batch;
    if (problem.hasDynamicBatch())
      batch.push_back(tensor::DimOp::create(b, arguments[0], 0));
    Value init = tensor::EmptyOp::create(b, outputType, batch);
    Value bias = problem.bias ? arguments[2] : Value();
    auto conv = ir::ConvTransposeOp::create(
        b, TypeRange{outputType}, arguments[0], arguments[1], bias,
        arguments.drop_front(firstExtra), init, values(&SpatialDim::stride),
        values(&SpatialDim::dilation), values(&SpatialDim::padLow),
        values(&SpatialDim::padHigh), values(&SpatialDim::outputPadding),
        static_cast<uint64_t>(problem.groups),
        static_cast<ir::Layout>(problem.layout),
        static_cast<ir::WeightLayout>(problem.weightLayout),
        static_cast<ir::Precision>(problem.precision), extraMaps(),
        /*kernel=*/ir::KernelAttr(), /*packed=*/false);
    if (!steps.empty())
      buildEpilogue(conv);
    return conv;
  }

  DenseI64ArrayAttr values(int64_t SpatialDim::*field) const {
    return b.getDenseI64ArrayAttr(llvm::map_to_vector(
        problem.dims, [&](const SpatialDim &dim) { return dim.*field; }));
  }

  ArrayAttr extraMaps() const {
    SmallVector<AffineMap> maps;
    const unsigned rank = outputType.getRank();
    const unsigned channel =
        problem.layout == Layout::ChannelsFirst ? 1 : rank - 1;
    for (const EpilogueStep &step : steps)
      if (step.operand == StepOperand::Tensor)
        maps.push_back(b.getMultiDimIdentityMap(rank));
      else if (step.operand == StepOperand::Channel)
        maps.push_back(AffineMap::get(rank, 0, b.getAffineDimExpr(channel)));
    return maps.empty() ? ArrayAttr() : b.getAffineMapArrayAttr(maps);
  }

  void buildEpilogue(ir::ConvTransposeOp conv) {
    OpBuilder::InsertionGuard guard(b);
    Block &block = conv.getEpilogue().emplaceBlock();
    block.addArgument(b.getF32Type(), b.getLoc());
    for ([[maybe_unused]] Value extra : conv.getExtras())
      block.addArgument(element, b.getLoc());
    b.setInsertionPointToStart(&block);
    Value value = block.getArgument(0);
    unsigned next = 1;
    for (const EpilogueStep &step : steps) {
      Value operand;
      if (step.operand != StepOperand::None) {
        operand = block.getArgument(next++);
        if (!operand.getType().isF32())
          operand = arith::ExtFOp::create(b, b.getF32Type(), operand);
      }
      value = step.build(b, value, step.numbers, operand);
    }
    ir::YieldOp::create(b, value);
  }

  ImplicitLocOpBuilder &b;
  const Problem &problem;
  llvm::ArrayRef<EpilogueStep> steps;
  Type element;
  RankedTensorType outputType;
};
} // namespace

Expected<OwningOpRef<ModuleOp>>
ctc::buildLayer(MLIRContext &context, const Problem &problem,
                llvm::ArrayRef<std::string> epilogue) {
  if (auto legal = verify(problem); !legal)
    return tl::unexpected(legal.error());
  SmallVector<EpilogueStep> steps;
  for (const std::string &text : epilogue) {
    auto step = parseEpilogueStep(text);
    if (!step)
      return tl::unexpected(step.error());
    steps.push_back(*step);
  }
  context.loadDialect<ir::CTCDialect, arith::ArithDialect, math::MathDialect,
                      func::FuncDialect, tensor::TensorDialect>();
  ImplicitLocOpBuilder b(UnknownLoc::get(&context), &context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(b.getLoc());
  b.setInsertionPointToEnd(module->getBody());
  LayerBuilder(b, problem, steps).build();
  return module;
}
