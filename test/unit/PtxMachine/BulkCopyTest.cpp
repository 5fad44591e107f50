//===- BulkCopyTest.cpp - cp.async.bulk, cp.reduce.async.bulk -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

#include <bit>
#include <numeric>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// 64 bytes each of input and output; tile and object in shared memory. %t0 is
/// the tile, %t1 the object, %w0 the input, %w1 the output, %t2 the thread.
std::string text(const std::string &body) {
  return kernel("ld.param.u64 %w0, [in]; ld.param.u64 %w1, [out];"
                "mov.u32 %t0, tile; mov.u32 %t1, object; mov.u32 %t2, %tid.x;" +
                    body,
                ".param .u64 in, .param .u64 out",
                ".shared .align 128 .b8 tile[256]; .shared .align 8 .b64 "
                "object;");
}

std::string init() {
  return "mbarrier.init.shared.b64 [%t1], 1; "
         "fence.mbarrier_init.release.cluster;";
}
std::string wait() {
  return "W: mbarrier.try_wait.parity.shared.b64 %p1, [%t1], 0; @!%p1 bra W;";
}
/// Stores 64 bytes of the tile.
std::string put() {
  return "mov.u32 %t3, %t0; mov.u64 %w2, %w1; mov.u32 %t4, 0;"
         "P: ld.shared.v4.u32 {%t5, %t6, %t7, %t2}, [%t3];"
         "st.global.v4.u32 [%w2], {%t5, %t6, %t7, %t2}; add.u32 %t3, %t3, 16;"
         "add.u64 %w2, %w2, 16; add.u32 %t4, %t4, 16; setp.lt.u32 %p2, %t4, 64;"
         "@%p2 bra P;";
}

u32s numbers(uint32_t first, size_t count = 16) {
  u32s result(count);
  std::iota(result.begin(), result.end(), first);
  return result;
}

u32s run(const std::string &body, const u32s &in = numbers(100),
         const u32s &out = u32s(16, 7), const LaunchConfig &config = {}) {
  KernelRun run(text(body), "k");
  run.buffer(in);
  size_t result = run.buffer(out);
  run.config.grid = config.grid;
  run.config.block = config.block;
  run.config.cluster = config.cluster;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(result);
}

TEST(BulkCopyTest, GlobalToShared) {
  for (const char *space : {"shared::cta", "shared::cluster"})
    EXPECT_EQ(run(init() +
                  "mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 64;"
                  "cp.async.bulk." +
                  space +
                  ".global.mbarrier::complete_tx::bytes [%t0], [%w0], 64, "
                  "[%t1];" +
                  wait() + put()),
              numbers(100));
  // Offsets, a size in a register, 64-bit shared addresses, a cache policy.
  u32s some = run(init() +
                  "mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 16;"
                  "mov.u32 %t3, 16; cvt.u64.u32 %w3, %t0; cvt.u64.u32 %w4, %t1;"
                  "createpolicy.fractional.L2::evict_first.b64 %w5, 1.0;"
                  "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
                  "bytes.L2::cache_hint [%w3+16], [%w0+32], %t3, [%w4], %w5;" +
                  wait() +
                  "ld.shared.v4.u32 {%t4, %t5, %t6, %t7}, [%t0+16];"
                  "st.global.v4.u32 [%w1], {%t4, %t5, %t6, %t7};");
  EXPECT_THAT(u32s(some.begin(), some.begin() + 5),
              ElementsAre(108, 109, 110, 111, 7));
}

/// Four threads copy 16 bytes each; a predicate leaves one out.
TEST(BulkCopyTest, EveryThreadCopiesForItself) {
  LaunchConfig config;
  config.block.x = 4;
  u32s result =
      run("setp.eq.u32 %p0, %t2, 0; @%p0 mbarrier.init.shared.b64 [%t1], 1;"
          "shl.b32 %t3, %t2, 4; add.u32 %t3, %t0, %t3;"
          "st.shared.v4.u32 [%t3], {7, 7, 7, 7}; fence.proxy.async;"
          "bar.sync 0; @%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 48;"
          "mad.wide.u32 %w3, %t2, 16, %w0; setp.ne.u32 %p3, %t2, 2;"
          "@%p3 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
          "bytes [%t3], [%w3], 16, [%t1];" +
              wait() + "@!%p0 bra DONE;" + put() + "DONE:",
          numbers(100), u32s(16, 1), config);
  u32s expected = numbers(100);
  std::fill_n(expected.begin() + 8, 4, 7);
  EXPECT_EQ(result, expected);
}

TEST(BulkCopyTest, SharedToGlobal) {
  const std::string fill =
      "st.shared.v4.u32 [%t0+64], {1, 2, 3, 4}; st.shared.v4.u32 [%t0+80], "
      "{5, 6, 7, 8}; fence.proxy.async.shared::cta;"
      "cp.async.bulk.global.shared::cta.bulk_group";
  const std::string wait = "cp.async.bulk.commit_group;"
                           "cp.async.bulk.wait_group.read 0;"
                           "cp.async.bulk.wait_group 0;";
  u32s expected(16, 9);
  std::iota(expected.begin() + 4, expected.begin() + 12, 1);
  EXPECT_EQ(
      run(fill + " [%w1+16], [%t0+64], 32;" + wait, numbers(0), u32s(16, 9)),
      expected);
  EXPECT_EQ(run("createpolicy.fractional.L2::evict_first.b64 %w5, 1.0;" + fill +
                    ".L2::cache_hint [%w1+16], [%t0+64], 32, %w5;" + wait,
                numbers(0), u32s(16, 9)),
            expected);
}

TEST(BulkCopyTest, PrefetchesDoNothing) {
  EXPECT_THAT(
      run("cp.async.bulk.prefetch.L2.global [%w0], 64;"
          "createpolicy.fractional.L2::evict_first.b64 %w5, 1.0;"
          "cp.async.bulk.prefetch.L2.global.L2::cache_hint [%w0+16], 16, %w5;"),
      Each(7u));
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

LaunchConfig cluster(uint32_t blocks) {
  LaunchConfig config;
  config.grid.x = config.cluster.x = blocks;
  return config;
}

std::string enter() {
  return init() + "barrier.cluster.arrive; barrier.cluster.wait;"
                  "mov.u32 %t2, %cluster_ctarank; setp.eq.u32 %p0, %t2, 0;"
                  "setp.eq.u32 %p3, %t2, 1;";
}
std::string leave() { return "barrier.cluster.arrive; barrier.cluster.wait;"; }

/// Block 0 copies into block 1.
TEST(BulkCopyTest, IntoAnotherBlock) {
  const std::string expect =
      "@%p3 mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 64;"
      "mapa.shared::cluster.u32 %t3, %t0, 1; mapa.shared::cluster.u32 %t4, "
      "%t1, 1;";
  const std::string receive = "@!%p3 bra DONE;" + wait() + put() + "DONE:";
  EXPECT_EQ(run(enter() + expect +
                    "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::"
                    "complete_tx::bytes [%t3], [%w0], 64, [%t4];" +
                    receive + leave(),
                numbers(100), u32s(16, 7), cluster(2)),
            numbers(100));
  // From its shared memory, which holds 1, 2, 3, 4 four times.
  std::string fill;
  for (unsigned i = 0; i < 64; i += 16)
    fill += "st.shared.v4.u32 [%t0+" + std::to_string(i) + "], {1, 2, 3, 4};";
  u32s result =
      run(enter() + expect + "@!%p0 bra WRITTEN;" + fill +
              "fence.proxy.async.shared::cta;"
              "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx"
              "::bytes [%t3], [%t0], 64, [%t4]; WRITTEN:" +
              receive + leave(),
          numbers(100), u32s(16, 7), cluster(2));
  for (uint32_t i = 0; i < 16; ++i)
    EXPECT_EQ(result[i], i % 4 + 1);
}

/// 7 in the 64 bytes of the tile.
std::string fillTile() {
  return "mov.u32 %t3, 0; FILL: add.u32 %t4, %t0, %t3;"
         "st.shared.v4.u32 [%t4], {7, 7, 7, 7}; add.u32 %t3, %t3, 16;"
         "setp.lt.u32 %p1, %t3, 64; @%p1 bra FILL;"
         "fence.proxy.async.shared::cta;";
}

/// Of three blocks 0 and 2 get the data; what one of them has then.
u32s multicast(int block) {
  return run(
      fillTile() + enter() +
          "@!%p3 mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 64;"
          "@%p3 mbarrier.arrive.shared.b64 _, [%t1]; .reg .b16 %h0;"
          "mov.b16 %h0, 5;"
          "@%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::"
          "bytes.multicast::cluster [%t0], [%w0], 64, [%t1], %h0;" +
          wait() + "setp.ne.u32 %p2, %t2, " + std::to_string(block) +
          "; @%p2 bra DONE;" + put() + "DONE:" + leave(),
      numbers(100), u32s(16, 1), cluster(3));
}
TEST(BulkCopyTest, Multicast) {
  EXPECT_EQ(multicast(0), numbers(100));
  EXPECT_THAT(multicast(1), Each(7u));
  EXPECT_EQ(multicast(2), numbers(100));
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Elements of 16 bytes in `in` reduce those of `out` in global memory.
template <class T>
std::vector<T> reduced(const std::string &operation, std::vector<T> in,
                       std::vector<T> out) {
  const size_t count = 16 / sizeof(T);
  in.resize(count, in.back());
  out.resize(count, out.back());
  KernelRun run(text("ld.global.v4.u32 {%t3, %t4, %t5, %t6}, [%w0];"
                     "st.shared.v4.u32 [%t0], {%t3, %t4, %t5, %t6};"
                     "fence.proxy.async.shared::cta;"
                     "cp.reduce.async.bulk.global.shared::cta.bulk_group." +
                     operation +
                     " [%w1], [%t0], 16; cp.async.bulk.commit_group;"
                     "cp.async.bulk.wait_group 0;"),
                "k");
  run.buffer(in);
  size_t result = run.buffer(out);
  EXPECT_TRUE(run.launch()) << operation;
  return run.read<T>(result);
}

TEST(BulkCopyTest, IntegersReduce) {
  const uint32_t big = 0xffffffff;
  EXPECT_THAT(reduced<uint32_t>("add.u32", {1, big, 3, 0}, {10, 2, 30, 40}),
              ElementsAre(11, 1, 33, 40));
  EXPECT_THAT(reduced<uint32_t>("add.s32", {1, big, 3, 0}, {10, 2, 30, 40}),
              ElementsAre(11, 1, 33, 40));
  EXPECT_THAT(reduced<uint64_t>("add.u64", {big, 5}, {1, ~uint64_t(0)}),
              ElementsAre(uint64_t(1) << 32, 4));
  EXPECT_THAT(reduced<uint32_t>("min.u32", {1, big, 3, 0}, {10, 2, 30, 40}),
              ElementsAre(1, 2, 3, 0));
  EXPECT_THAT(reduced<uint32_t>("min.s32", {1, big, 3, 0}, {10, 2, 30, 40}),
              ElementsAre(1, big, 3, 0));
  EXPECT_THAT(reduced<uint32_t>("max.s32", {1, big, 30, 0}, {10, 2, 3, big}),
              ElementsAre(10, 2, 30, 0));
  EXPECT_THAT(reduced<uint64_t>("max.u64", {~uint64_t(0), 3}, {5, 4}),
              ElementsAre(~uint64_t(0), 4));
  EXPECT_THAT(reduced<uint64_t>("max.s64", {~uint64_t(0), 3}, {5, 4}),
              ElementsAre(5, 4));
  EXPECT_THAT(reduced<uint32_t>("inc.u32", {5, 5, 5, 0}, {4, 5, 6, 0}),
              ElementsAre(5, 0, 0, 0));
  EXPECT_THAT(reduced<uint32_t>("dec.u32", {5, 5, 5, 5}, {0, 1, 5, 6}),
              ElementsAre(5, 0, 4, 5));
  EXPECT_THAT(reduced<uint32_t>("and.b32", {12, 1, 0, 7}, {10, 1, 3, 5}),
              ElementsAre(8, 1, 0, 5));
  EXPECT_THAT(reduced<uint64_t>("or.b64", {12, 1}, {10, uint64_t(1) << 40}),
              ElementsAre(14, (uint64_t(1) << 40) + 1));
  EXPECT_THAT(reduced<uint32_t>("xor.b32", {12, 1, 0, 7}, {10, 1, 3, 5}),
              ElementsAre(6, 0, 3, 2));
}

TEST(BulkCopyTest, FloatsReduce) {
  // 2^24 + 1 is a tie, 2^24 + 3 rounds up; subnormals stay.
  EXPECT_EQ(asBits(reduced<float>("add.f32", {1, 3, 0x1p-130f, 0x1.8p-126f},
                                  {0x1p24f, 0x1p24f, -0x1p-130f, -0x1p-126f})),
            asBits(f32s{0x1p24f, 0x1p24f + 4, 0, 0x1p-127f}));
  EXPECT_EQ(bits(reduced<float>("add.f32", {kInfinity}, {-kInfinity})[0]),
            kCanonicalNaN);
  EXPECT_THAT(reduced<double>("add.f64", {0x1p-1074, 1}, {0x1p-1074, 0x1p53}),
              ElementsAre(0x1p-1073, 0x1p53));
  // f16: 1 + 2, 2048 + 1 (a tie), 65504 + 16 (overflows), 2^-24 + 2^-24.
  EXPECT_THAT(reduced<uint16_t>("add.noftz.f16", {0x3c00, 0x6800, 0x7bff, 1},
                                {0x4000, 0x3c00, 0x4c00, 1}),
              ElementsAre(0x4200, 0x6800, 0x7c00, 2, 2, 2, 2, 2));
  // bf16: 1 + 2, 256 + 1 (a tie), NaN, -0 + +0.
  EXPECT_THAT(reduced<uint16_t>("add.noftz.bf16",
                                {0x3f80, 0x4380, 0x7fc0, 0x8000},
                                {0x4000, 0x3f80, 0x3f80, 0}),
              ElementsAre(0x4040, 0x4380, 0x7fff, 0, 0, 0, 0, 0));
  // Of NaN and a number the number; -0 is less than +0.
  EXPECT_THAT(reduced<uint16_t>("min.f16", {0x7e00, 0x3c00, 0x8000, 0x7e00},
                                {0x3c00, 0xfe00, 0, 0x7e00}),
              ElementsAre(0x3c00, 0x3c00, 0x8000, 0x7fff, 0x7fff, 0x7fff,
                          0x7fff, 0x7fff));
  EXPECT_THAT(reduced<uint16_t>("max.bf16", {0x3f80, 0xc000, 0x8000, 1},
                                {0x4000, 0xc040, 0, 2}),
              ElementsAre(0x4000, 0xc000, 0, 2, 2, 2, 2, 2));
}

/// Both neighbours add their rank's words to block 0.
TEST(BulkCopyTest, BlocksReduceIntoSharedMemory) {
  u32s result =
      run("st.shared.v4.u32 [%t0], {10, 20, 30, 40};"
          "fence.proxy.async.shared::cta;" +
              enter() +
              "@!%p0 bra ADD; mbarrier.arrive.expect_tx.shared.b64 _, [%t1], "
              "32;" +
              wait() +
              "ld.shared.v4.u32 {%t4, %t5, %t6, %t7}, [%t0];"
              "st.global.v4.u32 [%w1], {%t4, %t5, %t6, %t7}; bra DONE;"
              "ADD: st.shared.v4.u32 [%t0+16], {%t2, 1, 2, %t2};"
              "mapa.shared::cluster.u32 %t3, %t0, 0; mapa.shared::cluster.u32 "
              "%t4, %t1, 0; fence.proxy.async.shared::cta;"
              "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::"
              "complete_tx::bytes.add.u32 [%t3], [%t0+16], 16, [%t4]; DONE:" +
              leave(),
          numbers(0), u32s(16, 7), cluster(3));
  EXPECT_THAT(u32s(result.begin(), result.begin() + 4),
              ElementsAre(13, 22, 34, 43));
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string message(const std::string &body, const LaunchConfig &config = {}) {
  KernelRun run(text(body), "k");
  run.buffer(u32s(16));
  run.buffer(u32s(16));
  run.config.grid = config.grid;
  run.config.cluster = config.cluster;
  run.doNotCheck(); // Nobody waits for what is not a fault.
  auto result = run.launch();
  return result ? "ran" : result.message();
}

TEST(BulkCopyTest, PlacesFault) {
  auto load = [](const std::string &operands) {
    return message(init() +
                   "cp.async.bulk.shared::cta.global.mbarrier::"
                   "complete_tx::bytes " +
                   operands + ";");
  };
  EXPECT_EQ(load("[%t0], [%w0], 64, [%t1]"), "ran");
  EXPECT_THAT(load("[%t0], [%w0], 24, [%t1]"),
              HasSubstr("size 0x18; it must be a multiple of 16"));
  EXPECT_THAT(load("[%t0+8], [%w0], 16, [%t1]"),
              HasSubstr("destination 0x8; it must be a multiple of 16"));
  EXPECT_THAT(load("[%t0], [%w0+8], 16, [%t1]"),
              HasSubstr("; it must be a multiple of 16"));
  EXPECT_THAT(load("[%t0], [%w0], 16, [%t1+4]"),
              HasSubstr("mbarrier 0x104; it must be a multiple of 8"));
  EXPECT_THAT(load("[%t0+224], [%w0], 64, [%t1]"),
              HasSubstr("destination 0xe0 with 64 bytes is outside the 264 "
                        "bytes of shared memory"));
  EXPECT_THAT(load("[%t0], [%w0], 80, [%t1]"),
              HasSubstr(" with 80 bytes is outside every allocation of global "
                        "memory"));
  EXPECT_THAT(load("[%t0], [%w0], 16, [%t0]"),
              HasSubstr("mbarrier at shared address 0x0 is not initialised"));
  auto store = [](const std::string &operands) {
    return message("cp.async.bulk.global.shared::cta.bulk_group " + operands +
                   ";");
  };
  EXPECT_EQ(store("[%w1], [%t0], 64"), "ran");
  EXPECT_THAT(store("[%w1], [%t0+4], 16"),
              HasSubstr("source 0x4; it must be a multiple of 16"));
  EXPECT_THAT(store("[%w1+48], [%t0], 32"),
              HasSubstr("is outside every allocation"));
  EXPECT_THAT(store("[%w1], [%t0], 20"),
              HasSubstr("size 0x14; it must be a multiple of 16"));
  EXPECT_THAT(message("cp.async.bulk.prefetch.L2.global [%w0], 8;"),
              HasSubstr("size 0x8; it must be a multiple of 16"));
}

TEST(BulkCopyTest, BlocksFault) {
  const std::string load =
      enter() +
      "mapa.shared::cluster.u32 %t3, %t0, 1; mapa.shared::cluster.u32 "
      "%t4, %t1, 1; .reg .b16 %h0; mov.b16 %h0, 4; @%p0 "
      "cp.async.bulk.shared::";
  auto global = [&](const std::string &rest) {
    return message(load + rest + leave(), cluster(2));
  };
  const std::string complete = ".global.mbarrier::complete_tx::bytes";
  EXPECT_THAT(global("cta" + complete + " [%t3], [%w0], 16, [%t1];"),
              HasSubstr("destination 0x2000000 is in block rank 1; it must be "
                        "in the own block, rank 0"));
  EXPECT_THAT(
      global("cluster" + complete + " [%t3], [%w0], 16, [%t1];"),
      HasSubstr("the destination is in block rank 1 and the mbarrier in "
                "0; they must be in the same block"));
  EXPECT_THAT(global("cluster" + complete +
                     ".multicast::cluster [%t0], [%w0], 16, [%t1], %h0;"),
              HasSubstr("block mask 0x4 names blocks that the cluster does not "
                        "have; legal are ranks 0 to 1"));
  EXPECT_THAT(global("cluster.shared::cta.mbarrier::complete_tx::bytes [%t0], "
                     "[%t0+16], 16, [%t1];"),
              HasSubstr("the destination is in the own block, rank 0; from "
                        "shared memory it must be in another block of the "
                        "cluster"));
  EXPECT_THAT(
      global("cluster.shared::cta.mbarrier::complete_tx::bytes [%t3], "
             "[%t3+16], 16, [%t4];"),
      HasSubstr("source 0x2000010 is in block rank 1; it must be in the "
                "own block, rank 0"));
}

TEST(BulkCopyTest, UnknownForms) {
  for (const char *instruction :
       {"cp.async.bulk.shared::cta.global.bulk_group [%t0], [%w0], 16;",
        "cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes."
        "multicast::cluster [%t0], [%w0], 16, [%t1], 1;",
        "cp.async.bulk.shared::cta.shared::cta.mbarrier::complete_tx::bytes "
        "[%t0], [%t0], 16, [%t1];",
        "cp.async.bulk.global.shared::cta.bulk_group.cp_mask [%w0], [%t0], 16, "
        "1;",
        "cp.async.bulk.global.shared::cta.bulk_group [%w0], [%t0], 16, %w1;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.s64 [%w0], "
        "[%t0], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f16 [%w0], "
        "[%t0], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.min.f32 [%w0], "
        "[%t0], 16;",
        "cp.reduce.async.bulk.global.shared::cta.bulk_group.xor.u32 [%w0], "
        "[%t0], 16;",
        "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx"
        "::bytes.min.u64 [%t0], [%t0], 16, [%t1];",
        "cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx"
        "::bytes.add.f32 [%t0], [%t0], 16, [%t1];",
        "cp.async.bulk.wait_group %t0;"})
    EXPECT_THAT(message(instruction),
                HasSubstr(std::string("unknown instruction '") + instruction));
}

} // namespace
