//===- BulkCopy.cpp - cp.async.bulk, cp.reduce.async.bulk -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions": cp.async.bulk,
// cp.reduce.async.bulk, cp.async.bulk.prefetch, cp.async.bulk.commit_group and
// wait_group. The copies themselves are in ../AsyncTransfer.h.
//
//  * A copy is performed when it is issued, its mbarrier told at once; so
//    groups are always complete and the waits have nothing to do.
//  * Every active thread issues a copy of its own, the lowest lane first.
//  * Addresses and sizes are multiples of 16 bytes; anything else is a fault.
//  * From shared memory data go to another block of the cluster; a copy to the
//    own block is a fault, as is an mbarrier in another block than the data.
//  * Prefetches, L2 cache hints and policies (createpolicy) do nothing.
//  .cp_mask and .ignore_oob are of
//    other chips and versions, hence unknown.
//
//===----------------------------------------------------------------------===//

#include "Families/BulkOperands.h"
#include "Families/Families.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// The reducer of an operation, if it has one: op.immediate holds it.
Reducer reducerOf(const Op &op) {
  return reinterpret_cast<Reducer>(static_cast<intptr_t>(op.immediate));
}

/// Operands: target, mbarrier, block mask, source, size.
template <bool FromShared>
bool copyToShared(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    AsyncTransfer transfer(warp, op, lane);
    if (!bulkToShared(transfer, targetOf(warp, op, 0, lane),
                      wideOperandOf<uint64_t>(warp, op, 3, lane), FromShared,
                      wideOperandOf<uint32_t>(warp, op, 4, lane),
                      reducerOf(op)))
      return false;
  }
  return true;
}

/// Operands: target, source, size.
bool copyToGlobal(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    AsyncTransfer transfer(warp, op, lane);
    if (!bulkToGlobal(transfer, wideOperandOf<uint64_t>(warp, op, 0, lane),
                      wideOperandOf<uint64_t>(warp, op, 1, lane),
                      wideOperandOf<uint32_t>(warp, op, 2, lane),
                      reducerOf(op)))
      return false;
  }
  return true;
}

/// Operands: source, size.
bool prefetch(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    AsyncTransfer transfer(warp, op, lane);
    if (!bulkPrefetch(transfer, wideOperandOf<uint64_t>(warp, op, 0, lane),
                      wideOperandOf<uint32_t>(warp, op, 1, lane)))
      return false;
  }
  return true;
}

bool commitGroup(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.block->observer)
    warp.block->observer->commit(warp, op, mask, Completion::BulkGroup);
  return true;
}

/// op.immediate: how many groups may be pending; op.mode: .read.
bool waitGroup(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.block->observer)
    warp.block->observer->wait(warp, op, mask, Completion::BulkGroup,
                               static_cast<unsigned>(op.immediate),
                               op.mode != 0);
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

/// What a copy's modifiers say.
struct Direction {
  bool toShared = false, fromShared = false;
  TargetModifiers target;
};

/// .dst.src.completion_mechanism{.multicast}
std::optional<Direction> takeDirection(OpBuilder &b) {
  if (b.take("bulk_group"))
    return takeSpaces(b, "global", "shared::cta")
               ? std::optional(Direction{false, true, {}})
               : std::nullopt;
  if (!b.take("mbarrier::complete_tx::bytes"))
    return std::nullopt;
  if (takeSpaces(b, "shared::cluster", "shared::cta"))
    return Direction{true, true, {}};
  if (takeSpaces(b, "shared::cta", "global"))
    return Direction{true, false, {.ownBlock = true}};
  if (!takeSpaces(b, "shared::cluster", "global"))
    return std::nullopt;
  return Direction{true, false, {.multicast = b.take("multicast::cluster")}};
}

/// [target], [source], size, [mbarrier]{, block mask}{, cache policy}, or
/// [target], [source], size{, cache policy}
Decode emitCopy(OpBuilder &b, const Direction &direction, bool hint,
                Reducer reducer) {
  const size_t fixed = direction.toShared ? 4 : 3;
  const size_t expected =
      fixed + (direction.target.multicast ? 1 : 0) + (hint ? 1 : 0);
  if (b.operandCount() != expected)
    return Decode::NotMine;
  Slot target = addressSlot(b, b.operand(0)),
       source = addressSlot(b, b.operand(1)), size = b.use(2, kU32);
  if (hint)
    b.use(expected - 1, kB64); // Only checked to be an operand.
  Op *op = nullptr;
  if (direction.toShared) {
    Slot mbarrier = addressSlot(b, b.operand(3));
    Slot blocks =
        direction.target.multicast ? b.use(4, kB16) : b.constant(0, 32);
    op = &emitWide(
        b, direction.fromShared ? copyToShared<true> : copyToShared<false>,
        {target, mbarrier, blocks, source, size});
    op->mode = targetMode(direction.target);
  } else {
    op = &emitWide(b, copyToGlobal, {target, source, size});
  }
  op->immediate = reinterpret_cast<intptr_t>(reducer);
  return Decode::Done;
}

/// cp.async.bulk.prefetch.L2.global{.L2::cache_hint} [source], size{, policy}
Decode decodePrefetch(OpBuilder &b) {
  const bool hint = b.take("L2::cache_hint");
  if (!b.take("L2") || !b.take("global") || !b.allTaken() ||
      b.operandCount() != (hint ? 3u : 2u))
    return Decode::NotMine;
  Slot source = addressSlot(b, b.operand(0));
  emitWide(b, prefetch, {source, b.use(1, kU32)});
  return Decode::Done;
}

/// cp.async.bulk.commit_group; cp.async.bulk.wait_group{.read} n
Decode decodeGroup(OpBuilder &b, bool isWait) {
  const bool readsOnly = isWait && b.take("read");
  auto pending = isWait ? b.literal(b.operand(0)) : 0;
  if (!b.allTaken() || b.operandCount() != (isWait ? 1u : 0u) || !pending ||
      *pending < 0)
    return Decode::NotMine;
  Op &op = isWait ? b.emit({waitGroup, waitGroup}, {})
                  : b.emit({commitGroup, commitGroup}, {});
  op.immediate = *pending;
  op.mode = readsOnly;
  return Decode::Done;
}

/// What createpolicy makes is a hint: nobody looks at it.
struct NoPolicy {
  static CTC_SCALAR uint64_t apply() { return 0; }
};
Decode decodePolicy(OpBuilder &b) {
  if (b.takeOneOf({"fractional", "range", "cvt"}) < 0)
    return Decode::NotMine;
  b.take("global");
  b.take("L2");
  b.takePrefixed("L2::");
  if (!b.take("b64") || !b.allTaken() || b.operandCount() == 0)
    return Decode::NotMine;
  b.emit(Map<NoPolicy, uint64_t>::handlers, {b.def(0, kB64)});
  return Decode::Done;
}

Decode decodeBulk(OpBuilder &b) {
  const bool reduces = b.take("reduce");
  if (!b.take("async") || !b.take("bulk") || b.take("tensor"))
    return Decode::NotMine;
  if (!reduces) {
    if (b.take("prefetch"))
      return decodePrefetch(b);
    if (const int group = b.takeOneOf({"commit_group", "wait_group"});
        group >= 0)
      return decodeGroup(b, group == 1);
  }
  auto direction = takeDirection(b);
  if (!direction)
    return Decode::NotMine;
  const bool hint = b.take("L2::cache_hint");
  Reducer reducer = nullptr;
  if (reduces) {
    auto reduction = takeReduction(b);
    const bool noftz = b.take("noftz");
    auto type = b.takeType();
    // Sums of halves are .noftz; into shared memory fewer types are known.
    if (!reduction || !type ||
        noftz != (*reduction == ReduceOp::Add && type->isHalf()) ||
        (direction->toShared && !direction->fromShared))
      return Decode::NotMine;
    reducer = direction->toShared ? findSharedReducer(*reduction, *type)
                                  : findReducer(*reduction, *type);
    if (!reducer)
      return Decode::NotMine;
  }
  if (!b.allTaken())
    return Decode::NotMine;
  return emitCopy(b, *direction, hint, reducer);
}

} // namespace

void addBulkCopy(DecoderTable &table) {
  table.insert({"cp", decodeBulk});
  table.insert({"createpolicy", decodePolicy});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
