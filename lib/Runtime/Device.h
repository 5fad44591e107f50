//===- Device.h - What a bundle is launched on ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The two devices behind one interface. Everything that can be found out or
// allocated once is done by `load`, so that a launch only launches.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_DEVICE_H
#define CTC_LIB_RUNTIME_DEVICE_H

#include "Failure.h"
#include "ctc/Bundle/Queries.h"

#include <memory>
#include <span>

namespace ctc::ptx {
struct LaunchCounters;
} // namespace ctc::ptx

namespace ctc::rt {

/// A CUstream; the cpu device ignores it.
using Stream = void *;

/// A kernel that will be launched: what `load` looks up and makes ready.
struct KernelRequest {
  std::string name;
  uint32_t dynamicSharedBytes = 0; ///< The most of all its launches.
  uint32_t parameterBytes = 0;
};

/// What only the cpu device can do with a launch.
struct CpuExtras {
  /// Linear indices of the blocks to run; empty means all.
  std::span<const uint64_t> onlyBlocks;
  /// Where to count what the launch does; null: it is not counted.
  ptx::LaunchCounters *counters = nullptr;
};

struct KernelLaunch {
  size_t kernel = 0;   ///< Index of the KernelRequest.
  uint32_t blocks = 1; ///< Along x; at least 1.
  std::array<uint32_t, 3> block{1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
  /// The kernel waits for the grids before it itself.
  bool programmatic = false;
  /// All parameters are 64 bits wide: addresses and the batch.
  std::span<const uint64_t> parameters;
  CpuExtras extras;
};

/// An image on a device, its kernels looked up. Immutable; any thread may
/// launch.
class LoadedImage {
public:
  virtual ~LoadedImage() = default;
  virtual Result<void> launch(const KernelLaunch &launch,
                              Stream stream) const = 0;
};

struct DeviceInfo {
  ctc_device_kind kind = CTC_DEVICE_CPU;
  std::string name;
  int ordinal = 0;
  int computeMajor = 0, computeMinor = 0; ///< 0.0 on the cpu device.
};

/// A device. Thread-safe.
class Device {
public:
  virtual ~Device() = default;

  virtual const DeviceInfo &info() const = 0;

  /// Memory aligned to 256 bytes. CTC_OUT_OF_MEMORY when there is none left.
  virtual Result<uint64_t> allocate(uint64_t bytes) = 0;
  virtual Result<void> free(uint64_t address) = 0;
  /// Both are done after the work on the stream and before they return.
  virtual Result<void> copyIn(uint64_t destination, const void *source,
                              uint64_t bytes, Stream stream) = 0;
  virtual Result<void> copyOut(void *destination, uint64_t source,
                               uint64_t bytes, Stream stream) = 0;
  virtual Result<void> fill(uint64_t destination, uint8_t value, uint64_t bytes,
                            Stream stream) = 0;
  virtual Result<void> synchronize(Stream stream) = 0;

  /// Whether [address, address + bytes) may be accessed; nothing where only a
  /// launch would tell.
  virtual std::optional<bool> contains(uint64_t address,
                                       uint64_t bytes) const = 0;

  /// Which image of a bundle to load when the user leaves the choice.
  virtual Result<ImageChoice>
  choose(std::span<const ChipImage> images) const = 0;
  /// Which form of the image the user asked for to load.
  virtual Result<ImageChoice> choose(std::span<const ChipImage> images,
                                     size_t image) const = 0;
  virtual Result<std::unique_ptr<LoadedImage>>
  load(const ChipImage &image, bool usesPtx,
       std::span<const KernelRequest> kernels) = 0;
};

/// A device and why it was taken; the reason is empty unless it was "auto".
struct OpenedDevice {
  std::shared_ptr<Device> device;
  std::string reason;
};

/// "cuda", "cuda:ORDINAL", "cpu" or "auto".
Result<OpenedDevice> openDevice(std::string_view name);

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_DEVICE_H
