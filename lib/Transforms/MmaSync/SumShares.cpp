//===- SumShares.cpp - The sum of a split reduction -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warps that share a tile put all their fragments into workgroup memory, where
// the buffers of the last chunks were, in the order (share, tile, fragment,
// lane). Behind a barrier each adds the fragments that it stores, shares in
// their order: the same sums in every run. A lane's four words of a fragment
// are one access, so no bank is met twice.
//
//===----------------------------------------------------------------------===//

#include "../FlatAccess.h"
#include "WarpTile.h"

using namespace mlir;
using namespace ctc;

namespace {

/// f32 of a fragment in a lane, and in a warp.
constexpr int64_t kLaneWords = 4;
constexpr int64_t kFragmentWords = 32 * kLaneWords;

class ShareSum {
public:
  ShareSum(ImplicitLocOpBuilder &builder, const WarpTile &tile,
           const WarpTile &stored)
      : b(builder), tile(tile), stored(stored), index(b, b.getIndexType()),
        local(b, b.getI32Type()),
        tiles(tile.kernel.getWorkers()[0] * tile.kernel.getWorkers()[1]) {}

  SmallVector<Value> build(ValueRange acc) {
    words = sharedWords(b, exchangeBytes(tile.kernel) / 4, index.constant(0));
    Value lane = local.mul(tile.lane, kLaneWords);
    Value warp = local.div(
        local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x)), 32);
    // Everyone has multiplied the chunks whose buffers lie in the same bytes.
    gpu::BarrierOp::create(b);
    Value own = local.add(local.mul(warp, warpWords()), lane);
    for (auto [number, fragment] : llvm::enumerate(acc))
      storeVector(b, fragment, words,
                  index.cast(local.add(own, int64_t(number) * kFragmentWords)));
    gpu::BarrierOp::create(b);
    Value first = local.add(local.mul(local.rem(warp, tiles), warpWords()),
                            local.add(lane, firstStored()));
    SmallVector<Value> sums;
    for (int64_t phase = 0; phase < stored.phases(); ++phase)
      for (int64_t row = 0; row < stored.rowTiles(); ++row)
        for (int64_t column = 0; column < stored.columnTiles(); ++column)
          sums.push_back(sum(local.add(
              first, tile.fragment(phase, row, column) * kFragmentWords)));
    return sums;
  }

private:
  int64_t warpWords() const { return tile.fragments() * kFragmentWords; }

  /// Words from the tile's first fragment to the first that the warp stores.
  Value firstStored() {
    Value position = local.sub(stored.position, tile.position);
    Value channel = local.sub(stored.channel, tile.channel);
    Value rows = tile.positionsAreRows() ? position : channel;
    Value columns = tile.positionsAreRows() ? channel : position;
    Value fragment =
        local.add(local.mul(local.div(rows, 2 * kOctet), tile.columnTiles()),
                  local.div(columns, kOctet));
    return local.mul(fragment, kFragmentWords);
  }

  /// All shares of the fragment at a word of share 0.
  Value sum(Value word) {
    auto type = VectorType::get({kLaneWords}, b.getF32Type());
    Value total;
    for (int64_t share = 0; share < tile.kernel.getSplit(); ++share) {
      Value part =
          loadVector(b, type, words,
                     index.cast(local.add(word, share * tiles * warpWords())));
      total = total ? arith::AddFOp::create(b, total, part) : part;
    }
    return total;
  }

  ImplicitLocOpBuilder &b;
  const WarpTile &tile, &stored;
  IndexMath index, local;
  const int64_t tiles; ///< Of a block.
  Value words;
};

} // namespace

SmallVector<Value> ctc::sumShares(ImplicitLocOpBuilder &b, const WarpTile &tile,
                                  const WarpTile &stored, ValueRange acc) {
  return ShareSum(b, tile, stored).build(acc);
}
