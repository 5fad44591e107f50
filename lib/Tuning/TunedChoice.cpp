//===- TunedChoice.cpp - Explicit, table, model ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/TuningTable.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"

using namespace ctc;

/// An attribute's text through the dialect's own parser and verifier, whose
/// diagnostics become the error. Those of other threads are left alone.
static Expected<ir::KernelAttr> parseKernel(mlir::MLIRContext *context,
                                            llvm::StringRef text) {
  std::string why;
  const uint64_t thread = llvm::get_threadid();
  const mlir::ScopedDiagnosticHandler handler(
      context, [&](mlir::Diagnostic &diagnostic) {
        if (llvm::get_threadid() != thread)
          return mlir::failure();
        if (why.empty())
          why = diagnostic.str();
        return mlir::success();
      });
  const mlir::Attribute attribute = mlir::parseAttribute(text, context);
  if (auto kernel = llvm::dyn_cast_if_present<ir::KernelAttr>(attribute))
    return kernel;
  return invalidProblem(why.empty() ? "it is no #ctc.kernel" : why);
}

Expected<ir::KernelAttr> ctc::tunedKernel(mlir::MLIRContext *context,
                                          const TunedKernel &entry,
                                          const Chip &chip) {
  auto kernel = parseKernel(context, entry.kernel);
  if (!kernel)
    return kernel;
  if (kernel->getBox().size() != entry.problem.rank())
    return invalidProblem(
        "its box has " + std::to_string(kernel->getBox().size()) +
        " sizes, must be one for each of " +
        std::to_string(entry.problem.rank()) + " spatial dimensions");
  if (auto fits = checkFits(*kernel, entry.problem, chip); !fits)
    return tl::unexpected(fits.error());
  return kernel->withSource(ir::ChoiceSource::Table);
}

/// Reasons are part of bundles, whose bytes must not depend on folders.
static std::string shortName(const TuningTable &table) {
  return llvm::sys::path::filename(table.name).str();
}

static std::string explain(const TunedKernel &entry, const TuningTable &table) {
  std::string reason;
  llvm::raw_string_ostream(reason)
      << shortName(table) << " has this kernel, measured at "
      << llvm::format("%.4g us on ", entry.seconds * 1e6) << entry.board
      << " where the cost model's first choice took "
      << llvm::format("%.4g us", entry.modelSeconds * 1e6);
  return reason;
}

Expected<KernelChoice> ctc::chooseKernel(mlir::MLIRContext *context,
                                         const Problem &problem,
                                         const Chip &chip,
                                         const KernelRequest &request) {
  std::string stale;
  const bool open =
      request.family.empty() && !request.candidate && request.spilled.empty();
  for (const TuningTable *table : request.tables) {
    const TunedKernel *entry =
        open && table->chip == chip.name ? table->find(problem) : nullptr;
    if (!entry)
      continue;
    auto kernel = tunedKernel(context, *entry, chip);
    if (kernel)
      return KernelChoice{*kernel, explain(*entry, *table) + stale};
    stale += "; the kernel that " + shortName(*table) +
             " has is left out: " + kernel.error().message;
  }
  auto choice = chooseKernel(context, problem, chip, request.family,
                             request.candidate.value_or(0), request.spilled);
  if (choice)
    choice->reason += stale;
  if (choice && !request.spilled.empty())
    choice->reason += "; the registers of " +
                      std::to_string(request.spilled.size()) +
                      (request.spilled.size() == 1 ? " kernel" : " kernels") +
                      " before it did not fit";
  return choice;
}
