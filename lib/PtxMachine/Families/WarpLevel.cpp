//===- WarpLevel.cpp - shfl, vote, match, redux, activemask, elect --------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Parallel Synchronization and Communication Instructions":
// bar.warp.sync, vote.sync, match.sync, activemask, redux.sync, elect.sync; and
// shfl.sync of "Data Movement and Conversion Instructions".
//
// All but activemask are collective: they wait until every live lane of the
// member mask has come to them, and are executed for all these together.
//
//===----------------------------------------------------------------------===//

#include "Execution/Observer.h"
#include "Families/Families.h"
#include "Families/IntegerTypes.h"

#include <cstring>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

void setPredicate(Warp &warp, uint32_t index, LaneMask mask, LaneMask value) {
  LaneMask &predicate = warp.predicates[index];
  predicate = (predicate & ~mask) | (value & mask);
}

//===----------------------------------------------------------------------===//
// shfl
//===----------------------------------------------------------------------===//

enum class Shuffle : uint16_t { Up, Down, Butterfly, Index };

/// c holds in bits 0-4 the clamp (the last lane of a segment, or the first for
/// .up) and in bits 8-12 the mask of the bits that name the segment. A source
/// outside of the segment leaves the own value and a false predicate.
/// Operands d, p, a, b, c.
bool shuffle(Warp &warp, const Op &op, LaneMask mask) {
  const uint32_t *a = rowOf<uint32_t>(warp, op.r[2]);
  const uint32_t *b = rowOf<uint32_t>(warp, op.r[3]);
  const uint32_t *c = rowOf<uint32_t>(warp, op.r[4]);
  uint32_t source[kWarpSize]; // The result may lie in the same row.
  std::memcpy(source, a, sizeof(source));
  LaneMask inRange = 0;
  uint32_t result[kWarpSize];
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    const uint32_t by = b[lane] & 31, clamp = c[lane] & 31;
    const uint32_t segment = c[lane] >> 8 & 31;
    const uint32_t last = (lane & segment) | (clamp & ~segment);
    const uint32_t first = lane & segment;
    int64_t from = lane;
    bool good = false;
    switch (static_cast<Shuffle>(op.mode)) {
    case Shuffle::Up:
      from = int64_t(lane) - by;
      good = from >= int64_t(last);
      break;
    case Shuffle::Down:
      from = int64_t(lane) + by;
      good = from <= int64_t(last);
      break;
    case Shuffle::Butterfly:
      from = lane ^ by;
      good = from <= int64_t(last);
      break;
    case Shuffle::Index:
      from = first | (by & ~segment);
      good = from <= int64_t(last);
      break;
    }
    result[lane] = source[good ? from : lane];
    inRange |= static_cast<LaneMask>(good) << lane;
  }
  uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
  for (LaneMask left = mask; left; left &= left - 1)
    d[lowestLane(left)] = result[lowestLane(left)];
  setPredicate(warp, op.r[1], mask, inRange);
  return true;
}

/// shfl.sync.mode.b32 d[|p], a, b, c, members
Decode decodeShuffle(OpBuilder &b) {
  bool sync = b.take("sync");
  int mode = b.takeOneOf({"up", "down", "bfly", "idx"});
  auto type = b.takeType();
  if (!sync || mode < 0 || type != kB32 || !b.allTaken() ||
      b.operandCount() != 5)
    return Decode::NotMine;
  const Operand &target = b.operand(0);
  bool isPair = target.kind == Operand::Kind::Pair;
  Slot d = b.def(isPair ? target.elements[0] : target, kB32);
  Slot p = isPair ? b.defPredicate(target.elements[1])
                  : Slot{kSinkPredicate, false, true};
  Op &op = b.emitCollective(
      {shuffle, shuffle},
      {d, p, b.use(1, kB32), b.use(2, kB32), b.use(3, kB32)}, b.use(4, kB32));
  op.mode = static_cast<uint16_t>(mode);
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// vote, activemask, bar.warp.sync, elect
//===----------------------------------------------------------------------===//

enum class Vote : uint16_t { All, Any, Uniform };

bool votePredicate(Warp &warp, const Op &op, LaneMask mask) {
  const LaneMask holds = warp.predicates[op.r[1]] & mask;
  bool result = false;
  switch (static_cast<Vote>(op.mode)) {
  case Vote::All:
    result = holds == mask;
    break;
  case Vote::Any:
    result = holds != 0;
    break;
  case Vote::Uniform:
    result = holds == mask || holds == 0;
    break;
  }
  setPredicate(warp, op.r[0], mask, result ? kAllLanes : 0);
  return true;
}

void fill(Warp &warp, uint32_t row, LaneMask mask, uint32_t value) {
  uint32_t *d = rowOf<uint32_t>(warp, row);
  for (LaneMask left = mask; left; left &= left - 1)
    d[lowestLane(left)] = value;
}

bool voteBallot(Warp &warp, const Op &op, LaneMask mask) {
  fill(warp, op.r[0], mask, warp.predicates[op.r[1]] & mask);
  return true;
}

/// vote.sync.{all,any,uni}.pred d, {!}a, members; vote.sync.ballot.b32
Decode decodeVote(OpBuilder &b) {
  bool sync = b.take("sync");
  int mode = b.takeOneOf({"all", "any", "uni", "ballot"});
  auto type = b.takeType();
  if (!sync || mode < 0 || !type || !b.allTaken() || b.operandCount() != 3 ||
      *type != (mode == 3 ? kB32 : kPredicate))
    return Decode::NotMine;
  Slot a = b.usePredicate(b.operand(1)), members = b.use(2, kB32);
  if (mode == 3) {
    b.emitCollective({voteBallot, voteBallot}, {b.def(0, kB32), a}, members);
    return Decode::Done;
  }
  Op &op = b.emitCollective({votePredicate, votePredicate},
                            {b.defPredicate(b.operand(0)), a}, members);
  op.mode = static_cast<uint16_t>(mode);
  return Decode::Done;
}

bool activeMask(Warp &warp, const Op &op, LaneMask mask) {
  fill(warp, op.r[0], mask, mask);
  return true;
}

Decode decodeActiveMask(OpBuilder &b) {
  auto type = b.takeType();
  if (type != kB32 || !b.allTaken() || b.operandCount() != 1)
    return Decode::NotMine;
  b.emit({activeMask, activeMask}, {b.def(0, kB32)});
  return Decode::Done;
}

/// Waiting is all there is to it.
bool warpBarrier(Warp &warp, const Op &op, LaneMask mask) {
  if (warp.block->observer)
    warp.block->observer->warpBarrier(warp, op, mask);
  return true;
}

Decode decodeWarpBarrier(OpBuilder &b) {
  if (!b.take("warp") || !b.take("sync") || !b.allTaken() ||
      b.operandCount() != 1)
    return Decode::NotMine;
  Op &op = b.emitCollective({warpBarrier, warpBarrier}, {}, b.use(0, kB32));
  op.mode = kMeetsAnywhere;
  return Decode::Done;
}

/// elect.sync d|p, members: the lowest member is elected; d is its lane.
bool elect(Warp &warp, const Op &op, LaneMask mask) {
  fill(warp, op.r[0], mask, lowestLane(mask));
  setPredicate(warp, op.r[1], mask, mask & (0u - mask));
  return true;
}

Decode decodeElect(OpBuilder &b) {
  const Operand &target = b.operand(0);
  if (!b.take("sync") || !b.allTaken() || b.operandCount() != 2 ||
      target.kind != Operand::Kind::Pair)
    return Decode::NotMine;
  b.emitCollective(
      {elect, elect},
      {b.def(target.elements[0], kB32), b.defPredicate(target.elements[1])},
      b.use(1, kB32));
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// match, redux
//===----------------------------------------------------------------------===//

/// match.any: the lanes with the same value; match.all: all lanes if they have
/// the same value, else 0, with a predicate that says so.
template <class T> bool match(Warp &warp, const Op &op, LaneMask mask) {
  const auto *a = reinterpret_cast<const T *>(warp.registers + op.r[2]);
  LaneMask same[kWarpSize];
  bool allSame = true;
  for (LaneMask left = mask; left; left &= left - 1) {
    unsigned lane = lowestLane(left);
    same[lane] = 0;
    for (LaneMask other = mask; other; other &= other - 1)
      if (a[lowestLane(other)] == a[lane])
        same[lane] |= other & (0u - other);
    allSame &= same[lane] == mask;
  }
  uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
  for (LaneMask left = mask; left; left &= left - 1) {
    unsigned lane = lowestLane(left);
    d[lane] = op.mode ? allSame ? mask : 0 : same[lane];
  }
  if (op.mode)
    setPredicate(warp, op.r[1], mask, allSame ? kAllLanes : 0);
  return true;
}

Decode decodeMatch(OpBuilder &b) {
  int mode = b.takeOneOf({"any", "all"});
  bool sync = b.take("sync");
  auto type = b.takeType();
  if (mode < 0 || !sync || (type != kB32 && type != kB64) || !b.allTaken() ||
      b.operandCount() != 3)
    return Decode::NotMine;
  const Operand &target = b.operand(0);
  bool isPair = target.kind == Operand::Kind::Pair;
  if (isPair && mode == 0) // Only match.all has a predicate.
    return Decode::NotMine;
  Slot d = b.def(isPair ? target.elements[0] : target, kB32);
  Slot p = isPair ? b.defPredicate(target.elements[1])
                  : Slot{kSinkPredicate, false, true};
  Handler run = type->bits == 64 ? match<uint64_t> : match<uint32_t>;
  Op &op =
      b.emitCollective({run, run}, {d, p, b.use(1, *type)}, b.use(2, kB32));
  op.mode = static_cast<uint16_t>(mode);
  return Decode::Done;
}

enum class Reduction : uint16_t { Add, Min, Max, And, Or, Xor };

template <class T> T reduce(Reduction how, T a, T b) {
  switch (how) {
  case Reduction::Add:
    return static_cast<T>(unsignedOf(a) + unsignedOf(b));
  case Reduction::Min:
    return a < b ? a : b;
  case Reduction::Max:
    return a > b ? a : b;
  case Reduction::And:
    return a & b;
  case Reduction::Or:
    return a | b;
  case Reduction::Xor:
    return a ^ b;
  }
  return a;
}

template <class T> bool reduceLanes(Warp &warp, const Op &op, LaneMask mask) {
  const auto *a = reinterpret_cast<const T *>(warp.registers + op.r[1]);
  T result = a[lowestLane(mask)];
  for (LaneMask left = mask & (mask - 1); left; left &= left - 1)
    result =
        reduce(static_cast<Reduction>(op.mode), result, a[lowestLane(left)]);
  fill(warp, op.r[0], mask, static_cast<uint32_t>(result));
  return true;
}

enum : uint16_t { kMaximum = 1, kAbsolute = 2, kKeepsNan = 4 };

/// min and max of f32: -0 is below +0. NaN counts for nothing unless all are,
/// but with .NaN one is enough; the result then is the canonical one.
bool reduceFloats(Warp &warp, const Op &op, LaneMask mask) {
  const uint32_t *a = rowOf<uint32_t>(warp, op.r[1]);
  bool anyNan = false, anyNumber = false;
  int64_t result = 0;
  for (LaneMask left = mask; left; left &= left - 1) {
    uint32_t bits = a[lowestLane(left)];
    if (op.mode & kAbsolute)
      bits &= 0x7fffffffu;
    const int64_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000) {
      anyNan = true;
      continue;
    }
    // In the order of the numbers: ..., -0, +0, ...
    const int64_t rank = bits >> 31 ? -1 - magnitude : magnitude;
    const bool wins = op.mode & kMaximum ? rank > result : rank < result;
    result = !anyNumber || wins ? rank : result;
    anyNumber = true;
  }
  uint32_t bits = result < 0 ? static_cast<uint32_t>(-1 - result) | 0x80000000u
                             : static_cast<uint32_t>(result);
  if (!anyNumber || (anyNan && (op.mode & kKeepsNan)))
    bits = 0x7fffffffu;
  fill(warp, op.r[0], mask, bits);
  return true;
}

/// redux.sync.{add,min,max}.{u32,s32}, redux.sync.{and,or,xor}.b32 and
/// redux.sync.{min,max}{.abs}{.NaN}.f32 d, a, members
Decode decodeReduction(OpBuilder &b) {
  bool sync = b.take("sync");
  int how = b.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  bool absolute = b.take("abs"), nan = b.take("NaN");
  auto type = b.takeType();
  if (!sync || how < 0 || !type || type->bits != 32 || type->packed ||
      !b.allTaken() || b.operandCount() != 3)
    return Decode::NotMine;
  const bool isFloat = type->isFloat(32), isBits = *type == kB32;
  const auto operation = static_cast<Reduction>(how);
  const bool isExtreme =
      operation == Reduction::Min || operation == Reduction::Max;
  if (isFloat ? !isExtreme
              : absolute || nan || !type->isInteger() ||
                    isBits != (operation >= Reduction::And))
    return Decode::NotMine;
  Handler run = isFloat            ? reduceFloats
                : type->isSigned() ? reduceLanes<int32_t>
                                   : reduceLanes<uint32_t>;
  Op &op = b.emitCollective({run, run}, {b.def(0, *type), b.use(1, *type)},
                            b.use(2, kB32));
  op.mode = static_cast<uint16_t>(how);
  if (isFloat)
    op.mode = static_cast<uint16_t>(
        (operation == Reduction::Max ? kMaximum : 0) |
        (absolute ? kAbsolute : 0) | (nan ? kKeepsNan : 0));
  return Decode::Done;
}

} // namespace

void addWarpLevel(DecoderTable &table) {
  table.insert({"shfl", decodeShuffle});
  table.insert({"vote", decodeVote});
  table.insert({"activemask", decodeActiveMask});
  table.insert({"bar", decodeWarpBarrier});
  table.insert({"elect", decodeElect});
  table.insert({"match", decodeMatch});
  table.insert({"redux", decodeReduction});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
