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
//  * add of f32 in global memory takes subnormals for zeros and makes zeros of
//    them, as the ISA says; in shared memory it keeps them. f64, f16 and bf16
//    keep them everywhere.
//  * min and max of f16 and bf16 are those of the instructions min and max.
//  * Vectors (.v2, .v4, .v8; global memory) are atomic element by element, but
//    their address is a multiple of the whole. Lanes go one after the other,
//    and in a lane the elements.
//  * .L2::cache_hint and its operand are a hint.
//
// .b128 is refused.
//
//===----------------------------------------------------------------------===//

#include "Families/Access.h"
#include "Families/Families.h"
#include "Families/FloatFunctions.h"
#include "Families/HalfArithmetic.h"
#include "Families/IntegerTypes.h"

#include <algorithm>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

//===----------------------------------------------------------------------===//
// Operations on one element
//===----------------------------------------------------------------------===//

struct Add {
  template <class T> static T apply(T old, T b, T) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(unsignedOf(old) + unsignedOf(b));
    else
      return finish<false, false>(old + b);
  }
};
struct AddFlushing {
  static float apply(float old, float b, float) {
    return finish<true, false>(flush<true>(old) + flush<true>(b));
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
/// The instruction Fn of one half, or of both of a packed operand.
template <class Fn, class H> struct OfHalf {
  static uint16_t apply(uint16_t old, uint16_t b, uint16_t) {
    return Fn::apply(H{old}, H{b}).bits;
  }
};
template <class Fn, class H> struct OfHalves {
  static uint32_t apply(uint32_t old, uint32_t b, uint32_t) {
    return half::InHalves<Fn, H>::apply(old, b);
  }
};
using HalfAdd = half::Add;
using HalfMin = half::Extreme<false, false, false>;
using HalfMax = half::Extreme<true, false, false>;

/// What Fn is in global memory.
template <class Fn, class T>
using InGlobal =
    std::conditional_t<std::is_same_v<Fn, Add> && std::is_same_v<T, float>,
                       AddFlushing, Fn>;

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

/// Replaces the element at `host`; gives its old bits.
template <class Fn, class T>
CTC_SCALAR Storage<T> exchange(uint64_t host, T b, T c) {
  using Bits = std::make_unsigned_t<
      std::conditional_t<sizeof(T) == 8, int64_t,
                         std::conditional_t<sizeof(T) == 4, int32_t, int16_t>>>;
  auto *place = reinterpret_cast<Bits *>(host);
  Bits old = __atomic_load_n(place, __ATOMIC_SEQ_CST), wanted;
  do
    wanted =
        __builtin_bit_cast(Bits, Fn::apply(__builtin_bit_cast(T, old), b, c));
  while (!__atomic_compare_exchange_n(place, &old, wanted, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return old;
}

/// Whether a lane's address is one of shared memory.
template <Path path>
CTC_SCALAR bool isShared(const Warp &warp, const Op &op, uint32_t baseRow,
                         unsigned lane) {
  if constexpr (path != Path::Global)
    return true;
  if (spaceOf(op) != Space::Generic)
    return false;
  const auto *base =
      reinterpret_cast<const uint64_t *>(warp.registers + baseRow);
  return base[lane] + static_cast<uint64_t>(op.immediate) -
             genericWindows().shared <
         GenericWindows::kSharedBytes;
}

/// Operands: row r[0] old value, r[1] b, r[2] c, r[3] address.
template <class Fn, class T, Path path>
bool atomic(Warp &warp, const Op &op, LaneMask mask) {
  HostAddresses host;
  if (!resolve<path, false>(warp, op, op.r[3], mask, sizeof(T),
                            AccessKind::Atomic, host))
    return false;
  Storage<T> *d = rowOf<T>(warp, op.r[0]);
  const Storage<T> *b = rowOf<T>(warp, op.r[1]), *c = rowOf<T>(warp, op.r[2]);
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned i = lowestLane(left);
    const T x = Cell<T>::load(b[i]), y = Cell<T>::load(c[i]);
    if (std::is_same_v<Fn, InGlobal<Fn, T>> ||
        isShared<path>(warp, op, op.r[3], i))
      d[i] = exchange<Fn, T>(host.lane[i], x, y);
    else
      d[i] = exchange<InGlobal<Fn, T>, T>(host.lane[i], x, y);
  }
  return true;
}

constexpr unsigned kMaxElements = 8;

/// Operands: op.count rows of old values, as many of b, the address.
template <class Fn, class T>
bool atomicVector(Warp &warp, const Op &op, LaneMask mask) {
  const unsigned count = op.count;
  const uint32_t *slots = 2 * count + 1 > kInlineOperands
                              ? warp.block->wideOperands + op.r[0]
                              : op.r.data();
  HostAddresses host;
  if (!resolve<Path::Global, false>(warp, op, slots[2 * count], mask,
                                    sizeof(T) * count, AccessKind::Atomic,
                                    host))
    return false;
  for (LaneMask left = mask; left; left &= left - 1)
    if (isShared<Path::Global>(warp, op, slots[2 * count], lowestLane(left)))
      return describeFault(warp, lowestLane(left),
                           "a vector's address is in shared memory; it must "
                           "be in global memory");
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned i = lowestLane(left);
    T values[kMaxElements]; // An old value may go where another b is.
    for (unsigned k = 0; k < count; ++k)
      values[k] = Cell<T>::load(rowOf<T>(warp, slots[count + k])[i]);
    for (unsigned k = 0; k < count; ++k)
      rowOf<T>(warp, slots[k])[i] = exchange<InGlobal<Fn, T>, T>(
          host.lane[i] + k * sizeof(T), values[k], values[k]);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

enum Operation { kAdd, kMin, kMax, kInc, kDec, kAnd, kOr, kXor, kExch, kCas };

/// What an instruction asks for.
struct Request {
  int operation = -1;
  Type type;
  unsigned elements = 1;
  Space space = Space::Generic;
  unsigned addressBits = 64;
};

/// The types of the ISA's table.
bool isLegal(const Request &it, bool noftz) {
  const Type type = it.type;
  const bool isFloat = type.isFloat(32) || type.isFloat(64);
  if (noftz != type.isHalf())
    return false;
  if (it.elements > 1)
    return it.operation <= kMax &&
           (type.isHalf()
                ? !type.packed || it.elements <= 4
                : type.isFloat(32) && it.operation == kAdd && it.elements <= 4);
  if (type.bits < 16 || type.bits > 64 || (type.packed && !type.isHalf()))
    return false;
  switch (it.operation) {
  case kAdd:
    return isFloat || type.isHalf() || type == kU32 || type == kU64 ||
           (type.isSigned() && type.bits == 32);
  case kMin:
  case kMax:
    return type.bits >= 32 &&
           (type.kind == TypeKind::Unsigned || type.kind == TypeKind::Signed);
  case kInc:
  case kDec:
    return type == kU32;
  case kCas:
    return type.kind == TypeKind::Bits;
  default:
    return type.kind == TypeKind::Bits && type.bits >= 32;
  }
}

template <class Fn, class T> struct PickAtomic {
  template <Path path> Handlers operator()() const {
    return {atomic<Fn, T, path>, atomic<Fn, T, path>};
  }
};

template <class Fn, class T> Handlers pick(const Request &it) {
  return pickPath(it.space, it.addressBits, PickAtomic<Fn, T>());
}

/// Halves and f32, also vectors of them.
template <class Fn, class T> Handlers pickVector(const Request &it) {
  return it.elements > 1 ? Handlers{atomicVector<Fn, T>, atomicVector<Fn, T>}
                         : pick<Fn, T>(it);
}

template <class Fn> Handlers pickHalf(const Request &it) {
  if (it.type.kind == TypeKind::BFloat)
    return it.type.packed ? pickVector<OfHalves<Fn, BHalf>, uint32_t>(it)
                          : pickVector<OfHalf<Fn, BHalf>, uint16_t>(it);
  return it.type.packed ? pickVector<OfHalves<Fn, Half>, uint32_t>(it)
                        : pickVector<OfHalf<Fn, Half>, uint16_t>(it);
}

template <class Fn> struct PickInteger {
  const Request &it;
  template <class T> Handlers operator()() const { return pick<Fn, T>(it); }
};
template <class Fn> Handlers pickWord(const Request &it) {
  return pickInteger(it.type, PickInteger<Fn>{it});
}

Handlers pickOperation(const Request &it) {
  const bool isHalf = it.type.isHalf();
  switch (it.operation) {
  case kAdd:
    return isHalf                ? pickHalf<HalfAdd>(it)
           : it.type.isFloat(32) ? pickVector<Add, float>(it)
           : it.type.isFloat(64) ? pick<Add, double>(it)
                                 : pickWord<Add>(it);
  case kMin:
    return isHalf ? pickHalf<HalfMin>(it) : pickWord<Min>(it);
  case kMax:
    return isHalf ? pickHalf<HalfMax>(it) : pickWord<Max>(it);
  case kInc:
    return pick<Increment, uint32_t>(it);
  case kDec:
    return pick<Decrement, uint32_t>(it);
  case kAnd:
    return pickWord<And>(it);
  case kOr:
    return pickWord<Or>(it);
  case kXor:
    return pickWord<Xor>(it);
  case kExch:
    return pickWord<Exchange>(it);
  default:
    return pickWord<CompareAndSwap>(it);
  }
}

std::vector<Operand> elementsOf(const Operand &operand) {
  return operand.kind == Operand::Kind::Vector ? operand.elements
                                               : std::vector{operand};
}

/// Old values (of atom; those of red go nowhere), then b.
bool addElements(OpBuilder &b, const Request &it, size_t address,
                 std::vector<Slot> &slots) {
  const bool hasResult = address == 1;
  const auto values = elementsOf(b.operand(address + 1));
  const auto results =
      hasResult ? elementsOf(b.operand(0)) : std::vector<Operand>();
  if (values.size() != it.elements ||
      (hasResult && results.size() != it.elements))
    return false;
  for (size_t i = 0; i < it.elements; ++i)
    slots.push_back(hasResult ? b.def(results[i], it.type)
                              : b.temporary(it.type.registerBits()));
  for (const Operand &value : values)
    slots.push_back(b.use(value, it.type));
  return true;
}

/// atom{.sem}{.scope}{.space}.op{.noftz}{.L2::cache_hint}{.vec}.type d, [a],
/// b{, c}{, policy}; red is the same without d.
template <bool HasResult> Decode decodeAtomic(OpBuilder &b) {
  constexpr size_t kAddress = HasResult ? 1 : 0;
  int ordering = b.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  b.takeOneOf({"cta", "cluster", "gpu", "sys"});
  Request it;
  it.space = takeSpace(b, b.operand(kAddress));
  it.operation = b.takeOneOf(
      {"add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas"});
  const bool noftz = b.take("noftz"), hint = b.take("L2::cache_hint");
  const int vector = b.takeOneOf({"v2", "v4", "v8"});
  it.elements = vector < 0 ? 1 : 2u << vector;
  auto type = b.takeType();
  const size_t wanted =
      kAddress + 2u + (it.operation == kCas ? 1u : 0u) + (hint ? 1u : 0u);
  if (it.operation < 0 || (!HasResult && it.operation >= kExch) || !type ||
      !b.allTaken() || b.operandCount() != wanted)
    return Decode::NotMine;
  it.type = *type;
  if (!isLegal(it, noftz) || (it.elements > 1 && it.space == Space::Shared))
    return Decode::NotMine;
  MemoryOperand address = wideOperand(b, b.operand(kAddress), it.space);
  it.addressBits = address.bits;
  std::vector<Slot> slots;
  if (!addElements(b, it, kAddress, slots))
    return Decode::NotMine;
  if (it.elements == 1) // c, or anything.
    slots.push_back(it.operation == kCas ? b.use(kAddress + 2, it.type)
                                         : slots.back());
  if (hint)
    b.use(wanted - 1, kB64);
  slots.push_back(address.base);
  Op &op = b.emit(pickOperation(it), slots);
  op.immediate = address.offset;
  op.count = static_cast<uint16_t>(it.elements);
  op.mode = accessMode(it.space,
                       {.ordering = ordering < 0
                                        ? Ordering::Relaxed
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
