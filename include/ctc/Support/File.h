//===- File.h - Whole files, read and written at once -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_FILE_H
#define CTC_SUPPORT_FILE_H

#include "ctc/Support/Error.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ctc {

/// The bytes of a file. Fails with Usage, naming the path and the system's
/// reason.
Expected<std::vector<uint8_t>> readFile(const std::string &path);

/// Writes a file so that `path` holds either what it held before or all of
/// `bytes`: into a temporary file beside it, which is then renamed. A symbolic
/// link is followed, wherever it leads, and a file keeps its permissions; what
/// is not a regular file (/dev/null, a pipe) is written in place. Fails with
/// Usage and leaves no temporary file behind.
Expected<void> writeFileAtomically(const std::string &path,
                                   std::span<const uint8_t> bytes);

/// Whether writeFileAtomically can begin: `path` is no folder, and the folder
/// it goes to is there and may be written. Fails as that would.
Expected<void> checkWritable(const std::string &path);

} // namespace ctc

#endif // CTC_SUPPORT_FILE_H
