//===- CountersTest.cpp - what a launch did, worked by hand ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/PtxMachine/Counters.h"
#include "PtxTesting.h"

#include <fstream>
#include <sstream>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

/// A kernel `k` with the parameter `data`, the address of 64 KiB in %w0; %t0 is
/// the thread, %t1 the block, %w1 is %w0 plus 4 bytes per thread.
std::string dataKernel(const std::string &body,
                       const std::string &before = "") {
  return kernel("mov.u32 %t0, %tid.x; mov.u32 %t1, %ctaid.x;\n"
                "ld.param.u64 %w0, [data]; mad.wide.u32 %w1, %t0, 4, %w0;\n" +
                    body,
                ".param .u64 data", before);
}

class CountersTest : public ::testing::Test {
protected:
  static constexpr uint64_t kBytes = 1 << 16;

  void profile(const std::string &ptx, uint32_t blocks = 1,
               uint32_t threads = 32, unsigned hostThreads = 1) {
    auto module = LoadedModule::load(ptx, memory);
    ASSERT_TRUE(module) << module.error().message;
    address = *memory.allocate(kBytes);
    config.grid.x = blocks;
    config.block.x = threads;
    config.hostThreads = hostThreads;
    config.parameters = parameters({address});
    auto done = (*module)->profile("k", config);
    ASSERT_TRUE(done) << done.error().message;
    counters = *done;
  }

  /// The only instruction whose text begins so.
  const InstructionCounters &at(const std::string &text) {
    static const InstructionCounters none;
    const InstructionCounters *found = nullptr;
    for (const InstructionCounters &one : counters.instructions)
      if (one.text.starts_with(text)) {
        EXPECT_EQ(found, nullptr) << "two begin with '" << text << "'";
        found = &one;
      }
    EXPECT_NE(found, nullptr) << "none begins with '" << text << "'";
    return found ? *found : none;
  }

  BufferCounters buffer() {
    for (const BufferCounters &one : counters.buffers)
      if (one.address == address)
        return one;
    return {};
  }

  GlobalMemory memory;
  LaunchConfig config;
  LaunchCounters counters;
  uint64_t address = 0;
};

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

TEST_F(CountersTest, LoopsAndDivergence) {
  // 3 turns; in each the 20 lanes below 20 of the first warp go one way.
  profile(dataKernel("mov.u32 %t2, 0;\nNEXT:\n"
                     "setp.lt.u32 %p0, %t0, 20;\n"
                     "@%p0 bra LOW;\n"
                     "sub.u32 %t3, %t3, 5;\nbra MEET;\n"
                     "LOW:\nxor.b32 %t3, %t3, 5;\n"
                     "MEET:\nadd.u32 %t2, %t2, 1;\n"
                     "setp.ne.u32 %p1, %t2, 3;\n@%p1 bra NEXT;"),
          /*blocks=*/2, /*threads=*/48);
  EXPECT_EQ(at("xor.b32").warps, 2 * 3u);
  EXPECT_EQ(at("xor.b32").threads, 2 * 3 * 20u);
  // The other 12 of the first warp, and the 16 of the second.
  EXPECT_EQ(at("sub.u32").warps, 2 * 3 * 2u);
  EXPECT_EQ(at("sub.u32").threads, 2 * 3 * 28u);
  EXPECT_EQ(at("add.u32").warps, 2 * 3 * 2u);
  EXPECT_EQ(at("add.u32").threads, 2 * 3 * 48u);
  EXPECT_EQ(at("ld.param").threads, 2 * 48u);
  EXPECT_EQ(at("ret").warps, 2 * 2u);
  uint64_t warps = 0, threads = 0;
  for (const InstructionCounters &one : counters.instructions) {
    warps += one.warps;
    threads += one.threads;
  }
  EXPECT_EQ(warps, counters.statistics.warpInstructions);
  EXPECT_EQ(threads, counters.statistics.threadInstructions);
  EXPECT_EQ(counters.statistics.blocks, 2u);
  EXPECT_EQ(counters.gridBlocks, 2u);
  EXPECT_EQ(counters.threadsPerBlock, 48u);
}

TEST_F(CountersTest, LinesAndThoseNeverExecuted) {
  profile(dataKernel("bra END;\nmul.lo.u32 %t2, %t0, 3;\nEND:"));
  EXPECT_EQ(at("mul.lo").warps, 0u);
  EXPECT_EQ(at("mul.lo").line, at("bra END").line + 1);
}

TEST_F(CountersTest, MultiplyAddsCountActiveLanes) {
  profile(dataKernel(".reg .f32 %f<4>;\n"
                     "setp.lt.u32 %p0, %t0, 8;\n@%p0 bra END;\n"
                     "fma.rn.f32 %f0, %f1, %f2, %f0;\n"
                     "dp4a.u32.u32 %t2, %t3, %t4, %t2;\n"
                     "mul.f32 %f1, %f2, %f2;\nEND:"));
  EXPECT_EQ(at("fma").multiplyAdds, 24u);
  EXPECT_EQ(at("dp4a").multiplyAdds, 96u);
  EXPECT_EQ(at("mul.f32").multiplyAdds, 0u);
  EXPECT_EQ(at("mad.wide").multiplyAdds, 32u);
}

TEST_F(CountersTest, GuardedOffIsIssuedWithoutARequest) {
  profile(dataKernel("setp.lt.u32 %p0, %t0, 4; setp.lt.u32 %p1, %t0, 0;\n"
                     "@%p0 ld.global.u32 %t2, [%w1];\n"
                     "@%p1 st.global.u32 [%w1], %t2;"));
  EXPECT_EQ(at("@%p0 ld.global").warps, 1u);
  EXPECT_EQ(at("@%p0 ld.global").threads, 32u);
  EXPECT_EQ(at("@%p0 ld.global").global, (GlobalTraffic{1, 16, 1, 1}));
  EXPECT_EQ(at("@%p1 st.global").warps, 1u);
  EXPECT_EQ(at("@%p1 st.global").global, GlobalTraffic());
}

TEST_F(CountersTest, PollingIsCountedOnce) {
  config.cluster.x = 2;
  // The first block comes late.
  profile(dataKernel("mov.u32 %t2, 0; setp.ne.u32 %p0, %t1, 0;\n"
                     "@%p0 bra ARRIVE;\nNEXT: add.u32 %t2, %t2, 1;\n"
                     "setp.ne.u32 %p1, %t2, 2000000; @%p1 bra NEXT;\n"
                     "ARRIVE: barrier.cluster.arrive;\n"
                     "barrier.cluster.wait;"),
          /*blocks=*/2);
  EXPECT_EQ(at("barrier.cluster.wait").warps, 2u);
  EXPECT_EQ(counters.clusterBlocks, 2u);
}

TEST_F(CountersTest, OnlySomeBlocks) {
  config.onlyBlocks = {1, 6};
  profile(dataKernel("ld.global.u32 %t2, [%w1];"), /*blocks=*/8);
  EXPECT_EQ(counters.statistics.blocks, 2u);
  EXPECT_EQ(counters.gridBlocks, 8u);
  EXPECT_EQ(at("ld.global").warps, 2u);
}

//===----------------------------------------------------------------------===//
// Global and local memory
//===----------------------------------------------------------------------===//

TEST_F(CountersTest, SectorsOfABuffer) {
  // Three blocks read the same 128 bytes, twice, and write 128 of their own.
  profile(dataKernel("ld.global.u32 %t2, [%w1]; ld.global.nc.u32 %t3, [%w1];\n"
                     "mad.wide.u32 %w2, %t1, 128, %w1;\n"
                     "st.global.u32 [%w2+1024], %t2;"),
          /*blocks=*/3);
  EXPECT_EQ(at("ld.global.u32").global, (GlobalTraffic{3, 384, 12, 12}));
  EXPECT_EQ(at("st.global").global, (GlobalTraffic{3, 384, 12, 12}));
  BufferCounters expected;
  expected.address = address;
  expected.bytes = kBytes;
  expected.loadedSectors = 2 * 12;
  expected.blockLoadedSectors = 12;
  expected.storedSectors = 12;
  expected.distinctLoadedSectors = 4;
  expected.distinctStoredSectors = 12;
  EXPECT_EQ(buffer(), expected);
}

TEST_F(CountersTest, LoadsPastTheFirstLevel) {
  profile(dataKernel("ld.global.cg.u32 %t2, [%w1];\n"
                     "ld.global.cg.u32 %t2, [%w1];\n"
                     "ld.global.u32 %t3, [%w1+4];\n"
                     "ld.global.u32 %t3, [%w1+8];"));
  // 4 + 4 sectors past it; then 5 of which the second load finds all.
  EXPECT_EQ(buffer().loadedSectors, 4 + 4 + 5 + 5u);
  EXPECT_EQ(buffer().blockLoadedSectors, 4 + 4 + 5u);
  EXPECT_EQ(buffer().distinctLoadedSectors, 5u);
}

TEST_F(CountersTest, VectorsAndStrides) {
  profile(dataKernel("mad.wide.u32 %w2, %t0, 16, %w0;\n"
                     "ld.global.v4.u32 {%t2, %t3, %t4, %t5}, [%w2];\n"
                     "mad.wide.u32 %w3, %t0, 128, %w0;\n"
                     "ld.global.u32 %t2, [%w3]; ld.global.u8 %t2, [%w0];"));
  EXPECT_EQ(at("ld.global.v4").global, (GlobalTraffic{1, 512, 16, 16}));
  EXPECT_EQ(at("ld.global.u32").global, (GlobalTraffic{1, 128, 32, 4}));
  EXPECT_EQ(at("ld.global.u8").global, (GlobalTraffic{1, 32, 1, 1}));
}

TEST_F(CountersTest, AtomicsLoadAndStore) {
  profile(dataKernel("red.global.add.u32 [%w0], 1;\n"
                     "atom.global.add.u32 %t2, [%w1+64], 1;"),
          /*blocks=*/2);
  EXPECT_EQ(at("red.global").global, (GlobalTraffic{2, 256, 2, 2}));
  EXPECT_EQ(at("atom.global").global, (GlobalTraffic{2, 256, 8, 8}));
  EXPECT_EQ(buffer().loadedSectors, 10u);
  EXPECT_EQ(buffer().blockLoadedSectors, 10u);
  EXPECT_EQ(buffer().storedSectors, 10u);
  EXPECT_EQ(buffer().distinctLoadedSectors, 5u);
  EXPECT_EQ(buffer().distinctStoredSectors, 5u);
}

TEST_F(CountersTest, LocalMemoryIsInterleaved) {
  profile(dataKernel(".local .align 16 .b8 own[64];\nmov.u64 %w2, own;\n"
                     "st.local.u32 [%w2+8], %t0;\n"
                     "ld.local.v4.u32 {%t2, %t3, %t4, %t5}, [%w2];\n"
                     "mad.wide.u32 %w3, %t0, 2, %w2;\n"
                     "ld.local.u8 %t6, [%w3];"));
  EXPECT_EQ(at("st.local").local, (GlobalTraffic{1, 128, 4, 4}));
  EXPECT_EQ(at("ld.local.v4").local, (GlobalTraffic{1, 512, 16, 16}));
  // Lane i reads byte 2i: word i / 2 of its own, a sector for every two lanes.
  EXPECT_EQ(at("ld.local.u8").local, (GlobalTraffic{1, 32, 16, 1}));
  EXPECT_EQ(at("st.local").global, GlobalTraffic());
}

TEST_F(CountersTest, ParametersAndConstantsAreNoTraffic) {
  profile(dataKernel("ld.const.u32 %t2, [table];",
                     ".const .u32 table[2] = {1, 2};"));
  EXPECT_EQ(at("ld.param").global, GlobalTraffic());
  EXPECT_EQ(at("ld.const").global, GlobalTraffic());
  EXPECT_TRUE(counters.buffers.empty());
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

const char *const kTile = ".shared .align 16 .b8 tile[8192];";

TEST_F(CountersTest, SharedMemory) {
  profile(dataKernel("mov.u64 %w2, tile; mad.wide.u32 %w3, %t0, 128, %w2;\n"
                     "st.shared.u32 [%w3], %t0;\n"
                     "ld.shared.u32 %t2, [%w2];\n"
                     "mad.wide.u32 %w4, %t0, 16, %w2;\n"
                     "ld.shared.v4.u32 {%t2, %t3, %t4, %t5}, [%w4];\n"
                     "atom.shared.add.u32 %t2, [%w2], 1;",
                     kTile),
          /*blocks=*/2);
  EXPECT_EQ(at("st.shared").shared, (SharedTraffic{2, 256, 64, 2}));
  EXPECT_EQ(at("ld.shared.u32").shared, (SharedTraffic{2, 256, 2, 2}));
  EXPECT_EQ(at("ld.shared.v4").shared, (SharedTraffic{2, 1024, 8, 8}));
  EXPECT_EQ(at("atom.shared").shared, (SharedTraffic{2, 256, 64, 2}));
  EXPECT_EQ(counters.sharedBytes, 8192u);
  EXPECT_TRUE(counters.buffers.empty());
}

TEST_F(CountersTest, SharedMemoryOfAnotherBlock) {
  config.cluster.x = 2;
  profile(dataKernel("mov.u32 %t2, tile; xor.b32 %t3, %t1, 1;\n"
                     "mapa.shared::cluster.u32 %t4, %t2, %t3;\n"
                     "ld.shared::cluster.u32 %t5, [%t4];",
                     kTile),
          /*blocks=*/2);
  EXPECT_EQ(at("ld.shared::cluster").shared, (SharedTraffic{2, 256, 2, 2}));
}

TEST_F(CountersTest, GenericAddressesGoWhereTheyPoint) {
  // The lower half of the lanes to shared memory, the upper half to global.
  profile(dataKernel("mov.u64 %w2, tile; cvta.shared.u64 %w2, %w2;\n"
                     "mad.wide.u32 %w2, %t0, 4, %w2;\n"
                     "setp.lt.u32 %p0, %t0, 16; selp.b64 %w3, %w2, %w1, %p0;\n"
                     "ld.u32 %t2, [%w3];",
                     kTile));
  EXPECT_EQ(at("ld.u32").shared, (SharedTraffic{1, 64, 1, 1}));
  EXPECT_EQ(at("ld.u32").global, (GlobalTraffic{1, 64, 2, 2}));
  EXPECT_EQ(buffer().loadedSectors, 2u);
}

TEST_F(CountersTest, AsynchronousCopiesAreBoth) {
  profile(dataKernel("mov.u32 %t2, tile; mad.lo.u32 %t2, %t0, 16, %t2;\n"
                     "mad.wide.u32 %w2, %t0, 16, %w0;\n"
                     "cp.async.cg.shared.global [%t2], [%w2], 16;\n"
                     "cp.async.ca.shared.global [%t2], [%w2], 16, 0;",
                     kTile));
  EXPECT_EQ(at("cp.async.cg").global, (GlobalTraffic{1, 512, 16, 16}));
  EXPECT_EQ(at("cp.async.cg").shared, (SharedTraffic{1, 512, 4, 4}));
  // With a source size of 0 nothing is read; zeros are written.
  EXPECT_EQ(at("cp.async.ca").global, GlobalTraffic());
  EXPECT_EQ(at("cp.async.ca").shared, (SharedTraffic{1, 512, 4, 4}));
}

TEST_F(CountersTest, MatricesFromSharedMemory) {
  // Rows of 16 bytes one behind the other, then 128 bytes apart.
  profile(dataKernel("mov.u32 %t6, tile; mad.lo.u32 %t6, %t0, 16, %t6;\n"
                     "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%t2, %t3, %t4, "
                     "%t5}, [%t6];\n"
                     "mov.u32 %t7, tile; mad.lo.u32 %t7, %t0, 128, %t7;\n"
                     "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%t2, %t3}, "
                     "[%t7];",
                     kTile));
  EXPECT_EQ(at("ldmatrix.sync.aligned.m8n8.x4").shared,
            (SharedTraffic{1, 512, 4, 4}));
  EXPECT_EQ(at("ldmatrix.sync.aligned.m8n8.x2").shared,
            (SharedTraffic{1, 256, 16, 2}));
}

/// The first thread of a block copies 512 bytes to a tile; all wait.
std::string bulkKernel(const std::string &copy) {
  return dataKernel(
      ".reg .b16 %h<2>;\n"
      "mov.u32 %t2, tile; mov.u32 %t3, bar; setp.ne.u32 %p0, %t0, 0;\n"
      "@%p0 bra READY;\nmbarrier.init.shared.b64 [%t3], 1;\n"
      "mbarrier.arrive.expect_tx.shared.b64 %w2, [%t3], 512;\n"
      "READY: barrier.cluster.arrive; barrier.cluster.wait;\n"
      "@%p0 bra END;\n" +
          copy +
          "WAIT: mbarrier.try_wait.parity.shared.b64 %p1, [%t3], 0;\n"
          "@!%p1 bra WAIT;\n"
          "END: barrier.cluster.arrive; barrier.cluster.wait;",
      std::string(kTile) + ".shared .align 8 .b64 bar;");
}

TEST_F(CountersTest, BulkCopies) {
  profile(bulkKernel("cp.async.bulk.shared::cluster.global.mbarrier::complete_"
                     "tx::bytes [%t2], [%w0+16], 512, [%t3];\n"));
  // From byte 16 on: half of the first and the last sector.
  EXPECT_EQ(at("cp.async.bulk").global, (GlobalTraffic{1, 512, 17, 16}));
  EXPECT_EQ(at("cp.async.bulk").shared, (SharedTraffic{1, 512, 4, 4}));
  EXPECT_STREQ(name(at("cp.async.bulk").kind), "async copy");
  EXPECT_EQ(buffer().blockLoadedSectors, 17u);
}

TEST_F(CountersTest, AMulticastReadsOnce) {
  config.cluster.x = 2;
  profile(bulkKernel("mov.b16 %h0, 3; setp.ne.u32 %p2, %t1, 0;\n"
                     "@%p2 bra WAIT;\n"
                     "cp.async.bulk.shared::cluster.global.mbarrier::complete_"
                     "tx::bytes.multicast::cluster [%t2], [%w0], 512, [%t3], "
                     "%h0;\n"),
          /*blocks=*/2);
  EXPECT_EQ(at("cp.async.bulk").global, (GlobalTraffic{1, 512, 16, 16}));
  EXPECT_EQ(at("cp.async.bulk").shared, (SharedTraffic{1, 1024, 8, 8}));
  EXPECT_EQ(buffer().loadedSectors, 16u);
}

TEST_F(CountersTest, OperandsOfWgmma) {
  // One warpgroup: A has 64 rows of 32 bytes, B 8; each warp has its quarter.
  profile(dataKernel(".reg .f32 %d<4>;\n"
                     "mov.u64 %w2, tile; shr.u64 %w2, %w2, 4;\n"
                     "wgmma.fence.sync.aligned;\n"
                     "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%d0, "
                     "%d1, %d2, %d3}, %w2, %w2, 1, 1, 1, 0, 0;\n"
                     "wgmma.commit_group.sync.aligned;\n"
                     "wgmma.wait_group.sync.aligned 0;",
                     kTile),
          /*blocks=*/1, /*threads=*/128);
  const InstructionCounters &wgmma = at("wgmma.mma_async");
  EXPECT_EQ(wgmma.warps, 4u);
  EXPECT_EQ(wgmma.multiplyAdds, 64 * 8 * 16u);
  EXPECT_EQ(wgmma.shared, (SharedTraffic{0, 2304, 18, 18}));
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

TEST_F(CountersTest, TheSameOnAnyNumberOfHostThreads) {
  const std::string ptx =
      dataKernel("mad.wide.u32 %w2, %t1, 96, %w1;\nld.global.u32 %t2, [%w2];\n"
                 "st.global.u32 [%w2+4096], %t2;");
  profile(ptx, 50, 64, 1);
  const LaunchCounters one = counters;
  const BufferCounters ofOne = buffer();
  profile(ptx, 50, 64, 4);
  BufferCounters ofFour = buffer();
  ofFour.address = ofOne.address;
  EXPECT_EQ(ofFour, ofOne);
  ASSERT_EQ(counters.instructions.size(), one.instructions.size());
  for (size_t i = 0; i < one.instructions.size(); ++i) {
    EXPECT_EQ(counters.instructions[i].warps, one.instructions[i].warps);
    EXPECT_EQ(counters.instructions[i].global, one.instructions[i].global);
  }
}

TEST_F(CountersTest, FaultsComeAsFromALaunch) {
  auto module = LoadedModule::load(kernel("trap;"), memory);
  EXPECT_THAT((*module)->profile("k", {}).error().message,
              ::testing::HasSubstr("trap"));
  EXPECT_EQ((*module)->profile("other", {}).error().message,
            "the module has no kernel 'other'");
}

TEST_F(CountersTest, ALoopThatGoesDown) {
  profile(dataKernel("add.u64 %w1, %w1, 4096; mov.u32 %t2, 0;\nNEXT:\n"
                     "ld.global.u32 %t3, [%w1]; sub.u64 %w1, %w1, 128;\n"
                     "add.u32 %t2, %t2, 1; setp.ne.u32 %p0, %t2, 5;\n"
                     "@%p0 bra NEXT;"));
  EXPECT_EQ(at("ld.global").global.sectors, 5 * 4u);
  EXPECT_EQ(buffer().distinctLoadedSectors, 5 * 4u);
}

TEST_F(CountersTest, Sgemm) {
  std::ifstream file(CTC_PTX_INPUTS "/sgemm.ptx");
  std::stringstream ptx;
  ptx << file.rdbuf();
  auto module = LoadedModule::load(ptx.str(), memory);
  ASSERT_TRUE(module) << module.error().message;
  constexpr uint64_t n = 128;
  const uint64_t a = *memory.allocate(n * n * 4),
                 b = *memory.allocate(n * n * 4),
                 c = *memory.allocate(n * n * 4);
  config.grid = {n / 64, n / 64, 1};
  config.block = {16, 16, 1};
  config.parameters = parameters({a, b, c, n | n << 32, n});
  config.parameters.resize(36);
  auto done = (*module)->profile("sgemm", config);
  ASSERT_TRUE(done) << done.error().message;
  uint64_t multiplyAdds = 0;
  for (const InstructionCounters &one : done->instructions)
    if (one.unit == MultiplyUnit::Fp32)
      multiplyAdds += one.multiplyAdds;
  EXPECT_EQ(multiplyAdds, n * n * n);
  ASSERT_EQ(done->buffers.size(), 3u);
  for (const BufferCounters &one : done->buffers) {
    const bool isResult = one.address == c;
    EXPECT_EQ(one.distinctLoadedSectors, isResult ? 0 : n * n * 4 / 32);
    EXPECT_EQ(one.distinctStoredSectors, isResult ? n * n * 4 / 32 : 0);
    // Two blocks share every row of A and every column of B.
    EXPECT_EQ(one.blockLoadedSectors, isResult ? 0 : 2 * n * n * 4 / 32);
  }
}

} // namespace
