//===- Interval.h - What a device may legitimately compute ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An interval holds every value that a conforming device may have at a point of
// the epilogue. Each operation maps intervals to an interval that holds the
// exact results and their roundings to the operation's type, so both a kernel
// that rounds after every operation and one that fuses operations lie within.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_INTERVAL_H
#define CTC_REFERENCE_INTERVAL_H

#include "ctc/Support/Epilogue.h"
#include "ctc/Support/Float.h"

#include <span>

namespace ctc {

/// [lo, hi], and whether NaN is possible besides. A truth value is [0, 0],
/// [1, 1] or, when undecided, [0, 1].
struct Interval {
  double lo = 0;
  double hi = 0;
  bool nan = false;

  static Interval exactly(double value);
  /// From bounds that may be NaN, which means that anything is possible.
  static Interval between(double lo, double hi, bool nan = false);
  bool operator==(const Interval &) const = default;
};

/// The smallest interval that holds both.
Interval hull(Interval a, Interval b);
/// Adds the roundings to nearest even into the format of all members.
Interval withRounding(Interval a, FloatFormat format);

/// A math function of one argument and its error on the device.
struct MathFunction {
  std::string_view name; ///< "math.exp".
  double (*evaluate)(double);
  enum class Shape : uint8_t { Increasing, Decreasing, Lipschitz1 } shape;
  /// Largest difference between the device's f32 result and the correctly
  /// rounded one, in ulps: CUDA C++ Programming Guide, "Mathematical
  /// Functions", table "Single-Precision Mathematical Standard Library
  /// Functions with Maximum ULP Error". 0 means correctly rounded (sqrtf with
  /// prec-sqrt, which ctc compiles with).
  int ulps;
  double domainLow; ///< Arguments below give NaN.
  double least;     ///< No result is below, error included.
  double most;      ///< No result is above, error included.
};

/// All unary functions of the math dialect that the reference knows, except
/// the exact ones (absf, floor, ceil).
std::span<const MathFunction> mathFunctions();

/// Same table for math.powf.
inline constexpr int kPowUlps = 4;

/// f's image of `a`, widened by its f32 error.
Interval apply(const MathFunction &function, Interval a);

Interval negate(Interval a);
Interval absolute(Interval a);
Interval floorOf(Interval a);
Interval ceilOf(Interval a);
Interval add(Interval a, Interval b);
Interval subtract(Interval a, Interval b);
Interval multiply(Interval a, Interval b);
Interval divide(Interval a, Interval b);
Interval power(Interval base, Interval exponent);
Interval copySign(Interval magnitude, Interval sign);
/// maximumf and minimumf: NaN if either is.
Interval maximum(Interval a, Interval b);
Interval minimum(Interval a, Interval b);
/// maxnumf and minnumf: the other operand where one is NaN.
Interval maximumNumber(Interval a, Interval b);
Interval minimumNumber(Interval a, Interval b);

/// The relations between two values that arith.cmpf takes for true.
struct Predicate {
  bool less, equal, greater, unordered;
};
/// From MLIR's spelling: "ogt", "une", ...
std::optional<Predicate> parsePredicate(std::string_view name);
/// A truth value.
Interval compare(Predicate predicate, Interval a, Interval b);
/// a where the condition holds, b where it does not.
Interval select(Interval condition, Interval a, Interval b);

} // namespace ctc

#endif // CTC_REFERENCE_INTERVAL_H
