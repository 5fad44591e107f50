//===- RunInputs.cpp - What a layer is run on -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunInputs.h"
#include "HostMemory.h"
#include "Values.h"
#include "ctc/Support/Npy.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::StringRef;

/// The extra operands of the entry's epilogue.
static std::vector<Argument> operandsOf(const Entry &entry) {
  std::vector<Argument> operands;
  llvm::copy_if(entry.arguments, std::back_inserter(operands),
                [](const Argument &argument) {
                  return argument.role == ArgumentRole::Operand;
                });
  return operands;
}

Expected<void> driver::readReference(CommandArguments arguments, OptionID id,
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
                                   RunFlags &flags) {
  for (const std::string &text : arguments.getAllArgValues(OPT_operand)) {
    // Without a name, it is the entry that can tell which there are.
    if (StringRef(text).starts_with("@") || !StringRef(text).contains('=')) {
      flags.operands.emplace_back("", text);
      continue;
    }
    const auto [name, reference] = StringRef(text).split('=');
    auto path = parseFileReference("--operand=" + name.str(), reference);
    if (!path)
      return tl::unexpected(path.error());
    flags.operands.emplace_back(name.str(), *path);
  }
  return {};
}

Expected<RunFlags> driver::readRunFlags(CommandArguments arguments) {
  RunFlags flags;
  flags.entry = arguments.getLastArgValue(OPT_entry).str();
  if (arguments.hasArg(OPT_chip)) {
    auto chip = parseChip(arguments.getLastArgValue(OPT_chip));
    if (!chip)
      return tl::unexpected(chip.error());
    flags.chip = std::move(*chip);
  }
  auto fill =
      parseName<Fill>("--fill", arguments.getLastArgValue(OPT_fill, "random"),
                      parseFill, kFillNames);
  if (!fill)
    return tl::unexpected(fill.error());
  flags.fill = *fill;
  auto seed =
      parseInteger("--seed", arguments.getLastArgValue(OPT_seed, "0"), 0);
  if (!seed)
    return tl::unexpected(seed.error());
  flags.seed = static_cast<uint64_t>(*seed);
  if (arguments.hasArg(OPT_batch)) {
    auto batch =
        parseInteger("--batch", arguments.getLastArgValue(OPT_batch), 0);
    if (!batch)
      return tl::unexpected(batch.error());
    flags.batch = *batch;
  }
  Expected<void> read = readOperands(arguments, flags);
  if (read)
    read = readReference(arguments, OPT_input, "--input", flags.input);
  if (read)
    read = readReference(arguments, OPT_weight, "--weight", flags.weight);
  if (read)
    read = readReference(arguments, OPT_bias_file, "--bias", flags.bias);
  if (!read)
    return tl::unexpected(read.error());
  return flags;
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
                                        const RunFlags &flags) {
  const std::vector<Argument> operands = operandsOf(entry);
  std::vector<std::string> names;
  for (const Argument &operand : operands)
    names.push_back(operand.name);
  const std::string known = names.empty() ? "none" : llvm::join(names, ", ");
  for (const auto &[name, path] : flags.operands) {
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
                                     const RunFlags &flags) {
  if (!entry.problem.hasDynamicBatch()) {
    if (flags.batch && *flags.batch != entry.problem.batch)
      return makeError(ErrorCode::Usage,
                       "--batch is " + std::to_string(*flags.batch) +
                           ", entry '" + entry.name +
                           "' was compiled for a batch of " +
                           std::to_string(entry.problem.batch));
    return entry.problem.batch;
  }
  if (flags.batch)
    return *flags.batch;
  Expected<std::optional<int64_t>> batch = std::nullopt;
  if (flags.input)
    batch = batchOfFile(*flags.input, entry.problem.type,
                        entry.problem.inputShape());
  for (const Argument &operand : operandsOf(entry))
    for (const auto &[name, path] : flags.operands)
      if (batch && !*batch && name == operand.name)
        batch = batchOfFile(path, operand.type, operand.shape);
  if (!batch)
    return tl::unexpected(batch.error());
  return batch->value_or(1);
}

static Expected<void> loadOperands(const Entry &entry, const RunFlags &flags,
                                   LayerInputs &inputs) {
  for (const auto &[index, operand] : llvm::enumerate(operandsOf(entry)))
    for (const auto &[name, path] : flags.operands)
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

static Expected<LayerInputs>
makeTensors(const Entry &entry, const Problem &problem, const RunFlags &flags) {
  auto inputs = makeInputs(problem, entry.epilogue,
                           {flags.fill, flags.seed, biasType(entry)});
  if (!inputs)
    return inputs;
  if (flags.bias && !inputs->bias)
    return makeError(ErrorCode::Usage,
                     "--bias is given, entry '" + entry.name + "' has none");
  Expected<void> loaded = loadOperands(entry, flags, *inputs);
  if (loaded && flags.input)
    loaded = load(*flags.input, inputs->input);
  if (loaded && flags.weight)
    loaded = load(*flags.weight, inputs->weight);
  if (loaded && flags.bias)
    loaded = load(*flags.bias, *inputs->bias);
  if (!loaded)
    return tl::unexpected(loaded.error());
  return inputs;
}

Expected<RunInputs> driver::makeRunInputs(const Entry &entry,
                                          const RunFlags &flags) {
  if (auto named = checkOperandNames(entry, flags); !named)
    return tl::unexpected(named.error());
  auto batch = chooseBatch(entry, flags);
  if (!batch)
    return tl::unexpected(batch.error());
  RunInputs result{*batch, entry.problem, {}};
  result.problem.batch = *batch;
  if (auto legal = verify(result.problem); !legal)
    return makeError(ErrorCode::Usage, legal.error().message);
  auto tensors = withinMemory(result.problem, /*isChecked=*/false, [&] {
    return makeTensors(entry, result.problem, flags);
  });
  if (!tensors)
    return tl::unexpected(tensors.error());
  result.tensors = std::move(*tensors);
  return result;
}
