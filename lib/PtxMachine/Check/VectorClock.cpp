//===- VectorClock.cpp - What a thread knows of all others ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/VectorClock.h"

#include <algorithm>
#include <bit>

namespace ctc::ptx::check {

LaneMask VectorClock::uncovered(Group group, LaneMask lanes,
                                Clock clock) const {
  LaneMask result = 0;
  for (LaneMask left = lanes; left; left &= left - 1) {
    const auto lane = static_cast<unsigned>(std::countr_zero(left));
    if (of(agentOf(group, lane)) < clock)
      result |= LaneMask(1) << lane;
  }
  return result;
}

bool VectorClock::contains(const VectorClock &other) const {
  const size_t common = std::min(clocks.size(), other.clocks.size());
  Clock missing = 0;
  for (size_t i = 0; i < common; ++i)
    missing |= other.clocks[i] > clocks[i];
  for (size_t i = common; i < other.clocks.size(); ++i)
    missing |= other.clocks[i];
  return missing == 0;
}

void VectorClock::findLeast() {
  least.resize(clocks.size() / kGroupSize);
  for (size_t group = 0; group < least.size(); ++group) {
    Clock smallest = ~Clock(0);
    for (unsigned lane = 0; lane < kGroupSize; ++lane)
      smallest = std::min(smallest, clocks[group * kGroupSize + lane]);
    least[group] = smallest;
  }
}

VectorClock *VectorPool::take() {
  if (unused.empty()) {
    all.push_back(std::make_unique<VectorClock>());
    all.back()->pool = this;
    return all.back().get();
  }
  VectorClock *vector = unused.back();
  unused.pop_back();
  return vector;
}

VectorClock &VectorBuilder::own(size_t agents) {
  if (!changed) {
    VectorRef copy(pool->take());
    copy.vector->clocks.clear();
    if (current)
      copy.vector->clocks = current->clocks;
    current = std::move(copy);
    changed = true;
  }
  std::vector<Clock> &clocks = current.vector->clocks;
  if (clocks.size() < agents)
    clocks.resize(agents);
  return *current.vector;
}

void VectorBuilder::add(const VectorRef &vector) {
  if (!vector || vector == last || vector == current)
    return;
  last = vector;
  if (!current) {
    current = vector;
    return;
  }
  const std::vector<Clock> &added = vector->clocks;
  Clock *clocks = own(added.size()).clocks.data();
  for (size_t i = 0; i < added.size(); ++i)
    clocks[i] = std::max(clocks[i], added[i]);
}

void VectorBuilder::add(Group group, LaneMask lanes, Clock clock) {
  Clock *clocks = own((size_t(group) + 1) * kGroupSize).clocks.data() +
                  size_t(group) * kGroupSize;
  for (unsigned lane = 0; lane < kGroupSize; ++lane) {
    const Clock wanted = lanes >> lane & 1 ? clock : 0;
    clocks[lane] = std::max(clocks[lane], wanted);
  }
}

void VectorBuilder::add(Group group, LaneMask lanes,
                        const Clock (&added)[kGroupSize]) {
  Clock *clocks = own((size_t(group) + 1) * kGroupSize).clocks.data() +
                  size_t(group) * kGroupSize;
  for (unsigned lane = 0; lane < kGroupSize; ++lane) {
    const Clock wanted = lanes >> lane & 1 ? added[lane] : 0;
    clocks[lane] = std::max(clocks[lane], wanted);
  }
}

VectorRef VectorBuilder::snapshot() {
  if (changed)
    current.vector->findLeast();
  changed = false;
  return current;
}

void VectorBuilder::clear() {
  current = {};
  last = {};
  changed = false;
}

static VectorRef join(VectorPool &pool, const VectorRef &a,
                      const VectorRef &b) {
  if (!b || a == b || (a && a->contains(*b)))
    return a;
  if (!a || b->contains(*a))
    return b;
  VectorBuilder both(pool);
  both.add(a);
  both.add(b);
  return both.snapshot();
}

Knowledge Joiner::operator()(const Knowledge &a, const Knowledge &b) {
  if (!(a == lastA) || !(b == lastB)) {
    lastA = a;
    lastB = b;
    result = {join(pool, a.known, b.known), join(pool, a.proxied, b.proxied)};
  }
  return result;
}

} // namespace ctc::ptx::check
