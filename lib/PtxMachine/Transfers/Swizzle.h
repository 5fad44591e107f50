//===- Swizzle.h - Swizzling modes of shared memory -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Tensors", "Swizzling modes", and "Asynchronous Warpgroup Level
// Matrix Shared Memory Layout": tensor copies write, and wgmma reads, shared
// memory with its 16-byte chunks permuted, so that a column of 8 rows touches
// every bank. A pattern spans 8 lines of 128 bytes (128B), 4 (64B: lines of
// two rows) or 2 (32B: of four rows); the chunk's index in its line is XORed
// with the line's index in the pattern.
//
// The permutation is one of absolute shared-memory addresses, not of offsets
// from a tile's start: it depends on where the tile lies.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_SWIZZLE_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_SWIZZLE_H

#include <cstdint>

namespace ctc::ptx {

enum class Swizzle : uint8_t { None, Bytes32, Bytes64, Bytes128 };

/// Bytes of a row that is permuted within itself: 16 (one chunk: nothing
/// moves), 32, 64 or 128.
constexpr uint32_t swizzleRowBytes(Swizzle swizzle) {
  return 16u << static_cast<unsigned>(swizzle);
}

/// Bytes after which the permutation repeats: 128 (none), 256, 512 or 1024.
/// A tile whose start is a multiple of it has the pattern of offset 0.
constexpr uint32_t swizzlePatternBytes(Swizzle swizzle) {
  return 8 * swizzleRowBytes(swizzle);
}

/// Where the byte that would lie at shared address `address` without swizzling
/// lies with it. It is its own inverse.
///
///   mode   address bits that change   are XORed with
///   32B    4                          7
///   64B    4, 5                       7, 8
///   128B   4, 5, 6                    7, 8, 9
constexpr uint64_t swizzleAddress(uint64_t address, Swizzle swizzle) {
  const uint64_t chunkBits = swizzleRowBytes(swizzle) - 16;
  return address ^ (address >> 3 & chunkBits);
}

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_SWIZZLE_H
