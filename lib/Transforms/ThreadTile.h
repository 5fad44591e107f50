//===- ThreadTile.h - A thread's share of a block's tile ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_THREADTILE_H
#define CTC_LIB_TRANSFORMS_THREADTILE_H

#include "IndexMath.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace ctc {

/// How ctc-vectorize spreads the accumulator over threads. Thread (p, c) holds
/// positions p, p + workers[0], ... and worker_tile[1] neighbouring
/// channels from c * worker_tile[1]; consecutive threads run along positions
/// or channels as the kernel's `lanes` says.
class ThreadTile {
public:
  /// Builds the thread's coordinates at the start of the kernel.
  ThreadTile(mlir::gpu::GPUFuncOp function, ir::KernelAttr kernel,
             SharedLayout shared);

  ir::KernelAttr kernel;
  SharedLayout shared;
  mlir::Value arena;   ///< The kernel's workgroup buffer, bytes.
  mlir::Value thread;  ///< i32 number in the block.
  mlir::Value channel; ///< i32 number of the first channel in the tile.
  /// i32 number of each position in the box.
  llvm::SmallVector<mlir::Value> positions;
  /// Index of the patch element of each position, for the newest tap: a value
  /// and a constant. Where a block takes several groups it is that of the first
  /// channel that the thread reads. Where a thread's positions lie a whole
  /// number of rows apart all have the same value, and share what they read.
  llvm::SmallVector<std::pair<mlir::Value, int64_t>> patchOffsets;
  /// Patch elements of a step along the dimension in which those are apart.
  int64_t apartPitch = 1;

private:
  int64_t rowsApart();
};

/// Lowers ctc.store_tile for accumulators already spread over threads: one
/// vector of channels per phase and position, positions fastest.
void lowerStoreTile(mlir::ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
                    const ThreadTile &tile, mlir::ValueRange acc);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_THREADTILE_H
