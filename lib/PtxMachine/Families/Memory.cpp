//===- Memory.cpp - ld, st, cvta, isspacep, prefetch ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions": ld, ld.global.nc, st,
// cvta, isspacep, prefetch, applypriority, discard (hints).
//
//  * The address must be a multiple of the whole access (of the vector).
//  * A narrower value is zero- or sign-extended to its register by its type.
//  * Cache operators, eviction priorities and prefetch sizes are hints.
//  * .volatile, .relaxed, .acquire, .release, .weak are the same here: blocks
//    run on host threads whose plain accesses are not reordered by us, and the
//    x86 memory model is stronger than what these ask for.
//
//===----------------------------------------------------------------------===//

#include "Families/Access.h"
#include "Families/Families.h"

#include <algorithm>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

//===----------------------------------------------------------------------===//
// ld
//===----------------------------------------------------------------------===//

/// Row k of a vector operand that starts behind the address (r[0]); more than
/// four elements are in the table of wide operands.
CTC_SCALAR uint32_t elementRow(const Warp &warp, const Op &op, unsigned first,
                               unsigned k) {
  if (op.count > 4) [[unlikely]]
    return warp.block->wideOperands[op.r[0] + first + k];
  return op.r[first + k];
}

/// Loads `Count` elements per lane from resolved addresses.
template <class Element, class Register, bool Full, unsigned Count>
CTC_SCALAR void loadElements(Warp &warp, const Op &op, LaneMask mask,
                             const HostAddresses &host) {
  using Cell = std::conditional_t<sizeof(Register) == 8, uint64_t, uint32_t>;
  for (unsigned k = 0; k < Count; ++k) {
    Cell *d =
        reinterpret_cast<Cell *>(warp.registers + elementRow(warp, op, 0, k));
    auto widen = [k](const char *access) __attribute__((always_inline)) {
      Element value;
      __builtin_memcpy(&value, access + k * sizeof(Element), sizeof(Element));
      return static_cast<Cell>(static_cast<Register>(value));
    };
    if (host.shape == HostAddresses::Uniform) {
      const Cell value = widen(host.first);
      CTC_EACH_LANE(i) { d[i] = Full || isActive(mask, i) ? value : d[i]; }
    } else if (Full && host.shape == HostAddresses::Consecutive) {
      CTC_EACH_LANE(i) {
        d[i] = widen(host.first + i * (Count * sizeof(Element)));
      }
    } else {
      for (unsigned i = 0; i < kWarpSize; ++i) {
        // Inactive lanes have the address of an active one.
        Cell value = widen(reinterpret_cast<const char *>(host.lane[i]));
        d[i] = Full || isActive(mask, i) ? value : d[i];
      }
    }
  }
}

/// The vectors, apart from the frequent single elements.
template <class Element, class Register, bool Full>
CTC_LANES __attribute__((noinline)) void
loadVectors(Warp &warp, const Op &op, LaneMask mask,
            const HostAddresses &host) {
  if (op.count == 2)
    loadElements<Element, Register, Full, 2>(warp, op, mask, host);
  else if (op.count == 4)
    loadElements<Element, Register, Full, 4>(warp, op, mask, host);
  else
    loadElements<Element, Register, Full, 8>(warp, op, mask, host);
}

/// Operands: the elements, then the address.
template <Path path, class Element, class Register, bool Full>
CTC_LANES bool load(Warp &warp, const Op &op, LaneMask mask) {
  const unsigned count = op.count;
  HostAddresses host;
  if (!resolve<path, Full>(warp, op, elementRow(warp, op, count, 0), mask,
                           sizeof(Element) * count, AccessKind::Load, host))
      [[unlikely]]
    return false;
  if (count == 1) [[likely]]
    loadElements<Element, Register, Full, 1>(warp, op, mask, host);
  else
    loadVectors<Element, Register, Full>(warp, op, mask, host);
  return true;
}

/// Stores `Count` elements per lane; of lanes with the same address the highest
/// one's value stays.
template <class Element, bool Full, unsigned Count>
CTC_SCALAR void storeElements(Warp &warp, const Op &op, LaneMask mask,
                              const HostAddresses &host) {
  using Cell = std::conditional_t<sizeof(Element) == 8, uint64_t, uint32_t>;
  // Elements of 8, 16 and 32 bits may come from a 64-bit row.
  const unsigned stride = op.mode & kFromWide ? 8 : sizeof(Cell);
  for (unsigned k = 0; k < Count; ++k) {
    const char *s = warp.registers + elementRow(warp, op, 0, k);
    auto put = [s, k](char *access,
                      unsigned cell) __attribute__((always_inline)) {
      Element value;
      __builtin_memcpy(&value, s + cell, sizeof(Element));
      __builtin_memcpy(access + k * sizeof(Element), &value, sizeof(Element));
    };
    if (Full && host.shape == HostAddresses::Consecutive &&
        stride == sizeof(Cell)) {
      CTC_EACH_LANE(i) {
        put(host.first + i * (Count * sizeof(Element)), i * sizeof(Cell));
      }
    } else if (host.shape == HostAddresses::Uniform) {
      const auto highest = 31u - static_cast<unsigned>(__builtin_clz(mask));
      put(host.first, highest * stride);
    } else {
      for (LaneMask left = mask; left; left &= left - 1) {
        const unsigned i = lowestLane(left);
        put(reinterpret_cast<char *>(host.lane[i]), i * stride);
      }
    }
  }
}

template <class Element, bool Full>
CTC_LANES __attribute__((noinline)) void
storeVectors(Warp &warp, const Op &op, LaneMask mask,
             const HostAddresses &host) {
  if (op.count == 2)
    storeElements<Element, Full, 2>(warp, op, mask, host);
  else if (op.count == 4)
    storeElements<Element, Full, 4>(warp, op, mask, host);
  else
    storeElements<Element, Full, 8>(warp, op, mask, host);
}

template <Path path, class Element, bool Full>
CTC_LANES bool store(Warp &warp, const Op &op, LaneMask mask) {
  const unsigned count = op.count;
  HostAddresses host;
  if (!resolve<path, Full>(warp, op, elementRow(warp, op, count, 0), mask,
                           sizeof(Element) * count, AccessKind::Store, host))
      [[unlikely]]
    return false;
  if (count == 1) [[likely]]
    storeElements<Element, Full, 1>(warp, op, mask, host);
  else
    storeVectors<Element, Full>(warp, op, mask, host);
  return true;
}

template <Path path, class Element>
constexpr Handlers storeHandlers{store<path, Element, true>,
                                 store<path, Element, false>};

template <Path path, class Element, class Register>
constexpr Handlers loadHandlers{load<path, Element, Register, true>,
                                load<path, Element, Register, false>};

/// Sign extension goes to the width of the register: 16 (kept in 32), 32, 64.
template <Path path> Handlers pickLoad(Type type, unsigned registerBits) {
  bool wide = registerBits == 64;
  if (!type.isSigned() || type.bits == registerBits)
    switch (type.bits) {
    case 8:
      return wide ? loadHandlers<path, uint8_t, uint64_t>
                  : loadHandlers<path, uint8_t, uint32_t>;
    case 16:
      return wide ? loadHandlers<path, uint16_t, uint64_t>
                  : loadHandlers<path, uint16_t, uint32_t>;
    case 32:
      return wide ? loadHandlers<path, uint32_t, uint64_t>
                  : loadHandlers<path, uint32_t, uint32_t>;
    default:
      return loadHandlers<path, uint64_t, uint64_t>;
    }
  switch (type.bits) {
  case 8:
    return wide                 ? loadHandlers<path, int8_t, int64_t>
           : registerBits == 16 ? loadHandlers<path, int8_t, uint16_t>
                                : loadHandlers<path, int8_t, int32_t>;
  case 16:
    return wide ? loadHandlers<path, int16_t, int64_t>
                : loadHandlers<path, int16_t, int32_t>;
  default:
    return loadHandlers<path, int32_t, int64_t>;
  }
}

template <Path path> Handlers pickStore(unsigned bits) {
  switch (bits) {
  case 8:
    return storeHandlers<path, uint8_t>;
  case 16:
    return storeHandlers<path, uint16_t>;
  case 32:
    return storeHandlers<path, uint32_t>;
  default:
    return storeHandlers<path, uint64_t>;
  }
}

struct PickLoad {
  Type type;
  unsigned registerBits;
  template <Path path> Handlers operator()() const {
    return pickLoad<path>(type, registerBits);
  }
};
struct PickStore {
  unsigned bits;
  template <Path path> Handlers operator()() const {
    return pickStore<path>(bits);
  }
};

/// The modifiers of ld and st that are hints or mean nothing here but to an
/// observer.
Ordering takeMemoryHints(OpBuilder &b) {
  b.take("weak");
  // ld.relaxed.mmio has two of them.
  int ordering =
      b.takeOneOf({"acquire", "release", "relaxed", "volatile", "mmio"});
  b.take("mmio");
  b.takeOneOf({"cta", "cluster", "gpu", "sys"});
  b.takeOneOf({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  b.take("nc");
  b.take("unified");
  b.takePrefixed("L1::");
  b.takePrefixed("L2::");
  return ordering < 0    ? Ordering::Weak
         : ordering == 0 ? Ordering::Acquire
         : ordering == 1 ? Ordering::Release
                         : Ordering::Relaxed;
}

std::vector<Operand> elementsOf(const Operand &operand) {
  return operand.kind == Operand::Kind::Vector ? operand.elements
                                               : std::vector{operand};
}

Decode decodeLoad(OpBuilder &b) {
  Ordering ordering = takeMemoryHints(b);
  Space space = takeSpace(b, b.operand(1));
  int vector = b.takeOneOf({"v2", "v4", "v8"});
  auto type = b.takeType();
  std::vector<Operand> targets = elementsOf(b.operand(0));
  size_t wanted = vector < 0 ? 1 : size_t(2) << vector;
  if (!type || type->bits > 64 || !b.allTaken() || b.operandCount() < 2 ||
      targets.size() != wanted)
    return Decode::NotMine;
  std::vector<Slot> slots;
  unsigned registerBits = 0;
  for (const Operand &target : targets)
    slots.push_back(b.defAtLeast(target, *type, registerBits));
  MemoryOperand address = wideOperand(b, b.operand(1), space);
  slots.push_back(address.base);
  Op &op = b.emit(pickPath(space, address.bits, PickLoad{*type, registerBits}),
                  slots);
  op.immediate = address.offset;
  op.mode = accessMode(space, {.ordering = ordering});
  op.count = static_cast<uint16_t>(wanted);
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

Decode decodeStore(OpBuilder &b) {
  Ordering ordering = takeMemoryHints(b);
  Space space = takeSpace(b, b.operand(0));
  int vector = b.takeOneOf({"v2", "v4", "v8"});
  auto type = b.takeType();
  std::vector<Operand> values = elementsOf(b.operand(1));
  size_t wanted = vector < 0 ? 1 : size_t(2) << vector;
  if (!type || type->bits > 64 || !b.allTaken() || b.operandCount() < 2 ||
      values.size() != wanted)
    return Decode::NotMine;
  std::vector<Slot> slots;
  for (const Operand &value : values)
    slots.push_back(b.useAtLeast(value, *type));
  bool fromWide = b.rows.size() > slots.front().id &&
                  b.rows[slots.front().id].bits == 64 && type->bits < 64;
  MemoryOperand address = wideOperand(b, b.operand(0), space);
  slots.push_back(address.base);
  Op &op = b.emit(pickPath(space, address.bits, PickStore{type->bits}), slots);
  op.immediate = address.offset;
  op.count = static_cast<uint16_t>(wanted);
  op.mode = accessMode(space, {fromWide, ordering});
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

/// cvta adds the window of a space, cvta.to subtracts it; global and constant
/// addresses are generic ones already. 32-bit operands are not supported by
/// 64-bit targets.
struct AddWindow {
  static CTC_SCALAR uint64_t apply(const Op &op, uint64_t address) {
    return address + static_cast<uint64_t>(op.immediate);
  }
};

/// cvta.param: the launch's copy of the parameters is read where it lies.
template <bool To>
CTC_LANES bool convertParameter(Warp &warp, const Op &op, LaneMask mask) {
  auto base = reinterpret_cast<uint64_t>(warp.block->parameters);
  uint64_t *d = rowOf<uint64_t>(warp, op.r[0]);
  const uint64_t *s = rowOf<uint64_t>(warp, op.r[1]);
  CTC_EACH_LANE(i) {
    uint64_t value = To ? s[i] - base : s[i] + base;
    d[i] = isActive(mask, i) ? value : d[i];
  }
  return true;
}

int64_t windowOf(Space space) {
  if (space == Space::Shared)
    return static_cast<int64_t>(genericWindows().shared);
  return space == Space::Local ? static_cast<int64_t>(genericWindows().local)
                               : 0;
}

Decode decodeConvertAddress(OpBuilder &b) {
  bool to = b.take("to");
  auto named = b.place(b.operand(1));
  b.takePrefixed("shared::"); // Both views lie in one window.
  bool isParameter = b.take("param");
  if (isParameter)
    b.takePrefixed("param::");
  int space = b.takeOneOf({"global", "const", "shared", "local"});
  auto type = b.takeType();
  bool sharedWindow = std::any_of(
      b.instruction().modifiers.begin(), b.instruction().modifiers.end(),
      [](const std::string &m) { return m.starts_with("shared"); });
  if (!type || type->bits != 64 || !b.allTaken() || b.operandCount() != 2)
    return Decode::NotMine;
  Slot d = b.def(0, *type), s = b.use(1, *type);
  if (isParameter && (!named || named->space == Space::Param)) {
    if (to)
      b.emit({convertParameter<true>, convertParameter<true>}, {d, s});
    else
      b.emit({convertParameter<false>, convertParameter<false>}, {d, s});
    return Decode::Done;
  }
  Space which = sharedWindow                ? Space::Shared
                : space == 3 || isParameter ? Space::Local
                                            : Space::Global;
  Op &op = b.emit(Map<AddWindow, uint64_t, uint64_t>::handlers, {d, s});
  op.immediate = to ? -windowOf(which) : windowOf(which);
  return Decode::Done;
}

struct Widen {
  static CTC_SCALAR uint64_t apply(uint32_t address) { return address; }
};

enum class Inside : uint16_t { Block, Cluster, Local, Global };

/// isspacep: whether a generic address lies in a window; global is what lies
/// in none (constants and parameters are read through generic addresses, too).
CTC_LANES bool isInSpace(Warp &warp, const Op &op, LaneMask mask) {
  const uint64_t *s = rowOf<uint64_t>(warp, op.r[1]);
  const GenericWindows windows = genericWindows();
  const uint64_t ownSlot = warp.block->rank + 1;
  LaneMask result = 0;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    const uint64_t inWindow = s[i] - windows.shared;
    const uint64_t slot = inWindow >> GenericWindows::kSlotBits;
    bool inShared = inWindow < GenericWindows::kSharedBytes;
    bool inLocal = s[i] - windows.local < GenericWindows::kLocalBytes;
    bool holds = false;
    switch (static_cast<Inside>(op.mode)) {
    case Inside::Block:
      holds = slot == 0 || slot == ownSlot;
      break;
    case Inside::Cluster:
      holds = inShared;
      break;
    case Inside::Local:
      holds = inLocal;
      break;
    case Inside::Global:
      holds = !inShared && !inLocal;
      break;
    }
    result |= static_cast<LaneMask>(holds) << i;
  }
  LaneMask &predicate = warp.predicates[op.r[0]];
  predicate = (predicate & ~mask) | (result & mask);
  return true;
}

Decode emitIsSpace(OpBuilder &b, Inside space) {
  if (!b.allTaken() || b.operandCount() != 2)
    return Decode::NotMine;
  Op &op = b.emit({isInSpace, isInSpace},
                  {b.defPredicate(b.operand(0)), b.use(1, kB64)});
  op.mode = static_cast<uint16_t>(space);
  return Decode::Done;
}

Decode decodeIsSpace(OpBuilder &b) {
  if (b.take("shared"))
    return emitIsSpace(b, Inside::Block);
  int space =
      b.takeOneOf({"shared::cta", "shared::cluster", "local", "global"});
  return space < 0 ? Decode::NotMine
                   : emitIsSpace(b, static_cast<Inside>(space));
}

/// A hint: its operand is not even looked at.
Decode decodeHint(OpBuilder &) { return Decode::Done; }

} // namespace

MemoryOperand wideOperand(OpBuilder &b, const Operand &operand, Space space) {
  MemoryOperand result;
  result.base = b.address(operand, result.offset, result.bits);
  if (result.bits == 64 || space == Space::Shared)
    return result;
  Slot wide = b.temporary(64);
  b.emit(Map<Widen, uint64_t, uint32_t>::handlers, {wide, result.base});
  wide.isDef = false;
  return {wide, result.offset, 64};
}

void addMemory(DecoderTable &table) {
  table.insert({"ld", decodeLoad});
  table.insert({"ldu", decodeLoad});
  table.insert({"st", decodeStore});
  table.insert({"cvta", decodeConvertAddress});
  table.insert({"isspacep", decodeIsSpace});
  table.insert({"prefetch", decodeHint});
  table.insert({"prefetchu", decodeHint});
  table.insert({"applypriority", decodeHint});
  table.insert({"discard", decodeHint});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
