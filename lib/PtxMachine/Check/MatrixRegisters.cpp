//===- MatrixRegisters.cpp - Registers that a wgmma uses ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/MatrixRegisters.h"

#include <algorithm>
#include <map>

namespace ctc::ptx::check {

/// Whether an instruction, perhaps with a guard, is wgmma.mma_async.
static bool isMatrixText(const std::string &text) {
  const size_t at = text.find("wgmma.mma_async");
  return at == 0 ||
         (at != std::string::npos && text[0] == '@' && text[at - 1] == ' ');
}

MatrixRegisters::MatrixRegisters(const Program &program) : program(program) {
  std::map<uint32_t, uint32_t> rows; // Offset to index.
  for (const MatrixRegisterUse &use : program.matrixRegisterUses) {
    const Op &op = program.ops[use.op];
    auto [found, isNew] = ops.try_emplace(use.op);
    OpUses &own = found->second;
    if (isNew) {
      own.first = static_cast<uint32_t>(uses.size());
      own.isMatrix = isMatrixText(program.sources[op.source].text);
      own.shape = uint32_t(op.count) << 16 | op.mode;
    }
    const uint32_t row =
        rows.try_emplace(use.row, static_cast<uint32_t>(rows.size()))
            .first->second;
    // A register of D is read and written.
    auto same = std::find_if(uses.begin() + own.first, uses.end(),
                             [row](const Use &use) { return use.row == row; });
    if (same == uses.end())
      uses.push_back({row, use.isWrite});
    else
      same->isWrite |= use.isWrite;
    own.end = static_cast<uint32_t>(uses.size());
  }
  rowCount = rows.size();
}

void MatrixRegisters::begin(size_t count) {
  warps.resize(count);
  for (WarpRows &warp : warps) {
    warp.fences = warp.committed = warp.done = 0;
    warp.rows.assign(rowCount, {});
  }
}

void MatrixRegisters::fence(size_t warp) { ++warps[warp].fences; }

void MatrixRegisters::wait(size_t index, unsigned pending) {
  WarpRows &warp = warps[index];
  if (warp.committed > pending)
    warp.done = std::max(warp.done, warp.committed - pending);
}

RegisterConflict MatrixRegisters::touch(size_t warp, uint32_t op) {
  const auto found = ops.find(op);
  if (found == ops.end())
    return {};
  const uint32_t source = program.ops[op].source;
  return found->second.isMatrix
             ? touchByMatrix(warps[warp], found->second, source)
             : touchByOther(warps[warp], found->second, source);
}

RegisterConflict MatrixRegisters::touchByMatrix(WarpRows &warp,
                                                const OpUses &op,
                                                uint32_t source) {
  RegisterConflict conflict;
  auto note = [&conflict](RegisterFault fault, uint32_t other) {
    if (conflict.fault == RegisterFault::None)
      conflict = {fault, other};
  };
  if (warp.fences == 0)
    note(RegisterFault::NeverFenced, source);
  for (uint32_t i = op.first; i < op.end; ++i) {
    const bool isD = uses[i].isWrite;
    Row &row = warp.rows[uses[i].row];
    const bool inUse = row.group > warp.done;
    if (inUse && row.isD != isD)
      note(RegisterFault::InUse, row.matrix);
    else if (inUse && isD && row.shape != op.shape && row.fences == warp.fences)
      note(RegisterFault::OtherShape, row.matrix);
    if (row.accessed && row.fences == warp.fences)
      note(RegisterFault::NotFenced, row.access);
    row = {warp.committed + 1, op.shape, isD, source, warp.fences, 0, false};
  }
  return conflict;
}

RegisterConflict MatrixRegisters::touchByOther(WarpRows &warp, const OpUses &op,
                                               uint32_t source) {
  RegisterConflict conflict;
  for (uint32_t i = op.first; i < op.end; ++i) {
    Row &row = warp.rows[uses[i].row];
    if (row.group > warp.done && conflict.fault == RegisterFault::None)
      conflict = {RegisterFault::InUse, row.matrix};
    row.fences = warp.fences;
    row.access = source;
    row.accessed = true;
  }
  return conflict;
}

} // namespace ctc::ptx::check
