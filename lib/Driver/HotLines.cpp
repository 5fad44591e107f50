//===- HotLines.cpp - Where a kernel spends its time ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HotLines.h"
#include "TimeEstimate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <map>

using namespace ctc;
using namespace ctc::driver;
using llvm::StringRef;

template <class T> static void sortByTime(std::vector<T> &all) {
  llvm::stable_sort(
      all, [](const T &a, const T &b) { return a.seconds > b.seconds; });
}

std::vector<HotInstruction> driver::hottest(const LaunchProfile &launch,
                                            const Chip &chip) {
  std::vector<HotInstruction> hot;
  for (const InstructionProfile &one : launch.instructions)
    if (one.warps > 0)
      hot.push_back({&one, secondsAlone(one, chip)});
  sortByTime(hot);
  return hot;
}

/// PTX ISA, "Debugging Directives: .loc": file, line, column.
static uint32_t lineOfDirective(StringRef directive) {
  StringRef left = directive.ltrim();
  unsigned long long file = 0, line = 0;
  if (left.consumeInteger(10, file))
    return 0;
  left = left.ltrim();
  return left.consumeInteger(10, line) ? 0 : static_cast<uint32_t>(line);
}

std::vector<uint32_t> driver::namedLines(StringRef ptx) {
  std::vector<uint32_t> named(1);
  uint32_t current = 0;
  while (!ptx.empty()) {
    const auto [line, rest] = ptx.split('\n');
    StringRef text = line.ltrim();
    if (text.consume_front(".loc"))
      current = lineOfDirective(text);
    else if (text.starts_with(".visible") || text.starts_with(".entry"))
      current = 0; // Of the function before.
    named.push_back(current);
    ptx = rest;
  }
  return named;
}

std::vector<HotLine> driver::hottestLines(const LaunchProfile &launch,
                                          const ChipImage &image,
                                          const Chip &chip) {
  if (image.listing.empty())
    return {};
  llvm::SmallVector<StringRef> listing;
  StringRef(image.listing).split(listing, '\n');
  const std::vector<uint32_t> named = namedLines(image.ptx);
  std::map<uint32_t, HotLine> lines;
  for (const HotInstruction &hot : hottest(launch, chip)) {
    const InstructionProfile &one = *hot.instruction;
    const uint32_t line = one.line < named.size() ? named[one.line] : 0;
    if (line == 0 || line > listing.size())
      continue;
    HotLine &sum = lines[line];
    sum.line = line;
    sum.text = listing[line - 1].trim().str();
    sum.warps = std::max(sum.warps, one.warps);
    sum.issued += one.issued();
    sum.seconds += hot.seconds;
  }
  std::vector<HotLine> result;
  for (auto &[line, sum] : lines)
    result.push_back(std::move(sum));
  sortByTime(result);
  return result;
}
