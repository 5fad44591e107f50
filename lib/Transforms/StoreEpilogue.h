//===- StoreEpilogue.h - The epilogue of one stored element -----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_STOREEPILOGUE_H
#define CTC_LIB_TRANSFORMS_STOREEPILOGUE_H

#include "ctc/Dialect/CTC.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ctc {

/// The epilogue of `op` on an f32 with the bias added, for the element at the
/// output coordinates (index, in memory order). Extra operands are loaded.
mlir::Value applyEpilogue(mlir::ImplicitLocOpBuilder &builder,
                          ir::StoreTileOp op, mlir::Value value,
                          llvm::ArrayRef<mlir::Value> coordinates);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_STOREEPILOGUE_H
