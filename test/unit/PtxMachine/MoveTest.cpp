//===- MoveTest.cpp - mov, selp, slct, special registers ------------------===//
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

TEST(MoveTest, LiteralsOfEveryForm) {
  u32s any{0};
  auto run = [&](const std::string &literal) {
    return lanes<uint32_t>("mov.b32 %r, " + literal + ";", any)[0];
  };
  EXPECT_EQ(run("42"), 42u);
  EXPECT_EQ(run("-1"), 0xffffffffu);
  EXPECT_EQ(run("0x1fU"), 31u);
  EXPECT_EQ(run("0b101"), 5u);
  EXPECT_EQ(run("017"), 15u);
  EXPECT_EQ(run("0f3F800000"), 0x3f800000u);
  EXPECT_EQ(run("WARP_SZ"), 32u);
  EXPECT_THAT(lanes<float>("mov.f32 %r, 0.5;", any), ElementsAre(0.5f));
  EXPECT_THAT(lanes<double>("mov.f64 %r, 0d4000000000000000;", any),
              ElementsAre(2));
}

TEST(MoveTest, PacksAndUnpacks) {
  EXPECT_THAT(lanes<uint64_t>("mov.b64 %r, {%a, %b};", u32s{1}, u32s{2}),
              ElementsAre(0x200000001));
  EXPECT_THAT(lanes<uint32_t>("mov.b64 {_, %r}, %a;", u64s{0x500000001}),
              ElementsAre(5));
  EXPECT_THAT(lanes<uint32_t>("mov.b32 {%h0, %h1}, %a; mov.b32 %r, {%h1, %h0};",
                              u32s{0x12345678}),
              ElementsAre(0x56781234));
  EXPECT_THAT(lanes<uint64_t>("mov.b64 {%h0, %h1, %h2, %h3}, %a;"
                              "mov.b64 %r, {%h3, %h2, %h1, %h0};",
                              u64s{0x0001000200030004}),
              ElementsAre(0x0004000300020001));
}

TEST(MoveTest, Selects) {
  EXPECT_THAT(lanes<uint64_t>("setp.eq.u64 %p0, %a, 1;"
                              "selp.b64 %r, 10, 20, %p0;",
                              u64s{1, 2}),
              ElementsAre(10, 20));
  EXPECT_THAT(lanes<uint32_t>("slct.u32.s32 %r, 1, 2, %a;", s32s{0, -1}),
              ElementsAre(1, 2));
  EXPECT_THAT(lanes<uint32_t>("slct.u32.f32 %r, 1, 2, %a;",
                              f32s{-0.0f, -1, kNaN, -0x1p-140f}),
              ElementsAre(1, 2, 2, 2));
  EXPECT_THAT(
      lanes<uint32_t>("slct.ftz.u32.f32 %r, 1, 2, %a;", f32s{-0x1p-140f}),
      ElementsAre(1));
}

TEST(MoveTest, GuardsKeepWhatIsNotWritten) {
  EXPECT_THAT(lanes<uint32_t>("setp.gt.u32 %p0, %a, 1; mov.u32 %r, 7;"
                              "@%p0 mov.u32 %r, 8; @!%p0 add.u32 %r, %r, 10;",
                              u32s{1, 2, 3}),
              ElementsAre(17, 8, 8));
}

TEST(MoveTest, SpecialRegisters) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      kernel("ld.param.u64 %w0, [out];"
             "mov.u32 %t0, %ctaid.y; mov.u32 %t1, %nctaid.x;"
             "mov.u32 %t2, %ctaid.x; mad.lo.u32 %t0, %t0, %t1, %t2;" // Block.
             "mov.u32 %t1, %tid.y; mov.u32 %t2, %ntid.x;"
             "mov.u32 %t3, %tid.x; mad.lo.u32 %t1, %t1, %t2, %t3;" // Thread.
             "mad.lo.u32 %t2, %t0, 48, %t1; mad.wide.u32 %w0, %t2, 16, %w0;"
             "mov.u32 %t4, %laneid; mov.u32 %t5, %warpid;"
             "mov.u32 %t6, %lanemask_lt; mov.u64 %w1, %clock64;"
             "st.global.v4.b32 [%w0], {%t0, %t4, %t5, %t6};",
             ".param .u64 out"),
      memory);
  ASSERT_TRUE(module) << module.error().message;
  LaunchConfig config;
  config.grid = {2, 2, 1};
  config.block = {12, 4, 1};
  uint64_t out = *memory.allocate(4 * 48 * 16);
  config.parameters = parameters({out});
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  const auto *words = reinterpret_cast<const uint32_t *>(out);
  for (uint32_t i = 0; i < 4 * 48; ++i) {
    uint32_t lane = i % 48 % 32;
    EXPECT_EQ(words[4 * i], i / 48);
    EXPECT_EQ(words[4 * i + 1], lane);
    EXPECT_EQ(words[4 * i + 2], i % 48 / 32);
    EXPECT_EQ(words[4 * i + 3], (uint32_t(1) << lane) - 1);
  }
}

} // namespace
