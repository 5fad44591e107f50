//===- MBarrierTest.cpp - mbarrier ----------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/MBarrier.h"
#include "KernelRun.h"
#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// %t0 is the object's shared address, %w0 that of the results.
std::string text(const std::string &body) {
  return kernel("ld.param.u64 %w0, [out]; mov.u32 %t0, object;" + body,
                ".param .u64 out", ".shared .align 8 .b64 object;");
}

/// Stores the results at %w0 and moves on.
std::string put() { return "st.global.u32 [%w0], %t1; add.u64 %w0, %w0, 4;"; }
/// Whether predicate 1 holds.
std::string putFlag() { return "selp.u32 %t1, 1, 0, %p1;" + put(); }
/// Pending arrivals of the state in %w1.
std::string putCount() {
  return "mbarrier.pending_count.b64 %t1, %w1;" + put();
}
/// Whether the phase of this parity is complete.
std::string putParity(int parity) {
  return "mbarrier.test_wait.parity.shared.b64 %p1, [%t0], " +
         std::to_string(parity) + ";" + putFlag();
}

/// What a single thread, or one of several blocks, stores.
u32s run(const std::string &body, size_t results,
         const LaunchConfig &config = {}) {
  KernelRun run(text(body), "k");
  size_t out = run.buffer(u32s(results, 77));
  run.config.grid = config.grid;
  run.config.block = config.block;
  run.config.cluster = config.cluster;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(out);
}

std::string message(const std::string &body) {
  LaunchConfig config;
  config.parameters = parameters({0});
  return runMessage(text(body), config);
}

std::string init2() { return "mbarrier.init.shared.b64 [%t0], 2;"; }

TEST(MBarrierTest, BitsOfAnObject) {
  MBarrierState state{3, 5, -16, true};
  EXPECT_EQ(state.encode(), uint64_t(3) | uint64_t(5) << 20 |
                                uint64_t(0x1ffff0) << 40 | uint64_t(5) << 61);
  for (int32_t transactions : {0, 1, -1, 1048575, -1048575}) {
    auto decoded =
        MBarrierState::decode(MBarrierState{0, 1048575, transactions}.encode());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->transactions, transactions);
    EXPECT_EQ(decoded->expected, 1048575u);
    EXPECT_FALSE(decoded->parity);
  }
  EXPECT_FALSE(MBarrierState::decode(0));
  EXPECT_FALSE(MBarrierState::decode(~uint64_t(0)));
  // More pending than expected.
  EXPECT_FALSE(MBarrierState::decode(uint64_t(2) << 62 | 1));
}

TEST(MBarrierTest, PhasesOfArrivals) {
  // Two arrivals; the state of the first tells the phase apart from the next.
  EXPECT_THAT(run(init2() + "mbarrier.arrive.shared.b64 %w1, [%t0];" +
                      putCount() +
                      "mbarrier.test_wait.shared.b64 %p1, [%t0], %w1;" +
                      putFlag() + putParity(0) + putParity(1) +
                      "mbarrier.arrive.shared::cta.b64 %w2, [%t0];"
                      "mbarrier.pending_count.b64 %t1, %w2;" +
                      put() + "mbarrier.test_wait.shared.b64 %p1, [%t0], %w1;" +
                      putFlag() + putParity(0) + putParity(1),
                  8),
              ElementsAre(2, 0, 0, 1, 1, 1, 1, 0));
}

TEST(MBarrierTest, CountsOfArrivals) {
  EXPECT_THAT(run("mbarrier.init.shared.b64 [%t0], 7; mov.u32 %t2, 3;"
                  "mbarrier.arrive.shared.b64 %w1, [%t0], %t2;" +
                      putCount() +
                      "mbarrier.arrive.noComplete.shared.b64 %w1, [%t0], 2;" +
                      putCount() +
                      "mbarrier.arrive.relaxed.cta.shared.b64 %w1, [%t0], 2;" +
                      putCount() + putParity(0) +
                      "mbarrier.arrive.release.cluster.shared.b64 %w1, [%t0];" +
                      putCount(),
                  5),
              ElementsAre(7, 4, 2, 1, 7));
}

TEST(MBarrierTest, DropsAreNotExpectedAgain) {
  EXPECT_THAT(run("mbarrier.init.shared.b64 [%t0], 5;"
                  "mbarrier.arrive_drop.shared.b64 %w1, [%t0];" +
                      putCount() +
                      "mbarrier.arrive_drop.noComplete.shared.b64 _, [%t0], 2;"
                      "mbarrier.arrive.shared.b64 %w1, [%t0], 2;" +
                      putCount() + putParity(0) +
                      "mbarrier.arrive.shared.b64 %w1, [%t0];" + putCount(),
                  4),
              ElementsAre(5, 2, 1, 2));
}

TEST(MBarrierTest, TransactionsHoldThePhase) {
  EXPECT_THAT(
      run("mbarrier.init.shared.b64 [%t0], 1;"
          "mbarrier.expect_tx.relaxed.cta.shared.b64 [%t0], 64;"
          "mbarrier.arrive.shared.b64 _, [%t0];" +
              putParity(0) + "mbarrier.complete_tx.shared.b64 [%t0], 48;" +
              putParity(0) +
              "mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%t0], 16;" +
              putParity(0) +
              // Completed before they are expected, in phase 1.
              "mbarrier.complete_tx.shared.b64 [%t0], 32;" + putParity(1) +
              "mbarrier.arrive.expect_tx.shared.b64 _, [%t0], 32;" +
              putParity(1) +
              // Nothing expected in phase 2.
              "mbarrier.arrive.expect_tx.shared.b64 %w1, [%t0], 0;" +
              putParity(0) + putCount(),
          7),
      ElementsAre(0, 0, 1, 0, 1, 1, 1));
}

TEST(MBarrierTest, InvalidatedMemoryIsFree) {
  EXPECT_THAT(run(init2() +
                      "mbarrier.arrive.shared.b64 _, [%t0];"
                      "mbarrier.inval.shared.b64 [%t0];"
                      "st.shared.u64 [%t0], -1; ld.shared.u32 %t1, [%t0];" +
                      put() +
                      "mbarrier.init.shared.b64 [%t0], 9;"
                      "mbarrier.arrive.shared.b64 %w1, [%t0];" +
                      putCount(),
                  2),
              ElementsAre(0xffffffff, 9));
}

TEST(MBarrierTest, GenericAddresses) {
  EXPECT_THAT(run("mov.u64 %w3, object; cvta.shared.u64 %w3, %w3;"
                  "mbarrier.init.b64 [%w3], 2; mbarrier.expect_tx.b64 [%w3], 8;"
                  "mbarrier.arrive.b64 %w1, [%w3]; mbarrier.complete_tx.b64 "
                  "[%w3], 8; mbarrier.arrive_drop.b64 %w2, [%w3];"
                  "mbarrier.test_wait.b64 %p1, [%w3], %w1;" +
                      putFlag() +
                      "mbarrier.try_wait.parity.b64 %p1, [%w3], 0;" +
                      putFlag() + "mbarrier.inval.b64 [%w3];",
                  2),
              ElementsAre(1, 1));
}

/// Every thread arrives and waits in each of three phases; between them one
/// warp reads what the other wrote.
TEST(MBarrierTest, WarpsWaitForEachOther) {
  KernelRun run(
      kernel("ld.param.u64 %w0, [out]; mov.u32 %t0, object; mov.u32 %t1, "
             "%tid.x; mov.u32 %t2, words; shl.b32 %t3, %t1, 2;"
             "add.u32 %t4, %t2, %t3; xor.b32 %t3, %t3, 128;"
             "add.u32 %t5, %t2, %t3; setp.eq.u32 %p0, %t1, 0;"
             "@%p0 mbarrier.init.shared.b64 [%t0], 64; bar.sync 0;"
             "mov.u32 %t6, 0; mov.u32 %t7, %t1;"
             "LOOP: st.shared.u32 [%t4], %t7;"
             "mbarrier.arrive.shared.b64 %w1, [%t0];"
             "FIRST: mbarrier.try_wait.shared.b64 %p1, [%t0], %w1;"
             "@!%p1 bra FIRST;"
             "ld.shared.u32 %t7, [%t5]; add.u32 %t7, %t7, 100;"
             "mbarrier.arrive.release.cta.shared.b64 _, [%t0];"
             "SECOND: mbarrier.try_wait.parity.acquire.cta.shared.b64 %p1, "
             "[%t0], 1, 1000; @!%p1 bra SECOND;"
             "add.u32 %t6, %t6, 1; setp.lt.u32 %p1, %t6, 3; @%p1 bra LOOP;"
             "mad.wide.u32 %w1, %t1, 4, %w0; st.global.u32 [%w1], %t7;",
             ".param .u64 out",
             ".shared .align 8 .b64 object; .shared .b32 words[64];"),
      "k");
  size_t out = run.buffer(u32s(64, 0));
  run.config.block.x = 64;
  ASSERT_TRUE(run.launch());
  u32s result = run.read<uint32_t>(out);
  for (uint32_t i = 0; i < 64; ++i) // Swapped an odd number of times.
    EXPECT_EQ(result[i], (i ^ 32) + 300);
}

/// Lanes of one warp: a consumer that waits first, and its producer.
TEST(MBarrierTest, LanesOfAWarpWaitForEachOther) {
  LaunchConfig config;
  config.block.x = 2;
  EXPECT_THAT(run("mov.u32 %t2, %tid.x; setp.eq.u32 %p0, %t2, 0;"
                  "@%p0 mbarrier.init.shared.b64 [%t0], 1; bar.warp.sync 3;"
                  "@!%p0 bra PRODUCE;"
                  "WAIT: mbarrier.try_wait.parity.shared.b64 %p1, [%t0], 0;"
                  "@!%p1 bra WAIT; mov.u32 %t1, 5; st.global.u32 [%w0], %t1;"
                  "bra DONE;"
                  "PRODUCE: mbarrier.arrive.shared.b64 _, [%t0]; DONE:",
                  1, config),
              ElementsAre(5));
}

/// A phase that never completes: the limit of time ends the wait.
TEST(MBarrierTest, WaitsEnd) {
  EXPECT_THAT(run(init2() +
                      "mov.u32 %t2, 0; TRY: add.u32 %t2, %t2, 1;"
                      "mbarrier.try_wait.parity.shared.b64 %p1, [%t0], 0, "
                      "20; setp.lt.u32 %p2, %t2, 4; @%p2 bra TRY;" +
                      putFlag() + "mov.u32 %t1, %t2;" + put(),
                  2),
              ElementsAre(0, 4));
  EXPECT_THAT(message(init2() + "TRY: mbarrier.try_wait.parity.shared.b64 %p1, "
                                "[%t0], 0; @!%p1 bra TRY;"),
              HasSubstr("deadlock, no warp of the block can go on; waiting are "
                        "warp 0 at 'mbarrier.try_wait.parity.shared.b64 %p1, "
                        "[%t0], 0;' (PTX line 10)"));
}

//===----------------------------------------------------------------------===//
// Copies and clusters
//===----------------------------------------------------------------------===//

TEST(MBarrierTest, CopiesArrive) {
  // Without .noinc the arrival is one more than was expected.
  const std::string copy = "cp.async.mbarrier.arrive";
  EXPECT_THAT(run(init2() + copy + ".shared.b64 [%t0];" +
                      "cp.async.wait_all; mbarrier.arrive.shared.b64 %w1, "
                      "[%t0];" +
                      putCount() + copy + ".noinc.shared::cta.b64 [%t0];" +
                      "W: mbarrier.try_wait.parity.shared.b64 %p1, [%t0], 0;"
                      "@!%p1 bra W;" +
                      putFlag(),
                  2),
              ElementsAre(2, 1));
}

/// Block 0 waits for one arrival and 24 bytes of each of 4 blocks.
TEST(MBarrierTest, OtherBlocksArrive) {
  LaunchConfig config;
  config.grid.x = config.cluster.x = 4;
  const std::string enter =
      "mov.u32 %t1, %cluster_ctarank; setp.eq.u32 %p0, %t1, 0;"
      "@%p0 mbarrier.init.shared.b64 [%t0], 4; barrier.cluster.arrive;"
      "barrier.cluster.wait; mapa.shared::cluster.u32 %t2, %t0, 0;";
  const std::string leave =
      "@!%p0 bra DONE; W: mbarrier.try_wait.parity.acquire.cluster.shared::cta."
      "b64 %p1, [%t0], 0; @!%p1 bra W; mov.u32 %t1, 8;" +
      put() + "DONE: barrier.cluster.arrive; barrier.cluster.wait;";
  EXPECT_THAT(
      run(enter +
              "mbarrier.expect_tx.relaxed.cluster.shared::cluster.b64 "
              "[%t2], 24; mbarrier.complete_tx.shared::cluster.b64 [%t2], "
              "24; mbarrier.arrive.release.cluster.shared::cluster.b64 _, "
              "[%t2];" +
              leave,
          1, config),
      ElementsAre(8));
  // Through generic addresses; one of them expects the bytes.
  EXPECT_THAT(run(enter +
                      "mov.u64 %w2, object; cvta.shared.u64 %w2, %w2;"
                      "mapa.u64 %w2, %w2, 0; mbarrier.complete_tx.b64 "
                      "[%w2], 6; @!%p0 mbarrier.arrive_drop.release."
                      "cluster.b64 _, [%w2], 1; @%p0 mbarrier.arrive."
                      "expect_tx.release.cluster.b64 _, [%w2], 24;" +
                      leave,
                  1, config),
              ElementsAre(8));
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

TEST(MBarrierTest, WhatIsNoObjectFaults) {
  const std::string none =
      "mbarrier at shared address 0x0 is not initialised or was invalidated or "
      "overwritten; it needs an mbarrier.init";
  for (const char *operation :
       {"arrive.shared.b64 _, [%t0]", "expect_tx.shared.b64 [%t0], 8",
        "complete_tx.shared.b64 [%t0], 8", "inval.shared.b64 [%t0]",
        "test_wait.parity.shared.b64 %p1, [%t0], 0",
        "try_wait.parity.shared.b64 %p1, [%t0], 0"})
    EXPECT_THAT(message("mbarrier." + std::string(operation) + ";"),
                HasSubstr(none));
  EXPECT_THAT(message("cp.async.mbarrier.arrive.shared.b64 [%t0];"),
              HasSubstr(none));
  EXPECT_THAT(message(init2() + "mbarrier.inval.shared.b64 [%t0];"
                                "mbarrier.arrive.shared.b64 _, [%t0];"),
              HasSubstr(none));
  EXPECT_THAT(message(init2() + "st.shared.u32 [%t0+4], 0;"
                                "mbarrier.arrive.shared.b64 _, [%t0];"),
              HasSubstr(none));
  EXPECT_THAT(message(init2() + "mov.u64 %w1, 9; mbarrier.test_wait.shared.b64 "
                                "%p1, [%t0], %w1;"),
              HasSubstr("the operand is no state of an mbarrier; legal is what "
                        "mbarrier.arrive gave back"));
  EXPECT_THAT(message("mov.u64 %w1, 9; mbarrier.pending_count.b64 %t1, %w1;"),
              HasSubstr("the operand is no state of an mbarrier"));
}

TEST(MBarrierTest, CountsOutOfRangeFault) {
  auto init = [](const std::string &count) {
    return message("mbarrier.init.shared.b64 [%t0], " + count + ";");
  };
  EXPECT_THAT(init("0"),
              HasSubstr("mbarrier at shared address 0x0 is initialised with "
                        "count 0; legal are 1 to 1048575"));
  EXPECT_THAT(init("1048576"), HasSubstr("count 1048576; legal are 1 to"));
  EXPECT_EQ(init("1048575"), "ran");
  EXPECT_THAT(message(init2() + "mbarrier.arrive.shared.b64 _, [%t0], 3;"),
              HasSubstr("has 2 arrivals pending and count 3 arrives; legal are "
                        "1 to 2"));
  EXPECT_THAT(message(init2() + "mbarrier.arrive.shared.b64 _, [%t0], 0;"),
              HasSubstr("count 0 arrives; legal are 1 to 2"));
  EXPECT_THAT(message(init2() + "mbarrier.expect_tx.shared.b64 [%t0], 16;"
                                "mbarrier.arrive.shared.b64 _, [%t0], 2;"
                                "mbarrier.arrive.shared.b64 _, [%t0];"),
              HasSubstr("has 0 arrivals pending and count 1 arrives; none is "
                        "legal before the phase's 16 bytes are complete"));
  EXPECT_THAT(
      message(init2() + "mbarrier.arrive.noComplete.shared.b64 _, [%t0], 2;"),
      HasSubstr("completes its phase by an arrive with .noComplete"));
  EXPECT_THAT(message(init2() + "mbarrier.test_wait.parity.shared.b64 %p1, "
                                "[%t0], 2;"),
              HasSubstr("phase parity 2; legal are 0 and 1"));
  EXPECT_THAT(message("mbarrier.init.shared.b64 [%t0], 1048575;"
                      "cp.async.mbarrier.arrive.shared.b64 [%t0];"),
              HasSubstr("has 1048575 arrivals pending; one more is not legal"));
}

TEST(MBarrierTest, TransactionsOutOfRangeFault) {
  EXPECT_EQ(message(init2() + "mbarrier.expect_tx.shared.b64 [%t0], 1048575;"),
            "ran");
  EXPECT_THAT(message(init2() + "mbarrier.expect_tx.shared.b64 [%t0], 1048575;"
                                "mbarrier.expect_tx.shared.b64 [%t0], 1;"),
              HasSubstr("expects 1 more than 1048575 bytes; legal are up to "
                        "1048575"));
  EXPECT_THAT(
      message(init2() + "mbarrier.complete_tx.shared.b64 [%t0], 1048576;"),
      HasSubstr("completes 1048576 of 0 bytes; legal are down to -1048575"));
}

TEST(MBarrierTest, PlacesFault) {
  EXPECT_THAT(message("mbarrier.init.shared.b64 [%t0+4], 1;"),
              HasSubstr("mbarrier operation of 8 bytes at 0x4 is misaligned"));
  EXPECT_THAT(message("mbarrier.init.shared.b64 [%t0+8], 1;"),
              HasSubstr("mbarrier operation of 8 bytes at 0x8 is outside the "
                        "block's 8 bytes of shared memory"));
  // In global memory.
  KernelRun global(text("mbarrier.init.b64 [%w0], 1;"), "k");
  global.buffer(u32s(2, 0));
  EXPECT_THAT(global.launch().message(), HasSubstr(" is not in shared memory"));
  // In another block.
  LaunchConfig config;
  config.grid.x = config.cluster.x = 2;
  config.parameters = parameters({0});
  auto remote = [&](const std::string &operation) {
    return runMessage(
        text("mbarrier.init.shared.b64 [%t0], 3; barrier.cluster.arrive;"
             "barrier.cluster.wait; mov.u64 %w2, object; cvta.shared.u64 %w2, "
             "%w2; mapa.u64 %w2, %w2, 1; mbarrier." +
             operation + ";"),
        config);
  };
  for (const char *operation :
       {"init.b64 [%w2], 1", "inval.b64 [%w2]", "arrive.b64 %w1, [%w2]",
        "test_wait.parity.b64 %p1, [%w2], 0",
        "try_wait.parity.b64 %p1, [%w2], 0",
        "arrive.noComplete.b64 _, [%w2], 1"})
    EXPECT_THAT(
        remote(operation),
        HasSubstr("mbarrier at shared address 0x0 of block rank 1; this "
                  "operation needs one of the own block (rank 0)"));
}

TEST(MBarrierTest, UnknownForms) {
  for (const char *operation :
       {"init.shared::cluster.b64 [%t0], 1", "init.shared.b32 [%t0], 1",
        "arrive.shared::cluster.b64 %w1, [%t0]",
        "arrive.noComplete.shared.b64 _, [%t0]",
        "arrive.release.shared.b64 _, [%t0]",
        "arrive.expect_tx.shared.b64 _, [%t0]",
        "test_wait.parity.shared.b64 %p1, [%t0], 0, 10",
        "try_wait.parity.shared::cluster.b64 %p1, [%t0], 0",
        "expect_tx.release.cta.shared.b64 [%t0], 1"})
    EXPECT_THAT(message("mbarrier." + std::string(operation) + ";"),
                HasSubstr("unknown instruction 'mbarrier." +
                          std::string(operation) + ";'"));
}

} // namespace
