//===- MatrixRegisters.h - Registers that a wgmma uses ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "wgmma.mma_async", "wgmma.fence", "wgmma.wait_group": the registers
// of D and A belong to an operation from its issue until its group has been
// waited for. Whatever else a warp did with them before (and everything, before
// its first operation) must be fenced off by wgmma.fence; operations of one
// shape may follow each other on the same D without one.
//
// Registers are those of the PTX, which the assembler still allocates; what is
// found here it may repair by waiting, at the cost of time, or not.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_MATRIXREGISTERS_H
#define CTC_LIB_PTXMACHINE_CHECK_MATRIXREGISTERS_H

#include "Program/Program.h"

#include <unordered_map>

namespace ctc::ptx::check {

enum class RegisterFault : uint8_t {
  None,
  InUse,       ///< By an operation that was not waited for.
  NotFenced,   ///< Accessed since the last wgmma.fence.
  OtherShape,  ///< In use as D of an operation of another shape.
  NeverFenced, ///< No wgmma.fence before the first operation.
};

/// What is wrong with an operation, and the source of what it conflicts with.
struct RegisterConflict {
  RegisterFault fault = RegisterFault::None;
  uint32_t other = 0;
};

/// The registers of all warps of a cluster, by numbers that the user gives.
class MatrixRegisters {
public:
  explicit MatrixRegisters(const Program &program);

  void begin(size_t warps);
  /// An operation with kTouchesWgmma is about to be executed by the warp.
  RegisterConflict touch(size_t warp, uint32_t op);
  void fence(size_t warp);
  void commit(size_t warp) { ++warps[warp].committed; }
  void wait(size_t warp, unsigned pending);

private:
  struct Use {
    uint32_t row = 0; ///< Index of the row, from 0 on.
    bool isWrite = false;
  };
  /// What an operation with kTouchesWgmma does.
  struct OpUses {
    bool isMatrix = false;
    uint32_t shape = 0; ///< Of the same number for the same shape and types.
    uint32_t first = 0, end = 0; ///< In `uses`.
  };
  struct Row {
    uint32_t group = 0;  ///< Of the operation that has it; 0: none.
    uint32_t shape = 0;  ///< Of that operation.
    bool isD = false;    ///< What it is to that operation.
    uint32_t matrix = 0; ///< Its source.
    uint32_t fences = 0; ///< wgmma.fences before the last other access.
    uint32_t access = 0; ///< The source of that.
    bool accessed = false;
  };
  struct WarpRows {
    uint32_t fences = 0;
    uint32_t committed = 0; ///< Groups, so that the open one is this plus 1.
    uint32_t done = 0;      ///< Groups that were waited for.
    std::vector<Row> rows;
  };

  RegisterConflict touchByMatrix(WarpRows &warp, const OpUses &op,
                                 uint32_t source);
  RegisterConflict touchByOther(WarpRows &warp, const OpUses &op,
                                uint32_t source);

  const Program &program;
  std::unordered_map<uint32_t, OpUses> ops;
  std::vector<Use> uses;
  size_t rowCount = 0;
  std::vector<WarpRows> warps;
};

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_MATRIXREGISTERS_H
