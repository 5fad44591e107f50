//===- MachineCuda.h - A CUDA driver over the PTX machine -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the driver's functions share. Environment variables, read at each call,
// make it misbehave: CTC_MACHINE_CUDA_MEMORY is how many bytes it has (1 GiB),
// CTC_MACHINE_CUDA_LAUNCH_NS what a launch takes on its clock (20000), which
// nothing else advances, and with CTC_MACHINE_CUDA_SKIP=1 kernels do nothing.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_MACHINECUDA_H
#define CTC_TEST_GPU_MACHINECUDA_H

#include "ctc/PtxMachine/Machine.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <thread>

namespace ctc::gpu {

inline constexpr int kInvalidValue = 1, kOutOfMemory = 2, kInvalidImage = 200,
                     kNotFound = 500, kIllegalAddress = 700;

using Work = std::function<void()>;

struct MachineState {
  ptx::GlobalMemory memory;
  std::map<uint64_t, uint64_t> allocations; ///< Address and bytes.
  bool spoiled = false;
  uint64_t nanoseconds = 0; ///< The device's clock.
  /// What is being captured, if anything is.
  std::unique_ptr<std::vector<Work>> capture;
  std::deque<std::jthread> hostFunctions;

  uint64_t allocatedBytes() const {
    uint64_t total = 0;
    for (const auto &[address, bytes] : allocations)
      total += bytes;
    return total;
  }
};

MachineState &machineState();

uint64_t fromEnvironment(const char *name, uint64_t otherwise);

inline uint64_t memoryBytes() {
  return fromEnvironment("CTC_MACHINE_CUDA_MEMORY", uint64_t{1} << 30);
}

/// Does the work now, and the clock advances; or remembers it.
int enqueue(Work work);

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_MACHINECUDA_H
