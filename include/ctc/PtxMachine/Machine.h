//===- Machine.h - Executes PTX on the CPU ----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The PTX machine runs the kernels of a PTX module on the host: warps of 32
// lanes in lock step with divergence, shared memory, barriers. It knows the
// instructions of the PTX ISA by their text and refuses, with line and
// instruction, what it does not know.
//
// Device addresses are host addresses: global memory is a set of allocations
// made here, and any access outside them is a fault that names kernel, block,
// thread and instruction.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PTXMACHINE_MACHINE_H
#define CTC_PTXMACHINE_MACHINE_H

#include "ctc/Support/Error.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ctc::ptx {

/// The global memory of one machine. Thread-safe.
class GlobalMemory {
public:
  GlobalMemory();
  ~GlobalMemory();
  GlobalMemory(const GlobalMemory &) = delete;
  GlobalMemory &operator=(const GlobalMemory &) = delete;

  /// Reserves `bytes` (0 is allowed) aligned to 256; pages are committed when
  /// first touched, so an allocation may be larger than the host's memory.
  Expected<uint64_t> allocate(uint64_t bytes);
  /// Releases what allocate returned.
  Expected<void> free(uint64_t address);
  /// Whether [address, address + bytes) lies in one allocation.
  bool contains(uint64_t address, uint64_t bytes) const;
  /// Tells launches that check memory that the host has written [address,
  /// address + bytes), or that what is there means nothing. Bytes that a
  /// checked launch has stored count as written, too, and after a launch that
  /// is not checked all do. Fails if they do not lie in one allocation.
  Expected<void> setInitialized(uint64_t address, uint64_t bytes,
                                bool initialized = true);

  struct Impl;

private:
  std::unique_ptr<Impl> impl;
};

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};

/// What a chip has for a block; 0 where that is not known.
struct ChipLimits {
  std::string chip;               ///< For messages: "sm_90a".
  uint64_t sharedBytes = 0;       ///< Static and dynamic.
  uint64_t staticSharedBytes = 0; ///< Of these, declared in the text.
  uint64_t registers = 0;         ///< 32-bit registers of all threads.
};

struct LaunchConfig {
  Dim3 grid;
  Dim3 block;
  /// Blocks per cluster, which must divide the grid; at most 16. A kernel's own
  /// .reqnctapercluster counts where this is {1, 1, 1}.
  Dim3 cluster;
  uint32_t dynamicSharedBytes = 0;
  /// The kernel's parameters as they lie in .param space.
  std::vector<std::byte> parameters;
  /// Host threads; 0 means one per core.
  unsigned hostThreads = 0;
  /// Instructions a warp may issue before that is a fault, checked now and
  /// then; 0 means any number. Ends kernels that would run for ever.
  uint64_t maxWarpInstructions = 0;
  /// Linear indices of the blocks to run, with all others of their clusters;
  /// empty means all of the grid. Lets a test launch single blocks of a grid
  /// too large to run.
  std::vector<uint64_t> onlyBlocks;
  /// Look for races and other misuse of memory: docs/PtxMachine.md, "The
  /// checker". What is found is in the launch's result.
  bool checkMemory = false;
  /// A launch that the chip could not run fails.
  ChipLimits limits;
};

struct LaunchStatistics {
  uint64_t blocks = 0;
  uint64_t warpInstructions = 0;   ///< Issued, whatever the active lanes.
  uint64_t threadInstructions = 0; ///< Issued, counting active lanes.
};

/// What a checked launch may find.
enum class FindingKind : uint8_t {
  Race,              ///< Accesses of shared memory without order.
  MissingProxyFence, ///< Ordered, but not for the asynchronous proxy.
  UninitializedRead, ///< Of shared or global memory.
  MBarrierMisuse,    ///< Of an mbarrier object.
  Unfinished,        ///< A block ends before its asynchronous operations do.
  ClusterLifetime,   ///< Access to a block that may not run.
  MatrixRegister,    ///< A register that a wgmma uses.
};
/// "race", "missing proxy fence", ...
std::string_view nameOf(FindingKind kind);

struct Finding {
  FindingKind kind = FindingKind::Race;
  /// One sentence with kernel, block, thread, PTX line and instruction of the
  /// first time, and of what it conflicts with.
  std::string message;
  /// How often a warp executed the instruction with this result.
  uint64_t occurrences = 0;
};

struct LaunchResult : LaunchStatistics {
  /// In the order of the kernel's text, whatever the number of host threads;
  /// one for each kind and pair of instructions.
  std::vector<Finding> findings;
  /// Of more than these many findings only the number is known.
  uint64_t findingsLeftOut = 0;
};
constexpr size_t kMaxFindings = 64;

struct KernelInfo {
  std::string name;
  uint32_t parameterBytes = 0;
  uint32_t staticSharedBytes = 0;
};

struct LaunchCounters; // ctc/PtxMachine/Counters.h

/// A parsed and decoded module with its .global and .const variables placed in
/// a GlobalMemory, which must outlive it. Launches of one module may run on
/// several host threads at once.
class LoadedModule {
public:
  /// Fails with DeviceError on text that is not PTX or holds an instruction the
  /// machine does not know, naming line and instruction.
  static Expected<std::unique_ptr<LoadedModule>> load(std::string_view ptx,
                                                      GlobalMemory &memory);
  ~LoadedModule();

  std::vector<KernelInfo> kernels() const;

  /// Runs a launch to its end. Faults end the launch and come back as a
  /// DeviceError naming kernel, block, thread, PTX line and instruction;
  /// findings do not.
  Expected<LaunchResult> launch(std::string_view kernel,
                                const LaunchConfig &config) const;

  /// The same, counting what the launch does, which takes two to three times
  /// as long. The numbers do not depend on the host's threads.
  Expected<LaunchCounters> profile(std::string_view kernel,
                                   const LaunchConfig &config) const;

private:
  LoadedModule();
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace ctc::ptx

#endif // CTC_PTXMACHINE_MACHINE_H
