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

def CTC_TileVector : VectorOfNonZeroRankOf<[F32, F16, BF16]>;
def CTC_Tile : AnyTypeOf<[CTC_TileVector, MemRefOf<[F32, F16, BF16]>]>;

def CTC_LoadPatchOp : CTC_Op<"load_patch", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "loads the halo of a reduction chunk";
  let description = [{
    The tile of shape (chunk channels, samples, halo per spatial dimension), of
    f32 or the input's type, whose element (c, b, h...) is input sample `sample + b`, channel
    `channel + c`, coordinates `origin + h`. What lies outside the input, or at
    or past `channel_end`, is zero; `group_channels` is the number of input
    channels of a group, or of all where a block takes several. With `round_tf32` values are rounded to tf32
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
  let results = (outs CTC_TileVector:$patch);
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
    The tile of shape (taps per spatial dimension, chunk channels, output
    channels), of f32 or the weights' type, from packed weights (ctc.pack_weights), starting at slot `slot`
    and input channel `channel` of the group. Only the first `count` taps along
    each dimension are loaded; the rest is unspecified.
  }];
  let arguments = (ins
    MemRefOf<[F32, F16, BF16]>:$packed,
    Index:$group, Index:$tile, Index:$channel,
    Variadic<Index>:$slot,
    Variadic<Index>:$count
  );
  let results = (outs CTC_TileVector:$weights);
  let assemblyFormat = [{
    $packed `group` $group `tile` $tile `channel` $channel
    `slot` `(` $slot `)` `count` `(` $count `)` attr-dict
    `:` type($packed) `->` type($weights)
  }];
  let hasVerifier = 1;
}

def CTC_ContractOp : CTC_Op<"contract", [AllTypesMatch<["acc", "result"]>,
    AttrSizedOperandSegments,
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

    Where phases are grouped along dimension i, `phase_taps[i]` holds a pair
    (phase, shift) for every tap of the chunk, all of which are there: tap t
    reads patch coordinate x + shift and adds to that phase's part of the
    accumulator. The accumulator has the channels of phase (0, ..., 0) first,
    phases in row-major order.

    A patch in workgroup memory may begin `skew` positions before the halo along
    the innermost dimension. With `split_tf32` f32 operands are multiplied as
    sums of two tf32 numbers, without the product of the two lower ones; with
    `round_tf32` the patch is rounded to tf32 when it is read, and not where it
    lies.

    A family may leave a multiplication under way: past ctc-pipeline the result
    is to be used by another contraction, or after ctc.settle.
  }];
  let arguments = (ins
    CTC_Tile:$patch,
    CTC_Tile:$weights,
    VectorOfRankAndType<[2], [F32]>:$acc,
    Index:$chunk,
    Variadic<Index>:$count,
    Optional<Index>:$skew,
    DenseI64ArrayAttr:$halo,
    DenseI64ArrayAttr:$input_step,
    OptionalAttr<TypedArrayAttrBase<DenseI64ArrayAttr, "taps by phase">>:$phase_taps,
    UnitAttr:$split_tf32,
    UnitAttr:$round_tf32
  );
  let results = (outs VectorOfRankAndType<[2], [F32]>:$result);
  let assemblyFormat = [{
    $patch `,` $weights `,` $acc `chunk` $chunk `count` `(` $count `)`
    (`skew` $skew^)? attr-dict
    `:` type($patch) `,` type($weights) `into` type($acc)
  }];
  let hasVerifier = 1;
}

def CTC_SettleOp : CTC_Op<"settle", [AllTypesMatch<["acc", "result"]>]> {
  let summary = "ends the multiplications of an accumulator";
  let description = [{
    Past it the sums are there, and the tiles that were multiplied may be
    written over. It stays where it is.
  }];
  let arguments = (ins VectorOfRankAndType<[2], [F32]>:$acc);
  let results = (outs VectorOfRankAndType<[2], [F32]>:$result);
  let assemblyFormat = "$acc attr-dict `:` type($acc)";
}

def CTC_StoreTileOp : CTC_Op<"store_tile", [AttrSizedOperandSegments,
    IsolatedFromAbove, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "applies bias and epilogue to a tile and stores it";
  let description = [{
    Position (b, x...) of the box goes to sample `sample + b` and output
    coordinates `origin + x * stride`, if the sample is below `samples` and x is
    below `extent` along every dimension; channel c goes to output channel
    `channel + c`, if that is below `channel_end`; `group_channels` is the number of
    output channels of a group, or of all where a block takes several. The epilogue region is the one of
    ctc.conv_transpose.

    With `phases` the accumulator holds that many phases per dimension (see
    ctc.contract), and along a dimension with more than one of them phase f of
    position x goes to `origin + x * stride + f` if `x * stride + f` is below
    `extent`.
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
    I64Attr:$group_channels,
    OptionalAttr<AffineMapArrayAttr>:$extra_maps,
    OptionalAttr<DenseI64ArrayAttr>:$phases
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

def CTC_CopyChunkOp : CTC_Op<"copy_chunk", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "copies a reduction chunk into workgroup memory in two steps";
  let description = [{
    `issue` starts the copies of one thread and yields what it holds in
    registers; `complete` takes that, and when it is done the thread's share
    stands in workgroup memory, where others see it past a barrier. With `async`
    the copies that `issue` started go on by themselves as one group of
    cp.async, and `complete` expects that the group has arrived.

    Between the two steps ctc-pipeline puts the multiplication of other chunks.
  }];
  let arguments = (ins UnitAttr:$async);
  let regions = (region SizedRegion<1>:$issue, SizedRegion<1>:$complete);
  let assemblyFormat = [{
    attr-dict `issue` $issue `complete` $complete
  }];
  let hasRegionVerifier = 1;
}

def CTC_CopiedOp : CTC_Op<"copied", [Pure, ReturnLike, Terminator,
    ParentOneOf<["CopyChunkOp"]>]> {
  let summary = "ends a step of a copy";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "(`(` $values^ `:` type($values) `)`)? attr-dict";
}

#endif // CTC_DIALECT_CTCKERNELOPS_TD
