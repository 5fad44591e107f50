//===- PipelineTest.cpp - a ring of tiles between warps -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

using namespace ctc;
using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

struct Shape {
  int width, height; ///< The width is a multiple of 4: rows of 16 bytes.
  uint32_t blocks;
};

TensorLayout matrixOf(int width, int height, TensorSwizzle swizzle) {
  TensorLayout tensor;
  tensor.dims = {static_cast<uint64_t>(width), static_cast<uint64_t>(height)};
  tensor.strides = {static_cast<uint64_t>(width) * 4};
  tensor.swizzle = swizzle;
  return tensor;
}

void checkStencil(const Shape &shape, TensorSwizzle swizzle) {
  SCOPED_TRACE(std::to_string(shape.width) + " x " +
               std::to_string(shape.height));
  const int width = shape.width, height = shape.height;
  const Numbers values = fill(Fill::Random, size_t(width) * height, kF32, 11);
  std::vector<float> in(values.begin(), values.end()), expected(in.size());
  auto at = [&](int y, int x) {
    return y < 0 || y >= height ? 0.0f : in[y * width + x];
  };
  // The kernel's arithmetic: fma(2, middle, above) + below.
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      expected[y * width + x] =
          std::fma(2.0f, at(y, x), at(y - 1, x)) + at(y + 1, x);
  const int tilesX = (width + 31) / 32, tiles = (height + 15) / 16 * tilesX;
  KernelRun run(readKernel("pipeline"), "stencil");
  const size_t source = run.storage(in),
               result = run.storage(std::vector<float>(in.size(), NAN));
  run.tensorMap(source, matrixOf(width, height, swizzle), {32, 18});
  run.tensorMap(result, matrixOf(width, height, TensorSwizzle::None), {32, 16});
  run.scalar(tilesX);
  run.scalar(tiles);
  run.scalar(swizzle == TensorSwizzle::None ? 0 : 128);
  run.config.grid.x = shape.blocks;
  run.config.block.x = 160;
  run.config.dynamicSharedBytes = 3 * 3072;
  ASSERT_TRUE(run.launch());
  EXPECT_EQ(run.read<float>(result), expected);
}

TEST(PipelineTest, RaggedTilesOnAFewBlocks) {
  for (TensorSwizzle swizzle : {TensorSwizzle::None, TensorSwizzle::Bytes128})
    for (const Shape &shape :
         {Shape{32, 16, 1}, Shape{4, 1, 1}, Shape{100, 37, 2},
          Shape{256, 50, 3}, Shape{36, 200, 1}, Shape{32, 15, 4}})
      checkStencil(shape, swizzle);
}

} // namespace
