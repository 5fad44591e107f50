//===- PtxMutation.cpp - Slightly wrong PTX -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxMutation.h"

#include "ctc/PtxMachine/Machine.h"

#include <cctype>
#include <cstring>
#include <vector>

namespace ctc::ptx::testing {

namespace {

struct Span {
  size_t begin = 0, end = 0;
};

class Mutation {
public:
  Mutation(std::string_view text, std::mt19937_64 &random)
      : text(text), random(random) {}

  std::string run() {
    for (uint64_t left = 1 + below(4); left && !text.empty(); --left)
      change();
    return std::move(text);
  }

private:
  uint64_t below(uint64_t limit) { return limit ? random() % limit : 0; }

  void change() {
    switch (below(8)) {
    case 0:
      text[below(text.size())] = static_cast<char>(below(256));
      break;
    case 1:
    case 2:
    case 3:
      replaceWord();
      break;
    case 4:
      replaceNumber();
      break;
    default:
      changeLines();
    }
  }

  static bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           c == '%' || c == '.' || c == '$' || c == ':';
  }

  /// The word around or behind a random place.
  Span word() {
    size_t begin = below(text.size());
    while (begin < text.size() && !isWord(text[begin]))
      ++begin;
    while (begin > 0 && isWord(text[begin - 1]))
      --begin;
    size_t end = begin;
    while (end < text.size() && isWord(text[end]))
      ++end;
    return {begin, end};
  }

  void replaceWord() {
    Span from = word(), to = word();
    std::string other = text.substr(from.begin, from.end - from.begin);
    text.replace(to.begin, to.end - to.begin, other);
  }

  void replaceNumber() {
    static constexpr const char *kNumbers[] = {"0",
                                               "1",
                                               "-1",
                                               "31",
                                               "32",
                                               "255",
                                               "65536",
                                               "2147483647",
                                               "-2147483648",
                                               "4294967295",
                                               "0x7fffffff",
                                               "9223372036854775807",
                                               "0f7FC00000",
                                               "0d7FF0000000000000",
                                               "18446744073709551616"};
    size_t at = below(text.size());
    while (at < text.size() &&
           !std::isdigit(static_cast<unsigned char>(text[at])))
      ++at;
    size_t end = at;
    while (end < text.size() &&
           std::isxdigit(static_cast<unsigned char>(text[end])))
      ++end;
    text.replace(at, end - at, kNumbers[below(std::size(kNumbers))]);
  }

  Span line() {
    size_t begin = below(text.size());
    while (begin > 0 && text[begin - 1] != '\n')
      --begin;
    size_t end = text.find('\n', begin);
    return {begin, end == std::string::npos ? text.size() : end + 1};
  }

  /// Removes a line, repeats it, or puts it elsewhere.
  void changeLines() {
    Span from = line();
    std::string taken = text.substr(from.begin, from.end - from.begin);
    uint64_t how = below(3);
    if (how != 1)
      text.erase(from.begin, from.end - from.begin);
    if (how != 0 && !text.empty())
      text.insert(line().begin, taken);
  }

  std::string text;
  std::mt19937_64 &random;
};

/// Where parameters point: enough for small kernels, all of it the machine's.
constexpr uint64_t kBufferBytes = 1 << 16;

LaunchConfig smallLaunch(const KernelInfo &kernel, uint64_t buffer,
                         bool checkMemory) {
  LaunchConfig config;
  config.block.x = 64;
  config.hostThreads = 1;
  config.maxWarpInstructions = 1 << 14;
  config.checkMemory = checkMemory;
  config.parameters.resize(kernel.parameterBytes);
  for (size_t at = 0; at + 8 <= config.parameters.size(); at += 8)
    std::memcpy(config.parameters.data() + at, &buffer, 8);
  return config;
}

} // namespace

std::string mutate(std::string_view text, std::mt19937_64 &random) {
  return Mutation(text, random).run();
}

bool loadAndRun(std::string_view text, bool checkMemory) {
  GlobalMemory memory;
  auto buffer = memory.allocate(kBufferBytes);
  if (!buffer)
    return false;
  auto module = LoadedModule::load(text, memory);
  if (!module)
    return false;
  for (const KernelInfo &kernel : (*module)->kernels())
    (void)(*module)->launch(kernel.name,
                            smallLaunch(kernel, *buffer, checkMemory));
  return true;
}

} // namespace ctc::ptx::testing
