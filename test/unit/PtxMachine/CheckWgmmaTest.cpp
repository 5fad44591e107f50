//===- CheckWgmmaTest.cpp - misuse of wgmma -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CheckTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

constexpr FindingKind kRace = FindingKind::Race;
constexpr FindingKind kUnfenced = FindingKind::MissingProxyFence;
constexpr FindingKind kRegister = FindingKind::MatrixRegister;

/// A warpgroup with 16 KiB of shared memory at %s1, which all its threads have
/// written (and not fenced); the descriptors of A (from byte 0 on) and B (from
/// 8192 on), without swizzling, are in %w2 and %w3.
std::vector<Finding> checkMatrices(std::initializer_list<std::string> parts,
                                   uint32_t threads = 128) {
  std::string body =
      "mov.u32 %t0, %tid.x; mov.u32 %s1, smem; and.b32 %t1, %t0, 127;"
      "mad.lo.u32 %s2, %t1, 16, %s1; setp.ge.u32 %p5, %t0, 128;"
      "mov.u64 %w2, " +
      std::to_string(uint64_t(16) << 16 | uint64_t(32) << 32) +
      "; mov.u64 %w3, " +
      std::to_string(uint64_t(512) | uint64_t(16) << 16 | uint64_t(32) << 32) +
      ";";
  for (int i = 0; i < 8; ++i)
    body += "@!%p5 st.shared.v4.b32 [%s2+" + std::to_string(2048 * i) +
            "], {0, 0, 0, 0};";
  body += "\n";
  for (const std::string &part : parts)
    body += part + "\n";
  return check(
      kernel(".reg .b32 %s<8>; .reg .f32 %d<16>; .reg .b32 %a<8>;\n" + body, "",
             ".shared .align 1024 .b8 smem[16384];"
             ".shared .align 8 .b8 bar[16];"),
      CheckedLaunch().threads(threads));
}

const std::string kReady = "fence.proxy.async.shared::cta; bar.sync 0;";
const std::string kFence = "wgmma.fence.sync.aligned;";
const std::string kCommit = "wgmma.commit_group.sync.aligned;";
const std::string kWait = "wgmma.wait_group.sync.aligned 0;";
const std::string kMultiply =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
    "{%d0, %d1, %d2, %d3}, %w2, %w3, 1, 1, 1, 0, 0;";
const std::string kFromRegisters =
    "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
    "{%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %w3, 1, 1, 1, 0;";
const std::string kWider =
    "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 "
    "{%d0, %d1, %d2, %d3, %d4, %d5, %d6, %d7}, %w2, %w3, 1, 1, 1, 0, 0;";
const std::string kUseD = "add.f32 %d8, %d0, %d1;";
const std::string kBarrier = "bar.sync 0;";
const std::string kWriteB = "st.shared.u32 [%s2+8192], 0;";

TEST(CheckWgmmaTest, Clean) {
  EXPECT_THAT(
      checkMatrices({kReady, kFence, kMultiply, kMultiply, kCommit, kMultiply,
                     kCommit, "wgmma.wait_group.sync.aligned 1;", kWait, kUseD,
                     kBarrier, kWriteB}),
      IsEmpty());
  EXPECT_THAT(
      checkMatrices({kReady, "mov.b32 %a0, 0;", kFence, kFromRegisters,
                     kFromRegisters, kCommit, kWait, kUseD, "mov.b32 %a0, 1;",
                     kFence, kFromRegisters, kCommit, kWait}),
      IsEmpty());
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

TEST(CheckWgmmaTest, MatricesNeedAProxyFence) {
  EXPECT_THAT(
      checkMatrices({kBarrier, kFence, kMultiply, kCommit, kWait}),
      Contains(IsFinding(kUnfenced,
                         "reads shared memory at 0x0 through the asynchronous "
                         "proxy, which thread (0, 0, 0) writes at PTX line")));
  // wgmma.fence is about registers.
  EXPECT_THAT(
      checkMatrices({kFence, kBarrier, kFence, kMultiply, kCommit, kWait}),
      AllOf(Not(IsEmpty()), Each(IsFinding(kUnfenced, ""))));
}

TEST(CheckWgmmaTest, MatricesNeedABarrier) {
  EXPECT_THAT(checkMatrices({"fence.proxy.async.shared::cta;", kFence,
                             kMultiply, kCommit, kWait}),
              Contains(IsFinding(kRace, "reads shared memory at")));
}

TEST(CheckWgmmaTest, RefillByThreadsWhileItReads) {
  const std::string begin = kReady + kFence + kMultiply + kCommit;
  EXPECT_THAT(checkMatrices({begin, kWriteB, kWait}),
              Contains(IsFinding(
                  kRace, "'st.shared.u32 [%s2+8192], 0;': writes shared memory "
                         "at 0x2000, which a wgmma reads at PTX line")));
  EXPECT_THAT(checkMatrices({begin, kBarrier, kWriteB, kWait}),
              ElementsAre(IsFinding(kRace, "which a wgmma reads")));
  // A group too few is waited for.
  EXPECT_THAT(checkMatrices({begin, kMultiply, kCommit,
                             "wgmma.wait_group.sync.aligned 1;", kBarrier,
                             kWriteB, kWait}),
              ElementsAre(IsFinding(kRace, "which a wgmma reads")));
  // The operation is not in a group yet.
  EXPECT_THAT(checkMatrices({kReady, kFence, kMultiply, kWait, kBarrier,
                             kWriteB, kCommit, kWait}),
              ElementsAre(IsFinding(kRace, "which a wgmma reads")));
}

/// A producer warp refills when one thread of the warpgroup has arrived.
std::string produce(const std::string &consume) {
  return "mov.u32 %s5, bar; setp.eq.u32 %p0, %t0, 128;"
         "@%p0 mbarrier.init.shared::cta.b64 [%s5], 1;"
         "@%p0 mbarrier.init.shared::cta.b64 [%s5+8], 1;"
         "fence.mbarrier_init.release.cluster;" +
         kReady + "@%p5 bra PRODUCER;\n" + consume +
         "\nbra END;\nPRODUCER:\n"
         "mbarrier.try_wait.parity.shared::cta.b64 %p1, [%s5], 0;\n"
         "@!%p1 bra PRODUCER;\n"
         "@%p0 mbarrier.arrive.expect_tx.shared::cta.b64 %w5, [%s5+8], 256;\n"
         "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
         "bytes [%s1+8192], [%w0], 256, [%s5+8];\n"
         "AGAIN:\nmbarrier.try_wait.parity.shared::cta.b64 %p1, [%s5+8], 0;\n"
         "@!%p1 bra AGAIN;\nEND:";
}

TEST(CheckWgmmaTest, RefillByACopyWhileItReads) {
  auto run = [](const std::string &consume) {
    std::string text = produce(consume);
    return check(
        kernel(".reg .b32 %s<8>; .reg .f32 %d<16>;"
               "ld.param.u64 %w0, [data];"
               "mov.u32 %t0, %tid.x; mov.u32 %s1, smem;"
               "setp.ge.u32 %p5, %t0, 128; mad.lo.u32 %s2, %t0, 16, %s1;"
               "mov.u64 %w2, " +
                   std::to_string(uint64_t(16) << 16 | uint64_t(32) << 32) +
                   "; mov.u64 %w3, " +
                   std::to_string(uint64_t(512) | uint64_t(8) << 16 |
                                  uint64_t(32) << 32) +
                   "; mov.u32 %t1, 0;\n"
                   "FILL:\nst.shared.v4.b32 [%s2], {0, 0, 0, 0};\n"
                   "add.u32 %s2, %s2, 2560; add.u32 %t1, %t1, 1;"
                   "setp.lt.u32 %p2, %t1, 6;\n@%p2 bra FILL;\n" +
                   text,
               ".param .u64 data",
               ".shared .align 1024 .b8 smem[16384];"
               ".shared .align 8 .b8 bar[16];"),
        CheckedLaunch().threads(160).memory(256));
  };
  const std::string free =
      "setp.eq.u32 %p1, %t0, 0; @%p1 mbarrier.arrive.shared::cta.b64 %w5, "
      "[%s5];";
  EXPECT_THAT(run(kFence + kMultiply + kCommit + kWait + free), IsEmpty());
  EXPECT_THAT(run(kFence + kMultiply + kCommit + free + kWait),
              ElementsAre(IsFinding(
                  kRace, "writes shared memory at 0x2000, which a wgmma reads "
                         "at PTX line")));
}

TEST(CheckWgmmaTest, ABlockEndsBeforeItsMultiplication) {
  EXPECT_THAT(checkMatrices({kReady, kFence, kMultiply, kCommit}),
              ElementsAre(IsFinding(FindingKind::Unfinished,
                                    "the block ends while this operation may "
                                    "still read its shared memory")));
}

TEST(CheckWgmmaTest, MatrixThatNothingWrote) {
  EXPECT_THAT(
      check(kernel(".reg .f32 %d<4>; mov.u32 %t0, smem; mov.u64 %w2, " +
                       std::to_string(uint64_t(16) << 16 | uint64_t(32) << 32) +
                       "; mov.u64 %w3, %w2;\n" + kFence + kMultiply + kCommit +
                       kWait,
                   "", ".shared .align 1024 .b8 smem[4096];"),
            CheckedLaunch().threads(128)),
      ElementsAre(IsFinding(FindingKind::UninitializedRead,
                            "of the 128 bytes it reads at 0x0 of shared "
                            "memory")));
}

//===----------------------------------------------------------------------===//
// Registers
//===----------------------------------------------------------------------===//

TEST(CheckWgmmaTest, ResultsBeforeTheWait) {
  auto found =
      checkMatrices({kReady, kFence, kMultiply, kCommit, kUseD, kWait});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, kRegister);
  EXPECT_EQ(found[0].message,
            "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 16, "
            "'add.f32 %d8, %d0, %d1;': it accesses a register of D or A of PTX "
            "line 14, 'wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
            "{%d0, %d1, %d2, %d3}, %w2, %w3, 1, 1, 1, 0, 0;', which may still "
            "use it; wgmma.wait_group must come first");
  EXPECT_EQ(found[0].occurrences, 4u);
  EXPECT_THAT(
      checkMatrices({kReady, kFence, kMultiply, kCommit, kMultiply, kCommit,
                     "wgmma.wait_group.sync.aligned 1;", kUseD, kWait}),
      ElementsAre(IsFinding(kRegister, "'add.f32 %d8, %d0, %d1;'")));
  EXPECT_THAT(checkMatrices({kReady, kFence, kMultiply, kCommit,
                             "shfl.sync.idx.b32 %a7, %d3, 0, 31, -1;", kWait}),
              ElementsAre(IsFinding(kRegister, "'shfl.sync")));
}

TEST(CheckWgmmaTest, RegistersOfAChangedWhileInUse) {
  EXPECT_THAT(checkMatrices({kReady, "mov.b32 %a2, 0;", kFence, kFromRegisters,
                             kCommit, "mov.b32 %a2, 1;", kWait}),
              ElementsAre(IsFinding(kRegister,
                                    "'mov.b32 %a2, 1;': it accesses a register "
                                    "of D or A of")));
}

TEST(CheckWgmmaTest, ChangesNeedAFence) {
  // At first, of D, of A, and of what was read.
  EXPECT_THAT(checkMatrices({kReady, kMultiply, kCommit, kWait}),
              ElementsAre(IsFinding(kRegister,
                                    "it is the warp's first wgmma.mma_async, "
                                    "and no wgmma.fence comes before it")));
  EXPECT_THAT(checkMatrices({kReady, kFence, "mov.f32 %d1, 0f00000000;",
                             kMultiply, kCommit, kWait}),
              ElementsAre(IsFinding(
                  kRegister, "'mov.f32 %d1, "
                             "0f00000000;'; wgmma.fence must come between "
                             "them")));
  EXPECT_THAT(
      checkMatrices({kReady, kFence, kFromRegisters, kCommit, kWait,
                     "add.u32 %a3, %a3, 1;", kFromRegisters, kCommit, kWait}),
      ElementsAre(IsFinding(kRegister, "'add.u32 %a3, %a3, 1;'")));
  EXPECT_THAT(checkMatrices({kReady, kFence, kMultiply, kCommit, kWait, kUseD,
                             kMultiply, kCommit, kWait}),
              ElementsAre(IsFinding(kRegister, "'add.f32 %d8, %d0, %d1;'")));
}

TEST(CheckWgmmaTest, AnotherShapeNeedsAFence) {
  EXPECT_THAT(
      checkMatrices({kReady, kFence, kMultiply, kWider, kCommit, kWait}),
      ElementsAre(IsFinding(kRegister, "m64n16k16.f32.bf16.bf16 {%d0, %d1, "
                                       "%d2, %d3, %d4, %d5, %d6, %d7}, %w2, "
                                       "%w3, 1, 1, 1, 0, 0;': a register of "
                                       "its D is that of PTX line")));
  EXPECT_THAT(checkMatrices(
                  {kReady, kFence, kMultiply, kFence, kWider, kCommit, kWait}),
              IsEmpty());
}

/// D of one as A of the next.
TEST(CheckWgmmaTest, ResultsAsOperands) {
  const std::string next =
      "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
      "{%d4, %d5, %d6, %d7}, {%a0, %a1, %a2, %a3}, %w3, 1, 1, 1, 0;";
  const std::string first =
      "wgmma.mma_async.sync.aligned.m64n16k16.f16.f16.f16 "
      "{%a0, %a1, %a2, %a3}, %w2, %w3, 1, 1, 1, 0, 0;";
  EXPECT_THAT(
      checkMatrices({kReady, kFence, first, kFence, next, kCommit, kWait}),
      ElementsAre(IsFinding(kRegister,
                            "it accesses a register of D or A of PTX line")));
  EXPECT_THAT(checkMatrices({kReady, kFence, first, kCommit, kWait, kFence,
                             next, kCommit, kWait}),
              IsEmpty());
}

} // namespace
