//===- Shadow.h - Who accessed each byte of shared memory last --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For every word of a block's shared memory the last write and, since then, who
// read it: of each group of agents the lanes and the clock. Two accesses
// conflict if one of them writes and neither is known to the other; what is
// ordered before a later access of the same kind is forgotten.
//
// Strong accesses (atomic operations, .volatile, .relaxed and stronger) do not
// conflict with each other.
//
// Words that are accessed in parts have two or four cells instead of one, until
// a whole word is written again. So the shadow is exact for every byte.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_SHADOW_H
#define CTC_LIB_PTXMACHINE_CHECK_SHADOW_H

#include "Check/Threads.h"

#include <cstdlib>
#include <memory>

namespace ctc::ptx::check {

enum class Access : uint8_t { Read, StrongRead, StrongWrite, Write };
constexpr bool isWrite(Access access) { return access >= Access::StrongWrite; }

/// Who accesses, and what it knows. The agents are the lanes of one group.
struct Actor {
  Access access = Access::Read;
  Group group = 0;
  Clock clock = 0;
  uint32_t source = 0;
  const VectorClock *known = nullptr;
  /// What it may rely on of writes by the generic proxy; null for an access of
  /// the generic proxy itself.
  const VectorClock *proxied = nullptr;
  /// The threads that access, or whose copies do; null where `known` says it
  /// all.
  const WarpThreads *warp = nullptr;
};

/// An access that conflicts with an earlier one.
struct Conflict {
  Access access, otherAccess;
  Agent agent, other;
  uint32_t source, otherSource;
  uint32_t offset; ///< Of a byte both access.
  /// They are ordered, but by no path with a proxy fence on it.
  bool onlyUnfenced = false;
};

class ConflictSink {
public:
  virtual ~ConflictSink() = default;
  virtual void conflict(const Conflict &conflict) = 0;
  /// A plain write to an mbarrier object.
  virtual void overwritten(Agent agent, uint32_t source, uint32_t offset) = 0;
};

class Shadow {
public:
  Shadow(uint64_t bytes, ConflictSink &sink);

  /// The actors of `lanes` access [offset, offset + bytes).
  void access(const Actor &actor, LaneMask lanes, uint32_t offset,
              uint32_t bytes);
  /// Each lane accesses `bytes` bytes at offsets[lane].
  void accessLanes(const Actor &actor, LaneMask lanes,
                   const uint32_t (&offsets)[kWarpSize], uint32_t bytes);

  /// The words of an mbarrier object become or cease to be one.
  void markMBarrier(uint32_t offset, bool isOne);

private:
  enum Flag : uint8_t { kHasStrongWrites = 1, kIsMBarrier = 2 };

  struct Cell {
    Agent writer = 0;
    Clock clock = 0; ///< Of the last write; 0: none, known to everyone.
    uint32_t source = 0;
    uint8_t level = 0; ///< Of a word: it has 2^level cells.
    uint8_t flags = 0;
    uint64_t users = 0; ///< Slots with uses since, modulo 64.
  };
  /// The last use of a cell by the lanes of a group, all at one clock; older
  /// ones that are not ordered before it are in a list.
  struct Use {
    Clock clock;
    LaneMask lanes;
    uint32_t source;
    uint32_t older; ///< Index in `olderUses`; 0: none.
  };
  /// The uses of all cells by one group in one way.
  struct Slot {
    Group group;
    Access access;
    std::unique_ptr<Use[], void (*)(void *)> words, parts;
  };
  /// A cell, of a word or of a part of one.
  struct Place {
    Cell &cell;
    bool isPart;
    uint32_t index;
    uint32_t offset() const { return isPart ? index : index * kWordBytes; }
  };
  /// What one actor's accesses have in common.
  struct Request {
    const Actor &actor;
    unsigned slot; ///< kNoSlot for a write.
  };
  static constexpr uint32_t kWordBytes = 4;
  static constexpr unsigned kNoSlot = ~0u;

  unsigned slotFor(Group group, Access access);
  void accessWord(const Request &request, LaneMask lanes, uint32_t word);
  void accessParts(const Request &request, LaneMask lanes, uint32_t offset,
                   uint32_t end);
  void accessRange(const Request &request, LaneMask lanes, uint32_t offset,
                   uint32_t bytes);
  void accessCell(const Request &request, LaneMask lanes, Place place);
  void check(const Request &request, LaneMask lanes, Place place);
  void checkUse(const Actor &actor, LaneMask lanes, const Slot &slot,
                const Use &use, uint32_t offset);
  void write(const Actor &actor, LaneMask lanes, Place place);
  void report(const Actor &actor, LaneMask lanes, Access other, Agent agent,
              uint32_t source, uint32_t offset, bool onlyUnfenced);
  void refine(uint32_t word, uint8_t level);

  Use &useOf(unsigned slot, bool isPart, uint32_t index) {
    return isPart ? slots[slot].parts[index] : slots[slot].words[index];
  }
  void noteUse(const Request &request, LaneMask lanes, Place place);
  uint32_t addOlder(const Use &use);
  void dropOlder(uint32_t &list);
  void dropKnown(const Actor &actor, LaneMask lanes, uint32_t &list);

  ConflictSink &sink;
  uint32_t words;
  std::unique_ptr<Cell[], void (*)(void *)> cells, parts;
  std::vector<Slot> slots;
  std::vector<uint16_t> slotIndex; ///< By group * 3 + the use's access; + 1.
  std::vector<Use> olderUses;
  std::vector<uint32_t> freeUses;
};

/// Those of `lanes` for which an access by `agent` up to `clock` is not known
/// to be done.
LaneMask unordered(const Actor &actor, LaneMask lanes, Agent agent,
                   Clock clock);

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_SHADOW_H
