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

/// Why a kernel that waits may touch memory before it has; empty where it may
/// not.
std::string touchesBeforeWaiting(llvm::ArrayRef<StringRef> body) {
  const auto waits = linesWith(body, "griddepcontrol\\.wait;");
  const auto accesses = linesWith(
      body, "[\t ](ld|st|red|atom|atomic|prefetchu?|ldu)\\.([a-z0-9:]+\\.)*"
            "(global|[bfsuv][0-9]+)|cp\\.(async|reduce)|multimem|tensormap|"
            "[\t ]call");
  // Parameters, constants of the module and workgroup memory are nobody else's.
  const auto own = linesWith(body, "[\t ](ld|st)\\.(param|shared|local|const)");
  const auto leaves = linesWith(body, "[\t ](bra|brx|ret|exit)[ .;]");
  if (waits.size() != 1)
    return std::to_string(waits.size()) + " waits";
  for (size_t line : accesses)
    if (line < waits.front() && !llvm::is_contained(own, line))
      return "before the wait: " + body[line].str();
  for (size_t line : leaves)
    if (line < waits.front())
      return "passes by the wait: " + body[line].str();
  return "";
}

void checkLaunches(const ChipImage &image, bool programmatic) {
  const Entry &entry = image.manifest.entries.front();
  for (const auto *launches : {&entry.prepare, &entry.run})
    for (const Launch &launch : *launches) {
      SCOPED_TRACE(launch.kernel);
      EXPECT_EQ(launch.programmatic, programmatic);
      EXPECT_EQ(touchesBeforeWaiting(bodyOf(image.ptx, launch.kernel)),
                programmatic ? "" : "0 waits");
    }
}

TEST(ProgrammaticLaunch, PlantedFaultsAreFound) {
  auto check = [](StringRef text) {
    llvm::SmallVector<StringRef> lines;
    text.split(lines, '\n');
    return touchesBeforeWaiting(lines);
  };
  const std::string wait = "\tgriddepcontrol.wait;\n";
  EXPECT_EQ(check("\tld.param.b64 \t%rd1, [p];\n" + wait +
                  "\tld.global.nc.b32 \t%r1, [%rd1];\n\tret;"),
            "");
  for (const char *planted :
       {"\tld.global.nc.b32 \t%r1, [%rd1];",
        "\tld.global.nc.L1::no_allocate.v4.b32 \t{%r1}, [%rd1];",
        "\tld.b32 \t%r1, [%rd1];", "\tst.v2.b64 \t[%rd1], {%rd2, %rd3};",
        "\t@%p1 ld.global.b32 \t%r1, [%rd1];",
        "\tcp.async.ca.shared.global [%r1], [%rd1], 4, 4;",
        "\tcall.uni (retval0), exp, (param0);"})
    EXPECT_EQ(check(planted + ("\n" + wait)),
              std::string("before the wait: ") + planted);
  for (const char *planted :
       {"\t@%p1 bra \t$L__BB0_2;", "\tbra.uni \t$L__BB0_2;", "\t@%p2 ret;"})
    EXPECT_EQ(check(planted + ("\n" + wait)),
              std::string("passes by the wait: ") + planted);
  EXPECT_EQ(check(wait + wait), "2 waits");
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
