//===- Driver.h - The command line tool as a library ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The only library that sees both wings: it compiles, loads, runs and checks.
// docs/Driver.md describes the commands and their exit codes.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_DRIVER_DRIVER_H
#define CTC_DRIVER_DRIVER_H

namespace ctc {

/// Runs `ctc` with the arguments of main; the exit code (0 good, else an
/// ErrorCode). Diagnostics go to stderr.
int runDriver(int argc, char **argv);

} // namespace ctc

#endif // CTC_DRIVER_DRIVER_H
