//===- Options.h - The command line -----------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_OPTIONS_H
#define CTC_LIB_DRIVER_OPTIONS_H

#include "ctc/Support/Error.h"

#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"

namespace ctc::driver {

/// The visibilities of Options.td: which command knows a flag.
enum CommandVisibility : unsigned {
  CompileCommand = 1u << 1,
  RunCommand = 1u << 2,
  VerifyCommand = 1u << 3,
  InspectCommand = 1u << 4,
  ProfileCommand = 1u << 5,
  BenchCommand = 1u << 6,
};

enum OptionID {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "Options.inc"
#undef OPTION
};

/// The flags of all commands.
const llvm::opt::OptTable &optionTable();

/// The arguments behind a command's name. Fails with Usage on a flag the
/// command does not know, naming the nearest it does, on one without its value,
/// and on one given twice, operands aside.
Expected<llvm::opt::InputArgList>
parseArguments(llvm::ArrayRef<const char *> arguments,
               CommandVisibility command);

/// The only positional argument, called `what` in messages. Fails with Usage.
Expected<std::string> onlyPositional(const llvm::opt::ArgList &arguments,
                                     llvm::StringRef what);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_OPTIONS_H
