//===- Fence.cpp - fence, membar, and what waits for nothing here ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "membar/fence" of "Parallel Synchronization and Communication
// Instructions"; "griddepcontrol", "nanosleep" and "pmevent".
//
// A fence orders the host's accesses as clusters on other host threads see
// them; every scope and every order is the strongest one. Proxies need no fence
// here, for asynchronous operations are performed when they are issued, but
// who watches the kernel is told of those it has.
//
//===----------------------------------------------------------------------===//

#include "Execution/Observer.h"
#include "Families/Access.h"
#include "Families/Families.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// op.mode is the FenceKind.
bool fence(Warp &warp, const Op &op, LaneMask mask) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (warp.block->observer)
    warp.block->observer->fence(warp, op, mask,
                                static_cast<FenceKind>(op.mode));
  return true;
}

Decode emitFence(OpBuilder &b, FenceKind kind) {
  if (!b.allTaken() || b.operandCount())
    return Decode::NotMine;
  b.emit({fence, fence}, {}).mode = static_cast<uint16_t>(kind);
  return Decode::Done;
}

bool takeScope(OpBuilder &b) {
  return b.takeOneOf({"cta", "cluster", "gpu", "sys"}) >= 0;
}

/// .acquire.sync_restrict::shared::cluster.cluster or
/// .release.sync_restrict::shared::cta.cluster
bool takeRestricted(OpBuilder &b) {
  return ((b.take("acquire") && b.take("sync_restrict::shared::cluster")) ||
          (b.take("release") && b.take("sync_restrict::shared::cta"))) &&
         b.take("cluster");
}

/// fence.proxy.tensormap::generic.release.scope, or .acquire.scope [map], 128
Decode decodeTensorMapFence(OpBuilder &b) {
  const int order = b.takeOneOf({"release", "acquire"});
  if (order < 0 || !takeScope(b))
    return Decode::NotMine;
  if (order == 0)
    return emitFence(b, FenceKind::ProxyTensorMap);
  if (!b.allTaken() || b.operandCount() != 2)
    return Decode::NotMine;
  if (b.literal(b.operand(1)) != 128)
    b.malformed("the size must be 128, that of a tensor map");
  const MemoryOperand map = wideOperand(b, b.operand(0), Space::Generic);
  b.emit({fence, fence}, {map.base}).mode =
      static_cast<uint16_t>(FenceKind::ProxyTensorMap);
  return Decode::Done;
}

/// fence.proxy.{alias, async{.space}, async::generic..., tensormap::generic...}
Decode decodeProxyFence(OpBuilder &b) {
  if (b.take("alias"))
    return emitFence(b, FenceKind::ProxyAlias);
  if (b.take("tensormap::generic"))
    return decodeTensorMapFence(b);
  if (b.take("async::generic"))
    return takeRestricted(b) ? emitFence(b, FenceKind::ProxyAsync)
                             : Decode::NotMine;
  if (!b.take("async"))
    return Decode::NotMine;
  if (b.take("global"))
    return emitFence(b, FenceKind::ProxyAsyncGlobal);
  if (b.takeOneOf({"shared::cta", "shared::cluster"}) >= 0)
    return emitFence(b, FenceKind::ProxyAsync);
  return emitFence(b, FenceKind::ProxyAsync);
}

/// fence{.sc,.acq_rel,.acquire,.release}.scope and the others' prefixes.
Decode decodeFence(OpBuilder &b) {
  if (b.take("proxy"))
    return decodeProxyFence(b);
  if (b.take("mbarrier_init"))
    return b.take("release") && b.take("cluster")
               ? emitFence(b, FenceKind::MBarrierInit)
               : Decode::NotMine;
  for (const std::string &modifier : b.instruction().modifiers)
    if (modifier.starts_with("sync_restrict::"))
      return takeRestricted(b) ? emitFence(b, FenceKind::Memory)
                               : Decode::NotMine;
  b.takeOneOf({"sc", "acq_rel", "acquire", "release"});
  return takeScope(b) ? emitFence(b, FenceKind::Memory) : Decode::NotMine;
}

/// membar.{cta,gl,sys}; membar.proxy.alias
Decode decodeMembar(OpBuilder &b) {
  if (b.take("proxy"))
    return b.take("alias") ? emitFence(b, FenceKind::ProxyAlias)
                           : Decode::NotMine;
  return b.takeOneOf({"cta", "gl", "sys"}) >= 0
             ? emitFence(b, FenceKind::Memory)
             : Decode::NotMine;
}

/// griddepcontrol.launch_dependents, .wait: launches run one after the other.
Decode decodeGridControl(OpBuilder &b) {
  return b.takeOneOf({"launch_dependents", "wait"}) >= 0 && b.allTaken() &&
                 !b.operandCount()
             ? Decode::Done
             : Decode::NotMine;
}

/// nanosleep.u32 t: nobody needs to rest.
Decode decodeSleep(OpBuilder &b) {
  if (b.takeType() != kU32 || !b.allTaken() || b.operandCount() != 1)
    return Decode::NotMine;
  b.use(0, kU32);
  return Decode::Done;
}

/// pmevent a: counter a (0 to 15); pmevent.mask a: those of the mask. Nobody
/// counts.
Decode decodePerformanceEvent(OpBuilder &b) {
  const int64_t most = b.take("mask") ? 0xffff : 15;
  if (!b.allTaken() || b.operandCount() != 1)
    return Decode::NotMine;
  auto value = b.literal(b.operand(0));
  if (!value || *value < 0 || *value > most)
    b.malformed("the event must be a literal from 0 to " +
                std::to_string(most));
  return Decode::Done;
}

} // namespace

void addFence(DecoderTable &table) {
  table.insert({"fence", decodeFence});
  table.insert({"membar", decodeMembar});
  table.insert({"griddepcontrol", decodeGridControl});
  table.insert({"nanosleep", decodeSleep});
  table.insert({"pmevent", decodePerformanceEvent});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
