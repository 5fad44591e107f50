//===- AsyncCopy.cpp - cp.async -------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: cp.async" (the non-bulk
// ones). A copy is performed when it is issued, which is one of the orders the
// ISA allows; so groups are always complete and the waits have nothing to do.
//
//===----------------------------------------------------------------------===//

#include "Access.h"
#include "Families.h"

#include <cstring>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

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
  for (unsigned i = 0; i < kWarpSize; ++i)
    if (isActive(reading, i) && sizes[i] == 0)
      reading &= ~(LaneMask(1) << i);
  address.immediate = op.immediate >> 32;
  address.mode = accessMode(Space::Global);
  if (reading &&
      !resolve<Path::Global, false>(warp, address, op.r[1], reading, bytes,
                                    AccessKind::CopySource, from))
    return false;
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned i = lowestLane(left);
    char buffer[16] = {};
    if (isActive(reading, i))
      std::memcpy(buffer, reinterpret_cast<const char *>(from.lane[i]),
                  sizes[i] < bytes ? sizes[i] : bytes);
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

/// cp.async.commit_group; cp.async.wait_group n; cp.async.wait_all
Decode decodeCopyAsync(OpBuilder &b) {
  if (!b.take("async"))
    return Decode::NotMine;
  if (b.takeOneOf({"commit_group", "wait_all", "wait_group"}) >= 0)
    return b.allTaken() ? Decode::Done : Decode::NotMine;
  return decodeCopy(b);
}

} // namespace

void addAsyncCopy(DecoderTable &table) {
  table.insert({"cp", decodeCopyAsync});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
