//===- BoxesTest.cpp - boxes of tensors by TMA ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

#include <numeric>

using namespace ctc;
using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

/// `Place` of boxes.cu.
struct Place {
  int at[5] = {};
  uint16_t offset[3] = {};
};

using Sizes = std::vector<uint64_t>;
using Index = std::vector<int64_t>;

/// A dense tensor of elements of T, which count up from 1.
template <class T> struct Tensor {
  explicit Tensor(TensorType type, const Sizes &dims) {
    layout.type = type;
    layout.dims = dims;
    uint64_t count = 1;
    for (uint64_t size : dims) {
      count *= size;
      layout.strides.push_back(count * sizeof(T));
    }
    layout.strides.pop_back();
    elements.resize(count);
    for (size_t i = 0; i < count; ++i)
      elements[i] = static_cast<T>(i * 7 + 1);
  }

  /// Zero outside of the tensor.
  T at(const Index &index) const {
    uint64_t place = 0;
    for (size_t i = index.size(); i-- > 0;) {
      if (index[i] < 0 || index[i] >= static_cast<int64_t>(layout.dims[i]))
        return T(0);
      place = place * layout.dims[i] + static_cast<uint64_t>(index[i]);
    }
    return elements[place];
  }

  TensorLayout layout;
  std::vector<T> elements;
};

/// Exchanges a box's chunks of 16 bytes as the swizzle says.
template <class T>
std::vector<T> swizzled(const std::vector<T> &box, TensorSwizzle swizzle) {
  const size_t units = swizzle == TensorSwizzle::None
                           ? 1
                           : size_t(1) << static_cast<int>(swizzle);
  std::vector<T> result(box.size());
  for (size_t i = 0; i < box.size(); ++i) {
    const size_t address = i * sizeof(T),
                 moved = address ^ (address >> 7 & (units - 1)) << 4;
    result[moved / sizeof(T)] = box[i];
  }
  return result;
}

/// Loads a box and compares it with `expected`, as it lies in shared memory.
template <class T, class Box>
void checkBox(const std::string &kernel, const Tensor<T> &tensor,
              const Box &box, const Place &place,
              const std::vector<T> &expected) {
  KernelRun run(readKernel("boxes"), kernel);
  run.tensorMap(run.storage(tensor.elements), tensor.layout, box);
  const size_t out = run.buffer(std::vector<T>(expected.size(), T(-1)));
  const auto bytes = static_cast<int>(expected.size() * sizeof(T));
  run.scalar(static_cast<int>(tensor.layout.dims.size()));
  run.scalar(bytes);
  run.scalar(place);
  run.config.block.x = 64;
  run.config.dynamicSharedBytes = static_cast<uint32_t>(bytes);
  ASSERT_TRUE(run.launch());
  EXPECT_EQ(run.read<T>(out), swizzled(expected, tensor.layout.swizzle));
}

//===----------------------------------------------------------------------===//
// Tiled boxes; coordinates of dimension 0 are multiples of 16 bytes
//===----------------------------------------------------------------------===//

template <class T>
void checkTiled(const Tensor<T> &tensor, const std::vector<uint32_t> &box,
                const Index &at) {
  const size_t rank = box.size();
  std::vector<uint32_t> steps = tensor.layout.elementStrides;
  steps.resize(rank, 1);
  // Elements of the box along each dimension, and the box, innermost first.
  std::vector<uint32_t> counts(rank);
  size_t total = 1;
  for (size_t i = 0; i < rank; ++i)
    total *= counts[i] = (box[i] + steps[i] - 1) / steps[i];
  std::vector<T> expected;
  for (size_t number = 0; number < total; ++number) {
    Index index(rank);
    size_t rest = number;
    for (size_t i = 0; i < rank; ++i) {
      index[i] = at[i] + static_cast<int64_t>(rest % counts[i]) * steps[i];
      rest /= counts[i];
    }
    expected.push_back(tensor.at(index));
  }
  Place place;
  std::copy(at.begin(), at.end(), place.at);
  SCOPED_TRACE("rank " + std::to_string(rank) + " at " +
               ::testing::PrintToString(at));
  checkBox("tiled", tensor, box, place, expected);
}

TEST(BoxesTest, EveryRankInsideAndAcrossTheEdges) {
  const Sizes dims = {20, 7, 5, 4, 3};
  const std::vector<uint32_t> box = {8, 3, 2, 3, 2};
  for (size_t rank = 1; rank <= 5; ++rank) {
    const Tensor<uint32_t> tensor(TensorType::U32,
                                  {dims.begin(), dims.begin() + rank});
    for (const Index &at :
         {Index{4, 2, 1, 1, 1}, Index{-4, -1, -1, -2, -1},
          Index{16, 6, 4, 3, 2}, Index{40, 0, 0, 0, 0}, Index{0, -9, 0, 0, 0}})
      checkTiled(tensor, {box.begin(), box.begin() + rank},
                 {at.begin(), at.begin() + rank});
  }
}

TEST(BoxesTest, TypesOfElements) {
  checkTiled(Tensor<uint8_t>(TensorType::U8, {48, 9}), {32, 4}, {-16, 6});
  checkTiled(Tensor<uint16_t>(TensorType::BF16, {24, 9}), {16, 4}, {16, -2});
  checkTiled(Tensor<uint16_t>(TensorType::F16, {24, 9}), {16, 4}, {-8, 2});
  checkTiled(Tensor<uint64_t>(TensorType::F64, {10, 9}), {4, 4}, {8, 7});
}

TEST(BoxesTest, Swizzles) {
  for (auto swizzle : {TensorSwizzle::Bytes32, TensorSwizzle::Bytes64,
                       TensorSwizzle::Bytes128}) {
    const auto width = 4u << static_cast<int>(swizzle); // Elements of 4 bytes.
    Tensor<uint32_t> tensor(TensorType::U32, {40, 30, 2});
    tensor.layout.swizzle = swizzle;
    for (const Index &at : {Index{0, 0, 0}, Index{4, 5, 1}, Index{-4, 25, -1}})
      checkTiled(tensor, {width, 12, 2}, at);
  }
}

TEST(BoxesTest, StridesOfElements) {
  Tensor<uint32_t> tensor(TensorType::U32, {12, 20, 9});
  tensor.layout.elementStrides = {1, 3, 2};
  for (const Index &at : {Index{0, 0, 0}, Index{4, 2, 1}, Index{-4, -1, -2}})
    checkTiled(tensor, {8, 10, 5}, at);
}

//===----------------------------------------------------------------------===//
// Im2col boxes
//===----------------------------------------------------------------------===//

/// A convolution along one dimension of space.
struct Axis {
  int size, filter, stride, dilation, low, high; ///< Paddings last.
  int outputs() const {
    return (size + low + high - dilation * (filter - 1) - 1) / stride + 1;
  }
};

/// Element c of pixel p of the column: of the convolution's position `first` +
/// p, counted with width fastest, under a tap of the filter.
template <class T>
T expectedPixel(const Tensor<T> &tensor, const std::vector<Axis> &space,
                int64_t position, const std::vector<int> &tap, int channel) {
  Index index{channel};
  for (size_t i = 0; i < space.size(); ++i) {
    const Axis &axis = space[i];
    index.push_back(position % axis.outputs() * axis.stride - axis.low +
                    tap[i] * axis.dilation);
    position /= axis.outputs();
  }
  index.push_back(position);
  return tensor.at(index);
}

/// Every box of a convolution's implicit matrix: `pixels` positions by
/// `channels` from each multiple of them, for every tap.
template <class T>
void checkIm2col(TensorType type, const std::vector<Axis> &space, int images,
                 int totalChannels, uint32_t pixels, uint32_t channels,
                 TensorSwizzle swizzle = TensorSwizzle::None) {
  Sizes dims{static_cast<uint64_t>(totalChannels)};
  PixelBox box;
  int64_t positions = images, taps = 1;
  std::vector<uint32_t> steps{1};
  for (const Axis &axis : space) {
    dims.push_back(static_cast<uint64_t>(axis.size));
    steps.push_back(static_cast<uint32_t>(axis.stride));
    // Where the first tap stands at the lowest and at the highest position.
    box.lower.push_back(-axis.low);
    box.upper.push_back(axis.high - axis.dilation * (axis.filter - 1));
    positions *= axis.outputs();
    taps *= axis.filter;
  }
  dims.push_back(static_cast<uint64_t>(images));
  steps.push_back(1);
  box.pixels = pixels;
  box.channels = channels;
  Tensor<T> tensor(type, dims);
  tensor.layout.elementStrides = steps;
  tensor.layout.swizzle = swizzle;
  for (int64_t first = 0; first < positions; first += pixels)
    for (int64_t number = 0; number < taps; ++number)
      for (int channel = 0; channel < totalChannels;
           channel += static_cast<int>(channels)) {
        Place place;
        std::vector<int> tap;
        int64_t rest = number, position = first;
        place.at[0] = channel;
        for (size_t i = 0; i < space.size(); ++i) {
          const Axis &axis = space[i];
          tap.push_back(static_cast<int>(rest % axis.filter));
          place.offset[i] = static_cast<uint16_t>(tap[i] * axis.dilation);
          place.at[i + 1] =
              static_cast<int>(position % axis.outputs()) * axis.stride -
              axis.low;
          rest /= axis.filter;
          position /= axis.outputs();
        }
        place.at[space.size() + 1] = static_cast<int>(position);
        std::vector<T> expected;
        for (uint32_t p = 0; p < pixels; ++p)
          for (uint32_t c = 0; c < channels; ++c)
            expected.push_back(expectedPixel(tensor, space, first + p, tap,
                                             channel + static_cast<int>(c)));
        SCOPED_TRACE("position " + std::to_string(first) + ", tap " +
                     std::to_string(number));
        checkBox("im2col", tensor, box, place, expected);
      }
}

TEST(BoxesTest, Im2colOfSignals) {
  checkIm2col<uint32_t>(TensorType::U32, {{9, 3, 1, 1, 1, 1}}, 2, 8, 5, 4);
  checkIm2col<uint32_t>(TensorType::U32, {{10, 3, 2, 2, 2, 3}}, 3, 4, 8, 4);
}

TEST(BoxesTest, Im2colOfPictures) {
  checkIm2col<uint16_t>(
      TensorType::F16, {{6, 3, 1, 1, 1, 1}, {5, 2, 1, 1, 0, 1}}, 2, 24, 16, 16);
  checkIm2col<uint32_t>(TensorType::U32,
                        {{7, 3, 2, 1, 1, 0}, {6, 3, 3, 1, 2, 1}}, 3, 4, 8, 4);
  checkIm2col<uint32_t>(TensorType::U32,
                        {{8, 2, 1, 3, 1, 2}, {4, 1, 1, 1, 0, 0}}, 2, 8, 32, 8,
                        TensorSwizzle::Bytes32);
}

TEST(BoxesTest, Im2colOfVolumes) {
  checkIm2col<uint32_t>(
      TensorType::U32,
      {{5, 2, 1, 1, 1, 1}, {4, 2, 2, 1, 0, 1}, {3, 2, 1, 2, 1, 1}}, 2, 4, 16,
      4);
}

} // namespace
