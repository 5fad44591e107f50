//===- BitRange.h - One bit for every byte ----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which bytes are initialised. Several host threads may set bits of one word at
// once.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_BITRANGE_H
#define CTC_LIB_PTXMACHINE_CHECK_BITRANGE_H

#include <cstdint>

namespace ctc::ptx::check {

/// The bits of [first, first + count) that lie in the word of `first`.
constexpr uint64_t bitsInWord(uint64_t first, uint64_t count) {
  const uint64_t shift = first % 64, room = 64 - shift;
  const uint64_t low =
      count >= room ? ~uint64_t(0) >> shift : (uint64_t(1) << count) - 1;
  return low << shift;
}

/// Calls fn(word, mask) for the words of [first, first + count).
template <class Fn> void eachWord(uint64_t first, uint64_t count, Fn fn) {
  while (count) {
    const uint64_t mask = bitsInWord(first, count);
    fn(first / 64, mask);
    const uint64_t done = 64 - first % 64 < count ? 64 - first % 64 : count;
    first += done;
    count -= done;
  }
}

inline void setBits(uint64_t *bits, uint64_t first, uint64_t count,
                    bool value = true) {
  eachWord(first, count, [bits, value](uint64_t index, uint64_t mask) {
    uint64_t *word = bits + index;
    const uint64_t now = __atomic_load_n(word, __ATOMIC_RELAXED);
    if (value && (now & mask) != mask)
      __atomic_fetch_or(word, mask, __ATOMIC_RELAXED);
    else if (!value && (now & mask))
      __atomic_fetch_and(word, ~mask, __ATOMIC_RELAXED);
  });
}

inline bool allBits(const uint64_t *bits, uint64_t first, uint64_t count) {
  bool all = true;
  eachWord(first, count, [&](uint64_t index, uint64_t mask) {
    all &= (__atomic_load_n(bits + index, __ATOMIC_RELAXED) & mask) == mask;
  });
  return all;
}

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_BITRANGE_H
