//===- GemmTest.cpp - a matrix product on mma.sync ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

using namespace ctc;
using namespace ctc::ptx::testing;

namespace {

struct Shape {
  int m, n, k;
};

/// The elements of a matrix in rows of `pitch`; what lies between is NaN, which
/// must not be read.
template <class T>
std::vector<T> pitched(const Numbers &values, int rows, int columns, int pitch,
                       FloatFormat format) {
  std::vector<T> result(static_cast<size_t>(rows) * pitch, T(~T(0)));
  const std::vector<T> bits = encoded<T>(values, format);
  for (int i = 0; i < rows; ++i)
    std::copy_n(bits.begin() + i * columns, columns,
                result.begin() + i * pitch);
  return result;
}

template <class T>
void checkGemm(const std::string &kernel, FloatFormat format, Shape shape,
               Fill kind) {
  SCOPED_TRACE(kernel + " " + std::to_string(shape.m) + " x " +
               std::to_string(shape.n) + " x " + std::to_string(shape.k));
  const auto [m, n, k] = shape;
  const int step = 16 / sizeof(T); // Rows start at multiples of 16 bytes.
  const int pitchA = (k + step - 1) / step * step + step,
            pitchB = (n + step - 1) / step * step;
  const Numbers a = fill(kind, size_t(m) * k, format, 1),
                b = fill(kind, size_t(k) * n, format, 2);
  KernelRun run(readKernel("gemm"), kernel);
  run.buffer(pitched<T>(a, m, k, pitchA, format));
  run.buffer(pitched<T>(b, k, n, pitchB, format));
  const size_t c = run.buffer(std::vector<float>(size_t(m) * n, NAN));
  for (int value : {m, n, k, pitchA, pitchB})
    run.scalar(value);
  run.config.grid = {static_cast<uint32_t>((n + 63) / 64),
                     static_cast<uint32_t>((m + 63) / 64), 1};
  run.config.block.x = 128;
  ASSERT_TRUE(run.launch());
  expectProduct(run, c, multiply(a, b, m, n, k), kind, k);
}

const Shape kShapes[] = {{64, 64, 32},  {1, 1, 1},   {70, 130, 37},
                         {65, 7, 100},  {16, 8, 8},  {128, 72, 200},
                         {63, 129, 31}, {5, 70, 64}, {64, 64, 0}};

TEST(GemmTest, F16) {
  for (const Shape &shape : kShapes)
    for (Fill kind : {Fill::Integers, Fill::Random})
      checkGemm<uint16_t>("gemm_f16", kF16, shape, kind);
}

TEST(GemmTest, TF32) {
  for (const Shape &shape : kShapes)
    for (Fill kind : {Fill::Integers, Fill::Random})
      checkGemm<uint32_t>("gemm_tf32", kTF32, shape, kind);
}

/// Inputs with more than tf32's bits are rounded, ties away from zero.
TEST(GemmTest, TF32RoundsItsInputs) {
  const Numbers a = {1 + 0x1p-11, 1 + 0x1p-12}, b = {1, 3 - 0x1p-10};
  KernelRun run(readKernel("gemm"), "gemm_tf32");
  run.buffer(pitched<uint32_t>(a, 2, 1, 4, kF32));
  run.buffer(pitched<uint32_t>(b, 1, 2, 4, kF32));
  const size_t c = run.buffer(std::vector<float>(4, NAN));
  for (int value : {2, 2, 1, 4, 4})
    run.scalar(value);
  run.config.block.x = 128;
  ASSERT_TRUE(run.launch());
  const float up = 1 + 0x1p-10f, three = 3;
  EXPECT_EQ(run.read<float>(c), (std::vector<float>{up, up * three, 1, three}));
}

} // namespace
