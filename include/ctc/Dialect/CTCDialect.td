//===- CTCDialect.td - The ctc dialect ---------------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_DIALECT_CTCDIALECT_TD
#define CTC_DIALECT_CTCDIALECT_TD

include "mlir/IR/OpBase.td"

def CTC_Dialect : Dialect {
  let name = "ctc";
  let cppNamespace = "::ctc::ir";
  let summary = "Transposed convolution, from the layer to the kernel body";
  let description = [{
    The dialect has two floors. `ctc.conv_transpose` is the layer: all of its
    attributes and an epilogue, on tensors or memrefs. The tile-level operations
    (`ctc.load_patch`, `ctc.load_weights`, `ctc.contract`, `ctc.store_tile`)
    stand in the body of a kernel between `ctc-tile` and `ctc-vectorize`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{ void registerAttributes(); }];
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // CTC_DIALECT_CTCDIALECT_TD
