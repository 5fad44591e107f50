//===- MatrixArithmetic.h - Products of small matrices ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What mma.sync and wgmma have in common: the elements of their operands as
// f32, and d += a * b in f32.
//
// The PTX ISA leaves open in which order and with what precision the products
// of floats are summed ("Matrix Fragments for mma...: the accumulation order
// and rounding are unspecified"). Here each element of d is a chain of f32
// fused multiply-adds
//
//   d[i][j] = fma(a[i][k], b[k][j], d[i][j])   for k = 0, 1, ..., depth - 1
//
// with every product exact and one rounding, to nearest even, at each step.
// Subnormals stay; a result of zero is +0, as an H200 has it. f16 accumulators
// are widened, summed in this way, and rounded to f16 once at the end of an
// instruction.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_MATRIXARITHMETIC_H
#define CTC_LIB_PTXMACHINE_FAMILIES_MATRIXARITHMETIC_H

#include "Families/Float8Functions.h"
#include "Families/HalfFunctions.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

/// A tf32 operand: an f32 whose low 13 bits the matrix instructions ignore.
struct TF32 {
  uint32_t bits;
};

CTC_SCALAR float toFloat(TF32 value) {
  return __builtin_bit_cast(float, value.bits & ~0x1fffu);
}

/// `count` elements of type T (Half, BHalf, TF32, E4M3, E5M2) that lie one
/// after the other at `from`, which needs no alignment, as f32. Exact.
template <class T>
CTC_SCALAR void expand(float *__restrict to, const void *__restrict from,
                       unsigned count) {
  const char *bytes = static_cast<const char *>(from);
  for (unsigned i = 0; i < count; ++i) {
    T element;
    __builtin_memcpy(&element, bytes + i * sizeof(T), sizeof(T));
    to[i] = toFloat(element);
  }
}

/// d += a * b for dense row-major matrices: d is rows x columns, a is rows x
/// depth, b is depth x columns. `rows` and `columns` are multiples of 8;
/// nothing needs to be aligned, and d overlaps neither a nor b. The
/// significands of a's and b's elements have at most 11 bits, as those of all
/// types above: then every level of the host computes the same bits. A NaN may
/// have any bits (see canonicalResults).
void multiplyAdd(float *d, const float *a, const float *b, unsigned rows,
                 unsigned columns, unsigned depth);

/// Makes every NaN of `values` the one that f32 instructions make, and -0 +0.
CTC_SCALAR void canonicalResults(float *values, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, values[i] + 0.0f);
    const bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
    values[i] = __builtin_bit_cast(float, isNan ? 0x7fffffffu : bits);
  }
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_MATRIXARITHMETIC_H
