//===- Check.h - Is this output right? --------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No tolerance is picked by hand (docs/Numerics.md derives the bound). An
// accumulator lies within
//
//   (n + extra) * u * (sum |x||w| + |b|)
//
// of the float64 sum, n the output's products; exactly on it when the fill is
// exact, and it is exactly b when n = 0. The epilogue maps that interval to one
// of outputs, whose ends are rounded once to the output's type; the output
// passes if it lies between them. Zeros of either sign are equal.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_CHECK_H
#define CTC_REFERENCE_CHECK_H

#include "ctc/Reference/Accumulate.h"
#include "ctc/Support/Epilogue.h"

namespace ctc {

/// What multiplies and adds. Matrix units truncate when they add.
enum class Arithmetic : uint8_t { FMA, MatrixUnit };

/// Rounding errors an accumulator may have; all zero for exact fills.
struct AccumulationError {
  double unit = 0;   ///< u
  int64_t extra = 0; ///< Added to the number of products.
};

AccumulationError accumulationError(Arithmetic arithmetic,
                                    const Problem &problem);

/// An output that is not right.
struct Mismatch {
  std::vector<int64_t> index; ///< n, channel, spatial...
  double value = 0;
  double lo = 0, hi = 0; ///< What would have been accepted.
};

struct CheckReport {
  int64_t outputs = 0;
  int64_t wrong = 0;     ///< NaN included.
  int64_t nan = 0;       ///< Unexpected NaN: mostly outputs never written.
  int64_t withTaps = 0;  ///< Outputs with at least one product.
  int64_t nonZero = 0;   ///< Of those, how many accumulators are not 0.
  int64_t undecided = 0; ///< Any value passes: NaN went in, or overflow may.
  /// Largest |y - ref| over what is allowed, rounding to y's type included; at
  /// most 1 when nothing is wrong.
  double worstRatio = 0;
  std::optional<Mismatch> first; ///< In canonical order.

  /// No output could have been wrong, though there are outputs.
  bool decidedNothing() const { return outputs > 0 && undecided == outputs; }
  /// A check that decided nothing says nothing good.
  bool passed() const { return wrong == 0 && !decidedNothing(); }
  double nonZeroFraction() const {
    return withTaps ? double(nonZero) / double(withTaps) : 1;
  }
  /// "0 of 4096 outputs wrong", or where and what the first wrong one is, or
  /// that none was decided.
  std::string summary() const;
};

struct CheckOptions {
  AccumulationError error;
  unsigned threads = 0; ///< 0 means one per core.
};

/// Compares `output`, of the problem's output shape in the problem's layout,
/// with what `accumulation` and the epilogue allow. The magnitudes are needed
/// unless the error is zero. Fails with InvalidProblem when the reference does
/// not know an operation of the epilogue.
Expected<CheckReport> check(const Problem &problem, const Epilogue &epilogue,
                            const Accumulation &accumulation,
                            const std::vector<Tensor> &operands,
                            const Tensor &output, const CheckOptions &options);

/// The least fraction of outputs with products that an exact fill must make
/// non-zero for a comparison to count.
inline constexpr double kLeastNonZero = 0.5;

} // namespace ctc

#endif // CTC_REFERENCE_CHECK_H
