//===- Input.h - Files and standard streams ---------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_INPUT_H
#define CTC_LIB_DRIVER_INPUT_H

#include "ctc/Support/Error.h"

#include "llvm/ADT/StringRef.h"

namespace ctc::driver {

/// The bytes of a file, or of standard input for "-". Fails with Usage.
Expected<std::string> readInput(const std::string &path);

/// Writes a file, whole or not at all, or standard output for "-". Fails with
/// Usage.
Expected<void> writeOutput(const std::string &path, llvm::StringRef bytes);

/// Whether all that was printed and flushed got to standard output; forgets the
/// failure it tells of. Fails with Usage.
Expected<void> checkOutput();

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_INPUT_H
