//===- Atomic.cpp - atom, red ---------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Parallel Synchronization and Communication Instructions": atom and
// red. Lanes go one after the other, the lowest first. Every operation is
// sequentially consistent on the host, which is as strong as any scope asks.
//
//===----------------------------------------------------------------------===//

#include "Access.h"
#include "Families.h"
#include "FloatFunctions.h"
#include "HalfFunctions.h"
#include "IntegerTypes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

struct Add {
  template <class T> static T apply(T old, T b, T) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(unsignedOf(old) + unsignedOf(b));
    else
      return old + b;
  }
};
struct Min {
  template <class T> static T apply(T old, T b, T) { return b < old ? b : old; }
};
struct Max {
  template <class T> static T apply(T old, T b, T) { return b > old ? b : old; }
};
/// Up to b, then from 0 again.
struct Increment {
  template <class T> static T apply(T old, T b, T) {
    return old >= b ? T(0) : static_cast<T>(old + 1);
  }
};
/// Down to 0, then from b again.
struct Decrement {
  template <class T> static T apply(T old, T b, T) {
    return old == 0 || old > b ? b : static_cast<T>(old - 1);
  }
};
struct And {
  template <class T> static T apply(T old, T b, T) { return old & b; }
};
struct Or {
  template <class T> static T apply(T old, T b, T) { return old | b; }
};
struct Xor {
  template <class T> static T apply(T old, T b, T) { return old ^ b; }
};
struct Exchange {
  template <class T> static T apply(T, T b, T) { return b; }
};
struct CompareAndSwap {
  template <class T> static T apply(T old, T b, T c) {
    return old == b ? c : old;
  }
};
/// f16x2 and bf16x2: each half by itself; add only.
template <class H> struct AddHalves {
  static uint32_t apply(uint32_t old, uint32_t b, uint32_t) {
    return add(static_cast<uint16_t>(old), static_cast<uint16_t>(b)) |
           add(static_cast<uint16_t>(old >> 16), static_cast<uint16_t>(b >> 16))
               << 16;
  }
  static uint32_t add(uint16_t a, uint16_t b) {
    return fromDouble<H>(double(toFloat(H{a})) + double(toFloat(H{b}))).bits;
  }
};
template <class H> struct AddHalf {
  static uint16_t apply(uint16_t old, uint16_t b, uint16_t) {
    return static_cast<uint16_t>(AddHalves<H>::add(old, b));
  }
};

/// Operands: row r[0] old value, r[1] b, r[2] c, r[3] address.
template <class Fn, class T, Path path>
bool atomic(Warp &warp, const Op &op, LaneMask mask) {
  using Bits = std::make_unsigned_t<
      std::conditional_t<sizeof(T) == 8, int64_t,
                         std::conditional_t<sizeof(T) == 4, int32_t, int16_t>>>;
  HostAddresses host;
  if (!resolve<path, false>(warp, op, op.r[3], mask, sizeof(T),
                            AccessKind::Atomic, host))
    return false;
  Storage<T> *d = rowOf<T>(warp, op.r[0]);
  const Storage<T> *b = rowOf<T>(warp, op.r[1]), *c = rowOf<T>(warp, op.r[2]);
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned i = lowestLane(left);
    auto *place = reinterpret_cast<Bits *>(host.lane[i]);
    Bits old = __atomic_load_n(place, __ATOMIC_SEQ_CST), wanted;
    do
      wanted = __builtin_bit_cast(Bits, Fn::apply(__builtin_bit_cast(T, old),
                                                  Cell<T>::load(b[i]),
                                                  Cell<T>::load(c[i])));
    while (!__atomic_compare_exchange_n(place, &old, wanted, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    d[i] = old;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

template <class Fn, class T> struct PickAtomic {
  template <Path path> Handlers operator()() const {
    return {atomic<Fn, T, path>, atomic<Fn, T, path>};
  }
};

template <class Fn, class T> Handlers pick(Space space, unsigned bits) {
  return pickPath(space, bits, PickAtomic<Fn, T>());
}

template <class Fn> Handlers pickBits(Type type, Space space, unsigned bits) {
  if (type.packed || (!type.isInteger() && type.bits != 32 && type.bits != 64))
    return {};
  switch (type.bits) {
  case 16:
    return pick<Fn, uint16_t>(space, bits);
  case 32:
    return pick<Fn, uint32_t>(space, bits);
  case 64:
    return pick<Fn, uint64_t>(space, bits);
  default:
    return {};
  }
}

template <class Fn> Handlers pickOrder(Type type, Space space, unsigned bits) {
  if (!type.isInteger() || type.packed)
    return {};
  if (type.bits == 32)
    return type.isSigned() ? pick<Fn, int32_t>(space, bits)
                           : pick<Fn, uint32_t>(space, bits);
  return type.isSigned() ? pick<Fn, int64_t>(space, bits)
                         : pick<Fn, uint64_t>(space, bits);
}

Handlers pickAdd(Type type, Space space, unsigned bits) {
  if (type.isFloat(32))
    return pick<Add, float>(space, bits);
  if (type.isFloat(64))
    return pick<Add, double>(space, bits);
  if (type.isHalf()) {
    bool brain = type.kind == TypeKind::BFloat;
    if (type.packed)
      return brain ? pick<AddHalves<BHalf>, uint32_t>(space, bits)
                   : pick<AddHalves<Half>, uint32_t>(space, bits);
    return brain ? pick<AddHalf<BHalf>, uint16_t>(space, bits)
                 : pick<AddHalf<Half>, uint16_t>(space, bits);
  }
  return pickBits<Add>(type, space, bits);
}

enum { kAdd, kMin, kMax, kInc, kDec, kAnd, kOr, kXor, kExch, kCas };

Handlers pickOperation(int which, Type type, Space space, unsigned bits) {
  switch (which) {
  case kAdd:
    return pickAdd(type, space, bits);
  case kMin:
    return pickOrder<Min>(type, space, bits);
  case kMax:
    return pickOrder<Max>(type, space, bits);
  case kInc:
    return pickBits<Increment>(type, space, bits);
  case kDec:
    return pickBits<Decrement>(type, space, bits);
  case kAnd:
    return pickBits<And>(type, space, bits);
  case kOr:
    return pickBits<Or>(type, space, bits);
  case kXor:
    return pickBits<Xor>(type, space, bits);
  case kExch:
    return pickBits<Exchange>(type, space, bits);
  case kCas:
    return pickBits<CompareAndSwap>(type, space, bits);
  default:
    return {};
  }
}

/// atom{.sem}{.scope}{.space}.op{.noftz}{.level::cache_hint}.type d, [a], b{,
/// c} red is the same without d.
template <bool HasResult> Decode decodeAtomic(OpBuilder &b) {
  int ordering = b.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  b.takeOneOf({"cta", "cluster", "gpu", "sys"});
  const size_t first = HasResult ? 1 : 0;
  Space space = takeSpace(b, b.operand(first));
  int which = b.takeOneOf(
      {"add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas"});
  b.take("noftz");
  auto type = b.takeType();
  size_t wanted = first + (which == kCas ? 3 : 2);
  if (which < 0 || !type || !b.allTaken() || b.operandCount() != wanted)
    return Decode::NotMine;
  MemoryOperand address = wideOperand(b, b.operand(first), space);
  Handlers run = pickOperation(which, *type, space, address.bits);
  if (!run.full)
    return Decode::NotMine;
  Slot d = HasResult ? b.def(0, *type) : b.temporary(type->registerBits());
  Slot value = b.use(first + 1, *type);
  Slot other = which == kCas ? b.use(first + 2, *type) : value;
  Op &op = b.emit(run, {d, value, other, address.base});
  op.immediate = address.offset;
  op.mode = accessMode(
      space, {.ordering = ordering < 0 ? Ordering::Relaxed
                                       : static_cast<Ordering>(ordering + 1)});
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

} // namespace

void addAtomic(DecoderTable &table) {
  table.insert({"atom", decodeAtomic<true>});
  table.insert({"red", decodeAtomic<false>});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
