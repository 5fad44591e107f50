//===- Options.cpp - The command line -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

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
static std::string unknownFlag(StringRef flag, Visibility visibility) {
  std::string message = "unknown flag '" + flag.str() + "'";
  std::string nearest;
  const unsigned distance =
      optionTable().findNearest(flag, nearest, visibility, 1);
  if (distance <= 3 && !nearest.empty())
    message += ", did you mean '" + nearest + "'?";
  else
    message += "; --help lists those there are";
  return message;
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
