//===- MutantTest.cpp - Wrong kernels must fail the check -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels of mma_sync with a mistake planted in their PTX, executed on the cpu
// device and checked as ctc verify does. The kernel without one passes, so it
// is the mistake that the check rejects.
//
//===----------------------------------------------------------------------===//

#include "EndToEndTesting.h"

#include <gtest/gtest.h>
#include <regex>

using namespace ctc;
using endtoend::rejectedBy;

namespace {

/// Two grouped phases of two taps, two chunks of channels, a box that is not
/// full.
std::string layerText(ElementType type) {
  std::string text = R"mlir(
    func.func @layer(%x: tensor<1x32x24xTYPE>, %w: tensor<32x16x4xTYPE>)
        -> tensor<1x16x50xTYPE> {
      %y = tensor.empty() : tensor<1x16x50xTYPE>
      %0 = ctc.conv_transpose
          ins(%x, %w : tensor<1x32x24xTYPE>, tensor<32x16x4xTYPE>)
          outs(%y : tensor<1x16x50xTYPE>)
          {stride = array<i64: 2>,
           kernel = #ctc.kernel<family = mma_sync, lanes = positions,
             batch = 1, box = [16], phases = [2], taps = [4],
             chunk_channels = 16, workers = [1, 1], worker_tile = [16, 16],
             stages = 2, clip = false, source = explicit>}
          -> tensor<1x16x50xTYPE>
      return %0 : tensor<1x16x50xTYPE>
    })mlir";
  for (size_t at = 0; (at = text.find("TYPE")) != std::string::npos;)
    text.replace(at, 4, name(type));
  return text;
}

/// Replaces matches of `pattern` from place `first` on, `count` of them.
/// Returns how many there were.
int replace(std::string &ptx, const char *pattern, const char *with,
            int first = 0, int count = 1000) {
  const std::regex expression(pattern);
  std::string result;
  int number = 0;
  auto at = ptx.cbegin();
  for (std::sregex_iterator it(ptx.begin(), ptx.end(), expression), end;
       it != end; ++it, ++number) {
    result.append(at, ptx.cbegin() + it->position());
    result += number >= first && number < first + count ? it->format(with)
                                                        : it->str();
    at = ptx.cbegin() + it->position() + it->length();
  }
  result.append(at, ptx.cend());
  ptx = result;
  return number;
}

Bundle compileLayer(ElementType type) {
  return endtoend::compileLayer(layerText(type));
}

constexpr const char *kRound = R"(cvt\.rna\.tf32\.f32\s+(%\w+), (%\w+);)";
constexpr const char *kMultiply =
    R"(mma\.sync\S+\s+\{(%\w+), (%\w+), (%\w+), (%\w+)\},)"
    R"(\s+\{[^}]+\},\s+\{[^}]+\},)"
    R"(\s+\{(%\w+), (%\w+), (%\w+), (%\w+)\};)";
constexpr const char *kSum =
    "mov.b32 $1, $5; mov.b32 $2, $6; mov.b32 $3, $7; mov.b32 $4, $8;";
/// A load of one word of positions, and the same one position further.
constexpr const char *kLoad =
    R"(ld\.shared\.b32\s+(%\w+), \[(%\w+)([^\]]*)\];)";
constexpr const char *kNextLoad =
    "{ .reg .b64 %next; add.s64 %next, $2, 4; ld.shared.b32 $1, [%next$3]; }";

class Mutants : public ::testing::TestWithParam<ElementType> {
protected:
  void SetUp() override { bundle = compileLayer(GetParam()); }
  std::string &ptx() { return bundle.images.front().ptx; }

  Bundle bundle;
};

TEST_P(Mutants, TheRightKernelPasses) { EXPECT_EQ(rejectedBy(bundle), ""); }

TEST_P(Mutants, DroppedTapFails) {
  // One tap of one phase: its instructions of the first step, as a tap's.
  ASSERT_GT(replace(ptx(), kMultiply, kSum, 0, 2), 2);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

TEST_P(Mutants, ShiftedPhaseFails) {
  // All loads of positions of the first shift read one position further: four
  // words, two octets of positions by two registers.
  ASSERT_GT(replace(ptx(), kLoad, kNextLoad, 0, 4), 4);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

INSTANTIATE_TEST_SUITE_P(Types, Mutants,
                         ::testing::Values(ElementType::F32, ElementType::F16,
                                           ElementType::BF16),
                         [](const auto &info) {
                           return std::string(name(info.param));
                         });

TEST(MutantsOfRounding, BF16WhereTF32IsDueFails) {
  Bundle bundle = compileLayer(ElementType::F32);
  // Seven fraction bits, as close as cutting comes to bf16.
  ASSERT_GT(
      replace(bundle.images.front().ptx, kRound, "and.b32 $1, $2, 0xFFFF0000;"),
      1);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

TEST(MutantsOfRounding, TruncationFails) {
  Bundle bundle = compileLayer(ElementType::F32);
  // Exact fills fit tf32, so only the random one can tell.
  ASSERT_GT(
      replace(bundle.images.front().ptx, kRound, "and.b32 $1, $2, 0xFFFFE000;"),
      1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}

TEST(MutantsOfRounding, NoRoundingAtAllFails) {
  Bundle bundle = compileLayer(ElementType::F32);
  ASSERT_GT(replace(bundle.images.front().ptx, kRound, "mov.b32 $1, $2;"), 1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}
} // namespace
