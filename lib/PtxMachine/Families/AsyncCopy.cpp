//===- AsyncCopy.cpp - cp.async -------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: cp.async" (the non-bulk
// ones). A copy is performed when it is issued, which is one of the orders the
// ISA allows; so groups are always complete and the waits have nothing to do
// but to be reported.
//
//===----------------------------------------------------------------------===//

#include "Families/Access.h"
#include "Families/Families.h"

#include <cstring>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// Tells the observer what the lanes of `mask` read, those that read as much at
/// a time.
void observeSources(Warp &warp, const Op &op, LaneMask mask,
                    const uint32_t *sizes, const HostAddresses &from) {
  while (mask) {
    const uint32_t size = sizes[lowestLane(mask)];
    LaneMask same = 0;
    for (unsigned i = 0; i < kWarpSize; ++i)
      same |= static_cast<LaneMask>(isActive(mask, i) && sizes[i] == size) << i;
    observeAccess(warp, op,
                  {AccessKind::CopySource, Space::Global, Ordering::Weak, size,
                   same, &from});
    mask &= ~same;
  }
}

LaneMask lanesAbove(const uint32_t *row, uint32_t limit) {
  LaneMask lanes = 0;
  for (unsigned i = 0; i < kWarpSize; ++i)
    lanes |= static_cast<LaneMask>(row[i] > limit) << i;
  return lanes;
}

/// cp.async.{ca,cg}.shared.global [d], [s], size{, source size | p};
/// Operands: row r[0] destination, r[1] source, r[2] source size (bytes beyond
/// it are zero), predicate r[3] (where it holds the source is ignored).
/// op.count is the size; op.immediate the offsets: destination in the lower
/// half.
template <Path destinationPath>
bool copyAsync(Warp &warp, const Op &op, LaneMask mask) {
  const unsigned bytes = op.count;
  HostAddresses to, from;
  Op address = op;
  address.immediate = static_cast<int32_t>(op.immediate);
  address.mode = accessMode(Space::Shared);
  if (!resolve<destinationPath, false>(warp, address, op.r[0], mask, bytes,
                                       AccessKind::CopyTarget, to))
    return false;
  const uint32_t *sizes = rowOf<uint32_t>(warp, op.r[2]);
  LaneMask reading = mask & ~warp.predicates[op.r[3]];
  if (const LaneMask longer = lanesAbove(sizes, bytes) & reading)
    return describeFault(warp, lowestLane(longer),
                         "a source of " +
                             std::to_string(sizes[lowestLane(longer)]) +
                             " bytes for a copy of " + std::to_string(bytes) +
                             "; legal are 0 to " + std::to_string(bytes));
  for (unsigned i = 0; i < kWarpSize; ++i)
    if (isActive(reading, i) && sizes[i] == 0)
      reading &= ~(LaneMask(1) << i);
  address.immediate = op.immediate >> 32;
  address.mode = accessMode(Space::Global);
  if (reading &&
      !resolve<Path::Global, false>(warp, address, op.r[1], reading, bytes,
                                    AccessKind::CopySource, from))
    return false;
  if (warp.block->observer)
    observeSources(warp, op, reading, sizes, from);
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned i = lowestLane(left);
    char buffer[16] = {};
    if (isActive(reading, i))
      std::memcpy(buffer, reinterpret_cast<const char *>(from.lane[i]),
                  sizes[i]);
    std::memcpy(reinterpret_cast<char *>(to.lane[i]), buffer, bytes);
  }
  return true;
}

Decode decodeCopy(OpBuilder &b) {
  int cache = b.takeOneOf({"ca", "cg"});
  bool shared = b.takeOneOf({"shared", "shared::cta"}) >= 0;
  bool global = b.take("global");
  b.takePrefixed("L2::");
  auto size = b.literal(b.operand(2));
  // With a cache policy as last operand, which is a hint.
  size_t operands = b.operandCount();
  if (cache < 0 || !shared || !global || !b.allTaken() || operands < 3 ||
      operands > 5 || !size ||
      !(*size == 16 || (cache == 0 && (*size == 4 || *size == 8))))
    return Decode::NotMine;
  MemoryOperand to = wideOperand(b, b.operand(0), Space::Shared);
  MemoryOperand from = wideOperand(b, b.operand(1), Space::Global);
  Slot bytes = b.constant(static_cast<uint64_t>(*size), 32);
  uint32_t never = b.neverPredicate();
  Slot ignored{never, false, false};
  if (operands > 3) {
    if (b.isPredicate(b.operand(3)))
      ignored = b.usePredicate(b.operand(3));
    else if (!b.isWide(b.operand(3))) // A 64-bit operand is a cache policy.
      bytes = b.use(3, kU32);
  }
  if (to.offset != static_cast<int32_t>(to.offset) ||
      from.offset != static_cast<int32_t>(from.offset))
    return Decode::NotMine;
  Handler run =
      to.bits == 32 ? copyAsync<Path::Shared32> : copyAsync<Path::Shared64>;
  Op &op = b.emit({run, run}, {to.base, from.base, bytes, ignored});
  op.immediate = static_cast<int64_t>(static_cast<uint64_t>(from.offset) << 32 |
                                      static_cast<uint32_t>(to.offset));
  op.count = static_cast<uint16_t>(*size);
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

bool commitGroup(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.block->observer)
    warp.block->observer->commit(warp, op, mask, Completion::CopyGroup);
  return true;
}

/// op.immediate: how many groups may be pending; negative for wait_all, which
/// waits for copies outside of all groups, too.
bool waitGroup(Warp &warp, const Op &op, LaneMask mask) {
  Observer *observer = warp.block->observer;
  if (!observer)
    return true;
  if (op.immediate < 0)
    observer->commit(warp, op, mask, Completion::CopyGroup);
  observer->wait(warp, op, mask, Completion::CopyGroup,
                 op.immediate < 0 ? 0 : static_cast<unsigned>(op.immediate),
                 /*readsOnly=*/false);
  return true;
}

/// cp.async.commit_group; cp.async.wait_group n; cp.async.wait_all, which is
/// the two of them for n = 0.
Decode decodeGroup(OpBuilder &b, bool isWait, bool isAll) {
  auto pending = isWait && !isAll ? b.literal(b.operand(0)) : -1;
  if (!b.allTaken() || b.operandCount() != (isWait && !isAll ? 1 : 0) ||
      !pending || *pending != static_cast<int32_t>(*pending))
    return Decode::NotMine;
  Op &op = isWait ? b.emit({waitGroup, waitGroup}, {})
                  : b.emit({commitGroup, commitGroup}, {});
  op.immediate = *pending;
  return Decode::Done;
}

Decode decodeCopyAsync(OpBuilder &b) {
  if (!b.take("async"))
    return Decode::NotMine;
  switch (b.takeOneOf({"commit_group", "wait_group", "wait_all"})) {
  case 0:
    return decodeGroup(b, false, false);
  case 1:
    return decodeGroup(b, true, false);
  case 2:
    return decodeGroup(b, true, true);
  default:
    return decodeCopy(b);
  }
}

} // namespace

void addAsyncCopy(DecoderTable &table) {
  table.insert({"cp", decodeCopyAsync});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
