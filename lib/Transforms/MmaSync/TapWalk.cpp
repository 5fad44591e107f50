//===- TapWalk.cpp - The taps of a contraction ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TapWalk.h"

using namespace mlir;
using namespace ctc;

/// Steps of the reduction up to which taps are unrolled: the code of a step is
/// at most 64 instructions of 16 bytes, and a multiprocessor caches 128 KiB.
static constexpr int64_t kMaxUnrolledSteps = 32;

/// Instructions of a warpgroup up to which taps are unrolled: ptxas follows the
/// registers of those under way, for a time that grows with their square (0.3 s
/// for 36, 0.6 s for 60, 2 s for 108), and a loop costs a kernel 0 to 4
/// percent.
static constexpr int64_t kMaxUnrolledGroupInstructions = 48;

SmallVector<Value> TapWalk::walk(ValueRange initial) {
  acc.assign(initial.begin(), initial.end());
  visit(loopOrder(), {index.constant(0), 0}, {{0, index.constant(0)}});
  drain();
  return acc;
}

/// Taps of the chunk between neighbours along a dimension.
int64_t TapWalk::rowStride(int64_t dim) const {
  int64_t stride = 1;
  for (int64_t i = dim + 1; i < rank(); ++i)
    stride *= tapCount(i);
  return stride;
}

int64_t TapWalk::phaseStride(int64_t dim) const {
  int64_t stride = 1;
  for (int64_t i = dim + 1; i < rank(); ++i)
    stride *= tile.kernel.getPhases()[i];
  return stride;
}

/// `dims` are the loops left, under `shift`; `rows` are the taps chosen, by
/// phase.
void TapWalk::visit(ArrayRef<int64_t> dims, const Shift &shift,
                    const Taps &rows) {
  if (dims.empty())
    return multiply(shift, rows);
  const int64_t dim = dims.front();
  if (isGrouped(dim)) {
    for (auto &[at, taps] : tapsByShift(dim))
      visit(dims.drop_front(),
            {shift.looped, shift.known + at * layout().strides[dim + 1]},
            combine(dim, rows, taps));
    return;
  }
  const std::optional<int64_t> count = getConstantIntValue(op.getCount()[dim]);
  if (count && isUnrolled(dims, *count)) {
    for (int64_t tap = 0; tap < *count; ++tap)
      visitTap(dims, shift, rows, index.constant(tap));
    return;
  }
  drain();
  auto loop = scf::ForOp::create(b, index.constant(0), op.getCount()[dim],
                                 index.constant(1), acc);
  keepRolled(loop);
  b.setInsertionPointToStart(loop.getBody());
  acc.assign(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
  visitTap(dims, shift, rows, loop.getInductionVar());
  drain();
  scf::YieldOp::create(b, acc);
  b.setInsertionPointAfter(loop);
  acc.assign(loop.getResults().begin(), loop.getResults().end());
}

/// Whether the taps of a dimension stand in the code one by one, so that
/// fragments of the next can be loaded while the last are multiplied.
bool TapWalk::isUnrolled(ArrayRef<int64_t> dims, int64_t count) const {
  int64_t steps = count * layout().shareSteps();
  for (int64_t inner : dims.drop_front())
    steps *= tapCount(inner);
  return steps <= kMaxUnrolledSteps &&
         (!tile.kernel.usesWarpgroups() ||
          steps * tile.rowTiles() <= kMaxUnrolledGroupInstructions);
}

/// One tap of a dimension without grouped phases.
void TapWalk::visitTap(ArrayRef<int64_t> dims, Shift shift, Taps rows,
                       Value tap) {
  const int64_t dim = dims.front();
  for (auto &[phase, row] : rows)
    row = index.add(row, index.mul(tap, rowStride(dim)));
  Value age = index.sub(index.constant(tapCount(dim) - 1), tap);
  const int64_t stride = op.getInputStep()[dim] * layout().strides[dim + 1];
  if (const std::optional<int64_t> steps = getConstantIntValue(age))
    shift.known += *steps * stride;
  else
    shift.looped = index.add(shift.looped, index.mul(age, stride));
  visit(dims.drop_front(), shift, rows);
}

/// The (phase, tap) pairs of a grouped dimension by their shift.
std::map<int64_t, SmallVector<std::pair<int64_t, int64_t>>>
TapWalk::tapsByShift(int64_t dim) {
  std::map<int64_t, SmallVector<std::pair<int64_t, int64_t>>> result;
  auto pairs = cast<DenseI64ArrayAttr>((*op.getPhaseTaps())[dim]);
  for (int64_t tap = 0; 2 * tap < pairs.size(); ++tap)
    if (pairs[2 * tap] >= 0)
      result[pairs[2 * tap + 1]].push_back({pairs[2 * tap], tap});
  return result;
}

TapWalk::Taps TapWalk::combine(int64_t dim, const Taps &rows,
                               ArrayRef<std::pair<int64_t, int64_t>> taps) {
  Taps next;
  for (const auto &[others, row] : rows)
    for (auto [phase, tap] : taps)
      next.push_back({others + phase * phaseStride(dim),
                      index.add(row, tap * rowStride(dim))});
  return next;
}
