//===- MatrixDescriptorTest.cpp - Matrices of wgmma in shared memory ------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/MatrixDescriptor.h"

#include <gtest/gtest.h>

#include "CanonicalLayout.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

TEST(MatrixDescriptorTest, Fields) {
  // Start 0x1230, leading 0x100, stride 0x400, base offset 5, 64 bytes.
  uint64_t bits = 0x123 | uint64_t(0x10) << 16 | uint64_t(0x40) << 32 |
                  uint64_t(5) << 49 | uint64_t(2) << 62;
  EXPECT_EQ(decodeMatrixDescriptor(bits),
            (MatrixDescriptor{0x1230, 0x100, 0x400, 5, Swizzle::Bytes64}));
  EXPECT_EQ(decodeMatrixDescriptor(0), MatrixDescriptor{});
  EXPECT_EQ(decodeMatrixDescriptor(~uint64_t(0)),
            (MatrixDescriptor{0x3fff0, 0x3fff0, 0x3fff0, 7, Swizzle::Bytes32}));
  EXPECT_EQ(decodeMatrixDescriptor(uint64_t(1) << 62).swizzle,
            Swizzle::Bytes128);
}

TEST(MatrixDescriptorTest, FreeBitsAreThoseOfNoField) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    bool ofField =
        decodeMatrixDescriptor(uint64_t(1) << bit) != MatrixDescriptor{};
    EXPECT_EQ(kDescriptorFreeBits >> bit & 1, !ofField) << bit;
  }
}

/// The figures of the PTX ISA, "Strides", that give an exact layout, by their
/// strides; the elements asked for are worked from that layout by hand.
TEST(MatrixDescriptorTest, ExactLayoutsOfTheFigures) {
  // K-major, no swizzling, tf32: ((8,2),(4,4)):((4,32),(1,64)) elements.
  MatrixDescriptor d{0, 64 * 4, 32 * 4, 0, Swizzle::None};
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 0, 3), 3u * 4);
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 1, 0), 4u * 4);
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 8, 0), 32u * 4);
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 9, 5), (4 + 32 + 1 + 64) * 4u);
  // K-major, 32 bytes, tf32: ((8,2),(4,4)):((8,64),(1,4)), then bit 4 ^= bit 7.
  d = {0, 0, 64 * 4, 0, Swizzle::Bytes32};
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 3, 5), (3 * 8 + 1 + 4) * 4u);
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 4, 5),
            (4 * 8 + 1 + 4) * 4u - 16);
  EXPECT_EQ(elementAddress(d, MatrixMajor::K, 4, 12, 0),
            (4 * 8 + 64) * 4u + 16);
  // MN-major, none, bf16: ((8,1,2),(8,2)):((1,8,64),(8,128)).
  d = {0, 128 * 2, 64 * 2, 0, Swizzle::None};
  EXPECT_EQ(elementAddress(d, MatrixMajor::MN, 2, 9, 0), (64 + 1) * 2u);
  EXPECT_EQ(elementAddress(d, MatrixMajor::MN, 2, 7, 10), (7 + 16 + 128) * 2u);
  // MN-major, 32 bytes, bf16: ((8,2,2),(8,2)):((1,8,128),(16,256)).
  d = {0, 128 * 2, 256 * 2, 0, Swizzle::Bytes32};
  EXPECT_EQ(elementAddress(d, MatrixMajor::MN, 2, 17, 0), (128 + 1) * 2u);
  EXPECT_EQ(elementAddress(d, MatrixMajor::MN, 2, 8, 12),
            (8 + 4 * 16 + 256) * 2u - 16);
  // MN-major, 64 bytes, bf16: ((8,4,2),(8,2)):((1,8,256),(32,512)).
  d = {0, 256 * 2, 512 * 2, 0, Swizzle::Bytes64};
  EXPECT_EQ(elementAddress(d, MatrixMajor::MN, 2, 33, 0), (256 + 1) * 2u);
  // k = 5: byte 5 * 64 = 320, bits 7-8 are 2, so chunk 3 becomes chunk 1.
  EXPECT_EQ(elementAddress(d, MatrixMajor::MN, 2, 24, 5), 320u + 16);
}

TEST(MatrixDescriptorTest, CanonicalLayouts) {
  for (Swizzle swizzle : kSwizzles)
    for (MatrixMajor major : {MatrixMajor::K, MatrixMajor::MN})
      for (unsigned bytes : {1, 2, 4}) {
        MatrixDescriptor d{3072, 4096, 8192 + 2048, 0, swizzle};
        for (unsigned mn = 0; mn < 256; ++mn)
          for (unsigned k = 0; k < 32 / bytes; ++k)
            ASSERT_EQ(elementAddress(d, major, bytes, mn, k),
                      canonicalAddress(d, major, bytes, mn, k))
                << "element (" << mn << ", " << k << ") of " << bytes;
      }
}

/// A tile that does not start at a multiple of its pattern: with the base
/// offset of its start it has the layout of one that does.
TEST(MatrixDescriptorTest, TheBaseOffsetMovesThePattern) {
  for (Swizzle swizzle :
       {Swizzle::Bytes32, Swizzle::Bytes64, Swizzle::Bytes128})
    for (uint32_t base = 0; base < 8; ++base)
      for (unsigned mn = 0; mn < 16; ++mn)
        for (unsigned k = 0; k < 8; ++k) {
          MatrixDescriptor aligned{8192, 0, 1024, 0, swizzle};
          MatrixDescriptor moved{8192 + base * 128, 0, 1024, base, swizzle};
          EXPECT_EQ(elementAddress(moved, MatrixMajor::K, 4, mn, k),
                    elementAddress(aligned, MatrixMajor::K, 4, mn, k) +
                        base * 128);
        }
}

/// Steps along K within a swizzled row: the start moves by 32 bytes and the
/// pattern stays where it is.
TEST(MatrixDescriptorTest, StepsWithinASwizzledRow) {
  MatrixDescriptor whole{2048, 0, 1024, 0, Swizzle::Bytes128};
  MatrixDescriptor second = whole;
  second.start += 32;
  // Row 3: chunks 2 and 3 of the row lie at chunks 2 ^ 3 and 3 ^ 3.
  EXPECT_EQ(chunkAddress(second, MatrixMajor::K, 3, 0), 2048u + 3 * 128 + 16);
  EXPECT_EQ(chunkAddress(second, MatrixMajor::K, 3, 1), 2048u + 3 * 128);
}

} // namespace
