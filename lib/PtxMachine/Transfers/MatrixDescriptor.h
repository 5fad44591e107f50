//===- MatrixDescriptor.h - Matrices of wgmma in shared memory --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Asynchronous Warpgroup Level Matrix Shared Memory Layout", with
// "Strides", "Canonical Layouts" and "Matrix Descriptor Format".
//
// An operand of wgmma has rows along M (for A) or N (for B), here MN, and 32
// bytes along K. It lies in shared memory in chunks of 16 bytes, which are
// contiguous along its major dimension: 16 bytes along K of one row (K-major),
// or, for 16-bit types, 8 rows at one k (MN-major). Where a chunk lies, before
// swizzling, as an offset from the descriptor's start address; W is the number
// of chunks in a swizzled row (2, 4, 8):
//
//   K-major, chunk kc of row mn
//     no swizzle   (mn % 8) * 16       + (mn / 8) * stride + kc * leading
//     swizzled     (mn % 8) * 16 * W   + (mn / 8) * stride + kc * 16
//   MN-major, chunk mc (rows 8 mc to 8 mc + 7) of k
//     no swizzle   (k % 8) * 16        + (k / 8) * leading + mc * stride
//     swizzled     (k % 8) * 16 * W    + (k / 8) * stride  +
//                  (mc % W) * 16       + (mc / W) * leading
//
// The sum is an address of shared memory, whose bits are then permuted as
// Swizzle.h says. The permutation counts its rows from multiples of the
// pattern's size, shifted by the base offset in units of 128 bytes.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_MATRIXDESCRIPTOR_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_MATRIXDESCRIPTOR_H

#include "Transfers/Swizzle.h"

#include <cstdint>

namespace ctc::ptx {

/// The dimension along which elements are contiguous.
enum class MatrixMajor : uint8_t { K, MN };

constexpr unsigned kChunkBytes = 16;
/// Of one row along K, in every wgmma.
constexpr unsigned kMatrixRowBytes = 32;

struct MatrixDescriptor {
  uint32_t start = 0; ///< Shared address; a multiple of 16, as the strides.
  uint32_t leadingBytes = 0;
  uint32_t strideBytes = 0;
  uint32_t baseOffset = 0; ///< Of the swizzling pattern, in 128 bytes; 0 to 7.
  Swizzle swizzle = Swizzle::None;

  bool operator==(const MatrixDescriptor &) const = default;
};

/// Bits of a descriptor that have no meaning: 14-15, 30-31, 46-48, 52-61.
constexpr uint64_t kDescriptorFreeBits = 0x3ff1'c000'c000'c000;

/// The fields of a 64-bit descriptor: start 0-13, leading 16-29, stride 32-45
/// (each in units of 16 bytes), base offset 49-51, swizzle 62-63 (0: none, 1:
/// 128 bytes, 2: 64, 3: 32).
constexpr MatrixDescriptor decodeMatrixDescriptor(uint64_t bits) {
  auto field = [bits](unsigned first) {
    return static_cast<uint32_t>(bits >> first & 0x3fff) << 4;
  };
  constexpr Swizzle modes[] = {Swizzle::None, Swizzle::Bytes128,
                               Swizzle::Bytes64, Swizzle::Bytes32};
  return {field(0), field(16), field(32), static_cast<uint32_t>(bits >> 49 & 7),
          modes[bits >> 62]};
}

/// The shared address of a chunk: of row `mn` and chunk `k` (0, 1) of a K-major
/// matrix, or of rows 8 * `mn` and on at `k` of an MN-major one.
constexpr uint32_t chunkAddress(const MatrixDescriptor &descriptor,
                                MatrixMajor major, uint32_t mn, uint32_t k) {
  const bool plain = descriptor.swizzle == Swizzle::None;
  const uint32_t rowBytes = swizzleRowBytes(descriptor.swizzle);
  const uint32_t leading = descriptor.leadingBytes;
  const uint32_t stride = descriptor.strideBytes;
  uint32_t linear = descriptor.start;
  if (major == MatrixMajor::K) {
    linear += mn % 8 * rowBytes + mn / 8 * stride;
    linear += k * (plain ? leading : kChunkBytes);
  } else {
    const uint32_t chunks = rowBytes / kChunkBytes;
    linear += k % 8 * rowBytes + k / 8 * (plain ? leading : stride);
    linear += mn % chunks * kChunkBytes;
    linear += mn / chunks * (plain ? stride : leading);
  }
  const uint32_t base = descriptor.baseOffset * 128;
  return static_cast<uint32_t>(
             swizzleAddress(linear - base, descriptor.swizzle)) +
         base;
}

/// The shared address of element (`mn`, `k`), of `bytes` bytes (1, 2, 4).
constexpr uint32_t elementAddress(const MatrixDescriptor &descriptor,
                                  MatrixMajor major, uint32_t bytes,
                                  uint32_t mn, uint32_t k) {
  const uint32_t perChunk = kChunkBytes / bytes;
  if (major == MatrixMajor::K)
    return chunkAddress(descriptor, major, mn, k / perChunk) +
           k % perChunk * bytes;
  return chunkAddress(descriptor, major, mn / perChunk, k) +
         mn % perChunk * bytes;
}

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_MATRIXDESCRIPTOR_H
