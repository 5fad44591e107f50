//===- CTCKernelOps.td - Tile-level operations -------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operations a whole block executes together, between ctc-tile and
// ctc-vectorize. Every value is uniform over the block. The kernel's decision
// is the attribute ctc.kernel of the surrounding gpu.func.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_DIALECT_CTCKERNELOPS_TD
#define CTC_DIALECT_CTCKERNELOPS_TD

include "ctc/Dialect/CTCOps.td"

def CTC_Tile : AnyTypeOf<[VectorOfNonZeroRankOf<[F32]>, MemRefOf<[F32]>]>;

def CTC_LoadPatchOp : CTC_Op<"load_patch", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "loads the halo of a reduction chunk";
  let description = [{
    The f32 tile of shape (chunk channels, samples, halo per spatial dimension)
    whose element (c, b, h...) is input sample `sample + b`, channel
    `channel + c`, coordinates `origin + h`. What lies outside the input, or at
    or past `channel_end`, is zero; `group_channels` is the number of input
    channels of a group. With `round_tf32` values are rounded to tf32
    (to nearest, ties away).
  }];
  let arguments = (ins
    MemRefOf<[F32, F16, BF16]>:$input,
    Index:$sample, Index:$samples, Index:$channel, Index:$channel_end,
    Variadic<Index>:$origin,
    I64Attr:$group_channels,
    CTC_LayoutAttr:$layout,
    UnitAttr:$round_tf32
  );
  let results = (outs VectorOfNonZeroRankOf<[F32]>:$patch);
  let assemblyFormat = [{
    $input `sample` $sample `of` $samples `channel` $channel `to` $channel_end
    `origin` `(` $origin `)` attr-dict `:` type($input) `->` type($patch)
  }];
  let hasVerifier = 1;
}

def CTC_LoadWeightsOp : CTC_Op<"load_weights", [AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "loads the packed weights of a reduction chunk";
  let description = [{
    The f32 tile of shape (taps per spatial dimension, chunk channels, output
    channels) from packed weights (ctc.pack_weights), starting at slot `slot`
    and input channel `channel` of the group. Only the first `count` taps along
    each dimension are loaded; the rest is unspecified.
  }];
  let arguments = (ins
    MemRefOf<[F32, F16, BF16]>:$packed,
    Index:$group, Index:$tile, Index:$channel,
    Variadic<Index>:$slot,
    Variadic<Index>:$count
  );
  let results = (outs VectorOfNonZeroRankOf<[F32]>:$weights);
  let assemblyFormat = [{
    $packed `group` $group `tile` $tile `channel` $channel
    `slot` `(` $slot `)` `count` `(` $count `)` attr-dict
    `:` type($packed) `->` type($weights)
  }];
  let hasVerifier = 1;
}

def CTC_ContractOp : CTC_Op<"contract", [AllTypesMatch<["acc", "result"]>,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "multiplies a patch with weights over taps and input channels";
  let description = [{
    Adds to element (p, c) of the accumulator, for every tap t below `count`
    along each dimension and every channel k of the chunk,

        patch[k, b, x + (taps - 1 - t) * input_step] * weights[t, k, c]

    where (b, x) is position p of the box in row-major order. `chunk` numbers
    the chunks of a block from 0, which is what multi-buffering goes by. Positions past the
    box's volume are unspecified. Patch and weights are vectors until
    ctc-implicit-im2col stores them in workgroup memory.
  }];
  let arguments = (ins
    CTC_Tile:$patch,
    CTC_Tile:$weights,
    VectorOfRankAndType<[2], [F32]>:$acc,
    Index:$chunk,
    Variadic<Index>:$count,
    DenseI64ArrayAttr:$halo,
    DenseI64ArrayAttr:$input_step
  );
  let results = (outs VectorOfRankAndType<[2], [F32]>:$result);
  let assemblyFormat = [{
    $patch `,` $weights `,` $acc `chunk` $chunk `count` `(` $count `)` attr-dict
    `:` type($patch) `,` type($weights) `into` type($acc)
  }];
  let hasVerifier = 1;
}

def CTC_StoreTileOp : CTC_Op<"store_tile", [AttrSizedOperandSegments,
    IsolatedFromAbove, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "applies bias and epilogue to a tile and stores it";
  let description = [{
    Position (b, x...) of the box goes to sample `sample + b` and output
    coordinates `origin + x * stride`, if the sample is below `samples` and x is
    below `extent` along every dimension; channel c goes to output channel
    `channel + c`, if that is below `channel_end`. The epilogue region is the
    one of ctc.conv_transpose.
  }];
  let arguments = (ins
    VectorOfRankAndType<[2], [F32]>:$acc,
    MemRefOf<[F32, F16, BF16]>:$output,
    Index:$sample, Index:$samples, Index:$channel, Index:$channel_end,
    Variadic<Index>:$origin,
    Variadic<Index>:$extent,
    Optional<MemRefOf<[F32, F16, BF16]>>:$bias,
    Variadic<MemRefOf<[F32, F16, BF16]>>:$extras,
    DenseI64ArrayAttr:$stride,
    CTC_LayoutAttr:$layout,
    OptionalAttr<AffineMapArrayAttr>:$extra_maps
  );
  let regions = (region MaxSizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $acc `into` $output `sample` $sample `of` $samples
    `channel` $channel `to` $channel_end
    `origin` `(` $origin `)` `extent` `(` $extent `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    (`extras` `(` $extras^ `:` type($extras) `)`)?
    attr-dict `:` type($acc) `into` type($output)
    (`epilogue` $epilogue^)?
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif // CTC_DIALECT_CTCKERNELOPS_TD
