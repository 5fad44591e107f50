//===- ControlTest.cpp - branches, divergence, calls, barriers ------------===//
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

/// All threads of a warp count from 0; 40 threads make a partial warp, too.
u32s counting(uint32_t count) {
  u32s result;
  for (uint32_t i = 0; i < count; ++i)
    result.push_back(i);
  return result;
}

TEST(ControlTest, NestedIfs) {
  auto result = lanes<uint32_t>(R"(
    setp.lt.u32 %p0, %a, 16;
    @!%p0 bra OUTER_ELSE;
    and.b32 %t0, %a, 1;
    setp.eq.u32 %p1, %t0, 0;
    @%p1 bra EVEN;
    mov.u32 %r, 1;
    bra.uni INNER_END;
  EVEN:
    mov.u32 %r, 2;
  INNER_END:
    add.u32 %r, %r, 10;
    bra OUTER_END;
  OUTER_ELSE:
    mov.u32 %r, 3;
  OUTER_END:
    add.u32 %r, %r, 100;)",
                                counting(40));
  for (uint32_t i = 0; i < 40; ++i)
    EXPECT_EQ(result[i], i >= 16 ? 103u : i % 2 ? 111u : 112u);
}

TEST(ControlTest, LoopsOfDifferentLength) {
  // Collatz steps of a + 1, with a divergent if inside of a divergent loop.
  auto result = lanes<uint32_t>(R"(
    add.u32 %t0, %a, 1;
    mov.u32 %r, 0;
  LOOP:
    setp.le.u32 %p0, %t0, 1;
    @%p0 bra DONE;
    add.u32 %r, %r, 1;
    and.b32 %t1, %t0, 1;
    setp.ne.u32 %p1, %t1, 0;
    @%p1 bra ODD;
    shr.u32 %t0, %t0, 1;
    bra LOOP;
  ODD:
    mad.lo.u32 %t0, %t0, 3, 1;
    bra LOOP;
  DONE:)",
                                counting(40));
  for (uint32_t i = 0; i < 40; ++i) {
    uint32_t steps = 0;
    for (uint64_t x = i + 1; x > 1; ++steps)
      x = x % 2 ? 3 * x + 1 : x / 2;
    EXPECT_EQ(result[i], steps) << i;
  }
}

TEST(ControlTest, BreakAndContinueReconverge) {
  // After the loop all lanes of a warp are together again: the ballot is full.
  auto result = lanes<uint32_t>(R"(
    mov.u32 %t0, 0;
  LOOP:
    add.u32 %t0, %t0, 1;
    setp.eq.u32 %p0, %t0, %a;
    @%p0 bra OUT;
    setp.lt.u32 %p1, %t0, 50;
    @%p1 bra LOOP;
  OUT:
    activemask.b32 %r;
    popc.b32 %r, %r;)",
                                counting(32));
  EXPECT_THAT(result, ::testing::Each(32u));
}

TEST(ControlTest, EarlyExitsAreNotWaitedFor) {
  auto result = lanes<uint32_t>(R"(
    setp.ge.u32 %p0, %a, 8;
    setp.lt.u32 %p1, %a, 4;
    @%p0 bra REST;
    @%p1 ret;
  REST:
    activemask.b32 %t0;
    ld.param.u64 %base, [out];
    mad.wide.u32 %at, %i, 4, %base;
    popc.b32 %t0, %t0;
    st.global.u32 [%at], %t0;
    exit;)",
                                counting(32));
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], i < 4 ? 0u : 28u);
}

TEST(ControlTest, IndexedBranch) {
  auto result = lanes<uint32_t>(R"(
    rem.u32 %t0, %a, 3;
  targets: .branchtargets ZERO, ONE, TWO;
    brx.idx %t0, targets;
  ZERO:
    mov.u32 %r, 100;
    bra END;
  ONE:
    mov.u32 %r, 200;
    bra END;
  TWO:
    mov.u32 %r, 300;
  END:
    activemask.b32 %t1;
    popc.b32 %t1, %t1;
    add.u32 %r, %r, %t1;)",
                                counting(32));
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(result[i], 100 * (i % 3 + 1) + 32);
}

constexpr const char *kFunctions = R"(
.func (.param .b32 result) twice(.param .b32 x)
{
  .reg .b32 %v<2>;
  ld.param.b32 %v0, [x];
  add.u32 %v1, %v0, %v0;
  st.param.b32 [result+0], %v1;
  ret;
}
.func (.param .b32 result) clamped(.param .b32 x, .param .b32 most)
{
  .reg .pred %q;
  .reg .b32 %v<4>;
  .local .align 4 .b8 spill[4];
  ld.param.b32 %v0, [x];
  ld.param.b32 %v1, [most];
  st.local.b32 [spill], %v1;
  setp.gt.u32 %q, %v0, %v1;
  @%q bra LARGE;
  {
    .param .b32 argument;
    .param .b32 value;
    st.param.b32 [argument], %v0;
    call.uni (value), twice, (argument);
    ld.param.b32 %v2, [value];
  }
  st.param.b32 [result], %v2;
  ret;
LARGE:
  ld.local.b32 %v3, [spill];
  st.param.b32 [result], %v3;
  ret;
}
)";

TEST(ControlTest, CallsFromDivergedLanes) {
  KernelRun run(kernel(R"(
    ld.param.u64 %w0, [out];
    mov.u32 %t0, %tid.x;
    mad.wide.u32 %w1, %t0, 4, %w0;
    and.b32 %t1, %t0, 1;
    setp.eq.u32 %p0, %t1, 0;
    mov.u32 %t2, 7777;
    @%p0 bra SKIP;
    call (%t2), clamped, (%t0, 20);
  SKIP:
    st.global.u32 [%w1], %t2;)",
                       ".param .u64 out", kFunctions),
                "k");
  const size_t out = run.buffer(u32s(50));
  run.config.block.x = 50;
  ASSERT_TRUE(run.launch());
  const u32s result = run.read<uint32_t>(out);
  for (uint32_t i = 0; i < 50; ++i)
    EXPECT_EQ(result[i], i % 2 == 0 ? 7777 : i > 20 ? 20 : 2 * i);
}

TEST(ControlTest, RecursionAndUnknownFunctionsAreRefused) {
  EXPECT_EQ(loadMessage(kernel("call.uni f, ();", "",
                               ".func f()\n{\ncall.uni f, ();\nret;\n}\n")),
            "PTX line 4: the function 'f' calls itself; recursion is not "
            "supported by the machine");
  EXPECT_EQ(loadMessage(kernel("call.uni g, ();", "", ".extern .func g();")),
            "PTX line 10: 'call.uni g, ();' calls 'g', which is no function "
            "with a body in this module");
  EXPECT_EQ(loadMessage(kernel("bra NOWHERE;")),
            "PTX line 10: 'bra NOWHERE;' branches to 'NOWHERE', which is no "
            "label of 'k'");
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

/// Runs a kernel with 4 * threads bytes of output; its address is in %w0, the
/// thread in %t0 and &out[thread] in %w1.
std::vector<uint32_t> onBlock(uint32_t threads, const std::string &body) {
  KernelRun run(kernel("ld.param.u64 %w0, [out]; mov.u32 %t0, %tid.x;"
                       "mad.wide.u32 %w1, %t0, 4, %w0;" +
                           body,
                       ".param .u64 out", ".shared .align 4 .b8 tile[4096];"),
                "k");
  const size_t out = run.buffer(u32s(threads));
  run.config.block.x = threads;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(out);
}

TEST(ControlTest, BarrierOrdersWarps) {
  // A prefix sum in shared memory: every step reads what other warps wrote.
  auto sums = onBlock(200, R"(
    mov.u32 %t1, tile;
    mad.lo.u32 %t2, %t0, 4, %t1;
    st.shared.u32 [%t2], %t0;
    mov.u32 %t3, 1;
  STEP:
    bar.sync 0;
    mov.u32 %t4, 0;
    setp.ge.u32 %p0, %t0, %t3;
    mul.lo.u32 %t5, %t3, 4;
    sub.u32 %t6, %t2, %t5;
    @%p0 ld.shared.u32 %t4, [%t6];
    ld.shared.u32 %t5, [%t2];
    bar.sync 0;
    add.u32 %t4, %t4, %t5;
    st.shared.u32 [%t2], %t4;
    shl.b32 %t3, %t3, 1;
    setp.lt.u32 %p1, %t3, 200;
    @%p1 bra STEP;
    st.global.u32 [%w1], %t4;)");
  for (uint32_t i = 0; i < 200; ++i)
    EXPECT_EQ(sums[i], i * (i + 1) / 2);
}

TEST(ControlTest, NamedBarriersBetweenProducerAndConsumer) {
  // Warp 0 arrives at barrier 1 after writing; warp 1 waits there.
  auto out = onBlock(64, R"(
    setp.lt.u32 %p0, %t0, 32;
    mov.u32 %t1, tile;
    @!%p0 bra CONSUME;
    mad.lo.u32 %t2, %t0, 4, %t1;
    add.u32 %t3, %t0, 500;
    st.shared.u32 [%t2], %t3;
    barrier.cta.arrive 1, 64;
    ret;
  CONSUME:
    barrier.cta.sync 1, 64;
    mad.lo.u32 %t2, %t0, 4, %t1;
    ld.shared.u32 %t3, [%t2+-128];
    st.global.u32 [%w1], %t3;)");
  for (uint32_t i = 32; i < 64; ++i)
    EXPECT_EQ(out[i], 500 + i - 32);
}

TEST(ControlTest, ExitedThreadsDoNotCount) {
  auto out = onBlock(96, R"(
    setp.lt.u32 %p0, %t0, 40;
    @%p0 ret;
    bar.sync 0;
    st.global.u32 [%w1], 1;)");
  for (uint32_t i = 0; i < 96; ++i)
    EXPECT_EQ(out[i], i < 40 ? 0u : 1u);
}

TEST(ControlTest, UnalignedBarrierOnDifferentPaths) {
  auto out = onBlock(64, R"(
    and.b32 %t1, %t0, 1;
    setp.eq.u32 %p0, %t1, 0;
    @%p0 bra EVEN;
    barrier.sync 0;
    mov.u32 %t2, 1;
    bra END;
  EVEN:
    barrier.sync 0;
    mov.u32 %t2, 2;
  END:
    st.global.u32 [%w1], %t2;)");
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(out[i], i % 2 ? 1u : 2u);
}

TEST(ControlTest, BarrierReductions) {
  auto out = onBlock(80, R"(
    setp.lt.u32 %p0, %t0, 50;
    barrier.cta.red.popc.aligned.u32 %t1, 0, %p0;
    barrier.cta.red.and.aligned.pred %p1, 0, %p0;
    barrier.cta.red.or.aligned.pred %p2, 0, !%p0;
    selp.u32 %t2, 1000, 0, %p1;
    selp.u32 %t3, 2000, 0, %p2;
    add.u32 %t1, %t1, %t2;
    add.u32 %t1, %t1, %t3;
    st.global.u32 [%w1], %t1;)");
  EXPECT_THAT(out, ::testing::Each(2050u));
}

TEST(ControlTest, DivergentAlignedBarrierIsAFault) {
  LaunchConfig config;
  config.block.x = 64;
  EXPECT_EQ(runMessage(kernel("mov.u32 %t0, %tid.x; setp.lt.u32 %p0, %t0, 8;\n"
                              "@%p0 bar.sync 0;\n"
                              "mov.u32 %t1, 0;"),
                       config),
            "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 11, "
            "'@%p0 bar.sync 0;': an aligned barrier needs all live threads of "
            "the warp together; lanes 0xff of 0xffffffff are here");
}

TEST(ControlTest, DeadlockNamesBarriersAndWarps) {
  LaunchConfig config;
  config.block.x = 96;
  EXPECT_EQ(
      runMessage(kernel("mov.u32 %t0, %tid.x; setp.lt.u32 %p0, %t0, 32;\n"
                        "@%p0 bra FIRST;\n"
                        "bar.sync 2, 96;\n"
                        "FIRST:\n"
                        "bar.sync 1, 96;"),
                 config),
      "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 14, 'bar.sync "
      "1, "
      "96;': deadlock, no warp of the block can go on; waiting are warp 0 at "
      "barrier 1 (PTX line 14), warp 1 at barrier 2 (PTX line 12), warp 2 at "
      "barrier 2 (PTX line 12)");
}

TEST(ControlTest, BadBarriersAreFaults) {
  EXPECT_THAT(runMessage(kernel("bar.sync 16;")),
              HasSubstr("barrier 16 with 0 threads; legal are barriers 0 to 15 "
                        "and multiples of 32 threads"));
  EXPECT_THAT(runMessage(kernel("bar.sync 0, 33;")),
              HasSubstr("barrier 0 with 33 threads"));
}

TEST(ControlTest, ASpinningWarpDoesNotKeepOthersFromRunning) {
  // Warp 0 waits for a word that warp 1 writes; lane 1 for one of lane 0.
  auto out = onBlock(64, R"(
    setp.ge.u32 %p0, %t0, 32;
    mov.u32 %t1, tile;
    setp.eq.u32 %p1, %t0, 0;
    @%p1 st.shared.u32 [%t1], 0;
    @%p1 st.shared.u32 [%t1+4], 0;
    bar.sync 0;
    @%p0 bra WRITE;
    @%p1 bra PASS_ON;
  WAIT:
    ld.volatile.shared.u32 %t2, [%t1+4];
    setp.eq.u32 %p2, %t2, 0;
    @%p2 bra WAIT;
    bra END;
  PASS_ON:
    ld.volatile.shared.u32 %t2, [%t1];
    setp.eq.u32 %p2, %t2, 0;
    @%p2 bra PASS_ON;
    st.volatile.shared.u32 [%t1+4], 5;
    bra END;
  WRITE:
    st.volatile.shared.u32 [%t1], 5;
  END:
    st.global.u32 [%w1], 9;)");
  EXPECT_THAT(out, ::testing::Each(9u));
}

} // namespace
