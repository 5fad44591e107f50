//===- Options.td - The flags of ctc -----------------------*- tablegen -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

include "llvm/Option/OptParser.td"

// One visibility per command; Options.h has their values.
def CompileCommand : OptionVisibility;
def RunCommand : OptionVisibility;
def VerifyCommand : OptionVisibility;
def InspectCommand : OptionVisibility;
def ProfileCommand : OptionVisibility;
def BenchCommand : OptionVisibility;

class On<list<OptionVisibility> commands> : Visibility<commands>;
class Is<string name> : Flag<["--"], name>;
class Has<string name, string metaVar>
    : Joined<["--"], name # "=">, MetaVarName<metaVar>;

def help : Is<"help">, HelpText<"Print this help">,
    On<[CompileCommand, RunCommand, VerifyCommand, InspectCommand, ProfileCommand, BenchCommand]>;
def help_short : Flag<["-"], "h">, Alias<help>,
    On<[CompileCommand, RunCommand, VerifyCommand, InspectCommand, ProfileCommand, BenchCommand]>;

// -- What is compiled --------------------------------------------------------

def chip : Has<"chip", "<chip>">, On<[CompileCommand, RunCommand, VerifyCommand, ProfileCommand, BenchCommand]>,
    HelpText<"The chip whose image is taken: sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a (run, bench: the one that suits the device; profile: the bundle's first)">,
    HelpTextForVariants<[CompileCommand, VerifyCommand],
      "Chips, separated by commas: sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a (compile: the module's own ctc.target, else all of them; verify: sm_80)">;
def family : Has<"family", "<family>">, On<[CompileCommand, VerifyCommand]>,
    HelpText<"Kernel family to use instead of the chosen one: simt, mma_sync, wgmma_ra (verify: one or several)">;
def candidate : Has<"candidate", "<N>">, On<[CompileCommand]>,
    HelpText<"Take the kernel at this place of the cost model's ranking, from 0, the best">;
def tuning_table : Has<"tuning-table", "<file.json>">, On<[CompileCommand]>,
    HelpText<"A table of measured kernels for one of the chips, looked in before the one that is part of ctc (docs/Benchmarks.md)">;
def no_tuning_table : Is<"no-tuning-table">, On<[CompileCommand]>,
    HelpText<"Let the cost model choose kernels even where a table has measured ones">;
def precision : Has<"precision", "<precision>">, On<[CompileCommand, VerifyCommand]>,
    HelpText<"How f32 operands are multiplied: tf32 (the default), tf32x3, ieee (verify: one or several)">;
def layout : Has<"layout", "<layout>">, On<[CompileCommand, VerifyCommand]>,
    HelpText<"channels_first (the default) or channels_last (verify: one or both)">;
def epilogue : Has<"epilogue", "<steps>">, On<[CompileCommand, VerifyCommand]>,
    HelpText<"Elementwise steps applied in order, separated by commas: relu, leaky_relu:0.2, gelu, silu, ... (docs/Driver.md lists them)">;

def input : Has<"input", "<value>">, On<[CompileCommand, RunCommand, ProfileCommand]>,
    HelpText<"compile: shape and type of the input, as in 1x256x64x64xf32, '?' for a batch known at launch; run, profile: @file.npy">;
def weight : Has<"weight", "<value>">, On<[CompileCommand, RunCommand, ProfileCommand]>,
    HelpText<"compile: shape and type of the weight, Cin x Cout/groups x kernel; run, profile: @file.npy">;
def bias : Is<"bias">, On<[CompileCommand]>, HelpText<"Add a bias per output channel">;
def bias_file : Has<"bias", "@<file.npy>">, On<[RunCommand, ProfileCommand]>, HelpText<"The bias">;
def stride : Has<"stride", "<n[,n...]>">, On<[CompileCommand]>,
    HelpText<"Stride, one value for all dimensions or one each (default 1)">;
def dilation : Has<"dilation", "<n[,n...]>">, On<[CompileCommand]>,
    HelpText<"Dilation (default 1)">;
def padding : Has<"padding", "<p[,p...]>">, On<[CompileCommand]>,
    HelpText<"Padding, n or low:high, may be negative (default 0)">;
def output_padding : Has<"output-padding", "<n[,n...]>">, On<[CompileCommand]>,
    HelpText<"Output padding (default 0)">;
def groups : Has<"groups", "<n>">, On<[CompileCommand]>, HelpText<"Groups (default 1)">;
def emit : Has<"emit", "<form>">, On<[CompileCommand]>,
    HelpText<"mlir, ptx, cubin, c (a source and header with the bundle inside) or bundle (default); ptx and cubin need one chip">;
def o : JoinedOrSeparate<["-"], "o">, On<[CompileCommand]>, MetaVarName<"<file>">,
    HelpText<"Where the result goes; '-' is standard output">;

def debug : Flag<["-"], "g">, On<[CompileCommand]>,
    HelpText<"Keep the kernels' MLIR in the bundle (inspect --listing) and say in the PTX which of its operations each instruction comes from">;
def listing : Has<"listing", "<chip>">, On<[InspectCommand]>,
    HelpText<"Print the kernels' MLIR for a chip, from a bundle compiled with -g">;

// -- What is run -------------------------------------------------------------

def device : Has<"device", "<device>">, On<[RunCommand, VerifyCommand, ProfileCommand, BenchCommand]>,
    HelpText<"cuda, cuda:N, cpu (executes the PTX), or auto (default): cuda where there is one, else cpu; profile: cpu; bench: cuda (default) or cuda:N">;
def operand : Has<"operand", "name=@<file.npy>">, On<[RunCommand, ProfileCommand]>,
    HelpText<"An extra operand of the epilogue; may be repeated">;
def output : Has<"output", "@<file.npy>">, On<[RunCommand]>, HelpText<"Where the output goes">;
def check : Is<"check">, On<[RunCommand]>,
    HelpText<"Compare the output with the float64 reference; exit code 3 if it is wrong">;
def check_memory : Is<"check-memory">, On<[RunCommand, VerifyCommand]>,
    HelpText<"On the cpu device, look for races and other misuse of memory (run: exit code 5 if there is any; verify: the case fails)">;
def entry : Has<"entry", "<name>">, On<[RunCommand, ProfileCommand, BenchCommand]>,
    HelpText<"Entry to take, when the bundle has several (bench: all of them)">;
def batch : Has<"batch", "<n>">, On<[RunCommand, ProfileCommand, BenchCommand]>,
    HelpText<"Batch of an entry compiled for any batch (default: the input or operand file's, else 1)">;
def seed : Has<"seed", "<n>">, On<[RunCommand, VerifyCommand, ProfileCommand, BenchCommand]>,
    HelpText<"Seed of random inputs (default 0)">;

// -- What is verified --------------------------------------------------------

def dtype : Has<"dtype", "<types>">, On<[VerifyCommand]>,
    HelpText<"Element types, separated by commas: f32, f16, bf16 (default: f32)">;
def fill : Has<"fill", "<fills>">, On<[RunCommand, VerifyCommand, ProfileCommand]>,
    HelpText<"exact (bit for bit) or random (within the error bound) inputs (run, profile: random; verify: both)">;
def scale_to : Has<"scale-to", "<n[K|M|G]>">, On<[VerifyCommand]>,
    HelpText<"Shrink cases of more useful multiply-adds: batch first, then space">;
def filter : Has<"filter", "<regex>">, On<[VerifyCommand]>,
    HelpText<"Only cases whose name matches">;
def list_cases : Is<"list">, On<[VerifyCommand]>,
    HelpText<"List the cases and their sizes after scaling, and run nothing">;

// -- What is profiled --------------------------------------------------------

def sample : Has<"sample", "<n>">, On<[ProfileCommand]>,
    HelpText<"Execute only n blocks of a launch, spread over the grid, and scale what they count (default: all)">;

def html : Has<"html", "<file>">, On<[ProfileCommand]>,
    HelpText<"Also write a page with plots, one HTML file that needs no other; '-' is standard output, for it alone">;

// -- What is timed -----------------------------------------------------------

def check_limit : Has<"check-limit", "<n[K|M|G]>">, On<[BenchCommand]>,
    HelpText<"Compare all outputs of layers of at most n multiply-adds and a sample of others (default 2G)">;

// -- How it is reported ------------------------------------------------------

def json : Is<"json">, On<[RunCommand, VerifyCommand, InspectCommand, ProfileCommand, BenchCommand]>,
    HelpText<"Print JSON">;
