//===- ProgrammaticLaunchTest.cpp -----------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// LLVM may move a load of an argument that a kernel only reads: none may come
// before griddepcontrol.wait in the PTX, which follows the IR's order.

#include "EndToEndTesting.h"
#include "ctc/Chips/Chips.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Regex.h"

#include <gtest/gtest.h>

using namespace ctc;
using llvm::StringRef;

namespace {

/// A layer with bias: of simt, of matrix instructions, and of groups.
struct Case {
  const char *x, *w, *bias, *y;
  const char *attributes;
};

const Case kCases[] = {
    {"1x3x9x9xf32", "3x4x3x3xf32", "4xf32", "1x4x19x19xf32",
     "stride = array<i64: 2, 2>"},
    {"2x64x16x16xf32", "64x64x4x4xf32", "64xf32", "2x64x34x34xf32",
     "stride = array<i64: 2, 2>"},
    {"2x512x1024xf32", "512x256x8xf32", "256xf32", "2x256x4100xf32",
     "stride = array<i64: 4>"},
    {"?x16x16x128xbf16", "128x128x3x3xbf16", "128xbf16", "?x33x33x128xbf16",
     "stride = array<i64: 2, 2>, layout = #ctc.layout<channels_last>"},
    {"4x32x32x64xf16", "64x1x2x2xf16", "64xf16", "4x64x64x64xf16",
     "stride = array<i64: 2, 2>, groups = 64 : i64, "
     "layout = #ctc.layout<channels_last>"},
    {"1x8x8x8x256xf32", "256x256x1x1x1xf32", "256xf32", "1x8x8x8x256xf32",
     "precision = #ctc.precision<tf32x3>, "
     "layout = #ctc.layout<channels_last>"}};

std::string moduleOf(const Case &one) {
  auto tensor = [](StringRef shape) { return ("tensor<" + shape + ">").str(); };
  const std::string x = tensor(one.x), w = tensor(one.w), y = tensor(one.y),
                    bias = tensor(one.bias);
  const bool dynamic = one.y[0] == '?';
  std::string text = "func.func @layer(%x: " + x + ", %w: " + w +
                     ", %b: " + bias + ") -> " + y + " {\n";
  if (dynamic)
    text += "  %zero = arith.constant 0 : index\n"
            "  %n = tensor.dim %x, %zero : " +
            x + "\n";
  return text + "  %y = tensor.empty(" + (dynamic ? "%n" : "") + ") : " + y +
         "\n  %0 = ctc.conv_transpose ins(%x, %w : " + x + ", " + w +
         ") bias(%b : " + bias + ") outs(%y : " + y + ") {" + one.attributes +
         "} -> " + y + "\n  return %0 : " + y + "\n}\n";
}

/// The lines of a kernel's body.
llvm::SmallVector<StringRef> bodyOf(StringRef ptx, StringRef kernel) {
  const auto [before, after] = ptx.split((".entry " + kernel + "(").str());
  EXPECT_FALSE(after.empty()) << kernel.str();
  llvm::SmallVector<StringRef> lines;
  after.split(".visible .entry").first.split(lines, '\n');
  return lines;
}

/// Numbers of the lines that match.
std::vector<size_t> linesWith(llvm::ArrayRef<StringRef> lines,
                              StringRef pattern) {
  const llvm::Regex regex(pattern);
  std::vector<size_t> found;
  for (auto [i, line] : llvm::enumerate(lines))
    if (regex.match(line))
      found.push_back(i);
  return found;
}

void checkLaunches(const ChipImage &image, bool programmatic) {
  const Entry &entry = image.manifest.entries.front();
  for (const auto *launches : {&entry.prepare, &entry.run})
    for (const Launch &launch : *launches) {
      SCOPED_TRACE(launch.kernel);
      EXPECT_EQ(launch.programmatic, programmatic);
      const auto body = bodyOf(image.ptx, launch.kernel);
      const auto waits = linesWith(body, "griddepcontrol\\.wait;");
      const auto accesses = linesWith(
          body, "(ld|st|red|atom|prefetch[a-z]*)\\.([a-z]+\\.)*global|"
                "cp\\.(async|reduce)|multimem|tensormap");
      ASSERT_FALSE(accesses.empty());
      ASSERT_EQ(waits.size(), programmatic ? 1u : 0u);
      if (!programmatic)
        continue;
      EXPECT_LT(waits.front(), accesses.front());
      // Nor may a thread pass by it.
      const auto branches = linesWith(body, "\tbra|[\t ]ret;");
      ASSERT_FALSE(branches.empty());
      EXPECT_LT(waits.front(), branches.front());
    }
}

TEST(ProgrammaticLaunch, NothingIsTouchedBeforeTheWait) {
  std::set<std::string> families;
  for (const Case &one : kCases)
    for (const Chip &chip : allChips()) {
      SCOPED_TRACE(std::string(one.x) + " on " + std::string(chip.name));
      const Bundle bundle =
          endtoend::compileLayer(moduleOf(one), std::string(chip.name));
      ASSERT_EQ(bundle.images.size(), 1u);
      const ChipImage &image = bundle.images.front();
      families.insert(image.manifest.entries.front().family);
      checkLaunches(image, hasProgrammaticLaunch(chip));
    }
  EXPECT_EQ(families, (std::set<std::string>{"mma_sync", "simt", "wgmma_ra"}));
}
} // namespace
