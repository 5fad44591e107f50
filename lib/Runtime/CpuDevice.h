//===- CpuDevice.h - The PTX machine as a device ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_CPUDEVICE_H
#define CTC_LIB_RUNTIME_CPUDEVICE_H

#include "Device.h"
#include "ctc/PtxMachine/Machine.h"

#include <atomic>
#include <deque>
#include <mutex>

namespace ctc::rt {

/// Executes the PTX of a bundle on the host. A launch has finished when it
/// returns.
class CpuDevice : public Device {
public:
  CpuDevice();

  const DeviceInfo &info() const override { return description; }
  Result<uint64_t> allocate(uint64_t bytes) override;
  Result<void> free(uint64_t address) override;
  Result<void> copyIn(uint64_t destination, const void *source, uint64_t bytes,
                      Stream stream) override;
  Result<void> copyOut(void *destination, uint64_t source, uint64_t bytes,
                       Stream stream) override;
  Result<void> fill(uint64_t destination, uint8_t value, uint64_t bytes,
                    Stream stream) override;
  Result<void> synchronize(Stream stream) override;
  std::optional<bool> contains(uint64_t address, uint64_t bytes) const override;
  Result<ImageChoice> choose(std::span<const ChipImage> images) const override;
  Result<ImageChoice> choose(std::span<const ChipImage> images,
                             size_t image) const override;
  Result<std::unique_ptr<LoadedImage>>
  load(const ChipImage &image, bool usesPtx,
       std::span<const KernelRequest> kernels) override;

  /// What was executed since the device was opened.
  ptx::LaunchStatistics statistics() const;
  void add(const ptx::LaunchStatistics &launch);
  /// Host threads of a launch; 0 means one per core.
  unsigned threads() const { return hostThreads; }
  void setThreads(unsigned threads) { hostThreads = threads; }
  /// Whether launches check memory, and fresh memory is poisoned.
  bool checksMemory() const { return checking; }
  void setCheckMemory(bool enable) { checking = enable; }
  /// What launches found; equal findings are counted together.
  void addFindings(const std::vector<ptx::Finding> &found);
  size_t findingCount() const;
  /// Its kind and message stay where they are as long as the device.
  const ptx::Finding &finding(size_t index) const;

private:
  void markWritten(uint64_t address, uint64_t bytes);

  DeviceInfo description;
  ptx::GlobalMemory memory;
  std::atomic<unsigned> hostThreads{0};
  std::atomic<bool> checking{false};
  mutable std::mutex findingsMutex;
  std::deque<ptx::Finding> findings;
  std::atomic<uint64_t> blocks{0}, warpInstructions{0}, threadInstructions{0};
};

std::shared_ptr<Device> openCpuDevice();

/// The device as the cpu device it must be; else CTC_INVALID_ARGUMENT.
Result<CpuDevice *> asCpu(Device &device);

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_CPUDEVICE_H
