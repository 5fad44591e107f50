//===- Vectorize.cpp - Accumulators over warps ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../AccumulatorConversion.h"
#include "WarpTile.h"
#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace ctc;

WarpTile::WarpTile(gpu::GPUFuncOp function, ir::KernelAttr kernel)
    : kernel(kernel) {
  function.walk([&](ir::StoreTileOp op) {
    turns = interleavedOctets(
        kernel, op.getLayout() == ir::Layout::ChannelsLast,
        ir::elementType(op.getOutput().getType().getElementType()));
  });
  ImplicitLocOpBuilder b(function.getLoc(), function.getContext());
  b.setInsertionPointToStart(&function.getBody().front());
  IndexMath local(b, b.getI32Type());
  Value thread = local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x));
  lane = local.rem(thread, 32);
  t = local.rem(lane, 4);
  g = local.div(lane, 4);
  Value warp = local.div(thread, 32);
  const int64_t along = kernel.getWorkers()[0], across = kernel.getWorkers()[1];
  position = local.mul(local.rem(warp, along), positions());
  Value rest = local.div(warp, along);
  if (kernel.getSplit() > 1) {
    share = local.div(rest, across);
    rest = local.rem(rest, across);
  }
  channel = local.mul(rest, channels());
}

WarpTile WarpTile::stored(ImplicitLocOpBuilder &b) const {
  IndexMath local(b, b.getI32Type());
  WarpTile part = *this;
  part.kernel = kernel.getStoringKernel();
  part.share = Value();
  const int64_t along = positions() / part.positions();
  part.position =
      local.add(position, local.mul(local.rem(share, along), part.positions()));
  part.channel =
      local.add(channel, local.mul(local.div(share, along), part.channels()));
  return part;
}

namespace {

struct ContractPattern : TilePattern<ir::ContractOp, WarpTile> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ir::ContractOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getPatch().getType()))
      return rewriter.notifyMatchFailure(
          op, "operands are not in workgroup memory, run ctc-implicit-im2col");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto build =
        tile.kernel.usesWarpgroups() ? buildWarpgroupContract : buildContract;
    SmallVector<Value> sums =
        build(b, op, tile, adaptor.getPatch().front(),
              adaptor.getWeights().front(), adaptor.getAcc());
    rewriter.replaceOpWithMultiple(op, {ValueRange(sums)});
    return success();
  }
};

struct SettlePattern : TilePattern<ir::SettleOp, WarpTile> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ir::SettleOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    SmallVector<Value> sums = buildSettle(b, tile, adaptor.getAcc());
    rewriter.replaceOpWithMultiple(op, {ValueRange(sums)});
    return success();
  }
};

struct StorePattern : TilePattern<ir::StoreTileOp, WarpTile> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ir::StoreTileOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    if (tile.share) {
      const WarpTile stored = tile.stored(b);
      storeFragments(b, op, stored,
                     sumShares(b, tile, stored, adaptor.getAcc()));
    } else {
      storeFragments(b, op, tile, adaptor.getAcc());
    }
    rewriter.eraseOp(op);
    return success();
  }
};

} // namespace

void ctc::keepRolled(scf::ForOp loop) {
  MLIRContext *context = loop.getContext();
  const auto unroll = LLVM::LoopUnrollAttr::get(
      context, /*disable=*/BoolAttr::get(context, true), {}, {}, {}, {}, {},
      {});
  const auto rolled = LLVM::LoopAnnotationAttr::get(
      context, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {});
  // What is named so becomes the branch's own attribute on the way to LLVM.
  loop->setAttr("loop_annotation", rolled);
}

LogicalResult ctc::vectorizeForMma(gpu::GPUFuncOp function,
                                   ir::KernelAttr kernel) {
  const WarpTile tile(function, kernel);
  function.walk([](ir::ContractOp contract) {
    if (auto loop = contract->getParentOfType<scf::ForOp>())
      keepRolled(loop);
  });
  const auto fragment =
      VectorType::get(4, Float32Type::get(function.getContext()));
  return convertAccumulators(
      function, kernel, {fragment, tile.fragments()},
      [&](const TypeConverter &converter, RewritePatternSet &patterns) {
        patterns.add<ContractPattern, SettlePattern, StorePattern>(converter,
                                                                   tile);
      });
}
