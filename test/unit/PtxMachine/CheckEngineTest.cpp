//===- CheckEngineTest.cpp - vector clocks, shadow memory, reports --------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/BitRange.h"
#include "Check/Findings.h"
#include "Check/RaceDetector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace ctc::ptx;
using namespace ctc::ptx::check;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace {

//===----------------------------------------------------------------------===//
// Vector clocks
//===----------------------------------------------------------------------===//

VectorRef vectorOf(VectorPool &pool,
                   std::initializer_list<std::pair<Agent, Clock>> clocks) {
  VectorBuilder builder(pool);
  for (auto [agent, clock] : clocks)
    builder.add(agent, clock);
  return builder.snapshot();
}

TEST(VectorClockTest, JoinIsTheGreaterOfEach) {
  VectorPool pool;
  const VectorRef a = vectorOf(pool, {{0, 5}, {1, 2}});
  const VectorRef b = vectorOf(pool, {{1, 7}, {40, 1}});
  VectorBuilder both(pool);
  both.add(a);
  both.add(b);
  const VectorRef joined = both.snapshot();
  EXPECT_EQ(joined->of(0), 5u);
  EXPECT_EQ(joined->of(1), 7u);
  EXPECT_EQ(joined->of(40), 1u);
  EXPECT_EQ(joined->of(4000), 0u);
  EXPECT_EQ(a->of(1), 2u); // Vectors do not change.
  EXPECT_TRUE(joined->contains(*a) && joined->contains(*b));
  EXPECT_FALSE(a->contains(*b) || b->contains(*a));
}

TEST(VectorClockTest, GroupsAreCoveredLaneByLane) {
  VectorPool pool;
  VectorBuilder builder(pool);
  builder.add(Group(2), kAllLanes, 3);
  builder.add(agentOf(2, 4), 9);
  const VectorRef vector = builder.snapshot();
  EXPECT_TRUE(vector->covers(2, kAllLanes, 3));
  EXPECT_TRUE(vector->covers(2, 1u << 4, 9));
  EXPECT_EQ(vector->uncovered(2, 0x30, 9), 1u << 5);
  EXPECT_TRUE(vector->covers(0, kAllLanes, 0));
  EXPECT_FALSE(vector->covers(3, 1, 1));
}

TEST(VectorClockTest, SnapshotsAreSharedUntilSomethingIsAdded) {
  VectorPool pool;
  const VectorRef a = vectorOf(pool, {{0, 5}});
  VectorBuilder builder(pool);
  EXPECT_FALSE(builder.snapshot());
  builder.add(a);
  EXPECT_EQ(builder.snapshot(), a);
  builder.add(Agent(3), 1);
  const VectorRef more = builder.snapshot();
  EXPECT_FALSE(more == a);
  EXPECT_EQ(builder.snapshot(), more);
  builder.add(Agent(3), 2);
  EXPECT_EQ(more->of(3), 1u);
  EXPECT_EQ(builder.snapshot()->of(3), 2u);
}

TEST(BitRangeTest, AcrossWords) {
  for (uint64_t first : {0u, 1u, 63u, 64u, 100u})
    for (uint64_t count : {0u, 1u, 2u, 63u, 64u, 65u, 128u, 200u}) {
      uint64_t bits[6] = {};
      setBits(bits, first, count);
      for (uint64_t i = 0; i < 384; ++i)
        EXPECT_EQ(bits[i / 64] >> i % 64 & 1,
                  uint64_t(i >= first && i < first + count));
      EXPECT_TRUE(allBits(bits, first, count));
      EXPECT_EQ(allBits(bits, first, count + 1), false);
      if (count == 0)
        continue;
      setBits(bits, first + count / 2, 1, false);
      EXPECT_FALSE(allBits(bits, first, count));
    }
}

//===----------------------------------------------------------------------===//
// The detector
//===----------------------------------------------------------------------===//

struct Recorder : RaceSink {
  void race(const Race &race) override { races.push_back(race); }
  std::vector<Race> races;
};

/// A block of 64 threads, two warps.
class DetectorTest : public ::testing::Test {
protected:
  DetectorTest() { detector.begin(); }

  void access(unsigned warp, LaneMask mask, Access how, uint32_t offset,
              uint32_t bytes = 4, uint32_t stride = 4) {
    uint32_t offsets[kWarpSize];
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      offsets[lane] = offset + lane * stride;
    detector.access({0, warp, mask, ++source}, 0, how, offsets, bytes);
  }
  void barrier() {
    for (unsigned warp : {0u, 1u})
      detector.arrive({0, warp, kAllLanes, 0}, 0, true);
    detector.complete(0, 0);
    for (unsigned warp : {0u, 1u})
      detector.leave({0, warp, kAllLanes, 0}, 0);
  }
  size_t count() {
    const size_t races = recorder.races.size();
    recorder.races.clear();
    return races;
  }

  Recorder recorder;
  RaceDetector detector{{1, 64, 1024}, recorder};
  uint32_t source = 0;
};

TEST_F(DetectorTest, WhatIsBehindABarrierIsOrdered) {
  access(0, kAllLanes, Access::Write, 0);
  access(1, kAllLanes, Access::Write, 128);
  barrier();
  access(1, kAllLanes, Access::Read, 0);
  access(0, kAllLanes, Access::Read, 128);
  barrier();
  access(1, kAllLanes, Access::Write, 0);
  EXPECT_EQ(count(), 0u);
  access(0, 1, Access::Read, 124);
  ASSERT_EQ(recorder.races.size(), 1u);
  const Race &race = recorder.races[0];
  EXPECT_EQ(race.kind, RaceKind::Unordered);
  EXPECT_EQ(race.actor.thread, 0u);
  EXPECT_EQ(race.other.thread, 63u);
  EXPECT_EQ(race.actor.source, 6u);
  EXPECT_EQ(race.other.source, 5u);
  EXPECT_EQ(race.place.offset, 124u);
  EXPECT_EQ(race.otherAccess, Access::Write);
}

/// A later read of the same warp must not hide an earlier one that it does not
/// follow.
TEST_F(DetectorTest, OlderReadsAreKept) {
  access(0, 1, Access::Read, 0);          // Lane 0.
  detector.arrive({0, 0, 2, 0}, 1, true); // Lane 1 moves the clock on.
  access(0, 2, Access::Read, 0, 4, 0);    // Lane 1 reads the same word.
  detector.complete(0, 1);
  // Warp 1 learns of lane 1 by its arrival, not of lane 0.
  detector.leave({0, 1, kAllLanes, 0}, 1);
  access(1, 1, Access::Write, 0);
  ASSERT_EQ(recorder.races.size(), 2u);
  EXPECT_EQ(recorder.races[0].other.thread, 1u);
  EXPECT_EQ(recorder.races[1].other.thread, 0u);
}

TEST_F(DetectorTest, AClusterStartsAfresh) {
  access(0, kAllLanes, Access::Write, 0);
  access(0, kAllLanes, Access::Write, 512, 2, 2); // Cells of half words.
  detector.begin();
  access(1, kAllLanes, Access::Read, 0);
  access(1, kAllLanes, Access::Write, 512);
  EXPECT_EQ(count(), 0u);
}

/// Against a plain list of all accesses, each with the vector of its thread.
class RandomAccessTest : public DetectorTest,
                         public ::testing::WithParamInterface<unsigned> {
protected:
  struct Noted {
    unsigned thread;
    uint32_t begin, end;
    Access how;
    uint32_t time;
  };
  static bool conflict(Access a, Access b) {
    const bool strong = a != Access::Read && a != Access::Write &&
                        b != Access::Read && b != Access::Write;
    return !strong && (isWrite(a) || isWrite(b));
  }
  /// Whether the access conflicts with one before it, by the list.
  bool expected(const Noted &now) {
    bool found = false;
    for (const Noted &before : all)
      found |= before.thread != now.thread && before.begin < now.end &&
               now.begin < before.end && conflict(before.how, now.how) &&
               known[now.thread][before.thread] < before.time;
    all.push_back(now);
    return found;
  }
  void synchronize(unsigned a, unsigned b) { // Lanes of warp 0.
    detector.warpBarrier({0, 0, LaneMask(1) << a | LaneMask(1) << b, 0});
    known[a][a] = known[b][b] = ++time;
    for (unsigned i = 0; i < kThreads; ++i)
      known[a][i] = known[b][i] = std::max(known[a][i], known[b][i]);
  }

  static constexpr unsigned kThreads = 6;
  uint32_t known[kThreads][kThreads] = {};
  uint32_t time = 0;
  std::vector<Noted> all;
};

/// One race ends the comparison: afterwards the two forget different things.
TEST_P(RandomAccessTest, AgreesWithAListOfAllAccesses) {
  std::mt19937 random(GetParam());
  for (int step = 0; step < 400; ++step) {
    const unsigned thread = random() % kThreads;
    if (random() % 3 == 0) {
      const unsigned other = random() % kThreads;
      if (other != thread)
        synchronize(thread, other);
      continue;
    }
    const uint32_t bytes = 1u << random() % 4;
    const uint32_t begin = random() % 4 * 8 + random() % (8 / bytes) * bytes;
    const auto how = static_cast<Access>(random() % 8 == 0 ? random() % 4 : 0);
    const bool wanted = expected({thread, begin, begin + bytes, how, ++time});
    access(0, LaneMask(1) << thread, how, begin, bytes, 0);
    ASSERT_EQ(count() != 0, wanted) << "step " << step;
    if (wanted)
      return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomAccessTest, ::testing::Range(0u, 300u));

//===----------------------------------------------------------------------===//
// Findings
//===----------------------------------------------------------------------===//

/// What is kept does not depend on the order in which clusters are found in.
TEST(FindingsTest, JoinToTheSameInAnyOrder) {
  std::mt19937 random(1);
  std::vector<std::pair<uint64_t, uint32_t>> events; // Cluster, other source.
  for (int i = 0; i < 200; ++i)
    events.emplace_back(random() % 20, random() % 30);
  std::sort(events.begin(), events.end());
  auto collect = [&](unsigned workers) {
    std::vector<Findings> parts(workers);
    for (auto [cluster, other] : events) {
      Findings &part = parts[cluster % workers];
      part.beginCluster(cluster);
      part.nextExecution();
      part.add({7, FindingKind::Race, other},
               [cluster = cluster] { return std::to_string(cluster); });
    }
    Findings all;
    for (auto part = parts.rbegin(); part != parts.rend(); ++part)
      all.merge(*part);
    LaunchResult result;
    all.store(result);
    return result;
  };
  const LaunchResult one = collect(1);
  EXPECT_EQ(one.findings.size(), 8u); // Of one instruction and kind.
  for (unsigned workers : {2u, 3u, 7u}) {
    const LaunchResult other = collect(workers);
    ASSERT_EQ(other.findings.size(), one.findings.size());
    for (size_t i = 0; i < one.findings.size(); ++i) {
      EXPECT_EQ(other.findings[i].message, one.findings[i].message);
      EXPECT_EQ(other.findings[i].occurrences, one.findings[i].occurrences);
    }
  }
}

TEST(FindingsTest, KindsHaveNames) {
  EXPECT_EQ(nameOf(FindingKind::Race), "race");
  EXPECT_EQ(nameOf(FindingKind::MissingProxyFence), "missing proxy fence");
  EXPECT_EQ(nameOf(FindingKind::UninitializedRead), "uninitialized read");
  EXPECT_EQ(nameOf(FindingKind::MBarrierMisuse), "mbarrier misuse");
  EXPECT_EQ(nameOf(FindingKind::Unfinished), "unfinished");
  EXPECT_EQ(nameOf(FindingKind::ClusterLifetime), "cluster lifetime");
  EXPECT_EQ(nameOf(FindingKind::MatrixRegister), "matrix register");
}

} // namespace
