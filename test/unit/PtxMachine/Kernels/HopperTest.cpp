//===- HopperTest.cpp - the Hopper prototypes against the definition ------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Transposed convolutions with a 3 x 3 kernel, channels first, of the
// prototypes in Hopper/: persistent blocks over tiles of positions.
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

using namespace ctc;
using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

constexpr int kKernel = 3;

struct Layer {
  int images, channels, outputs, height, width, stride, padding, extra;

  int outHeight() const { return out(height); }
  int outWidth() const { return out(width); }
  int out(int size) const {
    return (size - 1) * stride - 2 * padding + kKernel + extra;
  }
  size_t inputs() const { return size_t(images) * channels * height * width; }
  size_t weights() const {
    return size_t(channels) * outputs * kKernel * kKernel;
  }
};

/// The definition, in float64: every input scatters.
Product scatter(const Layer &layer, const Numbers &x, const Numbers &w) {
  const auto [images, channels, outputs, height, width, stride, padding,
              extra] = layer;
  const int rows = layer.outHeight(), columns = layer.outWidth();
  const size_t count = size_t(images) * outputs * rows * columns;
  Product y{Numbers(count), Numbers(count)};
  auto add = [&](int n, int ci, int co, int ih, int iw, int kh, int kw) {
    const int oh = ih * stride - padding + kh, ow = iw * stride - padding + kw;
    if (oh < 0 || oh >= rows || ow < 0 || ow >= columns)
      return;
    const double term = x[((n * channels + ci) * height + ih) * width + iw] *
                        w[((ci * outputs + co) * kKernel + kh) * kKernel + kw];
    const size_t to = ((size_t(n) * outputs + co) * rows + oh) * columns + ow;
    y.sums[to] += term;
    y.magnitudes[to] += std::abs(term);
  };
  for (int n = 0; n < images; ++n)
    for (int ci = 0; ci < channels; ++ci)
      for (int co = 0; co < outputs; ++co)
        for (int ih = 0; ih < height; ++ih)
          for (int iw = 0; iw < width; ++iw)
            for (int tap = 0; tap < kKernel * kKernel; ++tap)
              add(n, ci, co, ih, iw, tap / kKernel, tap % kKernel);
  return y;
}

/// A prototype as it was compiled, for one number of channels.
struct Prototype {
  const char *name;
  FloatFormat format;
  int tileHeight, tileWidth;        ///< Positions of a block.
  int boxHeight, boxWidth;          ///< Of the input, per tile.
  int chunk;                        ///< Input channels of a wgmma.
  std::array<int, 3> taps{0, 1, 2}; ///< Slot to tap, along both axes.
  int (*channelOf)(int k);          ///< Of a chunk, in column k of A.
  bool hasBias;                     ///< A parameter nobody reads.

  int bytes() const { return chunk == 16 ? 2 : 4; }
  int stageBytes() const {
    return (boxHeight * boxWidth * chunk * bytes() + 127) / 128 * 128;
  }
};

constexpr Prototype kStride1{
    "s1", kTF32, 16, 32, 18, 36, 8, {0, 1, 2}, [](int k) { return k; }, true};
constexpr Prototype kStride1Half{
    "s1b", kBF16,     16,
    32,    18,        40,
    16,    {0, 1, 2}, [](int k) { return k / 2 % 4 + k % 2 * 4 + k / 8 * 8; },
    true};
constexpr Prototype kStride2{
    "s2", kTF32,     8,
    16,   9,         20,
    8,    {1, 2, 0}, [](int k) { return k % 4 * 2 + k / 4; },
    false};

/// Weights as core matrices of 8 columns by 16 bytes, K-major without swizzle:
/// by chunk, tap, eight outputs, half of the chunk.
Numbers packed(const Prototype &prototype, const Layer &layer,
               const Numbers &w) {
  const int chunk = prototype.chunk, half = chunk / 2;
  Numbers result(layer.weights());
  size_t to = 0;
  for (int first = 0; first < layer.channels; first += chunk)
    for (int slot = 0; slot < kKernel * kKernel; ++slot)
      for (int co = 0; co < layer.outputs; co += 8)
        for (int k = 0; k < chunk; k += half)
          for (int i = 0; i < 8 * half; ++i) {
            const int ci = first + prototype.channelOf(k + i % half),
                      kh = prototype.taps[slot / kKernel],
                      kw = prototype.taps[slot % kKernel];
            result[to++] =
                w[((ci * layer.outputs + co + i / half) * kKernel + kh) *
                      kKernel +
                  kw];
          }
  return result;
}

/// Appends the parameters behind the tensor map; gives the output's buffer.
size_t addParameters(KernelRun &run, const Prototype &prototype,
                     const Layer &layer, const Numbers &weights) {
  const size_t count = size_t(layer.images) * layer.outputs *
                       layer.outHeight() * layer.outWidth();
  const bool half = prototype.bytes() == 2;
  const size_t y = half ? run.buffer(std::vector<uint16_t>(count, 0x7fff),
                                     gpu::Element::BF16)
                        : run.buffer(std::vector<float>(count, NAN));
  if (half)
    run.buffer(encoded<uint16_t>(weights, kBF16));
  else
    run.buffer(encoded<uint32_t>(weights, kTF32));
  if (prototype.hasBias)
    run.scalar(uint64_t(0));
  // Stride 1 tiles the output, stride 2 the input.
  const int height = layer.stride == 1 ? layer.outHeight() : layer.height,
            width = layer.stride == 1 ? layer.outWidth() : layer.width;
  const int tilesY = (height + prototype.tileHeight - 1) / prototype.tileHeight,
            tilesX = (width + prototype.tileWidth - 1) / prototype.tileWidth;
  for (int value :
       {layer.images, layer.height, layer.width, layer.outHeight(),
        layer.outWidth(), tilesY, tilesX, tilesY * tilesX * layer.images})
    run.scalar(value);
  return y;
}

void addInput(KernelRun &run, const Prototype &prototype, const Layer &layer,
              const Numbers &x) {
  TensorLayout tensor;
  const bool half = prototype.bytes() == 2;
  tensor.type = half ? TensorType::BF16 : TensorType::F32;
  uint64_t pitch = prototype.bytes();
  for (int size : {layer.width, layer.height, layer.channels, layer.images}) {
    tensor.dims.push_back(static_cast<uint64_t>(size));
    tensor.strides.push_back(pitch *= static_cast<uint64_t>(size));
  }
  tensor.strides.pop_back();
  const size_t buffer = half ? run.storage(encoded<uint16_t>(x, kBF16))
                             : run.storage(encoded<uint32_t>(x, kF32));
  run.tensorMap(buffer, tensor,
                {static_cast<uint32_t>(prototype.boxWidth),
                 static_cast<uint32_t>(prototype.boxHeight),
                 static_cast<uint32_t>(prototype.chunk), 1});
}

/// Bit for bit with integers; otherwise within the bound of matrix units, and
/// half a unit in the last place of bf16.
void expectOutput(KernelRun &run, size_t y, const Prototype &prototype,
                  const Layer &layer, const Product &expected, Fill kind) {
  const size_t depth = size_t(layer.channels) * kKernel * kKernel;
  if (prototype.bytes() == 4) {
    expectProduct(run, y, expected, kind, depth);
    return;
  }
  Numbers bounds = accumulationBounds(expected, depth);
  const auto result = run.read<uint16_t>(y);
  ASSERT_EQ(result.size(), expected.sums.size());
  for (size_t i = 0; i < result.size(); ++i) {
    const double sum = expected.sums[i], value = decode(result[i], kBF16);
    if (kind == Fill::Integers) {
      ASSERT_EQ(value, roundTo(sum, kBF16)) << i;
      continue;
    }
    bounds[i] += ulpOf(std::abs(sum) + bounds[i], kBF16) / 2;
    ASSERT_NEAR(value, sum, bounds[i]) << i;
    bounds[i] *= 2;
  }
  if (kind == Fill::Random)
    run.bound(y, bounds);
}

void check(const Prototype &prototype, const Layer &layer, Fill kind,
           uint32_t blocks) {
  const std::string file = std::string(prototype.name) + "-" +
                           std::to_string(layer.outputs) + "-" +
                           std::to_string(layer.channels);
  SCOPED_TRACE(file);
  // Inputs of f32 are rounded by the kernel, to nearest even; weights before.
  Numbers x = fill(kind, layer.inputs(),
                   prototype.bytes() == 4 ? kF32 : prototype.format, 21),
          w = fill(kind, layer.weights(), prototype.format, 22);
  KernelRun run(readKernel("Hopper/" + file), "_Z4kern14CUtensorMap_st1P");
  addInput(run, prototype, layer, x);
  const size_t y =
      addParameters(run, prototype, layer, packed(prototype, layer, w));
  run.config.grid.x = blocks;
  run.config.block.x = 384;
  run.config.dynamicSharedBytes =
      1024 + 4 * prototype.stageBytes() +
      static_cast<int>(layer.weights()) * prototype.bytes();
  ASSERT_TRUE(run.launch());
  for (double &value : x)
    value = roundTo(value, prototype.format);
  expectOutput(run, y, prototype, layer, scatter(layer, x, w), kind);
}

// Ragged in both directions: outputs of 19 x 38 (19 x 42) in tiles of 16 x 32,
// inputs of 11 x 20 in tiles of 8 x 16.
TEST(HopperTest, Stride1) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    check(kStride1, {2, 16, 16, 17, 36, 1, 0, 0}, kind, 3);
}
TEST(HopperTest, Stride1BF16) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    check(kStride1Half, {2, 32, 16, 17, 40, 1, 0, 0}, kind, 3);
}
TEST(HopperTest, Stride2) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    check(kStride2, {2, 16, 16, 11, 20, 2, 1, 1}, kind, 3);
}

// With the channels the prototypes are made for, on one block.
TEST(HopperTest, Stride1WideChannels) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    check(kStride1, {1, 64, 64, 15, 28, 1, 0, 0}, kind, 1);
}
TEST(HopperTest, Stride1BF16WideChannels) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    check(kStride1Half, {1, 64, 64, 15, 24, 1, 0, 0}, kind, 1);
}
TEST(HopperTest, Stride2WideChannels) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    check(kStride2, {1, 64, 64, 9, 20, 2, 1, 1}, kind, 1);
}

} // namespace
