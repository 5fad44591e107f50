//===- Threads.h - What the threads of a cluster know -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The knowledge of every thread of a cluster, and how it passes from one to
// another: PTX ISA, "Memory Consistency Model: Causality Order". Lanes of one
// warp know nothing of each other by themselves (threads are scheduled
// independently).
//
// A thread's own accesses are known to it without being written down, and so
// is what it has waited for itself: groups of cp.async, of bulk copies, of
// wgmma. Both become known to others when the thread releases.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_THREADS_H
#define CTC_LIB_PTXMACHINE_CHECK_THREADS_H

#include "Check/VectorClock.h"

#include <deque>

namespace ctc::ptx::check {

enum class AgentKind : uint8_t {
  Thread,
  Copies,   ///< cp.async of a thread: writes of the generic proxy.
  Bulk,     ///< Bulk copies of a thread that complete with its bulk groups.
  Matrix,   ///< wgmma of a warpgroup; one agent, in lane 0.
  Inits,    ///< mbarrier.init of a thread, for fence.mbarrier_init.
  MBarrier, ///< Bulk copies that complete with an mbarrier.
};
constexpr bool isAsyncProxy(AgentKind kind) {
  return kind == AgentKind::Bulk || kind == AgentKind::Matrix ||
         kind == AgentKind::MBarrier;
}
/// The kinds that a thread waits for itself: Copies to Inits.
constexpr unsigned kOwnKinds = 4;
constexpr unsigned ownIndex(AgentKind kind) {
  return static_cast<unsigned>(kind) - 1;
}

/// Who the agents of a group are.
struct GroupInfo {
  AgentKind kind = AgentKind::Thread;
  unsigned rank = 0; ///< Of the block in the cluster.
  unsigned warp = 0; ///< In the block; of Matrix, the first of the warpgroup.
  Clock clock = 1;   ///< Of the next access.
  Clock first = 1;   ///< Of the first one in this cluster.
};

/// The agents of one kind that belong to the threads of a warp.
struct OwnAgents {
  static constexpr Group kUnused = ~Group(0);
  struct Committed {
    Clock clock = 0;
    LaneMask lanes = 0;
  };
  Group group = kUnused;
  Clock clock = 0;              ///< Of the next operation.
  Clock issued[kWarpSize] = {}; ///< Of the lane's last operation; 0: none.
  Clock done[kWarpSize] = {};   ///< Up to which the lane has waited.
  /// Of these, what a proxy fence of the lane came after.
  Clock proxied[kWarpSize] = {};
  uint32_t source[kWarpSize] = {}; ///< Of the lane's last operation.
  std::deque<Committed> committed; ///< Groups, the oldest first.
};

struct WarpThreads {
  unsigned rank = 0, index = 0;
  Group group = 0;
  LaneMask exists = 0;
  /// Whether all lanes of `exists` have the same knowledge.
  bool uniform = true;
  Knowledge knowledge[kWarpSize];
  /// Up to which of its own accesses a lane has fenced: for relaxed accesses
  /// behind the fence, and for the asynchronous proxy.
  Clock fenced[kWarpSize] = {};
  Clock proxied[kWarpSize] = {};
  Clock fencedInits[kWarpSize] = {}; ///< The same of its Inits.
  OwnAgents own[kOwnKinds];
  /// What relaxed reads have seen, to be acquired by a fence; empty: nothing.
  std::vector<Knowledge> observed;

  OwnAgents &of(AgentKind kind) { return own[ownIndex(kind)]; }
  const OwnAgents &of(AgentKind kind) const { return own[ownIndex(kind)]; }
};

class Threads {
public:
  Threads(unsigned blocks, unsigned threadsPerBlock);

  /// A cluster starts: all that lies before it is known to everybody.
  void begin();

  WarpThreads &warp(unsigned rank, unsigned index) {
    return warps[rank * warpsPerBlock + index];
  }
  std::vector<WarpThreads> &allWarps() { return warps; }
  const GroupInfo &info(Group group) const { return groups[group]; }
  Clock clockOf(const WarpThreads &warp) const {
    return groups[warp.group].clock;
  }
  Clock highestClock() const;
  const Knowledge &origin() const { return start; }
  VectorPool &pool() { return vectors; }

  /// Another group of agents that no warp owns.
  Group addGroup(AgentKind kind, unsigned rank, unsigned warp);
  /// The label of a group's accesses up to now; what follows has a later one.
  Clock moveOn(Group group) { return groups[group].clock++; }
  Clock moveOn(WarpThreads &warp, AgentKind kind);

  /// Adds what the lanes know and did.
  void release(WarpThreads &warp, LaneMask lanes, KnowledgeBuilder &to);
  /// What a relaxed write passes on: what lies before the lane's last fence.
  void releaseFenced(WarpThreads &warp, LaneMask lanes, KnowledgeBuilder &to);
  void acquire(WarpThreads &warp, LaneMask lanes, const Knowledge &from);
  /// What a relaxed read takes: known after the next fence.
  void observe(WarpThreads &warp, LaneMask lanes, const Knowledge &from);
  /// What all of the lanes together know, their own accesses included.
  Knowledge together(WarpThreads &warp, LaneMask lanes);

  /// A fence of memory, or what implies one.
  void fence(WarpThreads &warp, LaneMask lanes);
  /// fence.proxy.async
  void fenceProxy(WarpThreads &warp, LaneMask lanes);
  /// fence.mbarrier_init
  void fenceInits(WarpThreads &warp, LaneMask lanes);

  /// The agent of an operation that the lane issues now.
  Agent issue(WarpThreads &warp, unsigned lane, AgentKind kind,
              uint32_t source);
  Agent ownAgent(const WarpThreads &warp, unsigned lane, AgentKind kind) const;
  /// commit_group and wait_group of the kind.
  void commit(WarpThreads &warp, LaneMask lanes, AgentKind kind);
  void wait(WarpThreads &warp, LaneMask lanes, AgentKind kind,
            unsigned pending);

private:
  void addKnowledge(WarpThreads &warp, LaneMask lanes, KnowledgeBuilder &to);
  void addOwn(WarpThreads &warp, LaneMask lanes, KnowledgeBuilder &to);
  void findUniform(WarpThreads &warp);
  void use(WarpThreads &warp, AgentKind kind);
  void beginWarp(WarpThreads &warp);

  unsigned warpsPerBlock;
  VectorPool vectors;
  Joiner join{vectors};
  std::vector<GroupInfo> groups;
  std::vector<WarpThreads> warps; ///< Their groups come first.
  Knowledge start;
};

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_THREADS_H
