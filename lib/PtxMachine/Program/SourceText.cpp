//===- SourceText.cpp - Instructions and threads in words -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program/SourceText.h"

namespace ctc::ptx {

std::string describe(const Dim3 &index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}

/// Those with a matrix in registers are too long for a sentence.
static constexpr size_t kMaxText = 160;

std::string describeSource(const Program &program, uint32_t source) {
  const SourceInstruction &instruction = program.sources[source];
  std::string text = "PTX line " + std::to_string(instruction.line) + ", '" +
                     instruction.text.substr(0, kMaxText) +
                     (instruction.text.size() > kMaxText ? "...'" : "'");
  const SourceLocation &location = instruction.location;
  auto file = program.files.find(location.file);
  if (location.line == 0 || file == program.files.end())
    return text;
  text += " (at " + file->second + ":" + std::to_string(location.line);
  if (location.column)
    text += ":" + std::to_string(location.column);
  return text + ")";
}

Dim3 threadIndex(const Dim3 &size, unsigned thread) {
  return {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
}

} // namespace ctc::ptx
