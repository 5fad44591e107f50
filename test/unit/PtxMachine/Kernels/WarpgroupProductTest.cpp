//===- WarpgroupProductTest.cpp - products of a warpgroup -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTesting.h"

using namespace ctc;
using namespace ctc::ptx::testing;

namespace {

/// `Layout` of Wgmma.h.
struct Layout {
  int mnMajor, swizzle, leading, stride, nextRow;
};

/// `Operands` of wgmma.cu behind its three pointers, padded as that is.
struct alignas(8) Operands {
  int form, depth, bytes, accumulate, offsetB;
  Layout a, b;
};

/// A dense layout of count x depth elements: `along` picks which of the two
/// directions beyond the pattern comes first in memory.
Layout dense(bool mnMajor, int swizzle, bool along, int bytes, int count,
             int depth) {
  const int width = swizzle ? swizzle : 16, pattern = 8 * width,
            perRow = width / bytes;
  // Patterns along K, and along M or N.
  const int deep = mnMajor ? depth / 8 : depth / perRow,
            high = mnMajor ? (count + perRow - 1) / perRow : count / 8;
  const int alongDepth = along ? pattern : pattern * high,
            alongCount = along ? pattern * deep : pattern;
  // Which of the two offsets means which direction: PTX ISA 9.0, 9.7.15.5.1.
  if (mnMajor && swizzle)
    return {mnMajor, swizzle, alongCount, alongDepth, 0};
  return {mnMajor, swizzle, swizzle ? 16 : alongDepth, alongCount, alongDepth};
}

/// The bytes from a layout's first to its last element.
int sizeOf(const Layout &layout, int bytes, int count, int depth) {
  const int width = layout.swizzle ? layout.swizzle : 16,
            perRow = width / bytes;
  const int deep = layout.mnMajor ? depth / 8 : depth / perRow,
            high = layout.mnMajor ? (count + perRow - 1) / perRow : count / 8;
  int alongDepth = layout.swizzle ? layout.nextRow : layout.leading,
      alongCount = layout.stride;
  if (layout.mnMajor && layout.swizzle) {
    alongDepth = layout.stride;
    alongCount = layout.leading;
  }
  return (deep - 1) * alongDepth + (high - 1) * alongCount + 8 * width;
}

struct Types {
  const char *name;
  FloatFormat a, b;
};
const Types kBF16Types{"bf16", kBF16, kBF16}, kF16Types{"f16", kF16, kF16},
    kTF32Types{"tf32", kTF32, kTF32}, kE4M3Types{"e4m3", kE4M3, kE4M3},
    kE5M2Types{"e5m2 e4m3", kE5M2, kE4M3};

std::vector<uint8_t> storage(const Numbers &values, FloatFormat format) {
  auto bytes = [](const auto &elements) {
    const auto *begin = reinterpret_cast<const uint8_t *>(elements.data());
    return std::vector<uint8_t>(begin,
                                begin + elements.size() * sizeof(elements[0]));
  };
  switch (bitsOf(format)) {
  case 8:
    return encoded<uint8_t>(values, format);
  case 16:
    return bytes(encoded<uint16_t>(values, format));
  default:
    return bytes(encoded<uint32_t>(values, format));
  }
}

Numbers transposed(const Numbers &values, size_t rows, size_t columns) {
  Numbers result(values.size());
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j)
      result[j * rows + i] = values[i * columns + j];
  return result;
}

struct Case {
  std::string kernel = "wgmma_shared";
  Types types = kBF16Types;
  int form = 0;
  Layout a{}, b{};
  int columns = 64, depth = 0;
  bool accumulate = false;
  double scale = 1; ///< What the instruction's immediates make of A * B.
};

int bytesOf(const Types &types) {
  return bitsOf(types.a) == 19 ? 4 : bitsOf(types.a) / 8;
}

void check(const Case &test, Fill kind) {
  const int bytes = bytesOf(test.types), m = 64, n = test.columns,
            k = test.depth;
  SCOPED_TRACE(test.kernel + " " + test.types.name + ", form " +
               std::to_string(test.form) + ", swizzles " +
               std::to_string(test.a.swizzle) + ", " +
               std::to_string(test.b.swizzle) + ", strides " +
               std::to_string(test.a.stride) + ", " +
               std::to_string(test.b.stride));
  const Numbers a = fill(kind, size_t(m) * k, test.types.a, 1),
                b = fill(kind, size_t(n) * k, test.types.b, 2),
                c = test.accumulate ? fill(kind, size_t(m) * n, kF32, 3)
                                    : Numbers(size_t(m) * n, NAN);
  KernelRun run(readKernel("wgmma"), test.kernel);
  run.buffer(storage(a, test.types.a));
  run.buffer(storage(b, test.types.b));
  const size_t d = run.buffer(std::vector<float>(c.begin(), c.end()));
  const int offsetB =
      (sizeOf(test.a, bytes, m, k) + 1023) / 1024 * 1024; // Patterns align.
  run.scalar(
      Operands{test.form, k, bytes, test.accumulate, offsetB, test.a, test.b});
  run.config.block.x = 128;
  run.config.dynamicSharedBytes = offsetB + sizeOf(test.b, bytes, n, k);
  ASSERT_TRUE(run.launch());
  Product product = multiply(a, transposed(b, n, k), m, n, k);
  for (size_t i = 0; i < product.sums.size(); ++i) {
    product.sums[i] *= test.scale;
    if (test.accumulate) {
      product.sums[i] += c[i];
      product.magnitudes[i] += std::abs(c[i]);
    }
  }
  expectProduct(run, d, product, kind, k + 1,
                bytes == 1 ? kUnitErrorOfFloat8 : 0x1p-23);
}

/// Every swizzle in both orders for each operand, for one instruction.
void checkLayouts(const Types &types, int form, bool mnMajorA, bool mnMajorB) {
  constexpr int swizzles[] = {0, 32, 64, 128};
  const int bytes = bytesOf(types), depth = 256 / bytes;
  for (int i = 0; i < 4; ++i)
    for (bool along : {false, true}) {
      Case test;
      test.types = types;
      test.form = form;
      test.depth = depth;
      test.a = dense(mnMajorA, swizzles[i], along, bytes, 64, depth);
      test.b =
          dense(mnMajorB, swizzles[(i + along) % 4], i % 2, bytes, 64, depth);
      for (Fill kind : {Fill::Integers, Fill::Random})
        check(test, kind);
    }
}

TEST(WarpgroupProductTest, BF16) {
  for (int form = 0; form < 4; ++form)
    checkLayouts(kBF16Types, form, form / 2, form % 2);
}

TEST(WarpgroupProductTest, F16) {
  for (int form = 0; form < 4; ++form)
    checkLayouts(kF16Types, 4 + form, form / 2, form % 2);
}

TEST(WarpgroupProductTest, TF32) { checkLayouts(kTF32Types, 8, false, false); }
TEST(WarpgroupProductTest, E4M3) { checkLayouts(kE4M3Types, 9, false, false); }
TEST(WarpgroupProductTest, E5M2TimesE4M3) {
  checkLayouts(kE5M2Types, 10, false, false);
}

/// K-major operands of 64 rows, 128 bytes of K and the pattern of 128 bytes.
Case plain(const Types &types, int form) {
  Case test;
  test.types = types;
  test.form = form;
  const int bytes = bytesOf(types);
  test.depth = 128 / bytes;
  test.a = test.b = dense(false, 128, false, bytes, 64, test.depth);
  return test;
}

TEST(WarpgroupProductTest, AddsToItsAccumulators) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    for (Case test : {plain(kBF16Types, 0), plain(kTF32Types, 8)}) {
      test.accumulate = true;
      check(test, kind);
    }
}

TEST(WarpgroupProductTest, NegatesItsOperands) {
  for (Fill kind : {Fill::Integers, Fill::Random})
    for (Case test : {plain(kBF16Types, 11), plain(kTF32Types, 12)}) {
      test.scale = -1;
      test.accumulate = true;
      check(test, kind);
    }
}

TEST(WarpgroupProductTest, GapsBetweenPatterns) {
  for (int swizzle : {0, 32, 64, 128})
    for (bool mnMajor : {false, true}) {
      Case test = plain(kF16Types, mnMajor ? 7 : 4);
      test.depth = 128;
      Layout layout = dense(mnMajor, swizzle, false, 2, 64, 128);
      // Twice as far apart as need be, and the outer direction a bit further.
      const int gap = swizzle ? 8 * swizzle : 48;
      layout.stride = 2 * layout.stride + (mnMajor && swizzle ? gap : 0);
      layout.leading = swizzle && !mnMajor ? 16 : 2 * layout.leading;
      layout.leading += !swizzle && !mnMajor ? gap : 0;
      layout.nextRow = 2 * layout.nextRow + gap;
      if (!swizzle && mnMajor)
        layout.leading += gap;
      test.a = test.b = layout;
      check(test, Fill::Integers);
    }
}

TEST(WarpgroupProductTest, NarrowAndWide) {
  for (int swizzle : {0, 32, 64, 128})
    for (int columns : {8, 256})
      for (Fill kind : {Fill::Integers, Fill::Random}) {
        Case test = plain(kBF16Types, 0);
        test.kernel = columns == 8 ? "wgmma_n8" : "wgmma_n256";
        test.columns = columns;
        test.depth = 128;
        test.a = dense(false, 128, true, 2, 64, 128);
        test.b = dense(false, swizzle, false, 2, columns, 128);
        test.accumulate = true;
        check(test, kind);
      }
}

TEST(WarpgroupProductTest, AInRegisters) {
  struct Form {
    Types types;
    bool mnMajorB;
  };
  const Form forms[] = {{kBF16Types, false}, {kBF16Types, true},
                        {kF16Types, false},  {kF16Types, true},
                        {kTF32Types, false}, {kE4M3Types, false}};
  for (int form = 0; form < 6; ++form)
    for (int swizzle : {0, 32, 64, 128})
      for (Fill kind : {Fill::Integers, Fill::Random}) {
        Case test = plain(forms[form].types, form);
        test.kernel = "wgmma_registers";
        test.accumulate = kind == Fill::Integers;
        test.b = dense(forms[form].mnMajorB, swizzle, true, bytesOf(test.types),
                       64, test.depth);
        check(test, kind);
      }
}

/// Sums in f16: exact for small integers, otherwise within depth roundings of
/// 11 bits.
TEST(WarpgroupProductTest, F16Accumulators) {
  for (int form : {0, 1})
    for (Fill kind : {Fill::Integers, Fill::Random}) {
      const Case test = plain(form ? kE4M3Types : kF16Types, form);
      const int bytes = bytesOf(test.types), k = test.depth;
      const Numbers a = fill(kind, size_t(64) * k, test.types.a, 1),
                    b = fill(kind, size_t(64) * k, test.types.b, 2);
      KernelRun run(readKernel("wgmma"), "wgmma_shared_f16");
      run.buffer(storage(a, test.types.a));
      run.buffer(storage(b, test.types.b));
      const size_t d =
          run.buffer(std::vector<uint16_t>(64 * 64, 0x7e00), gpu::Element::F16);
      run.scalar(Operands{form, k, bytes, 0, 8192, test.a, test.b});
      run.config.block.x = 128;
      run.config.dynamicSharedBytes = 16384;
      ASSERT_TRUE(run.launch());
      const Product product = multiply(a, transposed(b, 64, k), 64, 64, k);
      const auto result = run.read<uint16_t>(d);
      Numbers between;
      for (size_t i = 0; i < result.size(); ++i) {
        const double value = decode(result[i], kF16);
        if (kind == Fill::Integers)
          ASSERT_EQ(value, product.sums[i]) << i;
        else
          ASSERT_NEAR(value, product.sums[i],
                      k * 0x1p-10 * product.magnitudes[i])
              << i;
        between.push_back(2 * k * 0x1p-10 * product.magnitudes[i]);
      }
      if (kind == Fill::Random)
        run.bound(d, between);
    }
}

} // namespace
