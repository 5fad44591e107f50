//===- AtomicTest.cpp - atom and red --------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// Runs `body` in 64 threads of 4 blocks with the address of four words
/// (%w0), %t0 = thread + 64 * block; gives the words back.
std::vector<uint32_t> onWords(const std::string &body, u32s initial) {
  initial.resize(4);
  KernelRun run(kernel("ld.param.u64 %w0, [data]; mov.u32 %t0, %tid.x;"
                       "mov.u32 %t1, %ctaid.x; mad.lo.u32 %t0, %t1, 64, %t0;" +
                           body,
                       ".param .u64 data", ".shared .align 8 .b8 tile[64];"),
                "k");
  const size_t data = run.buffer(initial);
  run.config.grid.x = 4;
  run.config.block.x = 64;
  run.config.hostThreads = 2;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(data);
}

TEST(AtomicTest, IntegerOperations) {
  EXPECT_EQ(onWords("atom.global.add.u32 %t2, [%w0], %t0;", {0})[0],
            255u * 256 / 2);
  EXPECT_EQ(
      onWords("red.global.gpu.relaxed.max.s32 [%w0], %t0;", {uint32_t(-5)})[0],
      255u);
  EXPECT_EQ(onWords("red.min.u32 [%w0+4], %t0;", {0, 77})[1], 0u);
  EXPECT_EQ(onWords("atom.inc.u32 %t2, [%w0], 9;", {0})[0], 256u % 10);
  EXPECT_EQ(onWords("atom.dec.u32 %t2, [%w0], 9;", {0})[0], 4u);
  EXPECT_EQ(onWords("and.b32 %t2, %t0, 31; shl.b32 %t2, 1, %t2;"
                    "red.or.b32 [%w0], %t2;",
                    {0})[0],
            0xffffffffu);
  auto wide = onWords("atom.global.add.u64 %w1, [%w0], 0x100000001;", {0, 0});
  EXPECT_EQ(wide[0], 256u);
  EXPECT_EQ(wide[1], 256u);
}

TEST(AtomicTest, ExchangeAndCompareAndSwap) {
  // A lock-free sum of squares by compare-and-swap in every thread.
  EXPECT_EQ(onWords(R"(
    mul.lo.u32 %t3, %t0, %t0;
    ld.global.u32 %t4, [%w0];
  AGAIN:
    mov.u32 %t5, %t4;
    add.u32 %t6, %t5, %t3;
    atom.global.cas.b32 %t4, [%w0], %t5, %t6;
    setp.ne.u32 %p0, %t4, %t5;
    @%p0 bra AGAIN;)",
                    {0})[0],
            255u * 256 * 511 / 6);
  EXPECT_EQ(onWords("atom.exch.b32 %t2, [%w0], 5;", {1})[0], 5u);
}

TEST(AtomicTest, FloatsAndSharedMemory) {
  EXPECT_EQ(onWords("red.global.add.f32 [%w0], 0f3F000000;", {0})[0],
            bits(128.0f));
  EXPECT_EQ(onWords("atom.add.noftz.f16x2 %t2, [%w0], %t3;", {0x3c004000})[0],
            0x3c004000u);
  EXPECT_EQ(onWords(R"(
    mov.u64 %w1, tile;
    setp.eq.u32 %p0, %t0, 0;
    @%p0 st.shared.u32 [%w1], 0;
    bar.sync 0;
    atom.shared.add.u32 %t2, [%w1], 3;
    bar.sync 0;
    ld.shared.u32 %t3, [%w1];
    @%p0 st.global.u32 [%w0], %t3;)",
                    {0})[0],
            192u);
}

} // namespace
