//===- Threads.cpp - What the threads of a cluster know -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/Threads.h"

#include <algorithm>
#include <bit>

namespace ctc::ptx::check {

namespace {
constexpr unsigned kWarpgroup = 4;

/// Calls fn(lane) for the lanes of a mask.
template <class Fn> void eachLane(LaneMask lanes, Fn fn) {
  for (LaneMask left = lanes; left; left &= left - 1)
    fn(static_cast<unsigned>(std::countr_zero(left)));
}

/// Calls fn(some, knowledge) for sets of the lanes that know the same.
template <class Fn>
void eachKnowledge(const WarpThreads &warp, LaneMask lanes, Fn fn) {
  if (warp.uniform && lanes) {
    fn(lanes, warp.knowledge[std::countr_zero(lanes)]);
    return;
  }
  while (lanes) {
    const Knowledge first = warp.knowledge[std::countr_zero(lanes)];
    LaneMask same = 0;
    eachLane(lanes, [&](unsigned lane) {
      if (warp.knowledge[lane] == first)
        same |= LaneMask(1) << lane;
    });
    fn(same, first);
    lanes &= ~same;
  }
}

bool any(LaneMask lanes, const Clock (&clocks)[kWarpSize]) {
  Clock all = 0;
  eachLane(lanes, [&](unsigned lane) { all |= clocks[lane]; });
  return all != 0;
}
} // namespace

Threads::Threads(unsigned blocks, unsigned threadsPerBlock)
    : warpsPerBlock((threadsPerBlock + kWarpSize - 1) / kWarpSize) {
  warps.resize(size_t(blocks) * warpsPerBlock);
  for (size_t i = 0; i < warps.size(); ++i) {
    WarpThreads &warp = warps[i];
    warp.rank = static_cast<unsigned>(i / warpsPerBlock);
    warp.index = static_cast<unsigned>(i % warpsPerBlock);
    const unsigned lanes =
        std::min(kWarpSize, threadsPerBlock - warp.index * kWarpSize);
    warp.exists = kAllLanes >> (kWarpSize - lanes);
    warp.group = addGroup(AgentKind::Thread, warp.rank, warp.index);
  }
  begin();
}

void Threads::begin() {
  KnowledgeBuilder all(vectors);
  for (Group group = 0; group < groups.size(); ++group) {
    all.known.add(group, kAllLanes, groups[group].clock++);
    groups[group].first = groups[group].clock;
    // Threads that do not exist never lag behind.
    if (group < warps.size() && warps[group].exists != kAllLanes)
      all.known.add(group, ~warps[group].exists, ~Clock(0));
  }
  start.known = start.proxied = all.known.snapshot();
  for (WarpThreads &warp : warps)
    beginWarp(warp);
}

void Threads::beginWarp(WarpThreads &warp) {
  warp.uniform = true;
  warp.observed.clear();
  std::fill_n(warp.knowledge, kWarpSize, start);
  for (auto *clocks : {warp.fenced, warp.proxied, warp.fencedInits})
    std::fill_n(clocks, kWarpSize, Clock(0));
  for (OwnAgents &own : warp.own) {
    if (own.group == OwnAgents::kUnused)
      continue;
    own.clock = groups[own.group].clock;
    own.committed.clear();
    for (auto *clocks : {own.issued, own.done, own.proxied})
      std::fill_n(clocks, kWarpSize, Clock(0));
  }
}

Clock Threads::highestClock() const {
  Clock highest = 0;
  for (const GroupInfo &group : groups)
    highest = std::max(highest, group.clock);
  return highest;
}

Group Threads::addGroup(AgentKind kind, unsigned rank, unsigned warp) {
  groups.push_back({kind, rank, warp});
  return static_cast<Group>(groups.size() - 1);
}

//===----------------------------------------------------------------------===//
// Release and acquire
//===----------------------------------------------------------------------===//

void Threads::addKnowledge(WarpThreads &warp, LaneMask lanes,
                           KnowledgeBuilder &to) {
  eachKnowledge(warp, lanes, [&](LaneMask, const Knowledge &knowledge) {
    to.add(knowledge);
  });
}

/// What the lanes have waited for themselves.
void Threads::addOwn(WarpThreads &warp, LaneMask lanes, KnowledgeBuilder &to) {
  for (unsigned k = 0; k < kOwnKinds; ++k) {
    const OwnAgents &own = warp.own[k];
    if (own.group == OwnAgents::kUnused || !any(lanes, own.done))
      continue;
    if (k == ownIndex(AgentKind::Matrix)) {
      eachLane(lanes, [&](unsigned lane) {
        to.known.add(agentOf(own.group, 0), own.done[lane]);
      });
      continue;
    }
    to.known.add(own.group, lanes, own.done);
    if (any(lanes, own.proxied))
      to.proxied.add(own.group, lanes, own.proxied);
  }
}

void Threads::release(WarpThreads &warp, LaneMask lanes, KnowledgeBuilder &to) {
  addKnowledge(warp, lanes, to);
  to.known.add(warp.group, lanes, moveOn(warp.group));
  if (any(lanes, warp.proxied))
    to.proxied.add(warp.group, lanes, warp.proxied);
  addOwn(warp, lanes, to);
}

void Threads::releaseFenced(WarpThreads &warp, LaneMask lanes,
                            KnowledgeBuilder &to) {
  addKnowledge(warp, lanes, to);
  if (any(lanes, warp.fenced))
    to.known.add(warp.group, lanes, warp.fenced);
  if (any(lanes, warp.proxied))
    to.proxied.add(warp.group, lanes, warp.proxied);
  const OwnAgents &inits = warp.of(AgentKind::Inits);
  if (any(lanes, warp.fencedInits)) {
    to.known.add(inits.group, lanes, warp.fencedInits);
    to.proxied.add(inits.group, lanes, inits.proxied);
  }
}

Knowledge Threads::together(WarpThreads &warp, LaneMask lanes) {
  KnowledgeBuilder all(vectors);
  addKnowledge(warp, lanes, all);
  all.known.add(warp.group, lanes, groups[warp.group].clock);
  if (any(lanes, warp.proxied))
    all.proxied.add(warp.group, lanes, warp.proxied);
  addOwn(warp, lanes, all);
  return all.snapshot();
}

void Threads::findUniform(WarpThreads &warp) {
  const auto first = static_cast<unsigned>(std::countr_zero(warp.exists));
  warp.uniform = true;
  eachLane(warp.exists, [&](unsigned lane) {
    warp.uniform &= warp.knowledge[lane] == warp.knowledge[first];
  });
}

void Threads::acquire(WarpThreads &warp, LaneMask lanes,
                      const Knowledge &from) {
  if (!from.known)
    return;
  eachKnowledge(warp, lanes, [&](LaneMask some, const Knowledge &knowledge) {
    const Knowledge joined = join(knowledge, from);
    eachLane(some, [&](unsigned lane) { warp.knowledge[lane] = joined; });
  });
  if (lanes == warp.exists && warp.uniform)
    return;
  findUniform(warp);
}

void Threads::observe(WarpThreads &warp, LaneMask lanes,
                      const Knowledge &from) {
  if (!from.known)
    return;
  warp.observed.resize(kWarpSize);
  eachLane(lanes, [&](unsigned lane) {
    warp.observed[lane] = join(warp.observed[lane], from);
  });
}

//===----------------------------------------------------------------------===//
// Fences
//===----------------------------------------------------------------------===//

void Threads::fence(WarpThreads &warp, LaneMask lanes) {
  const Clock clock = moveOn(warp.group);
  const OwnAgents &inits = warp.of(AgentKind::Inits);
  eachLane(lanes, [&](unsigned lane) {
    warp.fenced[lane] = clock;
    warp.fencedInits[lane] = inits.issued[lane];
    if (!warp.observed.empty()) {
      acquire(warp, LaneMask(1) << lane, warp.observed[lane]);
      warp.observed[lane] = {};
    }
  });
}

void Threads::fenceProxy(WarpThreads &warp, LaneMask lanes) {
  const Clock clock = moveOn(warp.group);
  OwnAgents &copies = warp.of(AgentKind::Copies);
  OwnAgents &inits = warp.of(AgentKind::Inits);
  eachLane(lanes, [&](unsigned lane) {
    // Whatever reached the async proxy before was known before, too.
    warp.knowledge[lane].proxied = warp.knowledge[lane].known;
    warp.proxied[lane] = clock;
    copies.proxied[lane] = copies.done[lane];
    inits.proxied[lane] = inits.issued[lane];
  });
  findUniform(warp);
}

void Threads::fenceInits(WarpThreads &warp, LaneMask lanes) {
  OwnAgents &inits = warp.of(AgentKind::Inits);
  eachLane(lanes, [&](unsigned lane) {
    warp.fencedInits[lane] = inits.proxied[lane] = inits.issued[lane];
  });
}

//===----------------------------------------------------------------------===//
// Operations a thread waits for itself
//===----------------------------------------------------------------------===//

/// The warps of a warpgroup have one group of agents for their wgmma.
void Threads::use(WarpThreads &warp, AgentKind kind) {
  OwnAgents &own = warp.of(kind);
  if (own.group != OwnAgents::kUnused)
    return;
  if (kind == AgentKind::Matrix && warp.index % kWarpgroup) {
    WarpThreads &first =
        this->warp(warp.rank, warp.index - warp.index % kWarpgroup);
    use(first, kind);
    own.group = first.of(kind).group;
  } else {
    own.group = addGroup(kind, warp.rank, warp.index);
  }
  // The warps of a warpgroup count the same operations, each by itself.
  own.clock = kind == AgentKind::Matrix ? groups[own.group].first
                                        : groups[own.group].clock;
}

Agent Threads::ownAgent(const WarpThreads &warp, unsigned lane,
                        AgentKind kind) const {
  const OwnAgents &own = warp.of(kind);
  return own.group == OwnAgents::kUnused
             ? kNoAgent
             : agentOf(own.group, kind == AgentKind::Matrix ? 0 : lane);
}

Agent Threads::issue(WarpThreads &warp, unsigned lane, AgentKind kind,
                     uint32_t source) {
  use(warp, kind);
  OwnAgents &own = warp.of(kind);
  own.issued[lane] = own.clock;
  own.source[lane] = source;
  if (kind == AgentKind::Inits) {
    // Done at once; each has a label of its own.
    own.done[lane] = own.clock;
    moveOn(warp, kind);
  }
  return ownAgent(warp, lane, kind);
}

Clock Threads::moveOn(WarpThreads &warp, AgentKind kind) {
  use(warp, kind);
  OwnAgents &own = warp.of(kind);
  const Clock clock = own.clock++;
  Clock &latest = groups[own.group].clock;
  latest = std::max(latest, own.clock);
  return clock;
}

void Threads::commit(WarpThreads &warp, LaneMask lanes, AgentKind kind) {
  const Clock clock = moveOn(warp, kind);
  warp.of(kind).committed.push_back({clock, lanes});
}

void Threads::wait(WarpThreads &warp, LaneMask lanes, AgentKind kind,
                   unsigned pending) {
  OwnAgents &own = warp.of(kind);
  unsigned seen[kWarpSize] = {};
  LaneMask left = lanes;
  for (auto group = own.committed.rbegin();
       group != own.committed.rend() && left; ++group)
    eachLane(group->lanes & left, [&](unsigned lane) {
      if (seen[lane]++ < pending)
        return;
      own.done[lane] = std::max(own.done[lane], group->clock);
      left &= ~(LaneMask(1) << lane);
    });
  auto isDone = [&](const OwnAgents::Committed &group) {
    LaneMask waiting = 0;
    eachLane(group.lanes, [&](unsigned lane) {
      waiting |= LaneMask(own.done[lane] < group.clock) << lane;
    });
    return waiting == 0;
  };
  while (!own.committed.empty() && isDone(own.committed.front()))
    own.committed.pop_front();
}

} // namespace ctc::ptx::check
