//===- AsyncObserverTest.cpp - What an observer sees of bulk copies -------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"
#include "WatchedRun.h"
#include "ctc/PtxMachine/TensorMap.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;

namespace {

/// Writes down what happens: "s" and an offset is shared memory (of rank 1
/// "r"), "g" and an offset the data.
class Recorder : public Observer {
public:
  explicit Recorder(uint64_t data) : data(data) {}

  void beginCluster(const ClusterState &state) override { cluster = &state; }
  void asynchronous(Warp &, const Op &,
                    const AsyncOperation &operation) override {
    std::string text =
        operation.completion == Completion::BulkGroup
            ? "group"
            : "mbarrier " + place(operation.mbarrier) + " lane " +
                  std::to_string(std::countr_zero(operation.mask));
    for (const AsyncRange &range : operation.ranges)
      text += (range.isAtomic  ? " reduces "
               : range.isWrite ? " writes "
                               : " reads ") +
              place(range.host) + "+" + std::to_string(range.bytes);
    events.push_back(text);
  }
  void commit(Warp &, const Op &, LaneMask, Completion kind) override {
    EXPECT_EQ(kind, Completion::BulkGroup);
    events.push_back("commit");
  }
  void wait(Warp &, const Op &, LaneMask, Completion kind, unsigned pending,
            bool readsOnly) override {
    EXPECT_EQ(kind, Completion::BulkGroup);
    events.push_back((readsOnly ? "wait.read " : "wait ") +
                     std::to_string(pending));
  }
  void arriveAt(Warp &, const Op &, LaneMask mask, uint64_t mbarrier,
                Ordering ordering, bool afterCopies) override {
    events.push_back((releases(ordering) ? "release " : "arrive ") +
                     place(mbarrier) + " mask " + std::to_string(mask) +
                     (afterCopies ? " copies" : ""));
  }
  void initialized(Warp &, const Op &, LaneMask, uint64_t mbarrier,
                   bool valid) override {
    events.push_back((valid ? "init " : "inval ") + place(mbarrier));
  }
  void phaseComplete(uint64_t mbarrier) override {
    events.push_back("complete " + place(mbarrier));
  }
  void phaseSeen(Warp &, const Op &, LaneMask mask, uint64_t mbarrier,
                 Ordering ordering) override {
    events.push_back((acquires(ordering) ? "acquire " : "see ") +
                     place(mbarrier) + " mask " + std::to_string(mask));
  }

  std::vector<std::string> events;

private:
  std::string place(uint64_t host) const {
    for (unsigned rank = 0; rank < cluster->size; ++rank) {
      const BlockState &block = *cluster->blocks[rank];
      const uint64_t offset = host - reinterpret_cast<uint64_t>(block.shared);
      if (offset < block.sharedBytes)
        return (rank ? "r" : "s") + std::to_string(offset);
    }
    return "g" + std::to_string(host - data);
  }

  uint64_t data;
  const ClusterState *cluster = nullptr;
};

/// %w0 is 4 KiB of data, %w1 a map of it as `tensor` says (rows of 64 bytes),
/// %t0 a tile, %t1 an object at 1024.
std::vector<std::string> watch(const std::string &body, unsigned threads = 1,
                               TensorLayout tensor = {},
                               const std::vector<uint32_t> &box = {4},
                               uint32_t blocks = 1) {
  GlobalMemory memory;
  const uint64_t data = *memory.allocate(4096);
  tensor.address = data;
  if (tensor.dims.empty())
    tensor.dims = {1024};
  tensor.elementStrides.assign(tensor.dims.size(), 1);
  auto map = encodeTiled(tensor, box);
  EXPECT_TRUE(map) << map.error().message;
  LaunchConfig config;
  config.grid.x = config.cluster.x = blocks;
  config.block.x = threads;
  config.parameters.resize(sizeof(*map) + sizeof(data));
  std::memcpy(config.parameters.data(), &*map, sizeof(*map));
  std::memcpy(config.parameters.data() + sizeof(*map), &data, sizeof(data));
  Recorder recorder(data);
  runWatched(kernel("mov.b64 %w1, map; cvta.param.u64 %w1, %w1;"
                    "ld.param.u64 %w0, [data]; mov.u32 %t0, smem;"
                    "add.u32 %t1, %t0, 1024;" +
                        body,
                    ".param .align 64 .b8 map[128], .param .u64 data",
                    ".shared .align 1024 .b8 smem[1032];"),
             memory, config, recorder);
  return recorder.events;
}

std::string init() { return "mbarrier.init.shared.b64 [%t1], 1;"; }

TEST(AsyncObserverTest, Mbarriers) {
  EXPECT_THAT(
      watch("mov.u32 %t2, %tid.x; setp.eq.u32 %p0, %t2, 0;"
            "@%p0 mbarrier.init.shared.b64 [%t1], 4; bar.warp.sync 3;"
            "mbarrier.arrive.shared.b64 %w2, [%t1];"
            "cp.async.mbarrier.arrive.shared.b64 [%t1];"
            "mbarrier.test_wait.shared.b64 %p1, [%t1], %w2;"
            "mbarrier.arrive.relaxed.cta.shared.b64 %w2, [%t1];"
            "mbarrier.try_wait.shared.b64 %p1, [%t1], %w2;"
            "mbarrier.test_wait.parity.relaxed.cta.shared.b64 %p1, [%t1], 0;"
            "@%p0 mbarrier.inval.shared.b64 [%t1];",
            2),
      ElementsAre("init s1024", "release s1024 mask 1", "release s1024 mask 2",
                  "arrive s1024 mask 1 copies", "arrive s1024 mask 2 copies",
                  "arrive s1024 mask 1", "arrive s1024 mask 2",
                  "complete s1024", "acquire s1024 mask 1",
                  "acquire s1024 mask 2", "see s1024 mask 1",
                  "see s1024 mask 2", "inval s1024"));
}

TEST(AsyncObserverTest, BulkCopies) {
  EXPECT_THAT(
      watch(init() +
            "mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 64;"
            "cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes "
            "[%t0+16], [%w0+32], 64, [%t1];"
            "cp.async.bulk.global.shared::cta.bulk_group [%w0], [%t0], 32;"
            "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 "
            "[%w0+16], [%t0], 16; cp.async.bulk.commit_group;"
            "cp.async.bulk.wait_group.read 1; cp.async.bulk.wait_group 0;"),
      ElementsAre("init s1024", "release s1024 mask 1",
                  "mbarrier s1024 lane 0 reads g32+64 writes s16+64",
                  "complete s1024", "group reads s0+32 writes g0+32",
                  "group reads s0+16 reduces g16+16", "commit", "wait.read 1",
                  "wait 0"));
}

/// Every block's mbarrier hears of what was written there.
TEST(AsyncObserverTest, Multicast) {
  EXPECT_THAT(
      watch(init() + "barrier.cluster.arrive; barrier.cluster.wait;"
                     "mov.u32 %t2, %cluster_ctarank; setp.eq.u32 %p0, %t2, 0;"
                     ".reg .b16 %h0; mov.b16 %h0, 3;"
                     "@%p0 cp.async.bulk.tensor.1d.shared::cluster.global.tile."
                     "mbarrier::complete_tx::bytes.multicast::cluster [%t0], "
                     "[%w1, {4}], [%t1], %h0;",
            1, {}, {4}, 2),
      ElementsAre("init s1024", "init r1024",
                  "mbarrier s1024 lane 0 reads g16+16 writes s0+16",
                  "mbarrier r1024 lane 0 reads g16+16 writes r0+16"));
}

TEST(AsyncObserverTest, TensorRanges) {
  TensorLayout tensor;
  tensor.dims = {10, 3};
  tensor.strides = {64};
  const std::string load =
      init() + "cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::"
               "complete_tx::bytes [%t0], [%w1, {8, 1}], [%t1];";
  // Of 3 rows of 16 bytes, 8 bytes each of 2 are inside.
  EXPECT_THAT(watch(load, 1, tensor, {4, 3}),
              ElementsAre("init s1024", "mbarrier s1024 lane 0 reads g96+8 "
                                        "reads g160+8 writes s0+48"));
  // In spans of 32 bytes, of which the second line swaps its chunks.
  tensor.swizzle = TensorSwizzle::Bytes32;
  EXPECT_THAT(watch("add.u32 %t0, %t0, 128;" + load, 1, tensor, {4, 3}),
              ElementsAre("init s1024",
                          "mbarrier s1024 lane 0 reads g96+8 reads g160+8"
                          " writes s144+16 writes s176+16 writes s208+16"));
  // Whole spans are whole.
  EXPECT_THAT(watch(load, 1, tensor, {8, 3})[1],
              "mbarrier s1024 lane 0 reads g96+8 reads g160+8 writes s0+96");
  // A store writes whole chunks and reads no more.
  const std::string store =
      "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%w1, {8, 1}], "
      "[%t0];";
  tensor.swizzle = TensorSwizzle::None;
  EXPECT_THAT(
      watch(store, 1, tensor, {8, 3}),
      ElementsAre(
          "group reads s0+16 reads s32+16 writes g96+16 writes g160+16"));
}

} // namespace
