//===- RunCommand.cpp - ctc run -------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BundleFile.h"
#include "Commands.h"
#include "Device.h"
#include "HostMemory.h"
#include "Json.h"
#include "Listing.h"
#include "RunInputs.h"
#include "ctc/Reference/Check.h"
#include "ctc/Support/File.h"
#include "ctc/Support/Npy.h"

#include "llvm/Support/FormatVariadic.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;

namespace {
/// What a run needs besides the bundle.
struct RunRequest {
  std::string device;
  RunFlags flags;
  std::optional<std::string> output;
  bool check = false, checkMemory = false, json = false;
};

struct RunOutcome {
  int64_t batch = 0;
  RunTimes times;
  std::optional<CheckReport> check;
  std::optional<std::vector<MemoryFinding>> findings;
};
} // namespace

static Expected<RunRequest> readRequest(CommandArguments arguments) {
  RunRequest request;
  request.checkMemory = arguments.hasArg(OPT_check_memory);
  request.device =
      arguments
          .getLastArgValue(OPT_device, request.checkMemory ? "cpu" : "auto")
          .str();
  request.check = arguments.hasArg(OPT_check);
  request.json = arguments.hasArg(OPT_json);
  auto flags = readRunFlags(arguments);
  if (!flags)
    return tl::unexpected(flags.error());
  request.flags = std::move(*flags);
  if (auto read =
          readReference(arguments, OPT_output, "--output", request.output);
      !read)
    return tl::unexpected(read.error());
  if (request.output)
    if (auto writable = checkWritable(*request.output); !writable)
      return tl::unexpected(writable.error());
  return request;
}

static Expected<CheckReport> checkOutput(const Entry &entry,
                                         const Problem &problem,
                                         const LayerInputs &inputs,
                                         const Tensor &output, bool exact) {
  const Accumulation reference =
      accumulate(problem, inputs, {.magnitude = !exact});
  CheckOptions options;
  if (!exact)
    options.error = accumulationError(
        entry.family == "simt" ? Arithmetic::FMA : Arithmetic::MatrixUnit,
        problem);
  return check(problem, entry.epilogue, reference, inputs.operands, output,
               options);
}

static Expected<RunOutcome> runOn(const RunInputs &inputs, const Entry &entry,
                                  const LoadedLayer &layer,
                                  const RunRequest &request) {
  RunOutcome outcome{inputs.batch, {}, std::nullopt, std::nullopt};
  auto output = layer.run(entry, inputs.tensors, inputs.batch, &outcome.times);
  if (!output)
    return tl::unexpected(output.error());
  if (request.output)
    if (auto written = writeNpy(*request.output, *output); !written)
      return tl::unexpected(written.error());
  if (!request.check)
    return outcome;
  const bool exact =
      request.flags.fill == Fill::Exact && !request.flags.hasFiles();
  auto report =
      checkOutput(entry, inputs.problem, inputs.tensors, *output, exact);
  if (!report)
    return tl::unexpected(report.error());
  outcome.check = std::move(*report);
  return outcome;
}

static Expected<RunOutcome> runEntry(const Entry &entry,
                                     const LoadedLayer &layer,
                                     const RunRequest &request) {
  auto inputs = makeRunInputs(entry, request.flags);
  if (!inputs)
    return tl::unexpected(inputs.error());
  return withinMemory(inputs->problem, request.check,
                      [&] { return runOn(*inputs, entry, layer, request); });
}

static void printOutcome(const RunOutcome &outcome, const Entry &entry,
                         const std::string &chip, const Device &device,
                         bool json) {
  if (json) {
    llvm::json::Object object{
        {"entry", entry.name},
        {"device", device.describe()},
        {"chip", chip},
        {"family", entry.family},
        {"batch", outcome.batch},
        {"prepare_seconds", roundedSeconds(outcome.times.prepare)},
        {"launch_seconds", roundedSeconds(outcome.times.launch)}};
    if (outcome.check) {
      object["outputs"] = outcome.check->outputs;
      object["wrong"] = outcome.check->wrong;
      object["nan"] = outcome.check->nan;
      object["undecided"] = outcome.check->undecided;
      object["passed"] = outcome.check->passed();
      object["error_over_bound"] = outcome.check->worstRatio;
      object["summary"] = outcome.check->summary();
    }
    if (outcome.findings) {
      object["memory_findings"] = llvm::json::Array(*outcome.findings);
    }
    return printJson(std::move(object), llvm::outs());
  }
  llvm::outs() << formatv("entry    {0}, batch {1}, {2} for {3}\n", entry.name,
                          outcome.batch, entry.family, chip)
               << "device   " << device.describe() << "\n"
               << formatv("times    prepare {0:f6} s, launch {1:f6} s (wall, "
                          "copies apart)\n",
                          outcome.times.prepare, outcome.times.launch);
  if (outcome.check)
    llvm::outs() << formatv("check    {0}; worst error {1:f3} of the bound\n",
                            outcome.check->summary(),
                            outcome.check->worstRatio);
  if (!outcome.findings)
    return;
  if (outcome.findings->empty())
    llvm::outs() << "memory   nothing found\n";
  for (const MemoryFinding &finding : *outcome.findings)
    llvm::outs() << formatv(
        "memory   {0}, {1} {2}: {3}\n", finding.kind, finding.occurrences,
        finding.occurrences == 1 ? "time" : "times", finding.message);
}

Expected<void> driver::runCommand(CommandArguments arguments) {
  auto request = readRequest(arguments);
  if (!request)
    return tl::unexpected(request.error());
  auto path = onlyPositional(arguments, "bundle");
  if (!path)
    return tl::unexpected(path.error());
  auto file = readBundleFile(*path);
  if (!file)
    return tl::unexpected(file.error());
  auto device = Device::open(request->device);
  if (!device)
    return tl::unexpected(device.error());
  if (request->checkMemory)
    if (auto possible = device->checkMemory(); !possible)
      return possible;
  auto layer = LoadedLayer::load(*device, file->span(), request->flags.chip,
                                 request->flags.entry);
  if (!layer)
    return tl::unexpected(layer.error());
  const ChipImage &image = file->bundle.images[layer->image()];
  const Entry &entry = image.manifest.entries[layer->entry()];
  auto outcome = runEntry(entry, *layer, *request);
  if (!outcome)
    return makeError(outcome.error().code,
                     quoteListing(outcome.error().message, image.listing));
  if (request->checkMemory) {
    auto findings = device->findings();
    if (!findings)
      return tl::unexpected(findings.error());
    for (MemoryFinding &finding : *findings)
      finding.message = quoteListing(finding.message, image.listing);
    outcome->findings = std::move(*findings);
  }
  printOutcome(*outcome, entry, image.chip, *device, request->json);
  if (outcome->findings && !outcome->findings->empty())
    return makeError(ErrorCode::DeviceError, countFindings(*outcome->findings));
  if (outcome->check && !outcome->check->passed())
    return makeError(ErrorCode::WrongResult, outcome->check->summary());
  return {};
}
