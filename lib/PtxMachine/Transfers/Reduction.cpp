//===- Reduction.cpp - Reductions of asynchronous copies ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define CTC_PTX_LEVEL baseline
#include "Transfers/Reduction.h"

#include "Families/HalfFunctions.h"

#include <cmath>

namespace ctc::ptx {

namespace {

using namespace baseline;

//===----------------------------------------------------------------------===//
// Elements: how the bits of each are reduced
//===----------------------------------------------------------------------===//

template <class T> struct Integer {
  using Bits = std::make_unsigned_t<T>;
  static Bits add(Bits old, Bits b) { return static_cast<Bits>(old + b); }
  static Bits min(Bits old, Bits b) {
    return static_cast<T>(b) < static_cast<T>(old) ? b : old;
  }
  static Bits max(Bits old, Bits b) {
    return static_cast<T>(b) > static_cast<T>(old) ? b : old;
  }
  static Bits increment(Bits old, Bits b) {
    return old >= b ? Bits(0) : static_cast<Bits>(old + 1);
  }
  static Bits decrement(Bits old, Bits b) {
    return old == 0 || old > b ? b : static_cast<Bits>(old - 1);
  }
  static Bits conjunction(Bits old, Bits b) { return old & b; }
  static Bits disjunction(Bits old, Bits b) { return old | b; }
  static Bits difference(Bits old, Bits b) { return old ^ b; }
};

/// f16 and bf16. A float holds enough bits of the sum for a second rounding to
/// be harmless.
template <class H> struct Small {
  using Bits = uint16_t;
  static Bits add(Bits old, Bits b) {
    return fromFloat<H>(toFloat(H{old}) + toFloat(H{b})).bits;
  }
  static Bits min(Bits old, Bits b) { return choose(old, b, true); }
  static Bits max(Bits old, Bits b) { return choose(old, b, false); }

private:
  static Bits choose(Bits old, Bits b, bool smaller) {
    const float x = toFloat(H{old}), y = toFloat(H{b});
    if (std::isnan(x) || std::isnan(y))
      return std::isnan(x) && std::isnan(y) ? kHalfNan
             : std::isnan(x)                ? b
                                            : old;
    if (x == y) // -0 is less than +0.
      return std::signbit(x) == smaller ? old : b;
    return (x < y) == smaller ? old : b;
  }
};

template <bool Flushes> struct Single {
  using Bits = uint32_t;
  static Bits add(Bits old, Bits b) {
    const float sum =
        std::bit_cast<float>(flush(old)) + std::bit_cast<float>(flush(b));
    return std::isnan(sum) ? 0x7fffffffu : flush(std::bit_cast<Bits>(sum));
  }

private:
  static Bits flush(Bits bits) {
    return !Flushes || bits & 0x7f800000u ? bits : bits & 0x80000000u;
  }
};

struct Double {
  using Bits = uint64_t;
  static Bits add(Bits old, Bits b) {
    const double x = std::bit_cast<double>(old), y = std::bit_cast<double>(b);
    if (std::isnan(x) || std::isnan(y))
      return std::isnan(x) ? old : b;
    return std::bit_cast<Bits>(x + y);
  }
};

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

template <auto Fn, class Bits>
void reduce(char *target, const char *source, uint32_t bytes) {
  for (uint32_t at = 0; at < bytes; at += sizeof(Bits)) {
    auto *place = reinterpret_cast<Bits *>(target + at);
    Bits b;
    __builtin_memcpy(&b, source + at, sizeof(Bits));
    Bits old = __atomic_load_n(place, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(place, &old, Fn(old, b), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
  }
}

template <class E> Reducer sum() { return reduce<E::add, typename E::Bits>; }

template <class E> Reducer extreme(ReduceOp op) {
  return op == ReduceOp::Min ? reduce<E::min, typename E::Bits>
                             : reduce<E::max, typename E::Bits>;
}

template <class E> Reducer bitwise(ReduceOp op) {
  return op == ReduceOp::And  ? reduce<E::conjunction, typename E::Bits>
         : op == ReduceOp::Or ? reduce<E::disjunction, typename E::Bits>
                              : reduce<E::difference, typename E::Bits>;
}

/// One of the element types that reductions know, or none.
enum class Element : uint8_t {
  None,
  U32,
  S32,
  U64,
  S64,
  F16,
  BF16,
  F32,
  F32Ftz,
  F64,
};

Reducer findSum(Element element) {
  switch (element) {
  case Element::U32:
  case Element::S32:
    return sum<Integer<uint32_t>>();
  case Element::U64:
    return sum<Integer<uint64_t>>();
  case Element::F16:
    return sum<Small<Half>>();
  case Element::BF16:
    return sum<Small<BHalf>>();
  case Element::F32:
    return sum<Single<false>>();
  case Element::F32Ftz:
    return sum<Single<true>>();
  case Element::F64:
    return sum<Double>();
  default:
    return nullptr;
  }
}

Reducer findExtreme(ReduceOp op, Element element) {
  switch (element) {
  case Element::U32:
    return extreme<Integer<uint32_t>>(op);
  case Element::S32:
    return extreme<Integer<int32_t>>(op);
  case Element::U64:
    return extreme<Integer<uint64_t>>(op);
  case Element::S64:
    return extreme<Integer<int64_t>>(op);
  case Element::F16:
    return extreme<Small<Half>>(op);
  case Element::BF16:
    return extreme<Small<BHalf>>(op);
  default:
    return nullptr;
  }
}

Reducer find(ReduceOp op, Element element) {
  switch (op) {
  case ReduceOp::Add:
    return findSum(element);
  case ReduceOp::Min:
  case ReduceOp::Max:
    return findExtreme(op, element);
  case ReduceOp::Inc:
  case ReduceOp::Dec:
    if (element != Element::U32)
      return nullptr;
    return op == ReduceOp::Inc ? reduce<Integer<uint32_t>::increment, uint32_t>
                               : reduce<Integer<uint32_t>::decrement, uint32_t>;
  default:
    return element == Element::U32 || element == Element::S32
               ? bitwise<Integer<uint32_t>>(op)
           : element == Element::U64 ? bitwise<Integer<uint64_t>>(op)
                                     : nullptr;
  }
}

} // namespace

/// .b32 and .b64 are the types of the bitwise operations alone.
Reducer findReducer(ReduceOp op, Type type) {
  if (type.packed || (type.kind == TypeKind::Bits) != (op >= ReduceOp::And))
    return nullptr;
  Element element = Element::None;
  if (type.isInteger() && type.bits == 32)
    element = type.isSigned() ? Element::S32 : Element::U32;
  else if (type.isInteger() && type.bits == 64)
    element = type.isSigned() ? Element::S64 : Element::U64;
  else if (type.isHalf())
    element = type.kind == TypeKind::BFloat ? Element::BF16 : Element::F16;
  else if (type.isFloat(32) || type.isFloat(64))
    element = type.bits == 32 ? Element::F32 : Element::F64;
  return find(op, element);
}

/// 32-bit integers, and sums of .u64.
Reducer findSharedReducer(ReduceOp op, Type type) {
  const bool known =
      type.isInteger() &&
      (type.bits == 32 || (op == ReduceOp::Add && type.bits == 64));
  return known ? findReducer(op, type) : nullptr;
}

Reducer findReducer(ReduceOp op, TensorType type) {
  constexpr Element elements[] = {Element::None,  Element::None,   Element::U32,
                                  Element::S32,   Element::U64,    Element::S64,
                                  Element::F16,   Element::F32,    Element::F64,
                                  Element::BF16,  Element::F32Ftz, Element::F32,
                                  Element::F32Ftz};
  return find(op, elements[static_cast<unsigned>(type)]);
}

} // namespace ctc::ptx
