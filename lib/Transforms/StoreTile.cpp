//===- StoreTile.cpp - Bias, epilogue and stores of a simt tile -----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Where the grouped phases of a position are one aligned vector of the output,
// or there is one phase and the stride is 1, threads store what they hold:
// consecutive threads have consecutive positions. Where a block takes several
// groups a thread's channels are vectors of the output. Else the accumulators
// go through workgroup memory once, and the threads that store run along
// whatever is contiguous in the output.
//
//===----------------------------------------------------------------------===//

#include "FlatAccess.h"
#include "MmaSync/OutputPlaces.h"
#include "StoreEpilogue.h"
#include "ThreadTile.h"
#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

#include <numeric>

using namespace mlir;
using namespace ctc;

/// Copies of the epilogue's operations up to which channels are unrolled.
static constexpr int64_t kMaxUnrolledOperations = 64;

namespace {

class StoreBuilder {
public:
  StoreBuilder(ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
               const ThreadTile &tile, ValueRange acc)
      : b(builder), op(op), tile(tile), acc(acc),
        places(builder, op, tile.kernel), run(tile.shared.run),
        outerPhases(tile.kernel.getPhaseCount() / run),
        index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()) {}

  void build() {
    if (tile.kernel.getGroups() > 1)
      return storeChannelVectors();
    if (tile.shared.stagingBytes == 0)
      return storeFromRegisters();
    makeStage();
    // The chunk's buffers lie in the same bytes.
    gpu::BarrierOp::create(b);
    stage();
    gpu::BarrierOp::create(b);
    if (op.getLayout() == ir::Layout::ChannelsLast)
      storeChannelRuns();
    else
      storeRows();
  }

private:
  int64_t positions() const { return tile.kernel.getWorkerTile()[0]; }
  int64_t channels() const { return tile.kernel.getWorkerTile()[1]; }

  Value sumOf(int64_t phase, int64_t position, int64_t channel) {
    return vector::ExtractOp::create(b, acc[phase * positions() + position],
                                     channel);
  }

  /// Biases of the thread's channels.
  SmallVector<Value> loadBiases() {
    SmallVector<Value> biases;
    for (int64_t c = 0; c < channels(); ++c)
      biases.push_back(places.loadBias(local.add(tile.channel, c)));
    return biases;
  }

  void storeFromRegisters() {
    const SmallVector<Value> biases = loadBiases();
    const auto strides = rowMajorStrides(op.getOutput().getType());
    for (int64_t i = 0; i < positions(); ++i) {
      OpBuilder::InsertionGuard guard(b);
      Place place = places.locate(tile.positions[i]);
      places.enterIf(place.legal);
      // Channels become constant offsets from the thread's first, unless extra
      // operands need to know them.
      const bool counted = op.getExtras().empty();
      if (counted)
        place.element = index.add(
            place.element, index.mul(index.cast(tile.channel), strides[1]));
      for (int64_t outer = 0; outer < outerPhases; ++outer) {
        OpBuilder::InsertionGuard restore(b);
        SmallVector<OutputElement> elements(run);
        for (int64_t f = 0; f < run; ++f) {
          elements[f].place = &place;
          elements[f].phases = places.phasesAt(outer * run + f);
        }
        places.enterIf(places.phaseLegal(elements.front()));
        for (int64_t c = 0; c < channels(); ++c) {
          OpBuilder::InsertionGuard inner(b);
          Value channel = local.add(tile.channel, c);
          places.enterIf(places.channelLegal(channel));
          for (int64_t f = 0; f < run; ++f) {
            elements[f].sum = sumOf(outer * run + f, i, c);
            elements[f].bias = biases[c];
            elements[f].channel = counted ? local.constant(c) : channel;
          }
          places.store(elements);
        }
      }
    }
  }

  /// Neighbouring channels of each position and phase.
  void storeChannelVectors() {
    const SmallVector<Value> biases = loadBiases();
    const int64_t width = channelVector(channels(), channels());
    for (int64_t i = 0; i < positions(); ++i) {
      OpBuilder::InsertionGuard guard(b);
      const Place place = places.locate(tile.positions[i]);
      places.enterIf(place.legal);
      for (int64_t phase = 0; phase < outerPhases * run; ++phase) {
        OpBuilder::InsertionGuard restore(b);
        OutputElement element;
        element.place = &place;
        element.phases = places.phasesAt(phase);
        places.enterIf(places.phaseLegal(element));
        for (int64_t c = 0; c < channels(); c += width) {
          OpBuilder::InsertionGuard inner(b);
          places.enterIf(places.channelLegal(local.add(tile.channel, c)));
          SmallVector<OutputElement> elements(width, element);
          for (int64_t j = 0; j < width; ++j) {
            elements[j].sum = sumOf(phase, i, c + j);
            elements[j].bias = biases[c + j];
            elements[j].channel = local.add(tile.channel, c + j);
          }
          places.store(elements);
        }
      }
    }
  }

  /// The widest vector of at most 16 bytes and `most` channels that `channels`
  /// are whole ones of wherever they stand in the output.
  int64_t channelVector(int64_t channels, int64_t most) {
    const int64_t bytes = op.getOutput().getType().getElementTypeBitWidth() / 8;
    int64_t width = llvm::bit_floor(uint64_t(std::min(most, 16 / bytes)));
    while (channels % width != 0 || places.channelAlignment() % width != 0)
      width /= 2;
    return width;
  }

  void makeStage() {
    const int64_t rows = tile.kernel.getChannels() * outerPhases;
    staging = memref::ViewOp::create(
        b,
        MemRefType::get(
            {rows * tile.shared.stagingPitch}, b.getF32Type(),
            MemRefLayoutAttrInterface(),
            cast<MemRefType>(tile.arena.getType()).getMemorySpace()),
        tile.arena, index.constant(0), ValueRange());
  }

  /// Sums with their biases, [phase of outer dimensions][channel][position]
  /// [phase of the innermost].
  void stage() {
    const SmallVector<Value> biases = loadBiases();
    const int64_t width = std::gcd(run, int64_t{4});
    const int64_t pitch = tile.shared.stagingPitch;
    Value row = local.mul(tile.channel, pitch);
    for (int64_t i = 0; i < positions(); ++i) {
      Value place = local.add(row, local.mul(tile.positions[i], run));
      for (int64_t outer = 0; outer < outerPhases; ++outer)
        for (int64_t c = 0; c < channels(); ++c)
          for (int64_t f = 0; f < run; f += width) {
            SmallVector<Value> values;
            for (int64_t j = f; j < f + width; ++j) {
              Value sum = sumOf(outer * run + j, i, c);
              if (biases[c])
                sum = arith::AddFOp::create(b, sum, biases[c]);
              values.push_back(sum);
            }
            auto type = VectorType::get({width}, b.getF32Type());
            storeVector(
                b, vector::FromElementsOp::create(b, type, values), staging,
                index.add(index.cast(place),
                          (outer * tile.kernel.getChannels() + c) * pitch + f));
          }
    }
  }

  /// Neighbours of the staging tile from element `at` on, `width` of them, each
  /// like `first`.
  SmallVector<OutputElement> staged(const OutputElement &first, Value at,
                                    int64_t width, int64_t step) {
    SmallVector<OutputElement> elements(width, first);
    if (step == 1 && width > 1) {
      auto type = VectorType::get({width}, b.getF32Type());
      Value values = loadVector(b, type, staging, at);
      for (int64_t j = 0; j < width; ++j)
        elements[j].sum = vector::ExtractOp::create(b, values, j);
      return elements;
    }
    for (int64_t j = 0; j < width; ++j)
      elements[j].sum =
          memref::LoadOp::create(b, staging, index.add(at, j * step));
    return elements;
  }

  /// Outputs of a row side by side: threads take vectors of the tile's rows and
  /// walk channels under them.
  void storeRows() {
    const bool dense = op.getStride().back() == run;
    const auto boxRow = tile.kernel.getBox().asArrayRef().back() * run;
    const int64_t bytes = op.getOutput().getType().getElementTypeBitWidth() / 8;
    int64_t width = dense ? std::min<int64_t>(4, 16 / bytes) : 1;
    while (boxRow % width != 0 || places.width() % width != 0)
      width /= 2;
    auto loop =
        scf::ForOp::create(b, local.mul(tile.thread, width),
                           local.constant(tile.kernel.getBoxVolume() * run),
                           local.constant(tile.kernel.getThreads() * width));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value at = loop.getInductionVar();
    const Place place = places.locate(local.div(at, run));
    places.enterIf(place.legal);
    for (int64_t outer = 0; outer < outerPhases; ++outer) {
      OpBuilder::InsertionGuard restore(b);
      OutputElement first;
      first.place = &place;
      first.phases = places.phasesAt(outer * run);
      if (run > 1)
        first.innerPhase = local.rem(at, run);
      places.enterIf(places.phaseLegal(first));
      forChannels([&](Value channel, Value row) {
        OpBuilder::InsertionGuard inner(b);
        places.enterIf(places.channelLegal(channel));
        first.channel = channel;
        Value word = index.add(index.add(index.cast(at), row),
                               outer * tile.kernel.getChannels() *
                                   tile.shared.stagingPitch);
        SmallVector<OutputElement> elements = staged(first, word, width, 1);
        for (int64_t j = 1; j < width; ++j)
          elements[j].innerPhase =
              run > 1 ? local.add(first.innerPhase, j) : local.constant(j);
        places.store(elements);
      });
    }
  }

  /// Calls `body` with every channel of the tile, an i32, and where its rows
  /// start; unrolled where that is little code.
  void forChannels(llvm::function_ref<void(Value, Value)> body) {
    const int64_t channels = tile.kernel.getChannels();
    const int64_t pitch = tile.shared.stagingPitch;
    int64_t operations = 1;
    if (!op.getEpilogue().empty())
      operations = int64_t(op.getEpilogue().front().getOperations().size());
    if (channels * outerPhases * operations <= kMaxUnrolledOperations) {
      for (int64_t c = 0; c < channels; ++c)
        body(local.constant(c), index.constant(c * pitch));
      return;
    }
    auto loop = scf::ForOp::create(b, local.constant(0),
                                   local.constant(channels), local.constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value channel = loop.getInductionVar();
    body(channel, index.cast(local.mul(channel, pitch)));
  }

  /// Channels of a position side by side: threads take vectors of them and walk
  /// the phases.
  void storeChannelRuns() {
    const int64_t channels = tile.kernel.getChannels();
    const int64_t width = channelVector(channels, 4);
    const int64_t vectors = channels / width;
    auto loop = scf::ForOp::create(
        b, tile.thread, local.constant(tile.kernel.getBoxVolume() * vectors),
        local.constant(tile.kernel.getThreads()));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value number = loop.getInductionVar();
    Value position = local.div(number, vectors);
    const Place place = places.locate(position);
    OutputElement first;
    first.place = &place;
    first.channel = local.mul(local.rem(number, vectors), width);
    places.enterIf(
        places.both(place.legal, places.channelLegal(first.channel)));
    const int64_t pitch = tile.shared.stagingPitch;
    Value word = index.cast(
        local.add(local.mul(first.channel, pitch), local.mul(position, run)));
    for (int64_t phase = 0; phase < outerPhases * run; ++phase) {
      OpBuilder::InsertionGuard restore(b);
      first.phases = places.phasesAt(phase);
      places.enterIf(places.phaseLegal(first));
      SmallVector<OutputElement> elements = staged(
          first, index.add(word, phase / run * channels * pitch + phase % run),
          width, pitch);
      for (int64_t j = 1; j < width; ++j)
        elements[j].channel = local.add(first.channel, j);
      places.store(elements);
    }
  }

  ImplicitLocOpBuilder &b;
  ir::StoreTileOp op;
  const ThreadTile &tile;
  ValueRange acc;
  OutputPlaces places;
  const int64_t run, outerPhases;
  IndexMath index, local;
  Value staging;
};

} // namespace

void ctc::lowerStoreTile(ImplicitLocOpBuilder &b, ir::StoreTileOp op,
                         const ThreadTile &tile, ValueRange acc) {
  StoreBuilder(b, op, tile, acc).build();
}
