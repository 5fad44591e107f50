//===- EpilogueOps.h - What may stand in an epilogue ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The one list of legal epilogue operations, and the export of an epilogue to
// the plain program that the reference evaluates (Support/Epilogue.h).

#ifndef CTC_DIALECT_EPILOGUEOPS_H
#define CTC_DIALECT_EPILOGUEOPS_H

#include "ctc/Dialect/CTC.h"
#include "ctc/Support/Epilogue.h"

namespace ctc::ir {

/// Why an operation may not stand in an epilogue, empty when it may: it is on
/// the list, all of its operands and results are f32, f16, bf16 or i1, and it
/// rounds, if it does, to nearest even.
std::string explainEpilogueOp(mlir::Operation *op);

inline bool isEpilogueOp(mlir::Operation *op) {
  return explainEpilogueOp(op).empty();
}

/// "arith.addf, arith.cmpf, ..." for messages.
std::string listEpilogueOps();

/// Verifies constraint C12 for the region of `op`, whose extra operands have
/// the given element types.
llvm::LogicalResult verifyEpilogue(mlir::Operation *op, mlir::Region &region,
                                   llvm::ArrayRef<mlir::Type> extraTypes);

/// The epilogue of a verified layer as data.
Epilogue exportEpilogue(ConvTransposeOp op);

/// The element type of a verified tensor, memref or scalar.
ElementType elementType(mlir::Type type);

} // namespace ctc::ir

#endif // CTC_DIALECT_EPILOGUEOPS_H
