//===- BulkOperands.h - Operands of bulk and tensor copies ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// These instructions have several addresses, so each becomes a 64-bit row with
// its offset added, and more operands than an operation holds inline: all are
// Program::wideOperands, in the order of the decoder.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_BULKOPERANDS_H
#define CTC_LIB_PTXMACHINE_FAMILIES_BULKOPERANDS_H

#include "Families/Access.h"
#include "Transfers/AsyncTransfer.h"

#include <algorithm>
#include <optional>

namespace ctc::ptx::CTC_PTX_LEVEL {

struct WidenAddress {
  static CTC_SCALAR uint64_t apply(uint32_t address) { return address; }
};
struct AddOffset {
  static CTC_SCALAR uint64_t apply(const Op &op, uint64_t address) {
    return address + static_cast<uint64_t>(op.immediate);
  }
};

/// The address an operand [base + offset] names, in a row of 64 bits. Of the
/// operand [base, {coordinates}] only the first part counts.
inline Slot addressSlot(OpBuilder &b, const Operand &operand) {
  Operand address = operand;
  if (!address.elements.empty())
    address.elements.resize(1);
  int64_t offset = 0;
  unsigned bits = 64;
  Slot base = b.address(address, offset, bits);
  if (bits == 32) {
    Slot wide = b.temporary(64);
    b.emit(Map<WidenAddress, uint64_t, uint32_t>::handlers, {wide, base});
    wide.isDef = false;
    base = wide;
  }
  if (offset) {
    Slot sum = b.temporary(64);
    b.emit(Map<AddOffset, uint64_t, uint64_t>::handlers, {sum, base})
        .immediate = offset;
    sum.isDef = false;
    base = sum;
  }
  return base;
}

/// Appends an operation with all its operands in Program::wideOperands.
inline Op &emitWide(OpBuilder &b, Handler run, std::vector<Slot> slots) {
  // Whatever the number, so that handlers read them in one way.
  while (slots.size() <= kInlineOperands)
    slots.push_back(b.constant(0, 32));
  Op &op = b.emit({run, run}, slots);
  op.cacheSlot = b.newCacheSlot();
  return op;
}

template <class T>
CTC_SCALAR T wideOperandOf(Warp &warp, const Op &op, unsigned index,
                           unsigned lane) {
  const uint32_t row = warp.block->wideOperands[op.r[0] + index];
  return static_cast<T>(rowOf<T>(warp, row)[lane]);
}

/// Takes the state spaces of destination and source if both are there, in this
/// order.
inline bool takeSpaces(OpBuilder &b, std::string_view destination,
                       std::string_view source) {
  const std::vector<std::string> &modifiers = b.instruction().modifiers;
  auto place = [&](std::string_view name) {
    return std::find(modifiers.begin(), modifiers.end(), name);
  };
  return place(source) != modifiers.end() &&
         place(destination) < place(source) && b.take(destination) &&
         b.take(source);
}

/// The modifiers of the instructions that write shared memory.
struct TargetModifiers {
  bool ownBlock = false;  ///< .shared::cta
  bool multicast = false; ///< .multicast::cluster
};

/// Op::mode of operations that write shared memory.
constexpr uint16_t kOwnBlock = 1, kMulticast = 2;

inline uint16_t targetMode(TargetModifiers modifiers) {
  return static_cast<uint16_t>((modifiers.ownBlock ? kOwnBlock : 0u) |
                               (modifiers.multicast ? kMulticast : 0u));
}

/// Their operands: address, mbarrier and block mask, from `index` on.
CTC_SCALAR SharedTarget targetOf(Warp &warp, const Op &op, unsigned index,
                                 unsigned lane) {
  SharedTarget target;
  target.address = wideOperandOf<uint64_t>(warp, op, index, lane);
  target.mbarrier = wideOperandOf<uint64_t>(warp, op, index + 1, lane);
  target.ownBlock = op.mode & kOwnBlock;
  target.multicast = op.mode & kMulticast;
  target.blockMask = wideOperandOf<uint16_t>(warp, op, index + 2, lane);
  return target;
}

/// Takes the name of a reduction.
inline std::optional<ReduceOp> takeReduction(OpBuilder &b) {
  const int which =
      b.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  if (which < 0)
    return std::nullopt;
  return static_cast<ReduceOp>(which);
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_BULKOPERANDS_H
