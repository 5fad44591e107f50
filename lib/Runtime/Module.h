//===- Module.h - A bundle loaded onto a device -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_MODULE_H
#define CTC_LIB_RUNTIME_MODULE_H

#include "Device.h"

namespace ctc::rt {

/// One image of a bundle on a device, every kernel of its launches looked up.
/// Immutable.
class Module {
public:
  /// `chip` names the image to take; empty leaves the choice to the device.
  static Result<std::shared_ptr<const Module>>
  load(std::shared_ptr<const Bundle> bundle, std::shared_ptr<Device> device,
       std::string_view chip);

  Device &device() const { return *target; }
  const ChipImage &image() const { return bundle->images[choice.image]; }
  size_t imageIndex() const { return choice.image; }
  bool usesPtx() const { return choice.usesPtx; }

  /// The number of a kernel of the manifest's launches.
  size_t findKernel(std::string_view name) const;
  /// Launches what the manifest describes on `blocks` blocks; `kernel` is the
  /// number of its kernel, `parameters` are the kernel's.
  Result<void> launch(const Launch &launch, size_t kernel, uint32_t blocks,
                      std::span<const uint64_t> parameters,
                      const CpuExtras &extras, Stream stream) const;

private:
  Module() = default;

  // In this order: the loaded image goes before the device it is on.
  std::shared_ptr<const Bundle> bundle;
  std::shared_ptr<Device> target;
  ImageChoice choice;
  std::vector<std::string> kernelNames; ///< Sorted.
  std::unique_ptr<LoadedImage> loaded;
};

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_MODULE_H
