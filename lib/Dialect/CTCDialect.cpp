//===- CTCDialect.cpp - The ctc dialect -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Dialect/CTC.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace ctc::ir;

#include "ctc/Dialect/CTCDialect.cpp.inc"
#include "ctc/Dialect/CTCEnums.cpp.inc"

void CTCDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "ctc/Dialect/CTCOps.cpp.inc"
      >();
}

mlir::Operation *CTCDialect::materializeConstant(mlir::OpBuilder &builder,
                                                 mlir::Attribute value,
                                                 mlir::Type type,
                                                 mlir::Location loc) {
  return mlir::arith::ConstantOp::materialize(builder, value, type, loc);
}
