//===- CheckClusterTest.cpp - shared memory of other blocks ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

constexpr FindingKind kRace = FindingKind::Race;
constexpr FindingKind kLifetime = FindingKind::ClusterLifetime;

/// A cluster of two blocks of a warp; %s4 is the own word in the other block.
std::vector<Finding> checkPair(std::initializer_list<std::string> parts) {
  std::string body = "mov.u32 %t1, %cluster_ctarank; xor.b32 %t2, %t1, 1;"
                     "mapa.shared::cluster.u32 %s4, %s0, %t2;\n";
  for (const std::string &part : parts)
    body += part + "\n";
  return check(tileKernel(body), CheckedLaunch().threads(32).clusters(2));
}

const std::string kWrite = "st.shared.u32 [%s0], %t0;";
const std::string kReadPeer = "ld.shared::cluster.u32 %t3, [%s4];";
const std::string kWritePeer = "st.shared::cluster.u32 [%s4], %t0;";
const std::string kArrive = "barrier.cluster.arrive;";
const std::string kWait = "barrier.cluster.wait;";
const std::string kMeet = kArrive + kWait;

TEST(CheckClusterTest, Clean) {
  EXPECT_THAT(checkPair({kWrite, kMeet, kReadPeer, kMeet}), IsEmpty());
  EXPECT_THAT(
      checkPair({kMeet, kWritePeer, kMeet, "ld.shared.u32 %t3, [%s0];"}),
      IsEmpty());
  // Work between arrive and wait.
  EXPECT_THAT(checkPair({kWrite, kArrive, "st.shared.u32 [%s0+512], 0;", kWait,
                         kReadPeer, kMeet}),
              IsEmpty());
}

TEST(CheckClusterTest, RacesBetweenBlocks) {
  EXPECT_THAT(
      checkPair({kMeet, kWritePeer, "ld.shared.u32 %t3, [%s0];", kMeet}),
      Contains(IsFinding(
          kRace, "'ld.shared.u32 %t3, [%s0];': reads shared memory at 0x0, "
                 "which block (1, 0, 0), thread (0, 0, 0) writes")));
  // What is done behind the arrival is not part of it.
  EXPECT_THAT(checkPair({kWrite, kArrive, kWrite, kWait, kReadPeer, kMeet}),
              Contains(IsFinding(kRace, "ld.shared::cluster")));
}

TEST(CheckClusterTest, RelaxedArrivals) {
  const std::string relaxed = "barrier.cluster.arrive.relaxed;";
  EXPECT_THAT(checkPair({kWrite, relaxed, kWait, kReadPeer, kMeet}),
              ElementsAre(IsFinding(
                  kRace, "reads shared memory at 0x0 of block (0, 0, 0), which "
                         "block (0, 0, 0), thread (0, 0, 0) "
                         "writes")));
  EXPECT_THAT(checkPair({kWrite, "fence.acq_rel.cluster;", relaxed, kWait,
                         kReadPeer, kMeet}),
              IsEmpty());
}

TEST(CheckClusterTest, APeerMayNotHaveStarted) {
  EXPECT_THAT(
      checkPair({kWritePeer, kMeet}),
      ElementsAre(IsFinding(
          kLifetime, "'st.shared::cluster.u32 [%s4], %t0;': the shared memory "
                     "of block (1, 0, 0) is accessed when that block may not "
                     "have started; the thread must have heard of it, as by "
                     "barrier.cluster")));
}

TEST(CheckClusterTest, APeerMayHaveEnded) {
  EXPECT_THAT(
      checkPair({kWrite, kMeet, kReadPeer}),
      ElementsAre(IsFinding(
          kLifetime, "'ld.shared::cluster.u32 %t3, [%s4];': the shared memory "
                     "of block (1, 0, 0) is accessed when that block may have "
                     "ended; one of its threads must wait for the access, as "
                     "at barrier.cluster")));
}

/// Block 1 arrives at an mbarrier of block 0, which waits for it.
TEST(CheckClusterTest, RemoteMBarriers) {
  auto run = [](const std::string &fence, const std::string &arrive) {
    return checkPair(
        {"setp.eq.u32 %p0, %t0, 0; setp.eq.u32 %p1, %t1, 0;\n"
         "@%p0 mbarrier.init.shared::cta.b64 [%s1+1016], 32;\n" +
             fence,
         arrive + kWait, "@%p1 bra FIRST;",
         "mov.u32 %t4, 0; add.u32 %s5, %s1, 1016;"
         "mapa.shared::cluster.u32 %s5, %s5, %t4;",
         "st.shared::cluster.u32 [%s4], %t0;",
         "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%s5];",
         "bra END;\nFIRST:",
         "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, "
         "[%s1+1016], 0;\n@!%p2 bra FIRST;",
         "ld.shared.u32 %t3, [%s0];\nEND:"});
  };
  EXPECT_THAT(run("", kArrive), IsEmpty());
  EXPECT_THAT(run("fence.mbarrier_init.release.cluster;",
                  "barrier.cluster.arrive.relaxed;"),
              IsEmpty());
  EXPECT_THAT(run("", "barrier.cluster.arrive.relaxed;"),
              Contains(IsFinding(kRace, "'mbarrier.arrive.release.cluster."
                                        "shared::cluster.b64 _, [%s5];': "
                                        "updates shared memory at 0x3f8 of "
                                        "block (0, 0, 0), which block "
                                        "(0, 0, 0), thread (0, 0, 0) "
                                        "initialises")));
}

} // namespace
