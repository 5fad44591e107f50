//===- EpilogueScalars.h - One element of an elementwise op -----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An elementwise operation on tensors as scalar operations on one element, for
// the epilogue region. Nothing here knows of convolutions: each operation gives
// the way its tensor operands meet its result, and a function of their
// elements.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_EPILOGUESCALARS_H
#define CTC_LIB_TRANSFORMS_EPILOGUESCALARS_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

#include <string>

namespace ctc {

/// A tensor or scalar operand and the map from the result's dimensions to its
/// own: each result of the map is a distinct dimension or the constant 0.
struct ElementwiseOperand {
  mlir::Value value;
  mlir::AffineMap map;
};

/// How wide scalars are computed. With `narrow` set, values of that type are
/// computed in f32 instead and roundings to it are dropped.
struct ScalarWidth {
  mlir::Type narrow;

  mlir::Type compute(mlir::Type type) const;
  /// The value, extended to f32 where its type is the narrow one.
  mlir::Value widen(mlir::OpBuilder &builder, mlir::Value value) const;
};

/// The operands of an elementwise operation that its element depends on, or
/// why it is not one, in `reason`. The operation has one result, whose
/// dimensions are the maps'.
llvm::FailureOr<llvm::SmallVector<ElementwiseOperand>>
elementwiseOperands(mlir::Operation *op, std::string &reason);

/// The element of the operation's result, from one element of each operand that
/// elementwiseOperands listed. Fails, with a reason, where an operation has no
/// scalar form that an epilogue may hold.
llvm::FailureOr<mlir::Value>
buildScalar(mlir::OpBuilder &builder, mlir::Operation *op,
            mlir::ValueRange elements, ScalarWidth width, std::string &reason);

/// Whether the operation's float arithmetic carries the fast-math flag
/// `contract`, which allows an intermediate rounding to be dropped.
bool allowsContraction(mlir::Operation *op);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_EPILOGUESCALARS_H
