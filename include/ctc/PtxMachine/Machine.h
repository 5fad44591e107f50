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

  struct Impl;

private:
  std::unique_ptr<Impl> impl;
};

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
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
};

struct LaunchStatistics {
  uint64_t blocks = 0;
  uint64_t warpInstructions = 0;   ///< Issued, whatever the active lanes.
  uint64_t threadInstructions = 0; ///< Issued, counting active lanes.
};

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
  /// DeviceError naming kernel, block, thread, PTX line and instruction.
  Expected<LaunchStatistics> launch(std::string_view kernel,
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
