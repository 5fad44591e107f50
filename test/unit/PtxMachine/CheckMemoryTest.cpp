//===- CheckMemoryTest.cpp - reads of what nothing has written ------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr FindingKind kUninitialized = FindingKind::UninitializedRead;

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

std::vector<Finding> checkTile(const std::string &body,
                               const CheckedLaunch &launch) {
  return check(tileKernel(body), launch);
}

TEST(CheckMemoryTest, SharedMemoryThatNothingWrote) {
  auto found =
      checkTile("ld.shared.u32 %t1, [%s0+4];", CheckedLaunch().threads(3));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, kUninitialized);
  EXPECT_EQ(found[0].message,
            "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 12, "
            "'ld.shared.u32 %t1, [%s0+4];': of the 4 bytes it reads at 0x4 of "
            "shared memory nothing has written all");
}

TEST(CheckMemoryTest, SomeBytesOfAVector) {
  const std::string write = "mad.lo.u32 %s2, %t0, 16, %s1;"
                            "st.shared.v2.u32 [%s2], {%t0, %t0};";
  EXPECT_THAT(checkTile(write + "ld.shared.u64 %w2, [%s2];",
                        CheckedLaunch().threads(32)),
              IsEmpty());
  EXPECT_THAT(
      checkTile(write + "st.shared.u16 [%s2+8], %h0;"
                        "ld.shared.v4.u32 {%t1, %t2, %t3, %t4}, [%s2];",
                CheckedLaunch().threads(32)),
      ElementsAre(IsFinding(
          kUninitialized, "of the 16 bytes it reads at 0x0 of shared memory")));
  EXPECT_THAT(checkTile(write + "st.shared.u16 [%s2+8], %h0;"
                                "ld.shared.u16 %h1, [%s2+8];",
                        CheckedLaunch().threads(32)),
              IsEmpty());
}

TEST(CheckMemoryTest, AtomicOperationsRead) {
  EXPECT_THAT(
      checkTile("red.shared.add.u32 [%s0], 1;", CheckedLaunch().threads(64)),
      ElementsAre(IsFinding(kUninitialized, "at 0x0")));
}

TEST(CheckMemoryTest, EveryBlockStartsAfresh) {
  auto found = checkTile("mov.u32 %t1, %ctaid.x; setp.eq.u32 %p0, %t1, 0;\n"
                         "@%p0 st.shared.u32 [%s0], %t0;"
                         "ld.shared.u32 %t2, [%s0];",
                         CheckedLaunch().threads(32).blocks(3));
  ASSERT_THAT(found, ElementsAre(IsFinding(kUninitialized, "block (1, 0, 0)")));
  EXPECT_EQ(found[0].occurrences, 2u);
}

/// Races of one block are none of the next, although it reuses the memory.
TEST(CheckMemoryTest, BlocksDoNotRaceWithEachOther) {
  EXPECT_THAT(checkTile("st.shared.u32 [%s0], %t0; ld.shared.u32 %t2, [%s0];",
                        CheckedLaunch().threads(96).blocks(5)),
              IsEmpty());
}

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

TEST(CheckMemoryTest, GlobalMemoryThatNothingWrote) {
  const std::string ptx = tileKernel("ld.global.u32 %t1, [%w1];", true);
  EXPECT_THAT(check(ptx, CheckedLaunch().threads(4).memory(64)), IsEmpty());
  auto found = check(ptx, CheckedLaunch().threads(4).memory(64, 34));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, kUninitialized);
  EXPECT_THAT(found[0].message,
              HasSubstr("thread (2, 0, 0), PTX line 13, 'ld.global.u32 %t1, "
                        "[%w1];': of the 4 bytes it reads from byte 32 on of "
                        "an allocation of 64 bytes of global memory nothing "
                        "has written all"));
}

TEST(CheckMemoryTest, ConsecutiveLanesOfAFullWarp) {
  const std::string ptx = tileKernel("mad.wide.u32 %w1, %t0, 4, %w0;"
                                     "ld.global.u32 %t1, [%w1];",
                                     true);
  EXPECT_THAT(check(ptx, CheckedLaunch().threads(64).memory(256)), IsEmpty());
  EXPECT_THAT(check(ptx, CheckedLaunch().threads(64).memory(256, 252)),
              ElementsAre(IsFinding(kUninitialized,
                                    "thread (63, 0, 0), PTX line 13, "
                                    "'ld.global.u32 %t1, [%w1];': of the 4 "
                                    "bytes it reads from byte 252 on")));
}

TEST(CheckMemoryTest, WhatAKernelStoresIsInitialized) {
  EXPECT_THAT(
      check(tileKernel("st.global.v2.u32 [%w1], {%t0, %t0};"
                       "ld.global.u64 %w2, [%w1]; red.global.add.u32 [%w1], 1;",
                       true),
            CheckedLaunch().threads(4).memory(64, 0)),
      IsEmpty());
  EXPECT_THAT(check(tileKernel("st.global.u8 [%w1], %h0;"
                               "atom.global.add.u32 %t1, [%w1], 1;",
                               true),
                    CheckedLaunch().threads(4).memory(64, 0)),
              ElementsAre(IsFinding(kUninitialized, "atom.global")));
}

/// Module variables are zero at first; parameters and local memory are none of
/// the checker's, also through generic addresses.
TEST(CheckMemoryTest, WhatIsAlwaysInitialized) {
  EXPECT_THAT(check(kernel("mov.u64 %w1, counter; ld.global.u32 %t0, [%w1];"
                           ".local .b8 own[8]; mov.u64 %w2, own; "
                           "ld.local.u32 %t1, [%w2];"
                           "cvta.local.u64 %w3, %w2; ld.u32 %t1, [%w3];"
                           "mov.b64 %w4, data; cvta.param.u64 %w4, %w4;"
                           "ld.u64 %w5, [%w4]; ld.param.u64 %w6, [data];",
                           ".param .u64 data", ".global .u32 counter;"),
                    CheckedLaunch().threads(33).memory(8)),
              IsEmpty());
}

class SharedAllocationTest : public ::testing::Test {
protected:
  std::vector<Finding> launch(const std::string &body,
                              bool checkMemory = true) {
    auto module = LoadedModule::load(tileKernel(body, true), memory);
    EXPECT_TRUE(module) << module.error().message;
    LaunchConfig config;
    config.block.x = 4;
    config.checkMemory = checkMemory;
    config.parameters = parameters({data});
    auto done = (*module)->launch("k", config);
    EXPECT_TRUE(done) << done.error().message;
    return done->findings;
  }

  GlobalMemory memory;
  uint64_t data = *memory.allocate(64);
  const std::string read = "ld.global.u32 %t1, [%w1];";
};

TEST_F(SharedAllocationTest, OneLaunchReadsWhatAnotherWrote) {
  EXPECT_THAT(launch(read), ElementsAre(IsFinding(kUninitialized, "byte 0")));
  EXPECT_THAT(launch("st.global.u32 [%w1], 1;"), IsEmpty());
  EXPECT_THAT(launch(read), IsEmpty());
  EXPECT_TRUE(memory.setInitialized(data + 16, 16, false));
  EXPECT_THAT(launch(read), ElementsAre(IsFinding(kUninitialized, "byte 16")));
}

/// Who knows what a launch wrote that nobody watched.
TEST_F(SharedAllocationTest, ALaunchThatIsNotChecked) {
  EXPECT_THAT(launch(read), ElementsAre(IsFinding(kUninitialized, "")));
  EXPECT_THAT(launch(read, /*checkMemory=*/false), IsEmpty());
  EXPECT_THAT(launch(read), IsEmpty());
  data = *memory.allocate(64);
  EXPECT_THAT(launch(read), ElementsAre(IsFinding(kUninitialized, "")));
}

TEST_F(SharedAllocationTest, SetInitializedNamesARangeThatIsNotThere) {
  auto set = memory.setInitialized(data + 60, 8);
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().code, ctc::ErrorCode::DeviceError);
  EXPECT_THAT(set.error().message, HasSubstr("8 bytes at 0x"));
  EXPECT_THAT(set.error().message,
              HasSubstr("do not lie in one allocation of this memory"));
  EXPECT_TRUE(memory.setInitialized(data, 64));
  EXPECT_TRUE(memory.setInitialized(data + 3, 0));
}

//===----------------------------------------------------------------------===//
// Where an instruction comes from
//===----------------------------------------------------------------------===//

TEST(CheckMemoryTest, NamesTheSource) {
  const std::string ptx = kernel(".loc 2 17 5\nmov.u32 %t0, tile;\n"
                                 ".loc 1 3 9, function_name $info, inlined_at "
                                 "2 18 1\n"
                                 "ld.shared.u32 %t1, [%t0];\n"
                                 ".loc 2 19\nld.shared.u32 %t1, [%t0+4];\n"
                                 ".loc 7 1 1\nld.shared.u32 %t1, [%t0+8];",
                                 "", ".shared .b8 tile[64];") +
                          ".file 1 \"dir/a.h\"\n.file\t2 \"b.cu\", 1234, 99\n";
  EXPECT_THAT(
      check(ptx, {}),
      ElementsAre(
          IsFinding(kUninitialized, "'ld.shared.u32 %t1, [%t0];' (at "
                                    "dir/a.h:3:9): of"),
          IsFinding(kUninitialized, "'ld.shared.u32 %t1, [%t0+4];' (at "
                                    "b.cu:19): of"),
          IsFinding(kUninitialized, "'ld.shared.u32 %t1, [%t0+8];': of")));
  EXPECT_THAT(runMessage(kernel(".loc 1 2 3\ntrap;") + ".file 1 \"a.mlir\"\n"),
              HasSubstr("'trap;' (at a.mlir:2:3): the kernel trapped"));
}

} // namespace
