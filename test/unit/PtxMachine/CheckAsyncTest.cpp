//===- CheckAsyncTest.cpp - bulk copies, mbarriers, proxies ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

constexpr FindingKind kRace = FindingKind::Race;
constexpr FindingKind kUnfenced = FindingKind::MissingProxyFence;
constexpr FindingKind kUnfinished = FindingKind::Unfinished;
constexpr FindingKind kMisuse = FindingKind::MBarrierMisuse;

/// Two warps; %p0 holds in thread 0, the mbarrier is at %s5. Memory is 4096
/// bytes, the second half for results.
std::vector<Finding> checkBulk(std::initializer_list<std::string> parts,
                               uint64_t written = 2048) {
  std::string body = "mov.u32 %s5, bar; setp.eq.u32 %p0, %t0, 0;\n";
  for (const std::string &part : parts)
    body += part + "\n";
  return check(kernel(".reg .b32 %s<8>; mov.u32 %t0, %tid.x; "
                      "mov.u32 %s1, tile; mad.lo.u32 %s0, %t0, 4, %s1;"
                      "ld.param.u64 %w0, [data];\n" +
                          body,
                      ".param .u64 data",
                      ".shared .align 128 .b8 tile[1024];"
                      ".shared .align 8 .b8 bar[16];"),
               CheckedLaunch().threads(64).memory(4096, written));
}

const std::string kInit = "@%p0 mbarrier.init.shared::cta.b64 [%s5], 1;";
const std::string kInitFence = "@%p0 fence.mbarrier_init.release.cluster;";
const std::string kProxyFence = "fence.proxy.async.shared::cta;";
const std::string kBarrier = "bar.sync 0;";
const std::string kStart = kInit + kInitFence + kBarrier;
const std::string kExpect =
    "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 %w5, [%s5], 256;\n";
const std::string kCopy =
    "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
    "[%s1], [%w0], 256, [%s5];\n";
const std::string kLoad = kExpect + kCopy;
const std::string kRead = "ld.shared.u32 %t1, [%s0];";
const std::string kWrite = "st.shared.u32 [%s0], %t0;";
const std::string kStore =
    "@%p0 cp.async.bulk.global.shared::cta.bulk_group [%w0+2048], [%s1], 256;\n"
    "@%p0 cp.async.bulk.commit_group;\n";
const std::string kStoreWait = "@%p0 cp.async.bulk.wait_group.read 0;";

std::string waitFor(int parity, const std::string &label = "WAIT") {
  return label + ":\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%s5], " +
         std::to_string(parity) + ";\n@!%p1 bra " + label + ";";
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

TEST(CheckAsyncTest, LoadsAreCleanWithTheirMBarrier) {
  EXPECT_THAT(checkBulk({kStart, kLoad, waitFor(0), kRead}), IsEmpty());
  EXPECT_THAT(checkBulk({kStart, kLoad, waitFor(0), kRead, kBarrier, kLoad,
                         waitFor(1, "AGAIN"), kRead}),
              IsEmpty());
}

TEST(CheckAsyncTest, ReadBeforeThePhaseIsSeen) {
  auto found = checkBulk({kStart, kLoad, kBarrier, kRead, waitFor(0)});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, kRace);
  EXPECT_EQ(
      found[0].message,
      "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 17, "
      "'ld.shared.u32 %t1, [%s0];': reads shared memory at 0x0, which the bulk "
      "copy of thread (0, 0, 0) writes at PTX line 14, '@%p0 "
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%s1], [%w0], 256, [%s5];'; it is complete for those who have waited "
      "for its phase of the mbarrier at 0x400");
}

/// Only one warp waits, and no barrier follows.
TEST(CheckAsyncTest, WhoDidNotWaitDoesNotKnow) {
  const std::string skip = "setp.ge.u32 %p2, %t0, 32;\n@%p2 bra OVER;";
  EXPECT_THAT(checkBulk({kStart, kLoad, skip, waitFor(0), "OVER:", kRead}),
              ElementsAre(IsFinding(kRace, "thread (32, 0, 0)")));
  EXPECT_THAT(
      checkBulk({kStart, kLoad, skip, waitFor(0), "OVER:", kBarrier, kRead}),
      IsEmpty());
}

/// The phase completes by an arrival that does not expect the copy's bytes.
TEST(CheckAsyncTest, APhaseThatDoesNotWaitForTheCopy) {
  const std::string arrive =
      "@%p0 mbarrier.arrive.shared::cta.b64 %w5, [%s5];\n";
  EXPECT_THAT(
      checkBulk({kStart, arrive, waitFor(0), kLoad, kRead, waitFor(1, "LAST")}),
      ElementsAre(IsFinding(kRace, "'ld.shared.u32 %t1, [%s0];'")));
}

TEST(CheckAsyncTest, RefillWhileOthersRead) {
  EXPECT_THAT(
      checkBulk({kStart, kLoad, waitFor(0), kRead, kLoad, waitFor(1, "AGAIN")}),
      ::testing::Contains(IsFinding(
          kRace, "writes shared memory at 0x4, which thread (1, 0, 0) reads")));
  // The reader of an older phase arrives, the producer waits for it.
  EXPECT_THAT(
      checkBulk({kInit, "@%p0 mbarrier.init.shared::cta.b64 [%s5+8], 64;",
                 kInitFence, kBarrier, kLoad, waitFor(0), kRead,
                 "mbarrier.arrive.shared::cta.b64 %w5, [%s5+8];",
                 "FREE:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, "
                 "[%s5+8], 0;\n@!%p1 bra FREE;",
                 kLoad, waitFor(1, "AGAIN"), kRead}),
      IsEmpty());
}

TEST(CheckAsyncTest, StoreToTheTargetOfALoad) {
  const auto race = ElementsAre(IsFinding(kRace, "'st.shared"));
  EXPECT_THAT(checkBulk({kStart, kLoad, kBarrier, kWrite, waitFor(0)}), race);
  // Stores before a load are ordered, but not for the asynchronous proxy.
  EXPECT_THAT(checkBulk({kStart, kWrite, kBarrier, kLoad, waitFor(0)}),
              ElementsAre(IsFinding(
                  kUnfenced, "writes shared memory at 0x0 through the "
                             "asynchronous proxy, which thread (0, 0, 0) "
                             "writes at PTX line")));
  EXPECT_THAT(
      checkBulk({kStart, kWrite, kProxyFence, kBarrier, kLoad, waitFor(0)}),
      IsEmpty());
  // Reads need no fence.
  EXPECT_THAT(checkBulk({kStart, kWrite, kProxyFence, kBarrier, kRead, kBarrier,
                         kLoad, waitFor(0)}),
              IsEmpty());
}

TEST(CheckAsyncTest, ALoadThatNobodyWaitsFor) {
  EXPECT_THAT(checkBulk({kStart, kLoad}),
              ElementsAre(IsFinding(
                  kUnfinished, "the block ends while this operation may still "
                               "write its shared memory; a thread must have "
                               "waited for it")));
}

TEST(CheckAsyncTest, SourceThatNothingWrote) {
  EXPECT_THAT(checkBulk({kStart, kLoad, waitFor(0), kRead}, 255),
              ElementsAre(IsFinding(FindingKind::UninitializedRead,
                                    "of the 256 bytes it reads from byte 0 on "
                                    "of an allocation of 4096 bytes")));
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

TEST(CheckAsyncTest, StoresNeedAProxyFence) {
  EXPECT_THAT(checkBulk({kWrite, kProxyFence, kBarrier, kStore, kStoreWait}),
              IsEmpty());
  EXPECT_THAT(checkBulk({kWrite, kBarrier, kProxyFence, kStore, kStoreWait}),
              IsEmpty());
  const auto unfenced = ElementsAre(IsFinding(
      kUnfenced, "'st.shared.u32 [%s0], %t0;' through "
                 "the generic one; fence.proxy.async must come between them"));
  EXPECT_THAT(checkBulk({kWrite, kBarrier, kStore, kStoreWait}), unfenced);
  // Before the store, in the wrong threads, or of other memory.
  EXPECT_THAT(checkBulk({kProxyFence, kWrite, kBarrier, kStore, kStoreWait}),
              unfenced);
  EXPECT_THAT(checkBulk({kWrite, kBarrier, kStore, kProxyFence, kStoreWait}),
              unfenced);
  EXPECT_THAT(checkBulk({kWrite, "fence.proxy.async.global;", kBarrier, kStore,
                         kStoreWait}),
              unfenced);
  EXPECT_THAT(checkBulk({kWrite, "membar.gl;", kBarrier, kStore, kStoreWait}),
              unfenced);
  // The fence of one thread is for what it knows: not for the other warp.
  EXPECT_THAT(
      checkBulk({kWrite, "@%p0 " + kProxyFence, kBarrier, kStore, kStoreWait}),
      ElementsAre(IsFinding(kUnfenced, "at 0x4 through the "
                                       "asynchronous proxy, which "
                                       "thread (1, 0, 0) writes")));
}

TEST(CheckAsyncTest, StoresNeedABarrier) {
  EXPECT_THAT(
      checkBulk({kWrite, kProxyFence, kStore, kStoreWait}),
      ::testing::Contains(IsFinding(
          kRace, "'@%p0 cp.async.bulk.global.shared::cta.bulk_group "
                 "[%w0+2048], [%s1], 256;': reads shared memory at 0x4, which "
                 "thread (1, 0, 0) writes")));
}

TEST(CheckAsyncTest, SourceWrittenAgainBeforeItWasRead) {
  const std::string begin = kWrite + kProxyFence + kBarrier + kStore;
  EXPECT_THAT(checkBulk({begin, kStoreWait, kBarrier, kWrite}), IsEmpty());
  EXPECT_THAT(
      checkBulk({begin, kBarrier, kWrite, kStoreWait}),
      ElementsAre(IsFinding(
          kRace, "'st.shared.u32 [%s0], %t0;': writes shared memory at 0x0, "
                 "which the bulk copy of thread (0, 0, 0) reads")));
  // The wait is of the thread that committed; others need a barrier behind it.
  EXPECT_THAT(checkBulk({begin, "cp.async.bulk.wait_group.read 0;", kWrite}),
              ElementsAre(IsFinding(kRace, "thread (1, 0, 0)")));
  EXPECT_THAT(checkBulk({begin, "@%p0 cp.async.bulk.wait_group.read 1;",
                         kBarrier, kWrite, kStoreWait}),
              ElementsAre(IsFinding(kRace, "'st.shared")));
}

TEST(CheckAsyncTest, AStoreThatNobodyWaitsFor) {
  const std::string begin = kWrite + kProxyFence + kBarrier;
  EXPECT_THAT(checkBulk({begin, kStore}),
              ElementsAre(IsFinding(kUnfinished,
                                    "the block ends while this operation may "
                                    "still read its shared memory")));
}

//===----------------------------------------------------------------------===//
// mbarrier objects
//===----------------------------------------------------------------------===//

TEST(CheckAsyncTest, InitialisationMustBeVisible) {
  // To the asynchronous proxy.
  EXPECT_THAT(
      checkBulk({kInit, kBarrier, kLoad, waitFor(0), kRead}),
      ElementsAre(IsFinding(
          kUnfenced,
          "'@%p0 mbarrier.init.shared::cta.b64 "
          "[%s5], 1;'; fence.mbarrier_init or fence.proxy.async must follow "
          "that, or the asynchronous proxy may not see it")));
  EXPECT_THAT(
      checkBulk({kInit, kProxyFence, kBarrier, kLoad, waitFor(0), kRead}),
      IsEmpty());
  // To other threads.
  EXPECT_THAT(checkBulk({kInit, kInitFence, kLoad, waitFor(0), kRead}),
              ElementsAre(IsFinding(
                  kRace, "'mbarrier.try_wait.parity.shared::cta.b64 "
                         "%p1, [%s5], 0;': updates shared memory at "
                         "0x400, which thread (0, 0, 0) initialises")));
}

TEST(CheckAsyncTest, ObjectsAreNotInitialisedTwice) {
  EXPECT_THAT(
      checkBulk({kStart, kInit, kInitFence, kBarrier, kLoad, waitFor(0)}),
      ElementsAre(IsFinding(kMisuse, "initialises the mbarrier object at "
                                     "0x400, which is one already; "
                                     "mbarrier.inval must come first")));
  EXPECT_THAT(checkBulk({kStart, "@%p0 mbarrier.inval.shared::cta.b64 [%s5];",
                         kInit, kInitFence, kBarrier, kLoad, waitFor(0)}),
              IsEmpty());
}

TEST(CheckAsyncTest, ObjectsAreNotOverwritten) {
  const std::string write = "@%p0 st.shared.u32 [%s5+4], 0;";
  EXPECT_THAT(
      checkBulk({kStart, write}),
      ElementsAre(IsFinding(kMisuse, "writes to the mbarrier object at 0x400; "
                                     "mbarrier.inval must come first")));
  EXPECT_THAT(
      checkBulk({kStart, "@%p0 mbarrier.inval.shared::cta.b64 [%s5];", write}),
      IsEmpty());
}

TEST(CheckAsyncTest, ArrivalsReleaseAndWaitsAcquire) {
  // Each thread writes, arrives, waits and reads the other warp's word.
  auto exchange = [](const std::string &arrive, const std::string &wait) {
    return checkBulk({"@%p0 mbarrier.init.shared::cta.b64 [%s5], 64;", kBarrier,
                      kWrite, arrive, wait,
                      "xor.b32 %t1, %t0, 32; mad.lo.u32 %s2, %t1, 4, %s1; "
                      "ld.shared.u32 %t2, [%s2];"});
  };
  const std::string arrive = "mbarrier.arrive.shared::cta.b64 %w5, [%s5];";
  const std::string relaxed =
      "mbarrier.arrive.relaxed.cta.shared::cta.b64 %w5, [%s5];";
  EXPECT_THAT(exchange(arrive, waitFor(0)), IsEmpty());
  EXPECT_THAT(exchange("fence.acq_rel.cta;" + relaxed, waitFor(0)), IsEmpty());
  EXPECT_THAT(exchange(relaxed, waitFor(0)),
              ElementsAre(IsFinding(kRace, "'ld.shared.u32 %t2, [%s2];'")));
  EXPECT_THAT(exchange(arrive, ""), ::testing::Contains(IsFinding(
                                        kRace, "'ld.shared.u32 %t2, [%s2];'")));
}

//===----------------------------------------------------------------------===//
// cp.async with an mbarrier
//===----------------------------------------------------------------------===//

TEST(CheckAsyncTest, CopiesThatCompleteWithAnMBarrier) {
  const std::string init = "@%p0 mbarrier.init.shared::cta.b64 [%s5], 64;";
  const std::string copy = "mad.wide.u32 %w1, %t0, 4, %w0;"
                           "cp.async.ca.shared.global [%s0], [%w1], 4;\n";
  const std::string follow =
      "cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%s5];";
  const std::string arrive = "mbarrier.arrive.shared::cta.b64 %w5, [%s5];";
  const std::string other = "xor.b32 %t1, %t0, 32; mad.lo.u32 %s2, %t1, 4, "
                            "%s1; ld.shared.u32 %t2, [%s2];";
  EXPECT_THAT(checkBulk({init, kBarrier, copy, follow, waitFor(0), other}),
              IsEmpty());
  // An arrival that does not follow the copies.
  EXPECT_THAT(checkBulk({init, kBarrier, copy, arrive, waitFor(0), other,
                         "cp.async.wait_all;"}),
              ElementsAre(IsFinding(kRace, "the cp.async of thread")));
  // A copy behind the arrival.
  EXPECT_THAT(checkBulk({init, kBarrier, follow, copy, waitFor(0), other,
                         "cp.async.wait_all;"}),
              ElementsAre(IsFinding(kRace, "the cp.async of thread")));
}

/// What cp.async writes is written through the generic proxy.
TEST(CheckAsyncTest, CopiesAreOfTheGenericProxy) {
  const std::string copy =
      "mad.wide.u32 %w1, %t0, 4, %w0;"
      "cp.async.ca.shared.global [%s0], [%w1], 4; cp.async.wait_all;\n";
  EXPECT_THAT(checkBulk({copy, kProxyFence, kBarrier, kStore, kStoreWait}),
              IsEmpty());
  EXPECT_THAT(checkBulk({copy, kBarrier, kStore, kStoreWait}),
              ElementsAre(IsFinding(
                  kUnfenced, "which the cp.async of thread (0, 0, 0) writes")));
}

} // namespace
