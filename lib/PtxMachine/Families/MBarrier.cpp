//===- MBarrier.cpp - mbarrier --------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier",
// with cp.async.mbarrier.arrive; the object itself is in ../MBarrier.h.
//
//  * Operations of one warp are performed lane after lane.
//  * Objects of other blocks (shared::cluster) take arrive and arrive_drop
//    without a result, expect_tx and complete_tx; the rest is a fault there.
//  * try_wait waits until the phase is complete or nothing else in the cluster
//    can go on; its time limit is not looked at.
//  * cp.async is performed when issued, so cp.async.mbarrier.arrive arrives at
//    once: with .noinc it is an arrive, otherwise nothing changes.
//  * .release, .acquire and .relaxed mean the same here: see Memory.cpp.
//
//===----------------------------------------------------------------------===//

#include "Transfers/MBarrier.h"
#include "Families/Access.h"
#include "Families/Families.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

constexpr unsigned kObjectBytes = 8;

/// Op::count: what is done.
enum class Action : uint16_t {
  Initialize,
  Invalidate,
  Expect,
  Complete,
  Arrive,
  CopiesArrive,        ///< cp.async.mbarrier.arrive
  CopiesArriveCounted, ///< ... .noinc
};

/// Op::mode, above what Access.h has there.
constexpr uint16_t kExpects = 1 << 12;    ///< .expect_tx
constexpr uint16_t kDrops = 1 << 13;      ///< arrive_drop
constexpr uint16_t kNoComplete = 1 << 14; ///< .noComplete
constexpr uint16_t kRemote = 1 << 15;     ///< Other blocks' objects are legal.

/// Whether the object lies where the instruction may have it.
bool isLegalPlace(Warp &warp, const Op &op, unsigned lane, uint64_t host) {
  const BlockState *owner = sharedOwnerOfHost(*warp.block, host);
  if (owner == warp.block || (owner && op.mode & kRemote))
    return true;
  return describeFault(
      warp, lane,
      "mbarrier at " + describeShared(*warp.block, host) +
          (owner ? "; this operation needs one of the own block (rank " +
                       std::to_string(warp.block->rank) + ")"
                 : " is not in shared memory"));
}

void observeArrival(Warp &warp, const Op &op, unsigned lane, uint64_t host,
                    bool afterCopies) {
  if (warp.block->observer)
    warp.block->observer->arriveAt(warp, op, LaneMask(1) << lane, host,
                                   orderingOf(op), afterCopies);
}

/// r[0] is the row of the state, r[2] of the count.
bool arrive(Warp &warp, const Op &op, unsigned lane, uint64_t host) {
  MBarrier barrier(warp, lane, host);
  const auto count = rowOf<uint32_t>(warp, op.r[2])[lane];
  const bool expects = op.mode & kExpects;
  MBarrierState before;
  if (!barrier.read(before))
    return false;
  observeArrival(warp, op, lane, host, /*afterCopies=*/false);
  if (expects && !barrier.expect(count))
    return false;
  rowOf<uint64_t>(warp, op.r[0])[lane] = before.encode();
  return barrier.arrive({expects ? 1 : count, (op.mode & kDrops) != 0,
                         (op.mode & kNoComplete) != 0});
}

/// r[2] is the row of the count.
bool act(Warp &warp, const Op &op, unsigned lane, uint64_t host) {
  MBarrier barrier(warp, lane, host);
  const auto action = static_cast<Action>(op.count);
  const auto count = rowOf<uint32_t>(warp, op.r[2])[lane];
  switch (action) {
  case Action::Initialize:
  case Action::Invalidate:
    if (warp.block->observer)
      warp.block->observer->initialized(warp, op, LaneMask(1) << lane, host,
                                        action == Action::Initialize);
    return action == Action::Initialize ? barrier.initialize(count)
                                        : barrier.invalidate();
  case Action::Expect:
    return barrier.expect(count);
  case Action::Complete:
    return barrier.complete(count);
  case Action::Arrive:
    return arrive(warp, op, lane, host);
  case Action::CopiesArrive:
  case Action::CopiesArriveCounted:
    observeArrival(warp, op, lane, host, /*afterCopies=*/true);
    return action == Action::CopiesArrive ? barrier.arriveUncounted()
                                          : barrier.arrive({});
  }
  return false;
}

/// Operands: r[1] is the row of the address.
template <Path path> bool change(Warp &warp, const Op &op, LaneMask mask) {
  HostAddresses host;
  if (!resolve<path, false>(warp, op, op.r[1], mask, kObjectBytes,
                            AccessKind::MBarrier, host))
    return false;
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    if (!isLegalPlace(warp, op, lane, host.lane[lane]) ||
        !act(warp, op, lane, host.lane[lane]))
      return false;
  }
  return true;
}

/// Operands: predicate r[0] result, row r[1] address, r[2] state or parity.
template <Path path, bool Parity, bool Waits>
bool testPhase(Warp &warp, const Op &op, LaneMask mask) {
  HostAddresses host;
  if (!resolve<path, false>(warp, op, op.r[1], mask, kObjectBytes,
                            AccessKind::MBarrier, host))
    return false;
  LaneMask complete = 0;
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    MBarrierState now;
    if (!isLegalPlace(warp, op, lane, host.lane[lane]) ||
        !MBarrier(warp, lane, host.lane[lane]).read(now))
      return false;
    bool parity;
    if constexpr (Parity) {
      const uint32_t wanted = rowOf<uint32_t>(warp, op.r[2])[lane];
      if (wanted > 1)
        return describeFault(warp, lane,
                             "phase parity " + std::to_string(wanted) +
                                 "; legal are 0 and 1");
      parity = wanted;
    } else {
      auto then = MBarrierState::decode(rowOf<uint64_t>(warp, op.r[2])[lane]);
      if (!then)
        return describeFault(warp, lane,
                             "the operand is no state of an mbarrier; legal is "
                             "what mbarrier.arrive gave back");
      parity = then->parity;
    }
    complete |= static_cast<LaneMask>(now.parity != parity) << lane;
  }
  if (Waits && !complete && !warp.timedOut) {
    warp.wouldWait = true;
    return true;
  }
  LaneMask &result = warp.predicates[op.r[0]];
  result = (result & ~mask) | complete;
  if (Observer *observer = warp.block->observer)
    for (LaneMask left = complete; left; left &= left - 1)
      observer->phaseSeen(warp, op, left & (~left + 1),
                          host.lane[lowestLane(left)], orderingOf(op));
  return true;
}

/// Operands: row r[0] count, r[1] state.
bool pendingCount(Warp &warp, const Op &op, LaneMask mask) {
  uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
  const uint64_t *s = rowOf<uint64_t>(warp, op.r[1]);
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    auto state = MBarrierState::decode(s[lane]);
    if (!state)
      return describeFault(warp, lane,
                           "the operand is no state of an mbarrier; legal is "
                           "what mbarrier.arrive gave back");
    d[lane] = state->pending;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

struct PickChange {
  template <Path path> Handlers operator()() const {
    return {change<path>, change<path>};
  }
};
template <bool Parity, bool Waits> struct PickTest {
  template <Path path> Handlers operator()() const {
    return {testPhase<path, Parity, Waits>, testPhase<path, Parity, Waits>};
  }
};

/// The space of the object; only operations that `mayBeRemote` know
/// shared::cluster.
struct ObjectSpace {
  Space space = Space::Generic;
  bool remote = false;
};
ObjectSpace takeObjectSpace(OpBuilder &b, bool mayBeRemote) {
  if (mayBeRemote && b.take("shared::cluster"))
    return {Space::Shared, true};
  if (b.takeOneOf({"shared", "shared::cta"}) >= 0)
    return {Space::Shared, false};
  return {Space::Generic, mayBeRemote};
}

/// .relaxed or `named` with a scope, or neither, which means `otherwise`.
/// Empty if one of the two is missing.
std::optional<Ordering> takeOrdering(OpBuilder &b, std::string_view named,
                                     Ordering otherwise) {
  const bool relaxed = b.take("relaxed");
  const bool ordered = !relaxed && !named.empty() && b.take(named);
  if ((relaxed || ordered) != (b.takeOneOf({"cta", "cluster"}) >= 0))
    return std::nullopt;
  return relaxed ? Ordering::Relaxed : otherwise;
}

Decode finishChange(OpBuilder &b, Action action, Slot state,
                    const Operand &address, Slot count, ObjectSpace where,
                    Ordering ordering, unsigned flags = 0) {
  MemoryOperand to = wideOperand(b, address, where.space);
  Op &op = b.emit(pickPath(where.space, to.bits, PickChange()),
                  {state, to.base, count});
  op.immediate = to.offset;
  op.mode =
      static_cast<uint16_t>(accessMode(where.space, {.ordering = ordering}) |
                            flags | (where.remote ? kRemote : 0u));
  op.count = static_cast<uint16_t>(action);
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

/// mbarrier.init [addr], count; .inval [addr]; .expect_tx, .complete_tx [addr],
/// count
Decode decodeSimple(OpBuilder &b) {
  const int kind = b.takeOneOf({"init", "inval", "expect_tx", "complete_tx"});
  const bool counted = kind != 1, transactions = kind >= 2;
  if (kind < 0 || (transactions && !takeOrdering(b, "", Ordering::Relaxed)))
    return Decode::NotMine;
  ObjectSpace where = takeObjectSpace(b, transactions);
  if (!b.take("b64") || !b.allTaken() ||
      b.operandCount() != (counted ? 2u : 1u))
    return Decode::NotMine;
  constexpr Action actions[] = {Action::Initialize, Action::Invalidate,
                                Action::Expect, Action::Complete};
  Slot count = counted ? b.use(1, kU32) : b.constant(0, 32);
  return finishChange(b, actions[kind], b.constant(0, 64), b.operand(0), count,
                      where, transactions ? Ordering::Relaxed : Ordering::Weak);
}

/// mbarrier.arrive, .arrive_drop state, [addr]{, count}
Decode decodeArrive(OpBuilder &b) {
  const int kind = b.takeOneOf({"arrive", "arrive_drop"});
  const bool expects = b.take("expect_tx"), noComplete = b.take("noComplete");
  const bool remoteResult = b.operand(0).kind == Operand::Kind::Sink;
  auto ordering = takeOrdering(b, "release", Ordering::Release);
  if (kind < 0 || (expects && noComplete) || !ordering)
    return Decode::NotMine;
  ObjectSpace where = takeObjectSpace(b, !noComplete && remoteResult);
  const size_t operands = b.operandCount();
  if (!b.take("b64") || !b.allTaken() || operands < 2 || operands > 3 ||
      ((expects || noComplete) && operands != 3))
    return Decode::NotMine;
  Slot state = b.def(0, kB64);
  Slot count = operands == 3 ? b.use(2, kU32) : b.constant(1, 32);
  return finishChange(b, Action::Arrive, state, b.operand(1), count, where,
                      *ordering,
                      (expects ? kExpects : 0u) | (kind == 1 ? kDrops : 0u) |
                          (noComplete ? kNoComplete : 0u));
}

/// mbarrier.test_wait, .try_wait p, [addr], state or parity {, time}
Decode decodeWait(OpBuilder &b) {
  const int kind = b.takeOneOf({"test_wait", "try_wait"});
  const bool parity = b.take("parity");
  auto ordering = takeOrdering(b, "acquire", Ordering::Acquire);
  if (kind < 0 || !ordering)
    return Decode::NotMine;
  ObjectSpace where = takeObjectSpace(b, false);
  const size_t operands = b.operandCount();
  if (!b.take("b64") || !b.allTaken() || operands < 3 ||
      operands > (kind == 1 ? 4u : 3u))
    return Decode::NotMine;
  Slot result = b.defPredicate(b.operand(0));
  Slot phase = b.use(2, parity ? kU32 : kB64);
  if (operands == 4)
    b.use(3, kU32); // The time limit: only checked to be an operand.
  MemoryOperand at = wideOperand(b, b.operand(1), where.space);
  const std::vector<Slot> slots{result, at.base, phase};
  auto pick = [&](auto picker) {
    return pickPath(where.space, at.bits, picker);
  };
  Op &op = kind == 0 ? b.emit(parity ? pick(PickTest<true, false>())
                                     : pick(PickTest<false, false>()),
                              slots)
                     : b.emitPolling(parity ? pick(PickTest<true, true>())
                                            : pick(PickTest<false, true>()),
                                     slots);
  op.immediate = at.offset;
  op.mode = accessMode(where.space, {.ordering = *ordering});
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

/// mbarrier.pending_count.b64 count, state
Decode decodePendingCount(OpBuilder &b) {
  if (!b.take("pending_count") || !b.take("b64") || !b.allTaken() ||
      b.operandCount() != 2)
    return Decode::NotMine;
  b.emit({pendingCount, pendingCount}, {b.def(0, kU32), b.use(1, kB64)});
  return Decode::Done;
}

/// cp.async.mbarrier.arrive{.noinc}.b64 [addr]
Decode decodeCopiesArrive(OpBuilder &b) {
  if (!b.take("async") || !b.take("mbarrier") || !b.take("arrive"))
    return Decode::NotMine;
  const bool noIncrement = b.take("noinc");
  ObjectSpace where = takeObjectSpace(b, false);
  if (!b.take("b64") || !b.allTaken() || b.operandCount() != 1)
    return Decode::NotMine;
  return finishChange(
      b, noIncrement ? Action::CopiesArriveCounted : Action::CopiesArrive,
      b.constant(0, 64), b.operand(0), b.constant(1, 32), where,
      Ordering::Relaxed);
}

} // namespace

void addMBarrier(DecoderTable &table) {
  table.insert({"mbarrier", decodeSimple});
  table.insert({"mbarrier", decodeArrive});
  table.insert({"mbarrier", decodeWait});
  table.insert({"mbarrier", decodePendingCount});
  table.insert({"cp", decodeCopiesArrive});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
