//===- MemoryModelTest.cpp - sectors and wavefronts, worked and measured --===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Counters/MemoryModel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ctc::ptx;
using ::testing::ElementsAre;

namespace {

/// The address of a lane in units of its access; negative where it is inactive.
using Pattern = int (*)(int lane);

struct Lanes {
  uint64_t address[kWarpSize] = {};
  Request request;

  Lanes(Pattern pattern, unsigned bytes, uint64_t base = 0) {
    request = {address, 0, bytes};
    for (int lane = 0; lane < int(kWarpSize); ++lane)
      if (int at = pattern(lane); at >= 0) {
        address[lane] = base + uint64_t(at) * bytes;
        request.mask |= LaneMask(1) << lane;
      }
  }
};

unsigned sectors(Pattern pattern, unsigned bytes, uint64_t base = 0) {
  return sectorsOf(Lanes(pattern, bytes, base).request).count;
}

Wavefronts wavefronts(Pattern pattern, unsigned bytes,
                      SharedAccess access = SharedAccess::Load) {
  return wavefrontsOf(Lanes(pattern, bytes).request, access);
}

int consecutive(int lane) { return lane; }
int uniform(int) { return 0; }

TEST(MemoryModelTest, SectorsWorkedByHand) {
  EXPECT_EQ(sectors(consecutive, 4), 4u);   // 128 bytes
  EXPECT_EQ(sectors(consecutive, 8), 8u);   // 256
  EXPECT_EQ(sectors(consecutive, 16), 16u); // 512
  EXPECT_EQ(sectors(consecutive, 1), 1u);   // 32
  EXPECT_EQ(sectors(uniform, 4), 1u);
  // Every second float: 256 bytes, half of each sector used.
  EXPECT_EQ(sectors([](int lane) { return 2 * lane; }, 4), 8u);
  // A column of a matrix whose rows have 32 floats: a sector each.
  EXPECT_EQ(sectors([](int lane) { return 32 * lane; }, 4), 32u);
  // 128 bytes from byte 16 on: half of the first and the last sector.
  EXPECT_EQ(sectors(consecutive, 4, 16), 5u);
  EXPECT_EQ(sectors([](int lane) { return lane < 8 ? lane : -1; }, 4), 1u);
  EXPECT_EQ(sectors([](int lane) { return 31 - lane; }, 4), 4u);
}

TEST(MemoryModelTest, LeastSectorsAreOfDifferentBytes) {
  EXPECT_EQ(sectorsOf(Lanes(uniform, 4).request).least, 1u);
  EXPECT_EQ(sectorsOf(Lanes(consecutive, 4, 16).request).least, 4u);
  auto everyOther = [](int lane) { return 2 * lane; };
  EXPECT_EQ(sectorsOf(Lanes(everyOther, 4).request).least, 4u);
  auto fourEach = [](int lane) { return lane / 4 * 8; };
  EXPECT_EQ(sectorsOf(Lanes(fourEach, 4).request).least, 1u);
  EXPECT_EQ(sectorsOf(Lanes(fourEach, 4).request).count, 8u);
}

TEST(MemoryModelTest, SectorsAreNamed) {
  auto result = sectorsOf(
      Lanes([](int lane) { return lane % 2 ? 8 : 0; }, 4, 64).request);
  ASSERT_EQ(result.count, 2u);
  EXPECT_EQ(result.sector[0], 2u);
  EXPECT_EQ(result.sector[1], 3u);
}

TEST(MemoryModelTest, WavefrontsWorkedByHand) {
  EXPECT_EQ(wavefronts(consecutive, 4), (Wavefronts{1, 1}));
  EXPECT_EQ(wavefronts(uniform, 4), (Wavefronts{1, 1}));
  // Stride 2: lanes 0 and 16 share a bank, with different words.
  EXPECT_EQ(wavefronts([](int lane) { return 2 * lane; }, 4),
            (Wavefronts{2, 1}));
  EXPECT_EQ(wavefronts([](int lane) { return 32 * lane; }, 4),
            (Wavefronts{32, 1}));
  // A pitch of 33 words makes columns free of conflicts.
  EXPECT_EQ(wavefronts([](int lane) { return 33 * lane; }, 4),
            (Wavefronts{1, 1}));
  // Two bytes each: two lanes share a word.
  EXPECT_EQ(wavefronts(consecutive, 2), (Wavefronts{1, 1}));
  EXPECT_EQ(wavefronts([](int lane) { return 64 * lane; }, 2),
            (Wavefronts{32, 1}));
  // 512 bytes take four wavefronts, and no fewer.
  EXPECT_EQ(wavefronts(consecutive, 16), (Wavefronts{4, 4}));
  EXPECT_EQ(wavefronts([](int) { return -1; }, 4), (Wavefronts{0, 0}));
  // Columns of 16 bytes: a store would take a wavefront for every lane.
  EXPECT_EQ(
      wavefronts([](int lane) { return 32 * lane; }, 16, SharedAccess::Copy),
      (Wavefronts{4, 4}));
}

/// What an H200 did; the columns are loads, then stores, of 4, 8 and 16 bytes,
/// then atomic additions of 4.
struct Measured {
  Pattern pattern;
  unsigned loads[3];
  unsigned stores[3];
  unsigned atomics;
};

const Measured kMeasured[] = {
    {consecutive, {1, 2, 4}, {1, 2, 4}, 1},
    {uniform, {1, 1, 2}, {1, 2, 4}, 32},
    {[](int l) { return l / 8; }, {1, 1, 2}, {1, 2, 4}, 8},
    {[](int l) { return l % 8; }, {1, 2, 4}, {1, 2, 4}, 4},
    {[](int l) { return l / 2; }, {1, 1, 2}, {1, 2, 4}, 2},
    {[](int l) { return l / 4; }, {1, 1, 2}, {1, 2, 4}, 4},
    {[](int l) { return l % 16; }, {1, 2, 4}, {1, 2, 4}, 2},
    {[](int l) { return 2 * l; }, {2, 4, 8}, {2, 4, 8}, 2},
    {[](int l) { return 32 * l; }, {32, 32, 32}, {32, 32, 32}, 32},
    {[](int l) { return l & 1; }, {1, 1, 2}, {1, 2, 4}, 16},
    {[](int l) { return l % 4; }, {1, 2, 4}, {1, 2, 4}, 8},
    {[](int l) { return l ^ 1; }, {1, 2, 4}, {1, 2, 4}, 1},
    {[](int l) { return l % 16 + l / 16 * 64; }, {2, 2, 4}, {2, 2, 4}, 2},
    {[](int l) { return 33 * l; }, {1, 2, 4}, {1, 2, 4}, 1},
    {[](int l) { return l * 37 * (l + 5) % 61; }, {2, 5, 10}, {2, 5, 10}, 3},
    {[](int l) { return l < 16 ? l : -1; }, {1, 1, 2}, {1, 1, 2}, 1},
    {[](int l) { return l % 2 ? -1 : l; }, {1, 2, 4}, {1, 2, 4}, 1},
    {[](int l) { return l < 8 ? l : -1; }, {1, 1, 1}, {1, 1, 1}, 1},
    {[](int l) { return l / 16 * 32; }, {2, 2, 2}, {2, 2, 4}, 32},
    {[](int l) { return l % 8 + l / 8 * 32; }, {4, 4, 4}, {4, 4, 4}, 4},
    {[](int l) { return l % 8 * 2 + l / 8 * 32; }, {4, 4, 8}, {4, 4, 8}, 4},
    {[](int l) { return l / 2 * 2; }, {1, 2, 4}, {1, 2, 4}, 2},
    {[](int l) { return l % 2 * 32 + l / 2; }, {2, 4, 8}, {2, 4, 8}, 2},
    {[](int l) { return l % 8 * 4 + l / 8; }, {1, 4, 16}, {1, 4, 16}, 1},
};

TEST(MemoryModelTest, ShapesAreRemembered) {
  LastShape<Sectors, 32> last;
  unsigned found = 0;
  int64_t shift = 0;
  auto sectorsAt = [&](Pattern pattern, unsigned bytes, uint64_t base) {
    return last.of(Lanes(pattern, bytes, base).request, shift,
                   [&](const Request &request) {
                     ++found;
                     return sectorsOf(request);
                   });
  };
  EXPECT_EQ(sectorsAt(consecutive, 4, 64).count, 4u);
  EXPECT_EQ(sectorsAt(consecutive, 4, 1024).count, 4u);
  EXPECT_EQ(found, 1u);
  EXPECT_EQ(shift, 960);
  EXPECT_EQ(sectorsAt(consecutive, 4, 32).count, 4u);
  EXPECT_EQ(found, 1u);
  EXPECT_EQ(shift, -32);
  // Another offset in its sector, another size, other lanes, another order.
  EXPECT_EQ(sectorsAt(consecutive, 4, 1040).count, 5u);
  EXPECT_EQ(sectorsAt(consecutive, 2, 1024).count, 2u);
  auto half = [](int lane) { return lane < 16 ? lane : -1; };
  EXPECT_EQ(sectorsAt(half, 4, 0).count, 2u);
  EXPECT_EQ(sectorsAt([](int lane) { return 2 * lane; }, 4, 0).count, 8u);
  EXPECT_EQ(found, 5u);
  EXPECT_EQ(shift, 0);
}

TEST(MemoryModelTest, WavefrontsMeasuredOnAGpu) {
  for (const Measured &row : kMeasured) {
    SCOPED_TRACE(&row - kMeasured);
    for (unsigned i = 0; i < 3; ++i) {
      SCOPED_TRACE(4u << i);
      EXPECT_EQ(wavefronts(row.pattern, 4u << i).count, row.loads[i]);
      EXPECT_EQ(wavefronts(row.pattern, 4u << i, SharedAccess::Store).count,
                row.stores[i]);
    }
    EXPECT_EQ(wavefronts(row.pattern, 4, SharedAccess::Atomic).count,
              row.atomics);
  }
}

} // namespace
