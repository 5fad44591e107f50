//===- Program.h - A kernel decoded for execution ---------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Program is one kernel with the functions it calls: operations in arrays,
// grouped in basic blocks that end in a terminator. Every operand is a row of
// the warp's register file (32 lanes side by side), also a literal and a
// special register, so an operation has one form whatever its operands are.
//
// Recursion is refused, hence every function has one fixed window of rows and
// of local memory, and lanes of different paths may be in it at once: what
// belongs to a lane stays in its column.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_PROGRAM_PROGRAM_H
#define CTC_LIB_PTXMACHINE_PROGRAM_PROGRAM_H

#include "Syntax/Syntax.h"
#include "ctc/PtxMachine/Machine.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ctc::ptx {

constexpr unsigned kWarpSize = 32;
using LaneMask = uint32_t;
constexpr LaneMask kAllLanes = ~LaneMask(0);

struct Warp;
struct BlockState;
struct Op;

/// Executes an operation for the lanes of `mask`. Returns false on a fault,
/// which it has written to the warp.
using Handler = bool (*)(Warp &warp, const Op &op, LaneMask mask);

/// The same operation for a full warp and for any mask.
struct Handlers {
  Handler full = nullptr;
  Handler masked = nullptr;
};

/// Predicates are 32-bit lane masks, not rows. The first two are fixed.
constexpr uint32_t kTruePredicate = 0;
constexpr uint32_t kSinkPredicate = 1; ///< Written, never read.

constexpr unsigned kInlineOperands = 6;
/// Op::mode of a collective whose lanes may wait at different instructions
/// (bar.warp.sync); of the others all must be at the same one.
constexpr uint16_t kMeetsAnywhere = 0xffff;

struct alignas(64) Op {
  Handlers run;
  /// Byte offsets of rows, or indices of predicates, as the handler reads them.
  /// An operation with more operands has the index of its first one in
  /// Program::wideOperands as r[0] and nothing else here.
  std::array<uint32_t, kInlineOperands> r{};
  int64_t immediate = 0; ///< Address offset, lookup table, mode: the handler's.
  uint32_t guard = 0;    ///< Predicate * 2 + negated; 0: always.
  uint16_t count = 1;    ///< Vector elements, of those that have them.
  uint16_t mode = 0;     ///< Further choice of the handler's.
  uint32_t cacheSlot = 0; ///< Of a memory operation: its entry in RangeCache.
  uint32_t source = 0;    ///< Index in Program::sources.
};

enum class TerminatorKind : uint8_t {
  FallThrough,   ///< To `target`.
  Branch,        ///< To `target` where the guard holds, else to `otherwise`.
  BranchIndexed, ///< To targets[row r[0]] where the guard holds.
  Call,          ///< Of the function whose entry block is `target`.
  FunctionEnd,   ///< Back to the caller; lanes of a kernel are done.
  Exit,          ///< Lanes of the guard are done, others go to `otherwise`.
  Trap,          ///< Fault if any lane of the guard is active.
  Barrier,       ///< Waits in the block's barrier `op`, then `otherwise`.
  Collective,    ///< Waits for the lanes the op names, executes it for all of
                 ///< them together, then `otherwise`.
  Poll,          ///< Executes the op until it no longer sets Warp::wouldWait,
                 ///< then `otherwise`.
};

enum class BarrierKind : uint8_t { Sync, Arrive, Reduce };
enum class BarrierReduction : uint8_t { None, Count, And, Or };

/// Op::mode of a barrier. Operands: r[0] result of a reduction (a row for
/// Count, else a predicate), rows r[1] barrier and r[2] threads (0: all),
/// r[3] predicate to reduce.
struct BarrierMode {
  BarrierKind kind = BarrierKind::Sync;
  BarrierReduction reduction = BarrierReduction::None;
  bool aligned = false; ///< All threads of a warp must come together.

  uint16_t encode() const {
    return static_cast<uint16_t>(static_cast<unsigned>(kind) |
                                 static_cast<unsigned>(reduction) << 2 |
                                 static_cast<unsigned>(aligned) << 4);
  }
  static BarrierMode decode(uint16_t mode) {
    return {static_cast<BarrierKind>(mode & 3),
            static_cast<BarrierReduction>(mode >> 2 & 3), (mode >> 4 & 1) != 0};
  }
};

/// Bits of Program::opFlags.
constexpr uint8_t kTouchesWgmma = 1; ///< A register that a wgmma uses, too.

constexpr uint32_t kNoBlock = ~uint32_t(0);

struct Terminator {
  TerminatorKind kind = TerminatorKind::FallThrough;
  uint32_t target = kNoBlock;
  uint32_t otherwise = kNoBlock;
  uint32_t guard = 0;
  /// Where diverged lanes meet again: the immediate post-dominator.
  uint32_t reconvergence = kNoBlock;
  /// Barrier, Collective, BranchIndexed: operation with the operands, which
  /// lies at BasicBlock::end, outside the block's range. r[5] of a Collective
  /// is the row of its member mask; r[0] of a BranchIndexed is the row of the
  /// index; a Barrier has id and thread count.
  uint32_t op = ~uint32_t(0);
  std::vector<uint32_t> targets;
  uint32_t source = 0;
};

struct BasicBlock {
  uint32_t first = 0, end = 0; ///< Range of Program::ops.
  uint32_t instructions = 0;   ///< PTX instructions, for the statistics.
  Terminator terminator;
};

/// Where an instruction was written: the line of the PTX, and by .loc the place
/// in the file it was made from.
struct SourceInstruction {
  uint32_t line = 0;
  std::string text;
  SourceLocation location;
};

/// Rows filled before a block starts rather than by instructions.
enum class SpecialRegister : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NWarpId,
  SmId,
  NSmId,
  GridId,
  CurrentGraphExec,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
  DynamicSmemSize,
  TotalSmemSize,
  ClusterIdX,
  ClusterIdY,
  ClusterIdZ,
  NClusterIdX,
  NClusterIdY,
  NClusterIdZ,
  ClusterCtaIdX,
  ClusterCtaIdY,
  ClusterCtaIdZ,
  ClusterNCtaIdX,
  ClusterNCtaIdY,
  ClusterNCtaIdZ,
  ClusterCtaRank,
  ClusterNCtaRank,
};

/// An operation touches a register that some wgmma has in its A or D. Such a
/// register has a row of its own.
struct MatrixRegisterUse {
  uint32_t op = 0;  ///< Index in Program::ops.
  uint32_t row = 0; ///< Byte offset.
  bool isWrite = false;
};

struct ConstantRow {
  uint32_t offset = 0; ///< Bytes into the register file.
  uint32_t bits = 32;  ///< 32 or 64.
  uint64_t value = 0;
};

struct SpecialRow {
  uint32_t offset = 0;
  uint32_t bits = 32;
  SpecialRegister which = SpecialRegister::TidX;
};

struct Program {
  KernelInfo info;
  std::vector<Op> ops;
  std::vector<uint8_t> opFlags; ///< Parallel to ops.
  std::vector<uint32_t> wideOperands;
  /// Of the operations with kTouchesWgmma, in their order.
  std::vector<MatrixRegisterUse> matrixRegisterUses;
  std::vector<BasicBlock> blocks;
  std::vector<SourceInstruction> sources;
  std::map<uint32_t, std::string> files; ///< By the number in .file.
  std::vector<ConstantRow> constants;
  std::vector<SpecialRow> specials;
  uint32_t entryBlock = 0;
  uint32_t registerBytes = 0; ///< Register file of a warp.
  uint32_t predicates = 2;    ///< Predicates of a warp.
  uint32_t localBytes = 0;    ///< Local memory of a lane.
  uint32_t dynamicSharedOffset = 0;
  uint32_t cacheSlots = 0;
  uint32_t maxThreads[3] = {0, 0, 0};
  uint32_t requiredThreads[3] = {0, 0, 0};
  uint32_t requiredCluster[3] = {0, 0, 0}; ///< .reqnctapercluster
  uint32_t maxClusterRank = 0;             ///< .maxclusterrank
  uint32_t registersAtLaunch = 0; ///< Per thread, of setmaxnreg; 0: not known.
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_PROGRAM_PROGRAM_H
