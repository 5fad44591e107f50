//===- CheckCopyTest.cpp - misuse of cp.async -----------------------------===//
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

/// Thread i copies 16 bytes to the tile at 16 i (%s2); %s3 is the place of the
/// partner in the other warp.
constexpr const char *kPlaces =
    "mad.lo.u32 %s2, %t0, 16, %s1; xor.b32 %t1, %t0, 32;"
    "mad.lo.u32 %s3, %t1, 16, %s1;\n";
constexpr const char *kCopy = "cp.async.ca.shared.global [%s2], [%w1], 16;\n";
constexpr const char *kCommit = "cp.async.commit_group;\n";
constexpr const char *kWait = "cp.async.wait_group 0;\n";
constexpr const char *kBarrier = "bar.sync 0;\n";
constexpr const char *kReadOwn = "ld.shared.u32 %t2, [%s2];\n";
constexpr const char *kReadOther = "ld.shared.u32 %t3, [%s3];\n";

std::vector<Finding> checkCopies(std::initializer_list<const char *> parts,
                                 uint64_t written = ~uint64_t(0)) {
  std::string body = kPlaces;
  for (const char *part : parts)
    body += part;
  return check(tileKernel(body, true),
               CheckedLaunch().threads(64).memory(1024, written));
}

TEST(CheckCopyTest, Clean) {
  EXPECT_THAT(
      checkCopies({kCopy, kCommit, kWait, kReadOwn, kBarrier, kReadOther}),
      IsEmpty());
  EXPECT_THAT(checkCopies({kCopy, "cp.async.wait_all;", kBarrier, kReadOther}),
              IsEmpty());
}

TEST(CheckCopyTest, OwnCopyReadBeforeTheWait) {
  auto found = checkCopies({kCopy, kCommit, kReadOwn, kWait});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, FindingKind::Race);
  EXPECT_EQ(
      found[0].message,
      "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 16, "
      "'ld.shared.u32 %t2, [%s2];': reads shared memory at 0x0, which the "
      "cp.async of thread (0, 0, 0) writes at PTX line 14, 'cp.async.ca.shared"
      ".global [%s2], [%w1], 16;'; cp.async.wait_group by that thread must "
      "come between them, and a barrier behind it for other threads");
}

TEST(CheckCopyTest, AWaitIsOfTheThreadAlone) {
  // The barrier comes before the wait, or there is none.
  const auto race = ElementsAre(
      IsFinding(FindingKind::Race, "the cp.async of thread (32, 0, 0) writes"));
  EXPECT_THAT(checkCopies({kCopy, kCommit, kBarrier, kWait, kReadOther}),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "'ld.shared.u32 %t3, [%s3];': reads")));
  EXPECT_THAT(checkCopies({kCopy, kCommit, kBarrier, kReadOther, kWait}), race);
}

TEST(CheckCopyTest, PendingGroups) {
  const char *second = "cp.async.ca.shared.global [%s2+8], [%w1], 8;\n";
  const char *first = "cp.async.ca.shared.global [%s2], [%w1], 8;\n";
  const char *readSecond = "ld.shared.u32 %t4, [%s2+8];\n";
  const char *waitOne = "cp.async.wait_group 1;\n";
  EXPECT_THAT(checkCopies({first, kCommit, second, kCommit, waitOne, kReadOwn,
                           kWait, readSecond}),
              IsEmpty());
  EXPECT_THAT(checkCopies({first, kCommit, second, kCommit, waitOne, readSecond,
                           kWait}),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "'ld.shared.u32 %t4, [%s2+8];': reads "
                                    "shared memory at 0x8, which the cp.async "
                                    "of thread (0, 0, 0) writes")));
  // A copy behind the last commit is in no group yet.
  EXPECT_THAT(checkCopies({first, kCommit, second, kWait, readSecond,
                           "cp.async.wait_all;"}),
              ElementsAre(IsFinding(FindingKind::Race, "[%s2+8]")));
  // Empty groups count.
  EXPECT_THAT(checkCopies({first, kCommit, kCommit, waitOne, kReadOwn}),
              IsEmpty());
}

TEST(CheckCopyTest, RefillWhileOthersRead) {
  EXPECT_THAT(checkCopies({kCopy, kCommit, kWait, kBarrier, kReadOther, kCopy,
                           kCommit, kWait}),
              ElementsAre(IsFinding(FindingKind::Race, "ld.shared"),
                          IsFinding(FindingKind::Race,
                                    "'cp.async.ca.shared.global [%s2], [%w1], "
                                    "16;': writes shared memory at 0x200, "
                                    "which thread (0, 0, 0) reads")));
  EXPECT_THAT(checkCopies({kCopy, kCommit, kWait, kBarrier, kReadOther,
                           kBarrier, kCopy, kCommit, kWait}),
              IsEmpty());
}

TEST(CheckCopyTest, TwoCopiesToOnePlace) {
  EXPECT_THAT(checkCopies({kCopy, kCopy, kCommit, kWait}),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "which the cp.async of thread (0, 0, 0) "
                                    "writes at PTX line 14")));
}

TEST(CheckCopyTest, StoreToTheTargetOfACopy) {
  EXPECT_THAT(checkCopies({kCopy, "st.shared.u32 [%s2], 0;\n", kCommit, kWait}),
              ElementsAre(IsFinding(FindingKind::Race,
                                    "'st.shared.u32 [%s2], 0;': writes")));
  // Before the copy it is the thread's own.
  EXPECT_THAT(checkCopies({"st.shared.u32 [%s2], 0;\n", kCopy, kCommit, kWait}),
              IsEmpty());
}

TEST(CheckCopyTest, SourceThatNothingWrote) {
  const std::initializer_list<const char *> good = {kCopy, kCommit, kWait};
  EXPECT_THAT(checkCopies(good, 1024), IsEmpty());
  EXPECT_THAT(checkCopies(good, 1020),
              ElementsAre(IsFinding(FindingKind::UninitializedRead,
                                    "thread (63, 0, 0), PTX line 14, "
                                    "'cp.async.ca.shared.global [%s2], [%w1], "
                                    "16;': of the 16 bytes it reads from byte "
                                    "1008 on")));
  // What is filled with zeros is not read, and is initialised.
  const char *part = "setp.eq.u32 %p0, %t0, 63; selp.u32 %t4, 12, 16, %p0;\n"
                     "cp.async.ca.shared.global [%s2], [%w1], 16, %t4;\n";
  EXPECT_THAT(checkCopies({part, kCommit, kWait,
                           "ld.shared.v4.u32 {%t2, %t3, %t4, %t5}, [%s2];"},
                          1020),
              IsEmpty());
}

TEST(CheckCopyTest, AThreadEndsBeforeItsCopy) {
  EXPECT_THAT(checkCopies({kCopy, kCommit}),
              ElementsAre(IsFinding(
                  FindingKind::Unfinished,
                  "thread (0, 0, 0), PTX line 14, 'cp.async.ca.shared.global "
                  "[%s2], [%w1], 16;': the block ends while this operation may "
                  "still write its shared memory; a thread must have waited "
                  "for it")));
}

/// Two buffers, one copied while the other is read, for a few turns.
std::string pipeline(const std::string &wait, const std::string &last) {
  return "mov.u32 %t4, 0; mov.u32 %s5, 0;\n" + std::string(kCopy) + kCommit +
         "NEXT:\nxor.b32 %s5, %s5, 512; add.u32 %t4, %t4, 1;\n"
         "add.u32 %s4, %s1, %s5; mad.lo.u32 %s2, %t0, 8, %s4;\n"
         "setp.lt.u32 %p0, %t4, 6;\n"
         "@%p0 cp.async.ca.shared.global [%s2], [%w1], 8;\n" +
         kCommit + wait + kBarrier +
         // The buffer of the turn before, all of it.
         "xor.b32 %s6, %s5, 512; add.u32 %s6, %s6, %s1;\n"
         "mad.lo.u32 %s6, %t0, 4, %s6; ld.shared.u32 %t5, [%s6+4];\n" +
         last + "@%p0 bra NEXT;\n";
}

TEST(CheckCopyTest, Pipeline) {
  const char *first = "mad.lo.u32 %s2, %t0, 8, %s1;";
  auto run = [&](const std::string &wait, const std::string &last) {
    std::string body = pipeline(wait, last);
    body.replace(body.find(", 16;"), 5, ", 8;");
    return checkCopies({first, body.c_str()});
  };
  EXPECT_THAT(run("cp.async.wait_group 1;\n", kBarrier), IsEmpty());
  EXPECT_THAT(run("cp.async.wait_group 2;\n", kBarrier),
              ::testing::Not(IsEmpty()));
  EXPECT_THAT(run("cp.async.wait_group 1;\n", ""), ::testing::Not(IsEmpty()));
}

} // namespace
