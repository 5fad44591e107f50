//===- Wgmma.cpp - wgmma: decoding, fence, commit_group, wait_group -------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions". A matrix is
// multiplied when the instruction is issued (WgmmaMultiply.cpp), which is one
// of the orders the ISA allows; so groups are complete as soon as all four
// warps have issued them, which wait_group waits for. wgmma.fence and
// commit_group have nothing to do but to be reported.
//
// Not known: sparse A (.sp), b1.
//
//===----------------------------------------------------------------------===//

#include "Families/Wgmma.h"

#include "Execution/Observer.h"
#include "Families/Families.h"
#include "Families/Lanes.h"

#include <string>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

//===----------------------------------------------------------------------===//
// Shapes and types
//===----------------------------------------------------------------------===//

constexpr std::string_view kElements[] = {"tf32", "f16", "bf16", "e4m3",
                                          "e5m2", "s8",  "u8"};
constexpr std::string_view kAccumulators[] = {"f32", "f16", "s32"};

bool isFloat8(MatrixElement element) {
  return element == MatrixElement::E4M3 || element == MatrixElement::E5M2;
}
bool isInteger8(MatrixElement element) {
  return element == MatrixElement::S8 || element == MatrixElement::U8;
}

/// The index in `names` of a modifier, or -1.
template <size_t N>
int find(const std::string_view (&names)[N], std::string_view modifier) {
  for (size_t i = 0; i < N; ++i)
    if (names[i] == modifier)
      return static_cast<int>(i);
  return -1;
}

/// Whether the ISA has D, A and B of these types.
bool isCombination(const WgmmaMode &mode) {
  if (isFloat8(mode.a))
    return isFloat8(mode.b) && mode.d != MatrixAccumulator::S32;
  if (isInteger8(mode.a))
    return isInteger8(mode.b) && mode.d == MatrixAccumulator::S32;
  return mode.a == mode.b &&
         (mode.d == MatrixAccumulator::F32 ||
          (mode.d == MatrixAccumulator::F16 && mode.a == MatrixElement::F16));
}

/// .dtype.atype.btype, the last three modifiers but for .satfinite, which may
/// also come before them. False, with an error, for others than the ISA has.
bool takeTypes(OpBuilder &b, WgmmaMode &mode) {
  mode.saturates = b.take("satfinite");
  std::vector<std::string_view> types;
  for (const std::string &modifier : b.instruction().modifiers)
    if (find(kElements, modifier) >= 0 || find(kAccumulators, modifier) >= 0)
      types.push_back(modifier);
  int d = -1, left = -1, right = -1;
  if (types.size() == 3) {
    d = find(kAccumulators, types[0]);
    left = find(kElements, types[1]);
    right = find(kElements, types[2]);
  }
  mode.d = static_cast<MatrixAccumulator>(d);
  mode.a = static_cast<MatrixElement>(left);
  mode.b = static_cast<MatrixElement>(right);
  bool good = d >= 0 && left >= 0 && right >= 0 && isCombination(mode) &&
              (!mode.saturates || mode.d == MatrixAccumulator::S32);
  if (good)
    for (std::string_view type : types)
      good &= b.take(type);
  if (!good)
    b.malformed("the types are none the machine knows; legal are D, A and B of "
                ".f32.tf32.tf32, .f32.bf16.bf16, .f32 or .f16 with .f16.f16 or "
                "any of .e4m3 and .e5m2, and .s32 (with .satfinite or without) "
                "with any of .s8 and .u8");
  return good;
}

/// The shape .m64nNkK; N, or 0 with an error.
unsigned takeShape(OpBuilder &b, const WgmmaMode &mode) {
  const std::string suffix =
      "k" + std::to_string(kMatrixRowBytes / elementBytes(mode.a));
  const bool isInteger = mode.d == MatrixAccumulator::S32;
  for (unsigned n = 8; n <= kMaxColumns; n += 8)
    if ((!isInteger || n <= 32 || n % 16 == 0) &&
        b.take("m64n" + std::to_string(n) + suffix))
      return n;
  b.malformed("the shape is none of these types; legal are .m64nN" + suffix +
              " with N from 8 to 256 in steps of " +
              (isInteger ? "8 up to 32, then of 16" : "8"));
  return 0;
}

//===----------------------------------------------------------------------===//
// wgmma.mma_async
//===----------------------------------------------------------------------===//

/// The registers of a fragment of `count` registers of 32 bits.
void addFragment(OpBuilder &b, const Operand &operand, size_t count, char name,
                 bool isDef, std::vector<Slot> &slots) {
  if (operand.kind != Operand::Kind::Vector ||
      operand.elements.size() != count) {
    b.malformed(std::string(1, name) + " must have " + std::to_string(count) +
                " registers in braces");
    return;
  }
  for (const Operand &element : operand.elements) {
    if (isDef && element.kind != Operand::Kind::Register)
      b.malformed(std::string("every element of ") + name +
                  " must be a register");
    slots.push_back(isDef ? b.def(element, kB32) : b.use(element, kB32));
  }
}

/// An immediate operand that has one of two values: whether it is the second.
bool takeChoice(OpBuilder &b, size_t operand, const char *name, int64_t first,
                int64_t second) {
  auto value = b.literal(b.operand(operand));
  if (!value || (*value != first && *value != second))
    b.malformed(std::string(name) + " must be " + std::to_string(first) +
                " or " + std::to_string(second));
  return value == second;
}

/// imm-scale-a, imm-scale-b and, of 16-bit types, imm-trans-a (of a descriptor)
/// and imm-trans-b, from operand `next` on.
void takeImmediates(OpBuilder &b, size_t next, WgmmaMode &mode) {
  const bool isInteger = mode.d == MatrixAccumulator::S32;
  const bool transposes = elementBytes(mode.a) == 2;
  size_t wanted = isInteger ? 0 : !transposes ? 2 : (mode.aInRegisters ? 3 : 4);
  if (b.operandCount() != next + wanted) {
    b.malformed("scale-d must be followed by " + std::to_string(wanted) +
                " immediates, as its types and A's place ask for");
    return;
  }
  if (isInteger)
    return;
  mode.negated = takeChoice(b, next, "imm-scale-a", 1, -1) !=
                 takeChoice(b, next + 1, "imm-scale-b", 1, -1);
  next += 2;
  auto major = [&](const char *name) {
    return takeChoice(b, next++, name, 0, 1) ? MatrixMajor::MN : MatrixMajor::K;
  };
  if (transposes && !mode.aInRegisters)
    mode.aMajor = major("imm-trans-a");
  if (transposes)
    mode.bMajor = major("imm-trans-b");
}

/// wgmma.mma_async.sync.aligned.shape.dtype.atype.btype d, a | a-desc, b-desc,
/// scale-d {, imm-scale-a, imm-scale-b {, {imm-trans-a,} imm-trans-b}};
Decode decodeMultiply(OpBuilder &b) {
  WgmmaMode mode;
  if (!b.take("sync") || !b.take("aligned"))
    return Decode::NotMine;
  if (b.take("sp")) {
    b.malformed("sparse matrices are not supported by the machine");
    return Decode::Done;
  }
  if (!takeTypes(b, mode))
    return Decode::Done;
  const unsigned columns = takeShape(b, mode);
  if (!columns)
    return Decode::Done;
  if (!b.allTaken() || b.operandCount() < 4)
    return Decode::NotMine;
  mode.aInRegisters = b.operand(1).kind == Operand::Kind::Vector;
  takeImmediates(b, 4, mode);
  std::vector<Slot> slots;
  addFragment(b, b.operand(0), mode.registersOfD(columns), 'D', true, slots);
  if (mode.aInRegisters)
    addFragment(b, b.operand(1), 4, 'A', false, slots);
  const size_t matrixRegisters = slots.size();
  if (!mode.aInRegisters)
    slots.push_back(b.use(1, kB64));
  slots.push_back(b.use(2, kB64));
  const Slot scale = b.usePredicate(b.operand(3));
  Op &op = b.emitMatrix({multiplyAsync, multiplyAsync}, slots, matrixRegisters);
  op.r[1] = scale.id;
  op.count = static_cast<uint16_t>(columns);
  op.mode = mode.encode();
  return Decode::Done;
}

//===----------------------------------------------------------------------===//
// wgmma.fence, commit_group, wait_group
//===----------------------------------------------------------------------===//

bool fence(Warp &warp, const Op &op, LaneMask mask) {
  if (!checkWarpgroup(warp, mask) || !issueTogether(warp, {op.source, 0, 0}))
    return false;
  if (warp.block->observer)
    warp.block->observer->fence(warp, op, mask, FenceKind::Wgmma);
  return true;
}

bool commitGroup(Warp &warp, const Op &op, LaneMask mask) {
  if (!checkWarpgroup(warp, mask) || !issueTogether(warp, {op.source, 0, 0}))
    return false;
  if (warp.block->observer)
    warp.block->observer->commit(warp, op, mask, Completion::WgmmaGroup);
  return true;
}

/// A multiplication is one operation of four warps: who waits for it waits
/// until all of them have issued it.
bool waitGroup(Warp &warp, const Op &op, LaneMask mask) {
  if (!checkWarpgroup(warp, mask))
    return false;
  if (!haveCaughtUp(warp)) {
    warp.wouldWait = true;
    return true;
  }
  if (!issueTogether(warp, {op.source, 0, 0}))
    return false;
  if (warp.block->observer)
    warp.block->observer->wait(warp, op, mask, Completion::WgmmaGroup,
                               static_cast<unsigned>(op.immediate),
                               /*readsOnly=*/false);
  return true;
}

template <bool Waits> Decode decodeGroup(OpBuilder &b, Handler run) {
  if (!b.take("sync") || !b.take("aligned") || !b.allTaken() ||
      b.operandCount() != (Waits ? 1 : 0))
    return Decode::NotMine;
  auto count = Waits ? b.literal(b.operand(0)) : 0;
  if (!count || *count < 0 || *count > INT32_MAX) {
    b.malformed("the number of groups must be a literal from 0 on");
    return Decode::Done;
  }
  Op &op = Waits ? b.emitPolling({run, run}, {}) : b.emit({run, run}, {});
  op.immediate = *count;
  return Decode::Done;
}

Decode decodeWgmma(OpBuilder &b) {
  switch (b.takeOneOf({"mma_async", "fence", "commit_group", "wait_group"})) {
  case 0:
    return decodeMultiply(b);
  case 1:
    return decodeGroup<false>(b, fence);
  case 2:
    return decodeGroup<false>(b, commitGroup);
  case 3:
    return decodeGroup<true>(b, waitGroup);
  default:
    return Decode::NotMine;
  }
}

} // namespace

void addWgmma(DecoderTable &table) { table.insert({"wgmma", decodeWgmma}); }

} // namespace ctc::ptx::CTC_PTX_LEVEL
