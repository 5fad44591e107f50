//===- Input.cpp - Files and standard streams -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Input.h"
#include "ctc/Support/File.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace ctc;

Expected<std::string> driver::readInput(const std::string &path) {
  if (path == "-") {
    auto buffer = llvm::MemoryBuffer::getSTDIN();
    if (!buffer)
      return makeError(ErrorCode::Usage, "cannot read standard input: " +
                                             buffer.getError().message());
    return (*buffer)->getBuffer().str();
  }
  auto bytes = readFile(path);
  if (!bytes)
    return tl::unexpected(bytes.error());
  return std::string(bytes->begin(), bytes->end());
}

Expected<void> driver::writeOutput(const std::string &path,
                                   llvm::StringRef bytes) {
  if (path != "-")
    return writeFileAtomically(
        path, {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  llvm::outs() << bytes;
  llvm::outs().flush();
  return checkOutput();
}

Expected<void> driver::checkOutput() {
  if (!llvm::outs().has_error())
    return {};
  const std::string reason = llvm::outs().error().message();
  llvm::outs().clear_error();
  return makeError(ErrorCode::Usage, "cannot write standard output: " + reason);
}
