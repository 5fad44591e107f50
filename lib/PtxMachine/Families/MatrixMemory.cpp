//===- MatrixMemory.cpp - ldmatrix, stmatrix, movmatrix -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Warp-level matrix load instruction: ldmatrix", "Warp-level matrix
// store instruction: stmatrix" and "Warp-level matrix transpose instruction:
// movmatrix", for 8 x 8 matrices of 16-bit elements.
//
//  * Lane 8 * m + i holds the address of line i of matrix m, 16 bytes that lie
//    in shared memory and begin at a multiple of 16. The addresses of other
//    lanes are not looked at.
//  * In the row of register m lane 4 * g + t holds elements 2 * t and 2 * t + 1
//    of line g, or, with .trans, of column g.
//
// Matrices of 8-bit elements and narrower ones (sm_100a) are refused.
//
//===----------------------------------------------------------------------===//

#include "Families/Access.h"
#include "Families/Families.h"
#include "Families/MatrixFragments.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

constexpr unsigned kElementBytes = 2;
constexpr unsigned kSize = 8; ///< Lines and columns.

/// A matrix of 8 x 8 elements: 8 lines of 16 bytes, or the row of a register.
struct Matrix {
  uint16_t elements[kSize * kSize];

  CTC_SCALAR Matrix transposed() const {
    Matrix result;
    for (unsigned line = 0; line < kSize; ++line)
      for (unsigned column = 0; column < kSize; ++column)
        result.elements[column * kSize + line] =
            elements[line * kSize + column];
    return result;
  }
};
static_assert(sizeof(Matrix) == sizeof(uint32_t) * kWarpSize);

/// The lanes whose addresses `matrices` matrices have.
CTC_SCALAR LaneMask addressLanes(unsigned matrices) {
  return kAllLanes >> (kWarpSize - kSize * matrices);
}

/// Operands: op.count registers, then the row of the addresses. Op::mode has,
/// above what all accesses have there, whether to transpose.
constexpr unsigned kTransposed = 1u << 12;

/// Host addresses of the lines, which must be in the block's own shared memory.
template <Path path>
CTC_SCALAR bool resolveLines(Warp &warp, const Op &op, LaneMask mask,
                             AccessKind kind, HostAddresses &host) {
  constexpr unsigned kBytes = kSize * kElementBytes;
  if (!isWholeWarp(warp, mask) ||
      !resolve<path, false>(warp, op, op.r[op.count], addressLanes(op.count),
                            kBytes, kind, host))
    return false;
  const auto shared = reinterpret_cast<uint64_t>(warp.block->shared);
  for (unsigned lane = 0; lane < kSize * op.count; ++lane)
    if (host.lane[lane] - shared >= warp.block->sharedBytes) [[unlikely]] {
      const char *row = warp.registers + op.r[op.count];
      const uint64_t base = path == Path::Shared32
                                ? reinterpret_cast<const uint32_t *>(row)[lane]
                                : reinterpret_cast<const uint64_t *>(row)[lane];
      warp.fault = {FaultKind::OutsideShared,
                    lane,
                    base + static_cast<uint64_t>(op.immediate),
                    kBytes,
                    kind == AccessKind::Load ? "load" : "store",
                    {}};
      return false;
    }
  return true;
}

template <Path path>
CTC_LANES bool loadMatrices(Warp &warp, const Op &op, LaneMask mask) {
  HostAddresses host;
  if (!resolveLines<path>(warp, op, mask, AccessKind::Load, host))
    return false;
  Matrix matrices[4];
  for (unsigned m = 0; m < op.count; ++m)
    for (unsigned line = 0; line < kSize; ++line)
      __builtin_memcpy(
          matrices[m].elements + line * kSize,
          reinterpret_cast<const char *>(host.lane[m * kSize + line]),
          kSize * kElementBytes);
  for (unsigned m = 0; m < op.count; ++m) {
    if (op.mode & kTransposed)
      matrices[m] = matrices[m].transposed();
    __builtin_memcpy(warp.registers + op.r[m], &matrices[m], sizeof(Matrix));
  }
  return true;
}

template <Path path>
CTC_LANES bool storeMatrices(Warp &warp, const Op &op, LaneMask mask) {
  HostAddresses host;
  if (!resolveLines<path>(warp, op, mask, AccessKind::Store, host))
    return false;
  for (unsigned m = 0; m < op.count; ++m) {
    Matrix matrix;
    __builtin_memcpy(&matrix, warp.registers + op.r[m], sizeof(Matrix));
    if (op.mode & kTransposed)
      matrix = matrix.transposed();
    for (unsigned line = 0; line < kSize; ++line)
      __builtin_memcpy(reinterpret_cast<char *>(host.lane[m * kSize + line]),
                       matrix.elements + line * kSize, kSize * kElementBytes);
  }
  return true;
}

CTC_LANES bool transposeMatrix(Warp &warp, const Op &op, LaneMask mask) {
  if (!isWholeWarp(warp, mask))
    return false;
  Matrix matrix;
  __builtin_memcpy(&matrix, warp.registers + op.r[1], sizeof(Matrix));
  matrix = matrix.transposed();
  __builtin_memcpy(warp.registers + op.r[0], &matrix, sizeof(Matrix));
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

template <bool IsLoad, Path path> Handlers matrixHandlers() {
  Handler run = IsLoad ? loadMatrices<path> : storeMatrices<path>;
  return {run, run};
}

/// Generic addresses go lane by lane, as few kernels have them here.
template <bool IsLoad> Handlers pickMatrices(Space space, unsigned bits) {
  if (space == Space::Generic)
    return matrixHandlers<IsLoad, Path::Windowed>();
  return bits == 32 ? matrixHandlers<IsLoad, Path::Shared32>()
                    : matrixHandlers<IsLoad, Path::Shared64>();
}

/// ldmatrix.sync.aligned.m8n8.num{.trans}{.shared}.b16 r, [p]
/// stmatrix.sync.aligned.m8n8.num{.trans}{.shared}.b16 [p], r
template <bool IsLoad> Decode decodeMatrices(OpBuilder &b) {
  const Operand &registers = b.operand(IsLoad ? 0 : 1);
  const Operand &address = b.operand(IsLoad ? 1 : 0);
  const bool isAligned = b.take("sync") && b.take("aligned");
  const int number = b.takeOneOf({"x1", "x2", "x4"});
  const bool trans = b.take("trans");
  const bool isOwn = b.take("shared") || b.take("shared::cta");
  const Space space = isOwn ? Space::Shared : Space::Generic;
  if (b.takeOneOf({"m16n16", "m8n16", "m16n8"}) >= 0) {
    b.malformed("only m8n8 matrices of .b16 are supported by the machine");
    return Decode::Done;
  }
  if (!isAligned || number < 0 || !b.take("m8n8") || !b.take("b16") ||
      !b.allTaken() || b.operandCount() != 2 ||
      registers.kind != Operand::Kind::Vector)
    return Decode::NotMine;
  const std::vector<Operand> &elements = registers.elements;
  const size_t wanted = size_t(1) << number;
  if (elements.size() != wanted) {
    b.malformed(std::to_string(elements.size()) +
                " registers are given where " + std::to_string(wanted) +
                " are needed");
    return Decode::Done;
  }
  std::vector<Slot> slots;
  for (const Operand &element : elements)
    slots.push_back(IsLoad ? b.def(element, kB32) : b.use(element, kB32));
  MemoryOperand memory = wideOperand(b, address, space);
  slots.push_back(memory.base);
  Op &op = b.emit(pickMatrices<IsLoad>(space, memory.bits), slots);
  op.immediate = memory.offset;
  op.count = static_cast<uint16_t>(wanted);
  op.mode =
      static_cast<uint16_t>(accessMode(space) | (trans ? kTransposed : 0));
  op.cacheSlot = b.newCacheSlot();
  return Decode::Done;
}

/// movmatrix.sync.aligned.m8n8.trans.b16 d, a
Decode decodeMoveMatrix(OpBuilder &b) {
  if (!b.take("sync") || !b.take("aligned") || !b.take("m8n8") ||
      !b.take("trans") || !b.take("b16") || !b.allTaken() ||
      b.operandCount() != 2)
    return Decode::NotMine;
  b.emit({transposeMatrix, transposeMatrix}, {b.def(0, kB32), b.use(1, kB32)});
  return Decode::Done;
}

} // namespace

void addMatrixMemory(DecoderTable &table) {
  table.insert({"ldmatrix", decodeMatrices<true>});
  table.insert({"stmatrix", decodeMatrices<false>});
  table.insert({"movmatrix", decodeMoveMatrix});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
