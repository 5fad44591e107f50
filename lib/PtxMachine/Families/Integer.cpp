//===- Integer.cpp - add, sub, mul, mad, div, rem, min, max, ... ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Integer Arithmetic Instructions" and "Extended-Precision Integer
// Arithmetic Instructions".
//
//  * Results wrap around, except add.sat, sub.sat and mad.hi.sat of s32.
//  * Division by zero gives what the ISA leaves to the machine: here all ones,
//    also as remainder, as on GPUs. The least integer divided by -1 wraps.
//  * The carry of add.cc and its kin is a bit of each thread.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/IntegerTypes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct Add {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    return static_cast<T>(unsignedOf(a) + unsignedOf(b));
  }
};
struct Sub {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    return static_cast<T>(unsignedOf(a) - unsignedOf(b));
  }
};
struct MulLow {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    // Through 64 bits: two 16-bit factors would be promoted to int.
    return static_cast<T>(uint64_t(unsignedOf(a)) * uint64_t(unsignedOf(b)));
  }
};
/// The upper half of the product of twice the width.
struct MulHigh {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    return static_cast<T>((Wide<T>(a) * Wide<T>(b)) >> (sizeof(T) * 8));
  }
};
struct MulWide {
  template <class T> static CTC_SCALAR Wide<T> apply(T a, T b) {
    return static_cast<Wide<T>>(unsignedOf(Wide<T>(a)) *
                                unsignedOf(Wide<T>(b)));
  }
};
template <class Mul> struct ThenAdd {
  template <class T, class C> static CTC_SCALAR C apply(T a, T b, C c) {
    return Add::apply(static_cast<C>(Mul::apply(a, b)), c);
  }
};
/// The carry is a row of the program, one bit per thread.
struct AddSaturated {
  static CTC_SCALAR int32_t apply(int32_t a, int32_t b) {
    return clampToInt(int64_t(a) + b);
  }
};
struct SubSaturated {
  static CTC_SCALAR int32_t apply(int32_t a, int32_t b) {
    return clampToInt(int64_t(a) - b);
  }
};
struct MadHighSaturated {
  static CTC_SCALAR int32_t apply(int32_t a, int32_t b, int32_t c) {
    return clampToInt(int64_t(MulHigh::apply(a, b)) + c);
  }
};
struct Div {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    if (b == 0)
      return static_cast<T>(-1);
    if (isSigned<T> && b == static_cast<T>(-1))
      return Sub::apply(T(0), a);
    return static_cast<T>(a / b);
  }
};
struct Rem {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    if (b == 0)
      return static_cast<T>(-1);
    if (isSigned<T> && b == static_cast<T>(-1))
      return 0;
    return static_cast<T>(a % b);
  }
};
struct Min {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Max {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    return a > b ? a : b;
  }
};
struct Neg {
  template <class T> static CTC_SCALAR T apply(T a) {
    return Sub::apply(T(0), a);
  }
};
struct Abs {
  template <class T> static CTC_SCALAR T apply(T a) {
    return a < 0 ? Neg::apply(a) : a;
  }
};
/// sad d, a, b, c: c + |a - b|
struct Sad {
  template <class T> static CTC_SCALAR T apply(T a, T b, T c) {
    return Add::apply(c, a < b ? Sub::apply(b, a) : Sub::apply(a, b));
  }
};
/// .relu of min and max: negative results become 0.
template <class Fn> struct Relu {
  template <class T> static CTC_SCALAR T apply(T a, T b) {
    return Max::apply(Fn::apply(a, b), T(0));
  }
};
/// Both 16-bit halves by themselves.
template <class Fn, class T> struct InHalves {
  static CTC_SCALAR uint32_t apply(uint32_t a, uint32_t b) {
    auto low =
        static_cast<uint16_t>(Fn::apply(static_cast<T>(a), static_cast<T>(b)));
    auto high = static_cast<uint16_t>(
        Fn::apply(static_cast<T>(a >> 16), static_cast<T>(b >> 16)));
    return low | static_cast<uint32_t>(high) << 16;
  }
};

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

template <class Fn> struct Unary {
  template <class T> Handlers operator()() const {
    return Map<Fn, T, T>::handlers;
  }
};
template <class Fn> struct Binary {
  template <class T> Handlers operator()() const {
    return Map<Fn, T, T, T>::handlers;
  }
};
template <class Fn> struct Ternary {
  template <class T> Handlers operator()() const {
    return Map<Fn, T, T, T, T>::handlers;
  }
};

/// Emits `pick` for the instruction's integer type on `sources` operands.
template <class Pick> Decode emitFor(OpBuilder &b, Type type, size_t sources) {
  std::vector<Slot> slots = {b.def(0, type)};
  for (size_t i = 1; i <= sources; ++i)
    slots.push_back(b.use(i, type));
  b.emit(pickInteger(type, Pick()), slots);
  return Decode::Done;
}

std::optional<Type> takeIntegerType(OpBuilder &b, size_t operands) {
  auto type = b.takeType();
  if (!type || !type->isInteger() || type->packed || type->bits < 16 ||
      type->bits > 64 || !b.allTaken() || b.operandCount() != operands)
    return std::nullopt;
  return type;
}

template <class Pick, size_t Sources> Decode decodePlain(OpBuilder &b) {
  auto type = takeIntegerType(b, Sources + 1);
  return type ? emitFor<Pick>(b, *type, Sources) : Decode::NotMine;
}

template <class Fn> Decode decodeInHalves(OpBuilder &b) {
  auto type = b.takeType();
  if (!type || !type->isInteger() || !type->packed || !b.allTaken() ||
      b.operandCount() != 3)
    return Decode::NotMine;
  b.emit(
      type->isSigned()
          ? Map<InHalves<Fn, int16_t>, uint32_t, uint32_t, uint32_t>::handlers
          : Map<InHalves<Fn, uint16_t>, uint32_t, uint32_t, uint32_t>::handlers,
      {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
  return Decode::Done;
}

/// .sat of s32.
template <class Fn> Decode decodeSaturated(OpBuilder &b) {
  if (!b.take("sat"))
    return Decode::NotMine;
  auto type = takeIntegerType(b, 3);
  if (!type || !type->isSigned() || type->bits != 32)
    return Decode::NotMine;
  b.emit(Map<Fn, int32_t, int32_t, int32_t>::handlers,
         {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
  return Decode::Done;
}

template <class Fn> Decode decodeRelu(OpBuilder &b) {
  if (!b.take("relu"))
    return Decode::NotMine;
  auto type = b.takeType();
  if (!type || !type->isSigned() || type->bits != 32 || !b.allTaken())
    return Decode::NotMine;
  b.emit(type->packed ? Map<InHalves<Relu<Fn>, int16_t>, uint32_t, uint32_t,
                            uint32_t>::handlers
                      : Map<Relu<Fn>, int32_t, int32_t, int32_t>::handlers,
         {b.def(0, *type), b.use(1, *type), b.use(2, *type)});
  return Decode::Done;
}

struct WideProduct {
  template <class T> Handlers operator()() const {
    if constexpr (sizeof(T) == 8)
      return {};
    else
      return Map<MulWide, Wide<T>, T, T>::handlers;
  }
};
struct WideProductSum {
  template <class T> Handlers operator()() const {
    if constexpr (sizeof(T) == 8)
      return {};
    else
      return Map<ThenAdd<MulWide>, Wide<T>, T, T, Wide<T>>::handlers;
  }
};

/// mul{.lo,.hi,.wide} and mad{.lo,.hi,.wide}.
template <bool WithSum> Decode decodeMultiply(OpBuilder &b) {
  int half = b.takeOneOf({"lo", "hi", "wide"});
  bool sat = WithSum && half == 1 && b.take("sat");
  auto type = takeIntegerType(b, WithSum ? 4 : 3);
  if (!type || half < 0 || (half == 2 && type->bits == 64))
    return Decode::NotMine;
  if (sat) {
    b.emit(
        Map<MadHighSaturated, int32_t, int32_t, int32_t, int32_t>::handlers,
        {b.def(0, *type), b.use(1, *type), b.use(2, *type), b.use(3, *type)});
    return type->isSigned() && type->bits == 32 ? Decode::Done
                                                : Decode::NotMine;
  }
  Type result = *type;
  if (half == 2)
    result.bits *= 2;
  std::vector<Slot> slots = {b.def(0, result), b.use(1, *type),
                             b.use(2, *type)};
  if (WithSum)
    slots.push_back(b.use(3, result));
  Handlers run;
  if (half == 2)
    run = WithSum ? pickInteger(*type, WideProductSum())
                  : pickInteger(*type, WideProduct());
  else if (half == 1)
    run = WithSum ? pickInteger(*type, Ternary<ThenAdd<MulHigh>>())
                  : pickInteger(*type, Binary<MulHigh>());
  else
    run = WithSum ? pickInteger(*type, Ternary<ThenAdd<MulLow>>())
                  : pickInteger(*type, Binary<MulLow>());
  b.emit(run, slots);
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// Carries
//===----------------------------------------------------------------------===//

enum CarryMode : uint16_t {
  kReadsCarry = 1,
  kWritesCarry = 2,
  kSubtracts = 4,
  kMultipliesLow = 8,
  kMultipliesHigh = 16,
};

/// {add,addc,sub,subc,mad,madc}{.cc}: r[0] = r[1] +- r[2] +- carry, or
/// r[1] * r[2] + r[3] + carry. r[4] is the predicate of the carries; a
/// subtraction keeps its borrow there.
template <class T>
CTC_LANES bool carryArithmetic(Warp &warp, const Op &op, LaneMask mask) {
  T *d = rowOf<T>(warp, op.r[0]);
  const T *a = rowOf<T>(warp, op.r[1]), *b = rowOf<T>(warp, op.r[2]);
  const bool multiplies = op.mode & (kMultipliesLow | kMultipliesHigh);
  const T *c = multiplies ? rowOf<T>(warp, op.r[3]) : b;
  const LaneMask in =
      op.mode & kReadsCarry ? warp.predicates[op.r[4]] : LaneMask(0);
  LaneMask out = 0;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    if (!isActive(mask, i))
      continue;
    T left = a[i];
    if (multiplies)
      left = op.mode & kMultipliesLow ? MulLow::apply(a[i], b[i])
                                      : MulHigh::apply(a[i], b[i]);
    T carry = isActive(in, i), partial, result;
    bool first, second;
    if (op.mode & kSubtracts) {
      first = __builtin_sub_overflow(left, c[i], &partial);
      second = __builtin_sub_overflow(partial, carry, &result);
    } else {
      first = __builtin_add_overflow(left, c[i], &partial);
      second = __builtin_add_overflow(partial, carry, &result);
    }
    d[i] = result;
    out |= static_cast<LaneMask>(first | second) << i;
  }
  if (op.mode & kWritesCarry) {
    LaneMask &carry = warp.predicates[op.r[4]];
    carry = (carry & ~mask) | (out & mask);
  }
  return true;
}

template <unsigned Mode> Decode decodeCarry(OpBuilder &b) {
  unsigned mode = Mode;
  mode |= b.take("cc") ? unsigned(kWritesCarry) : 0;
  if (!(mode & (kReadsCarry | kWritesCarry)))
    return Decode::NotMine;
  bool multiplies = mode & kMultipliesLow;
  if (multiplies) {
    int half = b.takeOneOf({"lo", "hi"});
    if (half < 0)
      return Decode::NotMine;
    if (half == 1)
      mode = (mode & ~unsigned(kMultipliesLow)) | kMultipliesHigh;
  }
  auto type = takeIntegerType(b, multiplies ? 4 : 3);
  if (!type || type->bits < 32)
    return Decode::NotMine;
  Slot carry{b.carryPredicate(), false, true};
  Slot third = multiplies ? b.use(3, *type) : Slot{0, false, false};
  // mad.hi of a signed type multiplies signed; carries are those of bits.
  Handler run =
      type->bits == 32 ? carryArithmetic<uint32_t> : carryArithmetic<uint64_t>;
  if (type->isSigned() && (mode & kMultipliesHigh))
    return Decode::NotMine;
  Op &op = b.emit({run, run}, {b.def(0, *type), b.use(1, *type),
                               b.use(2, *type), third, carry});
  op.mode = static_cast<uint16_t>(mode);
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// dp4a, dp2a
//===----------------------------------------------------------------------===//

/// c + the sum of products of four bytes, or of two 16-bit halves of a with
/// two bytes of b.
template <class A, class B, unsigned Shift> struct DotBytes {
  static CTC_SCALAR uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    for (unsigned k = 0; k < (sizeof(A) == 1 ? 4 : 2); ++k) {
      auto left = static_cast<A>(a >> (k * sizeof(A) * 8));
      auto right = static_cast<B>(b >> (k * 8 + Shift));
      c += static_cast<uint32_t>(left * right);
    }
    return c;
  }
};

template <class A, class B> Handlers pickDot(bool high) {
  return high ? Map<DotBytes<A, B, 16>, uint32_t, uint32_t, uint32_t,
                    uint32_t>::handlers
              : Map<DotBytes<A, B, 0>, uint32_t, uint32_t, uint32_t,
                    uint32_t>::handlers;
}

template <bool Four> Decode decodeDot(OpBuilder &b) {
  bool high = false;
  if (!Four) {
    int half = b.takeOneOf({"lo", "hi"});
    if (half < 0)
      return Decode::NotMine;
    high = half == 1;
  }
  auto left = b.takeType(), right = b.takeType();
  if (!left || !right || left->bits != 32 || right->bits != 32 ||
      !b.allTaken() || b.operandCount() != 4)
    return Decode::NotMine;
  using SignedA = std::conditional_t<Four, int8_t, int16_t>;
  using UnsignedA = std::conditional_t<Four, uint8_t, uint16_t>;
  Handlers run;
  if (left->isSigned())
    run = right->isSigned() ? pickDot<SignedA, int8_t>(high)
                            : pickDot<SignedA, uint8_t>(high);
  else
    run = right->isSigned() ? pickDot<UnsignedA, int8_t>(high)
                            : pickDot<UnsignedA, uint8_t>(high);
  b.emit(run, {b.def(0, kB32), b.use(1, kB32), b.use(2, kB32), b.use(3, kB32)});
  return Decode::Done;
}

} // namespace

void addInteger(DecoderTable &table) {
  table.insert({"add", decodePlain<Binary<Add>, 2>});
  table.insert({"add", decodeInHalves<Add>});
  table.insert({"add", decodeSaturated<AddSaturated>});
  table.insert({"add", decodeCarry<0>});
  table.insert({"addc", decodeCarry<kReadsCarry>});
  table.insert({"sub", decodePlain<Binary<Sub>, 2>});
  table.insert({"sub", decodeSaturated<SubSaturated>});
  table.insert({"sub", decodeCarry<kSubtracts>});
  table.insert({"subc", decodeCarry<kReadsCarry | kSubtracts>});
  table.insert({"mul", decodeMultiply<false>});
  table.insert({"mad", decodeMultiply<true>});
  table.insert({"mad", decodeCarry<kMultipliesLow>});
  table.insert({"madc", decodeCarry<kReadsCarry | kMultipliesLow>});
  table.insert({"div", decodePlain<Binary<Div>, 2>});
  table.insert({"rem", decodePlain<Binary<Rem>, 2>});
  table.insert({"min", decodePlain<Binary<Min>, 2>});
  table.insert({"min", decodeInHalves<Min>});
  table.insert({"min", decodeRelu<Min>});
  table.insert({"max", decodePlain<Binary<Max>, 2>});
  table.insert({"max", decodeInHalves<Max>});
  table.insert({"max", decodeRelu<Max>});
  table.insert({"neg", decodePlain<Unary<Neg>, 1>});
  table.insert({"abs", decodePlain<Unary<Abs>, 1>});
  table.insert({"sad", decodePlain<Ternary<Sad>, 3>});
  table.insert({"dp4a", decodeDot<true>});
  table.insert({"dp2a", decodeDot<false>});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
