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
#include "ctc/Dialect/CTC.h"
#include "ctc/Pipelines/LayerBuilder.h"
#include "ctc/Support/File.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Tuning/TuningTable.h"

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
  llvm::StringRef name = path;
  if (!name.consume_back(".c") || llvm::sys::path::stem(name).empty())
    return makeError(ErrorCode::Usage,
                     "-o is '" + path.str() +
                         "', must be a file NAME.c for --emit=c; the header "
                         "NAME.h goes beside it");
  return name.str() + ".h";
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

/// What is asked for, but for the chips, which the module may name.
static Expected<CompileRequest> readRequest(CommandArguments arguments) {
  CompileRequest request;
  if (arguments.hasArg(OPT_family)) {
    auto family = parseFamily(arguments.getLastArgValue(OPT_family));
    if (!family)
      return tl::unexpected(family.error());
    request.family = std::move(*family);
  }
  if (arguments.hasArg(OPT_candidate)) {
    auto candidate = parseInteger("--candidate",
                                  arguments.getLastArgValue(OPT_candidate), 0);
    if (!candidate)
      return tl::unexpected(candidate.error());
    request.candidate = *candidate;
  }
  request.tuningTable = arguments.getLastArgValue(OPT_tuning_table).str();
  request.useTuningTables = !arguments.hasArg(OPT_no_tuning_table);
  if (!request.useTuningTables && !request.tuningTable.empty())
    return makeError(ErrorCode::Usage,
                     "--tuning-table and --no-tuning-table are given, must be "
                     "one of them");
  if (!request.tuningTable.empty())
    if (auto table = readTuningTable(request.tuningTable); !table)
      return tl::unexpected(table.error());
  request.debug = arguments.hasArg(OPT_debug);
  auto chips = parseChips(arguments.getLastArgValue(OPT_chip));
  if (!chips)
    return tl::unexpected(chips.error());
  request.chips = std::move(*chips);
  return request;
}

/// A module that names its chip is compiled for that one.
static Expected<void> obeyTarget(CommandArguments arguments,
                                 mlir::ModuleOp module,
                                 CompileRequest &request) {
  auto target = module->getAttrOfType<ir::TargetAttr>(kTargetAttr);
  if (!target)
    return {};
  const std::string chip = target.getChip().str();
  if (arguments.hasArg(OPT_chip) &&
      request.chips != std::vector<std::string>{chip})
    return makeError(ErrorCode::Usage,
                     "--chip is '" + arguments.getLastArgValue(OPT_chip).str() +
                         "', must be " + chip +
                         ", the module's ctc.target, or be left out");
  request.chips = {chip};
  return {};
}

static Expected<void> checkOneChip(CommandArguments arguments, Emit emit,
                                   const CompileRequest &request) {
  if ((emit != Emit::PTX && emit != Emit::Cubin) || request.chips.size() == 1)
    return {};
  const std::string flag =
      "--emit=" + arguments.getLastArgValue(OPT_emit).str();
  if (!arguments.hasArg(OPT_chip))
    return makeError(ErrorCode::Usage, flag +
                                           " is for one chip, name it with "
                                           "--chip: one of " +
                                           listChips());
  return makeError(ErrorCode::Usage, flag + " is for one chip, --chip names " +
                                         std::to_string(request.chips.size()));
}

/// Where the result goes, and for --emit=c its header; that both can be written
/// is known before anything is compiled.
static Expected<std::string> readTarget(CommandArguments arguments, Emit emit,
                                        std::string &header) {
  const bool isText = emit == Emit::MLIR || emit == Emit::PTX;
  if (!isText && !arguments.hasArg(OPT_o))
    return makeError(ErrorCode::Usage,
                     "-o is missing: where the result goes, '-' for standard "
                     "output");
  std::string path = arguments.getLastArgValue(OPT_o, "-").str();
  if (emit == Emit::C) {
    auto beside = headerPath(path);
    if (!beside)
      return beside;
    header = std::move(*beside);
    if (auto writable = checkWritable(header); !writable)
      return tl::unexpected(writable.error());
  }
  if (path != "-")
    if (auto writable = checkWritable(path); !writable)
      return tl::unexpected(writable.error());
  return path;
}

Expected<void> driver::compileCommand(CommandArguments arguments) {
  auto emit =
      parseName<Emit>("--emit", arguments.getLastArgValue(OPT_emit, "bundle"),
                      parseEmit, "mlir, ptx, cubin, c, bundle");
  if (!emit)
    return tl::unexpected(emit.error());
  auto request = readRequest(arguments);
  if (!request)
    return tl::unexpected(request.error());
  std::string header;
  auto path = readTarget(arguments, *emit, header);
  if (!path)
    return tl::unexpected(path.error());

  CompilerSession session;
  auto module = readModule(arguments, session);
  if (!module)
    return tl::unexpected(module.error());
  auto legal = obeyTarget(arguments, **module, *request);
  if (legal)
    legal = checkOneChip(arguments, *emit, *request);
  if (!legal)
    return legal;
  if (*emit == Emit::MLIR)
    return writeOutput(*path, printModule(**module));
  auto bundle = session.compile(**module, *request);
  if (!bundle)
    return tl::unexpected(bundle.error());
  if (*emit == Emit::C)
    return writeC(*bundle, *path, header);
  return writeOutput(*path, bytesOf(*bundle, *emit));
}
