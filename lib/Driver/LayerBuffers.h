//===- LayerBuffers.h - A layer's tensors on a device -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_LAYERBUFFERS_H
#define CTC_LIB_DRIVER_LAYERBUFFERS_H

#include "Device.h"

namespace ctc::driver {

/// The device buffers of one run of a layer, released together.
class LayerBuffers {
public:
  struct Buffer {
    std::string name; ///< Of the argument; of all packed weights together.
    ArgumentRole role = ArgumentRole::Input;
    uint64_t address = 0, bytes = 0;
  };

  /// Copies the inputs, laid out as `entry`, the manifest's own, says. All else
  /// is all ones, which is NaN in every format. A device that fills its memory
  /// so by itself (`isPoisoned`) is not to count that as written.
  static Expected<LayerBuffers> place(ctc_device *device, ctc_layer *layer,
                                      const Entry &entry,
                                      const LayerInputs &inputs, int64_t batch,
                                      bool isPoisoned = false);
  LayerBuffers(LayerBuffers &&) = default;
  ~LayerBuffers();

  /// Packs the weights, to the end.
  Expected<void> prepare(ctc_layer *layer);
  /// What ctc_layer_launch takes.
  const std::vector<uint64_t> &addresses() const { return launched; }
  const std::vector<Buffer> &buffers() const { return all; }
  Expected<void> readOutput(Tensor &output) const;
  /// The buffer of a role that there is one of.
  const Buffer &only(ArgumentRole role) const;

private:
  LayerBuffers(ctc_device *device, bool isPoisoned)
      : device(device), isPoisoned(isPoisoned) {}

  Expected<uint64_t> allocate(const std::string &name, ArgumentRole role,
                              uint64_t bytes);
  Expected<uint64_t> upload(const std::string &name, ArgumentRole role,
                            const Tensor &tensor);

  ctc_device *device;
  bool isPoisoned;
  std::vector<Buffer> all;
  std::vector<uint64_t> launched;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_LAYERBUFFERS_H
