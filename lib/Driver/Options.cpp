//===- Options.cpp - The command line -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"

using namespace ctc;
using namespace ctc::driver;
using namespace llvm;
using namespace llvm::opt;

#define OPTTABLE_STR_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

static constexpr OptTable::Info kInfos[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

namespace {
class Table : public GenericOptTable {
public:
  Table() : GenericOptTable(OptionStrTable, OptionPrefixesTable, kInfos) {}
};
} // namespace

const OptTable &driver::optionTable() {
  static const Table table;
  return table;
}

/// "unknown flag '--chp=sm_80', did you mean '--chip='?"
static std::string needsValue(const Option &option) {
  const StringRef name = option.getPrefixedName();
  return (name.rtrim('=') + " needs a value: " + name +
          optionTable().getOptionMetaVar(option.getID()))
      .str();
}

/// What is wrong with a flag that the command does not know: its value, or its
/// name, for which a near one is proposed.
static std::string unknownFlag(StringRef flag, Visibility visibility) {
  const auto [name, value] = flag.split('=');
  const bool hasValue = flag.contains('=');
  const unsigned limit = std::min<size_t>(3, name.ltrim('-').size() / 3);
  unsigned least = limit + 1;
  std::string nearest;
  for (unsigned id = OPT_UNKNOWN + 1; id <= optionTable().getNumOptions();
       ++id) {
    const Option option = optionTable().getOption(id);
    if (!option.hasVisibilityFlag(visibility))
      continue;
    const StringRef known = option.getPrefixedName();
    const bool takesValue = known.ends_with("=");
    const unsigned distance =
        name.edit_distance(known.rtrim('='), /*AllowReplacements=*/true, limit);
    if (distance == 0)
      return takesValue ? needsValue(option)
                        : "flag '" + known.str() + "' takes no value";
    if (distance >= least)
      continue;
    least = distance;
    nearest = known.str() + (takesValue && hasValue ? value.str() : "");
  }
  return "unknown flag '" + flag.str() + "'" +
         (nearest.empty() ? "; --help lists those there are"
                          : ", did you mean '" + nearest + "'?");
}

/// "--stride is given twice, ..."; empty where no flag with a value is given
/// twice but the one that may be. Which of the two was meant nobody knows.
static std::string repeatedFlag(const InputArgList &parsed) {
  SmallDenseMap<unsigned, const Arg *> first;
  for (const Arg *arg : parsed) {
    const Option option = arg->getOption();
    const bool hasValue = option.getKind() == Option::JoinedClass ||
                          option.getKind() == Option::JoinedOrSeparateClass;
    if (!hasValue || option.matches(OPT_operand))
      continue;
    const auto [before, isNew] = first.try_emplace(option.getID(), arg);
    if (!isNew)
      return (option.getPrefixedName().rtrim('=') + " is given twice, as '" +
              before->second->getValue() + "' and as '" + arg->getValue() +
              "', must be given once")
          .str();
  }
  return {};
}

ctc::Expected<InputArgList>
driver::parseArguments(ArrayRef<const char *> arguments,
                       CommandVisibility command) {
  const Visibility visibility(command);
  unsigned missingIndex = 0, missingCount = 0;
  InputArgList parsed = optionTable().ParseArgs(arguments, missingIndex,
                                                missingCount, visibility);
  if (missingCount)
    return makeError(ErrorCode::Usage,
                     "flag '" + std::string(arguments[missingIndex]) +
                         "' needs a value");
  for (const Arg *unknown : parsed.filtered(OPT_UNKNOWN))
    return makeError(ErrorCode::Usage,
                     unknownFlag(unknown->getAsString(parsed), visibility));
  for (const Arg *arg : parsed)
    if (arg->getOption().getKind() == Option::JoinedClass &&
        StringRef(arg->getValue()).empty())
      return makeError(ErrorCode::Usage, needsValue(arg->getOption()));
  if (const std::string twice = repeatedFlag(parsed); !twice.empty())
    return makeError(ErrorCode::Usage, twice);
  return parsed;
}

ctc::Expected<std::string> driver::onlyPositional(const ArgList &arguments,
                                                  StringRef what) {
  const std::vector<std::string> given = arguments.getAllArgValues(OPT_INPUT);
  if (given.size() != 1)
    return makeError(ErrorCode::Usage,
                     "there must be one " + what.str() + ", there are " +
                         std::to_string(given.size()) +
                         (given.empty() ? "" : ": " + join(given, " ")));
  return given.front();
}
