//===- Passes.td - Front doors in, NVVM out ----------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CONVERSION_PASSES_TD
#define CTC_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ToNVVM : Pass<"ctc-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Give kernels the signature that upstream's NVVM lowering needs";
  let description = [{
    Kernel parameters become bare pointers, which upstream only makes of static
    buffers: a buffer with a dynamic batch becomes one of a single element, whose
    views say where they point. Parameters that a kernel only reads are marked
    so, which turns their loads into non-coherent ones. The pipeline
    `ctc-nvvm-pipeline` runs this pass and upstream's behind it.

    ```mlir
    // before
    gpu.func @layer(%x: memref<?x8x4x4xf32, #gpu.address_space<global>>, ...)
    // after
    gpu.func @layer(%x: memref<1xf32, #gpu.address_space<global>>
                        {llvm.align = 16, llvm.noalias, llvm.readonly}, ...)
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // CTC_CONVERSION_PASSES_TD
