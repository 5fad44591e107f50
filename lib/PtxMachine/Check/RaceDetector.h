//===- RaceDetector.h - Accesses to shared memory without order -*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Finds accesses to the shared memory of a cluster that are not ordered by
// what the PTX ISA says orders them, whatever order they happened to be
// executed in. It knows blocks by their rank, warps by their index, shared
// memory by offsets and instructions by a number; nothing of the machine.
//
// What passes knowledge on:
//
//   bar, barrier, barrier.cluster    from who arrives to who leaves
//   bar.warp.sync                    among its lanes; no other .sync does
//   mbarrier                         from arrivals to who saw the phase
//   complete acquire, release, fences         as the memory consistency model
//   says, but
//                                    for scopes: every scope is the widest
//   the end of a thread              to barriers that complete without it
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_RACEDETECTOR_H
#define CTC_LIB_PTXMACHINE_CHECK_RACEDETECTOR_H

#include "Check/Shadow.h"
#include "Execution/Observer.h"

#include <bit>
#include <map>
#include <span>
#include <unordered_map>

namespace ctc::ptx::check {

inline unsigned lowest(LaneMask lanes) {
  return static_cast<unsigned>(std::countr_zero(lanes));
}

/// Some warp's lanes, executing one instruction.
struct Lanes {
  unsigned rank = 0; ///< Of the block in the cluster.
  unsigned warp = 0; ///< In the block.
  LaneMask mask = 0;
  uint32_t source = 0;
};

/// A place in the shared memory of the cluster.
struct SharedPlace {
  unsigned rank = 0;
  uint32_t offset = 0;
  auto operator<=>(const SharedPlace &) const = default;
};

/// An agent, as a report names it.
struct Party {
  AgentKind kind = AgentKind::Thread;
  unsigned rank = 0;
  unsigned thread = 0; ///< In the block: of whoever issued the operation.
  uint32_t source = 0;
  SharedPlace mbarrier; ///< Of AgentKind::MBarrier.
};

enum class RaceKind : uint8_t {
  Unordered,           ///< Accesses that nothing orders.
  Unfenced,            ///< No proxy fence between them.
  OverwrittenMBarrier, ///< A plain write to a valid mbarrier object.
  RepeatedInit,        ///< mbarrier.init of a valid object.
  Outstanding,         ///< The block ended before its own operation did.
  PeerMayHaveEnded,    ///< Access to a block of the cluster that may be over,
  PeerMayNotRun,       ///< or not begun.
};

struct Race {
  RaceKind kind = RaceKind::Unordered;
  Party actor, other; ///< `other` of Unordered and Unfenced only.
  Access access = Access::Read, otherAccess = Access::Read;
  SharedPlace place;
};

class RaceSink {
public:
  virtual ~RaceSink() = default;
  virtual void race(const Race &race) = 0;
};

class RaceDetector {
public:
  struct Shape {
    unsigned blocks = 1; ///< Of a cluster.
    unsigned threads = 1;
    uint64_t sharedBytes = 0;
  };
  RaceDetector(const Shape &shape, RaceSink &sink);
  ~RaceDetector();

  /// Whether clocks may soon run over; another detector is needed.
  bool isWornOut() const { return threads.highestClock() > ~Clock(0) / 2; }
  /// A cluster starts or has ended (after a fault with threads left).
  void begin();
  void end();
  void exit(const Lanes &lanes);

  /// Lane i accesses `bytes` bytes at offsets[i] of the block `target`.
  void access(const Lanes &lanes, unsigned target, Access access,
              const uint32_t (&offsets)[kWarpSize], uint32_t bytes);
  /// The same for lanes that all access one place.
  void accessOne(const Lanes &lanes, SharedPlace place, Access access,
                 uint32_t bytes);
  /// cp.async of lane i writes there.
  void copy(const Lanes &lanes, unsigned target,
            const uint32_t (&offsets)[kWarpSize], uint32_t bytes);
  /// What a strong access orders, at any address of shared or global memory
  /// that names the location. After access().
  void order(const Lanes &lanes, const uint64_t (&locations)[kWarpSize],
             Ordering ordering, bool reads, bool writes);

  struct Range {
    SharedPlace place;
    uint64_t bytes = 0;
    Access access = Access::Read;
  };
  /// An operation of the asynchronous proxy, issued by all the lanes together.
  void asynchronous(const Lanes &lanes, Completion completion,
                    SharedPlace mbarrier, std::span<const Range> ranges);
  void commit(const Lanes &lanes, Completion completion);
  void wait(const Lanes &lanes, Completion completion, unsigned pending);

  void fence(const Lanes &lanes, FenceKind kind);
  void warpBarrier(const Lanes &lanes);
  void arrive(const Lanes &lanes, unsigned barrier, bool releases);
  void complete(unsigned rank, unsigned barrier);
  void leave(const Lanes &lanes, unsigned barrier);

  void initialize(const Lanes &lanes, SharedPlace mbarrier, bool valid);
  void arriveAt(const Lanes &lanes, SharedPlace mbarrier, Ordering ordering,
                bool afterCopies);
  void phaseComplete(SharedPlace mbarrier);
  void phaseSeen(const Lanes &lanes, SharedPlace mbarrier, Ordering ordering);

private:
  struct Barrier {
    explicit Barrier(VectorPool &pool) : gathered(pool) {}
    KnowledgeBuilder gathered;
    Knowledge completed;
  };
  /// PTX ISA, "mbarrier": phases complete one after the other, so that what is
  /// known of one is known of all before.
  struct MBarrierState {
    explicit MBarrierState(VectorPool &pool) : gathered(pool) {}
    SharedPlace place;
    Agent agent = kNoAgent;
    bool valid = false;
    KnowledgeBuilder gathered;
    Knowledge completed;
    /// The last operation that completes here: its label (0: none), and who
    /// issued it.
    Clock issued = 0;
    Party issuer;
  };
  struct BlockMemory : ConflictSink {
    BlockMemory(RaceDetector &owner, unsigned rank);
    void conflict(const Conflict &conflict) override;
    void overwritten(Agent agent, uint32_t source, uint32_t offset) override;

    RaceDetector &owner;
    unsigned rank;
    Shadow shadow;
    KnowledgeBuilder ended; ///< What its threads knew when they exited.
  };
  /// The last accesses of a warp to another block's memory.
  struct RemoteUse {
    Clock clock[kWarpSize] = {};
    uint32_t source[kWarpSize] = {};
    LaneMask known = 0; ///< Lanes that know that the block runs.
  };

  WarpThreads &warpOf(const Lanes &lanes) {
    return threads.warp(lanes.rank, lanes.warp);
  }
  Shadow &shadowOf(unsigned rank) { return blocks[rank]->shadow; }
  Barrier &barrierOf(unsigned rank, unsigned number) {
    return barriers[number == kClusterBarrier
                        ? barriers.size() - 1
                        : rank * kClusterBarrier + number];
  }
  template <class Fn>
  void eachActor(const Lanes &lanes, const Actor &common, Fn fn);
  Actor threadActor(const Lanes &lanes, Access access);
  Actor ownActor(const Lanes &lanes, AgentKind kind, Access access);
  void noteRemote(const Lanes &lanes, unsigned target);
  MBarrierState &mbarrierAt(SharedPlace place);
  void release(const Lanes &lanes, Ordering ordering, KnowledgeBuilder &to);
  Party partyOf(Agent agent, uint32_t source) const;
  Party partyOf(const Lanes &lanes) const;
  void report(RaceKind kind, const Party &actor, SharedPlace place);
  void checkInit(const Lanes &lanes, SharedPlace place, const Knowledge &all);
  void endOwn(const WarpThreads &warp);
  void endMBarriers();
  void endRemote();

  Shape shape;
  RaceSink &sink;
  Threads threads;
  std::vector<std::unique_ptr<BlockMemory>> blocks;
  std::vector<Barrier> barriers; ///< 16 of each block, then the cluster's.
  std::map<SharedPlace, std::unique_ptr<MBarrierState>> mbarriers;
  std::vector<MBarrierState *> mbarrierOrder; ///< As they were first used.
  std::vector<Group> mbarrierGroups;
  std::unordered_map<uint64_t, KnowledgeBuilder> locations;
  std::map<std::pair<Group, unsigned>, RemoteUse> remoteUses;
  uint64_t exited = 0; ///< Threads.
};

/// Calls fn(actor, lanes) for sets of the lanes that know the same.
template <class Fn>
void RaceDetector::eachActor(const Lanes &lanes, const Actor &common, Fn fn) {
  const WarpThreads &warp = warpOf(lanes);
  for (LaneMask left = lanes.mask; left;) {
    const Knowledge &knowledge = warp.knowledge[lowest(left)];
    LaneMask same = left;
    if (!warp.uniform) {
      same = 0;
      for (LaneMask rest = left; rest; rest &= rest - 1)
        if (warp.knowledge[lowest(rest)].known == knowledge.known)
          same |= rest & (0u - rest);
    }
    Actor actor = common;
    actor.known = &*knowledge.known;
    actor.warp = &warp;
    fn(actor, same);
    left &= ~same;
  }
}

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_RACEDETECTOR_H
