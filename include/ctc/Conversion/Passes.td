//===- Passes.td - Front doors in, NVVM out ----------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CONVERSION_PASSES_TD
#define CTC_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertTosaToCTC : Pass<"convert-tosa-to-ctc"> {
  let summary = "Convert tosa.transpose_conv2d to ctc.conv_transpose";
  let description = [{
    The layer gets layout channels_last and weight_layout output_kernel_input, so
    that no data moves; out_pad becomes padding with the opposite sign. A bias
    that is a constant splat is added in the epilogue, or dropped if zero; a bias
    of one element for all channels becomes an extra operand.

    Products are accumulated in f32 whatever acc_type says: an f16 accumulator is
    the least that TOSA asks for. TOSA's error bound for f32 is that of f32
    products, so the precision is ieee unless the option says otherwise; with
    local_bound it is ieee in any case.

    Types other than f32, f16 and bf16, zero points that are not constant zero,
    and shapes that are dynamic beyond the batch are errors.

    ```mlir
    // before
    %y = tosa.transpose_conv2d %x, %w, %b, %zero, %zero
           {acc_type = f32, out_pad = array<i64: 0, -1, 0, -1>, stride = array<i64: 2, 2>}
           : (tensor<1x4x4x8xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, ...) -> tensor<1x8x8x6xf32>
    // after
    %init = tensor.empty() : tensor<1x8x8x6xf32>
    %y = ctc.conv_transpose ins(%x, %w : tensor<1x4x4x8xf32>, tensor<6x3x3x8xf32>)
           bias(%b : tensor<6xf32>) outs(%init : tensor<1x8x8x6xf32>)
           {layout = #ctc.layout<channels_last>, padding_high = array<i64: 1, 1>,
            precision = #ctc.precision<ieee>, stride = array<i64: 2, 2>,
            weight_layout = #ctc.weight_layout<output_kernel_input>} -> tensor<1x8x8x6xf32>
    ```
  }];
  let options = [
    Option<"precision", "precision", "std::string", "\"ieee\"",
           "How f32 operands are multiplied: ieee, tf32 or tf32x3">];
  let dependentDialects = ["::ctc::ir::CTCDialect",
    "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def ToNVVM : Pass<"ctc-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Give kernels the signature that upstream's NVVM lowering needs";
  let description = [{
    Kernel parameters become bare pointers, which upstream only makes of static
    buffers that hold something: a buffer with a dynamic batch, or with no element
    at all, becomes one of a single element, whose views say where they point. Parameters that a kernel only reads are marked
    so, which turns their loads into non-coherent ones. A kernel of known block
    size promises enough resident blocks for 256 threads. The pipeline
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

def ReadAfterWait : Pass<"ctc-read-after-wait", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Keep what kernels read behind their wait";
  let description = [{
    While a kernel waits (`nvvm.griddepcontrol wait`) the grids before it still
    write what it will read, so `llvm.noalias` is true behind the wait only, and
    LLVM, which takes it for the whole function, may move a load in front. This
    pass takes the attribute away, and passes buffers that are only read
    through an empty assembly instruction behind the wait: their loads depend on
    it, and are invariant from there on, so they stay non-coherent ones.

    ```mlir
    // before
    llvm.func @layer(%x: !llvm.ptr<1> {llvm.noalias, llvm.readonly}) {
      nvvm.griddepcontrol wait
      %0 = llvm.load %x : !llvm.ptr<1> -> f32
    // after
    llvm.func @layer(%x: !llvm.ptr<1> {llvm.readonly}) {
      nvvm.griddepcontrol wait
      %behind = llvm.inline_asm has_side_effects "", "=l,0" %x
      %0 = llvm.load %behind invariant : !llvm.ptr<1> -> f32
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // CTC_CONVERSION_PASSES_TD
