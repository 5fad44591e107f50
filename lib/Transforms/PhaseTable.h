//===- PhaseTable.h - Phases as rows of a constant table ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_PHASETABLE_H
#define CTC_LIB_TRANSFORMS_PHASETABLE_H

#include "ctc/Support/PhasePlan.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ctc {

/// One row of a phase table as index values. Position x = q - qBegin of the
/// phase is output outputBase + x * stride, and its tap j is kernel slot
/// slot + j and reads input inputBase + x - j * inputStep.
struct PhaseRow {
  mlir::Value qCount;
  mlir::Value tapCount;
  mlir::Value slot;
  mlir::Value inputBase;
  mlir::Value outputBase;
};

/// A constant i64 table in global memory with a row per phase of a dimension,
/// columns as in PhaseRow. An empty dimension gets one row of zeros.
mlir::memref::GlobalOp makePhaseTable(mlir::ImplicitLocOpBuilder &builder,
                                      llvm::StringRef name,
                                      const SpatialDim &dim,
                                      const DimPhasePlan &plan);

PhaseRow loadPhaseRow(mlir::ImplicitLocOpBuilder &builder,
                      mlir::memref::GlobalOp table, mlir::Value phase);

/// The same buffer in the GPU's global address space.
mlir::MemRefType inGlobalMemory(mlir::MemRefType type);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_PHASETABLE_H
