//===- WarpgroupTest.cpp - The warps of a warpgroup -----------------------===//
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

/// The message of a kernel whose threads have their warp's index in %t1, less
/// what precedes the thread.
std::string run(const std::string &body, uint32_t threads = 128) {
  LaunchConfig config;
  config.block.x = threads;
  std::string message = runMessage(
      kernel(".reg .b32 %d<4>; mov.u32 %t0, %tid.x; shr.u32 %t1, %t0, 5;"
             "mov.u32 %t2, smem; mov.u64 %w0, 0x1000080000;" +
                 body,
             "", ".shared .align 1024 .b8 smem[8192];"),
      config);
  size_t at = message.find("thread");
  return at == std::string::npos ? message : message.substr(at);
}

std::string fence() { return "wgmma.fence.sync.aligned;"; }
std::string commit() { return "wgmma.commit_group.sync.aligned;"; }
std::string multiply() {
  return "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
         "{%d0, %d1, %d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;";
}

TEST(WarpgroupTest, TheSameInstructions) {
  EXPECT_EQ(run("mov.u64 %w1, %w0;" + fence() + multiply() + commit()), "ran");
  // Warps 2 and 3 go another way.
  EXPECT_EQ(run("setp.ge.u32 %p0, %t1, 2; @%p0 bra OTHER;" + fence() +
                "bra END; OTHER: " + commit() + " END:"),
            "thread (64, 0, 0), PTX line 10, 'wgmma.commit_group.sync.aligned;'"
            ": all warps of the warpgroup must execute the same; another has "
            "executed 'wgmma.fence.sync.aligned;' (PTX line 10) in its place");
}

TEST(WarpgroupTest, WarpgroupsAreIndependent) {
  EXPECT_EQ(run("setp.ge.u32 %p0, %t1, 4; @%p0 bra OTHER;" + fence() +
                    "bra END; OTHER: " + commit() + commit() + " END:",
                256),
            "ran");
}

TEST(WarpgroupTest, AWarpThatEndsWithout) {
  EXPECT_THAT(run("setp.eq.u32 %p0, %t1, 3; @%p0 bra END;" + fence() + " END:"),
              HasSubstr("thread (96, 0, 0), PTX line 11, 'ret;': all warps of "
                        "the warpgroup must execute 'wgmma.fence.sync.aligned;'"
                        " (PTX line 10); this one ends without"));
  // Or ends before the others come to it.
  EXPECT_THAT(run("setp.eq.u32 %p0, %t1, 0; @%p0 bra END;" + fence() + " END:"),
              HasSubstr("thread (32, 0, 0), PTX line 10, "
                        "'wgmma.fence.sync.aligned;': all warps of the "
                        "warpgroup must execute it; warp 0 has ended without"));
}

TEST(WarpgroupTest, TheSameDescriptors) {
  EXPECT_EQ(run("cvt.u64.u32 %w1, %t1; add.u64 %w1, %w1, %w0;" + multiply()),
            "thread (32, 0, 0), PTX line 10, '" + multiply() +
                "': the descriptor 0x1000080001 of B is 0x1000080000 in "
                "another warp; a warpgroup has one");
  EXPECT_THAT(run("mov.u64 %w1, %w0; shr.u32 %t1, %t1, 1; cvt.u64.u32 %w2, %t1;"
                  "add.u64 %w0, %w0, %w2;" +
                  multiply()),
              HasSubstr("thread (64, 0, 0), PTX line 10, '" + multiply() +
                        "': the descriptor 0x1000080001 of A is 0x1000080000"));
}

/// A warp may be many instructions ahead of the others.
TEST(WarpgroupTest, Loops) {
  const std::string loop = "mov.u32 %t3, 0; NEXT: " + fence() + commit() +
                           "add.u32 %t3, %t3, 1; setp.lt.u32 %p0, %t3, ";
  EXPECT_EQ(run(loop + "1000; @%p0 bra NEXT;"), "ran");
  EXPECT_THAT(run("add.u32 %t4, %t1, 10;" + loop + "%t4; @%p0 bra NEXT;"),
              HasSubstr("thread (32, 0, 0)"));
}

} // namespace
