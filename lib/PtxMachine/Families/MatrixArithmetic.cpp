//===- MatrixArithmetic.cpp - Products of small matrices ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families/MatrixArithmetic.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// `N` floats side by side, in one register of the host or in several.
template <unsigned N> using Floats __attribute__((vector_size(4 * N))) = float;

#if defined(CTC_PTX_TARGET) || defined(__FP_FAST_FMAF)
template <class V>
CTC_LANES CTC_SCALAR void addProducts(V &sum, float a, const V &b) {
  for (unsigned i = 0; i < sizeof(V) / 4; ++i)
    sum[i] = __builtin_fmaf(a, b[i], sum[i]);
}
#else
/// Without such an instruction in f64, where the product of two significands of
/// 11 bits is exact and never out of range. The sum is rounded to 53 bits and
/// then to 24, which is what one rounding gives: 53 >= 2 * 24 + 2 (Figueroa,
/// "When is double rounding innocuous?").
template <class V> CTC_SCALAR void addProducts(V &sum, float a, const V &b) {
  for (unsigned i = 0; i < sizeof(V) / 4; ++i)
    sum[i] = static_cast<float>(double(a) * double(b[i]) + double(sum[i]));
}
#endif

/// A block of d that stays in registers while k runs: Rows x (Vectors * N),
/// where V is N floats.
template <class V, unsigned Rows, unsigned Vectors>
CTC_LANES CTC_SCALAR void multiplyBlock(float *d, const float *a,
                                        const float *b, unsigned columns,
                                        unsigned depth) {
  V sum[Rows][Vectors];
  for (unsigned r = 0; r < Rows; ++r)
    __builtin_memcpy(sum[r], d + r * columns, sizeof(sum[r]));
  for (unsigned k = 0; k < depth; ++k) {
    V right[Vectors];
    __builtin_memcpy(right, b + k * columns, sizeof(right));
    for (unsigned r = 0; r < Rows; ++r) {
      const float left = a[r * depth + k];
      for (unsigned v = 0; v < Vectors; ++v)
        addProducts(sum[r][v], left, right[v]);
    }
  }
  for (unsigned r = 0; r < Rows; ++r)
    __builtin_memcpy(d + r * columns, sum[r], sizeof(sum[r]));
}

#if CTC_PTX_VECTOR_BYTES >= 32
constexpr unsigned kNarrowRows = 8;
#else
constexpr unsigned kNarrowRows = 2; ///< As many sums as there are registers.
#endif

/// All rows of a stripe of columns.
template <class V, unsigned Rows, unsigned Vectors>
CTC_LANES CTC_SCALAR void multiplyStripe(float *d, const float *a,
                                         const float *b, unsigned rows,
                                         unsigned columns, unsigned depth) {
  for (unsigned r = 0; r < rows; r += Rows)
    multiplyBlock<V, Rows, Vectors>(d + r * columns, a + r * depth, b, columns,
                                    depth);
}

} // namespace

CTC_LANES void multiplyAdd(float *d, const float *a, const float *b,
                           unsigned rows, unsigned columns, unsigned depth) {
  // Eight sums in flight hide the latency of an addition; four vectors share
  // what is loaded of a.
  unsigned at = 0;
#if CTC_PTX_VECTOR_BYTES >= 64
  for (; at + 64 <= columns; at += 64)
    multiplyStripe<Floats<16>, 4, 4>(d + at, a, b + at, rows, columns, depth);
  for (; at + 16 <= columns; at += 16)
    multiplyStripe<Floats<16>, 8, 1>(d + at, a, b + at, rows, columns, depth);
#elif CTC_PTX_VECTOR_BYTES >= 32
  for (; at + 16 <= columns; at += 16)
    multiplyStripe<Floats<8>, 4, 2>(d + at, a, b + at, rows, columns, depth);
#endif
  for (; at < columns; at += 8)
    multiplyStripe<Floats<8>, kNarrowRows, 1>(d + at, a, b + at, rows, columns,
                                              depth);
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
