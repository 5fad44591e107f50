//===- RunCommand.cpp - ctc run -------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BundleFile.h"
#include "Commands.h"
#include "Device.h"
#include "Json.h"
#include "Values.h"
#include "ctc/Bundle/Queries.h"
#include "ctc/Reference/Check.h"
#include "ctc/Reference/Fill.h"
#include "ctc/Support/Npy.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;
using llvm::StringRef;

namespace {
/// What a run needs besides the bundle.
struct RunRequest {
  std::string device, chip, entry;
  std::optional<std::string> input, weight, bias, output;
  std::vector<std::pair<std::string, std::string>> operands;
  ///< Name and path; or "" and what was given without a name.
  std::optional<int64_t> batch;
  Fill fill = Fill::Random;
  uint64_t seed = 0;
  bool check = false, json = false;
};

struct RunOutcome {
  int64_t batch = 0;
  RunTimes times;
  std::optional<CheckReport> check;
};
} // namespace

/// The extra operands of the entry's epilogue.
static std::vector<Argument> operandsOf(const Entry &entry) {
  std::vector<Argument> operands;
  llvm::copy_if(entry.arguments, std::back_inserter(operands),
                [](const Argument &argument) {
                  return argument.role == ArgumentRole::Operand;
                });
  return operands;
}

/// Sets `path` from a flag that takes @file, if it is given.
static Expected<void> readReference(CommandArguments arguments, OptionID id,
                                    StringRef flag,
                                    std::optional<std::string> &path) {
  if (!arguments.hasArg(id))
    return {};
  auto value = parseFileReference(flag, arguments.getLastArgValue(id));
  if (!value)
    return tl::unexpected(value.error());
  path = *value;
  return {};
}

static Expected<void> readOperands(CommandArguments arguments,
                                   RunRequest &request) {
  for (const std::string &text : arguments.getAllArgValues(OPT_operand)) {
    // Without a name, it is the entry that can tell which there are.
    if (StringRef(text).starts_with("@") || !StringRef(text).contains('=')) {
      request.operands.emplace_back("", text);
      continue;
    }
    const auto [name, reference] = StringRef(text).split('=');
    auto path = parseFileReference("--operand=" + name.str(), reference);
    if (!path)
      return tl::unexpected(path.error());
    request.operands.emplace_back(name.str(), *path);
  }
  return {};
}

static Expected<RunRequest> readRequest(CommandArguments arguments) {
  RunRequest request;
  request.device = arguments.getLastArgValue(OPT_device, "auto").str();
  request.chip = arguments.getLastArgValue(OPT_chip).str();
  request.entry = arguments.getLastArgValue(OPT_entry).str();
  request.check = arguments.hasArg(OPT_check);
  request.json = arguments.hasArg(OPT_json);
  auto fill =
      parseName<Fill>("--fill", arguments.getLastArgValue(OPT_fill, "random"),
                      parseFill, kFillNames);
  if (!fill)
    return tl::unexpected(fill.error());
  request.fill = *fill;
  auto seed =
      parseInteger("--seed", arguments.getLastArgValue(OPT_seed, "0"), 0);
  if (!seed)
    return tl::unexpected(seed.error());
  request.seed = static_cast<uint64_t>(*seed);
  if (arguments.hasArg(OPT_batch)) {
    auto batch =
        parseInteger("--batch", arguments.getLastArgValue(OPT_batch), 0);
    if (!batch)
      return tl::unexpected(batch.error());
    request.batch = *batch;
  }
  Expected<void> read = readOperands(arguments, request);
  if (read)
    read = readReference(arguments, OPT_input, "--input", request.input);
  if (read)
    read = readReference(arguments, OPT_weight, "--weight", request.weight);
  if (read)
    read = readReference(arguments, OPT_bias_file, "--bias", request.bias);
  if (read)
    read = readReference(arguments, OPT_output, "--output", request.output);
  if (!read)
    return tl::unexpected(read.error());
  return request;
}

/// Replaces `tensor` by a file's, which must have its shape; a batch that is
/// free takes the file's.
static Expected<void> load(const std::string &path, Tensor &tensor) {
  auto read = readNpy(path, tensor.type(), tensor.shape());
  if (!read)
    return tl::unexpected(read.error());
  tensor = std::move(*read);
  return {};
}

/// The batch that a file has where `shape` has a dynamic size, if it has one.
static Expected<std::optional<int64_t>>
batchOfFile(const std::string &path, ElementType type,
            const std::vector<int64_t> &shape) {
  const auto dynamic = llvm::find(shape, kDynamic);
  if (dynamic == shape.end())
    return std::nullopt;
  auto tensor = readNpy(path, type, shape);
  if (!tensor)
    return tl::unexpected(tensor.error());
  return tensor->shape()[dynamic - shape.begin()];
}

/// Every operand given is one of the entry's.
static Expected<void> checkOperandNames(const Entry &entry,
                                        const RunRequest &request) {
  const std::vector<Argument> operands = operandsOf(entry);
  std::vector<std::string> names;
  for (const Argument &operand : operands)
    names.push_back(operand.name);
  const std::string known = names.empty() ? "none" : llvm::join(names, ", ");
  for (const auto &[name, path] : request.operands) {
    if (name.empty())
      return makeError(ErrorCode::Usage, "--operand is '" + path +
                                             "', must be NAME=@FILE; the "
                                             "operands of entry '" +
                                             entry.name + "' are: " + known);
    if (!llvm::is_contained(names, name))
      return makeError(ErrorCode::Usage, "entry '" + entry.name +
                                             "' has no operand '" + name +
                                             "', it has " + known);
  }
  return {};
}

/// The batch of a run: what the entry was compiled for, --batch, the input
/// file's, an operand file's, or 1.
static Expected<int64_t> chooseBatch(const Entry &entry,
                                     const RunRequest &request) {
  if (!entry.problem.hasDynamicBatch()) {
    if (request.batch && *request.batch != entry.problem.batch)
      return makeError(ErrorCode::Usage,
                       "--batch is " + std::to_string(*request.batch) +
                           ", entry '" + entry.name +
                           "' was compiled for a batch of " +
                           std::to_string(entry.problem.batch));
    return entry.problem.batch;
  }
  if (request.batch)
    return *request.batch;
  Expected<std::optional<int64_t>> batch = std::nullopt;
  if (request.input)
    batch = batchOfFile(*request.input, entry.problem.type,
                        entry.problem.inputShape());
  for (const Argument &operand : operandsOf(entry))
    for (const auto &[name, path] : request.operands)
      if (batch && !*batch && name == operand.name)
        batch = batchOfFile(path, operand.type, operand.shape);
  if (!batch)
    return tl::unexpected(batch.error());
  return batch->value_or(1);
}

static Expected<void> loadOperands(const Entry &entry,
                                   const RunRequest &request,
                                   LayerInputs &inputs) {
  for (const auto &[index, operand] : llvm::enumerate(operandsOf(entry)))
    for (const auto &[name, path] : request.operands)
      if (name == operand.name)
        if (auto loaded = load(path, inputs.operands[index]); !loaded)
          return loaded;
  return {};
}

/// The type of the bias argument, which may be f32 beside 16-bit operands.
static std::optional<ElementType> biasType(const Entry &entry) {
  for (const Argument &argument : entry.arguments)
    if (argument.role == ArgumentRole::Bias)
      return argument.type;
  return std::nullopt;
}

static Expected<LayerInputs> makeRunInputs(const Entry &entry,
                                           const Problem &problem,
                                           const RunRequest &request) {
  auto inputs = makeInputs(problem, entry.epilogue,
                           {request.fill, request.seed, biasType(entry)});
  if (!inputs)
    return inputs;
  if (request.bias && !inputs->bias)
    return makeError(ErrorCode::Usage,
                     "--bias is given, entry '" + entry.name + "' has none");
  Expected<void> loaded = loadOperands(entry, request, *inputs);
  if (loaded && request.input)
    loaded = load(*request.input, inputs->input);
  if (loaded && request.weight)
    loaded = load(*request.weight, inputs->weight);
  if (loaded && request.bias)
    loaded = load(*request.bias, *inputs->bias);
  if (!loaded)
    return tl::unexpected(loaded.error());
  return inputs;
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

static Expected<RunOutcome> runEntry(const Entry &entry,
                                     const LoadedLayer &layer,
                                     const RunRequest &request) {
  if (auto named = checkOperandNames(entry, request); !named)
    return tl::unexpected(named.error());
  auto batch = chooseBatch(entry, request);
  if (!batch)
    return tl::unexpected(batch.error());
  Problem problem = entry.problem;
  problem.batch = *batch;
  if (auto legal = verify(problem); !legal)
    return makeError(ErrorCode::Usage, legal.error().message);
  auto inputs = makeRunInputs(entry, problem, request);
  if (!inputs)
    return tl::unexpected(inputs.error());
  RunOutcome outcome{*batch, {}, std::nullopt};
  auto output = layer.run(entry, *inputs, *batch, &outcome.times);
  if (!output)
    return tl::unexpected(output.error());
  if (request.output)
    if (auto written = writeNpy(*request.output, *output); !written)
      return tl::unexpected(written.error());
  if (!request.check)
    return outcome;
  const bool filesGiven = request.input || request.weight || request.bias ||
                          !request.operands.empty();
  auto report = checkOutput(entry, problem, *inputs, *output,
                            request.fill == Fill::Exact && !filesGiven);
  if (!report)
    return tl::unexpected(report.error());
  outcome.check = std::move(*report);
  return outcome;
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
      object["error_over_bound"] = outcome.check->worstRatio;
      object["summary"] = outcome.check->summary();
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
  auto layer =
      LoadedLayer::load(*device, file->span(), request->chip, request->entry);
  if (!layer)
    return tl::unexpected(layer.error());
  const ChipImage &image = file->bundle.images[layer->image()];
  const Entry &entry = image.manifest.entries[layer->entry()];
  auto outcome = runEntry(entry, *layer, *request);
  if (!outcome)
    return tl::unexpected(outcome.error());
  printOutcome(*outcome, entry, image.chip, *device, request->json);
  if (outcome->check && !outcome->check->passed())
    return makeError(ErrorCode::WrongResult, outcome->check->summary());
  return {};
}
