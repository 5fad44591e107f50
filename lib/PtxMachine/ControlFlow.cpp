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
//===----------------------------------------------------------------------===//

#include "ProgramBuilder.h"

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
                 uint32_t exit)
      : first(first), exit(exit - first), parents(end - first, kNoBlock),
        order(end - first, kNoBlock), next(end - first) {
    std::vector<std::vector<uint32_t>> previous(end - first);
    for (uint32_t block = first; block < end; ++block)
      for (uint32_t target : successors(program.blocks[block], exit)) {
        next[block - first].push_back(target - first);
        previous[target - first].push_back(block - first);
      }
    number(previous);
    solve();
  }

  uint32_t immediate(uint32_t block) const {
    uint32_t parent = parents[block - first];
    return parent == kNoBlock || block - first == exit ? kNoBlock
                                                       : parent + first;
  }

private:
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

void computeReconvergence(Program &program, uint32_t first, uint32_t end,
                          uint32_t exitBlock) {
  PostDominators dominators(program, first, end, exitBlock);
  for (uint32_t block = first; block < end; ++block)
    program.blocks[block].terminator.reconvergence =
        dominators.immediate(block);
}

} // namespace ctc::ptx
