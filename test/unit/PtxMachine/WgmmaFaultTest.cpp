//===- WgmmaFaultTest.cpp - What wgmma refuses ----------------------------===//
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

std::string declarations() {
  return ".reg .b32 %d<128>; .reg .f32 %f<128>; .reg .b32 %a<4>;";
}

std::string load(const std::string &instruction) {
  return loadMessage(kernel(declarations() + instruction));
}

std::string smallMultiply() {
  return "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%d0, %d1, %d2, "
         "%d3}, ";
}

//===----------------------------------------------------------------------===//
// At load
//===----------------------------------------------------------------------===//

TEST(WgmmaFaultTest, TypesAndShapes) {
  for (const char *types :
       {"f16.bf16.bf16", "f32.f16.bf16", "s32.f16.f16", "f32.s8.s8",
        "f32.e4m3.f16", "f16.tf32.tf32", "s32.b1.b1", "f32.bf16"})
    EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n8k16." +
                     std::string(types) +
                     " {%d0, %d1, %d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;"),
                HasSubstr("the types are none the machine knows; legal are D, "
                          "A and B of .f32.tf32.tf32, .f32.bf16.bf16"))
        << types;
  EXPECT_EQ(
      load("wgmma.mma_async.sync.aligned.m64n12k16.f32.bf16.bf16 {%d0, %d1, "
           "%d2, %d3, %d4, %d5}, %w0, %w1, 1, 1, 1, 0, 0;"),
      "PTX line 10: in 'wgmma.mma_async.sync.aligned.m64n12k16.f32.bf16.bf16 "
      "{%d0, %d1, %d2, %d3, %d4, %d5}, %w0, %w1, 1, 1, 1, 0, 0;', the shape is "
      "none of these types; legal are .m64nNk16 with N from 8 to 256 in steps "
      "of 8");
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n8k16.f32.tf32.tf32 {%d0, "
                   "%d1, %d2, %d3}, %w0, %w1, 1, 1, 1;"),
              HasSubstr("legal are .m64nNk8 with N from"));
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n40k32.s32.s8.s8 {%d0, "
                   "%d1, %d2, %d3}, %w0, %w1, 1;"),
              HasSubstr("legal are .m64nNk32 with N from 8 to 256 in steps of "
                        "8 up to 32, then of 16"));
  EXPECT_THAT(load("wgmma.mma_async.sp.sync.aligned.m64n8k32.f32.bf16.bf16 "
                   "{%d0, %d1, %d2, %d3}, %w0, %w1, %t0, 0, 1, 1, 1, 0, 0;"),
              HasSubstr("sparse matrices are not supported by the machine"));
  EXPECT_THAT(load("wgmma.mma_async.aligned.m64n8k16.f32.bf16.bf16 {%d0, %d1, "
                   "%d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;"),
              HasSubstr("unknown instruction"));
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16."
                   "satfinite {%d0, %d1, %d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;"),
              HasSubstr("the types are none"));
}

TEST(WgmmaFaultTest, Operands) {
  EXPECT_THAT(load(smallMultiply() + "%w0, %w1, 1, 2, 1, 0, 0;"),
              HasSubstr("imm-scale-a must be 1 or -1"));
  EXPECT_THAT(load(smallMultiply() + "%w0, %w1, 1, 1, %t0, 0, 0;"),
              HasSubstr("imm-scale-b must be 1 or -1"));
  EXPECT_THAT(load(smallMultiply() + "%w0, %w1, 1, 1, 1, 3, 0;"),
              HasSubstr("imm-trans-a must be 0 or 1"));
  EXPECT_THAT(load(smallMultiply() + "{%a0, %a1, %a2, %a3}, %w1, 1, 1, 1, -1;"),
              HasSubstr("imm-trans-b must be 0 or 1"));
  EXPECT_THAT(load(smallMultiply() + "%w0, %w1, 1, 1, 1;"),
              HasSubstr("scale-d must be followed by 4 immediates"));
  EXPECT_THAT(
      load(smallMultiply() + "{%a0, %a1, %a2, %a3}, %w1, 1, 1, 1, 0, 0;"),
      HasSubstr("scale-d must be followed by 3 immediates"));
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n8k32.s32.s8.s8 {%d0, %d1, "
                   "%d2, %d3}, %w0, %w1, 1, 1, 1;"),
              HasSubstr("scale-d must be followed by 0 immediates"));
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%d0, "
                   "%d1, %d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;"),
              HasSubstr("D must have 8 registers in braces"));
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n8k16.f16.f16.f16 {%d0, "
                   "%d1, %d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;"),
              HasSubstr("D must have 2 registers in braces"));
  EXPECT_THAT(load(smallMultiply() + "{%a0, %a1}, %w1, 1, 1, 1, 0;"),
              HasSubstr("A must have 4 registers in braces"));
  EXPECT_THAT(load("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%d0, "
                   "_, %d2, %d3}, %w0, %w1, 1, 1, 1, 0, 0;"),
              HasSubstr("every element of D must be a register"));
  EXPECT_THAT(load(smallMultiply() + "%t0, %w1, 1, 1, 1, 0, 0;"),
              HasSubstr("'%t0' has 32 bits where 64 are needed"));
  EXPECT_THAT(load("wgmma.wait_group.sync.aligned -1;"),
              HasSubstr("the number of groups must be a literal from 0 on"));
  EXPECT_THAT(load("wgmma.wait_group.sync.aligned %t0;"),
              HasSubstr("the number of groups must be a literal from 0 on"));
  EXPECT_THAT(load("wgmma.fence;"), HasSubstr("unknown instruction"));
}

//===----------------------------------------------------------------------===//
// At run time
//===----------------------------------------------------------------------===//

/// The fault of a kernel with 4096 bytes of shared memory, without what names
/// the place.
std::string run(const std::string &body, uint32_t threads = 128) {
  LaunchConfig config;
  config.block.x = threads;
  std::string message = runMessage(
      kernel(declarations() + "mov.u32 %t0, %tid.x; mov.u32 %t1, smem;" + body,
             "", ".shared .align 1024 .b8 smem[4096];"),
      config);
  size_t at = message.find(";': ");
  return at == std::string::npos ? message : message.substr(at + 4);
}

/// Of one with descriptors of A and B.
std::string runDescriptors(uint64_t a, uint64_t b,
                           const std::string &scale = "1",
                           const std::string &majors = "0, 0") {
  return run("mov.u64 %w0, " + std::to_string(a) + "; mov.u64 %w1, " +
             std::to_string(b) + "; setp.lt.u32 %p0, %t0, 5;" +
             smallMultiply() + "%w0, %w1, " + scale + ", 1, 1, " + majors +
             ";");
}

constexpr uint64_t kGood = uint64_t(8) << 16 | uint64_t(16) << 32;
constexpr uint64_t kSwizzle128 = uint64_t(1) << 62 | uint64_t(64) << 32;

TEST(WgmmaFaultTest, TheWarpgroup) {
  EXPECT_EQ(runDescriptors(kGood, kGood), "ran");
  EXPECT_EQ(run("wgmma.fence.sync.aligned;", 96),
            "it works on warpgroups of 128 threads, and of this one the "
            "block's 96 threads make up 96");
  // Only warps of the second warpgroup are too few.
  EXPECT_EQ(run("setp.ge.u32 %p0, %t0, 128; @%p0 bra END;"
                "wgmma.fence.sync.aligned; END:",
                160),
            "ran");
  EXPECT_EQ(run("wgmma.fence.sync.aligned;", 160),
            "it works on warpgroups of 128 threads, and of this one the "
            "block's 160 threads make up 32");
  EXPECT_EQ(run("setp.lt.u32 %p0, %t0, 40; @!%p0 bra "
                "END;wgmma.commit_group.sync.aligned; END:"),
            "an aligned instruction needs all 32 threads of the warp together; "
            "lanes 0xff are here, and 0xffffffff have not exited");
  EXPECT_EQ(run("and.b32 %t1, %t0, 1; setp.eq.u32 %p0, %t1, 0; @%p0 "
                "exit;wgmma.wait_group.sync.aligned 0;"),
            "an aligned instruction needs all 32 threads of the warp together; "
            "lanes 0xaaaaaaaa are here, and 0xaaaaaaaa have not exited");
  EXPECT_EQ(run("setp.eq.u32 %p0, %t0, 33; @%p0 " + smallMultiply() +
                "%w0, %w1, 1, 1, 1, 0, 0;"),
            "an aligned instruction needs all 32 threads of the warp together; "
            "lanes 0x2 are here, and 0xffffffff have not exited");
}

TEST(WgmmaFaultTest, TheFaultNamesThePlace) {
  LaunchConfig config;
  config.block.x = 64;
  EXPECT_EQ(runMessage(kernel("wgmma.fence.sync.aligned;"), config),
            "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 10, "
            "'wgmma.fence.sync.aligned;': it works on warpgroups of 128 "
            "threads, and of this one the block's 64 threads make up 64");
}

TEST(WgmmaFaultTest, ScaleD) {
  EXPECT_EQ(runDescriptors(kGood, kGood, "%p0"),
            "scale-d holds for lanes 0x1f only; all threads must agree on it");
}

TEST(WgmmaFaultTest, DescriptorsOutsideOfSharedMemory) {
  // A's last chunk lies at 7 * 256 + 128 + 7 * 16 = 2032.
  const uint64_t last = (4096 - 2048) / 16;
  EXPECT_EQ(runDescriptors(kGood + last, kGood), "ran");
  EXPECT_EQ(runDescriptors(kGood + last + 1, kGood),
            "the matrix A, from 0x810 on with 128 and 256 bytes of leading and "
            "stride offset, reaches 16 bytes at 0x1000, outside the block's "
            "4096 bytes of shared memory");
  EXPECT_EQ(runDescriptors(kGood, kGood + 4096 / 16),
            "the matrix B, from 0x1000 on with 128 and 256 bytes of leading "
            "and stride offset, reaches 16 bytes at 0x10f0, outside the "
            "block's 4096 bytes of shared memory");
  // N-major: rows of k lie 128 bytes apart, 8 of them 1024.
  EXPECT_EQ(runDescriptors(kGood, kSwizzle128 + 2048 / 16, "1", "0, 1"), "ran");
  EXPECT_THAT(runDescriptors(kGood, kSwizzle128 + 3072 / 16, "1", "0, 1"),
              HasSubstr("reaches 16 bytes at 0x13f0"));
}

TEST(WgmmaFaultTest, EveryWarpReadsItsOwnRowsOfA) {
  // Rows 48 to 63 are warp 3's.
  EXPECT_THAT(runDescriptors(kGood + (4096 - 2048) / 16 + 1, kGood),
              HasSubstr("0x1000"));
  LaunchConfig config;
  config.block.x = 128;
  EXPECT_THAT(
      runMessage(kernel(declarations() +
                            "mov.u32 %t1, smem; mov.u64 %w0, 0x1000080081;" +
                            "mov.u64 %w1, 0x1000080000;" + smallMultiply() +
                            "%w0, %w1, 1, 1, 1, 0, 0;",
                        "", ".shared .align 1024 .b8 smem[4096];"),
                 config),
      HasSubstr("thread (96, 0, 0), PTX line"));
}

TEST(WgmmaFaultTest, DescriptorsOfTheWrongForm) {
  EXPECT_EQ(
      runDescriptors(kGood, kGood | uint64_t(1) << 14 | uint64_t(2) << 52),
      "the descriptor 0x20001000084000 of B has bits 0x20000000004000, which "
      "belong to no field and must be 0");
  EXPECT_EQ(runDescriptors(kGood | uint64_t(3) << 49, kGood),
            "the descriptor 0x6001000080000 of A has base offset 3; without "
            "swizzling it must be 0");
  EXPECT_EQ(run("cvt.u64.u32 %w0, %t0; shr.u64 %w0, %w0, 3;" + smallMultiply() +
                "%w0, %w0, 1, 1, 1, 0, 0;"),
            "the descriptor 0x1 of A is not that of thread 0 of the warp, 0x0; "
            "a warpgroup has one");
}

TEST(WgmmaFaultTest, StartsWithinASwizzledRow) {
  // K-major: 32 bytes of a row are read.
  EXPECT_EQ(runDescriptors(kGood, kSwizzle128 + 96 / 16), "ran");
  EXPECT_EQ(runDescriptors(kGood, kSwizzle128 + 112 / 16),
            "the descriptor 0x4000004000000007 of B starts 112 bytes into a "
            "swizzled row of 128 bytes, of which it reads 32; it may start at "
            "most 96 bytes into one");
  // N-major: all chunks along N, here one; A has eight.
  EXPECT_EQ(runDescriptors(kGood, kSwizzle128 + 112 / 16, "1", "0, 1"), "ran");
  EXPECT_THAT(runDescriptors(kSwizzle128 + 16 / 16, kGood, "1", "1, 0"),
              HasSubstr("of which it reads 128; it may start at most 0 bytes"));
}

} // namespace
