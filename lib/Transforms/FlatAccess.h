//===- FlatAccess.h - Element access to flat buffers ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_FLATACCESS_H
#define CTC_LIB_TRANSFORMS_FLATACCESS_H

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ctc {

/// Strides in elements of a contiguous buffer; the leading size may be dynamic.
llvm::SmallVector<int64_t> rowMajorStrides(mlir::MemRefType type);

/// A one-dimensional view of a contiguous buffer. Kernels address global memory
/// through it, with a 64-bit base for the block and offsets inside a tile.
mlir::Value flatten(mlir::ImplicitLocOpBuilder &builder, mlir::Value buffer);

/// Loads and stores a vector at an element number that is a multiple of the
/// vector's size, so that the access is one instruction of up to 16 bytes.
mlir::Value loadVector(mlir::ImplicitLocOpBuilder &builder,
                       mlir::VectorType type, mlir::Value buffer,
                       mlir::Value element);
void storeVector(mlir::ImplicitLocOpBuilder &builder, mlir::Value value,
                 mlir::Value buffer, mlir::Value element);

/// f16 and bf16 widened to f32, scalar or vector; f32 as it is.
mlir::Value widen(mlir::ImplicitLocOpBuilder &builder, mlir::Value value);

/// f32 rounded to tf32: to nearest, ties away from zero (cvt.rna.tf32.f32, PTX
/// ISA 7.0, the only mode that every chip since sm_80 has).
mlir::Value roundToTF32(mlir::ImplicitLocOpBuilder &builder, mlir::Value value);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_FLATACCESS_H
