//===- Convert.cpp - cvt --------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: cvt".
//
//  * Integer to integer: extended by the source type, cut to the target type,
//    or clamped to it with .sat. The result is extended to its register.
//  * Float to integer: rounded by .rni, .rzi, .rmi, .rpi and clamped to the
//    target; NaN gives 0, or the integer's highest bit alone if the source is
//    f64 or the target has 64 bits.
//  * Integer to float and float to a narrower float: rounded by .rn, .rz, .rm,
//    .rp; .rna (ties away) for tf32. .sat clamps to [0, 1], .relu to >= 0,
//    .satfinite to the target's finite numbers.
//  * Float to the same float with an integer rounding: rounded to an integer.
//  * NaN: f32 0x7fffffff, f16 and bf16 0x7fff.
//  * .ftz: subnormal f32 inputs and results are zero.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatFormats.h"
#include "Families/FloatFunctions.h"
#include "Families/HalfFunctions.h"
#include "Families/IntegerTypes.h"

#include <limits>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

//===----------------------------------------------------------------------===//
// Integer to integer
//===----------------------------------------------------------------------===//

/// D is the target type, R the register's integer (its sign says how to
/// extend).
template <class D, class R, bool Sat> struct IntegerToInteger {
  template <class S>
    requires std::is_integral_v<S>
  static CTC_SCALAR R apply(S value) {
    if constexpr (Sat) {
      constexpr D low = std::numeric_limits<D>::min();
      constexpr D high = std::numeric_limits<D>::max();
      // Compared in 65 bits' worth of range: signs first.
      const bool below =
          std::is_signed_v<S> && value < 0 &&
          (!std::is_signed_v<D> ||
           static_cast<int64_t>(value) < static_cast<int64_t>(low));
      const bool above =
          !(std::is_signed_v<S> && value < 0) &&
          static_cast<uint64_t>(value) > static_cast<uint64_t>(high);
      const D inside = static_cast<D>(value);
      return static_cast<R>(below ? low : above ? high : inside);
    }
    // NOLINTNEXTLINE(bugprone-signed-char-misuse): D's sign is meant to extend.
    return static_cast<R>(static_cast<D>(value));
  }
};

//===----------------------------------------------------------------------===//
// Frequent conversions with a float
//===----------------------------------------------------------------------===//

/// .rn; the host's conversion rounds to nearest even.
template <class D> struct IntegerToFloat {
  template <class S>
    requires std::is_integral_v<S>
  static CTC_SCALAR D apply(S value) {
    return static_cast<D>(value);
  }
};

template <bool Ftz> struct FloatToDouble {
  static CTC_SCALAR double apply(float a) {
    const double value = flush<Ftz>(a);
    return a != a ? canonicalNan<double>() : value;
  }
};
template <bool Ftz> struct DoubleToFloat {
  static CTC_SCALAR float apply(double a) {
    return finish<Ftz, false>(static_cast<float>(a));
  }
};
struct HalfToFloat {
  template <class H> static CTC_SCALAR float apply(H a) {
    return finish<false, false>(toFloat(a));
  }
};
template <class H, bool Ftz> struct FloatToHalf {
  static CTC_SCALAR H apply(float a) { return fromFloat<H>(flush<Ftz>(a)); }
};
/// d = {high a, low b}: cvt.rn.f16x2.f32 d, a, b.
template <class H, bool Relu> struct FloatsToPair {
  static CTC_SCALAR uint32_t apply(float a, float b) {
    const uint32_t high = fromFloat<H>(clamp(a)).bits;
    const uint32_t low = fromFloat<H>(clamp(b)).bits;
    return high << 16 | low;
  }
  static CTC_SCALAR float clamp(float value) {
    return Relu && value <= 0 ? 0.0f : value;
  }
};

/// Float to the 32-bit integers by truncation, clamped.
template <class D, bool Ftz> struct TruncateFloat {
  static CTC_SCALAR D apply(float a) {
    a = flush<Ftz>(a);
    // 2^31 and 2^32 are floats, the greatest integers are not.
    constexpr bool isSignedResult = std::is_signed_v<D>;
    constexpr float low = isSignedResult ? -0x1p31f : 0.0f;
    constexpr float high = isSignedResult ? 0x1p31f : 0x1p32f;
    const bool inside = a > low && a < high;
    const D value = static_cast<D>(inside ? a : 0.0f);
    const D clamped = a <= low    ? std::numeric_limits<D>::min()
                      : a >= high ? std::numeric_limits<D>::max()
                                  : D(0);
    return inside ? value : clamped;
  }
};

//===----------------------------------------------------------------------===//
// The general case
//===----------------------------------------------------------------------===//

/// What a conversion through f64 needs to know, in Op::immediate.
struct Conversion {
  Type from, to;
  Rounding rounding = Rounding::Nearest;
  bool toInteger = false; ///< Round to an integer (.rni ...).
  bool sat = false, ftz = false, relu = false;
  unsigned registerBits = 32;
  bool finite = false; ///< .satfinite

  int64_t encode() const {
    return pack(from) | pack(to) << 12 | int64_t(rounding) << 24 |
           int64_t(toInteger) << 28 | int64_t(sat) << 29 | int64_t(ftz) << 30 |
           int64_t(relu) << 31 | int64_t(registerBits) << 32 |
           int64_t(finite) << 39;
  }
  static Conversion decode(int64_t bits) {
    auto flag = [bits](int at) { return (bits >> at & 1) != 0; };
    return {unpack(bits),
            unpack(bits >> 12),
            static_cast<Rounding>(bits >> 24 & 15),
            flag(28),
            flag(29),
            flag(30),
            flag(31),
            static_cast<unsigned>(bits >> 32 & 127),
            flag(39)};
  }
  static int64_t pack(Type type) {
    return int64_t(type.kind) | int64_t(type.bits) << 4;
  }
  static Type unpack(int64_t bits) {
    return {static_cast<TypeKind>(bits & 15),
            static_cast<uint8_t>(bits >> 4 & 255)};
  }
};

/// An integer as a double; if it has too many bits its last one is sticky
/// (rounded to odd), so that a further rounding to at most 51 bits is right.
double integerAsDouble(uint64_t bits, Type type) {
  unsigned shift = 64u - type.bits;
  bool negative = type.isSigned() && static_cast<int64_t>(bits << shift) < 0;
  uint64_t magnitude =
      type.isSigned()
          ? static_cast<uint64_t>(static_cast<int64_t>(bits << shift) >> shift)
          : bits << shift >> shift;
  if (negative)
    magnitude = 0 - magnitude;
  if (magnitude >> 53) {
    bool sticky = (magnitude & 0x7ff) != 0;
    magnitude = (magnitude & ~uint64_t(0x7ff)) | (sticky ? 0x800 : 0);
  }
  double value = static_cast<double>(magnitude);
  return negative ? -value : value;
}

double floatAsDouble(uint64_t bits, Type type, bool ftz) {
  if (type.kind == TypeKind::BFloat)
    return toFloat(BHalf{static_cast<uint16_t>(bits)});
  switch (type.bits) {
  case 16:
    return toFloat(Half{static_cast<uint16_t>(bits)});
  case 32: {
    float value = Cell<float>::load(static_cast<uint32_t>(bits));
    return ftz ? flush<true>(value) : value;
  }
  default:
    return Cell<double>::load(bits);
  }
}

/// Clamped to the target; `value` is an integer.
uint64_t doubleAsInteger(double value, Type type, Type from) {
  if (value != value)
    return type.bits == 64 || from.bits == 64 ? uint64_t(1) << (type.bits - 1)
                                              : 0;
  const double limit = __builtin_ldexp(1.0, type.bits - type.isSigned());
  const uint64_t ones = ~uint64_t(0) >> (64 - type.bits);
  if (type.isSigned()) {
    if (value >= limit)
      return ones >> 1;
    if (value < -limit)
      return ~(ones >> 1);
    return static_cast<uint64_t>(static_cast<int64_t>(value));
  }
  if (value >= limit)
    return ones;
  return value <= 0 ? 0 : static_cast<uint64_t>(value);
}

uint64_t convertOne(const Conversion &c, uint64_t bits) {
  bool fromInteger = c.from.isInteger();
  double value = fromInteger ? integerAsDouble(bits, c.from)
                             : floatAsDouble(bits, c.from, c.ftz);
  if (c.toInteger)
    value = roundToInteger(value, c.rounding);
  if (c.to.isInteger()) {
    uint64_t result = doubleAsInteger(value, c.to, c.from);
    return c.registerBits == 64 ? result : static_cast<uint32_t>(result);
  }
  if (c.sat)
    value = value > 0 ? (value < 1 ? value : 1.0) : 0.0;
  if (c.relu && value <= 0)
    value = 0;
  if (c.to.bits == 64) {
    if (fromInteger && c.from.bits == 64)
      return encodeInteger(bits, c.from.isSigned(), kF64, c.rounding);
    return value != value ? Cell<double>::store(canonicalNan<double>())
                          : Cell<double>::store(value);
  }
  FloatFormat format = c.to.kind == TypeKind::BFloat ? kBF16
                       : c.to.kind == TypeKind::TF32 ? kTF32
                       : c.to.bits == 16             ? kF16
                                                     : kF32;
  if (c.finite) {
    const double most = largestFinite(format);
    value = value > most ? most : value < -most ? -most : value;
  }
  auto result = static_cast<uint32_t>(encodeFloat(value, format, c.rounding));
  if (c.ftz && c.to.isFloat(32) && !(result & 0x7f800000))
    result &= 0x80000000;
  return result;
}

bool convertEachLane(Warp &warp, const Op &op, LaneMask mask) {
  const Conversion conversion = Conversion::decode(op.immediate);
  const bool wideSource = op.mode & 1,
             wideResult = conversion.registerBits == 64;
  for (LaneMask left = mask; left; left &= left - 1) {
    unsigned i = lowestLane(left);
    uint64_t bits = wideSource ? rowOf<uint64_t>(warp, op.r[1])[i]
                               : rowOf<uint32_t>(warp, op.r[1])[i];
    uint64_t result = convertOne(conversion, bits);
    if (wideResult)
      rowOf<uint64_t>(warp, op.r[0])[i] = result;
    else
      rowOf<uint32_t>(warp, op.r[0])[i] = static_cast<uint32_t>(result);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

/// Calls fn.operator()<T>() for an integer type of 8 to 64 bits.
template <class Fn> Handlers forInteger(Type type, const Fn &fn) {
  if (type.bits == 8)
    return type.isSigned() ? fn.template operator()<int8_t>()
                           : fn.template operator()<uint8_t>();
  return pickInteger(type, fn);
}

/// The register of the target may be wider than the target: D extended to it.
template <class D, class S, bool Sat> Handlers pickExtension(unsigned bits) {
  using Wide64 = std::conditional_t<std::is_signed_v<D>, int64_t, uint64_t>;
  using Wide32 = std::conditional_t<std::is_signed_v<D>, int32_t, uint32_t>;
  if (bits == 64)
    return Map<IntegerToInteger<D, Wide64, Sat>, Wide64, S>::handlers;
  if (bits == 32)
    return Map<IntegerToInteger<D, Wide32, Sat>, Wide32, S>::handlers;
  if constexpr (sizeof(D) <= 2)
    return Map<IntegerToInteger<D, uint16_t, Sat>, uint16_t, S>::handlers;
  return {};
}

Handlers pickIntegerToInteger(Type to, Type from, bool sat, unsigned bits) {
  return forInteger(to, [=]<class D>() {
    return forInteger(from, [=]<class S>() {
      return sat ? pickExtension<D, S, true>(bits)
                 : pickExtension<D, S, false>(bits);
    });
  });
}

template <class D> struct PickIntegerToFloat {
  template <class S> Handlers operator()() const {
    return Map<IntegerToFloat<D>, D, S>::handlers;
  }
};

/// The vectorised form, if there is one.
Handlers pickFrequent(const Conversion &c) {
  const bool nearest = c.rounding == Rounding::Nearest;
  if (c.sat || c.relu || c.finite)
    return {};
  if (c.from.isInteger() && nearest && !c.toInteger && c.from.bits >= 16) {
    if (c.to.isFloat(32))
      return pickInteger(c.from, PickIntegerToFloat<float>());
    if (c.to.isFloat(64))
      return pickInteger(c.from, PickIntegerToFloat<double>());
  }
  if (c.from.isFloat(32) && c.to.isInteger() && c.to.bits == 32 &&
      c.registerBits == 32 && c.rounding == Rounding::Zero) {
    if (c.to.isSigned())
      return c.ftz
                 ? Map<TruncateFloat<int32_t, true>, int32_t, float>::handlers
                 : Map<TruncateFloat<int32_t, false>, int32_t, float>::handlers;
    return c.ftz
               ? Map<TruncateFloat<uint32_t, true>, uint32_t, float>::handlers
               : Map<TruncateFloat<uint32_t, false>, uint32_t, float>::handlers;
  }
  if (c.toInteger || !nearest)
    return {};
  if (c.from.isFloat(32) && c.to.isFloat(64))
    return c.ftz ? Map<FloatToDouble<true>, double, float>::handlers
                 : Map<FloatToDouble<false>, double, float>::handlers;
  if (c.from.isFloat(64) && c.to.isFloat(32))
    return c.ftz ? Map<DoubleToFloat<true>, float, double>::handlers
                 : Map<DoubleToFloat<false>, float, double>::handlers;
  if (c.from.isFloat(16) && c.to.isFloat(32) && !c.ftz)
    return Map<HalfToFloat, float, Half>::handlers;
  if (c.from.kind == TypeKind::BFloat && c.to.isFloat(32) && !c.ftz)
    return Map<HalfToFloat, float, BHalf>::handlers;
  if (c.from.isFloat(32) && c.to.isFloat(16))
    return c.ftz ? Map<FloatToHalf<Half, true>, Half, float>::handlers
                 : Map<FloatToHalf<Half, false>, Half, float>::handlers;
  if (c.from.isFloat(32) && c.to.kind == TypeKind::BFloat)
    return Map<FloatToHalf<BHalf, false>, BHalf, float>::handlers;
  return {};
}

/// Takes the rounding; whether there was one.
bool takeRounding(OpBuilder &b, Conversion &c) {
  static constexpr Rounding kRoundings[] = {Rounding::Nearest, Rounding::Zero,
                                            Rounding::Down, Rounding::Up,
                                            Rounding::NearestAway};
  int integer = b.takeOneOf({"rni", "rzi", "rmi", "rpi"});
  int plain = b.takeOneOf({"rn", "rz", "rm", "rp", "rna"});
  c.toInteger = integer >= 0;
  if (integer >= 0)
    c.rounding = kRoundings[integer];
  else if (plain >= 0)
    c.rounding = kRoundings[plain];
  return integer >= 0 || plain >= 0;
}

/// Whether the ISA has a conversion from `c.from` to `c.to` (of one element)
/// with these modifiers; `rounds`: a rounding is given.
bool isLegal(const Conversion &c, bool rounds) {
  const bool plain = rounds && !c.toInteger; // .rn, .rz, .rm, .rp, .rna
  const bool toFloat32 = c.to.isFloat(32), fromFloat32 = c.from.isFloat(32);
  if ((c.relu || c.finite) && (c.sat || c.ftz || !fromFloat32))
    return false;
  if (c.to.kind == TypeKind::TF32) {
    const bool away = c.rounding == Rounding::NearestAway;
    return plain && fromFloat32 && !c.sat && !c.ftz &&
           (away ? !c.relu : c.rounding <= Rounding::Zero);
  }
  if (c.rounding == Rounding::NearestAway ||
      (c.ftz && !toFloat32 && !fromFloat32))
    return false;
  if (c.to.isInteger())
    return c.from.isInteger() ? !rounds && !c.ftz
                              : c.toInteger && !c.relu && !c.finite;
  if (c.sat && c.to.kind == TypeKind::BFloat)
    return false;
  if (c.from.isInteger())
    return plain;
  if (c.relu || c.finite)
    return plain && c.to.isHalf() && c.rounding <= Rounding::Zero;
  if (c.to == c.from)
    return !plain;
  if (c.to.bits < c.from.bits)
    return plain;
  // Wider, or between f16 and bf16: exact, unless between those.
  return !c.toInteger && (!rounds || c.from.kind == TypeKind::BFloat ||
                          c.to.kind == TypeKind::BFloat);
}

struct JoinHalves {
  static CTC_SCALAR uint32_t apply(uint32_t high, uint32_t low) {
    return high << 16 | (low & 0xffff);
  }
};

/// cvt.frnd{.relu}{.satfinite}.{f16x2,bf16x2}.f32 d, a, b: a is the upper half.
Decode decodePair(OpBuilder &b, Conversion c) {
  if (!c.from.isFloat(32) || !c.to.isHalf() || c.sat || c.ftz || c.toInteger ||
      c.rounding > Rounding::Zero || b.operandCount() != 3)
    return Decode::NotMine;
  const Type pair = c.to;
  std::vector<Slot> slots = {b.def(0, pair), b.use(1, c.from),
                             b.use(2, c.from)};
  if (c.rounding == Rounding::Nearest && !c.finite) {
    bool isHalf = pair.kind == TypeKind::Float;
    using Floats = Map<FloatsToPair<Half, false>, uint32_t, float, float>;
    using FloatsRelu = Map<FloatsToPair<Half, true>, uint32_t, float, float>;
    using Brains = Map<FloatsToPair<BHalf, false>, uint32_t, float, float>;
    using BrainsRelu = Map<FloatsToPair<BHalf, true>, uint32_t, float, float>;
    b.emit(isHalf   ? c.relu ? FloatsRelu::handlers : Floats::handlers
           : c.relu ? BrainsRelu::handlers
                    : Brains::handlers,
           slots);
    return Decode::Done;
  }
  c.to = {pair.kind, 16};
  for (size_t i = 1; i <= 2; ++i) {
    Slot half = b.temporary(32);
    Op &op = b.emit({convertEachLane, convertEachLane}, {half, slots[i]});
    op.immediate = c.encode();
    half.isDef = false;
    slots[i] = half;
  }
  b.emit(Map<JoinHalves, uint32_t, uint32_t, uint32_t>::handlers, slots);
  return Decode::Done;
}

Decode decodeConvert(OpBuilder &b) {
  Conversion c;
  bool rounds = takeRounding(b, c);
  c.ftz = b.take("ftz");
  c.sat = b.take("sat");
  c.finite = b.take("satfinite");
  c.relu = b.take("relu");
  auto to = b.takeType(), from = b.takeType();
  if (!to || !from || !b.allTaken() || to->isPredicate() ||
      from->isPredicate() || from->bits > 64 || to->bits > 64 ||
      to->kind == TypeKind::Bits || from->kind == TypeKind::Bits)
    return Decode::NotMine;
  c.to = *to;
  c.from = *from;
  if (to->packed)
    return rounds ? decodePair(b, c) : Decode::NotMine;
  if (b.operandCount() != 2 || from->packed || !isLegal(c, rounds))
    return Decode::NotMine;
  Type target = to->kind == TypeKind::TF32 ? kB32 : *to;
  Slot d = b.defAtLeast(b.operand(0), target, c.registerBits);
  Slot s = b.useAtLeast(b.operand(1), *from);
  bool wideSource = b.rows.size() > s.id && b.rows[s.id].bits == 64;
  Handlers run;
  if (to->isInteger() && from->isInteger()) {
    // A narrow value in a 64-bit register is cut out of it first.
    if (wideSource && from->bits < 64) {
      Slot low = b.temporary(32);
      b.emit(Map<IntegerToInteger<uint32_t, uint32_t, false>, uint32_t,
                 uint64_t>::handlers,
             {low, s});
      low.isDef = false;
      s = low;
    }
    b.emit(pickIntegerToInteger(*to, *from, c.sat, c.registerBits), {d, s});
    return Decode::Done;
  }
  run = pickFrequent(c);
  if (wideSource && from->bits < 64)
    run = {};
  bool general = !run.full;
  if (general)
    run = {convertEachLane, convertEachLane};
  Op &op = b.emit(run, {d, s});
  if (general) {
    op.immediate = c.encode();
    op.mode = wideSource;
  }
  return Decode::Done;
}

} // namespace

void addConvert(DecoderTable &table) { table.insert({"cvt", decodeConvert}); }

} // namespace ctc::ptx::CTC_PTX_LEVEL
