//===- CTC.h - The ctc dialect ----------------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_DIALECT_CTC_H
#define CTC_DIALECT_CTC_H

#include "ctc/Support/Problem.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "ctc/Dialect/CTCDialect.h.inc"
#include "ctc/Dialect/CTCEnums.h.inc"

namespace ctc::ir {

/// Where the canonical weight dimensions (Cin, Cout/groups, kernel...) stand in
/// a weight of the given layout and number of spatial dimensions: element i of
/// the result is the position of canonical dimension i.
llvm::SmallVector<int64_t> weightDims(WeightLayout layout, int64_t spatialRank);

} // namespace ctc::ir

#define GET_ATTRDEF_CLASSES
#include "ctc/Dialect/CTCAttrs.h.inc"

#define GET_OP_CLASSES
#include "ctc/Dialect/CTCOps.h.inc"

namespace ctc::ir {

/// The shape of a layer's packed weights (ctc.pack_weights).
std::vector<int64_t> packedWeightShape(const Problem &problem,
                                       KernelAttr kernel);

} // namespace ctc::ir

#endif // CTC_DIALECT_CTC_H
