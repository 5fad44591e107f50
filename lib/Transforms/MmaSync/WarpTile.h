//===- WarpTile.h - A warp's share of a block's tile ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_WARPTILE_H
#define CTC_LIB_TRANSFORMS_MMASYNC_WARPTILE_H

#include "../IndexMath.h"
#include "MmaSync.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace ctc {

/// How ctc-vectorize spreads the accumulator over warps. Warp (p, c) holds the
/// neighbouring worker_tile[0] positions from p * worker_tile[0] and the
/// worker_tile[1] channels from c * worker_tile[1] of every phase, as fragments
/// of 16 rows and 8 columns in the order (phase, row, column); consecutive
/// warps run along positions, then along channels, then along the shares of a
/// split reduction.
class WarpTile {
public:
  /// Builds the warp's and the lane's coordinates at the start of the kernel.
  WarpTile(mlir::gpu::GPUFuncOp function, ir::KernelAttr kernel);
  /// What a warp of a split stores: its part of the tile.
  WarpTile stored(mlir::ImplicitLocOpBuilder &builder) const;

  bool positionsAreRows() const {
    return kernel.getLanes() == ir::Lanes::Channels;
  }
  int64_t phases() const { return kernel.getPhaseCount(); }
  int64_t positions() const { return kernel.getWorkerTile()[0]; }
  int64_t channels() const { return kernel.getWorkerTile()[1]; }
  /// Fragments of a phase.
  int64_t rowTiles() const {
    return (positionsAreRows() ? positions() : channels()) / (2 * kOctet);
  }
  int64_t columnTiles() const {
    return (positionsAreRows() ? channels() : positions()) / kOctet;
  }
  /// Octets of the warp's channels.
  int64_t channelOctets() const { return channels() / kOctet; }
  /// Number in the block of this lane's position in an octet, i32. Consecutive
  /// ones of the first interleaved octets are neighbours.
  mlir::Value positionIn(IndexMath &local, int64_t octet) const {
    return local.add(local.add(position, local.mul(g, turns)),
                     octetPosition(turns, octet, 0));
  }
  int64_t fragments() const { return phases() * rowTiles() * columnTiles(); }
  int64_t fragment(int64_t phase, int64_t row, int64_t column) const {
    return (phase * rowTiles() + row) * columnTiles() + column;
  }

  ir::KernelAttr kernel;
  int64_t turns = 1;      ///< Interleaved octets of positions.
  mlir::Value lane, t, g; ///< i32; lane = 4 * g + t.
  mlir::Value position;   ///< i32 number of the warp's first position.
  mlir::Value channel;    ///< i32 number of its first channel in the tile.
  mlir::Value share;      ///< i32 number of its share; nothing without a split.
};

/// Emits the matrix instructions of a contraction on the warp's fragments,
/// vectors of four f32, and returns the sums.
llvm::SmallVector<mlir::Value>
buildContract(mlir::ImplicitLocOpBuilder &builder, ir::ContractOp op,
              const WarpTile &tile, mlir::Value patch, mlir::Value weights,
              mlir::ValueRange acc);

/// The same with instructions of warpgroups.
llvm::SmallVector<mlir::Value>
buildWarpgroupContract(mlir::ImplicitLocOpBuilder &builder, ir::ContractOp op,
                       const WarpTile &tile, mlir::Value patch,
                       mlir::Value weights, mlir::ValueRange acc);

/// Asks LLVM and ptxas to leave a loop around matrix instructions as it is (PTX
/// ISA 11.4, "nounroll"): what is worth unrolling is unrolled already.
void keepRolled(mlir::scf::ForOp loop);

/// The sums once no multiplication is under way.
llvm::SmallVector<mlir::Value> buildSettle(mlir::ImplicitLocOpBuilder &builder,
                                           const WarpTile &tile,
                                           mlir::ValueRange acc);
/// Adds the shares of a split reduction in their order, through workgroup
/// memory, and returns the fragments of `stored`, tile.stored().
llvm::SmallVector<mlir::Value> sumShares(mlir::ImplicitLocOpBuilder &builder,
                                         const WarpTile &tile,
                                         const WarpTile &stored,
                                         mlir::ValueRange acc);

/// Lowers ctc.store_tile for the warp's fragments.
void storeFragments(mlir::ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
                    const WarpTile &tile, mlir::ValueRange acc);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_WARPTILE_H
