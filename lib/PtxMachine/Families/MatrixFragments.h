//===- MatrixFragments.h - Matrices in the registers of a warp --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Matrix Fragments for mma". All fragments of 32-bit registers are
// made of one piece. In the row of a register lane 4 * g + t is word t of line
// g, so the row, read as bytes, is a matrix of 8 lines of 16 bytes:
//
//  * A: a line is a row of A, its bytes are consecutive k. Register i of a
//    matrix of 16 rows holds rows 8 * (i % 2) and up, of chunk i / 2 of k.
//  * B: a line is a column of B. Register i holds chunk i of k.
//  * C and D in 16 bits: a line is a row; register i holds rows 8 * i and up.
//  * C and D in 32 bits: lane 4 * g + t of register i is row g + 8 * (i / 2),
//    column 2 * t + i % 2.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_MATRIXFRAGMENTS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_MATRIXFRAGMENTS_H

#include "Families/MatrixArithmetic.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

constexpr unsigned kFragmentLines = 8;
constexpr unsigned kFragmentLineBytes = 16;
constexpr unsigned kFragmentWords = 4; ///< Of a line.

/// Integers as elements: their bits, the lowest ones if there are more.
struct S8 {
  uint8_t bits;
};
struct U8 {
  uint8_t bits;
};
struct S4 {
  uint8_t bits;
};
struct U4 {
  uint8_t bits;
};
CTC_SCALAR float toFloat(S8 value) { return static_cast<int8_t>(value.bits); }
CTC_SCALAR float toFloat(U8 value) { return value.bits; }
CTC_SCALAR float toFloat(S4 value) {
  return static_cast<float>(static_cast<int>((value.bits & 15u) ^ 8u) - 8);
}
CTC_SCALAR float toFloat(U4 value) {
  return static_cast<float>(value.bits & 15u);
}

template <class T> constexpr unsigned kElementBits = 8 * sizeof(T);
template <> inline constexpr unsigned kElementBits<S4> = 4;
template <> inline constexpr unsigned kElementBits<U4> = 4;

template <class T> constexpr unsigned kPerWord = 32 / kElementBits<T>;
/// Elements of a chunk: as much of k as a register holds.
template <class T> constexpr unsigned kPerChunk = kFragmentWords * kPerWord<T>;

template <class T> CTC_SCALAR float elementOf(uint32_t word, unsigned index) {
  return toFloat(T{static_cast<decltype(T::bits)>(static_cast<uint64_t>(word) >>
                                                  (index * kElementBits<T>))});
}

/// Register `slots[chunk * blocks + block]` holds 8 rows of A; `a` gets all of
/// them as a dense matrix of 8 * blocks rows and chunks * kPerChunk<T> columns.
template <class T>
CTC_SCALAR void loadLeft(float *a, const Warp &warp, const uint32_t *slots,
                         unsigned blocks, unsigned chunks) {
  const unsigned depth = chunks * kPerChunk<T>;
  for (unsigned chunk = 0; chunk < chunks; ++chunk)
    for (unsigned block = 0; block < blocks; ++block) {
      const char *from = warp.registers + slots[chunk * blocks + block];
      float *to = a + block * kFragmentLines * depth + chunk * kPerChunk<T>;
      for (unsigned line = 0; line < kFragmentLines; ++line)
        if constexpr (kElementBits<T> >= 8) {
          expand<T>(to + line * depth, from + line * kFragmentLineBytes,
                    kPerChunk<T>);
        } else {
          for (unsigned i = 0; i < kPerChunk<T>; ++i)
            to[line * depth + i] = elementOf<T>(
                static_cast<uint8_t>(from[line * kFragmentLineBytes + i / 2]),
                i % 2);
        }
    }
}

/// Register `slots[chunk]` holds 8 columns of B; `b` gets them as a dense
/// matrix of chunks * kPerChunk<T> rows and 8 columns.
template <class T>
CTC_SCALAR void loadRight(float *b, const Warp &warp, const uint32_t *slots,
                          unsigned chunks) {
  for (unsigned chunk = 0; chunk < chunks; ++chunk) {
    const auto *from = reinterpret_cast<const uint32_t *>(
        __builtin_assume_aligned(warp.registers + slots[chunk], 64));
    for (unsigned word = 0; word < kFragmentWords; ++word)
      for (unsigned i = 0; i < kPerWord<T>; ++i) {
        for (unsigned line = 0; line < kFragmentLines; ++line)
          b[line] = elementOf<T>(from[line * kFragmentWords + word], i);
        b += kFragmentLines;
      }
  }
}

/// Registers slots[2 * block] and slots[2 * block + 1] hold 8 x 8 accumulators
/// of 32 bits; `d` gets all of them, row by row.
template <class T>
CTC_SCALAR void loadSums(T *d, const Warp &warp, const uint32_t *slots,
                         unsigned blocks) {
  for (unsigned block = 0; block < blocks; ++block) {
    const auto *even =
        reinterpret_cast<const T *>(warp.registers + slots[2 * block]);
    const auto *odd =
        reinterpret_cast<const T *>(warp.registers + slots[2 * block + 1]);
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
      d[2 * lane] = even[lane];
      d[2 * lane + 1] = odd[lane];
    }
    d += 2 * kWarpSize;
  }
}

template <class T>
CTC_SCALAR void storeSums(const T *d, const Warp &warp, const uint32_t *slots,
                          unsigned blocks) {
  for (unsigned block = 0; block < blocks; ++block) {
    auto *even = reinterpret_cast<T *>(warp.registers + slots[2 * block]);
    auto *odd = reinterpret_cast<T *>(warp.registers + slots[2 * block + 1]);
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
      even[lane] = d[2 * lane];
      odd[lane] = d[2 * lane + 1];
    }
    d += 2 * kWarpSize;
  }
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_MATRIXFRAGMENTS_H
