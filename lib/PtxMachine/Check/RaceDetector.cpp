//===- RaceDetector.cpp - Accesses to shared memory without order ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/RaceDetector.h"

#include <bit>

namespace ctc::ptx::check {

/// Locations that strong accesses pass knowledge through, of one cluster: a
/// bound on the memory this takes. Flags and locks are few.
static constexpr size_t kMaxLocations = 1 << 14;

RaceDetector::RaceDetector(const Shape &shape, RaceSink &sink)
    : shape(shape), sink(sink), threads(shape.blocks, shape.threads) {
  for (unsigned rank = 0; rank < shape.blocks; ++rank)
    blocks.push_back(std::make_unique<BlockMemory>(*this, rank));
  for (unsigned i = 0; i < shape.blocks * kClusterBarrier + 1; ++i)
    barriers.emplace_back(threads.pool());
}

RaceDetector::~RaceDetector() = default;

RaceDetector::BlockMemory::BlockMemory(RaceDetector &owner, unsigned rank)
    : owner(owner), rank(rank), shadow(owner.shape.sharedBytes, *this),
      ended(owner.threads.pool()) {}

void RaceDetector::begin() {
  threads.begin();
  for (const auto &block : blocks)
    block->ended.clear();
  for (Barrier &barrier : barriers) {
    barrier.gathered.clear();
    barrier.completed = {};
  }
  for (MBarrierState *mbarrier : mbarrierOrder) {
    if (mbarrier->valid)
      shadowOf(mbarrier->place.rank)
          .markMBarrier(mbarrier->place.offset, false);
    mbarrier->valid = false;
    mbarrier->gathered.clear();
    mbarrier->completed = {};
    mbarrier->issued = 0;
  }
  locations.clear();
  remoteUses.clear();
  exited = 0;
}

void RaceDetector::exit(const Lanes &lanes) {
  exited += static_cast<unsigned>(std::popcount(lanes.mask));
  threads.release(warpOf(lanes), lanes.mask, blocks[lanes.rank]->ended);
}

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

Party RaceDetector::partyOf(Agent agent, uint32_t source) const {
  const Group group = groupOf(agent);
  const GroupInfo &info = threads.info(group);
  if (info.kind == AgentKind::MBarrier) {
    size_t index = 0;
    while (mbarrierGroups[index] != group)
      ++index;
    const MBarrierState &state =
        *mbarrierOrder[index * kGroupSize + laneOf(agent)];
    Party party = state.issuer;
    party.kind = info.kind;
    party.source = source;
    party.mbarrier = state.place;
    return party;
  }
  return {
      info.kind, info.rank, info.warp * kWarpSize + laneOf(agent), source, {}};
}

Party RaceDetector::partyOf(const Lanes &lanes) const {
  return {AgentKind::Thread,
          lanes.rank,
          lanes.warp * kWarpSize + lowest(lanes.mask),
          lanes.source,
          {}};
}

void RaceDetector::report(RaceKind kind, const Party &actor,
                          SharedPlace place) {
  Race race;
  race.kind = kind;
  race.actor = race.other = actor;
  race.place = place;
  sink.race(race);
}

void RaceDetector::BlockMemory::conflict(const Conflict &conflict) {
  Race race;
  race.kind = conflict.onlyUnfenced ? RaceKind::Unfenced : RaceKind::Unordered;
  race.actor = owner.partyOf(conflict.agent, conflict.source);
  race.other = owner.partyOf(conflict.other, conflict.otherSource);
  race.access = conflict.access;
  race.otherAccess = conflict.otherAccess;
  race.place = {rank, conflict.offset};
  owner.sink.race(race);
}

void RaceDetector::BlockMemory::overwritten(Agent agent, uint32_t source,
                                            uint32_t offset) {
  owner.report(RaceKind::OverwrittenMBarrier, owner.partyOf(agent, source),
               {rank, offset & ~7u});
}

//===----------------------------------------------------------------------===//
// Accesses by threads
//===----------------------------------------------------------------------===//

Actor RaceDetector::threadActor(const Lanes &lanes, Access access) {
  const WarpThreads &warp = warpOf(lanes);
  Actor actor;
  actor.access = access;
  actor.group = warp.group;
  actor.clock = threads.clockOf(warp);
  actor.source = lanes.source;
  return actor;
}

/// Issues an operation of the kind for all of the lanes.
Actor RaceDetector::ownActor(const Lanes &lanes, AgentKind kind,
                             Access access) {
  WarpThreads &warp = warpOf(lanes);
  Actor actor;
  for (LaneMask left = lanes.mask; left; left &= left - 1)
    actor.group =
        groupOf(threads.issue(warp, lowest(left), kind, lanes.source));
  actor.access = access;
  actor.clock = warp.of(kind).issued[lowest(lanes.mask)];
  actor.source = lanes.source;
  return actor;
}

void RaceDetector::access(const Lanes &lanes, unsigned target, Access access,
                          const uint32_t (&offsets)[kWarpSize],
                          uint32_t bytes) {
  if (target != lanes.rank)
    noteRemote(lanes, target);
  eachActor(lanes, threadActor(lanes, access),
            [&](const Actor &actor, LaneMask some) {
              shadowOf(target).accessLanes(actor, some, offsets, bytes);
            });
}

void RaceDetector::accessOne(const Lanes &lanes, SharedPlace place,
                             Access access, uint32_t bytes) {
  if (place.rank != lanes.rank)
    noteRemote(lanes, place.rank);
  eachActor(lanes, threadActor(lanes, access),
            [&](const Actor &actor, LaneMask some) {
              shadowOf(place.rank).access(actor, some, place.offset, bytes);
            });
}

void RaceDetector::copy(const Lanes &lanes, unsigned target,
                        const uint32_t (&offsets)[kWarpSize], uint32_t bytes) {
  eachActor(lanes, ownActor(lanes, AgentKind::Copies, Access::Write),
            [&](const Actor &actor, LaneMask some) {
              shadowOf(target).accessLanes(actor, some, offsets, bytes);
            });
}

/// An access to a block that may not have begun, or may be over: PTX ISA,
/// "Cluster of Cooperative Thread Arrays".
void RaceDetector::noteRemote(const Lanes &lanes, unsigned target) {
  WarpThreads &warp = warpOf(lanes);
  RemoteUse &use = remoteUses[{warp.group, target}];
  for (LaneMask left = lanes.mask; left; left &= left - 1) {
    use.clock[lowest(left)] = threads.clockOf(warp);
    use.source[lowest(left)] = lanes.source;
  }
  for (LaneMask left = lanes.mask & ~use.known; left; left &= left - 1) {
    const unsigned lane = lowest(left);
    const WarpThreads &first = threads.warp(target, 0);
    bool runs = false;
    for (Group group = first.group;
         group < first.group + (shape.threads + kWarpSize - 1) / kWarpSize;
         ++group)
      for (unsigned i = 0; i < kWarpSize; ++i)
        runs |= warp.knowledge[lane].known->of(agentOf(group, i)) >
                threads.origin().known->of(agentOf(group, i));
    use.known |= LaneMask(1) << lane;
    if (!runs)
      report(
          RaceKind::PeerMayNotRun,
          partyOf({lanes.rank, lanes.warp, LaneMask(1) << lane, lanes.source}),
          {target, 0});
  }
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void RaceDetector::release(const Lanes &lanes, Ordering ordering,
                           KnowledgeBuilder &to) {
  if (releases(ordering))
    threads.release(warpOf(lanes), lanes.mask, to);
  else
    threads.releaseFenced(warpOf(lanes), lanes.mask, to);
}

void RaceDetector::order(const Lanes &lanes, const uint64_t (&keys)[kWarpSize],
                         Ordering ordering, bool reads, bool writes) {
  WarpThreads &warp = warpOf(lanes);
  for (LaneMask left = lanes.mask; left; left &= left - 1) {
    const unsigned lane = lowest(left);
    const LaneMask own = LaneMask(1) << lane;
    auto found = locations.find(keys[lane]);
    if (reads && found != locations.end()) {
      const Knowledge seen = found->second.snapshot();
      if (acquires(ordering))
        threads.acquire(warp, own, seen);
      else
        threads.observe(warp, own, seen);
    }
    const bool passesOn = releases(ordering) || warp.fenced[lane];
    if (!writes || !passesOn)
      continue;
    if (found == locations.end()) {
      if (locations.size() >= kMaxLocations)
        continue;
      found =
          locations.emplace(keys[lane], KnowledgeBuilder(threads.pool())).first;
    }
    release({lanes.rank, lanes.warp, own, lanes.source}, ordering,
            found->second);
  }
}

void RaceDetector::fence(const Lanes &lanes, FenceKind kind) {
  WarpThreads &warp = warpOf(lanes);
  switch (kind) {
  case FenceKind::Memory:
    return threads.fence(warp, lanes.mask);
  case FenceKind::ProxyAsync:
    return threads.fenceProxy(warp, lanes.mask);
  case FenceKind::MBarrierInit:
    return threads.fenceInits(warp, lanes.mask);
  default:
    return;
  }
}

void RaceDetector::warpBarrier(const Lanes &lanes) {
  WarpThreads &warp = warpOf(lanes);
  KnowledgeBuilder all(threads.pool());
  threads.release(warp, lanes.mask, all);
  threads.acquire(warp, lanes.mask, all.snapshot());
}

void RaceDetector::arrive(const Lanes &lanes, unsigned barrier,
                          bool releasing) {
  release(lanes, releasing ? Ordering::Release : Ordering::Relaxed,
          barrierOf(lanes.rank, barrier).gathered);
}

void RaceDetector::complete(unsigned rank, unsigned number) {
  Barrier &barrier = barrierOf(rank, number);
  for (const auto &block : blocks)
    if ((number == kClusterBarrier || block->rank == rank) &&
        !block->ended.empty())
      barrier.gathered.add(block->ended.snapshot());
  barrier.completed = barrier.gathered.snapshot();
  barrier.gathered.clear();
}

void RaceDetector::leave(const Lanes &lanes, unsigned barrier) {
  WarpThreads &warp = warpOf(lanes);
  threads.acquire(warp, lanes.mask, barrierOf(lanes.rank, barrier).completed);
  // Also relaxed arrivals tell that the other blocks run.
  if (barrier == kClusterBarrier)
    for (unsigned target = 0; target < blocks.size(); ++target)
      remoteUses[{warp.group, target}].known |= lanes.mask;
}

} // namespace ctc::ptx::check
