//===- CanonicalLayout.h - The table of canonical layouts -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Canonical Layouts": the layouts of wgmma's matrices as shapes and
// strides, the way the table writes them, and evaluated as such: an index is
// split by its shape, the first part fastest, and each part has its stride in
// elements. A second witness beside
// lib/PtxMachine/Transfers/MatrixDescriptor.h.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_CANONICALLAYOUT_H
#define CTC_TEST_UNIT_PTXMACHINE_CANONICALLAYOUT_H

#include "Transfers/MatrixDescriptor.h"

#include <vector>

namespace ctc::ptx::testing {

constexpr Swizzle kSwizzles[] = {Swizzle::None, Swizzle::Bytes32,
                                 Swizzle::Bytes64, Swizzle::Bytes128};

struct Part {
  uint64_t shape; ///< 0: the last one, as many as there are.
  uint64_t stride;
};

inline uint64_t evaluate(const std::vector<Part> &parts, uint64_t index) {
  uint64_t sum = 0;
  for (const Part &part : parts) {
    uint64_t own = part.shape ? index % part.shape : index;
    index = part.shape ? index / part.shape : 0;
    sum += own * part.stride;
  }
  return sum;
}

/// Row and column of the table, with strides in elements of `bytes` bytes.
inline uint64_t canonicalElement(Swizzle swizzle, MatrixMajor major,
                                 uint64_t bytes, uint64_t LBO, uint64_t SBO,
                                 uint64_t mn, uint64_t k) {
  const uint64_t T = 16 / bytes;
  LBO /= bytes;
  SBO /= bytes;
  if (major == MatrixMajor::MN) {
    switch (swizzle) {
    case Swizzle::None: // ((T,1,m),(8,k)):((1,T,SBO),(1T,LBO))
      return evaluate({{T, 1}, {1, T}, {0, SBO}}, mn) +
             evaluate({{8, 1 * T}, {0, LBO}}, k);
    case Swizzle::Bytes32: // ((T,2,m),(8,k)):((1,T,LBO),(2T,SBO))
      return evaluate({{T, 1}, {2, T}, {0, LBO}}, mn) +
             evaluate({{8, 2 * T}, {0, SBO}}, k);
    case Swizzle::Bytes64: // ((T,4,m),(8,k)):((1,T,LBO),(4T,SBO))
      return evaluate({{T, 1}, {4, T}, {0, LBO}}, mn) +
             evaluate({{8, 4 * T}, {0, SBO}}, k);
    case Swizzle::Bytes128: // ((T,8,m),(8,k)):((1,T,LBO),(8T,SBO))
      return evaluate({{T, 1}, {8, T}, {0, LBO}}, mn) +
             evaluate({{8, 8 * T}, {0, SBO}}, k);
    }
  }
  switch (swizzle) {
  case Swizzle::None: // ((8,m),(T,2k)):((1T,SBO),(1,LBO))
    return evaluate({{8, 1 * T}, {0, SBO}}, mn) +
           evaluate({{T, 1}, {0, LBO}}, k);
  case Swizzle::Bytes32: // ((8,m),(T,2k)):((2T,SBO),(1,T))
    return evaluate({{8, 2 * T}, {0, SBO}}, mn) + evaluate({{T, 1}, {0, T}}, k);
  case Swizzle::Bytes64: // ((8,m),(T,2k)):((4T,SBO),(1,T))
    return evaluate({{8, 4 * T}, {0, SBO}}, mn) + evaluate({{T, 1}, {0, T}}, k);
  case Swizzle::Bytes128: // ((8,m),(T,2k)):((8T,SBO),(1,T))
    return evaluate({{8, 8 * T}, {0, SBO}}, mn) + evaluate({{T, 1}, {0, T}}, k);
  }
  return 0;
}

/// The table's Swizzle<B, 4, 3> on an address: B bits from bit 4 on are XORed
/// with the B bits from bit 7 on.
inline uint64_t canonicalSwizzle(uint64_t address, Swizzle swizzle) {
  const unsigned B = swizzle == Swizzle::None      ? 0
                     : swizzle == Swizzle::Bytes32 ? 1
                     : swizzle == Swizzle::Bytes64 ? 2
                                                   : 3;
  for (unsigned bit = 0; bit < B; ++bit)
    if (address >> (7 + bit) & 1)
      address ^= uint64_t(1) << (4 + bit);
  return address;
}

/// The shared address of an element, for a base offset of 0.
inline uint64_t canonicalAddress(const MatrixDescriptor &d, MatrixMajor major,
                                 uint64_t bytes, uint64_t mn, uint64_t k) {
  return canonicalSwizzle(
      d.start + bytes * canonicalElement(d.swizzle, major, bytes,
                                         d.leadingBytes, d.strideBytes, mn, k),
      d.swizzle);
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_CANONICALLAYOUT_H
