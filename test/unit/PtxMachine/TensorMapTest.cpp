//===- TensorMapTest.cpp - Tensor maps and their limits -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/TensorMapFields.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace ctc;
using namespace ctc::ptx;

namespace {

TensorLayout layout3() {
  TensorLayout tensor;
  tensor.address = 0x10000;
  tensor.dims = {64, 16, 8};
  tensor.strides = {256, 4096};
  tensor.elementStrides = {1, 1, 1};
  return tensor;
}

/// The message of encoding a tiled map after `change`, or "encoded".
template <class Change>
std::string tiled(Change change, std::vector<uint32_t> box = {16, 4, 2}) {
  TensorLayout tensor = layout3();
  change(tensor);
  auto map = encodeTiled(tensor, box);
  return map ? "encoded" : map.error().message;
}
std::string tiledBox(std::vector<uint32_t> box) {
  return tiled([](TensorLayout &) {}, std::move(box));
}

TEST(TensorMapTest, FieldsSurvive) {
  TensorLayout tensor = layout3();
  tensor.type = TensorType::F16;
  tensor.swizzle = TensorSwizzle::Bytes64;
  tensor.promotion = TensorPromotion::Bytes128;
  tensor.fill = TensorFill::NaN;
  tensor.elementStrides = {1, 2, 8};
  auto map = encodeTiled(tensor, std::vector<uint32_t>{32, 256, 1});
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ(sizeof(*map), 128u);
  EXPECT_EQ(alignof(TensorMap), 64u);
  auto fields = decodeTensorMap(&*map);
  ASSERT_TRUE(fields) << fields.error().message;
  EXPECT_EQ(fields->mode, TensorMode::Tiled);
  EXPECT_EQ(fields->rank, 3u);
  EXPECT_EQ(fields->elementBytes(), 2u);
  EXPECT_EQ(fields->address, 0x10000u);
  EXPECT_EQ(fields->last[0], 63u);
  EXPECT_EQ(fields->strides[1], 4096u);
  EXPECT_EQ(fields->steps[2], 8u);
  EXPECT_EQ(fields->box[1], 256u);
  EXPECT_EQ(fields->sharedSwizzle(), Swizzle::Bytes64);
  EXPECT_EQ(fields->promotion, TensorPromotion::Bytes128);
  EXPECT_EQ(fields->fill, TensorFill::NaN);
}

TEST(TensorMapTest, OtherBytesDoNotDecode) {
  TensorMap zeros;
  auto none = decodeTensorMap(&zeros);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message,
            "the 128 bytes are no tensor map of this machine; legal is what "
            "its encodeTiled or encodeIm2col made");
  // Any bit changed is found.
  auto map = encodeTiled(layout3(), std::vector<uint32_t>{16, 4, 2});
  ASSERT_TRUE(map);
  for (unsigned bit = 0; bit < 8 * sizeof(*map); ++bit) {
    TensorMap other = *map;
    other.bytes[bit / 8] ^= std::byte(1u << bit % 8);
    EXPECT_FALSE(decodeTensorMap(&other)) << "bit " << bit;
  }
}

TEST(TensorMapTest, Ranks) {
  EXPECT_EQ(tiled([](auto &t) { t.dims.clear(); }),
            "tensor map: rank 0; legal are 1 to 5");
  EXPECT_EQ(tiled([](auto &t) { t.dims.assign(6, 8); }),
            "tensor map: rank 6; legal are 1 to 5");
  EXPECT_EQ(tiled([](auto &t) { t.strides.pop_back(); }),
            "tensor map: 1 strides for rank 3; it must be 2");
  EXPECT_EQ(tiled([](auto &t) { t.elementStrides.push_back(1); }),
            "tensor map: 4 element strides for rank 3; it must be 3");
  EXPECT_EQ(tiledBox({16, 4}), "tensor map: a box of 2 dimensions for rank 3");
  auto flat = [](TensorLayout &t) {
    t.dims = {64, 16};
    t.strides = {256};
    t.elementStrides = {1, 1};
    t.interleave = TensorInterleave::Bytes16;
  };
  EXPECT_EQ(tiled(flat, {16, 4}),
            "tensor map: rank 2; legal with interleaving are 3 to 5");
}

TEST(TensorMapTest, Memory) {
  EXPECT_EQ(tiled([](auto &t) { t.address = 0x10008; }),
            "tensor map: global address 0x10008; it must be a multiple of 16");
  EXPECT_EQ(tiled([](auto &t) { t.dims[1] = 0; }),
            "tensor map: size 0 of dimension 1; legal are 1 to 2^32");
  EXPECT_EQ(tiled([](auto &t) { t.dims[2] = uint64_t(1) << 32; }), "encoded");
  EXPECT_EQ(tiled([](auto &t) { t.dims[2] = (uint64_t(1) << 32) + 1; }),
            "tensor map: size 4294967297 of dimension 2; legal are 1 to 2^32");
  EXPECT_EQ(tiled([](auto &t) { t.strides[0] = 264; }),
            "tensor map: stride of 264 bytes of dimension 1; it must be a "
            "multiple of 16 below 2^40");
  EXPECT_EQ(tiled([](auto &t) { t.strides[1] = uint64_t(1) << 40; }),
            "tensor map: stride of 1099511627776 bytes of dimension 2; it must "
            "be a multiple of 16 below 2^40");
  // Overlapping rows are legal.
  EXPECT_EQ(tiled([](auto &t) { t.strides = {16, 0}; }), "encoded");
  EXPECT_EQ(tiled([](auto &t) { t.elementStrides[1] = 0; }),
            "tensor map: element stride 0 of dimension 1; legal are 1 to 8");
  EXPECT_EQ(tiled([](auto &t) { t.elementStrides[0] = 9; }),
            "tensor map: element stride 9 of dimension 0; legal are 1 to 8");
}

TEST(TensorMapTest, Boxes) {
  EXPECT_EQ(tiledBox({16, 257, 2}),
            "tensor map: 257 elements of a box along dimension 1; legal are 1 "
            "to 256");
  EXPECT_EQ(tiledBox({16, 4, 0}),
            "tensor map: 0 elements of a box along dimension 2; legal are 1 to "
            "256");
  EXPECT_EQ(tiledBox({3, 4, 2}),
            "tensor map: 3 elements of a box along dimension 0 are 12 bytes; "
            "it must be a multiple of 16");
  // 228 KiB: 256 * 228 floats.
  EXPECT_EQ(tiledBox({256, 228, 1}), "encoded");
  EXPECT_EQ(tiledBox({256, 229, 1}),
            "tensor map: a box of 234496 bytes; legal are up to 233472");
  // Steps make a box smaller.
  EXPECT_EQ(tiled([](auto &t) { t.elementStrides[1] = 2; }, {256, 256, 1}),
            "encoded");
  EXPECT_EQ(tiledBox({256, 256, 256}),
            "tensor map: a box of 67108864 bytes; legal are up to 233472");
}

TEST(TensorMapTest, SwizzlesAndInterleaving) {
  auto swizzle = [](unsigned mode, uint32_t elements) {
    return tiled([mode](auto &t) { t.swizzle = TensorSwizzle(mode); },
                 {elements, 4, 2});
  };
  EXPECT_EQ(swizzle(1, 8), "encoded");
  EXPECT_EQ(swizzle(1, 12),
            "tensor map: 12 elements of a box along dimension 0 are 48 bytes; "
            "with this swizzle legal are up to 32");
  EXPECT_EQ(swizzle(2, 16), "encoded");
  EXPECT_NE(swizzle(2, 20), "encoded");
  EXPECT_EQ(swizzle(3, 32), "encoded");
  EXPECT_NE(swizzle(3, 36), "encoded");
  EXPECT_EQ(swizzle(4, 8),
            "tensor map: swizzle 4; legal for compute capability 9.0 are 0 "
            "(none) to 3 (128 bytes)");
  auto wide = [](TensorLayout &t) {
    t.interleave = TensorInterleave::Bytes32;
    t.swizzle = TensorSwizzle::Bytes32;
  };
  EXPECT_EQ(tiled(wide), "encoded");
  EXPECT_EQ(tiled([&](auto &t) { wide(t), t.address += 16; }),
            "tensor map: global address 0x10010; it must be a multiple of 32");
  EXPECT_EQ(tiled([&](auto &t) { wide(t), t.strides[0] = 48; }),
            "tensor map: stride of 48 bytes of dimension 1; it must be a "
            "multiple of 32 below 2^40");
  EXPECT_EQ(tiled([&](auto &t) { wide(t), t.swizzle = TensorSwizzle::None; }),
            "tensor map: interleave of 32 bytes with swizzle 0; it needs "
            "swizzle 1 (32 bytes)");
}

TEST(TensorMapTest, Numbers) {
  EXPECT_EQ(tiled([](auto &t) { t.type = TensorType(13); }),
            "tensor map: data type 13; legal are 0 (uint8) to 12 (tf32 ftz)");
  EXPECT_EQ(tiled([](auto &t) { t.interleave = TensorInterleave(3); }),
            "tensor map: interleave 3; legal are 0 (none), 1 (16 bytes) and 2 "
            "(32 bytes)");
  EXPECT_EQ(tiled([](auto &t) { t.promotion = TensorPromotion(4); }),
            "tensor map: L2 promotion 4; legal are 0 (none) to 3 (256 bytes)");
  EXPECT_EQ(tiled([](auto &t) { t.fill = TensorFill(2); }),
            "tensor map: fill 2; legal are 0 (zeros) and 1 (NaN)");
  EXPECT_EQ(tiled([](auto &t) {
              t.type = TensorType::S32;
              t.fill = TensorFill::NaN;
            }),
            "tensor map: NaN fill with integer data type 3; it needs a "
            "floating-point type");
  const unsigned bytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};
  for (unsigned type = 0; type < std::size(bytes); ++type)
    EXPECT_EQ(bytesOf(TensorType(type)), bytes[type]) << type;
}

/// The message of encoding an im2col map of rank 3 to 5, or "encoded".
std::string im2col(std::vector<int> lower, std::vector<int> upper,
                   uint32_t channels = 16, uint32_t pixels = 32) {
  TensorLayout tensor;
  tensor.dims.assign(lower.size() + 2, 300);
  tensor.strides.assign(lower.size() + 1, 1200 * 16);
  tensor.elementStrides.assign(lower.size() + 2, 1);
  auto map = encodeIm2col(
      tensor, {std::move(lower), std::move(upper), channels, pixels});
  return map ? "encoded" : map.error().message;
}

TEST(TensorMapTest, PixelBoxes) {
  EXPECT_EQ(im2col({}, {}), "tensor map: rank 2; legal are 3 to 5");
  EXPECT_EQ(im2col({-32768}, {32767}), "encoded");
  EXPECT_EQ(im2col({-32769}, {0}),
            "tensor map: corner -32769; legal for rank 3 are -32768 to 32767");
  EXPECT_EQ(im2col({-128, 0}, {127, 0}), "encoded");
  EXPECT_EQ(im2col({0, 0}, {0, 128}),
            "tensor map: corner 128; legal for rank 4 are -128 to 127");
  EXPECT_EQ(im2col({-16, 0, 0}, {15, 0, 0}), "encoded");
  EXPECT_EQ(im2col({0, -17, 0}, {0, 0, 0}),
            "tensor map: corner -17; legal for rank 5 are -16 to 15");
  EXPECT_EQ(im2col({0}, {-299}), "encoded");
  EXPECT_EQ(im2col({0}, {-300}), "tensor map: the pixel box runs from 0 to -1 "
                                 "along dimension 1; it must not be empty");
  EXPECT_EQ(im2col({0, 1}, {0}), "tensor map: 2 lower and 1 upper corners for "
                                 "rank 4; it must be 2 each");
  EXPECT_EQ(im2col({0}, {0}, 257),
            "tensor map: 257 channels per pixel; legal are 1 to 256");
  EXPECT_EQ(im2col({0}, {0}, 2), "tensor map: 2 channels per pixel are 8 "
                                 "bytes; it must be a multiple of 16");
  EXPECT_EQ(im2col({0}, {0}, 16, 0),
            "tensor map: 0 pixels per column; legal are 1 to 1024");
  EXPECT_EQ(im2col({0}, {0}, 16, 1024), "encoded");
  EXPECT_EQ(im2col({0}, {0}, 16, 1025),
            "tensor map: 1025 pixels per column; legal are 1 to 1024");
  EXPECT_EQ(im2col({0}, {0}, 64, 1024),
            "tensor map: a box of 262144 bytes; legal are up to 233472");
}

} // namespace
