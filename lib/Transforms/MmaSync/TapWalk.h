//===- TapWalk.h - The taps of a contraction --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_TAPWALK_H
#define CTC_LIB_TRANSFORMS_MMASYNC_TAPWALK_H

#include "PatchFragments.h"

#include <map>

namespace ctc {

/// Loops over the taps of a chunk around an unrolled sequence over its planes.
/// A tap is a shift of the patch's address. Where phases are grouped, the taps
/// of all of them are unrolled by the shift they read at, so that fragments of
/// positions are loaded once for all phases.
class TapWalk {
public:
  virtual ~TapWalk() = default;

  /// The sums after all taps.
  llvm::SmallVector<mlir::Value> walk(mlir::ValueRange initial);

protected:
  /// Phases with the row of weights that each multiplies: the number of its tap
  /// in the chunk.
  using Taps = llvm::SmallVector<std::pair<int64_t, mlir::Value>>;

  TapWalk(mlir::ImplicitLocOpBuilder &builder, ir::ContractOp op,
          const WarpTile &tile)
      : b(builder), op(op), tile(tile), index(builder, builder.getIndexType()) {
  }

  /// Adds to `acc` all planes of the warp's share of the chunk at one shift of
  /// the patch, for each of the phases' taps.
  virtual void multiply(const Shift &shift, const Taps &taps) = 0;
  /// Ends what multiply left under way, at the end of straight code.
  virtual void drain() {}
  /// The patch's layout.
  virtual const PatchLayout &layout() const = 0;
  /// Dimensions from the outermost loop inwards. Taps of the innermost loop
  /// that follow each other read positions that the last one has read, too,
  /// where a lane's positions lie next to each other along that dimension.
  virtual llvm::SmallVector<int64_t> loopOrder() const = 0;

  mlir::ImplicitLocOpBuilder &b;
  ir::ContractOp op;
  const WarpTile &tile;
  IndexMath index;
  llvm::SmallVector<mlir::Value> acc;

private:
  int64_t rank() const { return tile.kernel.getBox().size(); }
  int64_t tapCount(int64_t dim) const { return tile.kernel.getTaps()[dim]; }
  bool isGrouped(int64_t dim) const { return tile.kernel.getPhases()[dim] > 1; }
  int64_t rowStride(int64_t dim) const;
  int64_t phaseStride(int64_t dim) const;
  void visit(llvm::ArrayRef<int64_t> dims, const Shift &shift,
             const Taps &rows);
  bool isUnrolled(llvm::ArrayRef<int64_t> dims, int64_t count) const;
  void visitTap(llvm::ArrayRef<int64_t> dims, Shift shift, Taps rows,
                mlir::Value tap);
  std::map<int64_t, llvm::SmallVector<std::pair<int64_t, int64_t>>>
  tapsByShift(int64_t dim);
  Taps combine(int64_t dim, const Taps &rows,
               llvm::ArrayRef<std::pair<int64_t, int64_t>> taps);
};

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_TAPWALK_H
