//===- OutputPlaces.h - Where positions of a tile go ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_OUTPUTPLACES_H
#define CTC_LIB_TRANSFORMS_MMASYNC_OUTPUTPLACES_H

#include "WarpTile.h"

namespace ctc {

/// One position of the block in the output.
struct Place {
  llvm::SmallVector<mlir::Value> at; ///< Box coordinates, samples first, i32.
  mlir::Value legal; ///< Whether it exists with phase 0; nothing where always.
  mlir::Value element; ///< Of the output, for the tile's first channel.
};

/// One element of the output: a sum and where it goes.
struct OutputElement {
  mlir::Value sum;
  mlir::Value bias; ///< f32; may be nothing.
  const Place *place = nullptr;
  llvm::SmallVector<int64_t> phases; ///< Per dimension, fixed parts.
  mlir::Value innerPhase; ///< Of the innermost dimension, i32, where dynamic.
  mlir::Value channel;    ///< In the tile, i32.
};

/// Coordinates, bounds and stores of one ctc.store_tile.
class OutputPlaces {
public:
  /// Builds what is uniform over the block.
  OutputPlaces(mlir::ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
               ir::KernelAttr kernel);

  int64_t rank() const { return int64_t(box.size()) - 1; }
  int64_t phasesOf(int64_t dim) const { return kernel.getPhases()[dim]; }
  /// Output size of the innermost dimension.
  int64_t width();
  int64_t channelAlignment();

  /// The position `number` of the block.
  Place locate(mlir::Value number);
  /// Whether the phase of a legal position exists; nothing where always.
  mlir::Value phaseLegal(const OutputElement &element);
  /// The phases of a number in the accumulator's order.
  llvm::SmallVector<int64_t> phasesAt(int64_t number) const;
  /// Whether a channel of the tile exists; nothing where all do.
  mlir::Value channelLegal(mlir::Value channel);
  mlir::Value loadBias(mlir::Value channel);
  /// Bias, epilogue, rounding and one store of neighbours.
  void store(llvm::ArrayRef<OutputElement> run);

  /// Both of two conditions, either of which may be nothing.
  mlir::Value both(mlir::Value lhs, mlir::Value rhs);
  /// Goes on inside an if, unless there is no condition.
  void enterIf(mlir::Value condition);

private:
  int64_t outputDim(int64_t dim) const { return dim + (last ? 1 : 2); }
  void buildBase();
  void buildExtents();
  mlir::Value elementOf(const OutputElement &element);
  llvm::SmallVector<mlir::Value> coordinatesOf(const OutputElement &element);

  mlir::ImplicitLocOpBuilder &b;
  ir::StoreTileOp op;
  ir::KernelAttr kernel;
  IndexMath index, local;
  bool last;
  mlir::Value target, base, channelsLeft;
  llvm::SmallVector<int64_t> strides, box;
  llvm::SmallVector<mlir::Value> extents;
  int64_t channelDim = 1;
};

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_OUTPUTPLACES_H
