//===- PatchFragments.h - Fragments of a patch ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_PATCHFRAGMENTS_H
#define CTC_LIB_TRANSFORMS_MMASYNC_PATCHFRAGMENTS_H

#include "WarpTile.h"

#include <map>

namespace ctc {

/// A register of an operand; for split_tf32 its two parts.
struct Register {
  mlir::Value value, low;
};
/// Registers h = 0, 1 of eight rows or columns.
using Octet = std::array<Register, 2>;

/// Words from a patch's start to where a tap reads it: those that loops over
/// taps add, and those that are known.
struct Shift {
  mlir::Value looped;
  int64_t known = 0;
};

/// Loads of buffers in words, as the registers that matrix instructions take:
/// pairs of 16-bit elements, or the bits of an f32 (of both its parts with
/// `split`, of the nearest tf32 with `round`).
class WordLoads {
public:
  WordLoads(mlir::ImplicitLocOpBuilder &builder, mlir::Type element, bool split,
            bool round = false)
      : b(builder), element(element), split(split), round(round) {}

  llvm::SmallVector<Register> load(mlir::Value buffer, mlir::Value word,
                                   int64_t count);

private:
  Register toRegister(mlir::Value word);

  mlir::ImplicitLocOpBuilder &b;
  mlir::Type element;
  bool split, round;
};

/// The fragments of a warp's positions in a patch in workgroup memory.
class PatchFragments {
public:
  PatchFragments(mlir::ImplicitLocOpBuilder &builder, ir::ContractOp op,
                 const WarpTile &tile, mlir::Value patch);

  /// As the buffer's type states it: planes, word_elements, strides.
  const PatchLayout &layout() const { return patchLayout; }
  /// Reduction steps whose registers are loaded together.
  int64_t stepsPerLoad() const { return patchLayout.stepsPerLoad(); }
  /// Fragments of all octets of positions under a shift, for the steps of one
  /// load from `step` on.
  llvm::SmallVector<llvm::SmallVector<Octet>> load(const Shift &shift,
                                                   int64_t step);
  /// The same, where the code between may not be crossed by loads: what stands
  /// in registers since the last shift is taken from there.
  llvm::SmallVector<llvm::SmallVector<Octet>> loadOnce(const Shift &shift,
                                                       int64_t step);
  /// Begins another shift.
  void nextShift();
  /// Forgets what stands in registers, where straight code ends.
  void forget();

private:
  /// Registers of one octet by the position they start from, the words that
  /// loops add and the known ones from there, and the step.
  using Known =
      std::map<std::tuple<const void *, const void *, int64_t, int64_t>,
               llvm::SmallVector<Octet>>;

  /// Where the lane's words of an octet begin: a place, and words from there.
  /// Octets at fixed distances have a place in common.
  using OctetPlace = std::pair<mlir::Value, int64_t>;

  mlir::Value wordOf(const OctetPlace &octet, const Shift &shift);
  llvm::SmallVector<Octet> loadOctet(mlir::Value at, int64_t step);
  void readLayout(mlir::MemRefType type);
  void locateLane(mlir::Value skew);
  std::optional<int64_t> fixedDistance(llvm::ArrayRef<int64_t> words,
                                       int64_t octet) const;
  mlir::Value positionWord(mlir::Value number);

  mlir::ImplicitLocOpBuilder &b;
  const WarpTile &tile;
  IndexMath index, local;
  PatchLayout patchLayout;
  mlir::Value patch;
  WordLoads words;
  llvm::SmallVector<OctetPlace> octets;
  Known recent, current;
};

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_PATCHFRAGMENTS_H
