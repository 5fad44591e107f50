//===- WgmmaTest.cpp - wgmma.mma_async ------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WgmmaTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

struct Types {
  Element d, a, b;
};

/// All that the ISA has.
std::vector<Types> allTypes() {
  std::vector<Types> result = {{kF32, kTF32, kTF32},
                               {kF32, kBF16, kBF16},
                               {kF32, kF16, kF16},
                               {kF16, kF16, kF16}};
  for (Element a : {kE4M3, kE5M2})
    for (Element b : {kE4M3, kE5M2})
      for (Element d : {kF32, kF16})
        result.push_back({d, a, b});
  for (Element a : {kS8, kU8})
    for (Element b : {kS8, kU8})
      result.push_back({kS32, a, b});
  return result;
}

bool isColumnCount(const Types &types, unsigned columns) {
  return !types.a.isInteger() || columns <= 32 || columns % 16 == 0;
}

WgmmaCase caseOf(const Types &types, unsigned columns) {
  WgmmaCase test;
  test.d = types.d;
  test.a = types.a;
  test.b = types.b;
  test.columns = columns;
  return test;
}

TEST(WgmmaTest, EveryTypeAndWidth) {
  unsigned turn = 0;
  for (const Types &types : allTypes())
    for (unsigned columns = 8; columns <= 256; columns += 8) {
      if (!isColumnCount(types, columns))
        continue;
      WgmmaCase test = caseOf(types, columns);
      test.aInRegisters = turn % 2;
      test.aStorage.swizzle = kSwizzles[turn / 2 % 4];
      test.bStorage.swizzle = kSwizzles[turn / 3 % 4];
      ++turn;
      ASSERT_EQ(checkCase(test), "");
    }
}

TEST(WgmmaTest, EveryLayout) {
  for (const Types &types : allTypes())
    for (Swizzle a : kSwizzles)
      for (Swizzle b : kSwizzles)
        for (MatrixMajor aMajor : {MatrixMajor::K, MatrixMajor::MN})
          for (MatrixMajor bMajor : {MatrixMajor::K, MatrixMajor::MN}) {
            if (types.a.bytes != 2 &&
                (aMajor == MatrixMajor::MN || bMajor == MatrixMajor::MN))
              continue;
            WgmmaCase test = caseOf(types, 80);
            test.aStorage = {aMajor, a};
            test.bStorage = {bMajor, b};
            ASSERT_EQ(checkCase(test), "");
          }
}

TEST(WgmmaTest, AFromRegisters) {
  for (const Types &types : allTypes())
    for (Swizzle b : kSwizzles)
      for (MatrixMajor bMajor : {MatrixMajor::K, MatrixMajor::MN}) {
        if (types.a.bytes != 2 && bMajor == MatrixMajor::MN)
          continue;
        WgmmaCase test = caseOf(types, 96);
        test.aInRegisters = true;
        test.bStorage = {bMajor, b};
        ASSERT_EQ(checkCase(test), "");
      }
}

TEST(WgmmaTest, ScaleD) {
  for (const Types &types : allTypes()) {
    WgmmaCase test = caseOf(types, 16);
    test.scaleD = "0";
    EXPECT_EQ(checkCase(test, /*accumulates=*/false), "");
    test.scaleD = "%p0";
    EXPECT_EQ(checkCase(test), "");
    test.scaleD = "!%p0";
    EXPECT_EQ(checkCase(test, /*accumulates=*/false), "");
  }
}

TEST(WgmmaTest, NegatedOperands) {
  for (const Types &types : allTypes())
    for (int scaleA : {1, -1})
      for (int scaleB : {1, -1}) {
        if (types.a.isInteger())
          continue;
        WgmmaCase test = caseOf(types, 24);
        test.scaleA = scaleA;
        test.scaleB = scaleB;
        EXPECT_EQ(checkCase(test), "");
      }
}

/// A few elements without any helper: bf16, both matrices without swizzling,
/// where chunks of a group of 8 rows follow each other and a stride of 256
/// bytes leads to the next group. D is written as registers.
TEST(WgmmaTest, WorkedByHand) {
  WgmmaData data;
  data.shared.assign(4096, 0);
  data.dRegisters.assign(128, u32s(4, bits(100.0f)));
  auto put = [&](unsigned at, uint16_t value) {
    std::memcpy(&data.shared[at], &value, 2);
  };
  // A at 0: row 3, k = 0 is 2.0; row 3, k = 9 is -3.0; row 60, k = 15 is 5.0.
  put(3 * 16, 0x4000);
  put(128 + 3 * 16 + 2, 0xc040);
  put(7 * 256 + 128 + 4 * 16 + 14, 0x40a0);
  // B at 2048, eight columns: column 1, k = 0 is 4.0; column 1, k = 9 is 0.5;
  // column 6, k = 15 is 7.0.
  put(2048 + 16, 0x4080);
  put(2048 + 128 + 16 + 2, 0x3f00);
  put(2048 + 128 + 6 * 16 + 14, 0x40e0);
  data.a = 0 | uint64_t(128 / 16) << 16 | uint64_t(256 / 16) << 32;
  data.b = 2048 / 16 | uint64_t(128 / 16) << 16 | uint64_t(256 / 16) << 32;
  ASSERT_EQ(runWgmma("wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
                     "{%d0, %d1, %d2, %d3}, %w4, %w5, 1, 1, 1, 0, 0;",
                     data),
            "");
  // (3, 1): 100 + 8 - 1.5, in thread 12, register 1. (60, 6): 100 + 35, in warp
  // 3, lane 4 * 4 + 3, register 2.
  EXPECT_EQ(data.dRegisters[12][1], bits(106.5f));
  EXPECT_EQ(data.dRegisters[96 + 19][2], bits(135.0f));
  unsigned changed = 0;
  for (const u32s &registers : data.dRegisters)
    for (uint32_t value : registers)
      changed += value != bits(100.0f);
  EXPECT_EQ(changed, 2u);
}

/// What every element of D = a * b + d becomes; the other products are 0 * 0.
uint32_t uniform(WgmmaCase test, uint32_t a, uint32_t b, uint32_t d,
                 double open = 0) {
  test.aInRegisters = true;
  WgmmaData data = layOut(test, smallMatrices(test));
  for (unsigned k = 0; k < test.depth(); ++k) {
    for (unsigned row = 0; row < 64; ++row)
      setA(data, test.a, row, k, k ? 0 : a);
    for (unsigned column = 0; column < test.columns; ++column)
      setShared(data, place(test.bStorage, 1024, test.columns),
                test.bStorage.major, test.b, column, k, k ? 0 : b);
  }
  for (u32s &registers : data.dRegisters)
    registers.assign(test.registersOfD(), test.d.bytes == 2 ? d | d << 16 : d);
  EXPECT_EQ(runWgmma(bodyOf(test), data, gpuElement(test.d), open), "");
  for (const u32s &registers : data.dRegisters)
    for (uint32_t word : registers)
      EXPECT_EQ(word, data.dRegisters[0][0]);
  return data.dRegisters[0][0];
}

TEST(WgmmaTest, NansAndZeros) {
  WgmmaCase bf16 = caseOf({kF32, kBF16, kBF16}, 8);
  EXPECT_EQ(uniform(bf16, 0x7fc1, 0x3f80, 0), kCanonicalNaN);
  EXPECT_EQ(uniform(bf16, 0x7f80, 0x0000, 0), kCanonicalNaN); // inf * 0
  EXPECT_EQ(uniform(bf16, 0x3f80, 0x3f80, 0xffc12345), kCanonicalNaN);
  EXPECT_EQ(uniform(bf16, 0x7f80, 0x3f80, bits(1.0f)), bits(kInfinity));
  // -0 + -0 * 1 is -0, but the products with +0 that follow are +0.
  EXPECT_EQ(uniform(bf16, 0x8000, 0x3f80, 0x80000000), 0u);
  // A subnormal of f32 is kept: 2^-133 * 1.
  EXPECT_EQ(uniform(bf16, 0x0001, 0x3f80, 0), 0x00010000u);
  WgmmaCase f16 = caseOf({kF16, kF16, kF16}, 8);
  EXPECT_EQ(uniform(f16, 0x7e00, 0x3c00, 0), 0x7fff7fffu);
  EXPECT_EQ(uniform(f16, 0x7bff, 0x4000, 0), 0x7c007c00u); // 65504 * 2
  // Rounded once: 2048 + 1 + 2^-10 is nearer to 2050 than to 2048.
  EXPECT_EQ(uniform(f16, 0x3c01, 0x3c00, 0x6800, /*open=*/2), 0x68016801u);
  WgmmaCase e4m3 = caseOf({kF32, kE4M3, kE4M3}, 8);
  EXPECT_EQ(uniform(e4m3, 0x7f, 0x38, 0), kCanonicalNaN);
  EXPECT_EQ(uniform(e4m3, 0x7e, 0x38, 0), bits(448.0f));
  EXPECT_EQ(uniform(e4m3, 0x01, 0x38, 0), bits(0x1p-9f));
  WgmmaCase e5m2 = caseOf({kF32, kE5M2, kE5M2}, 8);
  EXPECT_EQ(uniform(e5m2, 0x7c, 0x3c, 0), bits(kInfinity));
  EXPECT_EQ(uniform(e5m2, 0x01, 0x3c, 0), bits(0x1p-16f));
}

TEST(WgmmaTest, LowBitsOfTF32DoNotCount) {
  WgmmaCase tf32 = caseOf({kF32, kTF32, kTF32}, 8);
  EXPECT_EQ(uniform(tf32, 0x3f803fff, 0x40001fff, 0),
            bits(2.0f * (1 + 0x1p-10f)));
}

/// Products are added in the order of k, each with one rounding to f32.
TEST(WgmmaTest, OrderOfTheSum) {
  WgmmaCase test = caseOf({kF32, kBF16, kBF16}, 8);
  test.aInRegisters = true;
  WgmmaData data = layOut(test, smallMatrices(test));
  auto set = [&](unsigned k, uint16_t value) {
    for (unsigned row = 0; row < 64; ++row)
      setA(data, kBF16, row, k, value);
    for (unsigned column = 0; column < 8; ++column)
      setShared(data, place(test.bStorage, 1024, 8), MatrixMajor::K, kBF16,
                column, k, 0x3f80);
  };
  for (unsigned k = 0; k < 16; ++k)
    set(k, 0x3f80);
  set(2, 0x4b80);
  set(10, 0xcb80);
  for (u32s &registers : data.dRegisters)
    registers.assign(4, 0);
  ASSERT_EQ(runWgmma(bodyOf(test), data, ctc::gpu::Element::F32, /*open=*/16),
            "");
  // 1 + 1 + 2^24 + 1 is rounded to 2^24 + 4, where six more ones are lost; 2^24
  // less and five ones more make 9.
  EXPECT_EQ(data.dRegisters[77][3], bits(9.0f));
}

TEST(WgmmaTest, IntegersWrapOrSaturate) {
  WgmmaCase test = caseOf({kS32, kU8, kU8}, 8);
  EXPECT_EQ(uniform(test, 255, 255, 0x7fffffff), 0x7fffffffu + 65025u);
  test.saturates = true;
  EXPECT_EQ(uniform(test, 255, 255, 0x7fffffff), 0x7fffffffu);
  test.a = test.b = kS8;
  EXPECT_EQ(uniform(test, 0x80, 0x7f, 0x80000001), 0x80000000u);
  EXPECT_EQ(uniform(test, 0x80, 0x80, 0x80000001), 0x80000001u + 16384u);
  test.saturates = false;
  EXPECT_EQ(uniform(test, 0x80, 0x7f, 0x80000001), 0x80000001u - 16256u);
}

TEST(WgmmaTest, SatfiniteMayComeBeforeTheTypes) {
  WgmmaCase test = caseOf({kS32, kS8, kS8}, 8);
  WgmmaData data = layOut(test, smallMatrices(test));
  EXPECT_EQ(runWgmma("wgmma.mma_async.sync.aligned.m64n8k32.satfinite.s32.s8."
                     "s8 {%d0, %d1, %d2, %d3}, %w4, %w5, 1;",
                     data),
            "");
}

/// Registers may be in both D and A: A is read before D is written.
TEST(WgmmaTest, DMayBeA) {
  WgmmaCase test = caseOf({kF32, kBF16, kBF16}, 8);
  test.aInRegisters = true;
  test.scaleD = "0";
  const Matrices m = smallMatrices(test);
  WgmmaData data = layOut(test, m);
  data.dRegisters = data.aRegisters;
  ASSERT_EQ(runWgmma(test.instruction("{%d0, %d1, %d2, %d3}",
                                      "{%d0, %d1, %d2, %d3}", "%w5"),
                     data),
            "");
  int sum = 0;
  for (unsigned k = 0; k < 16; ++k)
    sum += m.a[37][k] * m.b[5][k];
  EXPECT_EQ(getD(data, kF32, 37, 5), encode(kF32, sum));
}

/// Two warpgroups: the second has its own rows of A.
TEST(WgmmaTest, RowsOfAWarpgroup) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      kernel(".reg .b32 %d<4>; mov.u32 %t0, %tid.x; shr.u32 %t1, %t0, 7;"
             "ld.param.u64 %w0, [out]; mad.wide.u32 %w0, %t0, 4, %w0;"
             // A: each of the 256 threads fills a row of 32 bytes with its
             // index as bf16 and zeros, B is 1 where k is 0.
             "mov.u32 %t2, smem; shl.b32 %t3, %t0, 4; add.u32 %t3, %t3, %t2;"
             "cvt.rn.f32.u32 %t4, %t0; shr.u32 %t4, %t4, 16;"
             "st.shared.v4.b32 [%t3], {%t4, 0, 0, 0};"
             "and.b32 %t5, %t0, 7; shl.b32 %t5, %t5, 4; add.u32 %t5, %t5, %t2;"
             "st.shared.v4.b32 [%t5+4096], {0x3f80, 0, 0, 0};"
             "st.shared.v4.b32 [%t5+4224], {0, 0, 0, 0}; bar.sync 0;"
             // The warpgroup's rows start at 1024 times its index; the second
             // halves of all rows are the zeros at 4224.
             "mul.wide.u32 %w1, %t1, 64; mov.u64 %w2, 0x0000000801080000;"
             "mul.wide.u32 %w3, %t1, 0x400000; sub.u64 %w2, %w2, %w3;"
             "add.u64 %w1, %w1, %w2; mov.u64 %w2, 0x0000000800080100;"
             "wgmma.fence.sync.aligned;"
             "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
             "{%d0, %d1, %d2, %d3}, %w1, %w2, 0, 1, 1, 0, 0;"
             "wgmma.commit_group.sync.aligned;"
             "wgmma.wait_group.sync.aligned 0; st.global.b32 [%w0], %d2;",
             ".param .u64 out", ".shared .align 1024 .b8 smem[8192];"),
      memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t out = *memory.allocate(1024);
  LaunchConfig config;
  config.block.x = 256;
  config.parameters = parameters({out});
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  const auto *result = reinterpret_cast<const float *>(out);
  for (unsigned thread = 0; thread < 256; ++thread) {
    const unsigned row = thread / 32 * 16 + thread % 32 / 4;
    EXPECT_EQ(result[thread], static_cast<float>(row + 8));
  }
}

} // namespace
