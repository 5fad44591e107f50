//===- CTCDialect.cpp - The ctc dialect -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Dialect/CTC.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

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

/// `ctc.target` of a module is the chip its kernels are for.
llvm::LogicalResult
CTCDialect::verifyOperationAttribute(mlir::Operation *op,
                                     mlir::NamedAttribute attribute) {
  if (attribute.getName() != "ctc.target" ||
      llvm::isa<TargetAttr>(attribute.getValue()))
    return llvm::success();
  return op->emitOpError("has ctc.target ")
         << attribute.getValue()
         << ", must be #ctc.target<CHIP> with CHIP in quotes";
}

static bool isControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// `ctc.name` of an entry's argument: a string no other argument has, in one
/// line, as reports print it.
llvm::LogicalResult
CTCDialect::verifyRegionArgAttribute(mlir::Operation *op, unsigned,
                                     unsigned number,
                                     mlir::NamedAttribute attribute) {
  if (attribute.getName() != "ctc.name")
    return llvm::success();
  auto name = llvm::dyn_cast<mlir::StringAttr>(attribute.getValue());
  if (!name || name.empty())
    return op->emitOpError("argument ")
           << number << " has ctc.name " << attribute.getValue()
           << ", must be a string that is not empty";
  if (llvm::any_of(name.getValue(), isControl))
    return op->emitOpError("argument ")
           << number << " has ctc.name " << name
           << ", must have no line breaks or other control characters";
  auto function = llvm::dyn_cast<mlir::FunctionOpInterface>(op);
  for (unsigned other = 0; function && other < number; ++other)
    if (function.getArgAttr(other, "ctc.name") == name)
      return op->emitOpError("arguments ")
             << other << " and " << number << " both have ctc.name " << name
             << ", must differ";
  return llvm::success();
}

mlir::Operation *CTCDialect::materializeConstant(mlir::OpBuilder &builder,
                                                 mlir::Attribute value,
                                                 mlir::Type type,
                                                 mlir::Location loc) {
  return mlir::arith::ConstantOp::materialize(builder, value, type, loc);
}
