//===- Store.cpp - Stores from fragments ----------------------------------===//
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

#include "OutputPlaces.h"
#include "StagedStore.h"
#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace ctc;

namespace {

class FragmentStore {
public:
  FragmentStore(ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
                const WarpTile &tile, const StorePlan &plan, ValueRange acc)
      : b(builder), op(op), tile(tile), plan(plan), acc(acc),
        places(builder, op, tile.kernel), local(builder, builder.getI32Type()) {
  }

  void build() {
    if (op.getLayout() == ir::Layout::ChannelsLast)
      storeChannelRuns();
    else if (tile.positionsAreRows())
      storePositionRows();
    else
      storePositionRuns();
  }

private:
  Value sumOf(int64_t phase, int64_t row, int64_t column, int64_t i) {
    return vector::ExtractOp::create(b, acc[tile.fragment(phase, row, column)],
                                     i);
  }

  /// Columns are positions: a lane has channels g and g + 8 of every 16.
  void storePositionRuns() {
    SmallVector<Value> channels, biases;
    for (int64_t row = 0; row < 2 * tile.rowTiles(); ++row) {
      channels.push_back(
          local.add(local.add(tile.channel, tile.g), row * kOctet));
      biases.push_back(places.loadBias(channels.back()));
    }
    for (int64_t column = 0; column < tile.columnTiles(); ++column) {
      OpBuilder::InsertionGuard guard(b);
      Value number = local.add(local.add(tile.position, local.mul(tile.t, 2)),
                               column * kOctet);
      const std::array<Place, 2> pair{places.locate(number),
                                      places.locate(local.add(number, 1))};
      // The second is in the same row of the box, so it exists at most where
      // the first does.
      places.enterIf(pair[0].legal);
      for (size_t row = 0; row < channels.size(); ++row) {
        OpBuilder::InsertionGuard restore(b);
        places.enterIf(places.channelLegal(channels[row]));
        for (int64_t phase = 0; phase < tile.phases(); phase += plan.run)
          storeRun(positionRun(phase, int64_t(row), column, pair, channels[row],
                               biases[row]));
      }
    }
  }

  SmallVector<OutputElement> positionRun(int64_t phase, int64_t row,
                                         int64_t column,
                                         const std::array<Place, 2> &pair,
                                         Value channel, Value bias) {
    SmallVector<OutputElement> run;
    for (int64_t i = 0; i < 2; ++i)
      for (int64_t f = 0; f < plan.run; ++f)
        run.push_back({sumOf(phase + f, row / 2, column, 2 * (row % 2) + i),
                       bias, &pair[i], places.phasesAt(phase + f), Value(),
                       channel});
    return run;
  }

  /// A run along the innermost dimension in vectors. Rows are multiples of the
  /// vector, so its first element speaks for all.
  void storeRun(ArrayRef<OutputElement> run) {
    for (size_t i = 0; i < run.size(); i += plan.vector) {
      OpBuilder::InsertionGuard guard(b);
      const OutputElement &first = run[i];
      Value legal = places.phaseLegal(first);
      if (first.place != run.front().place)
        legal = places.both(legal, first.place->legal);
      places.enterIf(legal);
      places.store(run.slice(i, plan.vector));
    }
  }

  /// Columns are channels that do not lie together: a lane has one position of
  /// every row, and two channels of every eight.
  void storePositionRows() {
    for (int64_t row = 0; row < 2 * tile.rowTiles(); ++row) {
      OpBuilder::InsertionGuard guard(b);
      const Place place = places.locate(tile.positionIn(local, row));
      places.enterIf(place.legal);
      for (int64_t i = 0; i < 2 * tile.columnTiles(); ++i) {
        OpBuilder::InsertionGuard restore(b);
        Value channel = local.add(local.add(tile.channel, local.mul(tile.t, 2)),
                                  i / 2 * kOctet + i % 2);
        Value bias = places.loadBias(channel);
        places.enterIf(places.channelLegal(channel));
        for (int64_t phase = 0; phase < tile.phases(); phase += plan.run) {
          SmallVector<OutputElement> run;
          for (int64_t f = phase; f < phase + plan.run; ++f)
            run.push_back({sumOf(f, row / 2, i / 2, 2 * (row % 2) + i % 2),
                           bias, &place, places.phasesAt(f), Value(), channel});
          storeRun(run);
        }
      }
    }
  }

  /// Columns are channels: a lane has four neighbours of every 16, or two of 8.
  void storeChannelRuns() {
    const int64_t held = fragmentUnit(tile.kernel, true) / 4;
    const int64_t units = tile.channels() / fragmentUnit(tile.kernel, true);
    SmallVector<Value> channels, biases;
    for (int64_t unit = 0; unit < units; ++unit)
      for (int64_t i = 0; i < held; ++i) {
        channels.push_back(
            local.add(local.add(tile.channel, local.mul(tile.t, held)),
                      unit * 4 * held + i));
        biases.push_back(places.loadBias(channels.back()));
      }
    for (int64_t row = 0; row < 2 * tile.rowTiles(); ++row) {
      OpBuilder::InsertionGuard guard(b);
      const Place place = places.locate(tile.positionIn(local, row));
      places.enterIf(place.legal);
      for (int64_t phase = 0; phase < tile.phases(); ++phase) {
        OpBuilder::InsertionGuard restore(b);
        SmallVector<OutputElement> elements;
        for (int64_t c = 0; c < units * held; ++c)
          elements.push_back(
              {sumOf(phase, row / 2, c / held * (held / 2) + c % held / 2,
                     2 * (row % 2) + c % 2),
               biases[c], &place, places.phasesAt(phase), Value(),
               channels[c]});
        places.enterIf(places.phaseLegal(elements.front()));
        storeChannels(elements, held);
      }
    }
  }

  /// Neighbouring channels in vectors; `held` of them are neighbours.
  void storeChannels(ArrayRef<OutputElement> elements, int64_t held) {
    int64_t width = 128 / op.getOutput().getType().getElementTypeBitWidth();
    while (held % width != 0 || places.channelAlignment() % width != 0)
      width /= 2;
    for (size_t i = 0; i < elements.size(); i += width) {
      OpBuilder::InsertionGuard guard(b);
      places.enterIf(places.channelLegal(elements[i].channel));
      places.store(elements.slice(i, width));
    }
  }

  ImplicitLocOpBuilder &b;
  ir::StoreTileOp op;
  const WarpTile &tile;
  const StorePlan plan;
  ValueRange acc;
  OutputPlaces places;
  IndexMath local;
};

} // namespace

void ctc::storeFragments(ImplicitLocOpBuilder &b, ir::StoreTileOp op,
                         const WarpTile &tile, ValueRange acc) {
  const auto output = op.getOutput().getType();
  const bool last = op.getLayout() == ir::Layout::ChannelsLast;
  const StorePlan plan =
      planStore(tile.kernel, ir::elementType(output), last,
                output.getDimSize(output.getRank() - (last ? 2 : 1)),
                op.getStride().back());
  if (plan.staged)
    return storeStaged(b, op, tile, plan, acc);
  FragmentStore(b, op, tile, plan, acc).build();
}
