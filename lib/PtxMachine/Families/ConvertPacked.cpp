//===- ConvertPacked.cpp - cvt of 8-bit floats, cvt.pack ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions": cvt of .e4m3x2 and
// .e5m2x2, and cvt.pack.
//
//  * To 8-bit floats: rounded to nearest even and clamped to finite numbers
//    (.rn.satfinite, which are mandatory); NaN gives 0x7f. The first source, or
//    the upper half of an f16x2, becomes the upper byte.
//  * From 8-bit floats to f16x2: exact; NaN gives 0x7fff.
//  * .relu: what is negative becomes +0; NaN stays.
//  * cvt.pack.sat: a and b clamped to the narrow type, b in the lowest bits, a
//    above it, and above that the low bits of c.
//
// The formats of sm_100a (.e2m3x2, .e3m2x2, .e2m1x2, .ue8m0x2) and stochastic
// rounding (.rs) are refused.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/Float8Functions.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

template <bool Relu> CTC_SCALAR float clampNegative(float value) {
  return Relu && value <= 0 ? 0.0f : value;
}

template <class F, bool Relu> struct FloatsToPair {
  static CTC_SCALAR uint16_t apply(float a, float b) {
    const unsigned high = toFloat8<F>(clampNegative<Relu>(a)).bits;
    const unsigned low = toFloat8<F>(clampNegative<Relu>(b)).bits;
    return static_cast<uint16_t>(high << 8 | low);
  }
};
template <class F, bool Relu> struct HalvesToPair {
  static CTC_SCALAR uint16_t apply(uint32_t a) {
    return FloatsToPair<F, Relu>::apply(
        toFloat(Half{static_cast<uint16_t>(a >> 16)}),
        toFloat(Half{static_cast<uint16_t>(a)}));
  }
};
template <class F, bool Relu> struct PairToHalves {
  static CTC_SCALAR uint32_t apply(uint16_t a) {
    const unsigned bits = a;
    const float high = toFloat(F{static_cast<uint8_t>(bits >> 8)});
    const float low = toFloat(F{static_cast<uint8_t>(bits)});
    return static_cast<uint32_t>(toHalf(clampNegative<Relu>(high)).bits) << 16 |
           toHalf(clampNegative<Relu>(low)).bits;
  }
};

template <class F, bool Relu>
Decode emitPair(OpBuilder &b, Type wide, bool to) {
  if (wide.packed)
    b.emit(to ? Map<HalvesToPair<F, Relu>, uint16_t, uint32_t>::handlers
              : Map<PairToHalves<F, Relu>, uint32_t, uint16_t>::handlers,
           {b.def(0, to ? kB16 : wide), b.use(1, to ? wide : kB16)});
  else
    b.emit(Map<FloatsToPair<F, Relu>, uint16_t, float, float>::handlers,
           {b.def(0, kB16), b.use(1, wide), b.use(2, wide)});
  return Decode::Done;
}

/// cvt.rn.satfinite{.relu}.{e4m3x2,e5m2x2}.f32 d, a, b
/// cvt.rn.satfinite{.relu}.{e4m3x2,e5m2x2}.f16x2 d, a
/// cvt.rn{.relu}.f16x2.{e4m3x2,e5m2x2} d, a
Decode decodeFloat8(OpBuilder &b) {
  const std::vector<std::string> &modifiers = b.instruction().modifiers;
  const bool nearest = b.take("rn"), finite = b.take("satfinite");
  const bool relu = b.take("relu");
  const int format = b.takeOneOf({"e4m3x2", "e5m2x2"});
  auto wide = b.takeType();
  if (!nearest || format < 0 || !wide || !b.allTaken())
    return Decode::NotMine;
  const bool isPair = *wide == Type{TypeKind::Float, 32, true};
  const bool to = !isPair || modifiers.back() == "f16x2";
  if ((!isPair && !wide->isFloat(32)) || finite != to ||
      b.operandCount() != (isPair ? 2u : 3u))
    return Decode::NotMine;
  if (format == 0)
    return relu ? emitPair<E4M3, true>(b, *wide, to)
                : emitPair<E4M3, false>(b, *wide, to);
  return relu ? emitPair<E5M2, true>(b, *wide, to)
              : emitPair<E5M2, false>(b, *wide, to);
}

//===----------------------------------------------------------------------===//
// cvt.pack
//===----------------------------------------------------------------------===//

template <unsigned Bits, bool Signed> struct Pack {
  static CTC_SCALAR uint32_t apply(int32_t a, int32_t b, uint32_t c) {
    const uint32_t pair = clamp(a) << Bits | clamp(b);
    if constexpr (Bits == 16)
      return pair;
    else
      return c << (2 * Bits) | pair;
  }
  static CTC_SCALAR uint32_t clamp(int32_t value) {
    constexpr int32_t kMost = (1 << (Bits - Signed)) - 1;
    constexpr int32_t kLeast = Signed ? -kMost - 1 : 0;
    const int32_t inside = value < kLeast  ? kLeast
                           : value > kMost ? kMost
                                           : value;
    return static_cast<uint32_t>(inside) & ((1u << Bits) - 1);
  }
};

template <unsigned Bits> Handlers pickPack(bool isSigned) {
  return isSigned ? Map<Pack<Bits, true>, uint32_t, int32_t, int32_t,
                        uint32_t>::handlers
                  : Map<Pack<Bits, false>, uint32_t, int32_t, int32_t,
                        uint32_t>::handlers;
}

/// cvt.pack.sat.{u16,s16}.s32 d, a, b
/// cvt.pack.sat.{u8,s8,u4,s4,u2,s2}.s32.b32 d, a, b, c
Decode decodePack(OpBuilder &b) {
  if (!b.take("pack") || !b.take("sat"))
    return Decode::NotMine;
  const int narrow =
      b.takeOneOf({"u16", "s16", "u8", "s8", "u4", "s4", "u2", "s2"});
  const bool hasRest = narrow >= 2;
  if (narrow < 0 || !b.take("s32") || (hasRest && !b.take("b32")) ||
      !b.allTaken() || b.operandCount() != (hasRest ? 4u : 3u))
    return Decode::NotMine;
  const bool isSigned = narrow % 2;
  const Handlers run = narrow < 2   ? pickPack<16>(isSigned)
                       : narrow < 4 ? pickPack<8>(isSigned)
                       : narrow < 6 ? pickPack<4>(isSigned)
                                    : pickPack<2>(isSigned);
  const Slot low = b.use(2, kB32);
  b.emit(run,
         {b.def(0, kB32), b.use(1, kB32), low, hasRest ? b.use(3, kB32) : low});
  return Decode::Done;
}

} // namespace

void addConvertPacked(DecoderTable &table) {
  table.insert({"cvt", decodeFloat8});
  table.insert({"cvt", decodePack});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
