//===- Store.cpp - Bias, epilogue and stores from fragments ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A lane holds two neighbouring columns of each fragment. Columns of positions
// are neighbours in a channels-first output, and with grouped phases so are all
// phases of both; columns of channels were packed so that a lane holds four
// neighbouring channels. Such runs are stored as vectors as wide as the
// output's alignment allows.
//
//===----------------------------------------------------------------------===//

#include "../FlatAccess.h"
#include "../StoreEpilogue.h"
#include "WarpTile.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

#include <numeric>

using namespace mlir;
using namespace ctc;

namespace {

/// One position of a lane.
struct Place {
  SmallVector<Value> at; ///< Box coordinates, samples first, i32.
  Value legal;           ///< Whether it exists, with phase 0; may be nothing.
  Value element;         ///< Of the output, for the tile's first channel.
};

/// One element of a run: an accumulator and where it goes.
struct RunElement {
  Value sum;
  const Place *place;
  SmallVector<int64_t> phases; ///< Per dimension.
  Value channel;               ///< In the tile, i32.
};

class FragmentStore {
public:
  FragmentStore(ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
                const WarpTile &tile, ValueRange acc)
      : b(builder), op(op), tile(tile), acc(acc),
        index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()),
        last(op.getLayout() == ir::Layout::ChannelsLast) {
    const auto output = op.getOutput().getType();
    strides = rowMajorStrides(output);
    channelDim = last ? output.getRank() - 1 : 1;
    box.push_back(tile.kernel.getBatch());
    llvm::append_range(box, tile.kernel.getBox().asArrayRef());
    element = output.getElementType();
    target = flatten(b, op.getOutput());
  }

  void build() {
    buildBase();
    buildExtents();
    channelsLeft =
        local.cast(index.min(index.sub(op.getChannelEnd(), op.getChannel()),
                             index.constant(tile.kernel.getChannels())));
    if (tile.positionsAreRows())
      storeChannelRuns();
    else
      storePositionRuns();
  }

private:
  size_t rank() const { return box.size() - 1; }
  int64_t outputDim(size_t i) const { return int64_t(i) + (last ? 1 : 2); }
  int64_t phasesOf(size_t i) const { return tile.kernel.getPhases()[i]; }
  /// Whether outputs of neighbouring positions and phases touch along the
  /// innermost dimension.
  bool isDense() { return op.getStride().back() == phasesOf(rank() - 1); }

  void buildBase() {
    base = index.add(index.mul(op.getSample(), strides[0]),
                     index.mul(op.getChannel(), strides[channelDim]));
    for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
      base = index.add(base, index.mul(origin, strides[outputDim(i)]));
  }

  /// Legal coordinates [0, extent) in the box, samples first, as i32; of
  /// outputs where phases are grouped.
  void buildExtents() {
    Value zero = index.constant(0);
    auto clamp = [&](Value value, int64_t size) {
      return local.cast(
          index.max(index.min(value, index.constant(size)), zero));
    };
    extents.push_back(
        box[0] > 1 ? clamp(index.sub(op.getSamples(), op.getSample()), box[0])
                   : Value());
    for (auto [i, extent] : llvm::enumerate(op.getExtent()))
      extents.push_back(clamp(extent, phasesOf(i) > 1
                                          ? box[i + 1] * op.getStride()[i]
                                          : box[i + 1]));
  }

  Value both(Value lhs, Value rhs) {
    if (!lhs || !rhs)
      return lhs ? lhs : rhs;
    return b.createOrFold<arith::AndIOp>(lhs, rhs);
  }

  /// The position `number` of the block.
  Place locate(Value number) {
    Place place;
    place.at = local.delinearize(number, box);
    if (tile.kernel.getBoxVolume() < tile.kernel.getPositions())
      place.legal =
          local.less(number, local.constant(tile.kernel.getBoxVolume()));
    place.element =
        index.add(base, index.mul(index.cast(place.at[0]), strides[0]));
    for (size_t i = 0; i < box.size(); ++i) {
      Value coordinate = place.at[i];
      if (i > 0) {
        const int64_t stride = op.getStride()[i - 1];
        if (phasesOf(i - 1) > 1)
          coordinate = local.mul(coordinate, stride);
        place.element = index.add(
            place.element, index.mul(index.cast(place.at[i]),
                                     stride * strides[outputDim(i - 1)]));
      }
      if (extents[i])
        place.legal = both(place.legal, local.less(coordinate, extents[i]));
    }
    return place;
  }

  /// Whether a phase of a legal position exists: always, where the output is a
  /// multiple of the stride.
  Value phaseLegal(const Place &place, ArrayRef<int64_t> phases) {
    Value legal;
    for (size_t i = 0; i < rank(); ++i) {
      const int64_t stride = op.getStride()[i];
      const int64_t size = op.getOutput().getType().getDimSize(outputDim(i));
      if (phases[i] == 0 || size % stride == 0)
        continue;
      Value output = local.add(local.mul(place.at[i + 1], stride), phases[i]);
      legal = both(legal, local.less(output, extents[i + 1]));
    }
    return legal;
  }

  /// The phases of a number in the accumulator's order.
  SmallVector<int64_t> phasesAt(int64_t number) {
    SmallVector<int64_t> phases(rank());
    for (size_t i = rank(); i-- > 0; number /= phasesOf(i))
      phases[i] = number % phasesOf(i);
    return phases;
  }

  Value sumOf(int64_t phase, int64_t row, int64_t column, int64_t i) {
    return vector::ExtractOp::create(b, acc[tile.fragment(phase, row, column)],
                                     i);
  }

  void enterIf(Value condition) {
    if (!condition)
      return;
    auto guard = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    b.setInsertionPointToStart(guard.thenBlock());
  }

  Value channelLegal(Value channel) {
    const auto group = op.getGroupChannels();
    if (group % tile.kernel.getChannels() == 0)
      return {};
    return local.less(channel, channelsLeft);
  }

  Value loadBias(Value channel) {
    if (!op.getBias())
      return {};
    // Past the last channel the first is read and dropped.
    Value legal = channelLegal(channel);
    Value safe =
        legal ? arith::SelectOp::create(b, legal, channel, local.constant(0))
                    .getResult()
              : channel;
    return widen(b, memref::LoadOp::create(
                        b, flatten(b, op.getBias()),
                        index.add(op.getChannel(), index.cast(safe))));
  }

  /// Columns are positions: a lane has channels g and g + 8 of every 16.
  void storePositionRuns() {
    const bool pairs = box.back() % 2 == 0;
    SmallVector<Value> channels, biases;
    for (int64_t row = 0; row < 2 * tile.rowTiles(); ++row) {
      channels.push_back(
          local.add(local.add(tile.channel, tile.g), row * kOctet));
      biases.push_back(loadBias(channels.back()));
    }
    for (int64_t column = 0; column < tile.columnTiles(); ++column) {
      OpBuilder::InsertionGuard guard(b);
      Value number = local.add(local.add(tile.position, local.mul(tile.t, 2)),
                               column * kOctet);
      const std::array<Place, 2> places{locate(number),
                                        locate(local.add(number, 1))};
      if (pairs && isDense()) {
        storeColumn(column, {&places[0], &places[1]}, 0, channels, biases);
        continue;
      }
      storeColumn(column, {&places[0]}, 0, channels, biases);
      storeColumn(column, {&places[1]}, 1, channels, biases);
    }
  }

  /// The runs of all channels for neighbouring positions of one fragment
  /// column, the first of them at `offset` in the lane's two.
  void storeColumn(int64_t column, ArrayRef<const Place *> places,
                   int64_t offset, ArrayRef<Value> channels,
                   ArrayRef<Value> biases) {
    OpBuilder::InsertionGuard guard(b);
    // Both positions of a run may be legal by themselves only.
    Value any = places.front()->legal;
    enterIf(any);
    const int64_t inner = isDense() ? phasesOf(rank() - 1) : 1;
    for (auto [row, channel] : llvm::enumerate(channels)) {
      OpBuilder::InsertionGuard restore(b);
      enterIf(channelLegal(channel));
      for (int64_t phase = 0; phase < tile.phases(); phase += inner) {
        SmallVector<RunElement> run;
        for (auto [i, place] : llvm::enumerate(places))
          for (int64_t f = 0; f < inner; ++f)
            run.push_back({sumOf(phase + f, int64_t(row) / 2, column,
                                 2 * (int64_t(row) % 2) + offset + int64_t(i)),
                           place, phasesAt(phase + f), channel});
        storeRun(run, biases[row], outputWidth());
      }
    }
  }

  int64_t outputWidth() {
    return op.getOutput().getType().getDimSize(outputDim(rank() - 1));
  }

  /// Columns are channels: a lane has four neighbours of every 16, or two of 8.
  void storeChannelRuns() {
    const int64_t octets = fragmentUnit(tile.kernel) / kOctet;
    const int64_t units = tile.columnTiles() / octets;
    SmallVector<SmallVector<Value>> channels(units), biases(units);
    for (int64_t unit = 0; unit < units; ++unit)
      for (int64_t i = 0; i < 2 * octets; ++i) {
        channels[unit].push_back(
            local.add(local.add(tile.channel, local.mul(tile.t, 2 * octets)),
                      unit * octets * kOctet + i));
        biases[unit].push_back(loadBias(channels[unit].back()));
      }
    for (int64_t row = 0; row < 2 * tile.rowTiles(); ++row) {
      OpBuilder::InsertionGuard guard(b);
      Value number = local.add(local.add(tile.position, tile.g), row * kOctet);
      const Place place = locate(number);
      enterIf(place.legal);
      for (int64_t phase = 0; phase < tile.phases(); ++phase) {
        OpBuilder::InsertionGuard restore(b);
        const SmallVector<int64_t> phases = phasesAt(phase);
        enterIf(phaseLegal(place, phases));
        for (int64_t unit = 0; unit < units; ++unit) {
          SmallVector<RunElement> run;
          for (int64_t i = 0; i < 2 * octets; ++i)
            run.push_back({sumOf(phase, row / 2, unit * octets + i / 2,
                                 2 * (row % 2) + i % 2),
                           &place, phases, channels[unit][i]});
          storeChannels(run, biases[unit]);
        }
      }
    }
  }

  void storeChannels(ArrayRef<RunElement> run, ArrayRef<Value> biases) {
    const auto sizes = op.getOutput().getType().getShape();
    const int64_t width =
        vectorWidth(run.size(), std::gcd(sizes[channelDim],
                                         int64_t(op.getGroupChannels())));
    for (size_t i = 0; i < run.size(); i += width) {
      OpBuilder::InsertionGuard guard(b);
      enterIf(channelLegal(run[i].channel));
      storeVectorOf(run.slice(i, width), biases.slice(i, width));
    }
  }

  /// Elements of the widest store that divides a run and what its start is a
  /// multiple of.
  int64_t vectorWidth(int64_t run, int64_t alignment) {
    int64_t width = 128 / element.getIntOrFloatBitWidth();
    while (run % width != 0 || alignment % width != 0)
      width /= 2;
    return width;
  }

  /// A run along the innermost dimension; its elements' legality is that of
  /// their vector's first, since rows are multiples of the vector.
  void storeRun(ArrayRef<RunElement> run, Value bias, int64_t alignment) {
    const int64_t width = vectorWidth(run.size(), alignment);
    for (size_t i = 0; i < run.size(); i += width) {
      OpBuilder::InsertionGuard guard(b);
      const RunElement &first = run[i];
      Value legal = phaseLegal(*first.place, first.phases);
      if (first.place != run.front().place)
        legal = both(legal, first.place->legal);
      enterIf(legal);
      storeVectorOf(run.slice(i, width), SmallVector<Value>(width, bias));
    }
  }

  Value elementOf(const RunElement &item) {
    Value at =
        index.add(item.place->element,
                  index.mul(index.cast(item.channel), strides[channelDim]));
    int64_t shift = 0;
    for (size_t i = 0; i < rank(); ++i)
      shift += item.phases[i] * strides[outputDim(i)];
    return index.add(at, shift);
  }

  /// Output coordinates in memory order, for extra operands.
  SmallVector<Value> coordinatesOf(const RunElement &item) {
    SmallVector<Value> coordinates{
        index.add(op.getSample(), index.cast(item.place->at[0]))};
    for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
      coordinates.push_back(index.add(
          index.add(origin, index.mul(index.cast(item.place->at[i + 1]),
                                      op.getStride()[i])),
          item.phases[i]));
    coordinates.insert(coordinates.begin() + channelDim,
                       index.add(op.getChannel(), index.cast(item.channel)));
    return coordinates;
  }

  void storeVectorOf(ArrayRef<RunElement> run, ArrayRef<Value> biases) {
    SmallVector<Value> values;
    for (auto [item, bias] : llvm::zip_equal(run, biases)) {
      Value value = item.sum;
      if (bias)
        value = arith::AddFOp::create(b, value, bias);
      SmallVector<Value> coordinates;
      if (!op.getExtras().empty())
        coordinates = coordinatesOf(item);
      values.push_back(applyEpilogue(b, op, value, coordinates));
    }
    auto wide = VectorType::get({int64_t(run.size())}, b.getF32Type());
    Value value = vector::FromElementsOp::create(b, wide, values);
    if (!element.isF32())
      value = arith::TruncFOp::create(
          b, VectorType::get(wide.getShape(), element), value);
    storeVector(b, value, target, elementOf(run.front()));
  }

  ImplicitLocOpBuilder &b;
  ir::StoreTileOp op;
  const WarpTile &tile;
  ValueRange acc;
  IndexMath index, local;
  bool last;
  Type element;
  Value target, base, channelsLeft;
  SmallVector<int64_t> strides, box;
  SmallVector<Value> extents;
  int64_t channelDim = 1;
};

} // namespace

void ctc::storeFragments(ImplicitLocOpBuilder &b, ir::StoreTileOp op,
                         const WarpTile &tile, ValueRange acc) {
  FragmentStore(b, op, tile, acc).build();
}
