//===- CompileCommand.cpp - ctc compile -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Compiler.h"
#include "EmitC.h"
#include "Input.h"
#include "LayerFlags.h"
#include "Values.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/LayerBuilder.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace ctc;
using namespace ctc::driver;
using Module = mlir::OwningOpRef<mlir::ModuleOp>;

namespace {
enum class Emit { MLIR, PTX, Cubin, C, Bundle };
} // namespace

static std::optional<Emit> parseEmit(std::string_view text) {
  constexpr std::pair<std::string_view, Emit> names[] = {
      {"mlir", Emit::MLIR},
      {"ptx", Emit::PTX},
      {"cubin", Emit::Cubin},
      {"c", Emit::C},
      {"bundle", Emit::Bundle}};
  for (const auto &[name, emit] : names)
    if (name == text)
      return emit;
  return std::nullopt;
}

/// The module from the file or from the flags.
static Expected<Module> readModule(CommandArguments arguments,
                                   CompilerSession &session) {
  if (!arguments.hasArg(OPT_INPUT)) {
    if (!hasLayerFlags(arguments))
      return makeError(ErrorCode::Usage,
                       "there is nothing to compile: name an .mlir file, '-' "
                       "for standard input, or describe a layer with --input "
                       "and --weight");
    auto problem = problemFromFlags(arguments);
    if (!problem)
      return tl::unexpected(problem.error());
    return buildLayer(session.context(), *problem,
                      epilogueFromFlags(arguments));
  }
  auto path = onlyPositional(arguments, "file");
  if (!path)
    return tl::unexpected(path.error());
  if (hasLayerFlags(arguments))
    return makeError(ErrorCode::Usage,
                     "flags that describe a layer cannot stand beside the file "
                     "'" +
                         *path + "', which describes its own");
  auto text = readInput(*path);
  if (!text)
    return tl::unexpected(text.error());
  return session.parse(*text, *path == "-" ? "<stdin>" : *path);
}

static std::string printModule(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os);
  os << "\n";
  return text;
}

static std::string bytesOf(const Bundle &bundle, Emit emit) {
  const ChipImage &image = bundle.images.front();
  if (emit == Emit::PTX)
    return image.ptx;
  if (emit == Emit::Cubin)
    return {image.cubin.begin(), image.cubin.end()};
  const std::vector<uint8_t> bytes = serialize(bundle);
  return {bytes.begin(), bytes.end()};
}

/// The header's path of a source's: upscale.h of upscale.c.
static Expected<std::string> headerPath(llvm::StringRef path) {
  if (!path.consume_back(".c") || llvm::sys::path::stem(path).empty())
    return makeError(ErrorCode::Usage,
                     "-o is '" + path.str() +
                         "', must be a file NAME.c for --emit=c; the header "
                         "NAME.h goes beside it");
  return path.str() + ".h";
}

static Expected<void> writeC(const Bundle &bundle, const std::string &path,
                             const std::string &header) {
  auto files = emitC(bundle, llvm::sys::path::stem(path).str());
  if (!files)
    return tl::unexpected(files.error());
  if (auto written = writeOutput(header, files->header); !written)
    return written;
  return writeOutput(path, files->source);
}

Expected<void> driver::compileCommand(CommandArguments arguments) {
  auto emit =
      parseName<Emit>("--emit", arguments.getLastArgValue(OPT_emit, "bundle"),
                      parseEmit, "mlir, ptx, cubin, c, bundle");
  if (!emit)
    return tl::unexpected(emit.error());
  auto chips = parseChips(arguments.getLastArgValue(OPT_chip));
  if (!chips)
    return tl::unexpected(chips.error());
  if ((*emit == Emit::PTX || *emit == Emit::Cubin) && chips->size() != 1)
    return makeError(ErrorCode::Usage,
                     "--emit=" + arguments.getLastArgValue(OPT_emit).str() +
                         " is for one chip, --chip names " +
                         std::to_string(chips->size()));
  const bool isText = *emit == Emit::MLIR || *emit == Emit::PTX;
  if (!isText && !arguments.hasArg(OPT_o))
    return makeError(ErrorCode::Usage,
                     "-o is missing: where the result goes, '-' for standard "
                     "output");
  const std::string path = arguments.getLastArgValue(OPT_o, "-").str();
  Expected<std::string> header;
  if (*emit == Emit::C && !(header = headerPath(path)))
    return tl::unexpected(header.error());

  CompilerSession session;
  auto module = readModule(arguments, session);
  if (!module)
    return tl::unexpected(module.error());
  if (*emit == Emit::MLIR)
    return writeOutput(path, printModule(**module));
  CompileRequest request;
  request.chips = *chips;
  request.family = arguments.getLastArgValue(OPT_family).str();
  if (arguments.hasArg(OPT_candidate)) {
    auto candidate = parseInteger("--candidate",
                                  arguments.getLastArgValue(OPT_candidate), 0);
    if (!candidate)
      return tl::unexpected(candidate.error());
    request.candidate = *candidate;
  }
  request.tuningTable = arguments.getLastArgValue(OPT_tuning_table).str();
  request.useTuningTables = !arguments.hasArg(OPT_no_tuning_table);
  if (!request.useTuningTables && arguments.hasArg(OPT_tuning_table))
    return makeError(ErrorCode::Usage,
                     "--tuning-table and --no-tuning-table are given, must be "
                     "one of them");
  request.debug = arguments.hasArg(OPT_debug);
  auto bundle = session.compile(**module, request);
  if (!bundle)
    return tl::unexpected(bundle.error());
  if (*emit == Emit::C)
    return writeC(*bundle, path, *header);
  return writeOutput(path, bytesOf(*bundle, *emit));
}
