//===- Effects.h - Effects of operations on buffers -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DIALECT_EFFECTS_H
#define CTC_LIB_DIALECT_EFFECTS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace ctc::ir {

using Effects = llvm::SmallVectorImpl<mlir::MemoryEffects::EffectInstance>;

/// Every operand that is a buffer is read, except that `written`, if there is
/// one, is written. Operands, not values: the output may be read elsewhere.
inline void addBufferEffects(mlir::Operation *op, mlir::OpOperand *written,
                             Effects &effects) {
  for (mlir::OpOperand &operand : op->getOpOperands()) {
    if (!mlir::isa<mlir::MemRefType>(operand.get().getType()))
      continue;
    if (&operand == written)
      effects.emplace_back(mlir::MemoryEffects::Write::get(), &operand);
    else
      effects.emplace_back(mlir::MemoryEffects::Read::get(), &operand);
  }
}

} // namespace ctc::ir

#endif // CTC_LIB_DIALECT_EFFECTS_H
