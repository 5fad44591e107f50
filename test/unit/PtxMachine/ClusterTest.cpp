//===- ClusterTest.cpp - mapa, barrier.cluster, remote shared memory ------===//
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

constexpr const char *kWords = ".shared .align 16 .b8 words[64];";

/// Runs `body` with a word of output per thread (at %w1) and a row of clusters.
u32s run(const std::string &body, Dim3 grid, Dim3 cluster, uint32_t threads,
         const std::string &before = kWords) {
  KernelRun run(kernel("ld.param.u64 %w0, [out]; mov.u32 %t0, %tid.x;"
                       "mov.u32 %t1, %ctaid.x; mov.u32 %t2, %ctaid.y;"
                       "mov.u32 %t3, %nctaid.x; mad.lo.u32 %t1, %t2, %t3, %t1;"
                       "mov.u32 %t2, %ntid.x; mad.lo.u32 %t1, %t1, %t2, %t0;"
                       "mad.wide.u32 %w1, %t1, 4, %w0;" +
                           body,
                       ".param .u64 out", before),
                "k");
  const size_t out = run.buffer(u32s(size_t(grid.x) * grid.y * threads));
  run.config.grid = grid;
  run.config.block.x = threads;
  run.config.cluster = cluster;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(out);
}

/// The message of a launch of `body` in a cluster of two blocks.
std::string message(const std::string &body, uint32_t threads = 32) {
  LaunchConfig config;
  config.grid.x = config.cluster.x = 2;
  config.block.x = threads;
  return runMessage(kernel(body, "", kWords), config);
}

/// 1000 * %clusterid.x + 100 * %cluster_ctaid.y + 10 * %cluster_ctaid.x + rank.
TEST(ClusterTest, SpecialRegisters) {
  u32s result = run("mov.u32 %t1, %clusterid.x; mul.lo.u32 %t1, %t1, 1000;"
                    "mov.u32 %t2, %cluster_ctaid.y; mad.lo.u32 %t1, %t2, 100, "
                    "%t1; mov.u32 %t2, %cluster_ctaid.x;"
                    "mad.lo.u32 %t1, %t2, 10, %t1;"
                    "mov.u32 %t2, %cluster_ctarank; add.u32 %t1, %t1, %t2;"
                    "st.global.u32 [%w1], %t1;",
                    {4, 2, 1}, {2, 2, 1}, 1);
  EXPECT_THAT(result, ElementsAre(0, 11, 1000, 1011, 102, 113, 1102, 1113));
  result = run("mov.u32 %t1, %nclusterid.x; mov.u32 %t2, %cluster_nctarank;"
               "mad.lo.u32 %t1, %t1, 10, %t2; st.global.u32 [%w1], %t1;",
               {4, 2, 1}, {2, 2, 1}, 1);
  EXPECT_THAT(result, ElementsAre(24, 24, 24, 24, 24, 24, 24, 24));
}

/// Every block writes its rank + 7 and reads its right neighbour's.
constexpr const char *kNeighbour =
    "mov.u32 %t1, %cluster_ctarank; add.u32 %t2, %t1, 7; mov.u32 %t3, words;"
    "st.shared.u32 [%t3+4], %t2;"
    "barrier.cluster.arrive.release.aligned; barrier.cluster.wait.acquire;"
    "mov.u32 %t4, %cluster_nctarank; add.u32 %t1, %t1, 1;"
    "rem.u32 %t1, %t1, %t4;";
constexpr const char *kLeave =
    "barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;"
    "st.global.u32 [%w1], %t5;";

TEST(ClusterTest, RemoteSharedMemoryByAnAddressOfShared) {
  u32s result = run(std::string(kNeighbour) +
                        "mapa.shared::cluster.u32 %t3, %t3, %t1;"
                        "ld.shared::cluster.u32 %t5, [%t3+4];" +
                        kLeave,
                    {6, 1, 1}, {3, 1, 1}, 1);
  EXPECT_THAT(result, ElementsAre(8, 9, 7, 8, 9, 7));
}

TEST(ClusterTest, RemoteSharedMemoryByAGenericAddress) {
  u32s result = run(std::string(kNeighbour) +
                        "cvta.shared.u64 %w2, words; mapa.u64 %w2, %w2, %t1;"
                        "ld.u32 %t5, [%w2+4];"
                        "getctarank.u64 %t6, %w2; isspacep.shared::cta %p0, "
                        "%w2; isspacep.shared::cluster %p1, %w2;"
                        "mad.lo.u32 %t5, %t6, 100, %t5;"
                        "@%p0 add.u32 %t5, %t5, 1000;"
                        "@%p1 add.u32 %t5, %t5, 5000;" +
                        kLeave,
                    {3, 1, 1}, {3, 1, 1}, 1);
  EXPECT_THAT(result, ElementsAre(5108, 5209, 5007));
}

TEST(ClusterTest, TheOwnBlockIsPartOfTheCluster) {
  u32s result =
      run("mov.u32 %t3, words; mov.u32 %t1, %cluster_ctarank;"
          "mapa.shared::cluster.u32 %t4, %t3, %t1; add.u32 %t1, %t1, 40;"
          "st.shared::cluster.u32 [%t4], %t1; ld.shared.u32 %t5, [%t3];"
          "ld.shared::cluster.u32 %t6, [%t3]; add.u32 %t5, %t5, %t6;"
          "st.global.u32 [%w1], %t5;",
          {2, 1, 1}, {2, 1, 1}, 1);
  EXPECT_THAT(result, ElementsAre(80, 82));
}

TEST(ClusterTest, AtomicsOnRemoteSharedMemory) {
  u32s result =
      run("mov.u32 %t3, words; mov.u32 %t1, 0; setp.eq.u32 %p0, %t0, 0;"
          "@%p0 st.shared.u32 [%t3], %t1;"
          "barrier.cluster.arrive; barrier.cluster.wait;"
          "mapa.shared::cluster.u32 %t4, %t3, 0;"
          "red.shared::cluster.add.u32 [%t4], 1;"
          "barrier.cluster.arrive; barrier.cluster.wait;"
          "ld.shared::cluster.u32 %t5, [%t4];"
          "barrier.cluster.arrive; barrier.cluster.wait;"
          "st.global.u32 [%w1], %t5;",
          {4, 1, 1}, {4, 1, 1}, 2);
  EXPECT_THAT(result, ElementsAre(8, 8, 8, 8, 8, 8, 8, 8));
}

/// Threads that have ended count as arrived, now and in later phases; one that
/// arrived before it ended is counted once.
TEST(ClusterTest, EndedThreadsCountAsArrived) {
  u32s result = run("mov.u32 %t5, 3; setp.eq.u32 %p0, %t0, 0;"
                    "mov.u32 %t1, %cluster_ctarank; setp.eq.u32 %p1, %t1, 1;"
                    "and.pred %p2, %p0, %p1; @%p2 exit;"
                    "barrier.cluster.arrive; @%p0 exit;"
                    "barrier.cluster.wait; barrier.cluster.arrive;"
                    "barrier.cluster.wait; st.global.u32 [%w1], %t5;",
                    {2, 1, 1}, {2, 1, 1}, 2);
  EXPECT_THAT(result, ElementsAre(0, 3, 0, 3));
}

TEST(ClusterTest, TheKernelsOwnClusterSize) {
  const std::string ptx =
      std::string(kHeader) +
      ".visible .entry k(.param .u64 out)\n.reqnctapercluster 2, 1, 1\n"
      "{\n.reg .b32 %t<4>; .reg .b64 %w<4>;\nld.param.u64 %w0, [out];"
      "mov.u32 %t0, %cluster_nctarank; st.global.u32 [%w0], %t0; ret;\n}\n";
  GlobalMemory memory;
  auto module = LoadedModule::load(ptx, memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t out = *memory.allocate(4);
  LaunchConfig config;
  config.grid.x = 4;
  config.parameters = parameters({out});
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(*reinterpret_cast<uint32_t *>(out), 2u);
  config.cluster.x = 4;
  EXPECT_THAT((*module)->launch("k", config).error().message,
              HasSubstr("clusters of (4, 1, 1) blocks; .reqnctapercluster asks "
                        "for (2, 1, 1)"));
}

TEST(ClusterTest, OneBlockBringsItsWholeCluster) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      kernel("ld.param.u64 %w0, [out]; mov.u32 %t0, %ctaid.x;"
             "mad.wide.u32 %w1, %t0, 4, %w0; mov.u32 %t1, 1;"
             "st.global.u32 [%w1], %t1;",
             ".param .u64 out"),
      memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t out = *memory.allocate(32);
  LaunchConfig config;
  config.grid.x = 8;
  config.cluster.x = 2;
  config.parameters = parameters({out});
  config.onlyBlocks = {5, 4, 1};
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->blocks, 4u);
  const auto *words = reinterpret_cast<const uint32_t *>(out);
  EXPECT_THAT(u32s(words, words + 8), ElementsAre(1, 1, 0, 0, 1, 1, 0, 0));
}

TEST(ClusterTest, IllegalClusters) {
  LaunchConfig config;
  config.grid.x = 6;
  config.cluster.x = 4;
  EXPECT_THAT(runMessage(kernel(""), config),
              HasSubstr("clusters of (4, 1, 1) blocks; they must divide the "
                        "grid of (6, 1, 1)"));
  config.grid = config.cluster = {17, 1, 1};
  EXPECT_THAT(runMessage(kernel(""), config),
              HasSubstr("clusters of (17, 1, 1) blocks; legal are at most 16"));
  config.cluster.y = 0;
  EXPECT_THAT(runMessage(kernel(""), config),
              HasSubstr("clusters of (17, 0, 1) blocks"));
}

TEST(ClusterTest, Faults) {
  EXPECT_THAT(message("mapa.shared::cluster.u32 %t1, words, 2;"),
              HasSubstr("rank 2 is not in the cluster; legal are 0 to 1"));
  EXPECT_THAT(message("barrier.cluster.wait;"),
              HasSubstr("without a barrier.cluster.arrive before"));
  EXPECT_THAT(message("barrier.cluster.arrive; barrier.cluster.arrive;"),
              HasSubstr("arrives twice at the cluster's barrier"));
  EXPECT_THAT(message("mov.u32 %t0, %tid.x; setp.eq.u32 %p0, %t0, 3;"
                      "@%p0 barrier.cluster.arrive.aligned;"),
              HasSubstr("an aligned barrier needs all live threads of the warp "
                        "together; lanes 0x8 of 0xffffffff are here"));
  EXPECT_THAT(message("mapa.shared::cluster.u32 %t1, words, 1;"
                      "ld.shared::cluster.u32 %t2, [%t1+64];"),
              HasSubstr("is outside the block's 64 bytes of shared memory"));
  EXPECT_THAT(message("mov.u32 %t1, 0x3000000; ld.shared::cluster.u32 %t2, "
                      "[%t1];"),
              HasSubstr("outside"));
}

TEST(ClusterTest, DeadlockNamesTheBlocks) {
  std::string text =
      message("mov.u32 %t0, %cluster_ctarank; setp.eq.u32 %p0, %t0, 1;"
              "barrier.cluster.arrive; @%p0 bra wait; bar.sync 1, 64;"
              "wait: barrier.cluster.wait;");
  EXPECT_THAT(text, HasSubstr("deadlock, no warp of the cluster can go on"));
  EXPECT_THAT(text, HasSubstr("warp 0 of block (0, 0, 0) at barrier 1"));
  text = message("mov.u32 %t0, %cluster_ctarank; setp.eq.u32 %p0, %t0, 1;"
                 "@%p0 bra wait; bar.sync 1, 64;"
                 "wait: barrier.cluster.arrive; barrier.cluster.wait;");
  EXPECT_THAT(text, HasSubstr("warp 0 of block (1, 0, 0) at "
                              "'barrier.cluster.wait;'"));
}

} // namespace
