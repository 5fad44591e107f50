//===- WarpgroupLedger.cpp - What the warps of a warpgroup issue ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution/WarpgroupLedger.h"

#include "Execution/GlobalMemory.h"

#include <algorithm>

namespace ctc::ptx {

void WarpgroupLedger::start(unsigned warps) {
  groups.assign((warps + kWarpgroupWarps - 1) / kWarpgroupWarps, {});
}

std::string WarpgroupLedger::describe(const WarpgroupIssue &issue) const {
  const SourceInstruction &source = program.sources[issue.source];
  return "'" + source.text + "' (PTX line " + std::to_string(source.line) + ")";
}

bool WarpgroupLedger::issue(Warp &warp, const WarpgroupIssue &issue) {
  Group &group = groups[warp.index / kWarpgroupWarps];
  Member &own = group.members[warp.index % kWarpgroupWarps];
  const uint64_t index = own.issued++;
  ++warp.block->cluster->events; // Others may wait for it.
  for (unsigned i = 0; i < kWarpgroupWarps; ++i)
    if (group.members[i].exited && group.members[i].issued <= index)
      return describeFault(warp, 0,
                           "all warps of the warpgroup must execute it; warp " +
                               std::to_string(i) + " has ended without");
  if (index == group.first + group.open.size()) {
    group.open.push_back(issue);
    return true;
  }
  const WarpgroupIssue &expected = group.open[index - group.first];
  if (expected.source != issue.source)
    return describeFault(warp, 0,
                         "all warps of the warpgroup must execute the same; "
                         "another has executed " +
                             describe(expected) + " in its place");
  for (char name : {'A', 'B'}) {
    const uint64_t here = name == 'A' ? issue.a : issue.b;
    const uint64_t there = name == 'A' ? expected.a : expected.b;
    if (here != there)
      return describeFault(warp, 0,
                           std::string("the descriptor ") + hexadecimal(here) +
                               " of " + name + " is " + hexadecimal(there) +
                               " in another warp; a warpgroup has one");
  }
  const uint64_t behind =
      std::min_element(
          std::begin(group.members), std::end(group.members),
          [](const Member &a, const Member &b) { return a.issued < b.issued; })
          ->issued;
  for (; group.first < behind; ++group.first)
    group.open.pop_front();
  return true;
}

bool WarpgroupLedger::haveCaughtUp(const Warp &warp) const {
  const Group &group = groups[warp.index / kWarpgroupWarps];
  const Member &own = group.members[warp.index % kWarpgroupWarps];
  for (const Member &member : group.members)
    if (member.issued < own.issued && !member.exited)
      return false;
  return true;
}

bool WarpgroupLedger::exit(Warp &warp) {
  Group &group = groups[warp.index / kWarpgroupWarps];
  Member &own = group.members[warp.index % kWarpgroupWarps];
  own.exited = true;
  if (own.issued == group.first + group.open.size())
    return true;
  return describeFault(warp, 0,
                       "all warps of the warpgroup must execute " +
                           describe(group.open[own.issued - group.first]) +
                           "; this one ends without");
}

} // namespace ctc::ptx
