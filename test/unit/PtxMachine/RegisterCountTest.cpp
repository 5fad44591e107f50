//===- RegisterCountTest.cpp - setmaxnreg ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::HasSubstr;

namespace {

std::string set(const char *action, int count) {
  return std::string("setmaxnreg.") + action + ".sync.aligned.u32 " +
         std::to_string(count) + ";";
}

/// A kernel of 384 threads with these directives; warpgroup 0 runs `first`, the
/// others run `others`. The message without what names the place.
std::string run(const std::string &directives, const std::string &first,
                const std::string &others) {
  const std::string ptx =
      std::string(kHeader) + ".visible .entry k()\n" + directives +
      "\n{\n.reg .pred %p<2>;\n.reg .b32 %t<2>;\nmov.u32 %t0, "
      "%tid.x;\nsetp.ge.u32 %p0, %t0, 128;\n@%p0 bra OTHERS;\n" +
      first + "\nbra END;\nOTHERS:\n" + others + "\nEND:\nret;\n}\n";
  LaunchConfig config;
  config.block.x = 384;
  std::string message = runMessage(ptx, config);
  size_t at = message.find(";': ");
  return at == std::string::npos ? message : message.substr(at + 4);
}

/// 65536 registers / 384 threads: 168 each, 504 for three warps.
std::string bounds() { return ".maxntid 384, 1, 1 .minnctapersm 1"; }

TEST(RegisterCountTest, LegalValues) {
  for (int count : {24, 32, 168, 256})
    EXPECT_EQ(loadMessage(kernel(set("dec", count))), "loaded");
  for (int count : {0, 16, 28, 255, 264, -24})
    EXPECT_THAT(
        loadMessage(kernel(set("inc", count))),
        HasSubstr(
            "the count of registers must be a multiple of 8 from 24 to 256"))
        << count;
  for (const char *form :
       {"setmaxnreg.inc.aligned.u32 240;", "setmaxnreg.sync.aligned.u32 240;",
        "setmaxnreg.inc.sync.aligned 240;",
        "setmaxnreg.inc.sync.aligned.u32 240, 8;"})
    EXPECT_THAT(loadMessage(kernel(form)), HasSubstr("unknown instruction"));
}

TEST(RegisterCountTest, WhatOneWarpgroupGivesOthersGet) {
  EXPECT_EQ(run(bounds(), set("dec", 24), set("inc", 240)), "ran");
  EXPECT_EQ(run(bounds(), set("dec", 40), set("inc", 232)), "ran");
  EXPECT_EQ(run(".reqntid 384, 1, 1 .minnctapersm 1", set("dec", 24),
                set("inc", 240)),
            "ran");
  EXPECT_EQ(run(".maxnreg 168", set("dec", 24), set("inc", 240)), "ran");
  // To the same count, and back again.
  EXPECT_EQ(run(bounds(), set("dec", 168) + set("dec", 160) + set("inc", 168),
                set("inc", 168)),
            "ran");
}

/// 2 * 240 + 40 are more than 504: two warps of each two get none.
TEST(RegisterCountTest, MoreThanThereAreIsADeadlock) {
  EXPECT_THAT(
      run(bounds(), set("dec", 40), set("inc", 240)),
      HasSubstr("deadlock, no warp of the block can go on; waiting are warp 11 "
                "at 'setmaxnreg.inc.sync.aligned.u32 240;' (PTX line 15)"));
  EXPECT_THAT(run(".maxnreg 160", "", set("inc", 168)), HasSubstr("deadlock"));
}

TEST(RegisterCountTest, WrongDirections) {
  EXPECT_EQ(
      run(bounds(), set("dec", 176), ""),
      "it releases registers, but the warp's 168 per thread are less than 176");
  EXPECT_EQ(
      run(bounds(), set("inc", 160), ""),
      "it requests registers, but the warp's 168 per thread are more than 160");
  EXPECT_EQ(
      run(bounds(), set("dec", 40) + set("dec", 48), ""),
      "it releases registers, but the warp's 40 per thread are less than 48");
}

/// Without directives nobody knows the count, and the instruction does nothing.
TEST(RegisterCountTest, UnknownCounts) {
  EXPECT_EQ(run("", set("dec", 256) + set("inc", 24), set("inc", 256)), "ran");
  EXPECT_EQ(run(".maxntid 384, 1, 1", set("inc", 24), ""), "ran");
}

TEST(RegisterCountTest, TheWholeWarpgroupMustExecuteIt) {
  EXPECT_EQ(run(bounds(),
                "setp.gt.u32 %p1, %t0, 7; @%p1 bra END;" + set("dec", 24), ""),
            "an aligned instruction needs all 32 threads of the warp together; "
            "lanes 0xff are here, and 0xffffffff have not exited");
  EXPECT_EQ(run(bounds(),
                "setp.gt.u32 %p1, %t0, 63; @%p1 bra END;" + set("dec", 24), ""),
            "all warps of the warpgroup must execute "
            "'setmaxnreg.dec.sync.aligned.u32 24;' (PTX line 12); this one "
            "ends without");
}

} // namespace
