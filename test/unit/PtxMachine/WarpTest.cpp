//===- WarpTest.cpp - shfl, vote, match, redux, elect ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

u32s laneValues() {
  u32s result;
  for (uint32_t i = 0; i < 32; ++i)
    result.push_back(100 + i);
  return result;
}

u32s shuffle(const std::string &form) {
  return lanes<uint32_t>("shfl.sync." + form +
                             ", -1;"
                             "@!%p0 add.u32 %r, %r, 1000;",
                         laneValues());
}

TEST(WarpTest, ShuffleModes) {
  auto up = shuffle("up.b32 %r|%p0, %a, 3, 0");
  auto down = shuffle("down.b32 %r|%p0, %a, 3, 31");
  auto butterfly = shuffle("bfly.b32 %r|%p0, %a, 5, 31");
  auto index = shuffle("idx.b32 %r|%p0, %a, 7, 31");
  for (uint32_t i = 0; i < 32; ++i) {
    EXPECT_EQ(up[i], i < 3 ? 1100 + i : 97 + i);
    EXPECT_EQ(down[i], i > 28 ? 1100 + i : 103 + i);
    EXPECT_EQ(butterfly[i], 100 + (i ^ 5));
    EXPECT_EQ(index[i], 107u);
  }
}

TEST(WarpTest, ShuffleSegments) {
  // Width 8: the segment mask is 0b11000, the clamp 7 (for .up 0).
  auto down = shuffle("down.b32 %r|%p0, %a, 2, 0x1807");
  auto up = shuffle("up.b32 %r|%p0, %a, 2, 0x1800");
  auto index = shuffle("idx.b32 %r|%p0, %a, 3, 0x1807");
  for (uint32_t i = 0; i < 32; ++i) {
    EXPECT_EQ(down[i], i % 8 > 5 ? 1100 + i : 102 + i);
    EXPECT_EQ(up[i], i % 8 < 2 ? 1100 + i : 98 + i);
    EXPECT_EQ(index[i], 100 + i / 8 * 8 + 3);
  }
}

TEST(WarpTest, ShuffleInPlace) {
  auto result = lanes<uint32_t>(
      "mov.u32 %r, %a; shfl.sync.bfly.b32 %r, %r, 1, 31, -1;", laneValues());
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], 100 + (i ^ 1));
}

TEST(WarpTest, Votes) {
  const std::string some = "setp.lt.u32 %p0, %a, 104;";
  EXPECT_THAT(
      lanes<uint32_t>(some + "vote.sync.ballot.b32 %r, %p0, -1;", laneValues()),
      ::testing::Each(0xfu));
  auto run = [&](const std::string &vote) {
    return lanes<uint32_t>(some + "vote.sync." + vote +
                               ", -1; selp.u32 %r, 1, 0, %p1;",
                           laneValues())[5];
  };
  EXPECT_EQ(run("all.pred %p1, %p0"), 0u);
  EXPECT_EQ(run("any.pred %p1, %p0"), 1u);
  EXPECT_EQ(run("uni.pred %p1, %p0"), 0u);
  EXPECT_EQ(run("any.pred %p1, !%p0"), 1u);
  EXPECT_EQ(run("all.pred %p1, 1"), 1u);
}

TEST(WarpTest, CollectivesOfHalfAWarp) {
  // Each side of the branch shuffles among its own lanes.
  auto result = lanes<uint32_t>(R"(
    setp.lt.u32 %p0, %a, 116;
    @%p0 bra LOW;
    shfl.sync.bfly.b32 %r, %a, 1, 31, 0xffff0000;
    bra END;
  LOW:
    shfl.sync.bfly.b32 %r, %a, 2, 31, 0x0000ffff;
  END:)",
                                laneValues());
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], 100 + (i < 16 ? i ^ 2 : i ^ 1));
}

TEST(WarpTest, LanesWaitForEachOther) {
  // Both sides meet at different bar.warp.sync; what one stores the other sees.
  auto result = lanes<uint32_t>(R"(
    .shared .align 4 .b8 box[8];
    mov.u32 %t0, box;
    shr.u32 %t1, %i, 5;
    mad.lo.u32 %t0, %t1, 4, %t0;
    setp.eq.u32 %p0, %a, 100;
    @%p0 bra WRITER;
    bar.warp.sync -1;
    ld.shared.u32 %r, [%t0];
    bra END;
  WRITER:
    st.shared.u32 [%t0], 4711;
    bar.warp.sync -1;
    mov.u32 %r, 4711;
  END:)",
                                laneValues());
  EXPECT_THAT(result, ::testing::Each(4711u));
}

TEST(WarpTest, MatchAndReduce) {
  u32s thirds;
  for (uint32_t i = 0; i < 32; ++i)
    thirds.push_back(i % 3);
  auto same = lanes<uint32_t>("match.any.sync.b32 %r, %a, -1;", thirds);
  EXPECT_EQ(same[0], 0x49249249u);
  EXPECT_EQ(same[1], 0x92492492u);
  EXPECT_THAT(lanes<uint32_t>("match.all.sync.b32 %r|%p0, %a, -1;"
                              "@%p0 mov.u32 %r, 5;",
                              thirds),
              ::testing::Each(0u));
  EXPECT_THAT(lanes<uint32_t>("redux.sync.add.u32 %r, %a, -1;", thirds),
              ::testing::Each(31u));
  EXPECT_THAT(lanes<uint32_t>("sub.u32 %t0, %a, 1;"
                              "redux.sync.min.s32 %r, %t0, -1;",
                              thirds),
              ::testing::Each(0xffffffffu));
}

TEST(WarpTest, MatchOf64BitsAndAll) {
  u64s values;
  for (uint64_t i = 0; i < 32; ++i)
    values.push_back(uint64_t(i % 2) << 40);
  EXPECT_EQ(lanes<uint32_t>("match.any.sync.b64 %r, %a, -1;", values)[2],
            0x55555555u);
  EXPECT_THAT(lanes<uint32_t>("and.b64 %a, %a, 1;"
                              "match.all.sync.b64 %r|%p0, %a, -1;"
                              "@!%p0 mov.u32 %r, 5;",
                              values),
              ::testing::Each(0xffffffffu));
  EXPECT_THAT(loadMessage(kernel("match.any.sync.b32 %t0|%p0, %t1, -1;")),
              HasSubstr("unknown instruction"));
}

TEST(WarpTest, ReductionsOfHalfAWarp) {
  auto result = lanes<uint32_t>(R"(
    setp.lt.u32 %p0, %a, 108;
    mov.u32 %r, 0;
    @%p0 redux.sync.max.u32 %r, %a, 0xff;
    @!%p0 redux.sync.xor.b32 %r, %a, 0xffffff00;)",
                                laneValues());
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], i < 8 ? 107u : 0u);
  EXPECT_EQ(lanes<uint32_t>("redux.sync.and.b32 %r, %a, -1;", laneValues())[0],
            0u);
  EXPECT_EQ(lanes<uint32_t>("redux.sync.or.b32 %r, %a, -1;", laneValues())[0],
            255u);
  EXPECT_EQ(lanes<uint32_t>("redux.sync.add.s32 %r, 0x10000001, -1;",
                            laneValues())[0],
            32u);
  for (const char *form : {"add.b32", "and.u32", "min.b32", "add.f32",
                           "min.abs.u32", "max.NaN.s32"})
    EXPECT_THAT(loadMessage(kernel("redux.sync." + std::string(form) +
                                   " %t0, %t1, -1;")),
                HasSubstr("unknown instruction"));
}

TEST(WarpTest, ReductionsOfFloats) {
  auto run = [](const std::string &form, const f32s &some) {
    f32s values = some;
    values.resize(32, some.back());
    // Needs sm_100a, so it is not one that a recording repeats on sm_90.
    return bits(runLanes<float>("redux.sync." + form + ".f32 %r, %a, -1;", 32,
                                false, values)[7]);
  };
  const f32s numbers{1, -3, 2.5f, 0}, zeros{0.0f, -0.0f};
  EXPECT_EQ(run("min", numbers), bits(-3.0f));
  EXPECT_EQ(run("max", numbers), bits(2.5f));
  EXPECT_EQ(run("max.abs", numbers), bits(3.0f));
  EXPECT_EQ(run("min.abs", numbers), bits(0.0f));
  EXPECT_EQ(run("min", zeros), bits(-0.0f));
  EXPECT_EQ(run("max", zeros), bits(0.0f));
  EXPECT_EQ(run("max", {-2, -1}), bits(-1.0f));
  EXPECT_EQ(run("max", {-kInfinity, kNaN, fromBits(0x80000001)}), 0x80000001u);
  EXPECT_EQ(run("min", {kNaN, 5, 7}), bits(5.0f));
  EXPECT_EQ(run("min.NaN", {5, kNaN, 7}), kCanonicalNaN);
  EXPECT_EQ(run("max.abs.NaN", {5, -7, 6}), bits(7.0f));
  EXPECT_EQ(run("max", {fromBits(0xffc00001), kNaN}), kCanonicalNaN);
}

TEST(WarpTest, ElectTakesTheLowestLane) {
  auto result = lanes<uint32_t>("elect.sync %t0|%p0, -1;"
                                "selp.u32 %r, 1, 0, %p0; add.u32 %r, %r, %t0;",
                                laneValues());
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], i == 0 ? 1u : 0u);
  // Without the lane, among some, with a mask from a register.
  result = lanes<uint32_t>("mov.u32 %t1, 0xfff0; mov.u32 %r, 0;"
                           "setp.gt.u32 %p1, %a, 103; setp.lt.u32 %p2, %a, 116;"
                           "and.pred %p1, %p1, %p2;"
                           "@%p1 elect.sync _|%p0, %t1;"
                           "and.pred %p1, %p1, %p0; selp.u32 %r, 1, 0, %p1;",
                           laneValues());
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], i == 4 ? 1u : 0u);
}

TEST(WarpTest, AThreadOutsideItsMaskIsAFault) {
  LaunchConfig config;
  config.block.x = 32;
  EXPECT_EQ(runMessage(kernel("bar.warp.sync 1;"), config),
            "kernel 'k', block (0, 0, 0), thread (1, 0, 0), PTX line 10, "
            "'bar.warp.sync 1;': the thread is not in the member mask it "
            "gives");
}

} // namespace
