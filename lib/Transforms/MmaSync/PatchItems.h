//===- PatchItems.h - A patch as vectors that threads copy ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_PATCHITEMS_H
#define CTC_LIB_TRANSFORMS_MMASYNC_PATCHITEMS_H

#include "../IndexMath.h"
#include "MmaSync.h"

namespace ctc {

/// One vector of a patch, in i32 coordinates.
struct PatchItem {
  mlir::Value number;
  /// Of a [plane][position] patch plane, sample, positions with the last in
  /// vectors; else sample, positions, vector of channels.
  llvm::SmallVector<mlir::Value> at;
  mlir::Value legal; ///< Whether its (first) channel is inside the input.
};

/// Enumerates the vectors of a patch over the threads of a block in the order
/// of workgroup memory, padding included, so that only their place in the input
/// has to be worked out; what a thread takes does not depend on the chunk.
class PatchItems {
public:
  /// Builds what is uniform over the block. `target` is the flat buffer.
  PatchItems(mlir::ImplicitLocOpBuilder &builder, ir::LoadPatchOp op,
             const PatchLayout &layout, ir::KernelAttr kernel,
             mlir::Value target);

  const PatchLayout &layout() const { return shape; }
  mlir::Value source() const { return flat; }
  mlir::Value target() const { return buffer; }
  /// Positions by which the window begins before the halo; nothing where never.
  mlir::Value skew() const { return skewed; }
  /// Vectors of a thread, rounded up.
  int64_t perThread() const;

  /// The thread's vectors, unrolled where they are few.
  void forEach(llvm::function_ref<void(const PatchItem &)> body);
  /// The same without their place in the input.
  void forEachNumber(llvm::function_ref<void(mlir::Value)> body);

  /// Element of the input and of the buffer where a vector starts.
  mlir::Value element(const PatchItem &item);
  mlir::Value targetElement(mlir::Value number);

  /// A vector of words from the input, zero where out of bounds.
  mlir::Value load(const PatchItem &item);
  void store(mlir::Value number, mlir::Value value);
  /// Rounds a vector of f32 that the thread has copied, in place, to tf32.
  void round(mlir::Value number);

  /// All vectors of the thread, held in registers.
  llvm::SmallVector<mlir::Value> loadAll();
  void storeAll(mlir::ValueRange values);

private:
  int64_t inputDim(size_t i) const;
  void buildSizes();
  void buildBase();
  void buildBounds();
  PatchItem decode(mlir::Value number);
  mlir::Value channelLegal(mlir::Value offset);
  mlir::Value loadChannel(const PatchItem &item, int64_t half);

  mlir::ImplicitLocOpBuilder &b;
  ir::LoadPatchOp op;
  PatchLayout shape;
  ir::KernelAttr kernel;
  mlir::Value flat, buffer, base, skewed;
  IndexMath index, local, offsets;
  llvm::SmallVector<int64_t> strides; ///< Of the input, in elements.
  llvm::SmallVector<int64_t> sizes; ///< Items per coordinate of PatchItem::at.
  /// Legal window coordinates [low, low + count) per window dimension, i32.
  llvm::SmallVector<std::pair<mlir::Value, mlir::Value>> bounds;
  mlir::Value channelsLeft; ///< i32 channels of the group from the chunk on.
  int64_t channelDim = 1;
};

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_PATCHITEMS_H
