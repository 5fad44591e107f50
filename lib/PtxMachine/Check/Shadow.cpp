//===- Shadow.cpp - Who accessed each byte of shared memory last ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/Shadow.h"

#include <bit>
#include <new>

namespace ctc::ptx::check {

/// Zeroed memory that costs nothing before it is touched.
template <class T>
static std::unique_ptr<T[], void (*)(void *)> makeZeroed(size_t count) {
  void *place = std::calloc(count + 1, sizeof(T));
  if (!place)
    throw std::bad_alloc();
  return {static_cast<T *>(place), std::free};
}

Shadow::Shadow(uint64_t bytes, ConflictSink &sink)
    : sink(sink),
      words(static_cast<uint32_t>((bytes + kWordBytes - 1) / kWordBytes)),
      cells(makeZeroed<Cell>(words)),
      parts(makeZeroed<Cell>(size_t(words) * kWordBytes)), olderUses(1) {}

LaneMask unordered(const Actor &actor, LaneMask lanes, Agent agent,
                   Clock clock) {
  if (actor.known->of(agent) >= clock)
    return 0;
  if (!actor.warp)
    return lanes;
  const WarpThreads &warp = *actor.warp;
  const Group group = groupOf(agent);
  if (group == warp.group)
    return lanes & ~(LaneMask(1) << laneOf(agent));
  for (unsigned k = 0; k < kOwnKinds; ++k) {
    const OwnAgents &own = warp.own[k];
    if (own.group != group)
      continue;
    const bool isCommon = k == ownIndex(AgentKind::Matrix);
    LaneMask done = 0;
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      if ((isCommon || lane == laneOf(agent)) && own.done[lane] >= clock)
        done |= LaneMask(1) << lane;
    return lanes & ~done;
  }
  return lanes;
}

//===----------------------------------------------------------------------===//
// Ranges and their cells
//===----------------------------------------------------------------------===//

unsigned Shadow::slotFor(Group group, Access access) {
  if (access == Access::Write)
    return kNoSlot;
  const size_t key = size_t(group) * 3 + static_cast<size_t>(access);
  if (slotIndex.size() <= key)
    slotIndex.resize(key + 1);
  if (slotIndex[key] == 0) {
    slots.push_back({group, access, makeZeroed<Use>(words),
                     makeZeroed<Use>(size_t(words) * kWordBytes)});
    slotIndex[key] = static_cast<uint16_t>(slots.size());
  }
  return slotIndex[key] - 1u;
}

void Shadow::access(const Actor &actor, LaneMask lanes, uint32_t offset,
                    uint32_t bytes) {
  accessRange({actor, slotFor(actor.group, actor.access)}, lanes, offset,
              bytes);
}

void Shadow::accessLanes(const Actor &actor, LaneMask lanes,
                         const uint32_t (&offsets)[kWarpSize], uint32_t bytes) {
  const Request request{actor, slotFor(actor.group, actor.access)};
  for (LaneMask left = lanes; left; left &= left - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(left));
    accessRange(request, LaneMask(1) << lane, offsets[lane], bytes);
  }
}

inline void Shadow::accessRange(const Request &request, LaneMask lanes,
                                uint32_t offset, uint32_t bytes) {
  const uint32_t end = offset + bytes;
  while (offset < end) {
    const uint32_t word = offset / kWordBytes;
    const uint32_t next = std::min(end, (word + 1) * kWordBytes);
    if (next - offset == kWordBytes) [[likely]]
      accessWord(request, lanes, word);
    else
      accessParts(request, lanes, offset, next);
    offset = next;
  }
}

inline void Shadow::accessWord(const Request &request, LaneMask lanes,
                               uint32_t word) {
  Cell &cell = cells[word];
  if (cell.level == 0) [[likely]]
    return accessCell(request, lanes, {cell, false, word});
  const uint32_t offset = word * kWordBytes;
  accessParts(request, lanes, offset, offset + kWordBytes);
  if (request.actor.access != Access::Write)
    return;
  // All parts were written by one access.
  cell.level = 0;
  write(request.actor, lanes, {cell, false, word});
}

/// [offset, end) lies in one word.
void Shadow::accessParts(const Request &request, LaneMask lanes,
                         uint32_t offset, uint32_t end) {
  const uint32_t word = offset / kWordBytes;
  refine(word, offset % 2 || end % 2 ? 2 : 1);
  const uint32_t step = kWordBytes >> cells[word].level;
  for (; offset < end; offset += step)
    accessCell(request, lanes, {parts[offset], true, offset});
}

/// Gives a word at least 2^level cells, with what its larger ones hold.
void Shadow::refine(uint32_t word, uint8_t level) {
  Cell &whole = cells[word];
  const uint32_t first = word * kWordBytes;
  while (whole.level < level) {
    const bool fromWord = whole.level == 0;
    const uint32_t size = kWordBytes >> (whole.level + 1);
    for (uint32_t at = first; at < first + kWordBytes; at += size) {
      const uint32_t from = at & ~(2 * size - 1);
      if (!fromWord && at == from)
        continue;
      Cell &cell = parts[at];
      cell = fromWord ? whole : parts[from];
      for (unsigned slot = 0; slot < slots.size(); ++slot) {
        if (!(cell.users >> slot % 64 & 1))
          continue;
        Use &use = useOf(slot, true, at);
        const Use &old = useOf(slot, !fromWord, fromWord ? word : from);
        dropOlder(use.older);
        use = old;
        use.older = 0;
        for (uint32_t i = old.older; i; i = olderUses[i].older) {
          Use copy = olderUses[i];
          copy.older = use.older;
          use.older = addOlder(copy);
        }
      }
    }
    ++whole.level;
  }
}

//===----------------------------------------------------------------------===//
// Cells
//===----------------------------------------------------------------------===//

inline void Shadow::accessCell(const Request &request, LaneMask lanes,
                               Place place) {
  const Actor &actor = request.actor;
  const Cell &cell = place.cell;
  const bool isWrite = actor.access == Access::Write;
  if (!isWrite) {
    // Once more the same, and nobody has written since.
    const Use &use = useOf(request.slot, place.isPart, place.index);
    if (use.clock == actor.clock && !(lanes & ~use.lanes) &&
        request.slot < 64 && (cell.users >> request.slot & 1))
      return;
  }
  // A first look at what is most frequent.
  if (cell.clock > actor.known->of(cell.writer) || cell.flags ||
      actor.proxied || (cell.users && check::isWrite(actor.access)))
    check(request, lanes, place);
  if (isWrite)
    write(actor, lanes, place);
  else
    noteUse(request, lanes, place);
}

void Shadow::write(const Actor &actor, LaneMask lanes, Place place) {
  Cell &cell = place.cell;
  const auto highest = 31u - static_cast<unsigned>(std::countl_zero(lanes));
  cell.writer = agentOf(actor.group, highest);
  cell.clock = actor.clock;
  cell.source = actor.source;
  cell.flags = 0;
  cell.users = 0;
}

/// Which accesses since the last write an access conflicts with.
static bool conflicts(Access access, Access use) {
  switch (access) {
  case Access::Read:
    return use == Access::StrongWrite;
  case Access::StrongRead:
    return false;
  case Access::StrongWrite:
    return use == Access::Read;
  case Access::Write:
    return true;
  }
  return true;
}

void Shadow::check(const Request &request, LaneMask lanes, Place place) {
  const Actor &actor = request.actor;
  const Cell &cell = place.cell;
  if (unordered(actor, lanes, cell.writer, cell.clock))
    report(actor, unordered(actor, lanes, cell.writer, cell.clock),
           Access::Write, cell.writer, cell.source, place.offset(), false);
  else if (actor.proxied && actor.proxied->of(cell.writer) < cell.clock)
    report(actor, lanes, Access::Write, cell.writer, cell.source,
           place.offset(), true);
  if ((cell.flags & kIsMBarrier) && actor.access == Access::Write)
    sink.overwritten(
        agentOf(actor.group, static_cast<unsigned>(std::countr_zero(lanes))),
        actor.source, place.offset());
  const bool mayConflict =
      check::isWrite(actor.access) || (cell.flags & kHasStrongWrites);
  for (uint64_t left = mayConflict ? cell.users : 0; left; left &= left - 1)
    for (auto i = static_cast<unsigned>(std::countr_zero(left));
         i < slots.size(); i += 64)
      if (conflicts(actor.access, slots[i].access))
        checkUse(actor, lanes, slots[i], useOf(i, place.isPart, place.index),
                 place.offset());
}

void Shadow::checkUse(const Actor &actor, LaneMask lanes, const Slot &slot,
                      const Use &newest, uint32_t offset) {
  const Use *use = &newest;
  while (true) {
    LaneMask missing =
        actor.known->covers(slot.group, use->lanes, use->clock)
            ? 0
            : actor.known->uncovered(slot.group, use->lanes, use->clock);
    for (; missing; missing &= missing - 1) {
      const Agent other =
          agentOf(slot.group, static_cast<unsigned>(std::countr_zero(missing)));
      const LaneMask bad = unordered(actor, lanes, other, use->clock);
      if (!bad)
        continue;
      report(actor, bad, slot.access, other, use->source, offset, false);
      break;
    }
    if (!missing && actor.proxied && slot.access == Access::StrongWrite &&
        !actor.proxied->covers(slot.group, use->lanes, use->clock))
      report(actor, lanes, slot.access,
             agentOf(slot.group,
                     static_cast<unsigned>(std::countr_zero(use->lanes))),
             use->source, offset, true);
    if (!use->older)
      return;
    use = &olderUses[use->older];
  }
}

void Shadow::report(const Actor &actor, LaneMask lanes, Access other,
                    Agent agent, uint32_t source, uint32_t offset,
                    bool onlyUnfenced) {
  const auto lane = static_cast<unsigned>(std::countr_zero(lanes));
  sink.conflict({actor.access, other, agentOf(actor.group, lane), agent,
                 actor.source, source, offset, onlyUnfenced});
}

//===----------------------------------------------------------------------===//
// Uses
//===----------------------------------------------------------------------===//

uint32_t Shadow::addOlder(const Use &use) {
  if (freeUses.empty()) {
    olderUses.push_back(use);
    return static_cast<uint32_t>(olderUses.size() - 1);
  }
  const uint32_t index = freeUses.back();
  freeUses.pop_back();
  olderUses[index] = use;
  return index;
}

void Shadow::dropOlder(uint32_t &list) {
  while (list) {
    freeUses.push_back(list);
    list = olderUses[list].older;
  }
}

/// Drops from the list what is ordered before an access by `lanes` now.
void Shadow::dropKnown(const Actor &actor, LaneMask lanes, uint32_t &list) {
  uint32_t *link = &list;
  while (*link) {
    Use &use = olderUses[*link];
    const LaneMask rest = use.lanes & ~lanes;
    if (rest && !actor.known->covers(actor.group, rest, use.clock)) {
      link = &use.older;
      continue;
    }
    freeUses.push_back(*link);
    *link = use.older;
  }
}

void Shadow::noteUse(const Request &request, LaneMask lanes, Place place) {
  const Actor &actor = request.actor;
  Use &use = useOf(request.slot, place.isPart, place.index);
  const uint64_t bit = uint64_t(1) << request.slot % 64;
  if (actor.access == Access::StrongWrite)
    place.cell.flags |= kHasStrongWrites;
  if (!(place.cell.users & bit)) [[unlikely]] {
    dropOlder(use.older);
    use = {actor.clock, lanes, actor.source, 0};
    place.cell.users |= bit;
    return;
  }
  // Warps of a warpgroup may be behind each other.
  if (use.clock >= actor.clock) {
    use.lanes |= lanes;
    return;
  }
  const LaneMask rest = use.lanes & ~lanes;
  uint32_t older = use.older;
  if (older)
    dropKnown(actor, lanes, older);
  if (rest && !actor.known->covers(actor.group, rest, use.clock)) {
    Use kept = use;
    kept.older = older;
    older = addOlder(kept);
  }
  use = {actor.clock, lanes, actor.source, older};
}

void Shadow::markMBarrier(uint32_t offset, bool isOne) {
  for (uint32_t word = offset / kWordBytes; word < offset / kWordBytes + 2;
       ++word) {
    auto mark = [isOne](Cell &cell) {
      cell.flags = static_cast<uint8_t>((cell.flags & ~kIsMBarrier) |
                                        (isOne ? kIsMBarrier : 0));
    };
    mark(cells[word]);
    for (uint32_t i = 0; i < kWordBytes; ++i)
      mark(parts[word * kWordBytes + i]);
  }
}

} // namespace ctc::ptx::check
