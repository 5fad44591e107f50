//===- ControlFlow.cpp - Where diverged lanes meet again ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes that part at a branch run on separately and meet at the branch's
// immediate post-dominator: the first block all their ways lead through. It
// is found by the iterative scheme of Cooper, Harvey and Kennedy on the
// reversed graph.
//
// Lanes that end the kernel meet nobody. So of the ways out of a kernel only
// the last one that can be reached counts as a way on, and nobody waits at a
// block that does nothing but end: a barrier between an early return and the
// end of the kernel is for the lanes that are left.
//
//===----------------------------------------------------------------------===//

#include "Program/ProgramBuilder.h"

namespace ctc::ptx {

std::vector<uint32_t> successors(const BasicBlock &block, uint32_t exitBlock) {
  const Terminator &end = block.terminator;
  switch (end.kind) {
  case TerminatorKind::FallThrough:
    return {end.target};
  case TerminatorKind::Branch:
    if (end.guard == 0)
      return {end.target};
    return {end.target, end.otherwise};
  case TerminatorKind::BranchIndexed:
    return end.targets;
  case TerminatorKind::Call:
  case TerminatorKind::Barrier:
  case TerminatorKind::Collective:
  case TerminatorKind::Poll:
    return {end.otherwise};
  case TerminatorKind::Exit:
  case TerminatorKind::Trap:
    return {exitBlock};
  case TerminatorKind::FunctionEnd:
    return {};
  }
  return {};
}

namespace {
class PostDominators {
public:
  PostDominators(const Program &program, uint32_t first, uint32_t end,
                 uint32_t exit, bool isKernel)
      : first(first), exit(exit - first), parents(end - first, kNoBlock),
        order(end - first, kNoBlock), next(end - first) {
    for (uint32_t block = first; block < end; ++block)
      for (uint32_t target : successors(program.blocks[block], exit))
        next[block - first].push_back(target - first);
    if (isKernel)
      dropEarlyExits();
    std::vector<std::vector<uint32_t>> previous(next.size());
    for (uint32_t block = 0; block < next.size(); ++block)
      for (uint32_t target : next[block])
        previous[target].push_back(block);
    number(previous);
    solve();
  }

  uint32_t immediate(uint32_t block) const {
    uint32_t parent = parents[block - first];
    return parent == kNoBlock || block - first == exit ? kNoBlock
                                                       : parent + first;
  }

private:
  /// Keeps the last reachable edge to the exit block only.
  void dropEarlyExits() {
    std::vector<bool> reachable(next.size());
    std::vector<uint32_t> work = {0};
    reachable[0] = true;
    uint32_t last = kNoBlock;
    while (!work.empty()) {
      uint32_t block = work.back();
      work.pop_back();
      for (uint32_t target : next[block]) {
        if (target == exit && (last == kNoBlock || block > last))
          last = block;
        if (!reachable[target]) {
          reachable[target] = true;
          work.push_back(target);
        }
      }
    }
    for (uint32_t block = 0; block < next.size(); ++block)
      if (block != last)
        std::erase(next[block], exit);
  }

  /// Post-order from the exit block against the edges; blocks from which
  /// there is no way out have no number.
  void number(const std::vector<std::vector<uint32_t>> &previous) {
    std::vector<std::pair<uint32_t, size_t>> stack = {{exit, 0}};
    std::vector<bool> seen(previous.size());
    seen[exit] = true;
    while (!stack.empty()) {
      auto &[block, edge] = stack.back();
      if (edge == previous[block].size()) {
        order[block] = static_cast<uint32_t>(postOrder.size());
        postOrder.push_back(block);
        stack.pop_back();
        continue;
      }
      uint32_t above = previous[block][edge++];
      if (!seen[above]) {
        seen[above] = true;
        stack.push_back({above, 0});
      }
    }
  }

  uint32_t meet(uint32_t a, uint32_t b) const {
    while (a != b) {
      while (order[a] < order[b])
        a = parents[a];
      while (order[b] < order[a])
        b = parents[b];
    }
    return a;
  }

  void solve() {
    parents[exit] = exit;
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t i = postOrder.size() - 1; i-- > 0;) {
        uint32_t block = postOrder[i], parent = kNoBlock;
        for (uint32_t target : next[block])
          if (parents[target] != kNoBlock)
            parent = parent == kNoBlock ? target : meet(parent, target);
        changed |= parents[block] != parent;
        parents[block] = parent;
      }
    }
  }

  uint32_t first, exit;
  std::vector<uint32_t> parents, order, postOrder;
  std::vector<std::vector<uint32_t>> next;
};
} // namespace

/// Whether a lane in this block has nothing left to do but to end.
static bool onlyEnds(const Program &program, uint32_t block,
                     uint32_t exitBlock) {
  const BasicBlock &it = program.blocks[block];
  const Terminator &end = it.terminator;
  bool leads = (end.kind == TerminatorKind::Branch && end.guard == 0) ||
               end.kind == TerminatorKind::FallThrough;
  return block == exitBlock ||
         (it.first == it.end && leads && end.target == exitBlock);
}

void computeReconvergence(Program &program, uint32_t first, uint32_t end,
                          uint32_t exitBlock, bool isKernel) {
  PostDominators dominators(program, first, end, exitBlock, isKernel);
  for (uint32_t block = first; block < end; ++block) {
    uint32_t meeting = dominators.immediate(block);
    if (isKernel && meeting != kNoBlock &&
        onlyEnds(program, meeting, exitBlock))
      meeting = kNoBlock;
    program.blocks[block].terminator.reconvergence = meeting;
  }
}

} // namespace ctc::ptx
