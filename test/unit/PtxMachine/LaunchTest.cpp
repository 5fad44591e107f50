//===- LaunchTest.cpp - what a launch checks and counts -------------------===//
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

std::string launch(const std::string &ptx, LaunchConfig config) {
  return runMessage(ptx, config);
}

TEST(LaunchTest, BlockSizes) {
  LaunchConfig config;
  config.block = {1025, 1, 1};
  EXPECT_EQ(launch(kernel(""), config),
            "kernel 'k': a block of (1025, 1, 1) threads; legal are 1 to 1024 "
            "threads");
  config.block = {0, 1, 1};
  EXPECT_THAT(launch(kernel(""), config), HasSubstr("legal are 1 to 1024"));
  config.block = {64, 2, 1};
  EXPECT_EQ(
      launch(".entry k() .maxntid 64, 1, 1 { ret; }", config),
      "kernel 'k': a block of (64, 2, 1) threads; .maxntid allows (64, 1, "
      "1)");
  EXPECT_EQ(
      launch(".entry k() .reqntid 128, 1, 1 { ret; }", config),
      "kernel 'k': a block of (64, 2, 1) threads; .reqntid asks for (128, "
      "1, 1)");
}

TEST(LaunchTest, GridParametersSharedMemory) {
  LaunchConfig config;
  config.grid.y = 0;
  EXPECT_EQ(launch(kernel(""), config), "kernel 'k': an empty grid; every "
                                        "dimension must be at least 1");
  config.grid.y = 1;
  EXPECT_EQ(launch(kernel("", ".param .u64 p"), config),
            "kernel 'k': 0 bytes of parameters were given; the kernel has 8");
  config.dynamicSharedBytes = 300000;
  EXPECT_EQ(launch(kernel(""), config),
            "kernel 'k': 300000 bytes of shared memory; a block has at most "
            "232448");
  config.dynamicSharedBytes = 0;
  config.onlyBlocks = {5};
  EXPECT_EQ(launch(kernel(""), config),
            "kernel 'k': block 5 is asked for; the grid has 1");
  GlobalMemory memory;
  auto module = LoadedModule::load(kernel(""), memory);
  EXPECT_EQ((*module)->launch("other", {}).error().message,
            "the module has no kernel 'other'");
}

TEST(LaunchTest, DynamicSharedMemoryFollowsTheStaticOne) {
  const std::string shared = ".shared .align 4 .b8 first[20];\n"
                             ".extern .shared .align 16 .b8 more[];";
  const std::string body = "st.shared.u32 [first], 1; mov.u32 %t0, more;"
                           "st.shared.u32 [%t0+96], 2;"
                           "setp.ne.u32 %p0, %t0, 32; @%p0 trap;";
  LaunchConfig config;
  config.dynamicSharedBytes = 100;
  EXPECT_EQ(launch(kernel(body, "", shared), config), "ran");
  config.dynamicSharedBytes = 96;
  EXPECT_THAT(launch(kernel(body, "", shared), config),
              HasSubstr("is outside the block's 128 bytes of shared memory"));
}

/// Adds 1 to out[block] in every thread.
const std::string kCount = kernel(
    "ld.param.u64 %w0, [out]; mov.u32 %t0, %ctaid.x; mov.u32 %t1, %ctaid.y;"
    "mov.u32 %t2, %nctaid.x; mad.lo.u32 %t0, %t1, %t2, %t0;"
    "mad.wide.u32 %w1, %t0, 4, %w0; red.global.add.u32 [%w1], 1;",
    ".param .u64 out");

TEST(LaunchTest, OnlyTheBlocksAskedFor) {
  GlobalMemory memory;
  auto module = LoadedModule::load(kCount, memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t out = *memory.allocate(4 * 12);
  LaunchConfig config;
  config.grid = {4, 3, 1};
  config.block.x = 40;
  config.parameters = parameters({out});
  config.onlyBlocks = {2, 7};
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->blocks, 2u);
  const auto *counts = reinterpret_cast<const uint32_t *>(out);
  for (uint32_t i = 0; i < 12; ++i)
    EXPECT_EQ(counts[i], i == 2 || i == 7 ? 40u : 0u);
}

TEST(LaunchTest, ManyBlocksOnManyThreadsAndTheirStatistics) {
  GlobalMemory memory;
  auto module = LoadedModule::load(kCount, memory);
  uint64_t out = *memory.allocate(4 * 1000);
  LaunchConfig config;
  config.grid = {100, 10, 1};
  config.block.x = 40;
  config.parameters = parameters({out});
  config.hostThreads = 4;
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->blocks, 1000u);
  // 8 instructions in two warps of 32 and 8 lanes.
  EXPECT_EQ(done->warpInstructions, 1000u * 2 * 8);
  EXPECT_EQ(done->threadInstructions, 1000u * 40 * 8);
  for (uint32_t i = 0; i < 1000; ++i)
    EXPECT_EQ(reinterpret_cast<const uint32_t *>(out)[i], 40u);
}

TEST(LaunchTest, LimitsOfTheChip) {
  LaunchConfig config;
  config.limits = {"sm_86", 101376, 49152, 65536};
  config.dynamicSharedBytes = 101376;
  EXPECT_EQ(runMessage(kernel(""), config), "ran");
  config.dynamicSharedBytes = 102400;
  EXPECT_THAT(runMessage(kernel(""), config),
              HasSubstr("102400 bytes of shared memory; sm_86 has at most "
                        "101376 for a block"));
  config.dynamicSharedBytes = 0;
  const std::string use = "mov.u32 %t0, tile;";
  EXPECT_EQ(runMessage(kernel(use, "", ".shared .b8 tile[49152];"), config),
            "ran");
  EXPECT_THAT(runMessage(kernel(use, "", ".shared .b8 tile[49153];"), config),
              HasSubstr("49153 bytes of shared memory declared statically; "
                        "sm_86 has at most 49152"));
  // setmaxnreg makes the registers at the start known: 168 of 384 threads fit,
  // 176 do not.
  config.block.x = 384;
  auto withRegisters = [&config](int most) {
    return runMessage(std::string(kHeader) + ".visible .entry k()\n.maxnreg " +
                          std::to_string(most) +
                          "\n{\nsetmaxnreg.dec.sync.aligned.u32 24;\nret;\n}\n",
                      config);
  };
  EXPECT_EQ(withRegisters(168), "ran");
  EXPECT_THAT(withRegisters(176),
              HasSubstr("67584 registers, 176 for each of 12 warps' threads; "
                        "sm_86 has at most 65536 for a block"));
}

} // namespace
