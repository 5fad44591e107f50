//===- WgmmaObserverTest.cpp - What an observer sees of wgmma -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"
#include "WatchedRun.h"

#include <map>
#include <set>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;

namespace {

/// Writes down what warp `wanted` does, ranges as offsets in shared memory.
class Recorder : public Observer {
public:
  explicit Recorder(unsigned wanted) : wanted(wanted) {}

  void asynchronous(Warp &warp, const Op &,
                    const AsyncOperation &operation) override {
    if (warp.index != wanted)
      return;
    std::string text = operation.completion == Completion::WgmmaGroup
                           ? "reads"
                           : "something else";
    const auto shared = reinterpret_cast<uint64_t>(warp.block->shared);
    for (const AsyncRange &range : operation.ranges) {
      EXPECT_FALSE(range.isWrite || range.isAtomic);
      text += " " + std::to_string(range.host - shared) + "+" +
              std::to_string(range.bytes);
    }
    EXPECT_EQ(operation.mask, kAllLanes);
    events.push_back(text);
  }
  void commit(Warp &warp, const Op &, LaneMask, Completion kind) override {
    if (warp.index == wanted && kind == Completion::WgmmaGroup)
      events.push_back("commit");
  }
  void wait(Warp &warp, const Op &, LaneMask, Completion kind, unsigned pending,
            bool readsOnly) override {
    if (warp.index == wanted && kind == Completion::WgmmaGroup && !readsOnly)
      events.push_back("wait " + std::to_string(pending));
  }
  void fence(Warp &warp, const Op &, LaneMask, FenceKind kind) override {
    const char *names[] = {"memory",    "async",     "async.global", "alias",
                           "tensormap", "mbarriers", "wgmma"};
    if (warp.index == wanted)
      events.push_back(std::string("fence ") +
                       names[static_cast<unsigned>(kind)]);
  }
  void registers(Warp &warp, const Op &, LaneMask) override {
    if (warp.index == wanted)
      events.push_back("registers");
  }
  void registerCount(Warp &warp, const Op &, unsigned count) override {
    if (warp.index == wanted)
      events.push_back("count " + std::to_string(count));
  }

  std::vector<std::string> events;

private:
  unsigned wanted;
};

std::string wgmmaKernel(const std::string &body) {
  return kernel(".reg .b32 %d<4>; .reg .b32 %a<4>; mov.u32 %t0, smem;" + body,
                "", ".shared .align 1024 .b8 smem[16384];");
}

std::vector<std::string> watch(const std::string &body, unsigned warp) {
  GlobalMemory memory;
  LaunchConfig config;
  config.block.x = 128;
  Recorder recorder(warp);
  runWatched(wgmmaKernel(body), memory, config, recorder);
  return recorder.events;
}

std::string multiply() {
  return "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16."
         "bf16 {%d0, %d1, %d2, %d3}, ";
}

TEST(WgmmaObserverTest, GroupsAndFences) {
  EXPECT_THAT(
      watch("wgmma.fence.sync.aligned; wgmma.commit_group.sync.aligned;"
            "wgmma.wait_group.sync.aligned 1; fence.proxy.async.shared::cta;"
            "fence.proxy.async; fence.proxy.async.global; fence.acq_rel.gpu;"
            "membar.gl; fence.mbarrier_init.release.cluster; fence.proxy.alias;"
            "fence.proxy.tensormap::generic.release.gpu;",
            1),
      ElementsAre("fence wgmma", "commit", "wait 1", "fence async",
                  "fence async", "fence async.global", "fence memory",
                  "fence memory", "fence mbarriers", "fence alias",
                  "fence tensormap"));
}

/// A without swizzling: groups of 8 rows at 512 g, k from 8 on 256 behind. B
/// with 128-byte swizzling from 8192 on: of each row the chunks 2 and 3, as in
/// the second step along K, XORed with the row.
TEST(WgmmaObserverTest, RangesThatAWarpReads) {
  const uint64_t a = uint64_t(16) << 16 | uint64_t(32) << 32;
  const uint64_t b = (8192 + 32) / 16 | uint64_t(64) << 32 | uint64_t(1) << 62;
  auto events = watch("mov.u64 %w0, " + std::to_string(a) + "; mov.u64 %w1, " +
                          std::to_string(b) + ";" + multiply() +
                          "%w0, %w1, 0, 1, 1, 0, 0;",
                      2);
  // Rows 32 to 47 of A are groups 4 and 5. Of B, rows 0 and 1 have chunks 2, 3,
  // rows 2 and 3 chunks 0, 1, rows 4 and 5 chunks 6, 7, rows 6 and 7 chunks
  // 4, 5.
  EXPECT_THAT(events,
              ElementsAre("registers",
                          "reads 2048+128 2304+128 2560+128 2816+128 8224+32 "
                          "8352+32 8448+32 8576+32 8800+32 8928+32 9024+32 "
                          "9152+32"));
}

TEST(WgmmaObserverTest, AInRegistersIsNotRead) {
  auto events = watch("mov.u64 %w1, 0x0000000800080000;" + multiply() +
                          "{%a0, %a1, %a2, %a3}, %w1, 0, 1, 1, 0;",
                      3);
  EXPECT_THAT(events, ElementsAre("registers", "reads 0+256"));
}

TEST(WgmmaObserverTest, OperationsThatTouchMatrixRegisters) {
  EXPECT_THAT(watch("mov.u64 %w1, 0x0000000800080000; mov.b32 %t1, 5;"
                    "mov.b32 %a2, %t1;" +
                        multiply() +
                        "{%a0, %a1, %a2, %a3}, %w1, 0, 1, 1, 0;"
                        "add.u32 %t1, %t1, 1; add.u32 %t2, %d3, 1;"
                        "shfl.sync.bfly.b32 %t3, %d0, 1, 31, -1;",
                    0),
              ElementsAre("registers", "registers", "reads 0+256", "registers",
                          "registers"));
}

TEST(WgmmaObserverTest, RegisterCounts) {
  GlobalMemory memory;
  LaunchConfig config;
  config.block.x = 128;
  Recorder recorder(1);
  runWatched(std::string(kHeader) +
                 ".visible .entry k() .maxnreg 128 {\n"
                 "setmaxnreg.dec.sync.aligned.u32 40; bar.sync 0;"
                 "setmaxnreg.inc.sync.aligned.u32 64; ret;\n}\n",
             memory, config, recorder);
  EXPECT_THAT(recorder.events, ElementsAre("count 40", "count 64"));
}

/// The uses of matrix registers that the program lists, by operation.
TEST(WgmmaObserverTest, MatrixRegistersHaveRowsOfTheirOwn) {
  GlobalMemory memory;
  // %d0 to %d3 are dead before the wgmma, and %t registers come and go.
  auto program = buildProgram(
      wgmmaKernel("mov.b32 %t1, 1; add.u32 %t2, %t1, 1; add.u32 %t3, %t2, 1;"
                  "mov.u64 %w1, 0x0000000800080000; mov.b32 %a1, %t3;" +
                  multiply() +
                  "{%a0, %a1, %a2, %a3}, %w1, 1, 1, 1, 0;"
                  "mov.b32 %t4, 7; add.u32 %t5, %t4, %d2;"
                  "st.shared.u32 [%t0], %t5;"),
      memory);
  std::map<uint32_t, std::pair<unsigned, unsigned>> counts; // Reads, writes.
  std::set<uint32_t> rows;
  for (const MatrixRegisterUse &use : program->matrixRegisterUses) {
    (use.isWrite ? counts[use.op].second : counts[use.op].first) += 1;
    rows.insert(use.row);
    EXPECT_TRUE(program->opFlags[use.op] & kTouchesWgmma);
  }
  // The mov to %a1, the wgmma (reads D and A, writes D), the add of %d2.
  std::vector<std::pair<unsigned, unsigned>> inOrder;
  for (const auto &[op, count] : counts)
    inOrder.push_back(count);
  EXPECT_THAT(inOrder, ElementsAre(std::pair(0u, 1u), std::pair(8u, 4u),
                                   std::pair(1u, 0u)));
  EXPECT_EQ(rows.size(), 8u);
  // No operation without the flag has one of these rows.
  for (size_t k = 0; k < program->ops.size(); ++k)
    if (!(program->opFlags[k] & kTouchesWgmma))
      for (uint32_t offset : {program->ops[k].r[0], program->ops[k].r[1]})
        EXPECT_FALSE(rows.count(offset) && offset) << k;
}

} // namespace
