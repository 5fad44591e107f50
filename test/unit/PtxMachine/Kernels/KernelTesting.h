//===- KernelTesting.h - Texts and fills for kernels ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The numbers of a test are doubles, exact in the type the kernel reads; they
// become bits when they are uploaded.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_KERNELS_KERNELTESTING_H
#define CTC_TEST_UNIT_PTXMACHINE_KERNELS_KERNELTESTING_H

#include "../KernelRun.h"
#include "ctc/Support/Float.h"

#include <fstream>
#include <random>
#include <sstream>

namespace ctc::ptx::testing {

/// Has no infinities, and its largest exponent holds numbers, too; the fills
/// here stay away from both.
inline constexpr FloatFormat kE4M3{4, 4, -6, 8};
inline constexpr FloatFormat kE5M2{3, 5, -14, 15};

/// The text of Kernels/NAME.ptx.
inline std::string readKernel(const std::string &name) {
  std::ifstream file(std::string(CTC_PTX_KERNELS) + "/" + name + ".ptx");
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

using Numbers = std::vector<double>;

/// The same numbers in every run.
inline std::mt19937 generator(uint32_t seed) { return std::mt19937(seed); }

/// How the elements of a matrix are chosen.
enum class Fill { Integers, Random };

/// Integers of -4 to 4, whose products and sums are exact in every type here;
/// or numbers of [-1, 1], rounded into the format.
inline Numbers fill(Fill kind, size_t count, FloatFormat format,
                    uint32_t seed) {
  std::mt19937 engine = generator(seed);
  Numbers values(count);
  for (double &value : values)
    value = kind == Fill::Integers
                ? static_cast<int>(engine() % 9) - 4
                : roundTo(static_cast<int32_t>(engine()) * 0x1p-31, format);
  return values;
}

inline int bitsOf(FloatFormat format) {
  return format.precision + format.exponentBits;
}

/// The numbers as the bits of a format, in elements of T.
template <class T>
std::vector<T> encoded(const Numbers &values, FloatFormat format) {
  // tf32 lies in the upper bits of an f32.
  const FloatFormat stored = bitsOf(format) == 19 ? kF32 : format;
  std::vector<T> result;
  for (double value : values)
    result.push_back(static_cast<T>(encode(value, stored)));
  return result;
}

/// A matrix product on the host: for every element the sum, and the sum of the
/// products' magnitudes, which bounds the error of any order of summation.
struct Product {
  Numbers sums, magnitudes;
};

/// a is rows x depth, b depth x columns, both row major.
inline Product multiply(const Numbers &a, const Numbers &b, size_t rows,
                        size_t columns, size_t depth) {
  Product product{Numbers(rows * columns), Numbers(rows * columns)};
  for (size_t i = 0; i < rows; ++i)
    for (size_t l = 0; l < depth; ++l)
      for (size_t j = 0; j < columns; ++j) {
        const double term = a[i * depth + l] * b[l * columns + j];
        product.sums[i * columns + j] += term;
        product.magnitudes[i * columns + j] += std::abs(term);
      }
  return product;
}

/// Bounds of matrix units (docs/Numerics.md): they may cut off what does not
/// fit into f32, at each of `depth` additions.
inline Numbers accumulationBounds(const Product &product, size_t depth) {
  Numbers bounds;
  for (double magnitude : product.magnitudes)
    bounds.push_back(static_cast<double>(depth) * 0x1p-23 * magnitude);
  return bounds;
}

/// Hopper's matrix units keep about 14 bits of a sum of products of 8-bit
/// floats (DeepSeek-V3 Technical Report, arXiv:2412.19437, section 3.3.2).
constexpr double kUnitErrorOfFloat8 = 0x1p-13;

/// Checks every element of a result: with integers bit for bit, otherwise
/// within the bound. On other hardware, whose additions err by at most
/// `unitError`, twice its bound is legal between the two.
inline void expectProduct(KernelRun &run, size_t buffer, const Product &product,
                          Fill kind, size_t depth, double unitError = 0x1p-23) {
  const std::vector<float> result = run.read<float>(buffer);
  ASSERT_EQ(result.size(), product.sums.size());
  const Numbers bounds = accumulationBounds(product, depth);
  for (size_t i = 0; i < result.size(); ++i)
    if (kind == Fill::Integers)
      ASSERT_EQ(result[i], product.sums[i]) << "element " << i;
    else
      ASSERT_NEAR(result[i], product.sums[i], bounds[i]) << "element " << i;
  if (kind == Fill::Integers)
    return;
  Numbers between = bounds;
  for (double &bound : between)
    bound *= 2 * unitError / 0x1p-23;
  run.bound(buffer, between);
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_KERNELS_KERNELTESTING_H
