//===- Passes.td - The rungs of the ladder -----------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TRANSFORMS_PASSES_TD
#define CTC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def SelectKernel : Pass<"ctc-select-kernel", "::mlir::ModuleOp"> {
  let summary = "Choose a kernel for every ctc.conv_transpose";
  let description = [{
    Writes the decision as a `#ctc.kernel` attribute on each operation that has
    none; the passes below only obey it. A kernel that is already there is kept
    with source `explicit`. The chip is the module's `ctc.target`, else the
    option. The reason is a remark. A kernel whose tiles do not fit the chip is
    an error that names the bytes and the limit.

    ```mlir
    // before
    %y = ctc.conv_transpose ins(%x, %w : ...) outs(%init : ...) -> ...
    // after
    %y = ctc.conv_transpose ins(%x, %w : ...) outs(%init : ...)
           {kernel = #ctc.kernel<family = simt, ...>} -> ...
    ```
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"sm_80\"",
           "Chip to choose for when the module has no ctc.target">,
    Option<"family", "family", "std::string", "\"\"",
           "Kernel family to force; empty lets the heuristic choose">];
  let dependentDialects = ["::ctc::ir::CTCDialect"];
}

def Bufferize : Pass<"ctc-bufferize", "::mlir::ModuleOp"> {
  let summary = "Turn entries on tensors into entries on buffers";
  let description = [{
    Every public function is one entry: it holds one ctc.conv_transpose on its
    arguments and returns its result. The entry's arguments become input, packed
    weights, bias, extra operands, output, in that order, and a prepare function
    `<entry>__prepare` that packs the weights appears beside it. Anything else in
    an entry is an error naming the operation.

    ```mlir
    // before
    func.func @layer(%x: tensor<1x8x4x4xf32>, %w: tensor<8x4x2x2xf32>)
        -> tensor<1x4x8x8xf32> { ... }
    // after
    func.func @layer__prepare(%w: memref<8x4x2x2xf32>,
                              %packed: memref<1x1x2x2x8x4xf32>)
    func.func @layer(%x: memref<1x8x4x4xf32>, %packed: memref<1x1x2x2x8x4xf32>,
                     %y: memref<1x4x8x8xf32>)
    ```
  }];
  let dependentDialects = ["::ctc::ir::CTCDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::func::FuncDialect"];
}

def Tile : Pass<"ctc-tile", "::mlir::ModuleOp"> {
  let summary = "Make one launchable body per kernel";
  let description = [{
    Moves each entry's work into a gpu.func: a block decodes its phase, box and
    channels from its number and the phase tables, walks the reduction chunks,
    and stores one tile. The entry keeps a ctc.launch. Phases are rows of
    constant tables, so the code does not grow with the stride; taps that fall
    outside the input for a whole block are clipped.
  }];
  let dependentDialects = ["::ctc::ir::CTCDialect", "::mlir::gpu::GPUDialect",
    "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect"];
}

def ImplicitIm2col : Pass<"ctc-implicit-im2col", "::mlir::ModuleOp"> {
  let summary = "Make patch gathers explicit copies into workgroup memory";
  let description = [{
    ctc.load_patch and ctc.load_weights become loops over the threads of a block
    that copy global into workgroup memory, with coordinates, bounds and zero
    fill spelled out. A patch has layout [channel][sample, halo] with the rows
    padded to an odd pitch, weights [taps][channel][output channel].
  }];
  let dependentDialects = ["::ctc::ir::CTCDialect", "::mlir::scf::SCFDialect",
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
    "::mlir::vector::VectorDialect",
    "::mlir::NVVM::NVVMDialect"];
}

def Pipeline : Pass<"ctc-pipeline", "::mlir::ModuleOp"> {
  let summary = "Place barriers and buffers around the reduction";
  let description = [{
    With one stage a chunk is copied, a barrier passed, multiplied, and a second
    barrier passed before its buffers are filled again. With two stages the
    buffers alternate, so that one barrier per chunk is enough: a buffer is
    filled again only after the barrier of the chunk in between.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect",
    "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def Vectorize : Pass<"ctc-vectorize", "::mlir::ModuleOp"> {
  let summary = "Distribute accumulators over threads and multiply in vectors";
  let description = [{
    The accumulator tile becomes one vector of output channels per position of a
    thread; ctc.contract becomes loops over taps around an unrolled sequence of
    vector.fma; ctc.store_tile goes through workgroup memory so that each thread
    stores neighbours in memory, with the epilogue in the loop body once.
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::scf::SCFDialect",
    "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // CTC_TRANSFORMS_PASSES_TD
