//===- Vectorize.cpp - Accumulators over threads, vectors of FMA ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlatAccess.h"
#include "Kernels.h"
#include "MmaSync/MmaSync.h"
#include "ThreadTile.h"
#include "ctc/Transforms/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace ctc {
#define GEN_PASS_DEF_VECTORIZE
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

ThreadTile::ThreadTile(gpu::GPUFuncOp function, ir::KernelAttr kernel,
                       SharedLayout layout)
    : kernel(kernel), shared(std::move(layout)),
      arena(function.getWorkgroupAttributions().back()) {
  ImplicitLocOpBuilder b(function.getLoc(), function.getContext());
  b.setInsertionPointToStart(&function.getBody().front());
  IndexMath local(b, b.getI32Type()), index(b, b.getIndexType());
  thread = local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x));
  const bool alongPositions = kernel.getLanes() == ir::Lanes::Positions;
  const int64_t fast =
      alongPositions ? kernel.getWorkers()[0] : kernel.getWorkers()[1];
  Value quick = local.rem(thread, fast), slow = local.div(thread, fast);
  Value position = alongPositions ? quick : slow;
  channel = index.cast(
      local.mul(alongPositions ? slow : quick, kernel.getWorkerTile()[1]));

  SmallVector<int64_t> box{kernel.getBatch()}, halo{kernel.getBatch()};
  llvm::append_range(box, kernel.getBox().asArrayRef());
  llvm::append_range(halo, shared.halo);
  const int64_t volume = kernel.getBoxVolume();
  for (int64_t i = 0; i < kernel.getWorkerTile()[0]; ++i) {
    Value number = local.add(position, i * kernel.getWorkers()[0]);
    positions.push_back(index.cast(number));
    // Idle positions compute position 0 once more and are not stored.
    if (volume < kernel.getPositions())
      number =
          arith::SelectOp::create(b, local.less(number, local.constant(volume)),
                                  number, local.constant(0));
    Value offset = local.constant(0);
    for (auto [coordinate, size] :
         llvm::zip_equal(local.delinearize(number, box), halo))
      offset = local.add(local.mul(offset, size), coordinate);
    patchOffsets.push_back(index.cast(offset));
  }
}

namespace {

struct ZeroPattern : OpConversionPattern<arith::ConstantOp> {
  ZeroPattern(const TypeConverter &converter, const ThreadTile &tile)
      : OpConversionPattern(converter, tile.kernel.getContext()), tile(tile) {}

  LogicalResult
  matchAndRewrite(arith::ConstantOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const override {
    auto type =
        VectorType::get(tile.kernel.getWorkerTile()[1], rewriter.getF32Type());
    Value zero = arith::ConstantOp::create(rewriter, op.getLoc(),
                                           rewriter.getZeroAttr(type));
    SmallVector<Value> zeros(tile.kernel.getWorkerTile()[0], zero);
    rewriter.replaceOpWithMultiple(op, {ValueRange(zeros)});
    return success();
  }

  const ThreadTile &tile;
};

/// ctc.contract: loops over the taps of the chunk around an unrolled sequence
/// over its channels. A tap is a shift of the patch's address.
struct ContractPattern : OpConversionPattern<ir::ContractOp> {
  ContractPattern(const TypeConverter &converter, const ThreadTile &tile)
      : OpConversionPattern(converter, tile.kernel.getContext()), tile(tile) {}

  LogicalResult
  matchAndRewrite(ir::ContractOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<MemRefType>(op.getPatch().getType()))
      return rewriter.notifyMatchFailure(
          op, "operands are not in workgroup memory, run ctc-implicit-im2col");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    IndexMath math(b, b.getIndexType());
    SmallVector<Value> acc(adaptor.getAcc());
    SmallVector<scf::ForOp> loops;
    SmallVector<Value> taps;
    for (ValueRange count : adaptor.getCount()) {
      auto loop = scf::ForOp::create(b, math.constant(0), count.front(),
                                     math.constant(1), acc);
      b.setInsertionPointToStart(loop.getBody());
      acc.assign(loop.getRegionIterArgs().begin(),
                 loop.getRegionIterArgs().end());
      taps.push_back(loop.getInductionVar());
      loops.push_back(loop);
    }
    buildTap(b, op, adaptor.getPatch().front(), adaptor.getWeights().front(),
             taps, acc);
    for (scf::ForOp loop : llvm::reverse(loops)) {
      scf::YieldOp::create(b, acc);
      b.setInsertionPointAfter(loop);
      acc.assign(loop.getResults().begin(), loop.getResults().end());
    }
    rewriter.replaceOpWithMultiple(op, {ValueRange(acc)});
    return success();
  }

  void buildTap(ImplicitLocOpBuilder &b, ir::ContractOp op, Value patch,
                Value weights, ArrayRef<Value> taps,
                MutableArrayRef<Value> acc) const {
    IndexMath math(b, b.getIndexType());
    const ir::KernelAttr kernel = tile.kernel;
    Value row = math.constant(0), shift = math.constant(0);
    int64_t pitch = 1;
    for (size_t i = 0; i < taps.size(); ++i)
      row = math.add(math.mul(row, kernel.getTaps()[i]), taps[i]);
    for (size_t i = taps.size(); i-- > 0;) {
      Value age = math.sub(math.constant(kernel.getTaps()[i] - 1), taps[i]);
      shift = math.add(shift, math.mul(age, op.getInputStep()[i] * pitch));
      pitch *= op.getHalo()[i];
    }
    SmallVector<Value> columns;
    for (Value offset : tile.patchOffsets)
      columns.push_back(math.add(offset, shift));

    const int64_t channels = kernel.getChannels();
    Value first = math.add(math.mul(row, kernel.getChunkChannels() * channels),
                           tile.channel);
    auto type = VectorType::get(kernel.getWorkerTile()[1], b.getF32Type());
    for (int64_t k = 0; k < kernel.getChunkChannels(); ++k) {
      Value weight =
          loadVector(b, type, weights, math.add(first, k * channels));
      for (auto [column, sum] : llvm::zip_equal(columns, acc)) {
        Value pixel = memref::LoadOp::create(
            b, patch, ValueRange{math.constant(k), column});
        Value spread = vector::BroadcastOp::create(b, type, pixel);
        sum = vector::FMAOp::create(b, spread, weight, sum);
      }
    }
  }

  const ThreadTile &tile;
};

struct StorePattern : OpConversionPattern<ir::StoreTileOp> {
  StorePattern(const TypeConverter &converter, const ThreadTile &tile)
      : OpConversionPattern(converter, tile.kernel.getContext()), tile(tile) {}

  LogicalResult
  matchAndRewrite(ir::StoreTileOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    lowerStoreTile(b, op, tile, adaptor.getAcc());
    rewriter.eraseOp(op);
    return success();
  }

  const ThreadTile &tile;
};

struct Vectorize : ctc::impl::VectorizeBase<Vectorize> {
  void runOnOperation() override {
    if (failed(convertKernels(getOperation(), [&](auto &&...kernel) {
          return convert(kernel...);
        })))
      signalPassFailure();
  }

  LogicalResult convert(gpu::GPUFuncOp function, ir::KernelAttr kernel,
                        const SharedLayout &shared) {
    if (kernel.getFamily() == ir::Family::MmaSync)
      return vectorizeForMma(function, kernel);
    if (function.getNumWorkgroupAttributions() == 0) {
      return function.emitOpError(
          "has no workgroup buffer, run ctc-pipeline first");
    }
    ThreadTile tile(function, kernel, shared);

    const auto block =
        VectorType::get({kernel.getPositions(), kernel.getChannels()},
                        Float32Type::get(&getContext()));
    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    converter.addConversion(
        [&](VectorType type,
            SmallVectorImpl<Type> &parts) -> std::optional<LogicalResult> {
          if (type != block)
            return std::nullopt;
          parts.append(kernel.getWorkerTile()[0],
                       VectorType::get(kernel.getWorkerTile()[1],
                                       type.getElementType()));
          return success();
        });
    RewritePatternSet patterns(&getContext());
    ConversionTarget target(getContext());
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                         target);
    patterns.add<ZeroPattern, ContractPattern, StorePattern>(converter, tile);
    target.markUnknownOpDynamicallyLegal([&](Operation *op) {
      return !isa<ir::ContractOp, ir::StoreTileOp>(op) && converter.isLegal(op);
    });
    return applyPartialConversion(function.getOperation(), target,
                                  std::move(patterns));
  }
};
} // namespace
