//===- CTCAttrs.td - Attributes of the ctc dialect ---------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_DIALECT_CTCATTRS_TD
#define CTC_DIALECT_CTCATTRS_TD

include "ctc/Dialect/CTCDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class CTC_EnumAttr<EnumInfo info, string mnemonic>
    : EnumAttr<CTC_Dialect, info, mnemonic> {
  let assemblyFormat = "`<` $value `>`";
}

def CTC_Layout : I32EnumAttr<"Layout", "where the channels stand", [
    I32EnumAttrCase<"ChannelsFirst", 0, "channels_first">,
    I32EnumAttrCase<"ChannelsLast", 1, "channels_last">]> {
  let cppNamespace = "::ctc::ir";
  let genSpecializedAttr = 0;
}
def CTC_LayoutAttr : CTC_EnumAttr<CTC_Layout, "layout">;

def CTC_WeightLayout : I32EnumAttr<"WeightLayout", "the order of a weight's dimensions", [
    I32EnumAttrCase<"InputOutputKernel", 0, "input_output_kernel">,
    I32EnumAttrCase<"OutputKernelInput", 1, "output_kernel_input">]> {
  let cppNamespace = "::ctc::ir";
  let genSpecializedAttr = 0;
}
def CTC_WeightLayoutAttr : CTC_EnumAttr<CTC_WeightLayout, "weight_layout">;

def CTC_Precision : I32EnumAttr<"Precision", "how f32 operands are multiplied", [
    I32EnumAttrCase<"TF32", 0, "tf32">,
    I32EnumAttrCase<"TF32x3", 1, "tf32x3">,
    I32EnumAttrCase<"IEEE", 2, "ieee">]> {
  let cppNamespace = "::ctc::ir";
  let genSpecializedAttr = 0;
}
def CTC_PrecisionAttr : CTC_EnumAttr<CTC_Precision, "precision">;

def CTC_Family : I32EnumAttr<"Family", "kernel family", [
    I32EnumAttrCase<"Simt", 0, "simt">,
    I32EnumAttrCase<"MmaSync", 1, "mma_sync">,
    I32EnumAttrCase<"WgmmaRA", 2, "wgmma_ra">]> {
  let cppNamespace = "::ctc::ir";
  let genSpecializedAttr = 0;
}
def CTC_FamilyAttr : CTC_EnumAttr<CTC_Family, "family">;

def CTC_Lanes : I32EnumAttr<"Lanes", "what consecutive threads run along", [
    I32EnumAttrCase<"Positions", 0, "positions">,
    I32EnumAttrCase<"Channels", 1, "channels">]> {
  let cppNamespace = "::ctc::ir";
  let genSpecializedAttr = 0;
}
def CTC_LanesAttr : CTC_EnumAttr<CTC_Lanes, "lanes">;

def CTC_ChoiceSource : I32EnumAttr<"ChoiceSource", "who chose a kernel", [
    I32EnumAttrCase<"Explicit", 0, "explicit">,
    I32EnumAttrCase<"Table", 1, "table">,
    I32EnumAttrCase<"Heuristic", 2, "heuristic">]> {
  let cppNamespace = "::ctc::ir";
  let genSpecializedAttr = 0;
}
def CTC_ChoiceSourceAttr : CTC_EnumAttr<CTC_ChoiceSource, "choice_source">;

def CTC_TargetAttr : AttrDef<CTC_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "the chip a module is compiled for";
  let description = [{
    Names a row of the table of chips (lib/Chips/Chips.cpp). Set on a module as
    `ctc.target`; kernel choice reads the chip's limits from it.

    ```mlir
    module attributes {ctc.target = #ctc.target<"sm_90a">} {}
    ```
  }];
  let parameters = (ins StringRefParameter<"the chip as ptxas spells it">:$chip);
  let assemblyFormat = "`<` $chip `>`";
  let genVerifyDecl = 1;
}

def CTC_KernelAttr : AttrDef<CTC_Dialect, "Kernel"> {
  let mnemonic = "kernel";
  let summary = "the kernel chosen for a transposed convolution";
  let description = [{
    The one decision of the compiler, written by `ctc-select-kernel` and obeyed
    by every pass below. A block computes a box of `batch` samples times `box`
    positions of one phase (or of `phases` phases per dimension together) against
    `workers[1] * worker_tile[1]` output channels of one group. Workers are
    threads in `simt` and warps in the others; the box is laid out over
    `workers[0] * worker_tile[0]` positions, and positions past the box are idle,
    so the box's volume must not exceed them.

    `lanes` says what neighbouring threads run along: in `simt` the threads of a
    block, elsewhere the columns of the matrix instructions, whose rows are then
    the other of the two. In `wgmma_ra` rows are positions, which four warps that
    follow each other along positions multiply together.

    The reduction walks chunks of `taps` taps (per dimension) times
    `chunk_channels` input channels: the halo of a chunk, box plus
    (taps - 1) * input step, is loaded once and serves all of the chunk's taps.
    `stages` chunks are in workgroup memory at a time.

    With `clip` a block walks only the taps that reach the input from its box,
    which saves work at the border; without it, it walks all taps of its phase,
    a number the compiler may know.

    `phases` holds, per spatial dimension, 1 or the number of phases that the
    dimension has. Along a dimension with grouped phases a block computes all of
    them from one halo, and `taps` is the kernel size.

    With `groups` above 1, in `simt` and channels last, a block's channels are
    those of that many neighbouring groups, `workers[1] * worker_tile[1]` in all.
    A chunk then holds all input channels of a group, `chunk_channels`, for every
    one of them, and a worker's channels are whole groups or lie within one.

    In families of matrix instructions, `split` warps compute every `worker_tile`, each with its share
    of the input channels of all chunks, so a block has
    `workers[0] * workers[1] * split` warps. Behind the last chunk the shares are
    added in their order, through workgroup memory, and each of the warps stores
    its part of the tile (`getStoringKernel`). It is for layers with few blocks
    and long reductions: the block's warps then hide each other's latency, and
    larger chunks have fewer barriers.

    ```mlir
    #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 32],
                phases = [1, 1], taps = [2, 2], chunk_channels = 8,
                workers = [16, 8], worker_tile = [8, 8], stages = 1,
                source = heuristic>
    ```
  }];
  let parameters = (ins
    EnumParameter<CTC_Family>:$family,
    EnumParameter<CTC_Lanes>:$lanes,
    AttrParameter<"int64_t", "samples per block">:$batch,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "positions per block along each spatial dimension">:$box,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "phases per block along each spatial dimension">:$phases,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "taps per reduction chunk along each spatial dimension">:$taps,
    AttrParameter<"int64_t", "input channels per reduction chunk">:$chunk_channels,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "threads or warps along positions and output channels">:$workers,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "positions and output channels per worker and phase">:$worker_tile,
    AttrParameter<"int64_t", "copies of the chunk's buffers">:$stages,
    DefaultValuedParameter<"bool", "true",
        "whether blocks leave out taps that reach no input">:$clip,
    EnumParameter<CTC_ChoiceSource>:$source,
    DefaultValuedParameter<"int64_t", "1", "groups per block">:$groups,
    DefaultValuedParameter<"int64_t", "1",
        "warps that share a tile and split its reduction">:$split);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Whether workers are warps that hold fragments of matrix instructions.
    bool usesMatrixUnits() const { return getFamily() != Family::Simt; }
    /// Whether four of these warps multiply together.
    bool usesWarpgroups() const { return getFamily() == Family::WgmmaRA; }
    /// Threads of a block.
    int64_t getThreads() const;
    /// Positions a block's workers cover; at least the box's volume.
    int64_t getPositions() const {
      return getWorkers()[0] * getWorkerTile()[0];
    }
    /// Output channels of a block.
    int64_t getChannels() const {
      return getWorkers()[1] * getWorkerTile()[1];
    }
    /// Output channels of a block that are of one group.
    int64_t getGroupChannels() const { return getChannels() / getGroups(); }
    /// Input channels of a chunk.
    int64_t getInputChannels() const {
      return getGroups() * getChunkChannels();
    }
    /// Phases that a block computes together.
    int64_t getPhaseCount() const;
    /// Samples times positions of the box.
    int64_t getBoxVolume() const;
    /// Parts along positions and channels of a warp's tile, which as many warps
    /// as `split` store after adding their shares; none if it has no such parts
    /// of whole fragments. The dimension along which outputs do not lie side by
    /// side is divided first.
    static std::optional<std::pair<int64_t, int64_t>>
    getStoredParts(Lanes lanes, ::llvm::ArrayRef<int64_t> tile, int64_t split);
    /// What storing sees: the same block whose warps each have the part of a
    /// tile that they store, and no split.
    KernelAttr getStoringKernel() const;
    /// The same kernel, chosen by someone else.
    KernelAttr withSource(ChoiceSource source) const;
  }];
}

def CTC_FragmentsAttr : AttrDef<CTC_Dialect, "Fragments"> {
  let mnemonic = "fragments";
  let summary = "the order of weights as matrix instructions take them";
  let description = [{
    Weights of a chunk of `chunk_channels` input channels stand in the order of
    Tuning/MmaLayout.h. `lanes` and `split` are the kernel's: `lanes` says with
    `layout` which channels meet in a lane, and `split` which in a warp.
    `lane_planes` is less than a lane has where lanes take turns.
  }];
  let parameters = (ins
    AttrParameter<"int64_t", "input channels per reduction chunk">:$chunk_channels,
    DefaultValuedParameter<"int64_t", "1",
        "warps that share a chunk's input channels">:$split,
    DefaultValuedParameter<"int64_t", "0",
        "neighbouring words of input channels of a lane, 0 for all of its">:$lane_planes,
    AttrParameter<"int64_t",
        "output channels whose registers a lane loads together">:$unit,
    EnumParameter<CTC_Lanes>:$lanes,
    EnumParameter<CTC_Layout>:$layout,
    DefaultValuedParameter<"bool", "false",
        "whether core matrices of wgmma stand together">:$cores);
  let assemblyFormat = "`<` struct(params) `>`";
}

#endif // CTC_DIALECT_CTCATTRS_TD
