//===- VectorClock.h - What a thread knows of all others --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Happens-before by vector clocks (Lamport 1978; Mattern 1989; for race
// detection Flanagan and Freund, "FastTrack", 2009).
//
// An agent is whoever accesses memory on its own account: a thread, but also
// the copies that complete with an mbarrier, or the operations of a warpgroup's
// matrix unit. Agents come in groups of 32, the lanes of a warp for threads.
// All agents of a group share one clock that is only ever read off: an access
// is labelled with the group's clock, a release tells others "all of mine up to
// now" and moves the clock on, so that what comes later has a later label.
//
// Between barriers nearly all threads know the same, so vectors are shared and
// immutable; who learns something gets another one.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_VECTORCLOCK_H
#define CTC_LIB_PTXMACHINE_CHECK_VECTORCLOCK_H

#include "Program/Program.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace ctc::ptx::check {

using Clock = uint32_t;
/// Group * 32 + lane.
using Agent = uint32_t;
using Group = uint32_t;

constexpr unsigned kGroupSize = kWarpSize;
constexpr Agent kNoAgent = ~Agent(0);
constexpr Agent agentOf(Group group, unsigned lane) {
  return group * kGroupSize + lane;
}
constexpr Group groupOf(Agent agent) { return agent / kGroupSize; }
constexpr unsigned laneOf(Agent agent) { return agent % kGroupSize; }

class VectorPool;

/// Up to which of its accesses each agent is known; 0 for agents beyond the
/// end.
class VectorClock {
public:
  Clock of(Agent agent) const {
    return agent < clocks.size() ? clocks[agent] : 0;
  }
  /// Whether every agent of `lanes` is known up to `clock`.
  bool covers(Group group, LaneMask lanes, Clock clock) const {
    return (group < least.size() && least[group] >= clock) ||
           uncovered(group, lanes, clock) == 0;
  }
  /// Those of `lanes` that are not known up to `clock`.
  LaneMask uncovered(Group group, LaneMask lanes, Clock clock) const;
  /// Whether whoever has this vector knows all that `other` does.
  bool contains(const VectorClock &other) const;

private:
  friend class VectorPool;
  friend class VectorRef;
  friend class VectorBuilder;
  void findLeast();

  std::vector<Clock> clocks; ///< By agent; whole groups.
  std::vector<Clock> least;  ///< By group.
  uint32_t references = 0;
  VectorPool *pool = nullptr;
};

/// Vectors that are no longer used, to be used again. Not thread-safe, and so
/// are all that come from it.
class VectorPool {
public:
  VectorPool() = default;
  VectorPool(const VectorPool &) = delete;
  VectorPool &operator=(const VectorPool &) = delete;

private:
  friend class VectorRef;
  friend class VectorBuilder;
  VectorClock *take();
  void giveBack(VectorClock *vector) { unused.push_back(vector); }

  std::vector<std::unique_ptr<VectorClock>> all;
  std::vector<VectorClock *> unused;
};

/// A shared reference to a vector that no longer changes; may be null.
class VectorRef {
public:
  VectorRef() = default;
  VectorRef(const VectorRef &other) : vector(other.vector) { retain(); }
  VectorRef(VectorRef &&other) noexcept
      : vector(std::exchange(other.vector, nullptr)) {}
  VectorRef &operator=(const VectorRef &other) {
    if (vector != other.vector) {
      release();
      vector = other.vector;
      retain();
    }
    return *this;
  }
  VectorRef &operator=(VectorRef &&other) noexcept {
    std::swap(vector, other.vector);
    return *this;
  }
  ~VectorRef() { release(); }

  explicit operator bool() const { return vector != nullptr; }
  const VectorClock &operator*() const { return *vector; }
  const VectorClock *operator->() const { return vector; }
  bool operator==(const VectorRef &other) const = default;

private:
  friend class VectorBuilder;
  explicit VectorRef(VectorClock *vector) : vector(vector) { retain(); }
  void retain() {
    if (vector)
      ++vector->references;
  }
  void release() {
    if (vector && --vector->references == 0)
      vector->pool->giveBack(vector);
  }

  VectorClock *vector = nullptr;
};

/// The join of vectors and single clocks: what is known to whoever knows all
/// of them.
class VectorBuilder {
public:
  explicit VectorBuilder(VectorPool &pool) : pool(&pool) {}

  void add(const VectorRef &vector);
  /// The agents of `lanes` up to `clock`.
  void add(Group group, LaneMask lanes, Clock clock);
  void add(Agent agent, Clock clock) {
    add(groupOf(agent), LaneMask(1) << laneOf(agent), clock);
  }
  /// The agents of `lanes` up to their own clocks.
  void add(Group group, LaneMask lanes, const Clock (&clocks)[kGroupSize]);
  bool empty() const { return !current; }
  /// The join so far, null if there was nothing. Adding may go on.
  VectorRef snapshot();
  void clear();

private:
  /// A vector of at least `agents` agents that nobody else sees.
  VectorClock &own(size_t agents);

  VectorPool *pool;
  VectorRef current, last; ///< `last` was added last.
  bool changed = false;    ///< `current` is not shared yet.
};

/// What a thread knows, and what of it the asynchronous proxy may rely on: PTX
/// ISA, "Memory Consistency Model: Proxies". What is known to be done is done
/// for the generic proxy only; a proxy fence on the way makes it visible to the
/// asynchronous one.
struct Knowledge {
  VectorRef known;
  VectorRef proxied;
  bool operator==(const Knowledge &other) const = default;
};

/// Joins two, and remembers the last: lanes of a warp learn the same one after
/// the other.
class Joiner {
public:
  explicit Joiner(VectorPool &pool) : pool(pool) {}
  /// What is known to whoever knows both.
  Knowledge operator()(const Knowledge &a, const Knowledge &b);

private:
  VectorPool &pool;
  Knowledge lastA, lastB, result;
};

/// The join of much knowledge.
struct KnowledgeBuilder {
  explicit KnowledgeBuilder(VectorPool &pool) : known(pool), proxied(pool) {}
  void add(const Knowledge &knowledge) {
    known.add(knowledge.known);
    proxied.add(knowledge.proxied);
  }
  bool empty() const { return known.empty(); }
  Knowledge snapshot() { return {known.snapshot(), proxied.snapshot()}; }
  void clear() {
    known.clear();
    proxied.clear();
  }
  VectorBuilder known, proxied;
};

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_VECTORCLOCK_H
