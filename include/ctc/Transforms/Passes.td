//===- Passes.td - The rungs of the ladder -----------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TRANSFORMS_PASSES_TD
#define CTC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseEpilogue : Pass<"ctc-fuse-epilogue"> {
  let summary = "Move elementwise consumers of a layer into its epilogue";
  let description = [{
    Folds the elementwise consumers of a layer's result into its epilogue
    region: linalg operations that are elementwise (generic, map, named), arith
    and math operations on tensors, and TOSA's elementwise operations on floats.
    Consumers are fused until one value is left that others use, so x *
    sigmoid(x) is fused as a whole. A layer whose result is also used otherwise
    stays as it is.

    Other tensors that a consumer reads become extra operands, with an indexing
    map that says how they are broadcast; reshapes that add or drop sizes of 1
    and linalg.broadcast are looked through. Splat constants become constants
    of the region.

    The layer's result is rounded to its type. Fusion keeps that rounding as
    arith.truncf, computes in the consumers' types, and extends to f32 at the
    end, so results stay the same bit for bit. The roundings are dropped where
    all arithmetic of the consumers carries the fast-math flag `contract`, or
    with `drop-roundings`.

    ```mlir
    // before
    %y = ctc.conv_transpose ins(%x, %w : ...) outs(%init : tensor<1x4x6xf16>) -> ...
    %z = tosa.maximum %y, %other : (tensor<1x4x6xf16>, tensor<1x4x1xf16>) -> ...
    // after
    %z = ctc.conv_transpose ins(%x, %w : ...) extras(%other : tensor<1x4x1xf16>)
           outs(%init : tensor<1x4x6xf16>)
           {extra_maps = [affine_map<(n, c, x) -> (n, c, 0)>]} epilogue {
    ^bb0(%acc: f32, %element: f16):
      %0 = arith.truncf %acc : f32 to f16
      %1 = arith.maximumf %0, %element : f16
      %2 = arith.extf %1 : f16 to f32
      ctc.yield %2 : f32
    } -> ...
    ```
  }];
  let options = [
    Option<"dropRoundings", "drop-roundings", "bool", "false",
           "Compute consumers in f32 instead of the layer's 16-bit type">,
    Option<"explain", "explain", "bool", "false",
           "Emit a remark for each consumer that is not fused">];
  let dependentDialects = ["::ctc::ir::CTCDialect",
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def SelectKernel : Pass<"ctc-select-kernel", "::mlir::ModuleOp"> {
  let summary = "Choose a kernel for every ctc.conv_transpose";
  let description = [{
    Writes the decision as a `#ctc.kernel` attribute on each operation that has
    none; the passes below only obey it. A kernel that is already there is kept
    with source `explicit`. Without `family` and `candidate` a tuning table that
    has the problem decides (source `table`), the user's before the shipped one,
    then the cost model (source `heuristic`). The chip is the module's
    `ctc.target`, else the option, which is written there. The reason is a
    remark. A kernel whose tiles do not fit the chip is an error that names the
    bytes and the limit; one of a table is passed over.

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
           "Kernel family to force; empty lets the heuristic choose">,
    Option<"candidate", "candidate", "int64_t", "-1",
           "Take the kernel at this place of the cost model's ranking, from 0; -1 asks for none">,
    Option<"tuningTable", "tuning-table", "std::string", "\"\"",
           "A tuning table to look in before the shipped one">,
    Option<"noTuningTable", "no-tuning-table", "bool", "false",
           "Look in no tuning table">];
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
    "::mlir::vector::VectorDialect", "::mlir::nvgpu::NVGPUDialect",
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
    "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::NVVM::NVVMDialect"];
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
    "::mlir::vector::VectorDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::LLVM::LLVMDialect"];
}

def ProgrammaticLaunch : Pass<"ctc-programmatic-launch", "::mlir::ModuleOp"> {
  let summary = "Let kernels wait for the grids before them by themselves";
  let description = [{
    For chips that can (sm_90 and newer) every kernel that a ctc.launch names
    begins with griddepcontrol.wait, and the launch is marked `programmatic`:
    the device need not hold it back until what the grids before it in the
    stream wrote is visible. Other chips' modules, and those that name none,
    stay as they are.

    ```mlir
    // before
    gpu.func @layer(...) kernel {
      %block = gpu.block_id x
    // after
    gpu.func @layer(...) kernel {
      nvvm.griddepcontrol wait
      %block = gpu.block_id x
    ```
  }];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect"];
}

#endif // CTC_TRANSFORMS_PASSES_TD
