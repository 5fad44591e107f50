//===- TosaScalars.h - TOSA's elementwise operations on scalars -*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The part of EpilogueScalars.h that speaks TOSA: rank-equal broadcasting along
// sizes of 1, and the meaning of each operation in arith and math.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_TOSASCALARS_H
#define CTC_LIB_TRANSFORMS_TOSASCALARS_H

#include "EpilogueScalars.h"

#include "mlir/IR/BuiltinTypes.h"

namespace ctc {

/// Whether the operation is one of the table in TosaScalars.cpp.
bool isTosaElementwise(mlir::Operation *op);

/// As elementwiseOperands, for operations of the table. Zero points and shifts
/// are left out; they must be constant zero.
llvm::FailureOr<llvm::SmallVector<ElementwiseOperand>>
tosaOperands(mlir::Operation *op, mlir::RankedTensorType type,
             std::string &reason);

/// As buildScalar, for operations of the table.
llvm::FailureOr<mlir::Value> buildTosaScalar(mlir::OpBuilder &builder,
                                             mlir::Operation *op,
                                             mlir::ValueRange elements,
                                             ScalarWidth width,
                                             std::string &reason);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_TOSASCALARS_H
