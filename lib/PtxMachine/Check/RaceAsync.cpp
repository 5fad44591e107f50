//===- RaceAsync.cpp - Asynchronous operations and their completion -------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Asynchronous operations", "mbarrier", "Async proxy". Bulk copies
// and wgmma access memory through the asynchronous proxy: what the generic one
// wrote (threads, cp.async, mbarrier.init) must be fenced on the way to them.
// When such an operation is complete, its writes are visible to both. What the
// generic proxy only read may be overwritten without a proxy fence, once it is
// ordered.
//
//===----------------------------------------------------------------------===//

#include "Check/RaceDetector.h"

#include <bit>

namespace ctc::ptx::check {

static AgentKind kindOf(Completion completion) {
  switch (completion) {
  case Completion::CopyGroup:
    return AgentKind::Copies;
  case Completion::BulkGroup:
    return AgentKind::Bulk;
  case Completion::WgmmaGroup:
    return AgentKind::Matrix;
  case Completion::MBarrier:
    return AgentKind::MBarrier;
  }
  return AgentKind::Thread;
}

void RaceDetector::asynchronous(const Lanes &lanes, Completion completion,
                                SharedPlace place,
                                std::span<const Range> ranges) {
  WarpThreads &warp = warpOf(lanes);
  // The operation follows what any of its threads did before.
  const Knowledge all = threads.together(warp, lanes.mask);
  const AgentKind kind = kindOf(completion);
  Actor actor;
  LaneMask agents = 1;
  if (kind == AgentKind::MBarrier) {
    MBarrierState &state = mbarrierAt(place);
    checkInit(lanes, place, all);
    actor.group = groupOf(state.agent);
    actor.clock = threads.info(actor.group).clock;
    actor.source = lanes.source;
    agents = LaneMask(1) << laneOf(state.agent);
    state.issued = actor.clock;
    state.issuer = partyOf(lanes);
  } else {
    Lanes one = lanes;
    one.mask &= 0u - one.mask;
    actor = ownActor(one, kind, Access::Read);
    agents = kind == AgentKind::Matrix ? 1 : one.mask;
  }
  actor.known = &*all.known;
  actor.proxied = &*all.proxied;
  for (const Range &range : ranges) {
    actor.access = range.access;
    shadowOf(range.place.rank)
        .access(actor, agents, range.place.offset,
                static_cast<uint32_t>(range.bytes));
  }
}

void RaceDetector::commit(const Lanes &lanes, Completion completion) {
  threads.commit(warpOf(lanes), lanes.mask, kindOf(completion));
}

void RaceDetector::wait(const Lanes &lanes, Completion completion,
                        unsigned pending) {
  threads.wait(warpOf(lanes), lanes.mask, kindOf(completion), pending);
}

//===----------------------------------------------------------------------===//
// mbarrier objects
//===----------------------------------------------------------------------===//

RaceDetector::MBarrierState &RaceDetector::mbarrierAt(SharedPlace place) {
  auto &state = mbarriers[place];
  if (state)
    return *state;
  state = std::make_unique<MBarrierState>(threads.pool());
  const size_t index = mbarrierOrder.size();
  if (index % kGroupSize == 0)
    mbarrierGroups.push_back(threads.addGroup(AgentKind::MBarrier, 0, 0));
  state->place = place;
  state->agent = agentOf(mbarrierGroups.back(), index % kGroupSize);
  mbarrierOrder.push_back(state.get());
  return *state;
}

void RaceDetector::initialize(const Lanes &lanes, SharedPlace place,
                              bool valid) {
  MBarrierState &state = mbarrierAt(place);
  Shadow &shadow = shadowOf(place.rank);
  if (valid && state.valid)
    report(RaceKind::RepeatedInit, partyOf(lanes), place);
  shadow.markMBarrier(place.offset, false);
  state.valid = valid;
  state.gathered.clear();
  state.completed = {};
  if (!valid)
    return;
  eachActor(lanes, ownActor(lanes, AgentKind::Inits, Access::Write),
            [&](const Actor &actor, LaneMask some) {
              shadow.access(actor, some, place.offset, 8);
            });
  shadow.markMBarrier(place.offset, true);
}

/// The asynchronous proxy may use an object whose initialisation it can see.
void RaceDetector::checkInit(const Lanes &lanes, SharedPlace place,
                             const Knowledge &all) {
  Actor actor = threadActor(lanes, Access::StrongRead);
  actor.known = &*all.known;
  actor.proxied = &*all.proxied;
  shadowOf(place.rank).access(actor, lanes.mask, place.offset, 8);
}

void RaceDetector::arriveAt(const Lanes &lanes, SharedPlace place,
                            Ordering ordering, bool afterCopies) {
  WarpThreads &warp = warpOf(lanes);
  MBarrierState &state = mbarrierAt(place);
  if (afterCopies) {
    OwnAgents &copies = warp.of(AgentKind::Copies);
    if (copies.group != OwnAgents::kUnused) {
      state.gathered.known.add(copies.group, lanes.mask, copies.issued);
      threads.moveOn(warp, AgentKind::Copies);
    }
  }
  release(lanes, ordering, state.gathered);
}

void RaceDetector::phaseComplete(SharedPlace place) {
  MBarrierState &state = mbarrierAt(place);
  const Clock clock = threads.moveOn(groupOf(state.agent));
  state.gathered.known.add(state.agent, clock);
  state.gathered.proxied.add(state.agent, clock);
  state.completed = state.gathered.snapshot();
}

void RaceDetector::phaseSeen(const Lanes &lanes, SharedPlace place,
                             Ordering ordering) {
  WarpThreads &warp = warpOf(lanes);
  const Knowledge &completed = mbarrierAt(place).completed;
  if (acquires(ordering))
    threads.acquire(warp, lanes.mask, completed);
  else
    threads.observe(warp, lanes.mask, completed);
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

void RaceDetector::end() {
  if (exited != uint64_t(shape.blocks) * shape.threads)
    return; // After a fault, all may be left unfinished.
  for (const WarpThreads &warp : threads.allWarps())
    endOwn(warp);
  endMBarriers();
  endRemote();
}

void RaceDetector::endOwn(const WarpThreads &warp) {
  const Knowledge known = blocks[warp.rank]->ended.snapshot();
  for (AgentKind kind :
       {AgentKind::Copies, AgentKind::Bulk, AgentKind::Matrix}) {
    const OwnAgents &own = warp.of(kind);
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
      if (!own.issued[lane])
        continue;
      const Agent agent = threads.ownAgent(warp, lane, kind);
      if (known.known->of(agent) >= own.issued[lane])
        continue;
      Party party = partyOf(agent, own.source[lane]);
      party.thread = warp.index * kWarpSize + lane;
      report(RaceKind::Outstanding, party, {warp.rank, 0});
    }
  }
}

void RaceDetector::endMBarriers() {
  for (const MBarrierState *state : mbarrierOrder) {
    if (!state->issued)
      continue;
    const Knowledge known = blocks[state->place.rank]->ended.snapshot();
    if (known.known->of(state->agent) < state->issued)
      report(RaceKind::Outstanding, partyOf(state->agent, state->issuer.source),
             state->place);
  }
}

/// A block may end as soon as its threads have; so one of them must have waited
/// for every access from outside.
void RaceDetector::endRemote() {
  for (const auto &[key, use] : remoteUses) {
    const auto &[group, target] = key;
    const Knowledge known = blocks[target]->ended.snapshot();
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      if (known.known->of(agentOf(group, lane)) < use.clock[lane])
        report(RaceKind::PeerMayHaveEnded,
               partyOf(agentOf(group, lane), use.source[lane]), {target, 0});
  }
}

} // namespace ctc::ptx::check
