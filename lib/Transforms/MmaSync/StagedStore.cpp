//===- StagedStore.cpp - Stores through workgroup memory ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Eight channels of a warp's positions at a time go through a piece of
// workgroup memory that is the warp's own. There a channel is a row of all
// outputs of the warp's positions, neighbouring phases together; lanes take
// vectors of it in turn. Bias and epilogue stand in that loop.
//
//===----------------------------------------------------------------------===//

#include "StagedStore.h"
#include "../FlatAccess.h"
#include "OutputPlaces.h"
#include "ctc/Support/IntegerMath.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace ctc;

namespace {

/// Rows of the stage that a lane loads before it stores them.
constexpr int64_t kRowsInFlight = 4;

class StagedStore {
public:
  StagedStore(ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
              const WarpTile &tile, const StorePlan &plan, ValueRange acc)
      : b(builder), tile(tile), plan(plan), acc(acc),
        places(builder, op, tile.kernel), index(b, b.getIndexType()),
        local(b, b.getI32Type()) {}

  void build() {
    makeStage();
    // The buffers of the last chunks lie in the same bytes.
    gpu::BarrierOp::create(b);
    for (int64_t phase = 0; phase < tile.phases(); phase += plan.run)
      for (int64_t row = 0; row < tile.channelOctets(); ++row) {
        stage(phase, row);
        sync();
        storeRows(phase, row);
        sync();
      }
  }

private:
  void sync() {
    Value all = arith::ConstantOp::create(b, b.getI32IntegerAttr(-1));
    NVVM::SyncWarpOp::create(b, all);
  }

  /// The warp's piece of the arena.
  void makeStage() {
    Value warp = local.div(
        local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x)), 32);
    words = sharedWords(b, kOctet * plan.pitch,
                        index.cast(local.mul(warp, plan.warpBytes())));
  }

  /// Writes what the lane holds of eight channels.
  void stage(int64_t phase, int64_t row) {
    if (tile.positionsAreRows())
      stageRows(phase, row);
    else
      stageColumns(phase, row);
  }

  /// Of each fragment two positions of two channels.
  void stageRows(int64_t phase, int64_t column) {
    for (int64_t q = 0; q < 2; ++q) {
      Value channel = local.add(local.mul(tile.t, 2), q);
      Value base = local.add(local.mul(channel, plan.pitch),
                             local.mul(tile.g, plan.run));
      for (int64_t octet = 0; octet < 2 * tile.rowTiles(); ++octet) {
        SmallVector<Value> values;
        for (int64_t f = phase; f < phase + plan.run; ++f)
          values.push_back(vector::ExtractOp::create(
              b, acc[tile.fragment(f, octet / 2, column)],
              2 * (octet % 2) + q));
        write(values, base, octet * kOctet * plan.run);
      }
    }
  }

  /// Of each fragment two positions, with all their phases.
  void stageColumns(int64_t phase, int64_t row) {
    Value base = local.add(local.mul(tile.g, plan.pitch),
                           local.mul(tile.t, 2 * plan.run));
    for (int64_t column = 0; column < tile.columnTiles(); ++column) {
      SmallVector<Value> values;
      for (int64_t i = 0; i < 2; ++i)
        for (int64_t f = 0; f < plan.run; ++f)
          values.push_back(vector::ExtractOp::create(
              b, acc[tile.fragment(phase + f, row / 2, column)],
              2 * (row % 2) + i));
      write(values, base, column * kOctet * plan.run);
    }
  }

  /// Writes neighbours from a word of the stage on.
  void write(ArrayRef<Value> values, Value base, int64_t word) {
    const size_t width = values.size() % 4 == 0   ? 4
                         : values.size() % 2 == 0 ? 2
                                                  : 1;
    for (size_t i = 0; i < values.size(); i += width) {
      Value part = vector::FromElementsOp::create(
          b, VectorType::get({int64_t(width)}, b.getF32Type()),
          values.slice(i, width));
      storeVector(b, part, words,
                  index.cast(local.add(base, word + int64_t(i))));
    }
  }

  /// Lanes take vectors of a row; where a row has fewer than 32, several rows
  /// at a time.
  void storeRows(int64_t phase, int64_t row) {
    OpBuilder::InsertionGuard guard(b);
    const int64_t vectors = tile.positions() * plan.run / plan.vector;
    const auto lanes =
        int64_t(llvm::bit_floor(uint64_t(std::min<int64_t>(vectors, 32))));
    Value first = local.rem(tile.lane, lanes);
    auto loop = scf::ForOp::create(b, first, local.constant(vectors),
                                   local.constant(lanes));
    b.setInsertionPointToStart(loop.getBody());
    Value at = local.mul(loop.getInductionVar(), plan.vector);
    Place place =
        places.locate(local.add(tile.position, local.div(at, plan.run)));
    OutputElement element;
    element.place = &place;
    element.phases = places.phasesAt(phase);
    if (plan.run > 1)
      element.innerPhase = local.rem(at, plan.run);
    places.enterIf(places.both(place.legal, places.phaseLegal(element)));

    // All loads of a step stand before its stores, to be in flight together.
    const int64_t rows = std::min(32 / lanes, kOctet);
    const int64_t turns = kOctet / rows;
    Value channel = local.div(tile.lane, lanes);
    if (rows * lanes < 32)
      places.enterIf(local.less(channel, local.constant(rows)));
    for (int64_t turn = 0; turn < turns; turn += kRowsInFlight) {
      const int64_t end = std::min(turn + kRowsInFlight, turns);
      SmallVector<SmallVector<OutputElement>> runs;
      for (int64_t i = turn; i < end; ++i)
        runs.push_back(loadRun(element, local.add(channel, i * rows), row, at));
      for (const SmallVector<OutputElement> &run : runs) {
        OpBuilder::InsertionGuard restore(b);
        places.enterIf(places.channelLegal(run.front().channel));
        places.store(run);
      }
    }
  }

  /// A vector of a staged row, `channel` of the eight.
  SmallVector<OutputElement> loadRun(OutputElement element, Value channel,
                                     int64_t row, Value at) {
    element.channel = local.add(local.add(tile.channel, row * kOctet), channel);
    element.bias = places.loadBias(element.channel);
    // Loads are of at most 16 bytes.
    const int64_t width = std::min<int64_t>(plan.vector, 4);
    Value word = local.add(local.mul(channel, plan.pitch), at);
    SmallVector<OutputElement> run;
    for (int64_t i = 0; i < plan.vector; i += width) {
      Value part = loadVector(b, VectorType::get({width}, b.getF32Type()),
                              words, index.cast(local.add(word, i)));
      for (int64_t j = 0; j < width; ++j) {
        element.sum = vector::ExtractOp::create(b, part, j);
        run.push_back(neighbour(element, i + j));
      }
    }
    return run;
  }

  /// The element `shift` outputs after the first of a vector, for its
  /// coordinates.
  OutputElement neighbour(const OutputElement &first, int64_t shift) {
    OutputElement next = first;
    if (shift > 0)
      next.innerPhase = first.innerPhase ? local.add(first.innerPhase, shift)
                                         : local.constant(shift);
    return next;
  }

  ImplicitLocOpBuilder &b;
  const WarpTile &tile;
  const StorePlan plan;
  ValueRange acc;
  OutputPlaces places;
  IndexMath index, local;
  Value words;
};

} // namespace

void ctc::storeStaged(ImplicitLocOpBuilder &b, ir::StoreTileOp op,
                      const WarpTile &tile, const StorePlan &plan,
                      ValueRange acc) {
  StagedStore(b, op, tile, plan, acc).build();
}
