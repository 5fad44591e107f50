//===- AccumulatorConversion.cpp - Accumulators over workers --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AccumulatorConversion.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

using namespace mlir;
using namespace ctc;

namespace {
struct ZeroPattern : OpConversionPattern<arith::ConstantOp> {
  ZeroPattern(const TypeConverter &converter, MLIRContext *context,
              AccumulatorParts parts)
      : OpConversionPattern(converter, context), parts(parts) {}

  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value zero = arith::ConstantOp::create(rewriter, op.getLoc(),
                                           rewriter.getZeroAttr(parts.type));
    SmallVector<Value> zeros(parts.count, zero);
    rewriter.replaceOpWithMultiple(op, {ValueRange(zeros)});
    return success();
  }

  AccumulatorParts parts;
};
} // namespace

LogicalResult ctc::convertAccumulators(
    gpu::GPUFuncOp function, ir::KernelAttr kernel, AccumulatorParts parts,
    llvm::function_ref<void(const TypeConverter &, RewritePatternSet &)>
        populate) {
  MLIRContext *context = function.getContext();
  const auto block = VectorType::get(
      {kernel.getPositions(), kernel.getChannels() * kernel.getPhaseCount()},
      Float32Type::get(context));
  TypeConverter converter;
  converter.addConversion([](Type type) { return type; });
  converter.addConversion(
      [&](VectorType type,
          SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
        if (type != block)
          return std::nullopt;
        types.append(parts.count, parts.type);
        return success();
      });
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  patterns.add<ZeroPattern>(converter, context, parts);
  populate(converter, patterns);
  target.markUnknownOpDynamicallyLegal([&](Operation *op) {
    return !isa<ir::ContractOp, ir::SettleOp, ir::StoreTileOp>(op) &&
           converter.isLegal(op);
  });
  return applyPartialConversion(function.getOperation(), target,
                                std::move(patterns));
}
