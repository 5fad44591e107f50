//===- VerifyCommand.cpp - ctc verify -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "LayerFlags.h"
#include "Scaling.h"
#include "Values.h"
#include "VerifyReport.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Regex.h"

#include <chrono>

using namespace ctc;
using namespace ctc::driver;
using llvm::StringRef;

/// Sets a list of names from a flag, if it is given.
template <typename Enum>
static Expected<void> readNames(CommandArguments arguments, OptionID id,
                                StringRef flag,
                                std::optional<Enum> (*parse)(std::string_view),
                                StringRef legal, std::vector<Enum> &values) {
  if (!arguments.hasArg(id))
    return {};
  auto names = parseNames(flag, arguments.getLastArgValue(id), parse, legal);
  if (!names)
    return tl::unexpected(names.error());
  values = std::move(*names);
  return {};
}

static Expected<VerifyAxes> readAxes(CommandArguments arguments) {
  VerifyAxes axes;
  auto read = readNames(arguments, OPT_dtype, "--dtype", parseElementType,
                        kElementTypeNames, axes.types);
  if (read)
    read = readNames(arguments, OPT_precision, "--precision", parsePrecision,
                     kPrecisionNames, axes.precisions);
  if (read)
    read = readNames(arguments, OPT_layout, "--layout", parseLayout,
                     kLayoutNames, axes.layouts);
  if (read)
    read = readNames(arguments, OPT_fill, "--fill", parseFill, kFillNames,
                     axes.fills);
  if (!read)
    return tl::unexpected(read.error());
  if (arguments.hasArg(OPT_chip)) {
    auto chips = parseChips(arguments.getLastArgValue(OPT_chip));
    if (!chips)
      return tl::unexpected(chips.error());
    axes.chips = std::move(*chips);
  }
  if (arguments.hasArg(OPT_family)) {
    auto families = parseFamilies(arguments.getLastArgValue(OPT_family));
    if (!families)
      return tl::unexpected(families.error());
    axes.families = std::move(*families);
  }
  axes.epilogue = epilogueFromFlags(arguments);
  auto seed =
      parseInteger("--seed", arguments.getLastArgValue(OPT_seed, "0"), 0);
  if (!seed)
    return tl::unexpected(seed.error());
  axes.seed = static_cast<uint64_t>(*seed);
  return axes;
}

/// The cases of the file that match --filter.
static Expected<std::vector<Case>> readFiltered(CommandArguments arguments) {
  auto path = onlyPositional(arguments, "file of cases");
  if (!path)
    return tl::unexpected(path.error());
  auto cases = readCases(*path);
  if (!cases || !arguments.hasArg(OPT_filter))
    return cases;
  const StringRef pattern = arguments.getLastArgValue(OPT_filter);
  const llvm::Regex regex(pattern);
  std::string reason;
  if (!regex.isValid(reason))
    return makeError(ErrorCode::Usage,
                     "--filter is '" + pattern.str() +
                         "', no regular expression: " + reason);
  llvm::erase_if(*cases,
                 [&](const Case &one) { return !regex.match(one.name); });
  if (cases->empty())
    return makeError(ErrorCode::Usage,
                     "no case in '" + *path +
                         "' matches --filter=" + pattern.str());
  return cases;
}

static Expected<void> scaleCases(CommandArguments arguments,
                                 std::vector<Case> &cases) {
  if (!arguments.hasArg(OPT_scale_to))
    return {};
  auto limit =
      parseCount("--scale-to", arguments.getLastArgValue(OPT_scale_to));
  if (!limit)
    return tl::unexpected(limit.error());
  for (Case &one : cases) {
    const Problem scaled = scaleTo(one.problem, *limit);
    if (scaled != one.problem)
      one.tensors.reset();
    one.problem = scaled;
  }
  return {};
}

static void listCases(const std::vector<Case> &cases) {
  for (const Case &one : cases) {
    const Problem &problem = one.problem;
    llvm::outs() << llvm::formatv(
        "{0,-40} input {1,-22} weight {2,-20} {3:f4} G multiply-adds\n",
        one.name, formatShape(problem.inputShape()),
        formatShape(problem.weightShape()), usefulMultiplyAdds(problem) * 1e-9);
  }
}

Expected<void> driver::verifyCommand(CommandArguments arguments) {
  const auto start = std::chrono::steady_clock::now();
  auto axes = readAxes(arguments);
  if (!axes)
    return tl::unexpected(axes.error());
  auto cases = readFiltered(arguments);
  if (!cases)
    return tl::unexpected(cases.error());
  if (auto scaled = scaleCases(arguments, *cases); !scaled)
    return scaled;
  if (arguments.hasArg(OPT_list_cases)) {
    listCases(*cases);
    return {};
  }
  const bool checkMemory = arguments.hasArg(OPT_check_memory);
  auto device = Device::open(
      arguments.getLastArgValue(OPT_device, checkMemory ? "cpu" : "auto")
          .str());
  if (!device)
    return tl::unexpected(device.error());
  if (checkMemory)
    if (auto possible = device->checkMemory(); !possible)
      return possible;

  const bool json = arguments.hasArg(OPT_json);
  const auto epilogues = static_cast<size_t>(llvm::count_if(
      *cases, [](const Case &one) { return one.namesEpilogue; }));
  if (epilogues)
    llvm::errs() << "note: " << epilogues
                 << " cases name an epilogue, which is not applied\n";
  VerifyReport report(llvm::outs(), json);
  Progress progress(!json);
  Verifier verifier(*axes, *device);
  for (const auto &[index, one] : llvm::enumerate(*cases)) {
    progress.show(index, cases->size(), one.name);
    verifier.verify(one, [&](const VerifyResult &result) {
      if (!result.passed())
        progress.clear();
      report.add(result);
    });
  }
  progress.clear();
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  report.finish(cases->size(), device->describe(), verifier.times(),
                seconds.count());
  if (report.failed())
    return reported(ErrorCode::WrongResult);
  return {};
}
