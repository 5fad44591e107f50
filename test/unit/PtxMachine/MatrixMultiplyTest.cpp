//===- MatrixMultiplyTest.cpp - mma.sync ----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

std::vector<Form> floatForms() {
  std::vector<Form> forms = {
      {16, 8, "f16", "f16", "f32", "", ""},
      {16, 8, "f16", "f16", "f16", "", ""},
      {16, 16, "f16", "f16", "f32", "", ""},
      {16, 16, "f16", "f16", "f16", "", ""},
      {16, 8, "bf16", "bf16", "f32", "", ""},
      {16, 16, "bf16", "bf16", "f32", "", ""},
      {16, 4, "tf32", "tf32", "f32", "", ""},
      {16, 8, "tf32", "tf32", "f32", "", ""},
      {8, 4, "f64", "f64", "f64", "", ""},
      {16, 4, "f64", "f64", "f64", "", ""},
      {16, 8, "f64", "f64", "f64", "", ""},
      {16, 16, "f64", "f64", "f64", "", ""},
  };
  for (unsigned k : {16u, 32u})
    for (const char *a : {"e4m3", "e5m2"})
      for (const char *b : {"e4m3", "e5m2"})
        for (const char *sums : {"f32", "f16"})
          forms.push_back({16, k, a, b, sums, "", ""});
  return forms;
}

std::vector<Form> integerForms() {
  struct Shapes {
    const char *types[2];
    std::pair<unsigned, unsigned> sizes[3];
  };
  const Shapes shapes[] = {{{"s8", "u8"}, {{8, 16}, {16, 16}, {16, 32}}},
                           {{"s4", "u4"}, {{8, 32}, {16, 32}, {16, 64}}}};
  std::vector<Form> forms;
  for (const Shapes &it : shapes)
    for (auto [m, k] : it.sizes)
      for (const char *a : it.types)
        for (const char *b : it.types)
          for (const char *options : {"", ".satfinite"})
            forms.push_back({m, k, a, b, "s32", options, ""});
  return forms;
}

/// Integers that every type of `type`'s width can hold.
double anyInteger(const std::string &type, Noise &random) {
  const int value = static_cast<int>(random.next());
  if (type[0] == 'u')
    return value & (type == "u8" ? 255 : 15);
  if (type[0] == 's')
    return type == "s8" ? static_cast<int8_t>(value) : (value & 15) - 8;
  return value % 5;
}

/// A * B + C for integers, by the definition.
Matrix exactProduct(const Form &form, const std::vector<double> &a,
                    const std::vector<double> &b,
                    const std::vector<double> &c) {
  return encode(form.sums, form.m, 8, [&](unsigned i, unsigned j) {
    double sum = c[i * 8 + j];
    for (unsigned k = 0; k < form.k; ++k)
      sum += a[i * form.k + k] * b[k * 8 + j];
    return sum;
  });
}

Matrix encodeAll(const std::string &type, unsigned rows, unsigned columns,
                 const std::vector<double> &values) {
  return encode(type, rows, columns, [&](unsigned i, unsigned j) {
    return values[i * columns + j];
  });
}

TEST(MatrixMultiplyTest, IntegersAreExactInEveryForm) {
  Noise random{7};
  std::vector<Form> forms = floatForms();
  for (const Form &form : integerForms())
    forms.push_back(form);
  EXPECT_EQ(forms.size(), 76u);
  for (const Form &form : forms) {
    auto numbers = [&](const std::string &type, unsigned count) {
      std::vector<double> values(count);
      for (double &value : values)
        value = anyInteger(type, random);
      return values;
    };
    auto a = numbers(form.a, form.m * form.k), b = numbers(form.b, form.k * 8);
    auto c = numbers(form.sums, form.m * 8);
    EXPECT_EQ(multiply(form, encodeAll(form.a, form.m, form.k, a),
                       encodeAll(form.b, form.k, 8, b),
                       encodeAll(form.sums, form.m, 8, c))
                  .elements,
              exactProduct(form, a, b, c).elements)
        << form.name();
  }
}

TEST(MatrixMultiplyTest, Bits) {
  Noise random{8};
  for (auto [m, k] : {std::pair{8u, 128u}, {16u, 128u}, {16u, 256u}})
    for (const char *last : {".xor.popc", ".and.popc"}) {
      Form form{m, k, "b1", "b1", "s32", "", last};
      auto bit = [&](unsigned, unsigned) { return double(random.next() & 1); };
      Matrix a = encode("b1", m, k, bit), b = encode("b1", k, 8, bit);
      Matrix c = encode("s32", m, 8, [](unsigned i, unsigned j) {
        return double(i) * 100 - j;
      });
      Matrix expected = c;
      for (unsigned i = 0; i < m; ++i)
        for (unsigned j = 0; j < 8; ++j) {
          uint64_t count = 0;
          for (unsigned n = 0; n < k; ++n)
            count += last[1] == 'x' ? a.at(i, n) ^ b.at(n, j)
                                    : a.at(i, n) & b.at(n, j);
          expected.at(i, j) = static_cast<uint32_t>(c.at(i, j) + count);
        }
      EXPECT_EQ(multiply(form, a, b, c).elements, expected.elements)
          << form.name();
    }
}

/// One row of A and one column of B are given, all else is zero; d[2][3].
uint64_t dot(const Form &form, const std::vector<double> &row,
             const std::vector<double> &column, double start,
             double bound = 0) {
  auto element = [](const std::vector<double> &values, unsigned k) {
    return k < values.size() ? values[k] : 0;
  };
  Matrix a = encode(form.a, form.m, form.k, [&](unsigned i, unsigned k) {
    return i == 2 ? element(row, k) : 0;
  });
  Matrix b = encode(form.b, form.k, 8, [&](unsigned k, unsigned j) {
    return j == 3 ? element(column, k) : 0;
  });
  Matrix c = encode(form.sums, form.m, 8, [&](unsigned i, unsigned j) {
    return i == 2 && j == 3 ? start : 0;
  });
  return multiply(form, a, b, c, bound).at(2, 3);
}

TEST(MatrixMultiplyTest, SumsAscendAndRoundAtEveryStep) {
  for (const Form &form : floatForms()) {
    if (form.sums != "f32")
      continue;
    // 2^24 + 1 is a tie and goes to 2^24, twice.
    EXPECT_EQ(dot(form, {1, 1}, {1, 1}, 0x1p24, 2), bits(0x1p24f))
        << form.name();
    EXPECT_EQ(dot(form, {1, 1}, {1, 2}, 0x1p24, 2), bits(0x1p24f + 2))
        << form.name();
    // From the last k on it would be 1.
    EXPECT_EQ(dot(form, {0x1p8, 1, -1}, {0x1p8, 0x1p-8, 0x1p8}, -0x1p16 + 256,
                  0x1p-6),
              bits(0x1p-8f))
        << form.name();
    if (bitsOf(form.a) > 8) {
      EXPECT_EQ(dot(form, {4096, 1, -4096}, {4096, 1, 4096}, 0, 1), bits(0.0f))
          << form.name();
    }
  }
  Form doubles{8, 4, "f64", "f64", "f64", "", ""};
  EXPECT_EQ(dot(doubles, {1, 1, -1}, {0x1p53, 1, 0x1p53}, 0), bits(0.0));
  // The product is not rounded: (1 + 2^-30)^2 - 1 - 2^-29 = 2^-60.
  EXPECT_EQ(dot(doubles, {1 + 0x1p-30}, {1 + 0x1p-30}, -1 - 0x1p-29),
            bits(0x1p-60));
}

TEST(MatrixMultiplyTest, ProductsOutOfRangeDoNotOverflow) {
  // 2^200 - 2^200 in products is not infinite as f32, but 2^100 * 2^100 is.
  Form form{16, 8, "bf16", "bf16", "f32", "", ""};
  EXPECT_EQ(dot(form, {0x1p100, 1}, {0x1p100, 1}, 0), bits(kInfinity));
  EXPECT_EQ(dot(form, {0x1p64}, {0x1p64}, -0x1.8p127), bits(0x1p126f));
  // 2^-140 * 2^-9 is the least subnormal; half of it is a tie, to 0.
  EXPECT_EQ(dot(form, {0x1p-126}, {0x1p-23}, 0), 1u);
  EXPECT_EQ(dot(form, {0x1p-126}, {0x1p-24}, 0, 0x1p-149), 0u);
  EXPECT_EQ(dot(form, {0x1p-126}, {0x1.8p-24}, 0, 0x1p-149), 1u);
  EXPECT_EQ(dot(form, {0x1p-126}, {0x1p-24}, 0x1p-149, 0x1p-149), 2u);
}

TEST(MatrixMultiplyTest, HalfSumsRoundOnce) {
  for (const char *type : {"f16", "e4m3", "e5m2"}) {
    Form form{16, 16, type, type, "f16", "", ""};
    // In f16 2048 + 1 is 2048; the sum of all is rounded, not every step.
    EXPECT_EQ(dot(form, {1, 1}, {1, 1}, 2048), encode("f16", 2050));
    EXPECT_EQ(dot(form, {1}, {1}, 2048), encode("f16", 2048));
    EXPECT_EQ(dot(form, {1, 1, 1}, {1, 1, 1}, 2048), encode("f16", 2052));
    // The largest number is 65504; from 65520 on it is infinity.
    EXPECT_EQ(dot(form, {2}, {4}, 65504), 0x7bffu);
    EXPECT_EQ(dot(form, {4}, {4}, 65504), 0x7c00u);
    EXPECT_EQ(dot(form, {-256}, {256}, 0), 0xfc00u);
    EXPECT_EQ(dot(form, {0.125, -0.125}, {0.125, 0.125}, -0.0), 0u);
  }
}

TEST(MatrixMultiplyTest, RoundingOfDoubles) {
  auto run = [](const char *rounding) {
    Form form{8, 4, "f64", "f64", "f64", rounding, ""};
    return std::bit_cast<double>(dot(form, {0x1p-60}, {1}, 1));
  };
  EXPECT_EQ(run(".rn"), 1);
  EXPECT_EQ(run(".rz"), 1);
  EXPECT_EQ(run(".rm"), 1);
  EXPECT_EQ(run(".rp"), 1 + 0x1p-52);
  Form down{16, 8, "f64", "f64", "f64", ".rm", ""};
  EXPECT_EQ(std::bit_cast<double>(dot(down, {-0x1p-60}, {1}, -1)),
            -1 - 0x1p-52);
}

/// D of a form whose A, B and C are filled with single bit patterns.
uint64_t filled(const Form &form, uint64_t a, uint64_t b, uint64_t c) {
  Matrix left(form.m, form.k), right(form.k, 8), sums(form.m, 8);
  std::fill(left.elements.begin(), left.elements.end(), a);
  std::fill(right.elements.begin(), right.elements.end(), b);
  std::fill(sums.elements.begin(), sums.elements.end(), c);
  Matrix d = multiply(form, left, right, sums);
  EXPECT_THAT(d.elements, Each(d.at(0, 0))) << form.name();
  return d.at(0, 0);
}

TEST(MatrixMultiplyTest, NegativeZero) {
  for (const Form &form : floatForms()) {
    const uint64_t minus = encode(form.sums, -0.0);
    auto a = [&](double value) { return encode(form.a, value); };
    auto b = [&](double value) { return encode(form.b, value); };
    // Sums of doubles are those of IEEE 754, of the others zeros are +0.
    EXPECT_EQ(filled(form, a(-0.0), b(1), minus),
              form.sums == "f64" ? minus : 0)
        << form.name();
    EXPECT_EQ(filled(form, a(-0.0), b(-1), minus), 0u) << form.name();
    EXPECT_EQ(filled(form, a(0.0), b(1), minus), 0u) << form.name();
    EXPECT_EQ(filled(form, a(-0.0), b(1), 0), 0u) << form.name();
  }
}

/// Infinity and a NaN with a payload.
uint64_t infinityOf(const std::string &type) {
  return type == "e5m2"   ? 0x7c
         : type == "f16"  ? 0x7c00
         : type == "bf16" ? 0x7f80
         : type == "f64"  ? bits(__builtin_inf())
                          : bits(kInfinity);
}
uint64_t nanOf(const std::string &type) {
  const unsigned quiet = type == "f16" ? 9 : type == "bf16" ? 6 : 22;
  return type == "e4m3"   ? 0xff
         : type == "e5m2" ? 0x7d
         : type == "f64"  ? infinityOf(type) | 5
                          : infinityOf(type) | 1u << (quiet - 1);
}

TEST(MatrixMultiplyTest, NaNAndInfinity) {
  for (const Form &form : floatForms()) {
    const uint64_t nan = form.sums == "f16"   ? 0x7fff
                         : form.sums == "f64" ? uint64_t(0x7ff8) << 48
                                              : kCanonicalNaN;
    const uint64_t one = encode(form.b, 1), infinity = infinityOf(form.sums);
    const uint64_t minus = infinity | uint64_t(1) << (bitsOf(form.sums) - 1);
    EXPECT_EQ(filled(form, nanOf(form.a), one, 0), nan) << form.name();
    EXPECT_EQ(filled(form, 0, nanOf(form.b), 0), nan) << form.name();
    EXPECT_EQ(filled(form, 0, one, nanOf(form.sums)), nan) << form.name();
    EXPECT_EQ(filled(form, encode(form.a, 1), one, minus), minus)
        << form.name();
    if (form.a == "e4m3") // Has no infinities.
      continue;
    EXPECT_EQ(filled(form, infinityOf(form.a), one, 0), infinity)
        << form.name();
    EXPECT_EQ(filled(form, infinityOf(form.a), one, minus), nan) << form.name();
    EXPECT_EQ(filled(form, infinityOf(form.a), 0, 0), nan) << form.name();
  }
}

TEST(MatrixMultiplyTest, EveryEightBitFloat) {
  for (const std::string type : {"e4m3", "e5m2"}) {
    Form form{16, 16, type, type, "f32", "", ""};
    const int fraction = type == "e4m3" ? 3 : 2, bias = type == "e4m3" ? 7 : 15;
    for (unsigned code = 0; code < 256; ++code) {
      const int field = static_cast<int>(code & 0x7f) >> fraction;
      const int units = static_cast<int>(code & ((1u << fraction) - 1));
      double value =
          field ? std::ldexp(units + (1 << fraction), field - bias - fraction)
                : std::ldexp(units, 1 - bias - fraction);
      value = code & 0x80 ? -value : value;
      uint32_t expected = bits(static_cast<float>(16 * value));
      if (type == "e4m3" ? (code & 0x7f) == 0x7f : field == 31 && units)
        expected = kCanonicalNaN;
      else if (type == "e5m2" && field == 31)
        expected = code & 0x80 ? bits(-kInfinity) : bits(kInfinity);
      if (value == 0)
        expected = 0; // Whatever the signs of the products.
      EXPECT_EQ(filled(form, code, encode(type, 1), code & 0x80 ? 1u << 31 : 0),
                expected)
          << type << " " << code;
    }
  }
}

TEST(MatrixMultiplyTest, TensorFloatsIgnoreTheirLowBits) {
  Form form{16, 4, "tf32", "tf32", "f32", "", ""};
  EXPECT_EQ(filled(form, bits(1.0f) | 0x1fff, bits(-0.25f) | 0x1fff, 0),
            bits(-1.0f));
  EXPECT_EQ(filled(form, 0x1fff, bits(1.0f), 0), 0u);
  // A NaN whose payload lies there is infinity.
  EXPECT_EQ(filled(form, 0x7f801fff, bits(1.0f), 0), bits(kInfinity));
}

TEST(MatrixMultiplyTest, RoundingStaysWithinItsBound) {
  Noise random{9};
  for (const Form &form : floatForms()) {
    if (form.sums != "f32")
      continue;
    // Numbers of four binary digits in [-2, 2], which all types have.
    auto numbers = [&](unsigned count) {
      std::vector<double> values(count);
      for (double &value : values)
        value = std::ldexp(static_cast<int>(random.next() % 8) - 4,
                           -static_cast<int>(random.next() % 8));
      return values;
    };
    auto a = numbers(form.m * form.k), b = numbers(form.k * 8);
    auto c = numbers(form.m * 8);
    std::vector<double> exact = c, size = c;
    for (unsigned i = 0; i < form.m * 8; ++i) {
      size[i] = std::fabs(c[i]);
      for (unsigned k = 0; k < form.k; ++k) {
        const double product = a[i / 8 * form.k + k] * b[k * 8 + i % 8];
        exact[i] += product;
        size[i] += std::fabs(product);
      }
    }
    const double most = *std::max_element(size.begin(), size.end());
    Matrix d =
        multiply(form, encodeAll(form.a, form.m, form.k, a),
                 encodeAll(form.b, form.k, 8, b),
                 encodeAll("f32", form.m, 8, c), most * form.k * 0x1p-22);
    for (unsigned i = 0; i < form.m * 8; ++i)
      EXPECT_LE(
          std::fabs(fromBits(static_cast<uint32_t>(d.elements[i])) - exact[i]),
          size[i] * form.k * 0x1p-24)
          << form.name();
  }
}

TEST(MatrixMultiplyTest, SubnormalsStay) {
  Form halves{16, 8, "f16", "f16", "f32", "", ""};
  EXPECT_EQ(filled(halves, 1, encode("f16", 0.125), 0), bits(0x1p-24f));
  Form sums{16, 8, "f16", "f16", "f16", "", ""};
  EXPECT_EQ(filled(sums, encode("f16", 0x1p-14), encode("f16", 0x1p-13), 3),
            4u); // 3 * 2^-24 + 8 * 2^-27
  Form tensor{16, 4, "tf32", "tf32", "f32", "", ""};
  EXPECT_EQ(filled(tensor, 0x2000, bits(0.25f), 5), 0x2005u);
}

TEST(MatrixMultiplyTest, IntegersWrapOrSaturate) {
  auto sum = [](const char *options, double a, double start) {
    Form form{16, 32, "s8", "u8", "s32", options, ""};
    return static_cast<int32_t>(dot(form, {a, a}, {2, 3}, start));
  };
  EXPECT_EQ(sum("", 100, INT32_MAX), INT32_MIN + 499);
  EXPECT_EQ(sum(".satfinite", 100, INT32_MAX), INT32_MAX);
  EXPECT_EQ(sum("", -100, INT32_MIN), INT32_MAX - 499);
  EXPECT_EQ(sum(".satfinite", -100, INT32_MIN), INT32_MIN);
  EXPECT_EQ(sum(".satfinite", -100, INT32_MAX), INT32_MAX - 500);
  // The sum is clamped when it is complete.
  std::vector<double> there(17), back(17, 1);
  there.front() = 100;
  there.back() = -100;
  Form clamped{16, 32, "s8", "s8", "s32", ".satfinite", ""};
  EXPECT_EQ(dot(clamped, there, back, INT32_MAX), uint32_t(INT32_MAX));
  // The extremes of the elements.
  Form low{16, 64, "s4", "s4", "s32", "", ""};
  EXPECT_EQ(filled(low, 8, 8, 0), 64u * 64);
  EXPECT_EQ(filled(low, 8, 7, 0), static_cast<uint32_t>(-56 * 64));
  Form high{16, 32, "u8", "u8", "s32", "", ""};
  EXPECT_EQ(filled(high, 255, 255, 0), 255u * 255 * 32);
}

TEST(MatrixMultiplyTest, AResultMayLieInItsSources) {
  // D lies in the registers of A, and C is read backwards.
  const std::string body = R"(
    .reg .b32 %a<4>, %b<2>, %c<4>;
    mov.u32 %a0, 0x3c003c00; mov.u32 %a1, %a0; mov.u32 %a2, %a0;
    mov.u32 %a3, %a0; mov.u32 %b0, 0x40004000; mov.u32 %b1, %b0;
    mov.u32 %c0, 0x3f800000; mov.u32 %c1, 0; mov.u32 %c2, 0; mov.u32 %c3, 0;
    mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
      {%a0, %a1, %a2, %a3}, {%a0, %a1, %a2, %a3}, {%b0, %b1},
      {%c3, %c2, %c1, %c0};
    mov.u32 %t0, %tid.x; ld.param.u64 %w0, [p]; mad.wide.u32 %w0, %t0, 16, %w0;
    st.global.v4.b32 [%w0], {%a0, %a1, %a2, %a3};)";
  KernelRun run(kernel(body, ".param .u64 p"), "k");
  const size_t out = run.buffer(f32s(64 * 4));
  run.config.block.x = 64;
  ASSERT_TRUE(run.launch());
  const f32s result = run.read<float>(out);
  for (unsigned thread = 0; thread < 64; ++thread)
    EXPECT_THAT(
        f32s(&result[size_t(4) * thread], &result[size_t(4) * thread] + 4),
        ElementsAre(32, 32, 32, 33));
}

std::string anyProduct() {
  return ".reg .b32 %x<4>;\nmma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
         "{%x0, %x1, %x2, %x3}, {%x0, %x1, %x2, %x3}, {%x0, %x1}, "
         "{%x0, %x1, %x2, %x3};";
}

std::string runWith(const std::string &body, unsigned threads) {
  LaunchConfig config;
  config.block.x = threads;
  return runMessage(kernel(body), config);
}

TEST(MatrixMultiplyTest, NeedsTheWholeWarp) {
  EXPECT_EQ(runWith(anyProduct(), 32), "ran");
  EXPECT_THAT(runWith("mov.u32 %t0, %laneid; setp.lt.u32 %p0, %t0, 12;\n"
                      "@%p0 bra SKIP;\n" +
                          anyProduct() + "\nSKIP:",
                      32),
              HasSubstr("an aligned instruction needs all 32 threads of the "
                        "warp together; lanes 0xfffff000 are here, and "
                        "0xffffffff have not exited"));
  EXPECT_THAT(runWith("mov.u32 %t0, %laneid; setp.lt.u32 %p0, %t0, 4;\n"
                      "@%p0 exit;\n" +
                          anyProduct(),
                      32),
              HasSubstr("lanes 0xfffffff0 are here, and 0xfffffff0 have not "
                        "exited"));
  EXPECT_THAT(runWith(anyProduct(), 33),
              HasSubstr("thread (32, 0, 0), PTX line"));
}

TEST(MatrixMultiplyTest, WhatItRefuses) {
  auto load = [](const std::string &form, const std::string &operands) {
    return loadMessage(kernel(".reg .b32 %x<8>;\nmma.sync.aligned." + form +
                              " " + operands + ";"));
  };
  const std::string four = "{%x0,%x1,%x2,%x3}", two = "{%x0,%x1}";
  const std::string usual = four + "," + four + "," + two + "," + four;
  EXPECT_EQ(load("m16n8k16.row.col.f32.bf16.bf16.f32", usual), "loaded");
  // Other shapes, layouts and types are no instructions.
  for (const char *form :
       {"m16n8k4.row.col.f32.f16.f16.f32", "m16n8k32.row.col.f32.f16.f16.f32",
        "m16n8k16.col.col.f32.f16.f16.f32", "m16n8k16.row.col.f32.f16.f16.f16",
        "m16n8k16.row.col.f32.f16.bf16.f32",
        "m16n8k16.row.col.f16.bf16.bf16.f16",
        "m16n8k16.row.col.satfinite.f32.f16.f16.f32",
        "m8n8k16.row.col.f32.e4m3.e4m3.f32", "m16n8k8.row.col.s32.s8.s8.s32",
        "m16n8k32.row.col.s32.s8.u4.s32", "m16n16k16.row.col.f32.f16.f16.f32",
        "m16n8k24.row.col.f32.f16.f16.f32", "m16n8k16.row.col.f32.f16.f16"})
    EXPECT_THAT(
        load(form, usual),
        HasSubstr("PTX line 11: unknown instruction 'mma.sync.aligned." +
                  std::string(form)));
  EXPECT_THAT(load("m8n8k4.row.col.f32.f16.f16.f32", usual),
              HasSubstr("m8n8k4 of .f16 is not supported by the machine; "
                        "m16n8k8 and m16n8k16 are"));
  EXPECT_THAT(load("m16n8k32.row.col.kind::f8f6f4.f32.e4m3.e2m1.f32", usual),
              HasSubstr("mma with a .kind is not supported by the machine"));
  EXPECT_THAT(load("m16n8k128.row.col.s32.b1.b1.s32.or.popc", usual),
              HasSubstr("an operation on bits must be .xor.popc or .and.popc"));
  EXPECT_THAT(loadMessage(kernel(
                  ".reg .b32 %x<8>;\nmma.sp.sync.aligned.m16n8k16.row.col.f32."
                  "f16.f16.f32 " +
                  usual + ", %x0, 0;")),
              HasSubstr("sparse matrices are not supported by the machine"));
  EXPECT_THAT(load("m16n8k16.row.col.f32.f16.f16.f32",
                   four + "," + two + "," + two + "," + four),
              HasSubstr("operand 2 has 2 registers where 4 are needed"));
  EXPECT_THAT(load("m16n8k16.row.col.f32.f16.f16.f32",
                   "{%w0,%x1,%x2,%x3}," + four + "," + two + "," + four),
              HasSubstr("'%w0' has 64 bits where 32 are needed"));
}

} // namespace
