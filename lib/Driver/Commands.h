//===- Commands.h - The commands of ctc -------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_COMMANDS_H
#define CTC_LIB_DRIVER_COMMANDS_H

#include "Options.h"

namespace ctc::driver {

using CommandArguments = const llvm::opt::InputArgList &;

/// Each runs a command to its end; an error's code is the exit code and its
/// message, unless empty, is printed.
Expected<void> compileCommand(CommandArguments arguments);
Expected<void> runCommand(CommandArguments arguments);
Expected<void> verifyCommand(CommandArguments arguments);
Expected<void> inspectCommand(CommandArguments arguments);
Expected<void> profileCommand(CommandArguments arguments);
Expected<void> benchCommand(CommandArguments arguments);

/// An error whose message has been printed already.
inline tl::unexpected<Error> reported(ErrorCode code) {
  return makeError(code, "");
}

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_COMMANDS_H
