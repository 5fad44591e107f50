//===- InspectReport.cpp - A bundle in words ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InspectReport.h"
#include "Units.h"
#include "ctc/Support/PhasePlan.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <set>

using namespace ctc;
using namespace ctc::driver;
namespace json = llvm::json;
using llvm::formatv;

static std::string text(std::string_view view) { return std::string(view); }

static std::string perDimension(const Problem &problem,
                                int64_t SpatialDim::*field) {
  return llvm::join(llvm::map_range(problem.dims,
                                    [&](const SpatialDim &dim) {
                                      return std::to_string(dim.*field);
                                    }),
                    ",");
}

static std::string padding(const Problem &problem) {
  return llvm::join(llvm::map_range(problem.dims,
                                    [](const SpatialDim &dim) {
                                      return std::to_string(dim.padLow) + ":" +
                                             std::to_string(dim.padHigh);
                                    }),
                    ",");
}

/// Width of the labels in front of an entry's facts.
static constexpr unsigned kLabel = 15;

static const char *roleName(ArgumentRole role) {
  switch (role) {
  case ArgumentRole::Input:
    return "input";
  case ArgumentRole::Weight:
    return "weight";
  case ArgumentRole::PackedWeight:
    return "packed weight";
  case ArgumentRole::Bias:
    return "bias";
  case ArgumentRole::Operand:
    return "operand";
  case ArgumentRole::Output:
    return "output";
  case ArgumentRole::Scratch:
    return "scratch";
  }
  return "?";
}

namespace {
/// The phases of one dimension, counted.
struct PhaseSummary {
  int64_t phases = 0;
  int64_t withoutTaps = 0;
  std::set<int64_t> tapCounts;
};
} // namespace

static PhaseSummary summarize(const SpatialDim &dim) {
  PhaseSummary summary;
  const auto plan = planPhases(dim);
  if (!plan)
    return summary;
  for (const Phase &phase : plan->phases) {
    ++summary.phases;
    summary.withoutTaps += phase.tapCount == 0;
    summary.tapCounts.insert(phase.tapCount);
  }
  return summary;
}

/// "2 x 2 = 4, taps 1-2 x 1-2"
static std::string phases(const Problem &problem) {
  std::vector<std::string> counts, taps;
  int64_t all = 1;
  for (const SpatialDim &dim : problem.dims) {
    const PhaseSummary summary = summarize(dim);
    counts.push_back(std::to_string(summary.phases));
    all *= summary.phases;
    if (summary.tapCounts.empty()) {
      taps.push_back("0");
      continue;
    }
    const int64_t least = *summary.tapCounts.begin();
    const int64_t most = *summary.tapCounts.rbegin();
    taps.push_back(least == most
                       ? std::to_string(least)
                       : std::to_string(least) + "-" + std::to_string(most));
  }
  std::string result = llvm::join(counts, " x ");
  if (counts.size() > 1)
    result += " = " + std::to_string(all);
  return result + ", taps per phase " + llvm::join(taps, " x ");
}

static std::string epilogueText(const Epilogue &epilogue) {
  std::vector<std::string> names;
  for (const EpilogueNode &node : epilogue.nodes)
    if (node.name != "argument" && node.name != "arith.constant")
      names.push_back(node.name);
  return names.empty() ? "none" : llvm::join(names, ", ");
}

static std::string multiplyAdds(double count) {
  return countText(count) + " multiply-adds";
}

static std::string gridText(const Launch &launch) {
  std::string grid = std::to_string(launch.grid.blocksPerTile);
  if (launch.passesBatch)
    grid += " * ceil(N / " + std::to_string(launch.grid.batchTile) + ")";
  return formatv("grid {0}, block {1}x{2}x{3}, dynamic shared {4} B{5}", grid,
                 launch.block[0], launch.block[1], launch.block[2],
                 launch.dynamicSharedBytes,
                 launch.programmatic ? ", programmatic" : "");
}

static void printLaunches(const Entry &entry, const std::vector<Launch> &list,
                          llvm::StringRef when, llvm::raw_ostream &os) {
  for (const Launch &launch : list) {
    os << "  " << llvm::left_justify(when, kLabel) << launch.kernel << "("
       << llvm::join(llvm::map_range(launch.arguments,
                                     [&](uint32_t index) {
                                       return entry.arguments[index].name;
                                     }),
                     ", ")
       << (launch.passesBatch ? ", N" : "") << "): " << gridText(launch)
       << "\n";
  }
  if (list.empty())
    os << "  " << llvm::left_justify(when, kLabel) << "no launch\n";
}

static void printEntry(const Entry &entry, llvm::ArrayRef<std::string> chips,
                       llvm::raw_ostream &os) {
  const Problem &problem = entry.problem;
  auto field = [&](llvm::StringRef name) -> llvm::raw_ostream & {
    return os << "  " << llvm::left_justify(name, kLabel);
  };
  os << "\nentry " << entry.name << " for " << llvm::join(chips, ", ") << "\n";
  field("problem") << "stride " << perDimension(problem, &SpatialDim::stride)
                   << ", dilation "
                   << perDimension(problem, &SpatialDim::dilation)
                   << ", padding " << padding(problem) << ", output padding "
                   << perDimension(problem, &SpatialDim::outputPadding)
                   << ", groups " << problem.groups << ", "
                   << text(name(problem.layout)) << ", "
                   << text(name(problem.type));
  if (problem.type == ElementType::F32)
    os << " " << text(name(problem.precision));
  if (problem.weightLayout != WeightLayout::InputOutputKernel)
    os << ", weight " << text(name(problem.weightLayout));
  os << "\n";
  for (const Argument &argument : entry.arguments)
    field(roleName(argument.role))
        << argument.name << ": " << formatShape(argument.shape) << "x"
        << text(name(argument.type)) << "\n";
  field("epilogue") << epilogueText(entry.epilogue) << "\n";
  field("phases") << phases(problem) << "\n";
  field("kernel") << entry.family << " (" << entry.choiceSource
                  << "): " << entry.choiceReason << "\n";
  field("") << entry.kernel << "\n";
  const char *per = problem.hasDynamicBatch() ? " per sample" : "";
  field("work") << multiplyAdds(entry.work.usefulMacs) << per
                << formatv("; holes {0:f3}, border {1:f3}, tile {2:f3}\n",
                           entry.work.holes, entry.work.border,
                           entry.work.tile);
  field("bytes") << byteText(entry.work.leastBytes) << per
                 << " at least (x, w, y once each), blocks request "
                 << formatv("{0:f2}", entry.work.requestedBytes /
                                          std::max(1., entry.work.leastBytes))
                 << " times that\n";
  printLaunches(entry, entry.prepare, "prepare", os);
  printLaunches(entry, entry.run, "run", os);
}

static void printChips(const Bundle &bundle, llvm::raw_ostream &os) {
  os << "\n"
     << formatv("{0,-9}{1,-28}{2,10}{3,14}{4,8}{5,9}  {6}\n", "chip", "kernel",
                "registers", "spills (B)", "stack", "shared", "warnings");
  for (const ChipImage &image : bundle.images) {
    for (const KernelResources &kernel : image.resources)
      os << formatv(
          "{0,-9}{1,-28}{2,10}{3,14}{4,8}{5,9}  {6}\n", image.chip,
          kernel.kernel, kernel.registers,
          formatv("{0}+{1}", kernel.spillStoreBytes, kernel.spillLoadBytes)
              .str(),
          kernel.stackBytes, kernel.staticSharedBytes,
          kernel.warnings.empty() ? "none" : llvm::join(kernel.warnings, "; "));
    os << formatv("{0,-9}cubin {1} B, PTX {2} B, {3}\n", image.chip,
                  image.cubin.size(), image.ptx.size(), image.assembler);
  }
}

void driver::printBundle(const Bundle &bundle, llvm::StringRef path,
                         llvm::raw_ostream &os) {
  std::vector<std::string> chips;
  for (const ChipImage &image : bundle.images)
    chips.push_back(image.chip);
  os << path << ": " << bundle.producer << ", for " << llvm::join(chips, ", ")
     << "\n";
  const size_t entries = bundle.images.front().manifest.entries.size();
  for (size_t index = 0; index < entries; ++index) {
    // Chips that got the same kernel share a paragraph.
    std::vector<bool> printed(bundle.images.size(), false);
    for (size_t i = 0; i < bundle.images.size(); ++i) {
      if (printed[i])
        continue;
      const Entry &entry = bundle.images[i].manifest.entries[index];
      std::vector<std::string> alike;
      for (size_t j = i; j < bundle.images.size(); ++j)
        if (bundle.images[j].manifest.entries[index] == entry) {
          printed[j] = true;
          alike.push_back(bundle.images[j].chip);
        }
      printEntry(entry, alike, os);
    }
  }
  printChips(bundle, os);
}

static json::Value launchesToJson(const Entry &entry,
                                  const std::vector<Launch> &launches) {
  json::Array list;
  for (const Launch &launch : launches) {
    json::Array arguments;
    for (uint32_t index : launch.arguments)
      arguments.push_back(entry.arguments[index].name);
    list.push_back(
        json::Object{{"kernel", launch.kernel},
                     {"arguments", std::move(arguments)},
                     {"passes_batch", launch.passesBatch},
                     {"blocks_per_tile", launch.grid.blocksPerTile},
                     {"batch_tile", launch.grid.batchTile},
                     {"block", json::Array{launch.block[0], launch.block[1],
                                           launch.block[2]}},
                     {"dynamic_shared_bytes", launch.dynamicSharedBytes},
                     {"programmatic", launch.programmatic}});
  }
  return list;
}

static json::Value shapeToJson(const std::vector<int64_t> &shape) {
  json::Array sizes;
  for (int64_t size : shape)
    sizes.push_back(size == kDynamic ? json::Value(nullptr)
                                     : json::Value(size));
  return sizes;
}

static json::Value dimensionsToJson(const Problem &problem) {
  json::Array dims;
  for (const SpatialDim &dim : problem.dims) {
    const PhaseSummary summary = summarize(dim);
    dims.push_back(
        json::Object{{"input", dim.input},
                     {"kernel", dim.kernel},
                     {"stride", dim.stride},
                     {"dilation", dim.dilation},
                     {"padding", json::Array{dim.padLow, dim.padHigh}},
                     {"output_padding", dim.outputPadding},
                     {"output", outputSize(dim).value_or(0)},
                     {"phases", summary.phases},
                     {"phases_without_taps", summary.withoutTaps},
                     {"tap_counts", json::Array(summary.tapCounts)}});
  }
  return dims;
}

static json::Value entryToJson(const Entry &entry) {
  const Problem &problem = entry.problem;
  json::Array arguments, epilogue;
  for (const Argument &argument : entry.arguments)
    arguments.push_back(json::Object{{"name", argument.name},
                                     {"role", roleName(argument.role)},
                                     {"type", text(name(argument.type))},
                                     {"shape", shapeToJson(argument.shape)}});
  for (const EpilogueNode &node : entry.epilogue.nodes)
    epilogue.push_back(node.name);
  return json::Object{{"name", entry.name},
                      {"type", text(name(problem.type))},
                      {"layout", text(name(problem.layout))},
                      {"weight_layout", text(name(problem.weightLayout))},
                      {"precision", text(name(problem.precision))},
                      {"groups", problem.groups},
                      {"bias", problem.bias},
                      {"dimensions", dimensionsToJson(problem)},
                      {"arguments", std::move(arguments)},
                      {"epilogue", std::move(epilogue)},
                      {"family", entry.family},
                      {"kernel", entry.kernel},
                      {"choice_source", entry.choiceSource},
                      {"choice_reason", entry.choiceReason},
                      {"useful_macs", entry.work.usefulMacs},
                      {"least_bytes", entry.work.leastBytes},
                      {"requested_bytes", entry.work.requestedBytes},
                      {"holes", entry.work.holes},
                      {"border", entry.work.border},
                      {"tile", entry.work.tile},
                      {"prepare", launchesToJson(entry, entry.prepare)},
                      {"run", launchesToJson(entry, entry.run)}};
}

json::Value driver::bundleToJson(const Bundle &bundle) {
  json::Array images;
  for (const ChipImage &image : bundle.images) {
    json::Array entries, kernels;
    for (const Entry &entry : image.manifest.entries)
      entries.push_back(entryToJson(entry));
    for (const KernelResources &kernel : image.resources)
      kernels.push_back(
          json::Object{{"kernel", kernel.kernel},
                       {"registers", kernel.registers},
                       {"spill_store_bytes", kernel.spillStoreBytes},
                       {"spill_load_bytes", kernel.spillLoadBytes},
                       {"stack_bytes", kernel.stackBytes},
                       {"static_shared_bytes", kernel.staticSharedBytes},
                       {"warnings", json::Array(kernel.warnings)}});
    images.push_back(
        json::Object{{"chip", image.chip},
                     {"cubin_bytes", static_cast<int64_t>(image.cubin.size())},
                     {"ptx_bytes", static_cast<int64_t>(image.ptx.size())},
                     {"assembler", image.assembler},
                     {"entries", std::move(entries)},
                     {"kernels", std::move(kernels)}});
  }
  return json::Object{{"producer", bundle.producer},
                      {"images", std::move(images)}};
}
