//===- Access.h - From PTX addresses to host addresses ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "State Spaces" and "Generic Addressing". Every memory instruction
// first turns the addresses of its lanes into host addresses and checks them:
// alignment, and that each access lies inside what its space has.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_ACCESS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_ACCESS_H

#include "Execution/Observer.h"
#include "Families/Lanes.h"
#include "Program/OpBuilder.h"

namespace ctc::ptx {

/// Resolves one lane after the other: whatever has no fast path or ends in a
/// fault. `host.lane` holds the PTX addresses and becomes host addresses.
bool resolveSlowly(Warp &warp, const Op &op, LaneMask mask, unsigned bytes,
                   Space space, AccessKind kind, HostAddresses &host);

/// Tells the block's observer of an access whose addresses are resolved.
void observeAccess(Warp &warp, const Op &op, const LaneAccess &access);

} // namespace ctc::ptx

namespace ctc::ptx::CTC_PTX_LEVEL {

struct MemoryOperand {
  Slot base;
  int64_t offset = 0;
  unsigned bits = 64; ///< Of the base.
};

/// The state space an instruction names, or that of the variable it names when
/// that is one of the function's own (their .param lies in local memory).
inline Space takeSpace(OpBuilder &b, const Operand &address) {
  auto named = b.addressSpace(address);
  b.takePrefixed("param::");
  if (b.takeOneOf({"shared", "shared::cta", "shared::cluster"}) >= 0)
    return Space::Shared;
  if (b.takeOneOf({"global", "const"}) >= 0)
    return Space::Global;
  if (b.take("local"))
    return Space::Local;
  bool isParam = b.take("param");
  for (const std::string &modifier : b.instruction().modifiers)
    isParam |= modifier.starts_with("param::");
  if (isParam) {
    if (named)
      return *named;
    return b.inKernel() ? Space::Param : Space::Local;
  }
  return Space::Generic;
}

/// The ways to an address that are worth code of their own. Windowed is what
/// goes lane by lane: local memory and parameters.
enum class Path { Shared32, Shared64, Global, Windowed };

/// Calls pick.operator()<Path>() for a space and a base of `bits` bits.
template <class Pick>
Handlers pickPath(Space space, unsigned bits, const Pick &pick) {
  switch (space) {
  case Space::Shared:
    return bits == 32 ? pick.template operator()<Path::Shared32>()
                      : pick.template operator()<Path::Shared64>();
  case Space::Local:
  case Space::Param:
    return pick.template operator()<Path::Windowed>();
  default:
    return pick.template operator()<Path::Global>();
  }
}

struct AccessFlags {
  bool fromWide = false; ///< What is stored lies in 64-bit rows, but is narrow.
  Ordering ordering = Ordering::Weak;
};
constexpr uint16_t kFromWide = 1 << 8;
constexpr unsigned kOrderingShift = 9; ///< Three bits.

/// Op::mode of a memory operation: its space, and flags.
inline uint16_t accessMode(Space space, AccessFlags flags = {}) {
  return static_cast<uint16_t>(
      static_cast<unsigned>(space) | (flags.fromWide ? kFromWide : 0u) |
      static_cast<unsigned>(flags.ordering) << kOrderingShift);
}
CTC_SCALAR Ordering orderingOf(const Op &op) {
  return static_cast<Ordering>(op.mode >> kOrderingShift & 7);
}
CTC_SCALAR Space spaceOf(const Op &op) {
  return static_cast<Space>(op.mode & 0xff);
}

/// The operand with its base in 64 bits, except for shared memory: widened by
/// an operation of its own, for only 32-bit targets do that elsewhere.
MemoryOperand wideOperand(OpBuilder &b, const Operand &operand, Space space);

/// One loop over the lanes finds out whether all are inside of the memory that
/// is known here, aligned, and in which shape; what is not goes lane by lane.
template <Path path, bool Full>
CTC_SCALAR bool resolve(Warp &warp, const Op &op, uint32_t baseRow,
                        LaneMask mask, unsigned bytes, AccessKind kind,
                        HostAddresses &host) {
  using Address =
      std::conditional_t<path == Path::Shared32, uint32_t, uint64_t>;
  const Address *base = rowOf<Address>(warp, baseRow);
  const BlockState &block = *warp.block;
  // Addresses of [begin, begin + size) are host addresses less `shift`.
  uint64_t begin = 0, size = 0, shift = 0;
  if constexpr (path == Path::Global) {
    // A generic address that lies in an allocation is a global one.
    begin = block.caches[op.cacheSlot].begin;
    size = block.caches[op.cacheSlot].end - begin;
    size = begin == 1 ? 0 : size; // Nothing was accessed yet.
  } else if constexpr (path != Path::Windowed) {
    size = block.sharedBytes;
    shift = reinterpret_cast<uint64_t>(block.shared);
  }
  bool bad = size < bytes, different = false, scattered = false;
  const uint64_t room = size - bytes, low = bytes - 1;
  const uint64_t offset = static_cast<uint64_t>(op.immediate);
  const uint64_t first = base[Full ? 0 : lowestLane(mask)] + offset;
  for (unsigned i = 0; i < kWarpSize; ++i) {
    const uint64_t own = static_cast<uint64_t>(base[i]) + offset;
    const uint64_t address = Full || isActive(mask, i) ? own : first;
    host.lane[i] = address + shift;
    bad |= (address - begin > room) | ((address & low) != 0);
    different |= address != first;
    scattered |= address != first + i * bytes;
  }
  host.first = reinterpret_cast<char *>(first + shift);
  host.shape = !different           ? HostAddresses::Uniform
               : Full && !scattered ? HostAddresses::Consecutive
                                    : HostAddresses::Scattered;
  if (bad) [[unlikely]] {
    for (unsigned i = 0; i < kWarpSize; ++i)
      host.lane[i] -= shift;
    if (!resolveSlowly(warp, op, mask, bytes, spaceOf(op), kind, host))
      return false;
  }
  // How much a copy reads is known to the copy.
  if (block.observer && kind != AccessKind::CopySource) [[unlikely]]
    observeAccess(warp, op,
                  {kind, spaceOf(op), orderingOf(op), bytes, mask, &host});
  return true;
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_ACCESS_H
