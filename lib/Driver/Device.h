//===- Device.h - Running layers through the C API --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver runs layers as any user of libctc_runtime does. Errors carry the
// exit code that ctc_runtime.h states for each status.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_DEVICE_H
#define CTC_LIB_DRIVER_DEVICE_H

#include "ctc/Bundle/Manifest.h"
#include "ctc/Reference/Accumulate.h"
#include "ctc/Runtime/ctc_check.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ctc::driver {

/// The error of a call of the C API, if it failed.
Expected<void> checkStatus(ctc_status status);

template <typename Handle, void (*release)(Handle *)> struct Releaser {
  void operator()(Handle *handle) const { release(handle); }
};
template <typename Handle, void (*release)(Handle *)>
using Owned = std::unique_ptr<Handle, Releaser<Handle, release>>;

/// Misuse of memory, as ctc_check.h describes it.
struct MemoryFinding {
  std::string kind, message;
  uint64_t occurrences = 0;
};

/// "the memory checker found 2 things"
std::string countFindings(const std::vector<MemoryFinding> &findings);

class Device {
public:
  /// "cuda", "cuda:N", "cpu" or "auto".
  static Expected<Device> open(const std::string &name);

  /// "cpu (PTX machine): no CUDA driver" and alike.
  std::string describe() const;
  /// Whether the device loads cubins, not only PTX.
  bool usesCubins() const;
  /// From now on launches check memory. Fails on other than the cpu device.
  Expected<void> checkMemory();
  bool checksMemory() const { return checking; }
  /// What they found so far.
  Expected<std::vector<MemoryFinding>> findings() const;
  /// The same without what is in `before`, an earlier answer.
  Expected<std::vector<MemoryFinding>>
  findingsSince(const std::vector<MemoryFinding> &before) const;
  ctc_device *get() const { return handle.get(); }

private:
  Owned<ctc_device, ctc_device_close> handle;
  bool checking = false;
};

/// What a run took, in seconds of wall time.
struct RunTimes {
  double prepare = 0; ///< Packing the weights.
  double launch = 0;  ///< The layer's launches, synchronized.
};

/// An entry of a bundle on a device.
class LoadedLayer {
public:
  /// An empty `chip` takes the image that suits the device, an empty `entry`
  /// the only one. The bundle's bytes are copied.
  static Expected<LoadedLayer> load(const Device &device,
                                    std::span<const uint8_t> bundle,
                                    const std::string &chip,
                                    const std::string &entry);

  /// Which image of the bundle runs, and which entry of it.
  size_t image() const { return imageIndex; }
  size_t entry() const { return entryIndex; }
  ctc_device *deviceHandle() const { return device; }
  ctc_layer *get() const { return layer.get(); }

  /// Runs once. Tensors are laid out as `entry`, the manifest's own, says; the
  /// output and the packed weights are NaN before the launches.
  Expected<Tensor> run(const Entry &entry, const LayerInputs &inputs,
                       int64_t batch, RunTimes *times = nullptr) const;

private:
  ctc_device *device = nullptr;
  bool isPoisoned = false; ///< The device's memory is NaN when it is allocated.
  Owned<ctc_module, ctc_module_unload> module;
  Owned<ctc_layer, ctc_layer_destroy> layer;
  size_t imageIndex = 0, entryIndex = 0;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_DEVICE_H
