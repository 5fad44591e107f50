//===- Vectorize.cpp - Accumulators over threads, vectors of FMA ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AccumulatorConversion.h"
#include "FlatAccess.h"
#include "Kernels.h"
#include "MmaSync/MmaSync.h"
#include "ThreadTile.h"
#include "ctc/Transforms/Passes.h"
#include "ctc/Tuning/Simt.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

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
  channel = local.mul(alongPositions ? slow : quick, kernel.getWorkerTile()[1]);

  SmallVector<int64_t> box{kernel.getBatch()}, window{kernel.getBatch()};
  llvm::append_range(box, kernel.getBox().asArrayRef());
  llvm::append_range(window, shared.window);
  const int64_t volume = kernel.getBoxVolume();
  const int64_t apart = rowsApart() * shared.positionPitch;
  // The first input channel of the first group that the thread reads.
  Value inputChannel;
  if (kernel.getGroups() > 1)
    inputChannel = local.mul(local.div(channel, kernel.getGroupChannels()),
                             kernel.getChunkChannels());
  for (int64_t i = 0; i < kernel.getWorkerTile()[0]; ++i) {
    Value number = local.add(position, i * kernel.getWorkers()[0]);
    positions.push_back(number);
    if (i > 0 && apart > 0) {
      patchOffsets.push_back({patchOffsets.front().first, i * apart});
      continue;
    }
    // Idle positions compute position 0 once more and are not stored.
    if (volume < kernel.getPositions())
      number =
          arith::SelectOp::create(b, local.less(number, local.constant(volume)),
                                  number, local.constant(0));
    Value offset = local.constant(0);
    for (auto [coordinate, size] :
         llvm::zip_equal(local.delinearize(number, box), window))
      offset = local.add(local.mul(offset, size), coordinate);
    offset = local.mul(offset, shared.positionPitch);
    if (inputChannel)
      offset = local.add(offset, inputChannel);
    patchOffsets.push_back({index.cast(offset), 0});
  }
}

/// Patch elements from a thread's position to its next, where that is the same
/// for all; else 0. It is where the workers cover whole boxes of the inner
/// dimensions and only one dimension further out is larger than 1.
int64_t ThreadTile::rowsApart() {
  const ArrayRef<int64_t> box = kernel.getBox().asArrayRef();
  const int64_t workers = kernel.getWorkers()[0];
  if (kernel.getBoxVolume() < kernel.getPositions())
    return 0;
  int64_t inner = 1, pitch = 1;
  for (size_t i = box.size(); i-- > 0;) {
    if (workers % inner != 0)
      return 0;
    apartPitch = pitch * shared.positionPitch;
    if (kernel.getBoxVolume() == inner * box[i])
      return workers / inner * pitch;
    inner *= box[i];
    pitch *= shared.window[i];
  }
  return workers % inner == 0 ? workers / inner * pitch : 0;
}

namespace {

/// A tap of a chunk as far as it is known: its place among the chunk's weights,
/// how far it shifts the patch's address, and the phase it adds to.
struct StaticTap {
  int64_t row = 0, shift = 0, phase = 0;
};

/// ctc.contract: loops over the taps of the chunk, unrolled along dimensions
/// with grouped phases, around an unrolled sequence over its channels. A tap is
/// a shift of the patch's address.
struct ContractPattern : TilePattern<ir::ContractOp, ThreadTile> {
  using TilePattern::TilePattern;

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
    for (auto [i, count] : llvm::enumerate(adaptor.getCount())) {
      if (tile.kernel.getPhases()[int64_t(i)] > 1) {
        taps.push_back(Value());
        continue;
      }
      auto loop = scf::ForOp::create(b, math.constant(0), count.front(),
                                     math.constant(1), acc);
      b.setInsertionPointToStart(loop.getBody());
      acc.assign(loop.getRegionIterArgs().begin(),
                 loop.getRegionIterArgs().end());
      taps.push_back(loop.getInductionVar());
      loops.push_back(loop);
    }
    Value skew =
        adaptor.getSkew().empty() ? Value() : adaptor.getSkew().front();
    buildTaps(b, op, adaptor.getPatch().front(), adaptor.getWeights().front(),
              skew, taps, acc);
    for (scf::ForOp loop : llvm::reverse(loops)) {
      scf::YieldOp::create(b, acc);
      b.setInsertionPointAfter(loop);
      acc.assign(loop.getResults().begin(), loop.getResults().end());
    }
    rewriter.replaceOpWithMultiple(op, {ValueRange(acc)});
    return success();
  }

  /// Elements of the patch by which a step along each dimension shifts.
  SmallVector<int64_t> pitches() const {
    SmallVector<int64_t> result(tile.shared.window.size(),
                                tile.shared.positionPitch);
    for (size_t i = result.size(); i-- > 1;)
      result[i - 1] = result[i] * tile.shared.window[i];
    return result;
  }

  /// The grouped part of the chunk's taps; one that does nothing where no
  /// phases are grouped.
  SmallVector<StaticTap> groupedTaps(ir::ContractOp op) const {
    const ir::KernelAttr kernel = tile.kernel;
    const SmallVector<int64_t> pitch = pitches();
    SmallVector<StaticTap> taps(1);
    for (size_t i = 0; i < pitch.size(); ++i) {
      const auto dim = int64_t(i);
      SmallVector<StaticTap> longer;
      for (StaticTap tap : taps) {
        tap.row *= kernel.getTaps()[dim];
        tap.phase *= kernel.getPhases()[dim];
        if (kernel.getPhases()[dim] == 1) {
          longer.push_back(tap);
          continue;
        }
        auto pairs = cast<DenseI64ArrayAttr>((*op.getPhaseTaps())[i]);
        for (int64_t t = 0; 2 * t < pairs.size(); ++t)
          if (pairs[2 * t] >= 0)
            longer.push_back({tap.row + t,
                              tap.shift + pairs[2 * t + 1] * pitch[i],
                              tap.phase + pairs[2 * t]});
      }
      taps = std::move(longer);
    }
    // All phases that read a pixel come together, so that it needs a register
    // for a short time. Where pixels have several channels or taps are many, so
    // do the positions of the thread that share pixels, a column of them at a
    // time.
    const bool columns =
        kernel.getGroups() > 1 || int64_t(taps.size()) > kMaxTapsInRegisters;
    llvm::sort(taps, [&](const StaticTap &a, const StaticTap &b) {
      auto key = [&](const StaticTap &tap) {
        return std::tuple(columns ? tap.shift % tile.apartPitch : 0, tap.shift,
                          tap.row);
      };
      return key(a) < key(b);
    });
    return taps;
  }

  /// The thread's weights of one tap and channel. Three are loaded as four.
  Value loadWeights(ImplicitLocOpBuilder &b, Value weights, Value at) const {
    const int64_t channels = tile.kernel.getWorkerTile()[1];
    const bool padded = channels == 3 && tile.shared.weightPitch == 4;
    Value loaded =
        loadVector(b, VectorType::get({padded ? 4 : channels}, b.getF32Type()),
                   weights, at);
    if (!padded)
      return loaded;
    return vector::ExtractStridedSliceOp::create(
        b, loaded, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{3},
        ArrayRef<int64_t>{1});
  }

  /// All taps at one step of the loops, and all channels of the chunk.
  void buildTaps(ImplicitLocOpBuilder &b, ir::ContractOp op, Value patch,
                 Value weights, Value skew, ArrayRef<Value> taps,
                 MutableArrayRef<Value> acc) const {
    IndexMath math(b, b.getIndexType());
    const ir::KernelAttr kernel = tile.kernel;
    const SmallVector<int64_t> pitch = pitches();
    Value row = math.constant(0);
    // Only patches that are vectors of positions are skewed.
    Value shift = skew ? skew : math.constant(0);
    for (size_t i = 0; i < taps.size(); ++i) {
      row = math.mul(row, kernel.getTaps()[int64_t(i)]);
      if (!taps[i])
        continue;
      row = math.add(row, taps[i]);
      Value age =
          math.sub(math.constant(kernel.getTaps()[int64_t(i)] - 1), taps[i]);
      shift = math.add(shift, math.mul(age, op.getInputStep()[i] * pitch[i]));
    }
    llvm::SmallDenseMap<Value, Value> columns;
    for (auto [offset, constant] : tile.patchOffsets)
      if (Value &column = columns[offset]; !column)
        column = math.add(offset, shift);

    const int64_t weightPitch = tile.shared.weightPitch;
    const int64_t chunk = kernel.getChunkChannels();
    const int64_t positions = kernel.getWorkerTile()[0];
    const SmallVector<StaticTap> grouped = groupedTaps(op);
    Value first =
        math.add(math.mul(row, chunk * weightPitch), math.cast(tile.channel));
    // Taps of different phases read the same pixels.
    llvm::SmallDenseMap<std::pair<Value, int64_t>, Value> pixels;
    auto multiply = [&](const StaticTap &tap, int64_t k) {
      Value weight = loadWeights(
          b, weights, math.add(first, (tap.row * chunk + k) * weightPitch));
      for (int64_t i = 0; i < positions; ++i) {
        auto [offset, constant] = tile.patchOffsets[i];
        Value &pixel = pixels[{offset, constant + tap.shift}];
        if (!pixel)
          pixel =
              loadPixel(b, patch,
                        math.add(columns[offset], k * tile.shared.patchPitch +
                                                      constant + tap.shift));
        Value &sum = acc[tap.phase * positions + i];
        sum = vector::FMAOp::create(b, pixelOf(b, pixel, k), weight, sum);
      }
    };
    // A pixel has one channel, or all channels that the thread multiplies.
    if (kernel.getGroups() > 1) {
      for (const StaticTap &tap : grouped)
        for (int64_t k = 0; k < chunk; ++k)
          multiply(tap, k);
      return;
    }
    for (int64_t k = 0; k < chunk; ++k, pixels.clear())
      for (const StaticTap &tap : grouped)
        multiply(tap, k);
  }

  /// Groups that the thread's channels are of.
  int64_t threadGroups() const {
    return std::max<int64_t>(1, tile.kernel.getWorkerTile()[1] /
                                    tile.kernel.getGroupChannels());
  }

  /// What a thread reads of the patch at a time: one channel for all of its
  /// output channels, or all channels of its groups.
  Value loadPixel(ImplicitLocOpBuilder &b, Value patch, Value at) const {
    const ir::KernelAttr kernel = tile.kernel;
    const int64_t read = threadGroups() * kernel.getChunkChannels();
    if (kernel.getGroups() > 1 && read > 1)
      return loadVector(b, VectorType::get({read}, b.getF32Type()), patch, at);
    auto type = VectorType::get(kernel.getWorkerTile()[1], b.getF32Type());
    return vector::BroadcastOp::create(b, type,
                                       memref::LoadOp::create(b, patch, at));
  }

  /// Input channel k of the group of each of the thread's output channels.
  Value pixelOf(ImplicitLocOpBuilder &b, Value pixel, int64_t k) const {
    const ir::KernelAttr kernel = tile.kernel;
    const int64_t chunk = kernel.getChunkChannels();
    if (kernel.getGroups() == 1 || threadGroups() * chunk == 1)
      return pixel;
    SmallVector<int64_t> channels;
    for (int64_t c = 0; c < kernel.getWorkerTile()[1]; ++c)
      channels.push_back(c / kernel.getGroupChannels() * chunk + k);
    return b.createOrFold<vector::ShuffleOp>(pixel, pixel, channels);
  }
};

struct StorePattern : TilePattern<ir::StoreTileOp, ThreadTile> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(ir::StoreTileOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    lowerStoreTile(b, op, tile, adaptor.getAcc());
    rewriter.eraseOp(op);
    return success();
  }
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
    if (kernel.usesMatrixUnits())
      return vectorizeForMma(function, kernel);
    if (function.getNumWorkgroupAttributions() == 0) {
      return function.emitOpError(
          "has no workgroup buffer, run ctc-pipeline first");
    }
    ThreadTile tile(function, kernel, shared);

    const auto part = VectorType::get(kernel.getWorkerTile()[1],
                                      Float32Type::get(&getContext()));
    return convertAccumulators(
        function, kernel,
        {part, kernel.getWorkerTile()[0] * kernel.getPhaseCount()},
        [&](const TypeConverter &converter, RewritePatternSet &patterns) {
          patterns.add<ContractPattern, StorePattern>(converter, tile);
        });
  }
};
} // namespace
