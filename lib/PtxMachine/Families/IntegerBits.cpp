//===- IntegerBits.cpp - popc, clz, bfind, brev, bfe, bfi, prmt, ... ------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Integer Arithmetic Instructions": popc, clz, bfind, fns, brev, bfe,
// bfi, bmsk, szext; and prmt of "Data Movement and Conversion Instructions".
// Positions and lengths of bit fields are taken modulo 256.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/IntegerTypes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct CountOnes {
  template <class T> static CTC_SCALAR uint32_t apply(T a) {
    return static_cast<uint32_t>(__builtin_popcountll(a));
  }
};
struct CountLeadingZeros {
  template <class T> static CTC_SCALAR uint32_t apply(T a) {
    if (a == 0)
      return sizeof(T) * 8;
    return static_cast<uint32_t>(__builtin_clzll(a)) -
           (64 - static_cast<uint32_t>(sizeof(T)) * 8);
  }
};
/// bfind: the highest bit that differs from the sign (unsigned: from 0), or
/// 0xffffffff. With .shiftamt how far it must be shifted to the top.
template <bool ShiftAmount> struct FindHighest {
  template <class T> static CTC_SCALAR uint32_t apply(T a) {
    auto bits = unsignedOf(isSigned<T> && a < T(0) ? static_cast<T>(~a) : a);
    if (bits == 0)
      return ~0u;
    uint32_t zeros = CountLeadingZeros::apply(bits);
    return ShiftAmount ? zeros : sizeof(T) * 8 - 1 - zeros;
  }
};
struct Reverse {
  template <class T> static CTC_SCALAR T apply(T a) {
    T result = 0;
    for (unsigned i = 0; i < sizeof(T) * 8; ++i)
      result |= (a >> i & 1) << (sizeof(T) * 8 - 1 - i);
    return result;
  }
};
/// bfe d, a, position, length: the field, extended by its sign bit (for .s),
/// which is the highest bit of a the field reaches.
struct ExtractField {
  template <class T>
  static CTC_SCALAR T apply(T a, uint32_t position, uint32_t length) {
    constexpr unsigned width = sizeof(T) * 8;
    position &= 255;
    length &= 255;
    if (length == 0)
      return 0;
    auto bits = unsignedOf(a);
    const unsigned last =
        position + length - 1 < width - 1 ? position + length - 1 : width - 1;
    const bool sign = isSigned<T> && (bits >> last & 1);
    decltype(bits) field = position < width ? bits >> position : 0;
    if (length < width) {
      const auto low =
          static_cast<decltype(bits)>((decltype(bits)(1) << length) - 1);
      // Bits past the end of a are the sign, too.
      const unsigned have = position < width ? width - position : 0;
      field &= low;
      if (sign && have < length)
        field |= low & ~(have ? (decltype(bits)(1) << have) - 1 : 0);
      return static_cast<T>(sign ? field | ~low : field);
    }
    const unsigned have = position < width ? width - position : 0;
    if (sign && have < width)
      field |= ~(have ? (decltype(bits)(1) << have) - 1 : 0);
    return static_cast<T>(field);
  }
};
/// bfi f, a, b, position, length: a's low bits put into b.
struct InsertField {
  template <class T>
  static CTC_SCALAR T apply(T a, T b, uint32_t position, uint32_t length) {
    constexpr unsigned width = sizeof(T) * 8;
    position &= 255;
    length &= 255;
    if (length == 0 || position >= width)
      return b;
    const T low = length < width ? static_cast<T>((T(1) << length) - 1) : ~T(0);
    const T mask = static_cast<T>(low << position);
    return static_cast<T>((b & ~mask) | (static_cast<T>(a << position) & mask));
  }
};
/// fns d, mask, base, n: the n-th set bit from base on (n < 0: downwards; 0: is
/// base itself set), or 0xffffffff.
struct FindNthSet {
  static uint32_t apply(uint32_t mask, uint32_t base, int32_t n) {
    if (n == 0)
      return base < 32 && (mask >> base & 1) ? base : ~0u;
    const int step = n > 0 ? 1 : -1;
    int64_t left = n > 0 ? n : -int64_t(n);
    for (int64_t i = base; i >= 0 && i < 32; i += step)
      if ((mask >> i & 1) && --left == 0)
        return static_cast<uint32_t>(i);
    return ~0u;
  }
};
/// bmsk.{clamp,wrap} d, a, b: b ones from bit a on.
template <bool Wrap> struct MakeMask {
  static CTC_SCALAR uint32_t apply(uint32_t a, uint32_t b) {
    const uint32_t from = Wrap ? a & 31 : a < 32 ? a : 32;
    const uint32_t count = Wrap ? b & 31 : b < 32 ? b : 32;
    const uint64_t ones = (uint64_t(1) << count) - 1;
    return static_cast<uint32_t>(ones << from);
  }
};
/// szext.{clamp,wrap} d, a, n: the low n bits extended.
template <class T, bool Wrap> struct ExtendFrom {
  static CTC_SCALAR T apply(T a, uint32_t n) {
    n = Wrap ? n & 31 : n < 32 ? n : 32;
    if (n == 0)
      return 0;
    const uint32_t shift = 32 - n;
    return static_cast<T>(static_cast<T>(unsignedOf(a) << shift) >> shift);
  }
};

//===----------------------------------------------------------------------===//
// prmt
//===----------------------------------------------------------------------===//

/// Byte `selector & 7` of b:a, or its sign eight times where bit 3 is set.
CTC_SCALAR uint32_t pickByte(uint64_t pair, uint32_t selector) {
  const auto byte = static_cast<uint32_t>(pair >> ((selector & 7) * 8)) & 0xff;
  return selector & 8 ? (byte & 0x80 ? 0xffu : 0u) : byte;
}

enum class Permutation { Default, F4E, B4E, RC8, ECL, ECR, RC16 };

/// Which bytes the modes take for the low two bits of the selector.
CTC_SCALAR uint32_t selectorOf(Permutation mode, uint32_t c) {
  const uint32_t n = c & 3;
  switch (mode) {
  case Permutation::Default:
    return c & 0xffff;
  case Permutation::F4E:
    return 0x3210 + n * 0x1111;
  case Permutation::B4E: {
    uint32_t result = 0;
    for (uint32_t k = 0; k < 4; ++k)
      result |= ((n + 8 - k) & 7) << (4 * k);
    return result;
  }
  case Permutation::RC8:
    return n * 0x1111;
  case Permutation::ECL: {
    uint32_t result = 0;
    for (uint32_t k = 0; k < 4; ++k)
      result |= (k < n ? n : k) << (4 * k);
    return result;
  }
  case Permutation::ECR: {
    uint32_t result = 0;
    for (uint32_t k = 0; k < 4; ++k)
      result |= (k > n ? n : k) << (4 * k);
    return result;
  }
  case Permutation::RC16:
    return n & 1 ? 0x3232 : 0x1010;
  }
  return 0;
}

struct Permute {
  static CTC_SCALAR uint32_t apply(const Op &op, uint32_t a, uint32_t b,
                                   uint32_t c) {
    const uint32_t selector = selectorOf(static_cast<Permutation>(op.mode), c);
    const uint64_t pair = uint64_t(b) << 32 | a;
    uint32_t result = 0;
    for (uint32_t k = 0; k < 4; ++k)
      result |= pickByte(pair, selector >> (4 * k)) << (8 * k);
    return result;
  }
};

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

std::optional<Type> takeWord(OpBuilder &b, size_t operands) {
  auto type = b.takeType();
  if (!type || !type->isInteger() || type->packed || !b.allTaken() ||
      (type->bits != 32 && type->bits != 64) || b.operandCount() != operands)
    return std::nullopt;
  return type;
}

/// popc and clz: of b32 or b64, to u32.
template <class Fn> Decode decodeCount(OpBuilder &b) {
  auto type = takeWord(b, 2);
  if (!type)
    return Decode::NotMine;
  b.emit(type->bits == 64 ? Map<Fn, uint32_t, uint64_t>::handlers
                          : Map<Fn, uint32_t, uint32_t>::handlers,
         {b.def(0, kU32), b.use(1, *type)});
  return Decode::Done;
}

template <bool ShiftAmount> struct PickFind {
  template <class T> Handlers operator()() const {
    return Map<FindHighest<ShiftAmount>, uint32_t, T>::handlers;
  }
};

Decode decodeFindHighest(OpBuilder &b) {
  bool shift = b.take("shiftamt");
  auto type = takeWord(b, 2);
  if (!type)
    return Decode::NotMine;
  b.emit(shift ? pickInteger(*type, PickFind<true>())
               : pickInteger(*type, PickFind<false>()),
         {b.def(0, kU32), b.use(1, *type)});
  return Decode::Done;
}

Decode decodeReverse(OpBuilder &b) {
  auto type = takeWord(b, 2);
  if (!type)
    return Decode::NotMine;
  b.emit(type->bits == 64 ? Map<Reverse, uint64_t, uint64_t>::handlers
                          : Map<Reverse, uint32_t, uint32_t>::handlers,
         {b.def(0, *type), b.use(1, *type)});
  return Decode::Done;
}

struct PickExtract {
  template <class T> Handlers operator()() const {
    return Map<ExtractField, T, T, uint32_t, uint32_t>::handlers;
  }
};

Decode decodeExtract(OpBuilder &b) {
  auto type = takeWord(b, 4);
  if (!type)
    return Decode::NotMine;
  b.emit(pickInteger(*type, PickExtract()),
         {b.def(0, *type), b.use(1, *type), b.use(2, kU32), b.use(3, kU32)});
  return Decode::Done;
}

Decode decodeInsert(OpBuilder &b) {
  auto type = takeWord(b, 5);
  if (!type)
    return Decode::NotMine;
  b.emit(type->bits == 64 ? Map<InsertField, uint64_t, uint64_t, uint64_t,
                                uint32_t, uint32_t>::handlers
                          : Map<InsertField, uint32_t, uint32_t, uint32_t,
                                uint32_t, uint32_t>::handlers,
         {b.def(0, *type), b.use(1, *type), b.use(2, *type), b.use(3, kU32),
          b.use(4, kU32)});
  return Decode::Done;
}

Decode decodeFindNth(OpBuilder &b) {
  if (!takeWord(b, 4))
    return Decode::NotMine;
  b.emit(Map<FindNthSet, uint32_t, uint32_t, uint32_t, int32_t>::handlers,
         {b.def(0, kB32), b.use(1, kB32), b.use(2, kB32), b.use(3, kB32)});
  return Decode::Done;
}

Decode decodeMakeMask(OpBuilder &b) {
  int mode = b.takeOneOf({"clamp", "wrap"});
  if (mode < 0 || !takeWord(b, 3))
    return Decode::NotMine;
  b.emit(mode == 0
             ? Map<MakeMask<false>, uint32_t, uint32_t, uint32_t>::handlers
             : Map<MakeMask<true>, uint32_t, uint32_t, uint32_t>::handlers,
         {b.def(0, kB32), b.use(1, kB32), b.use(2, kB32)});
  return Decode::Done;
}

template <class T> Handlers pickExtend(bool wrap) {
  return wrap ? Map<ExtendFrom<T, true>, T, T, uint32_t>::handlers
              : Map<ExtendFrom<T, false>, T, T, uint32_t>::handlers;
}

Decode decodeExtend(OpBuilder &b) {
  int mode = b.takeOneOf({"clamp", "wrap"});
  auto type = takeWord(b, 3);
  if (mode < 0 || !type || type->bits != 32)
    return Decode::NotMine;
  b.emit(type->isSigned() ? pickExtend<int32_t>(mode == 1)
                          : pickExtend<uint32_t>(mode == 1),
         {b.def(0, *type), b.use(1, *type), b.use(2, kU32)});
  return Decode::Done;
}

Decode decodePermute(OpBuilder &b) {
  // prmt.b32{.mode}
  int mode = b.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"}) + 1;
  auto type = takeWord(b, 4);
  if (!type || type->bits != 32)
    return Decode::NotMine;
  Op &op =
      b.emit(Map<Permute, uint32_t, uint32_t, uint32_t, uint32_t>::handlers,
             {b.def(0, kB32), b.use(1, kB32), b.use(2, kB32), b.use(3, kB32)});
  op.mode = static_cast<uint16_t>(mode);
  return Decode::Done;
}

} // namespace

void addIntegerBits(DecoderTable &table) {
  table.insert({"popc", decodeCount<CountOnes>});
  table.insert({"clz", decodeCount<CountLeadingZeros>});
  table.insert({"bfind", decodeFindHighest});
  table.insert({"brev", decodeReverse});
  table.insert({"bfe", decodeExtract});
  table.insert({"bfi", decodeInsert});
  table.insert({"fns", decodeFindNth});
  table.insert({"bmsk", decodeMakeMask});
  table.insert({"szext", decodeExtend});
  table.insert({"prmt", decodePermute});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
