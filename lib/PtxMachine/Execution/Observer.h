//===- Observer.h - What a tool sees of a running kernel --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The memory checker and the counters watch a launch through this interface.
// Where BlockState::observer is null nothing is reported and nothing is spent
// on it but one test per memory operation.
//
// Every function is called on the host thread that runs the warp's cluster,
// after the addresses were found to be legal and before the access is made.
// Asynchronous operations are performed when they are issued; what the ISA
// says about their order is for the observer to hold against the kernel.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_OBSERVER_H
#define CTC_LIB_PTXMACHINE_EXECUTION_OBSERVER_H

#include "Execution/Warp.h"
#include "Syntax/Types.h"

#include <span>

namespace ctc::ptx {

/// What an access is to the memory it touches.
enum class AccessKind : uint8_t {
  Load,
  Store,
  Atomic,
  CopySource, ///< cp.async: read on behalf of the thread, asynchronously.
  CopyTarget, ///< cp.async: written so; complete with its copy group.
  MBarrier,   ///< An operation on an mbarrier object.
};

/// PTX ISA, "Memory Consistency Model": what an access does besides reading or
/// writing. All but Weak are strong: .volatile and .mmio are Relaxed, and so is
/// an atomic operation that names nothing else.
enum class Ordering : uint8_t {
  Weak,
  Relaxed,
  Acquire,
  Release,
  AcquireRelease,
};
constexpr bool acquires(Ordering ordering) {
  return ordering == Ordering::Acquire || ordering == Ordering::AcquireRelease;
}
constexpr bool releases(Ordering ordering) {
  return ordering == Ordering::Release || ordering == Ordering::AcquireRelease;
}

/// An access by the lanes of `mask`: `bytes` bytes at host.lane[i] each.
struct LaneAccess {
  AccessKind kind = AccessKind::Load;
  Space space = Space::Generic; ///< As the instruction names it.
  Ordering ordering = Ordering::Weak;
  unsigned bytes = 0;
  LaneMask mask = 0;
  const HostAddresses *host = nullptr;
};

/// How the ISA lets a thread find out that an asynchronous operation is done.
enum class Completion : uint8_t {
  CopyGroup,  ///< cp.async.commit_group and wait_group, per thread.
  BulkGroup,  ///< cp.async.bulk.commit_group and wait_group, per thread.
  WgmmaGroup, ///< wgmma.commit_group and wait_group, per warp.
  MBarrier,   ///< complete_tx on an mbarrier object.
};

/// Contiguous bytes that an asynchronous operation reads or writes.
struct AsyncRange {
  uint64_t host = 0;
  uint64_t bytes = 0;
  bool isWrite = false;
  bool isAtomic = false; ///< Of a reduction.
};

/// One operation of the asynchronous proxy: bulk and tensor copies, wgmma.
struct AsyncOperation {
  Completion completion = Completion::MBarrier;
  LaneMask mask = 0;     ///< Lanes that issue it.
  uint64_t mbarrier = 0; ///< Host address, of Completion::MBarrier.
  std::span<const AsyncRange> ranges;
};

enum class FenceKind : uint8_t {
  Memory,           ///< membar, fence.{sc,acq_rel,...}
  ProxyAsync,       ///< fence.proxy.async of shared memory, or of all.
  ProxyAsyncGlobal, ///< fence.proxy.async.global
  ProxyAlias,       ///< fence.proxy.alias
  ProxyTensorMap,   ///< fence.proxy.tensormap
  MBarrierInit,     ///< fence.mbarrier_init
  Wgmma,            ///< wgmma.fence: of registers.
};

/// The barriers 0 to 15 of a block, and that of the cluster.
constexpr unsigned kClusterBarrier = 16;

class Observer {
public:
  virtual ~Observer();

  //--- Blocks and warps --------------------------------------------------===//
  /// All blocks of a cluster are about to start, or have ended.
  virtual void beginCluster(const ClusterState &) {}
  virtual void endCluster(const ClusterState &) {}
  virtual void exit(Warp &, LaneMask) {}
  /// A path of the warp enters a basic block (of Program::blocks).
  virtual void block(Warp &, uint32_t index, LaneMask) { (void)index; }

  //--- Memory ------------------------------------------------------------===//
  virtual void access(Warp &, const Op &, const LaneAccess &) {}
  virtual void asynchronous(Warp &, const Op &, const AsyncOperation &) {}
  virtual void commit(Warp &, const Op &, LaneMask, Completion) {}
  /// At most `pending` groups are still under way. `readsOnly`: only the
  /// sources of those that are complete may be written again.
  virtual void wait(Warp &, const Op &, LaneMask, Completion, unsigned pending,
                    bool readsOnly) {
    (void)pending, (void)readsOnly;
  }

  //--- Order -------------------------------------------------------------===//
  virtual void fence(Warp &, const Op &, LaneMask, FenceKind) {}
  /// bar.warp.sync, when all of its lanes have come.
  virtual void warpBarrier(Warp &, const Op &, LaneMask) {}
  /// Lanes come to a barrier of the block or the cluster; `releases` but for
  /// barrier.cluster.arrive.relaxed. When all have come (or ended) it is
  /// complete, then those that waited leave it (an arrive without a wait never
  /// does).
  virtual void arrive(Warp &, LaneMask, unsigned barrier, bool releases) {
    (void)barrier, (void)releases;
  }
  /// Of the cluster's barrier, the block is any one of the cluster.
  virtual void barrierComplete(const BlockState &, unsigned barrier) {
    (void)barrier;
  }
  virtual void leave(Warp &, LaneMask, unsigned barrier) { (void)barrier; }
  /// An arrival on an mbarrier object at a host address; `afterCopies` if it
  /// happens when all cp.async of the thread so far are complete.
  virtual void arriveAt(Warp &, const Op &, LaneMask, uint64_t mbarrier,
                        Ordering, bool afterCopies) {
    (void)mbarrier, (void)afterCopies;
  }
  /// The object was initialised (`valid`) or invalidated.
  virtual void initialized(Warp &, const Op &, LaneMask, uint64_t mbarrier,
                           bool valid) {
    (void)mbarrier, (void)valid;
  }
  /// Its current phase is complete.
  virtual void phaseComplete(uint64_t mbarrier) { (void)mbarrier; }
  /// A test_wait or try_wait of these lanes was told so.
  virtual void phaseSeen(Warp &, const Op &, LaneMask, uint64_t mbarrier,
                         Ordering) {
    (void)mbarrier;
  }

  //--- Registers ---------------------------------------------------------===//
  /// Before an operation that touches registers a wgmma uses
  /// (Program::opFlags).
  virtual void registers(Warp &, const Op &, LaneMask) {}
  /// setmaxnreg: each thread of the warp has so many registers from now on.
  virtual void registerCount(Warp &, const Op &, unsigned perThread) {
    (void)perThread;
  }
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_OBSERVER_H
