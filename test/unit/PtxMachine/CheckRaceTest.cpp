//===- CheckRaceTest.cpp - races between threads --------------------------===//
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

std::vector<Finding> checkTile(const std::string &body, uint32_t threads = 64) {
  // Every word is written first, so that none is uninitialised.
  return check(tileKernel("st.shared.u32 [%s0], %t0; bar.sync 0;\n" + body),
               CheckedLaunch().threads(threads));
}

/// The own word, and that of the thread whose index differs in `bit`, at %s2.
constexpr const char *kWrite = "st.shared.u32 [%s0], %t0;\n";
constexpr const char *kRead = "ld.shared.u32 %t2, [%s2];\n";
std::string partner(int bit) {
  return "xor.b32 %t1, %t0, " + std::to_string(bit) +
         "; mad.lo.u32 %s2, %t1, 4, %s1;\n";
}

/// Writes the own word and reads the partner's.
std::string exchange(const std::string &between, int bit = 32) {
  return partner(bit) + kWrite + between + kRead;
}

TEST(CheckRaceTest, ReadBesideWriteOfAnotherWarp) {
  auto found = checkTile(exchange(""));
  // The first warp reads before the second writes, then the second reads what
  // the first wrote.
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(
      found[0].message,
      "kernel 'k', block (0, 0, 0), thread (32, 0, 0), PTX line 14, "
      "'st.shared.u32 [%s0], %t0;': writes shared memory at 0x80, which thread "
      "(0, 0, 0) reads at PTX line 15, 'ld.shared.u32 %t2, [%s2];', and "
      "nothing orders the two");
  EXPECT_EQ(
      found[1].message,
      "kernel 'k', block (0, 0, 0), thread (32, 0, 0), PTX line 15, "
      "'ld.shared.u32 %t2, [%s2];': reads shared memory at 0x0, which thread "
      "(0, 0, 0) writes at PTX line 14, 'st.shared.u32 [%s0], %t0;', and "
      "nothing orders the two");
  for (const Finding &finding : found) {
    EXPECT_EQ(finding.kind, FindingKind::Race);
    EXPECT_EQ(finding.occurrences, 1u);
  }
  EXPECT_THAT(checkTile(exchange("bar.sync 0;\n")), IsEmpty());
}

TEST(CheckRaceTest, WriteBehindReadNeedsABarrierToo) {
  const std::string read = partner(32) + kRead;
  EXPECT_THAT(
      checkTile(read + kWrite),
      ElementsAre(IsFinding(FindingKind::Race, "'ld.shared"),
                  IsFinding(FindingKind::Race,
                            "thread (32, 0, 0), PTX line 15, 'st.shared.u32 "
                            "[%s0], %t0;': writes shared memory at 0x80, which "
                            "thread (0, 0, 0) reads at PTX line 14")));
  EXPECT_THAT(checkTile(read + "bar.sync 0;\n" + kWrite), IsEmpty());
}

TEST(CheckRaceTest, TwoWarpsWriteTheSame) {
  const std::string write = "and.b32 %t1, %t0, 31; mad.lo.u32 %s2, %t1, 4, "
                            "%s1; st.shared.u32 [%s2], %t0;\n";
  EXPECT_THAT(checkTile(write),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (32, 0, 0), PTX line 13, "
                                    "'st.shared.u32 [%s2], %t0;': writes "
                                    "shared memory at 0x0, which thread "
                                    "(0, 0, 0) writes at PTX line 13")));
}

/// Lock step orders nothing; of the warp-level instructions only bar.warp.sync
/// does.
TEST(CheckRaceTest, LanesOfAWarp) {
  const char *message = "thread (0, 0, 0), PTX line 15, 'ld.shared.u32 %t2, "
                        "[%s2];': reads shared memory at 0x4, which thread "
                        "(1, 0, 0) writes at PTX line 14";
  EXPECT_THAT(checkTile(exchange("", 1), 32),
              ElementsAre(IsFinding(FindingKind::Race, message)));
  EXPECT_THAT(checkTile(exchange("bar.warp.sync -1;", 1), 32), IsEmpty());
  EXPECT_THAT(
      checkTile(exchange("shfl.sync.idx.b32 %t3, %t0, 0, 31, -1;", 1), 32),
      ElementsAre(IsFinding(FindingKind::Race, "")));
  EXPECT_THAT(checkTile(exchange("vote.sync.any.pred %p0, 1, -1;", 1), 32),
              ElementsAre(IsFinding(FindingKind::Race, "")));
  // Of half a warp, for the partner in the other half.
  const char *halves = "setp.lt.u32 %p0, %t0, 16;\n@%p0 bra LOW;\n"
                       "bar.warp.sync 0xffff0000; bra MEET;\nLOW:\n"
                       "bar.warp.sync 0xffff;\nMEET:\n";
  EXPECT_THAT(checkTile(exchange(halves, 1), 32), IsEmpty());
  EXPECT_THAT(checkTile(exchange(halves, 16), 32),
              ElementsAre(IsFinding(FindingKind::Race, "")));
}

TEST(CheckRaceTest, LanesOfOneInstruction) {
  EXPECT_THAT(checkTile("st.shared.u32 [%s1], %t0;\n", 32),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (1, 0, 0), PTX line 13, "
                                    "'st.shared.u32 [%s1], %t0;': writes "
                                    "shared memory at 0x0, which thread "
                                    "(0, 0, 0) writes at PTX line 13")));
  // All may read one word.
  EXPECT_THAT(checkTile("ld.shared.u32 %t1, [%s1];\n", 256), IsEmpty());
}

//===----------------------------------------------------------------------===//
// Parts of words
//===----------------------------------------------------------------------===//

/// Thread i accesses the byte or half at i * 1 or i * 2.
std::string parts(int bytes, const std::string &body) {
  return "cvt.u16.u32 %h0, %t0; mad.lo.u32 %s2, %t0, " + std::to_string(bytes) +
         ", %s1;\n" + body;
}

TEST(CheckRaceTest, NeighbouringBytesAreApart) {
  EXPECT_THAT(checkTile(parts(1, "st.shared.u8 [%s2], %h0;")), IsEmpty());
  EXPECT_THAT(checkTile(parts(2, "st.shared.u16 [%s2], %h0;")), IsEmpty());
  EXPECT_THAT(checkTile(parts(2, "st.shared.u16 [%s2], %h0; "
                                 "ld.shared.u8 %h1, [%s2+1];")),
              IsEmpty());
}

TEST(CheckRaceTest, BytesOfAWord) {
  // The second lane writes the byte that the first reads with its half.
  EXPECT_THAT(checkTile(parts(1, "st.shared.u8 [%s2], %h0;\n"
                                 "and.b32 %t3, %t0, 0xfe;\n"
                                 "add.u32 %s3, %s1, %t3;\n"
                                 "ld.shared.u16 %h1, [%s3];"),
                        32),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (0, 0, 0), PTX line 17, "
                                    "'ld.shared.u16 %h1, [%s3];': reads "
                                    "shared memory at 0x1, which thread "
                                    "(1, 0, 0) writes at PTX line 14")));
  // A whole word behind a barrier, then a byte of it by somebody else.
  EXPECT_THAT(checkTile(parts(1, "st.shared.u8 [%s2], %h0; bar.sync 0;\n"
                                 "st.shared.u32 [%s0], %t0;\n"
                                 "setp.lt.u32 %p0, %t0, 31; "
                                 "@%p0 ld.shared.u8 %h1, [%s0+6];"),
                        32),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (0, 0, 0), PTX line 16, "
                                    "'@%p0 ld.shared.u8 %h1, [%s0+6];': reads "
                                    "shared memory at 0x6, which thread "
                                    "(1, 0, 0) writes at PTX line 15")));
}

TEST(CheckRaceTest, ReadsOfPartsAreKept) {
  // Bytes are read by their threads; later one thread writes the word.
  EXPECT_THAT(
      checkTile(parts(1, "ld.shared.u8 %h1, [%s2];\nsetp.eq.u32 %p0, %t0, 0;\n"
                         "@%p0 st.shared.u32 [%s1], %t0;"),
                32),
      ElementsAre(IsFinding(FindingKind::Race,
                            "thread (0, 0, 0), PTX line 16, '@%p0 "
                            "st.shared.u32 [%s1], %t0;': writes shared memory "
                            "at 0x1, which thread (1, 0, 0) reads at PTX line "
                            "14")));
}

//===----------------------------------------------------------------------===//
// Atomic operations, flags
//===----------------------------------------------------------------------===//

TEST(CheckRaceTest, AtomicOperations) {
  const std::string add = "red.shared.add.u32 [%s1], %t0;\n";
  EXPECT_THAT(checkTile(add + add), IsEmpty());
  EXPECT_THAT(checkTile(add + "bar.sync 0; ld.shared.u32 %t1, [%s1];"),
              IsEmpty());
  EXPECT_THAT(checkTile(add + "ld.shared.u32 %t1, [%s1];", 32),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (1, 0, 0), PTX line 14, "
                                    "'ld.shared.u32 %t1, [%s1];': reads shared "
                                    "memory at 0x0, which thread (0, 0, 0) "
                                    "updates at PTX line 13")));
  EXPECT_THAT(checkTile("setp.eq.u32 %p0, %t0, 0;\n"
                        "@%p0 st.shared.u32 [%s1], 1;\n" +
                            add,
                        64),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "'red.shared.add.u32 [%s1], %t0;': updates "
                                    "shared memory at 0x0, which thread "
                                    "(0, 0, 0) writes at PTX line 14")));
}

TEST(CheckRaceTest, VolatileAccessesDoNotConflict) {
  EXPECT_THAT(checkTile(partner(32) + "st.volatile.shared.u32 [%s0], %t0;"
                                      "ld.volatile.shared.u32 %t2, [%s2];"),
              IsEmpty());
  EXPECT_THAT(checkTile(partner(32) + "st.shared.u32 [%s0], %t0;\n"
                                      "ld.volatile.shared.u32 %t2, [%s2];"),
              ElementsAre(IsFinding(FindingKind::Race, "'st.shared"),
                          IsFinding(FindingKind::Race, "'ld.volatile")));
}

/// Warp 0 writes the tile and sets a flag; warp 1 waits for it and reads.
std::string handOver(const std::string &set, const std::string &get) {
  return partner(32) + "setp.lt.u32 %p0, %t0, 32;\n@!%p0 bra READ;\n" + kWrite +
         "bar.warp.sync -1;\nsetp.ne.u32 %p1, %t0, 0;\n@%p1 bra END;\n" + set +
         "\nbra END;\nREAD:\n" + get +
         "setp.ne.u32 %p1, %t3, 77;\n@%p1 bra READ;\n" + kRead + "END:\n";
}

TEST(CheckRaceTest, FlagsNeedReleaseAndAcquire) {
  const std::string relaxedSet = "st.relaxed.cta.shared.u32 [%s1+512], 77;\n";
  const std::string relaxedGet = "ld.relaxed.cta.shared.u32 %t3, [%s1+512];\n";
  const std::string release = "st.release.cta.shared.u32 [%s1+512], 77;\n";
  const std::string acquire = "ld.acquire.cta.shared.u32 %t3, [%s1+512];\n";
  const std::string fence = "fence.acq_rel.cta;\n";
  auto run = [](const std::string &set, const std::string &get) {
    return check(tileKernel("st.shared.u32 [%s0], %t0;"
                            "st.shared.u32 [%s0+512], 0; bar.sync 0;\n" +
                            handOver(set, get)),
                 CheckedLaunch().threads(64));
  };
  EXPECT_THAT(run(release, acquire), IsEmpty());
  EXPECT_THAT(run(fence + relaxedSet, relaxedGet + fence), IsEmpty());
  EXPECT_THAT(run(fence + relaxedSet, acquire), IsEmpty());
  EXPECT_THAT(run("membar.cta;" + relaxedSet, acquire), IsEmpty());
  EXPECT_THAT(run("atom.release.cta.shared.exch.b32 %t4, [%s1+512], 77;",
                  "atom.acquire.cta.shared.or.b32 %t3, [%s1+512], 0;"),
              IsEmpty());
  const auto race =
      ElementsAre(IsFinding(FindingKind::Race, "'ld.shared.u32 %t2, [%s2];'"));
  EXPECT_THAT(run(relaxedSet, acquire), race);
  EXPECT_THAT(run(release, relaxedGet), race);
  EXPECT_THAT(run(relaxedSet + fence, acquire), race);
  EXPECT_THAT(run("atom.shared.exch.b32 %t4, [%s1+512], 77;", acquire), race);
}

//===----------------------------------------------------------------------===//
// Barriers
//===----------------------------------------------------------------------===//

TEST(CheckRaceTest, NamedBarriersOrderWhoMeets) {
  // Warps 0 and 1 meet at barrier 1, warps 2 and 3 at barrier 2.
  const std::string meet = "shr.u32 %t3, %t0, 6; add.u32 %t3, %t3, 1;"
                           "barrier.sync %t3, 64;\n";
  EXPECT_THAT(checkTile(exchange(meet, 32), 128), IsEmpty());
  EXPECT_THAT(checkTile(exchange(meet, 64), 128),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (0, 0, 0), PTX line 16, "
                                    "'ld.shared.u32 %t2, [%s2];': reads shared "
                                    "memory at 0x100, which thread (64, 0, 0) "
                                    "writes")));
}

TEST(CheckRaceTest, WhoOnlyArrivesMayGoOn) {
  // Warp 0 writes and arrives; warp 1 waits and reads.
  auto body = [](const std::string &behind) {
    return partner(32) + "setp.lt.u32 %p0, %t0, 32;\n@!%p0 bra READ;\n" +
           kWrite + "barrier.arrive 1, 64;\n" + behind +
           "bra END;\nREAD:\nbarrier.sync 1, 64;\n" + kRead + "END:\n";
  };
  EXPECT_THAT(checkTile(body("")), IsEmpty());
  EXPECT_THAT(checkTile(body(kWrite)),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "thread (32, 0, 0), PTX line 22, "
                                    "'ld.shared.u32 %t2, [%s2];': reads shared "
                                    "memory at 0x0, which thread (0, 0, 0) "
                                    "writes at PTX line 18")));
}

TEST(CheckRaceTest, ThreadsThatHaveExitedAreDone) {
  EXPECT_THAT(checkTile(partner(32) + kWrite +
                        "setp.lt.u32 %p0, %t0, 32;\n@%p0 exit;\n"
                        "bar.sync 0;\n" +
                        kRead),
              IsEmpty());
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

TEST(CheckRaceTest, CountsExecutionsOncePerPair) {
  auto found = checkTile("mov.u32 %t3, 0;\nNEXT:\nst.shared.u32 [%s1], %t0;\n"
                         "bar.sync 0;\nadd.u32 %t3, %t3, 1;\n"
                         "setp.lt.u32 %p0, %t3, 5;\n@%p0 bra NEXT;\n",
                         64);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].occurrences, 10u); // Two warps, five times.
}

/// Many blocks on many host threads report what one host thread does.
TEST(CheckRaceTest, ReportsDoNotDependOnHostThreads) {
  const std::string ptx = tileKernel(
      "mov.u32 %t1, %ctaid.x; setp.lt.u32 %p0, %t1, 5;\n"
      "@%p0 bra END;\nst.shared.u32 [%s1], %t0; ld.shared.u32 %t2, [%s1+4];\n"
      "@!%p0 st.shared.u32 [%s1+4], %t0;\nEND:\n");
  auto run = [&](unsigned hostThreads) {
    CheckedLaunch launch = CheckedLaunch().threads(64).blocks(40);
    launch.config.hostThreads = hostThreads;
    return check(ptx, launch);
  };
  const auto one = run(1);
  ASSERT_EQ(one.size(), 5u);
  EXPECT_THAT(one[0].message, HasSubstr("block (5, 0, 0)"));
  EXPECT_EQ(one[0].occurrences, 70u);
  for (unsigned hostThreads : {2u, 3u, 8u}) {
    const auto other = run(hostThreads);
    ASSERT_EQ(other.size(), one.size());
    for (size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(other[i].message, one[i].message);
      EXPECT_EQ(other[i].occurrences, one[i].occurrences);
      EXPECT_EQ(other[i].kind, one[i].kind);
    }
  }
}

TEST(CheckRaceTest, TooManyAreCounted) {
  std::string body;
  for (size_t i = 0; i < kMaxFindings + 10; ++i)
    body += "st.shared.u32 [%s1+" + std::to_string(4 * i) + "], %t0;\n";
  GlobalMemory memory;
  auto module = LoadedModule::load(tileKernel(body), memory);
  ASSERT_TRUE(module) << module.error().message;
  LaunchConfig config;
  config.block.x = 2;
  config.checkMemory = true;
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->findings.size(), kMaxFindings);
  EXPECT_EQ(done->findingsLeftOut, 10u);
}

TEST(CheckRaceTest, AFaultSaysWhatWasFoundBefore) {
  auto found = checkTile("st.shared.u32 [%s1], %t0;\ntrap;\n", 32);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].occurrences, 0u); // The launch failed.
  EXPECT_THAT(found[0].message,
              HasSubstr("the kernel trapped; before that, the memory checker "
                        "found 1 thing: kernel 'k', block (0, 0, 0), thread "
                        "(1, 0, 0), PTX line 13"));
}

TEST(CheckRaceTest, NothingIsFoundUnlessAsked) {
  GlobalMemory memory;
  auto module =
      LoadedModule::load(tileKernel("st.shared.u32 [%s1], %t0;\n"), memory);
  LaunchConfig config;
  config.block.x = 64;
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(done->findings, IsEmpty());
}

} // namespace
