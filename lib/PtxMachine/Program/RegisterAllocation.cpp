//===- RegisterAllocation.cpp - Rows of the register file -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX has as many registers as its writer likes; a warp's rows should fit the
// host's first-level cache. Each register is live over one interval of its
// function's operations, and rows are handed out by a linear scan over these.
//
// Liveness is that of a single thread: an operation writes only the columns
// of active lanes, so a row may be used anew as soon as, along each lane's own
// way through the function, its value is dead.
//
// The registers of a wgmma's A and D have rows of their own, outside of every
// function's: the instruction goes on using them after it was issued, and who
// watches for that must not mistake another register for them.
//
// Positions: operation k reads at 2k and writes at 2k+1, so an operation may
// write the row it reads.
//
//===----------------------------------------------------------------------===//

#include "Program/ProgramBuilder.h"

#include <algorithm>

namespace ctc::ptx {

namespace {

constexpr uint32_t kNone = ~uint32_t(0);

/// Calls fn(row, isDef) for the rows of operation `index`.
template <class Fn>
void forEachRow(const Program &program, const OpBuilder &ops, uint32_t index,
                Fn fn) {
  const Op &op = program.ops[index];
  const OperandRoles &role = ops.roles[index];
  for (uint32_t k = 0; k < role.wideCount; ++k) {
    const uint32_t row = program.wideOperands[op.r[0] + k];
    if (k < role.wideDefs && k < role.wideMatrix)
      fn(row, false);
    fn(row, k < role.wideDefs);
  }
  for (unsigned k = 0; k < kInlineOperands; ++k)
    if (role.rows >> k & 1)
      fn(op.r[k], (role.defs >> k & 1) != 0);
}

/// Operations of a block with those of its terminator.
uint32_t endOf(const BasicBlock &block) {
  return block.end + (block.terminator.op != ~uint32_t(0) ? 1 : 0);
}

class FunctionAllocator {
public:
  FunctionAllocator(const Program &program, const OpBuilder &ops,
                    const LoweredFunction &function,
                    std::vector<uint32_t> &offsets)
      : program(program), ops(ops), function(function), offsets(offsets) {}

  /// Places the function's registers from byte `base` on; the end.
  uint32_t run(uint32_t base) {
    number();
    solveLiveness();
    buildIntervals();
    return scan(base);
  }

private:
  struct Interval {
    uint32_t begin = kNone, end = 0;
    uint32_t row = 0;
  };
  using Bits = std::vector<uint64_t>;

  void number();
  void solveLiveness();
  void buildIntervals();
  uint32_t scan(uint32_t base);
  void extend(uint32_t dense, uint32_t position) {
    intervals[dense].begin = std::min(intervals[dense].begin, position);
    intervals[dense].end = std::max(intervals[dense].end, position);
  }

  const Program &program;
  const OpBuilder &ops;
  const LoweredFunction &function;
  std::vector<uint32_t> &offsets;
  std::vector<uint32_t> dense; ///< By row; kNone if not of this function.
  std::vector<Interval> intervals;
  std::vector<Bits> liveIn, liveOut;
};

void FunctionAllocator::number() {
  dense.assign(ops.rows.size(), kNone);
  for (uint32_t b = function.firstBlock; b < function.endBlock; ++b)
    for (uint32_t k = program.blocks[b].first; k < endOf(program.blocks[b]);
         ++k)
      forEachRow(program, ops, k, [&](uint32_t row, bool) {
        if (ops.rows[row].kind != VirtualRow::Kind::Register ||
            offsets[row] != kNone || dense[row] != kNone)
          return;
        dense[row] = static_cast<uint32_t>(intervals.size());
        intervals.push_back({kNone, 0, row});
      });
}

/// in = uses before a definition, or out without definitions; out = union of
/// the successors' in. A guarded write keeps the old value in some lanes, so
/// it defines nothing and uses it.
void FunctionAllocator::solveLiveness() {
  uint32_t blocks = function.endBlock - function.firstBlock;
  size_t words = (intervals.size() + 63) / 64;
  std::vector<Bits> uses(blocks, Bits(words)), defs(blocks, Bits(words));
  liveIn.assign(blocks, Bits(words));
  liveOut.assign(blocks, Bits(words));
  for (uint32_t b = 0; b < blocks; ++b) {
    const BasicBlock &block = program.blocks[function.firstBlock + b];
    for (uint32_t k = block.first; k < endOf(block); ++k)
      for (bool wantDefs : {false, true})
        forEachRow(program, ops, k, [&](uint32_t row, bool isDef) {
          uint32_t i = dense[row];
          if (i == kNone || isDef != wantDefs)
            return;
          uint64_t bit = uint64_t(1) << (i % 64);
          bool full = isDef && program.ops[k].guard == 0;
          if (full)
            defs[b][i / 64] |= bit;
          else if (!(defs[b][i / 64] & bit))
            uses[b][i / 64] |= bit;
        });
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t b = blocks; b-- > 0;) {
      for (uint32_t target : successors(program.blocks[function.firstBlock + b],
                                        function.exitBlock))
        for (size_t w = 0; w < words; ++w)
          liveOut[b][w] |= liveIn[target - function.firstBlock][w];
      for (size_t w = 0; w < words; ++w) {
        uint64_t in = uses[b][w] | (liveOut[b][w] & ~defs[b][w]);
        changed |= in != liveIn[b][w];
        liveIn[b][w] = in;
      }
    }
  }
}

void FunctionAllocator::buildIntervals() {
  for (uint32_t b = function.firstBlock; b < function.endBlock; ++b) {
    const BasicBlock &block = program.blocks[b];
    const Bits &in = liveIn[b - function.firstBlock];
    const Bits &out = liveOut[b - function.firstBlock];
    for (uint32_t i = 0; i < intervals.size(); ++i) {
      if (in[i / 64] >> (i % 64) & 1)
        extend(i, 2 * block.first);
      if (out[i / 64] >> (i % 64) & 1)
        extend(i, 2 * endOf(block));
    }
    for (uint32_t k = block.first; k < endOf(block); ++k)
      forEachRow(program, ops, k, [&](uint32_t row, bool isDef) {
        if (dense[row] == kNone)
          return;
        extend(dense[row], 2 * k + isDef);
        if (isDef) // Also a value nobody reads needs a place to be written.
          extend(dense[row], 2 * k + 2);
      });
  }
}

uint32_t FunctionAllocator::scan(uint32_t base) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval &a, const Interval &b) {
              return a.begin != b.begin ? a.begin < b.begin : a.row < b.row;
            });
  // 32-bit and 64-bit rows never overlap, so that lanes cannot either.
  struct Class {
    uint32_t bytes;
    std::vector<uint32_t> free;
    std::vector<std::pair<uint32_t, uint32_t>> active; ///< End, slot: a heap.
    uint32_t slots = 0;
  } classes[2] = {{4 * kWarpSize, {}, {}, 0}, {8 * kWarpSize, {}, {}, 0}};
  std::vector<uint32_t> slotOf(intervals.size());
  for (size_t i = 0; i < intervals.size(); ++i) {
    Class &wanted = classes[ops.rows[intervals[i].row].bits == 64];
    while (!wanted.active.empty() &&
           wanted.active.front().first < intervals[i].begin) {
      std::pop_heap(wanted.active.begin(), wanted.active.end(),
                    std::greater<>());
      wanted.free.push_back(wanted.active.back().second);
      wanted.active.pop_back();
    }
    if (wanted.free.empty())
      wanted.free.push_back(wanted.slots++);
    slotOf[i] = wanted.free.back();
    wanted.free.pop_back();
    wanted.active.push_back({intervals[i].end, slotOf[i]});
    std::push_heap(wanted.active.begin(), wanted.active.end(),
                   std::greater<>());
  }
  uint32_t wideBase = base + classes[0].slots * classes[0].bytes;
  for (size_t i = 0; i < intervals.size(); ++i) {
    bool wide = ops.rows[intervals[i].row].bits == 64;
    offsets[intervals[i].row] =
        (wide ? wideBase : base) + slotOf[i] * classes[wide].bytes;
  }
  return wideBase + classes[1].slots * classes[1].bytes;
}

} // namespace

/// Places literals and special registers, the rows that are filled before a
/// block starts; their end.
static uint32_t placeFixed(Program &program, const OpBuilder &ops,
                           std::vector<uint32_t> &offsets) {
  uint32_t at = 0;
  for (size_t i = 0; i < ops.rows.size(); ++i) {
    const VirtualRow &row = ops.rows[i];
    if (row.kind == VirtualRow::Kind::Register)
      continue;
    offsets[i] = at;
    if (row.kind == VirtualRow::Kind::Constant)
      program.constants.push_back({at, row.bits, row.value});
    else
      program.specials.push_back(
          {at, row.bits, static_cast<SpecialRegister>(row.value)});
    at += row.bits / 8 * kWarpSize;
  }
  return at;
}

/// Places the registers of wgmmas from `at` on and notes who touches them; the
/// end of their rows.
static uint32_t placeMatrices(Program &program, const OpBuilder &ops,
                              std::vector<uint32_t> &offsets, uint32_t at) {
  std::vector<bool> isMatrix(ops.rows.size());
  for (size_t k = 0; k < program.ops.size(); ++k)
    for (uint32_t i = 0; i < ops.roles[k].wideMatrix; ++i) {
      uint32_t row = program.wideOperands[program.ops[k].r[0] + i];
      if (offsets[row] != kNone)
        continue; // Placed already, or a literal.
      isMatrix[row] = true;
      offsets[row] = at;
      at += ops.rows[row].bits / 8 * kWarpSize;
    }
  program.opFlags.assign(program.ops.size(), 0);
  for (uint32_t k = 0; k < program.ops.size(); ++k)
    forEachRow(program, ops, k, [&](uint32_t row, bool isDef) {
      if (!isMatrix[row])
        return;
      program.opFlags[k] |= kTouchesWgmma;
      program.matrixRegisterUses.push_back({k, offsets[row], isDef});
    });
  return at;
}

/// Literals and special registers come first and serve all functions, then the
/// registers of wgmmas; then each function's window, above the windows of its
/// callers.
void allocateRegisters(Program &program, const OpBuilder &ops,
                       const std::vector<LoweredFunction> &functions) {
  std::vector<uint32_t> offsets(ops.rows.size(), kNone);
  uint32_t at = placeFixed(program, ops, offsets);
  at = placeMatrices(program, ops, offsets, at);
  std::vector<uint32_t> ends(functions.size());
  program.registerBytes = at;
  for (size_t i = 0; i < functions.size(); ++i) {
    uint32_t base = at;
    for (uint32_t caller : functions[i].callers)
      base = std::max(base, ends[caller]);
    ends[i] = FunctionAllocator(program, ops, functions[i], offsets).run(base);
    program.registerBytes = std::max(program.registerBytes, ends[i]);
  }
  for (size_t k = 0; k < program.ops.size(); ++k) {
    Op &op = program.ops[k];
    const OperandRoles &role = ops.roles[k];
    for (uint32_t i = 0; i < role.wideCount; ++i)
      program.wideOperands[op.r[0] + i] =
          offsets[program.wideOperands[op.r[0] + i]];
    for (unsigned i = 0; i < kInlineOperands; ++i)
      if (role.rows >> i & 1)
        op.r[i] = offsets[op.r[i]];
  }
}

} // namespace ctc::ptx
