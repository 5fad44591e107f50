//===- ProfileTest.cpp - samples, sums and numbers of profiles ------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HotLines.h"
#include "ProfilePlots.h"
#include "ProfileSummary.h"
#include "Units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ctc;
using namespace ctc::driver;
using testing::ElementsAre;

namespace {

TEST(ProfileTest, SampleOfBlocks) {
  const std::vector<uint64_t> blocks = sampleBlocks(1000, 10);
  ASSERT_EQ(blocks.size(), 10u);
  bool regular = true;
  for (uint64_t i = 0; i < 10; ++i) {
    EXPECT_GE(blocks[i], 100 * i);
    EXPECT_LT(blocks[i], 100 * (i + 1));
    regular &= blocks[i] % 100 == blocks[0] % 100;
  }
  EXPECT_FALSE(regular);
  EXPECT_EQ(sampleBlocks(1000, 10), blocks);
  EXPECT_THAT(sampleBlocks(4, 4), ElementsAre(0, 1, 2, 3));
  // Shares of 1 and 2 blocks, and a grid whose products pass 64 bits.
  for (uint64_t i = 0; i < 3; ++i) {
    EXPECT_GE(sampleBlocks(5, 3)[i], 5 * i / 3);
    EXPECT_LT(sampleBlocks(5, 3)[i], 5 * (i + 1) / 3);
  }
  EXPECT_GE(sampleBlocks(uint64_t(1) << 62, 100).back(),
            (uint64_t(1) << 62) / 100 * 99);
}

InstructionProfile instruction(const char *kind, double warps,
                               std::array<unsigned, kPipes> pipes) {
  InstructionProfile one;
  one.kind = kind;
  one.warps = warps;
  one.threads = 32 * warps;
  one.pipes = pipes;
  return one;
}

LaunchProfile sampleLaunch() {
  LaunchProfile launch;
  launch.blocks = launch.executedBlocks = 132;
  launch.threads = 128;
  launch.instructions = {
      instruction("fp32", 10, {1}), instruction("integer", 4, {0, 2}),
      instruction("fp32", 20, {1}), instruction("shared load", 5, {}),
      instruction("control", 0, {})};
  launch.instructions[0].unit = launch.instructions[2].unit = CTC_MULTIPLY_FP32;
  launch.instructions[0].multiplyAdds = 320;
  launch.instructions[2].multiplyAdds = 640;
  launch.instructions[1].unit = CTC_MULTIPLY_INTEGER;
  launch.instructions[1].multiplyAdds = 128;
  launch.instructions[3].shared = {5, 640, 10, 5};
  launch.buffers = {{"input", 64, 256, 128, 0, 64, 0},
                    {"output", 32, 0, 0, 96, 0, 32}};
  return launch;
}

TEST(ProfileTest, Sums) {
  const LaunchProfile launch = sampleLaunch();
  const LaunchSummary sum = summarize(launch, nullptr, *findChip("sm_90a"));
  ASSERT_EQ(sum.classes.size(), 3u);
  EXPECT_EQ(sum.classes[0].kind, "fp32");
  EXPECT_EQ(sum.classes[0].warps, 30);
  EXPECT_EQ(sum.classes[1].kind, "integer");
  EXPECT_EQ(sum.classes[1].issued, 8);
  EXPECT_EQ(sum.all.warps, 39);
  EXPECT_EQ(sum.all.threads, 39 * 32);
  EXPECT_EQ(sum.all.issued, 38);
  EXPECT_THAT(sum.multiplyAdds,
              ElementsAre(testing::Pair(CTC_MULTIPLY_FP32, 960.),
                          testing::Pair(CTC_MULTIPLY_INTEGER, 128.)));
  EXPECT_EQ(sum.layerMultiplyAdds(), 960);
  ASSERT_EQ(sum.memory.size(), 1u);
  EXPECT_EQ(sum.memory[0].space, "shared");
  EXPECT_STREQ(sum.memory[0].unit(), "wavefronts");
  EXPECT_EQ(sum.memory[0].traffic.units, 10);
  EXPECT_EQ(sum.touchedBytes, 96);
  EXPECT_EQ(sum.blockLoadedBytes, 128);
  EXPECT_EQ(sum.storedBytes, 96);
}

TEST(ProfileTest, HottestFirst) {
  const LaunchProfile launch = sampleLaunch();
  const auto hot = hottest(launch, *findChip("sm_90a"));
  // Wavefronts: 10 at one a clock; 20 * 32 lanes at 128; 4 * 64 at 64; 2.5.
  ASSERT_EQ(hot.size(), 4u);
  EXPECT_EQ(hot[0].instruction, &launch.instructions[3]);
  EXPECT_EQ(hot[1].instruction, &launch.instructions[2]);
  EXPECT_EQ(hot[2].instruction, &launch.instructions[1]);
  EXPECT_EQ(hot[3].instruction, &launch.instructions[0]);
}

TEST(ProfileTest, LinesThatPtxNames) {
  const char *const ptx = ".visible .entry a()\n" // 1
                          "\t.loc\t1 12 3\n"
                          "add.s32 %r1, %r2, %r3;\n" // 3
                          "mov.b32 %r1, %r2;\n"
                          "\t.loc\t1 40 7, function_name $L, inlined_at 1 2 "
                          "3\n"
                          "sub.s32 %r1, %r2, %r3;\n" // 6
                          "\t.loc\t1 0 7\n"
                          "ret;\n" // 8
                          "\t.loc\t1 9 7\n"
                          ".visible .entry b()\n"
                          "ret;\n";
  EXPECT_THAT(namedLines(ptx),
              ElementsAre(0, 0, 12, 12, 12, 40, 40, 0, 0, 9, 0, 0));
  EXPECT_THAT(namedLines(""), ElementsAre(0));
}

TEST(ProfileTest, HottestLinesOfAListing) {
  LaunchProfile launch = sampleLaunch();
  // Lines 2 and 4 of the PTX belong to line 2 of the listing.
  for (uint32_t i = 0; i < launch.instructions.size(); ++i)
    launch.instructions[i].line = i + 2;
  ChipImage image;
  image.ptx = "\t.loc\t1 2 1\nfma;\n.loc 1 1 1\n.loc 1 2 1\n.loc 1 9 1\n";
  EXPECT_TRUE(hottestLines(launch, image, *findChip("sm_90a")).empty());
  image.listing = "first\n  second {\n";
  const auto hot = hottestLines(launch, image, *findChip("sm_90a"));
  // Line 3 names line 1; line 5 names one that the listing has not.
  ASSERT_EQ(hot.size(), 2u);
  EXPECT_EQ(hot[0].line, 2u);
  EXPECT_EQ(hot[0].text, "second {");
  EXPECT_EQ(hot[0].warps, 20);
  EXPECT_EQ(hot[0].issued, 30);
  EXPECT_EQ(hot[1].line, 1u);
}

TEST(ProfileTest, Bars) {
  std::string text;
  llvm::raw_string_ostream os(text);
  drawBars("a < b", {{"x & y", 2, "2 of \"2\""}, {"z", 1, "1", true, 2}}, os);
  EXPECT_THAT(text, testing::StartsWith("<svg viewBox=\"0 0 820 48\" "
                                        "role=\"img\" aria-label=\"a &lt; "
                                        "b\">"));
  EXPECT_THAT(text, testing::HasSubstr("x &amp; y</text>"));
  EXPECT_THAT(text, testing::HasSubstr("2 of &quot;2&quot;</text>"));
  EXPECT_THAT(text, testing::HasSubstr("width=\"330.0\""));
  EXPECT_THAT(text, testing::HasSubstr("class=\"strong\""));
  EXPECT_THAT(text, testing::HasSubstr("width=\"165.0\""));
  // The tick stands at the end of the longest bar.
  EXPECT_THAT(text, testing::HasSubstr("x1=\"520.0\" x2=\"520.0\""));
  text.clear();
  drawBars("nothing", {{"none", 0, "0"}}, os);
  EXPECT_THAT(text, testing::HasSubstr("width=\"0.0\""));
}

TEST(ProfileTest, NumbersForPeople) {
  EXPECT_EQ(countText(0), "0");
  EXPECT_EQ(countText(12), "12");
  EXPECT_EQ(countText(0.97), "0.97");
  EXPECT_EQ(countText(147456), "147.46 K");
  EXPECT_EQ(byteText(12), "12 B");
  EXPECT_EQ(byteText(45342), "44.28 KiB");
  EXPECT_EQ(timeText(2.345e-6), "2.35 us");
  EXPECT_EQ(timeText(12), "12.00 s");
}

} // namespace
