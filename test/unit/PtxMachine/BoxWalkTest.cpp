//===- BoxWalkTest.cpp - The bytes that a tensor copy moves ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/BoxWalk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

using namespace ctc::ptx;
using ::testing::ElementsAre;

namespace {

TensorMapFields tiled(const TensorLayout &tensor,
                      const std::vector<uint32_t> &box) {
  auto map = encodeTiled(tensor, box);
  EXPECT_TRUE(map) << map.error().message;
  return *decodeTensorMap(&*map);
}

TensorMapFields im2col(const TensorLayout &tensor, const PixelBox &box) {
  auto map = encodeIm2col(tensor, box);
  EXPECT_TRUE(map) << map.error().message;
  return *decodeTensorMap(&*map);
}

/// "shared:bytes@global" or "shared:bytes-" for every run.
std::vector<std::string> runs(const TensorMapFields &map, BoxPlace place) {
  EXPECT_EQ(BoxWalk::problem(map, place), "");
  std::vector<std::string> result;
  BoxWalk walk(map, place);
  BoxRun run;
  while (walk.next(run))
    result.push_back(std::to_string(run.shared) + ":" +
                     std::to_string(run.bytes) +
                     (run.inside ? "@" + std::to_string(run.global) : "-"));
  return result;
}

/// A tensor of bytes at 0: dims, padded rows, steps of 1.
TensorLayout bytes(std::vector<uint64_t> dims, std::vector<uint64_t> strides) {
  TensorLayout tensor;
  tensor.type = TensorType::U8;
  tensor.elementStrides.assign(dims.size(), 1);
  tensor.dims = std::move(dims);
  tensor.strides = std::move(strides);
  return tensor;
}

TEST(BoxWalkTest, OneDimension) {
  TensorMapFields map = tiled(bytes({40}, {}), {32});
  EXPECT_THAT(runs(map, {{0}}), ElementsAre("0:32@0"));
  EXPECT_THAT(runs(map, {{16}}), ElementsAre("0:24@16", "24:8-"));
  EXPECT_THAT(runs(map, {{-16}}), ElementsAre("0:16-", "16:16@0"));
  EXPECT_THAT(runs(map, {{48}}), ElementsAre("0:32-"));
  EXPECT_THAT(runs(map, {{-32}}), ElementsAre("0:32-"));
  // A row that sticks out on both sides.
  EXPECT_THAT(runs(tiled(bytes({5}, {}), {64}), {{-16}}),
              ElementsAre("0:16-", "16:5@0", "21:43-"));
  EXPECT_EQ(BoxWalk::problem(map, {{8}}),
            "coordinate 8 of dimension 0 is at byte 8; it must be a multiple "
            "of 16");
}

TEST(BoxWalkTest, LowerDimensionsRunFirst) {
  TensorMapFields map = tiled(bytes({16, 3, 2}, {32, 100 * 16}), {16, 2, 2});
  EXPECT_THAT(runs(map, {{0, 0, 0}}),
              ElementsAre("0:16@0", "16:16@32", "32:16@1600", "48:16@1632"));
  EXPECT_THAT(runs(map, {{0, 2, -1}}),
              ElementsAre("0:16-", "16:16-", "32:16@64", "48:16-"));
}

TEST(BoxWalkTest, StepsSkipElements) {
  TensorLayout tensor = bytes({16, 9}, {16});
  tensor.elementStrides = {1, 3};
  // ceil(7 / 3) rows: 1, 4, 7.
  EXPECT_THAT(runs(tiled(tensor, {16, 7}), {{0, 1}}),
              ElementsAre("0:16@16", "16:16@64", "32:16@112"));
  // Rows outside may lie between rows inside.
  EXPECT_THAT(runs(tiled(tensor, {16, 7}), {{0, -2}}),
              ElementsAre("0:16-", "16:16@16", "32:16@64"));
}

TEST(BoxWalkTest, SwizzledRowsTakeTheirSpan) {
  TensorLayout tensor = bytes({64, 4}, {64});
  tensor.swizzle = TensorSwizzle::Bytes64;
  TensorMapFields map = tiled(tensor, {48, 3});
  EXPECT_THAT(runs(map, {{0, 0}}),
              ElementsAre("0:48@0", "64:48@64", "128:48@128"));
  EXPECT_EQ(BoxWalk::rowBytes(map), 48u);
  EXPECT_EQ(BoxWalk::rowPitch(map), 64u);
}

TEST(BoxWalkTest, InterleavedSlices) {
  // W, C, N; slices of 16 bytes; 3 of 5 pixels of slice 2 of both images.
  TensorLayout tensor = bytes({5, 4, 2}, {128, 1024});
  tensor.interleave = TensorInterleave::Bytes16;
  EXPECT_THAT(runs(tiled(tensor, {16, 1, 2}), {{3, 2, 0}}).front(), "0:16@304");
  tensor.elementStrides = {8, 1, 1};
  EXPECT_THAT(runs(tiled(tensor, {16, 16, 2}), {{-4, 2, 0}}),
              ElementsAre("0:16-", "16:16@320", "32:16-", "48:16@1344"));
}

/// What the ISA says in its words, for comparison: every element by itself.
std::vector<int64_t> naiveTiled(const TensorLayout &tensor,
                                const std::vector<uint32_t> &box,
                                const BoxPlace &place) {
  const size_t rank = box.size();
  const int64_t size = bytesOf(tensor.type);
  std::vector<int64_t> result;
  std::vector<uint32_t> index(rank, 0);
  while (index[rank - 1] < box[rank - 1]) {
    bool inside = true;
    int64_t address = 0;
    for (size_t i = 0; i < rank; ++i) {
      int64_t at = int64_t(place.coordinates[i]) + index[i];
      inside &= at >= 0 && at < int64_t(tensor.dims[i]);
      address += at * (i ? int64_t(tensor.strides[i - 1]) : size);
    }
    for (int64_t byte = 0; byte < size; ++byte)
      result.push_back(inside ? address + byte : -1);
    for (size_t i = 0; i < rank; ++i) {
      index[i] += i ? tensor.elementStrides[i] : 1;
      if (index[i] < box[i] || i + 1 == rank)
        break;
      index[i] = 0;
    }
  }
  return result;
}

std::vector<int64_t> walked(const TensorMapFields &map, const BoxPlace &place) {
  std::vector<int64_t> result;
  BoxWalk walk(map, place);
  BoxRun run;
  while (walk.next(run)) {
    EXPECT_EQ(run.shared, result.size());
    for (uint32_t byte = 0; byte < run.bytes; ++byte)
      result.push_back(run.inside ? int64_t(run.global) + byte : -1);
  }
  return result;
}

TEST(BoxWalkTest, TiledAgreesWithElements) {
  std::mt19937 random(1);
  auto between = [&](int low, int high) {
    return low + static_cast<int>(random() % (high - low + 1));
  };
  for (unsigned round = 0; round < 300; ++round) {
    const unsigned rank = 1 + round % 5;
    TensorLayout tensor;
    const TensorType types[] = {TensorType::U8, TensorType::F16,
                                TensorType::F32, TensorType::F64};
    tensor.type = types[random() % 4];
    const int unit = 16 / static_cast<int>(bytesOf(tensor.type));
    std::vector<uint32_t> box;
    BoxPlace place;
    uint64_t stride = 0;
    for (unsigned i = 0; i < rank; ++i) {
      tensor.dims.push_back(between(1, i ? 6 : 40));
      tensor.elementStrides.push_back(between(1, 3));
      if (i)
        tensor.strides.push_back(
            stride = i == 1 ? 640u : stride * tensor.dims[i - 1] + 32);
      box.push_back(i ? between(1, 5) : unit * between(1, 4));
      place.coordinates[i] = i ? between(-3, 7) : unit * between(-2, 4);
    }
    EXPECT_EQ(walked(tiled(tensor, box), place), naiveTiled(tensor, box, place))
        << "round " << round;
  }
}

//===----------------------------------------------------------------------===//
// Im2col
//===----------------------------------------------------------------------===//

/// The pixels (w, h, n) that the runs of an NHWC tensor of one 16-byte channel
/// block have; those outside as "-".
std::vector<std::string> pixels(std::vector<uint64_t> size, PixelBox box,
                                BoxPlace place,
                                std::vector<uint32_t> steps = {1, 1, 1, 1}) {
  TensorLayout tensor =
      bytes({16, size[0], size[1], size[2]}, {1 << 4, 1 << 12, 1 << 20});
  tensor.elementStrides = std::move(steps);
  box.channels = 16;
  std::vector<std::string> result;
  TensorMapFields map = im2col(tensor, box);
  EXPECT_EQ(BoxWalk::problem(map, place), "");
  BoxWalk walk(map, place);
  BoxRun run;
  while (walk.next(run))
    result.push_back(!run.inside ? "-"
                                 : std::to_string(run.global >> 4 & 255) + "," +
                                       std::to_string(run.global >> 12 & 255) +
                                       "," + std::to_string(run.global >> 20));
  return result;
}

TEST(BoxWalkTest, PixelsWalkWThenHThenN) {
  // A 3 x 2 image, no padding: the whole of it, and on into the next one.
  EXPECT_THAT(pixels({3, 2, 2}, {{0, 0}, {0, 0}, 0, 8}, {{0, 1, 0, 0}, {}}),
              ElementsAre("1,0,0", "2,0,0", "0,1,0", "1,1,0", "2,1,0", "0,0,1",
                          "1,0,1", "2,0,1"));
  // Past the last image there is nothing.
  EXPECT_THAT(pixels({2, 1, 1}, {{0, 0}, {0, 0}, 0, 4}, {{0, 0, 0, 0}, {}}),
              ElementsAre("0,0,0", "1,0,0", "-", "-"));
}

TEST(BoxWalkTest, CornersMakeThePadding) {
  // A filter of 3 x 3 with padding 1 on a 3 x 3 image: bases -1 to 1. The tap
  // (0, 0) sees the padding above and left, (2, 2) that below and right.
  const PixelBox box{{-1, -1}, {-1, -1}, 0, 9};
  EXPECT_THAT(
      pixels({3, 3, 1}, box, {{0, -1, -1, 0}, {0, 0}}),
      ElementsAre("-", "-", "-", "-", "0,0,0", "1,0,0", "-", "0,1,0", "1,1,0"));
  EXPECT_THAT(
      pixels({3, 3, 1}, box, {{0, -1, -1, 0}, {2, 2}}),
      ElementsAre("1,1,0", "2,1,0", "-", "1,2,0", "2,2,0", "-", "-", "-", "-"));
  // Without padding: bases 0 to 0.
  EXPECT_THAT(
      pixels({3, 3, 1}, {{0, 0}, {-2, -2}, 0, 2}, {{0, 0, 0, 0}, {2, 1}}),
      ElementsAre("2,1,0", "-"));
}

TEST(BoxWalkTest, StepsOfPixels) {
  // Bases -1, 1, 3 along W, -1, 1 along H; the walk goes back to the lower
  // corner also from a start between the steps.
  const PixelBox box{{-1, -1}, {-1, -1}, 0, 5};
  EXPECT_THAT(pixels({5, 3, 2}, box, {{0, 1, -1, 0}, {1, 1}}, {1, 2, 2, 1}),
              ElementsAre("2,0,0", "4,0,0", "0,2,0", "2,2,0", "4,2,0"));
  EXPECT_THAT(pixels({5, 3, 2}, box, {{0, 2, 1, 0}, {0, 0}}, {1, 2, 2, 1}),
              ElementsAre("2,1,0", "-", "-", "-", "-"));
  EXPECT_THAT(pixels({2, 1, 5}, {{0, 0}, {0, 0}, 0, 5}, {{0, 1, 0, 0}, {}},
                     {1, 1, 1, 2}),
              ElementsAre("1,0,0", "0,0,2", "1,0,2", "0,0,4", "1,0,4"));
}

TEST(BoxWalkTest, ChannelsAreARow) {
  TensorLayout tensor = bytes({24, 4, 1}, {32, 1024});
  TensorMapFields map = im2col(tensor, {{0}, {0}, 32, 2});
  EXPECT_THAT(runs(map, {{16, 3, 0}, {0}}),
              ElementsAre("0:8@112", "8:24-", "32:32-"));
}

TEST(BoxWalkTest, ThePlaceMustBeInThePixelBox) {
  TensorLayout tensor = bytes({16, 9, 7, 2}, {16, 256, 4096});
  TensorMapFields map = im2col(tensor, {{-1, 0}, {0, -2}, 16, 4});
  auto problem = [&](BoxPlace place) { return BoxWalk::problem(map, place); };
  EXPECT_EQ(problem({{0, -1, 4, -1}, {255, 255}}), "");
  EXPECT_EQ(
      problem({{0, 9, 0, 0}, {}}),
      "coordinate 9 of dimension 1 is outside of the pixel box; legal are "
      "-1 to 8");
  EXPECT_EQ(
      problem({{0, 0, 5, 0}, {}}),
      "coordinate 5 of dimension 2 is outside of the pixel box; legal are "
      "0 to 4");
  EXPECT_EQ(problem({{0, 0, 0, 0}, {0, 256}}),
            "im2col offset 256; legal for rank 4 are 0 to 255");
}

/// By another way: all bases of the pixel box in order, from the start on.
TEST(BoxWalkTest, Im2colAgreesWithTheListOfBases) {
  std::mt19937 random(2);
  auto between = [&](int low, int high) {
    return low + static_cast<int>(random() % (high - low + 1));
  };
  for (unsigned round = 0; round < 200; ++round) {
    const int w = between(2, 6), h = between(2, 5), n = between(1, 3);
    PixelBox box{{between(-2, 1), between(-2, 1)},
                 {between(-1, 2), between(-1, 2)},
                 0,
                 static_cast<uint32_t>(between(1, 40))};
    if (w - 1 + box.upper[0] < box.lower[0] ||
        h - 1 + box.upper[1] < box.lower[1])
      continue;
    BoxPlace place;
    place.offsets[0] = static_cast<uint16_t>(between(0, 3));
    place.offsets[1] = static_cast<uint16_t>(between(0, 3));
    std::vector<std::string> all;
    for (int image = 0; image < n; ++image)
      for (int y = box.lower[1]; y <= h - 1 + box.upper[1]; ++y)
        for (int x = box.lower[0]; x <= w - 1 + box.upper[0]; ++x) {
          const int px = x + place.offsets[0], py = y + place.offsets[1];
          all.push_back(px < 0 || px >= w || py < 0 || py >= h
                            ? "-"
                            : std::to_string(px) + "," + std::to_string(py) +
                                  "," + std::to_string(image));
        }
    const size_t perRow = w + box.upper[0] - box.lower[0];
    const size_t perImage = perRow * (h + box.upper[1] - box.lower[1]);
    const size_t start = random() % all.size();
    place.coordinates[3] = static_cast<int>(start / perImage);
    place.coordinates[2] =
        box.lower[1] + static_cast<int>(start % perImage / perRow);
    place.coordinates[1] = box.lower[0] + static_cast<int>(start % perRow);
    std::vector<std::string> expected(all.begin() + static_cast<long>(start),
                                      all.end());
    expected.resize(box.pixels, "-");
    EXPECT_EQ(pixels({uint64_t(w), uint64_t(h), uint64_t(n)}, box, place),
              expected)
        << "round " << round;
  }
}

} // namespace
