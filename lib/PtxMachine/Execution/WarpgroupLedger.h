//===- WarpgroupLedger.h - What the warps of a warpgroup issue --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "wgmma.mma_async" and its kin: all threads of a warpgroup must
// execute the same instruction (.aligned), with the same matrix descriptors.
// The warps of this machine issue by themselves, at different times; so what
// the first of them issues is kept until the others have issued it, too.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_WARPGROUPLEDGER_H
#define CTC_LIB_PTXMACHINE_EXECUTION_WARPGROUPLEDGER_H

#include "Families/Wgmma.h"

#include <deque>
#include <vector>

namespace ctc::ptx {

class WarpgroupLedger {
public:
  explicit WarpgroupLedger(const Program &program) : program(program) {}

  /// A block of `warps` warps starts.
  void start(unsigned warps);
  /// A warp issues an instruction of its warpgroup; false with a fault if an
  /// other warp has issued another one in its place, or ended without it.
  bool issue(Warp &warp, const WarpgroupIssue &issue);
  /// Whether the others of its warpgroup have issued all that this warp has.
  bool haveCaughtUp(const Warp &warp) const;
  /// All threads of a warp have ended; false with a fault if the others of its
  /// warpgroup have issued more than it has.
  bool exit(Warp &warp);

private:
  struct Member {
    uint64_t issued = 0;
    bool exited = false;
  };
  struct Group {
    std::deque<WarpgroupIssue> open; ///< Not yet issued by all four.
    uint64_t first = 0;              ///< Index of open.front().
    Member members[kWarpgroupWarps];
  };

  std::string describe(const WarpgroupIssue &issue) const;

  const Program &program;
  std::vector<Group> groups;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_WARPGROUPLEDGER_H
