//===- Report.cpp - Findings in words -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One sentence per finding: who, where, what it does, what it conflicts with,
// and what would be legal.
//
//===----------------------------------------------------------------------===//

#include "Check/MemoryChecker.h"
#include "Program/SourceText.h"

namespace ctc::ptx::check {

static std::string at(uint64_t offset) { return " at " + hexadecimal(offset); }

std::string MemoryChecker::describeThread(unsigned rank,
                                          unsigned thread) const {
  return "block " + ptx::describe(cluster->blocks[rank]->blockIndex) +
         ", thread " + ptx::describe(threadIndex(config.block, thread));
}

/// "kernel 'k', block (0, 0, 0), thread (1, 0, 0), PTX line 7, '...': "
std::string MemoryChecker::describeStart(const Party &party) const {
  return "kernel '" + program.info.name + "', " +
         describeThread(party.rank, party.thread) + ", " +
         describeSource(program, party.source) + ": ";
}

static const char *verbOf(Access access) {
  switch (access) {
  case Access::Read:
  case Access::StrongRead:
    return "reads";
  case Access::StrongWrite:
    return "updates";
  case Access::Write:
    return "writes";
  }
  return "accesses";
}

/// "which thread (0, 0, 0) writes at PTX line 5, '...'", with what kind of
/// operation it is where it is not the thread's own access.
std::string MemoryChecker::describeOther(const Race &race) const {
  const Party &other = race.other;
  const std::string who =
      race.actor.rank == other.rank
          ? "thread " + ptx::describe(threadIndex(config.block, other.thread))
          : describeThread(other.rank, other.thread);
  const std::string verb = verbOf(race.otherAccess);
  const std::string where = " at " + describeSource(program, other.source);
  switch (other.kind) {
  case AgentKind::Thread:
    return who + " " + verb + where;
  case AgentKind::Inits:
    return who + " initialises" + where;
  case AgentKind::Copies:
    return "the cp.async of " + who + " " + verb + where;
  case AgentKind::Bulk:
  case AgentKind::MBarrier:
    return "the bulk copy of " + who + " " + verb + where;
  case AgentKind::Matrix:
    return "a wgmma " + verb + where;
  }
  return who;
}

/// What has to happen between the other access and this one.
static std::string remedyOf(const Race &race) {
  const Party &other = race.other;
  switch (other.kind) {
  case AgentKind::Copies:
    return "; cp.async.wait_group by that thread must come between them, and "
           "a barrier behind it for other threads";
  case AgentKind::Bulk:
    return "; cp.async.bulk.wait_group by that thread must come between them, "
           "and a barrier behind it for other threads";
  case AgentKind::Matrix:
    return "; wgmma.wait_group must come between them, and a synchronisation "
           "behind it for threads of other warpgroups";
  case AgentKind::MBarrier:
    return "; it is complete for those who have waited for its phase of the "
           "mbarrier" +
           at(other.mbarrier.offset);
  default:
    return ", and nothing orders the two";
  }
}

std::string MemoryChecker::describe(const Race &race) const {
  std::string text = describeStart(race.actor);
  const std::string place = at(race.place.offset);
  const std::string peer =
      race.place.rank == race.actor.rank
          ? ""
          : " of block " +
                ptx::describe(cluster->blocks[race.place.rank]->blockIndex);
  switch (race.kind) {
  case RaceKind::Unordered:
    return text + verbOf(race.access) + " shared memory" + place + peer +
           ", which " + describeOther(race) + remedyOf(race);
  case RaceKind::Unfenced:
    if (race.other.kind == AgentKind::Inits)
      return text + "uses the mbarrier object" + place + peer + ", which " +
             describeOther(race) +
             "; fence.mbarrier_init or fence.proxy.async must follow that, or "
             "the asynchronous proxy may not see it";
    return text + verbOf(race.access) + " shared memory" + place + peer +
           " through the asynchronous proxy, which " + describeOther(race) +
           " through the generic one; fence.proxy.async must come between them";
  case RaceKind::OverwrittenMBarrier:
    return text + "writes to the mbarrier object" + place + peer +
           "; mbarrier.inval must come first";
  case RaceKind::RepeatedInit:
    return text + "initialises the mbarrier object" + place + peer +
           ", which is one already; mbarrier.inval must come first";
  case RaceKind::Outstanding:
    return text + "the block ends while this operation may still " +
           (race.actor.kind == AgentKind::Bulk ||
                    race.actor.kind == AgentKind::Matrix
                ? "read"
                : "write") +
           " its shared memory; a thread must have waited for it";
  case RaceKind::PeerMayHaveEnded:
    return text + "the shared memory" + peer +
           " is accessed when that block may have ended; one of its threads "
           "must wait for the access, as at barrier.cluster";
  case RaceKind::PeerMayNotRun:
    return text + "the shared memory" + peer +
           " is accessed when that block may not have started; the thread "
           "must have heard of it, as by barrier.cluster";
  }
  return text;
}

std::string MemoryChecker::describe(const RegisterConflict &conflict) const {
  const std::string other = describeSource(program, conflict.other);
  switch (conflict.fault) {
  case RegisterFault::None:
    break;
  case RegisterFault::InUse:
    return "it accesses a register of D or A of " + other +
           ", which may still use it; wgmma.wait_group must come first";
  case RegisterFault::NotFenced:
    return "a register of its D or A was accessed since the last wgmma.fence "
           "at " +
           other + "; wgmma.fence must come between them";
  case RegisterFault::OtherShape:
    return "a register of its D is that of " + other +
           ", which has another shape; wgmma.fence must come between them";
  case RegisterFault::NeverFenced:
    return "it is the warp's first wgmma.mma_async, and no wgmma.fence comes "
           "before it";
  }
  return "";
}

static FindingKind kindOf(RaceKind kind) {
  switch (kind) {
  case RaceKind::Unordered:
    return FindingKind::Race;
  case RaceKind::Unfenced:
    return FindingKind::MissingProxyFence;
  case RaceKind::OverwrittenMBarrier:
  case RaceKind::RepeatedInit:
    return FindingKind::MBarrierMisuse;
  case RaceKind::Outstanding:
    return FindingKind::Unfinished;
  case RaceKind::PeerMayHaveEnded:
  case RaceKind::PeerMayNotRun:
    return FindingKind::ClusterLifetime;
  }
  return FindingKind::Race;
}

void MemoryChecker::race(const Race &race) {
  found.add({race.actor.source, kindOf(race.kind), race.other.source},
            [&] { return describe(race); });
}

void MemoryChecker::reportMissing(const Lanes &lanes, const Missing &missing) {
  found.add({lanes.source, FindingKind::UninitializedRead, lanes.source}, [&] {
    Party party;
    party.rank = lanes.rank;
    party.thread = lanes.warp * kWarpSize + missing.lane;
    party.source = lanes.source;
    std::string text = describeStart(party) + "of the " +
                       std::to_string(missing.bytes) + " bytes it reads";
    if (missing.within)
      text += " from byte " + std::to_string(missing.offset) +
              " on of an allocation of " + std::to_string(missing.within) +
              " bytes of global memory";
    else
      text += " at " + hexadecimal(missing.offset) + " of shared memory";
    return text + " nothing has written all";
  });
}

} // namespace ctc::ptx::check
