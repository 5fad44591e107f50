//===- StoreTile.cpp - Bias, epilogue and stores of a tile ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The accumulators go through workgroup memory once: the threads that store
// then run along whatever is contiguous in the output, and the epilogue stands
// in the code once instead of once per accumulator.
//
//===----------------------------------------------------------------------===//

#include "FlatAccess.h"
#include "StoreEpilogue.h"
#include "ThreadTile.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace ctc;

namespace {

/// Threads that share a position when channels are contiguous: 16 of them write
/// at least one 32-byte sector.
constexpr int64_t kChannelLanes = 16;

class StoreBuilder {
public:
  StoreBuilder(ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
               const ThreadTile &tile)
      : b(builder), op(op), tile(tile), index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()),
        last(op.getLayout() == ir::Layout::ChannelsLast) {
    const auto output = op.getOutput().getType();
    strides = rowMajorStrides(output);
    channelDim = last ? output.getRank() - 1 : 1;
    box.push_back(tile.kernel.getBatch());
    llvm::append_range(box, tile.kernel.getBox().asArrayRef());
  }

  void build(ValueRange acc) {
    staging = memref::ViewOp::create(
        b,
        MemRefType::get(
            {tile.kernel.getChannels(), tile.shared.stagingPitch},
            b.getF32Type(), MemRefLayoutAttrInterface(),
            cast<MemRefType>(tile.arena.getType()).getMemorySpace()),
        tile.arena, index.constant(0), ValueRange());
    // The chunk's buffers lie in the same bytes.
    gpu::BarrierOp::create(b);
    stage(acc);
    gpu::BarrierOp::create(b);
    computeExtents();
    buildLoops();
  }

private:
  void stage(ValueRange acc) {
    for (auto [position, values] : llvm::zip_equal(tile.positions, acc))
      for (int64_t c = 0; c < tile.kernel.getWorkerTile()[1]; ++c) {
        Value value = vector::ExtractOp::create(b, values, c);
        memref::StoreOp::create(
            b, value, staging,
            ValueRange{index.add(tile.channel, c), position});
      }
  }

  /// Legal coordinates [0, extent) in the box, as block-uniform i32.
  void computeExtents() {
    Value zero = index.constant(0);
    auto clamp = [&](Value value, int64_t size) {
      return local.cast(
          index.max(index.min(value, index.constant(size)), zero));
    };
    extents.push_back(
        box[0] > 1 ? clamp(index.sub(op.getSamples(), op.getSample()), box[0])
                   : Value());
    for (auto [i, extent] : llvm::enumerate(op.getExtent()))
      extents.push_back(clamp(extent, box[i + 1]));
  }

  /// A position at a time, and under it its channels.
  void buildLoops() {
    const int64_t channels = tile.kernel.getChannels();
    const int64_t lanes =
        last ? std::min<int64_t>(llvm::bit_floor(uint64_t(channels)),
                                 kChannelLanes)
             : 1;
    Value lane = index.cast(local.rem(tile.thread, lanes));
    Value start = local.div(tile.thread, lanes);
    auto positions =
        scf::ForOp::create(b, start, local.constant(tile.kernel.getBoxVolume()),
                           local.constant(tile.kernel.getThreads() / lanes));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(positions.getBody());
    Value number = positions.getInductionVar();
    SmallVector<Value> at = local.delinearize(number, box);
    enterIf(isLegal(at));
    SmallVector<Value> coordinates = outputCoordinates(at);
    Value element = elementOf(coordinates);

    auto loop =
        scf::ForOp::create(b, lane, channelCount(), index.constant(lanes));
    b.setInsertionPointToStart(loop.getBody());
    Value channel = loop.getInductionVar();
    storeElement(index.cast(number), channel, coordinates, element);
  }

  Value isLegal(ArrayRef<Value> at) {
    Value legal;
    for (auto [coordinate, extent] : llvm::zip_equal(at, extents)) {
      if (!extent)
        continue;
      Value here = local.less(coordinate, extent);
      legal = legal ? arith::AndIOp::create(b, legal, here) : here;
    }
    return legal;
  }

  void enterIf(Value condition) {
    auto guard = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    b.setInsertionPointToStart(guard.thenBlock());
  }

  /// Channels of the tile that exist.
  Value channelCount() {
    return index.min(index.constant(tile.kernel.getChannels()),
                     index.sub(op.getChannelEnd(), op.getChannel()));
  }

  /// Output coordinates in memory order; the channel's is that of the tile.
  SmallVector<Value> outputCoordinates(ArrayRef<Value> at) {
    SmallVector<Value> coordinates{
        index.add(op.getSample(), index.cast(at[0]))};
    for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
      coordinates.push_back(index.add(
          origin, index.mul(index.cast(at[i + 1]), op.getStride()[i])));
    coordinates.insert(coordinates.begin() + channelDim, op.getChannel());
    return coordinates;
  }

  Value elementOf(ArrayRef<Value> coordinates) {
    Value element = index.constant(0);
    for (auto [coordinate, stride] : llvm::zip_equal(coordinates, strides))
      element = index.add(element, index.mul(coordinate, stride));
    return element;
  }

  void storeElement(Value position, Value channel,
                    SmallVector<Value> coordinates, Value element) {
    coordinates[channelDim] = index.add(op.getChannel(), channel);
    Value value =
        memref::LoadOp::create(b, staging, ValueRange{channel, position});
    if (op.getBias()) {
      Value bias = memref::LoadOp::create(b, flatten(b, op.getBias()),
                                          coordinates[channelDim]);
      value = arith::AddFOp::create(b, value, widen(b, bias));
    }
    value = applyEpilogue(b, op, value, coordinates);
    const Type type = op.getOutput().getType().getElementType();
    if (!type.isF32())
      value = arith::TruncFOp::create(b, type, value);
    memref::StoreOp::create(
        b, value, flatten(b, op.getOutput()),
        index.add(element, index.mul(channel, strides[channelDim])));
  }

  ImplicitLocOpBuilder &b;
  ir::StoreTileOp op;
  const ThreadTile &tile;
  IndexMath index, local;
  bool last;
  Value staging;
  SmallVector<int64_t> strides, box;
  SmallVector<Value> extents;
  int64_t channelDim = 1;
};

} // namespace

void ctc::lowerStoreTile(ImplicitLocOpBuilder &b, ir::StoreTileOp op,
                         const ThreadTile &tile, ValueRange acc) {
  StoreBuilder(b, op, tile).build(acc);
}
