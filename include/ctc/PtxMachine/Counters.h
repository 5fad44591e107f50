//===- Counters.h - What a launch did, counted ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What LoadedModule::profile gives. docs/Profile.md says how everything is
// counted, what of it is a model of the hardware, and how far that was compared
// with a GPU. In short:
//
//  * An instruction is counted for every warp that comes to it, also where a
//    guard or an access without active lanes makes it do nothing: it takes its
//    turn all the same. One that polls is counted once, however often it tries.
//  * Multiply-adds are what fma, mad, dp2a, dp4a and matrix instructions hold;
//    a mul followed by an add is none.
//  * A request is one instruction of one warp that touches memory. Its sectors
//    are the aligned 32 bytes it touches, each counted once per request.
//  * A wavefront is what shared memory serves in one cycle.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PTXMACHINE_COUNTERS_H
#define CTC_PTXMACHINE_COUNTERS_H

#include "ctc/PtxMachine/Machine.h"

namespace ctc::ptx {

enum class InstructionClass : uint8_t {
  Fp32,
  Fp16, ///< Also bf16, and two at once.
  Fp64,
  Special, ///< Division, roots, exponentials, sines.
  Integer, ///< Arithmetic, logic, shifts, bit fields.
  Convert,
  Compare, ///< setp, set, selp, slct, logic of predicates.
  Move,
  Exchange, ///< Between the lanes of a warp: shfl, vote, match, redux.
  Mma,      ///< mma.sync
  Wgmma,    ///< wgmma.mma_async
  GlobalLoad,
  GlobalStore,
  SharedLoad, ///< Also ldmatrix.
  SharedStore,
  LocalAccess,
  ConstantLoad, ///< Constants and parameters.
  GenericAccess,
  Atomic,
  AsyncCopy,   ///< cp.async, cp.async.bulk, cp.reduce.async.bulk.
  Synchronize, ///< Barriers, fences, waits for copies and wgmma.
  Control,
  Other,
};
constexpr size_t kInstructionClasses = size_t(InstructionClass::Other) + 1;
/// "fp32", "global load", ...
const char *name(InstructionClass kind);

/// Who does multiply-adds.
enum class MultiplyUnit : uint8_t {
  None,
  Fp32,
  Fp16,
  Fp64,
  Integer,
  MmaFp64,
  MmaTf32,
  Mma16, ///< f16 and bf16.
  Mma8,  ///< 8-bit integers and floats, and narrower ones.
  WgmmaTf32,
  Wgmma16,
  Wgmma8,
};
constexpr size_t kMultiplyUnits = size_t(MultiplyUnit::Wgmma8) + 1;
/// "fp32", "mma tf32", ...; "none".
const char *name(MultiplyUnit unit);

/// Machine instructions that a PTX instruction becomes, by the pipe that
/// executes them: as ptxas 13.0 assembles it by itself for sm_80 and sm_90a,
/// without what that makes of constants. In context some merge with others.
struct PipeUse {
  uint8_t fp32 = 0;    ///< f32, and integer multiplications.
  uint8_t integer = 0; ///< Integer additions, logic, comparisons, selections.
  uint8_t fp16 = 0;
  uint8_t fp64 = 0;
  uint8_t special = 0;
  uint8_t memory = 0;
  uint8_t other = 0; ///< Issued, but to none of these: control, matrices.

  bool operator==(const PipeUse &) const = default;
  /// Issue slots.
  unsigned all() const {
    return fp32 + integer + fp16 + fp64 + special + memory + other;
  }
};

/// Global or local memory. Local memory is counted as the CUDA Programming
/// Guide lays it out: the same word of consecutive threads is consecutive.
struct GlobalTraffic {
  uint64_t requests = 0;
  uint64_t bytes = 0; ///< Asked for by the active lanes.
  uint64_t sectors = 0;
  /// The fewest sectors that the different bytes of each request could be in.
  uint64_t leastSectors = 0;

  bool operator==(const GlobalTraffic &) const = default;
};

/// Shared memory, also of other blocks of the cluster.
struct SharedTraffic {
  uint64_t requests = 0;
  uint64_t bytes = 0;
  uint64_t wavefronts = 0;
  /// The fewest for the different bytes of each request, 128 at once. What is
  /// above it are conflicts.
  uint64_t leastWavefronts = 0;

  bool operator==(const SharedTraffic &) const = default;
};

/// One PTX instruction of the kernel or of a function it calls.
struct InstructionCounters {
  uint32_t line = 0; ///< Of the module's text, from 1.
  std::string text;
  InstructionClass kind = InstructionClass::Other;
  MultiplyUnit unit = MultiplyUnit::None;
  PipeUse pipes; ///< Of one warp.
  uint64_t warps = 0;
  uint64_t threads = 0; ///< Active lanes of these, before the guard.
  uint64_t multiplyAdds = 0;
  GlobalTraffic global, local;
  SharedTraffic shared;
};

/// The sectors of one allocation of global memory. An atomic operation both
/// loads and stores.
struct BufferCounters {
  uint64_t address = 0, bytes = 0;
  uint64_t loadedSectors = 0; ///< By all requests.
  /// The same where the first level caches all that a block loads while the
  /// block runs, and nothing longer. Loads that pass it by count in full.
  uint64_t blockLoadedSectors = 0;
  uint64_t storedSectors = 0;
  /// Different ones within the launch.
  uint64_t distinctLoadedSectors = 0, distinctStoredSectors = 0;

  bool operator==(const BufferCounters &) const = default;
};

constexpr uint64_t kSectorBytes = 32;

struct LaunchCounters {
  /// Of the blocks that were run.
  LaunchStatistics statistics;
  uint64_t gridBlocks = 0;
  uint32_t threadsPerBlock = 0;
  uint32_t clusterBlocks = 1;
  uint32_t sharedBytes = 0; ///< Of a block, static and dynamic.
  /// In the order of the text; those that were never executed as well.
  std::vector<InstructionCounters> instructions;
  /// By address, those that were accessed.
  std::vector<BufferCounters> buffers;
};

} // namespace ctc::ptx

#endif // CTC_PTXMACHINE_COUNTERS_H
