//===- Wgmma.h - What an operation of wgmma is ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions". A warpgroup is
// four warps in a row, the first of which has an index that is a multiple of
// four; warp w of it holds rows 16 w to 16 w + 15 of A and D.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_WGMMA_H
#define CTC_LIB_PTXMACHINE_FAMILIES_WGMMA_H

#include "Execution/Warp.h"
#include "Transfers/MatrixDescriptor.h"

namespace ctc::ptx {

constexpr unsigned kWarpgroupWarps = 4;
constexpr unsigned kWarpRows = 16; ///< Rows of A and D that a warp holds.
constexpr unsigned kMaxColumns = 256;

enum class MatrixElement : uint8_t { TF32, F16, BF16, E4M3, E5M2, S8, U8 };
enum class MatrixAccumulator : uint8_t { F32, F16, S32 };

constexpr unsigned elementBytes(MatrixElement element) {
  return element == MatrixElement::TF32   ? 4
         : element <= MatrixElement::BF16 ? 2
                                          : 1;
}

/// Op::mode of wgmma.mma_async; Op::count is N. Operands: the rows from
/// Program::wideOperands[r[0]] on are those of D (read and written), then of A
/// (four, or one with its descriptor), then the row of B's descriptor; r[1] is
/// the predicate scale-d.
struct WgmmaMode {
  MatrixElement a = MatrixElement::TF32;
  MatrixElement b = MatrixElement::TF32;
  MatrixAccumulator d = MatrixAccumulator::F32;
  MatrixMajor aMajor = MatrixMajor::K;
  MatrixMajor bMajor = MatrixMajor::K;
  bool aInRegisters = false;
  bool negated = false;   ///< The products: one of A and B is, not both.
  bool saturates = false; ///< s32 sums stop at the bounds.

  constexpr uint16_t encode() const {
    return static_cast<uint16_t>(
        static_cast<unsigned>(a) | static_cast<unsigned>(b) << 3 |
        static_cast<unsigned>(d) << 6 | static_cast<unsigned>(aMajor) << 8 |
        static_cast<unsigned>(bMajor) << 9 |
        static_cast<unsigned>(aInRegisters) << 10 |
        static_cast<unsigned>(negated) << 11 |
        static_cast<unsigned>(saturates) << 12);
  }
  static constexpr WgmmaMode decode(uint16_t mode) {
    auto bit = [mode](unsigned at) { return (mode >> at & 1) != 0; };
    return {static_cast<MatrixElement>(mode & 7),
            static_cast<MatrixElement>(mode >> 3 & 7),
            static_cast<MatrixAccumulator>(mode >> 6 & 3),
            static_cast<MatrixMajor>(bit(8)),
            static_cast<MatrixMajor>(bit(9)),
            bit(10),
            bit(11),
            bit(12)};
  }
  /// Registers of D that a thread has.
  constexpr unsigned registersOfD(unsigned columns) const {
    return columns / (d == MatrixAccumulator::F16 ? 4 : 2);
  }
  /// Rows of A: registers, or one for the descriptor.
  constexpr unsigned rowsOfA() const { return aInRegisters ? 4 : 1; }
};

/// What the .aligned of the warpgroup's instructions asks of the warp that
/// issues one: all its threads together, in a block of whole warpgroups. False
/// with a fault.
bool checkWarpgroup(Warp &warp, LaneMask mask);

/// An instruction of a warpgroup, as each of its warps issues it.
struct WarpgroupIssue {
  uint32_t source = 0;   ///< Op::source
  uint64_t a = 0, b = 0; ///< Matrix descriptors, if it has any.
};

/// Holds the warp to what the others of its warpgroup issue. False with a
/// fault.
bool issueTogether(Warp &warp, const WarpgroupIssue &issue);
/// Whether the others of its warpgroup have issued all that the warp has.
bool haveCaughtUp(const Warp &warp);

/// The matrix descriptor in the row at `offset`, which must be the same in all
/// lanes; `name` is the operand's. False with a fault.
bool readDescriptor(Warp &warp, uint32_t offset, char name, uint64_t &bits);

/// Decodes it, if it is well formed: false with a fault if not. `chunks` is how
/// many chunks an MN-major matrix has side by side.
bool decodeDescriptor(Warp &warp, uint64_t bits, char name, MatrixMajor major,
                      unsigned chunks, MatrixDescriptor &descriptor);

/// Checks the addresses of chunks that operand `name` of `descriptor` reads.
/// False with a fault.
bool checkChunks(Warp &warp, char name, const MatrixDescriptor &descriptor,
                 const uint32_t *addresses, unsigned count);

/// Whether scale-d, the predicate of this index, holds. All lanes must agree;
/// false with a fault if they do not.
bool readScale(Warp &warp, uint32_t predicate, bool &holds);

/// Tells the block's observer that an operation of wgmma reads these chunks.
void observeChunks(Warp &warp, const Op &op, const uint32_t *addresses,
                   unsigned count);

} // namespace ctc::ptx

namespace ctc::ptx::CTC_PTX_LEVEL {

/// The handler of wgmma.mma_async (WgmmaMultiply.cpp).
bool multiplyAsync(Warp &warp, const Op &op, LaneMask mask);

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_WGMMA_H
