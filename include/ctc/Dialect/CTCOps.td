//===- CTCOps.td - The layer and its launches --------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_DIALECT_CTCOPS_TD
#define CTC_DIALECT_CTCOPS_TD

include "ctc/Dialect/CTCAttrs.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"

class CTC_Op<string mnemonic, list<Trait> traits = []>
    : Op<CTC_Dialect, mnemonic, traits>;

def CTC_FloatShaped : AnyTypeOf<[RankedTensorOf<[F32, F16, BF16]>,
                                 MemRefOf<[F32, F16, BF16]>],
    "ranked tensor or memref of f32, f16 or bf16">;

def CTC_ConvTransposeOp : CTC_Op<"conv_transpose", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    IsolatedFromAbove]> {
  let summary = "transposed convolution with bias and an elementwise epilogue";
  let description = [{
    One to three spatial dimensions. With input size I, kernel K, stride s,
    dilation d, padding (lo, hi) and output padding op, per dimension:

        O    = (I-1)*s - lo - hi + d*(K-1) + op + 1
        y[o] = sum over (i, k) with i*s - lo + k*d = o  of  x[i] * w[k]

    summed over the input channels of the output channel's group. This is ONNX
    ConvTranspose and torch.nn.ConvTransposeNd, with asymmetric and negative
    padding and any output padding.

    Shapes: input (N, Cin, spatial) or, channels_last, (N, spatial, Cin); weight
    (Cin, Cout/groups, kernel) in either layout, or with weight_layout
    output_kernel_input (Cout/groups, kernel, Cin), as TOSA has it; bias (Cout);
    output as the input with Cout. All of x, w and y have one element type of f32, f16, bf16;
    bias has that type or f32. Products are accumulated in f32.

    The epilogue region takes the f32 accumulator with the bias added and one
    element of each extra operand, and yields an f32 that is rounded once to the
    output's type. Without a region the accumulator is rounded. The indexing map
    of an extra operand goes from the output's dimensions, in memory order, to
    the operand's: each result is a distinct dimension or the constant 0.

    Absent attributes mean stride 1, dilation 1, no padding, no output padding.

    Constraints, each with the message's key words:

    * (C1) input, weight, output and bias are all tensors or all memrefs, of one
      element type (bias may be f32).
    * (C2) the input has rank 3, 4 or 5; weight and output have the same.
    * (C3) stride, dilation, padding_low, padding_high, output_padding have one
      value per spatial dimension.
    * (C4) stride and dilation are at least 1, kernel sizes at least 1, output
      padding at least 0.
    * (C5) groups is at least 1 and divides Cin and Cout.
    * (C6) the weight's shape is (Cin, Cout/groups, kernel), or (Cout/groups,
      kernel, Cin) when weight_layout is output_kernel_input.
    * (C7) the bias has shape (Cout).
    * (C8) the output's shape is the one the formula gives, and no size is
      negative or past 2^63 - 1 bytes.
    * (C9) all shapes are static, except that the batch of input, output and
      batch-indexed extra operands may be dynamic together; memrefs are
      contiguous.
    * (C10) precision other than tf32 needs f32 operands.
    * (C11) there is one indexing map per extra operand, from the output's
      dimensions; sizes agree along the mapped dimensions and are 1 elsewhere.
    * (C12) the epilogue takes f32 and each extra operand's element type, yields
      f32, and holds elementwise operations of docs/Operator.md only.
    * (C13) a kernel, if chosen, fits the problem.
    * (C14) an attribute without a dialect's prefix is one of the operation's.

    ```mlir
    %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4x4xf32>, tensor<8x4x2x2xf32>)
           bias(%b : tensor<4xf32>) outs(%init : tensor<1x4x8x8xf32>)
           {stride = array<i64: 2, 2>} epilogue {
    ^bb0(%acc: f32):
      %zero = arith.constant 0.0 : f32
      %relu = arith.maximumf %acc, %zero : f32
      ctc.yield %relu : f32
    } -> tensor<1x4x8x8xf32>
    ```
  }];
  let arguments = (ins
    CTC_FloatShaped:$input,
    CTC_FloatShaped:$weight,
    Optional<CTC_FloatShaped>:$bias,
    Variadic<CTC_FloatShaped>:$extras,
    CTC_FloatShaped:$output,
    OptionalAttr<DenseI64ArrayAttr>:$stride,
    OptionalAttr<DenseI64ArrayAttr>:$dilation,
    OptionalAttr<DenseI64ArrayAttr>:$padding_low,
    OptionalAttr<DenseI64ArrayAttr>:$padding_high,
    OptionalAttr<DenseI64ArrayAttr>:$output_padding,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<CTC_LayoutAttr, "::ctc::ir::Layout::ChannelsFirst">:$layout,
    DefaultValuedAttr<CTC_WeightLayoutAttr,
        "::ctc::ir::WeightLayout::InputOutputKernel">:$weight_layout,
    DefaultValuedAttr<CTC_PrecisionAttr, "::ctc::ir::Precision::TF32">:$precision,
    OptionalAttr<AffineMapArrayAttr>:$extra_maps,
    OptionalAttr<CTC_KernelAttr>:$kernel,
    UnitAttr:$packed
  );
  let results = (outs Variadic<RankedTensorOf<[F32, F16, BF16]>>:$results);
  let regions = (region MaxSizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`extras` `(` $extras^ `:` type($extras) `)`)?
    `outs` `(` $output `:` type($output) `)`
    attr-dict
    (`epilogue` $epilogue^)?
    (`->` type($results)^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); }

    ::mlir::ShapedType getInputType() {
      return ::llvm::cast<::mlir::ShapedType>(getInput().getType());
    }
    ::mlir::ShapedType getWeightType() {
      return ::llvm::cast<::mlir::ShapedType>(getWeight().getType());
    }
    ::mlir::ShapedType getOutputType() {
      return ::llvm::cast<::mlir::ShapedType>(getOutput().getType());
    }
    /// Number of spatial dimensions.
    int64_t getSpatialRank() { return getInputType().getRank() - 2; }
    /// The indexing maps of the extra operands, as many as there are.
    ::llvm::SmallVector<::mlir::AffineMap> getExtraMapsArray();
    bool hasEpilogue() { return !getEpilogue().empty(); }
    /// The layer in plain integers. Total on ops that satisfy C1 to C3.
    ::ctc::Problem getProblem();
    /// The output's shape by the formula, or why there is none.
    ::ctc::Expected<::llvm::SmallVector<int64_t>> inferOutputShape();
  }];
}

def CTC_YieldOp : CTC_Op<"yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["ConvTransposeOp", "StoreTileOp"]>]> {
  let summary = "yields the value of an epilogue";
  let arguments = (ins F32:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def CTC_PackWeightsOp : CTC_Op<"pack_weights",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "packs a layer's weights for its kernel";
  let description = [{
    The body of an entry's prepare function. The weight's dimensions stand as
    weight_layout says (weightDims in CTC.h). The packed shape is (groups, output
    channel tiles, slots per spatial dimension, input channels of a group
    rounded up to the chunk, output channels of a tile): taps stand in the order
    of phases (Support/PhasePlan.h), so a phase's taps are neighbours, and
    padding is zero. With `group_tile` above 1 the output channels of a tile are
    those of that many groups, and packed groups are tiles of groups. With `fragments` the elements of a tile stand in the order
    (chunk of input channels, slots, fragments as matrix instructions take
    them). With `round_tf32` values are rounded to tf32 (to nearest,
    ties away from zero), so that kernels need not.
  }];
  let arguments = (ins
    MemRefOf<[F32, F16, BF16]>:$weight,
    MemRefOf<[F32, F16, BF16]>:$packed,
    I64Attr:$groups,
    DenseI64ArrayAttr:$tap_step,
    DefaultValuedAttr<CTC_WeightLayoutAttr,
        "::ctc::ir::WeightLayout::InputOutputKernel">:$weight_layout,
    OptionalAttr<CTC_FragmentsAttr>:$fragments,
    UnitAttr:$round_tf32,
    DefaultValuedAttr<I64Attr, "1">:$group_tile
  );
  let assemblyFormat = [{
    $weight `into` $packed attr-dict `:` type($weight) `into` type($packed)
  }];
  let hasVerifier = 1;
}

def CTC_LaunchOp : CTC_Op<"launch",
    [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "launches a kernel of the module";
  let description = [{
    One row of an entry's launch list. The grid is one-dimensional with
    `blocks_per_tile * ceil(N / batch_tile)` blocks, N the leading size of the
    last argument; with `passes_batch` N follows the buffers as an i64. A block
    gets `dynamic_shared` bytes of workgroup memory beside what the kernel
    declares. A `programmatic` launch may begin while the grids before it in the
    stream still run; its kernel waits for them.
  }];
  let arguments = (ins
    SymbolRefAttr:$kernel,
    Variadic<AnyMemRef>:$arguments,
    I64Attr:$blocks_per_tile,
    I64Attr:$batch_tile,
    I64Attr:$block_size,
    DefaultValuedAttr<I64Attr, "0">:$dynamic_shared,
    UnitAttr:$passes_batch,
    UnitAttr:$programmatic
  );
  let assemblyFormat = [{
    $kernel `(` $arguments `)` attr-dict `:` type($arguments)
  }];
}

#endif // CTC_DIALECT_CTCOPS_TD
