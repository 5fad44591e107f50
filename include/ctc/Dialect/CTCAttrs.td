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
    I32EnumAttrCase<"Simt", 0, "simt">]> {
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
    by every pass below. A block computes, for one phase and one group, a box of
    `batch` samples times `box` positions against `threads_channels *
    thread_channels` output channels. The box is laid out over
    `threads_positions * thread_positions` positions; positions past the box are
    idle, so the box's volume must not exceed them.

    The reduction walks chunks of `taps` taps (per dimension) times
    `chunk_channels` input channels: the halo of a chunk, box plus
    (taps - 1) * input step, is loaded once and serves all of the chunk's taps.

    ```mlir
    #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 32],
                taps = [2, 2], chunk_channels = 8, threads_positions = 16,
                threads_channels = 8, thread_positions = 8, thread_channels = 8,
                stages = 1, source = heuristic>
    ```
  }];
  let parameters = (ins
    EnumParameter<CTC_Family>:$family,
    EnumParameter<CTC_Lanes>:$lanes,
    AttrParameter<"int64_t", "samples per block">:$batch,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "positions per block along each spatial dimension">:$box,
    AttrParameter<"::mlir::DenseI64ArrayAttr",
        "taps per reduction chunk along each spatial dimension">:$taps,
    AttrParameter<"int64_t", "input channels per reduction chunk">:$chunk_channels,
    AttrParameter<"int64_t", "threads along positions">:$threads_positions,
    AttrParameter<"int64_t", "threads along output channels">:$threads_channels,
    AttrParameter<"int64_t", "positions per thread">:$thread_positions,
    AttrParameter<"int64_t", "output channels per thread">:$thread_channels,
    AttrParameter<"int64_t", "copies of the chunk's buffers, 1 or 2">:$stages,
    EnumParameter<CTC_ChoiceSource>:$source);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Threads of a block.
    int64_t getThreads() const {
      return getThreadsPositions() * getThreadsChannels();
    }
    /// Positions a block's threads cover; at least the box's volume.
    int64_t getPositions() const {
      return getThreadsPositions() * getThreadPositions();
    }
    /// Output channels of a block.
    int64_t getChannels() const {
      return getThreadsChannels() * getThreadChannels();
    }
    /// Samples times positions of the box.
    int64_t getBoxVolume() const;
    /// The same kernel, chosen by someone else.
    KernelAttr withSource(ChoiceSource source) const;
  }];
}

#endif // CTC_DIALECT_CTCATTRS_TD
