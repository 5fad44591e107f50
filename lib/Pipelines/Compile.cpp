//===- Compile.cpp - From a module to a bundle ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Pipelines/Compile.h"
#include "ctc/CodeGen/EntryExport.h"
#include "ctc/CodeGen/Ptx.h"
#include "ctc/CodeGen/Ptxas.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Pipelines/Pipelines.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Tuning/TuningTable.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/LocationSnapshot.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Threading.h"

#include <future>

using namespace mlir;
using namespace ctc;

/// Kernels tried in an entry's place after one that spills.
static constexpr int kMaxSpillRetries = 4;

namespace {

/// Keeps the first error of a context from the thread that makes it; drops the
/// rest, remarks included. Those of other threads are left to their own.
class FirstError {
public:
  explicit FirstError(MLIRContext *context)
      : thread(llvm::get_threadid()),
        handler(context, [this](Diagnostic &diagnostic) {
          if (llvm::get_threadid() != thread)
            return failure();
          if (diagnostic.getSeverity() == DiagnosticSeverity::Error &&
              text.empty()) {
            llvm::raw_string_ostream stream(text);
            if (auto at = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
              stream << at.getFilename().getValue() << ":" << at.getLine()
                     << ":" << at.getColumn() << ": ";
            stream << diagnostic.str();
          }
          return success();
        }) {}

  std::string take(const char *otherwise) const {
    return text.empty() ? otherwise : text;
  }

private:
  uint64_t thread;
  std::string text;
  ScopedDiagnosticHandler handler;
};

/// A module lowered to the NVVM dialect for one chip.
struct LoweredModule {
  Chip chip;
  OwningOpRef<ModuleOp> module;
  std::vector<Entry> entries;
  std::string listing;
};

} // namespace

static Expected<std::vector<Chip>>
resolveChips(const std::vector<std::string> &names) {
  std::vector<Chip> chips;
  for (const std::string &name : names) {
    const std::optional<Chip> chip = findChip(name);
    if (!chip)
      return invalidProblem("unknown chip '" + name + "', must be one of " +
                            listChips());
    for (const Chip &other : chips)
      if (other.name == chip->name)
        return invalidProblem("chip '" + name + "' is named twice");
    chips.push_back(*chip);
  }
  if (chips.empty())
    chips.assign(allChips().begin(), allChips().end());
  return chips;
}

static LogicalResult
runPipeline(ModuleOp module, llvm::function_ref<void(OpPassManager &)> build) {
  PassManager pm(module.getContext());
  build(pm);
  return pm.run(module);
}

/// The kernels as text, to whose lines their locations point from now on.
static std::string makeListing(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  generateLocationsFromIR(stream, kListingName,
                          module.lookupSymbol(kKernelModule), {});
  return text;
}

static Expected<LoweredModule> lower(ModuleOp source, const Chip &chip,
                                     const CompileOptions &request) {
  const FirstError errors(source.getContext());
  LoweredModule lowered{chip, source.clone(), {}, {}};
  ModuleOp module = *lowered.module;
  // A module of other dialects does not load this one by itself.
  module.getContext()->loadDialect<ir::CTCDialect>();
  module->setAttr(kTargetAttr,
                  ir::TargetAttr::get(module.getContext(), chip.name));
  LayerPipelineOptions options;
  options.chip = std::string(chip.name);
  options.family = request.family;
  options.candidate = request.candidate.value_or(-1);
  options.tuningTable = request.tuningTable;
  options.noTuningTable = !request.useTuningTables;
  if (failed(runPipeline(
          module, [&](OpPassManager &pm) { buildLayerPipeline(pm, options); })))
    return invalidProblem(errors.take("the layers cannot be lowered"));
  auto entries = exportEntries(module);
  if (!entries)
    return tl::unexpected(entries.error());
  lowered.entries = std::move(*entries);
  if (failed(runPipeline(module, buildKernelPipeline)))
    return invalidProblem(errors.take("the entries cannot be lowered"));
  exportLaunches(module, lowered.entries);
  if (request.debug)
    lowered.listing = makeListing(module);
  if (failed(runPipeline(module, [&](OpPassManager &pm) {
        buildNVVMPipeline(pm);
        if (request.debug)
          buildDebugPipeline(pm);
      })))
    return invalidProblem(errors.take("the kernels cannot be lowered"));
  return lowered;
}

static Expected<ChipImage> emit(LoweredModule &lowered, bool runAssembler) {
  const FirstError errors(lowered.module->getContext());
  ChipImage image;
  image.chip = std::string(lowered.chip.name);
  image.manifest.entries = std::move(lowered.entries);
  image.listing = std::move(lowered.listing);
  auto kernels = lowered.module->lookupSymbol<gpu::GPUModuleOp>(kKernelModule);
  auto ptx = emitPtx(kernels, lowered.chip);
  if (!ptx)
    return invalidProblem(errors.take(ptx.error().message.c_str()));
  image.ptx = std::move(*ptx);
  if (!runAssembler)
    return image;
  auto assembled =
      assemble(image.ptx, lowered.chip, /*lineInfo=*/!image.listing.empty());
  if (!assembled)
    return tl::unexpected(assembled.error());
  image.cubin = std::move(assembled->cubin);
  image.assembler = std::move(assembled->assembler);
  image.resources = std::move(assembled->resources);
  return image;
}

/// Bytes of registers that ptxas keeps in local memory; more than any kernel
/// spills where it says that it runs a warpgroup's instructions one by one
/// (C75xx), for want of registers, too.
static uint32_t spilledBytes(const KernelResources &kernel) {
  constexpr uint32_t kSerialized = 1 << 20;
  uint32_t bytes = kernel.spillStoreBytes + kernel.spillLoadBytes;
  for (llvm::StringRef warning : kernel.warnings)
    if (warning.contains("(C75"))
      bytes += kSerialized;
  return bytes;
}

static uint32_t spilledBytes(const ChipImage &image) {
  uint32_t bytes = 0;
  for (const KernelResources &kernel : image.resources)
    bytes += spilledBytes(kernel);
  return bytes;
}

static bool spills(const Entry &entry, const ChipImage &image) {
  return llvm::any_of(image.resources, [&](const KernelResources &kernel) {
    return spilledBytes(kernel) > 0 &&
           llvm::any_of(entry.run, [&](const Launch &launch) {
             return launch.kernel == kernel.kernel;
           });
  });
}

/// Notes the kernels of an image that spill at the entries they serve, but for
/// those that the user asked for. Whether any was not noted yet.
static bool noteSpilled(ModuleOp module, const ChipImage &image) {
  bool isNew = false;
  for (const Entry &entry : image.manifest.entries) {
    Operation *function = module.lookupSymbol(entry.name);
    auto kernel = dyn_cast_if_present<ir::KernelAttr>(
        parseAttribute(entry.kernel, module.getContext()));
    if (!function || !kernel || !spills(entry, image) ||
        kernel.getSource() == ir::ChoiceSource::Explicit)
      continue;
    SmallVector<Attribute> noted;
    if (auto before = function->getAttrOfType<ArrayAttr>(kSpilledAttr))
      llvm::append_range(noted, before);
    kernel = kernel.withSource(ir::ChoiceSource::Heuristic);
    if (llvm::is_contained(noted, kernel))
      continue;
    noted.push_back(kernel);
    function->setAttr(kSpilledAttr, ArrayAttr::get(module.getContext(), noted));
    isNew = true;
  }
  return isNew;
}

static bool haveSameKernels(llvm::ArrayRef<Entry> left,
                            llvm::ArrayRef<Entry> right) {
  return llvm::equal(left, right, [](const Entry &a, const Entry &b) {
    return a.kernel == b.kernel;
  });
}

/// The image, or one with other kernels for the entries whose registers ptxas
/// keeps in local memory: the cost model estimates registers, ptxas has the
/// last word. A table's kernel gives way to the model's. Of several images the
/// one whose kernels spill least in all is taken.
static ChipImage withoutSpills(ModuleOp source, ChipImage image,
                               const Chip &chip,
                               const CompileOptions &options) {
  if (spilledBytes(image) == 0)
    return image;
  const OwningOpRef<ModuleOp> module = source.clone();
  ChipImage last = image;
  for (int attempt = 0;
       attempt < kMaxSpillRetries && noteSpilled(*module, last); ++attempt) {
    auto lowered = lower(*module, chip, options);
    if (!lowered || haveSameKernels(lowered->entries, last.manifest.entries))
      break;
    auto other = emit(*lowered, options.assemble);
    if (!other)
      break;
    last = std::move(*other);
    if (spilledBytes(last) < spilledBytes(image))
      image = last;
  }
  return image;
}

/// A user's table says what is wrong with it before anything is compiled.
static Expected<void> checkTuningTable(const CompileOptions &options,
                                       llvm::ArrayRef<Chip> chips) {
  if (options.tuningTable.empty())
    return {};
  if (!options.useTuningTables)
    return makeError(ErrorCode::Usage, "the tuning table '" +
                                           options.tuningTable +
                                           "' is given and tables are not to "
                                           "be used, must be one of them");
  auto table = readTuningTable(options.tuningTable);
  if (!table)
    return tl::unexpected(table.error());
  std::vector<std::string> names;
  for (const Chip &chip : chips)
    names.emplace_back(chip.name);
  if (llvm::is_contained(names, table->chip))
    return {};
  return makeError(ErrorCode::Usage,
                   table->name + ": 'chip' is \"" + table->chip +
                       "\", must be compiled for: " + llvm::join(names, ", "));
}

Expected<Bundle> ctc::compile(ModuleOp module, const CompileOptions &options) {
  auto chips = resolveChips(options.chips);
  if (!chips)
    return tl::unexpected(chips.error());
  if (auto table = checkTuningTable(options, *chips); !table)
    return tl::unexpected(table.error());
  std::vector<LoweredModule> lowered;
  for (const Chip &chip : *chips) {
    auto one = lower(module, chip, options);
    if (!one)
      return tl::unexpected(one.error());
    lowered.push_back(std::move(*one));
  }
  // Code generation and ptxas take most of the time and share nothing.
  std::vector<std::future<Expected<ChipImage>>> images;
  for (LoweredModule &one : lowered)
    images.push_back(std::async(std::launch::async, [&one, &options] {
      return emit(one, options.assemble);
    }));
  Bundle bundle;
  bundle.producer = "ctc " CTC_VERSION " (LLVM " LLVM_VERSION_STRING ")";
  std::optional<Error> error;
  for (auto [image, chip] : llvm::zip_equal(images, *chips)) {
    auto finished = image.get();
    if (finished)
      bundle.images.push_back(
          withoutSpills(module, std::move(*finished), chip, options));
    else if (!error)
      error = finished.error();
  }
  if (error)
    return tl::unexpected(*error);
  return bundle;
}
