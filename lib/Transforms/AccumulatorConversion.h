//===- AccumulatorConversion.h - Accumulators over workers ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_ACCUMULATORCONVERSION_H
#define CTC_LIB_TRANSFORMS_ACCUMULATORCONVERSION_H

#include "ctc/Dialect/CTC.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Transforms/DialectConversion.h"

namespace ctc {

/// What a worker holds of a block's accumulator.
struct AccumulatorParts {
  mlir::VectorType type;
  int64_t count;
};

/// A pattern that lowers an operation on the accumulator for the tile of a
/// worker, which has the `kernel`.
template <typename Op, typename Tile>
struct TilePattern : mlir::OpConversionPattern<Op> {
  TilePattern(const mlir::TypeConverter &converter, const Tile &tile)
      : mlir::OpConversionPattern<Op>(converter, tile.kernel.getContext()),
        tile(tile) {}

  const Tile &tile;
};

/// Replaces the accumulator of a kernel by its parts, through loops. `populate`
/// adds the patterns of the operations that take or make one; zeros are lowered
/// here.
llvm::LogicalResult
convertAccumulators(mlir::gpu::GPUFuncOp function, ir::KernelAttr kernel,
                    AccumulatorParts parts,
                    llvm::function_ref<void(const mlir::TypeConverter &,
                                            mlir::RewritePatternSet &)>
                        populate);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_ACCUMULATORCONVERSION_H
