//===- MmaSync.h - The rungs of the mma_sync family -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ctc-implicit-im2col, ctc-pipeline and ctc-vectorize do to a kernel of
// the family. Layouts of workgroup memory and fragments: Tuning/MmaLayout.h.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_MMASYNC_H
#define CTC_LIB_TRANSFORMS_MMASYNC_MMASYNC_H

#include "ctc/Dialect/CTC.h"
#include "ctc/Tuning/MmaLayout.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ctc {

/// Rung 4: the tiles of a contraction become buffers in workgroup memory that a
/// ctc.copy_chunk in front of it fills.
llvm::LogicalResult copyTilesForMma(mlir::gpu::GPUFuncOp function,
                                    ir::KernelAttr kernel);

/// Rung 5: buffers get their places, and copies run ahead of multiplications.
llvm::LogicalResult pipelineForMma(mlir::gpu::GPUFuncOp function,
                                   ir::KernelAttr kernel);

/// Rung 6: accumulators become fragments of warps, contractions matrix
/// instructions, and the tile is stored from registers.
llvm::LogicalResult vectorizeForMma(mlir::gpu::GPUFuncOp function,
                                    ir::KernelAttr kernel);

/// Bytes of a contiguous or strided buffer with static sizes, with the padding
/// at its end.
int64_t bufferBytes(mlir::MemRefType type);

/// One-dimensional view of a whole strided buffer.
mlir::Value flattenBuffer(mlir::ImplicitLocOpBuilder &builder,
                          mlir::Value buffer);

/// The workgroup memory of the launch, bytes of any number.
mlir::Value dynamicShared(mlir::ImplicitLocOpBuilder &builder);

/// `words` f32 of it from byte `start`, an index, on.
mlir::Value sharedWords(mlir::ImplicitLocOpBuilder &builder, int64_t words,
                        mlir::Value start);

/// The patch of a kernel as ctc-tile loads it.
PatchShape patchShape(ir::LoadPatchOp op);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_MMASYNC_H
