//===- Device.cpp - Running layers through the C API ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"
#include "ctc/Bundle/Queries.h"

#include <chrono>

using namespace ctc;
using namespace ctc::driver;

static ErrorCode errorCode(ctc_status status) {
  switch (status) {
  case CTC_INVALID_ARGUMENT:
  case CTC_FILE_ERROR:
    return ErrorCode::Usage;
  case CTC_NO_DEVICE:
    return ErrorCode::NoDevice;
  default:
    return ErrorCode::DeviceError;
  }
}

static Expected<void> check(ctc_status status) {
  if (status == CTC_OK)
    return {};
  return makeError(errorCode(status), ctc_last_error());
}

Expected<Device> Device::open(const std::string &name) {
  ctc_device *opened = nullptr;
  if (auto good = check(ctc_device_open(name.c_str(), &opened)); !good)
    return tl::unexpected(good.error());
  Device device;
  device.handle.reset(opened);
  return device;
}

std::string Device::describe() const {
  ctc_device_info info;
  if (ctc_device_get_info(handle.get(), &info) != CTC_OK)
    return "unknown device";
  std::string text = info.kind == CTC_DEVICE_CUDA
                         ? "cuda:" + std::to_string(info.ordinal)
                         : std::string("cpu");
  text += std::string(" (") + info.name + ")";
  if (*info.reason)
    text += std::string(": ") + info.reason;
  return text;
}

bool Device::usesCubins() const {
  ctc_device_info info;
  return ctc_device_get_info(handle.get(), &info) == CTC_OK &&
         info.kind == CTC_DEVICE_CUDA;
}

Expected<LoadedLayer> LoadedLayer::load(const Device &device,
                                        std::span<const uint8_t> bytes,
                                        const std::string &chip,
                                        const std::string &entry) {
  ctc_bundle *opened = nullptr;
  if (auto good =
          check(ctc_bundle_open_memory(bytes.data(), bytes.size(), &opened));
      !good)
    return tl::unexpected(good.error());
  const Owned<ctc_bundle, ctc_bundle_close> bundle(opened);
  LoadedLayer loaded;
  loaded.device = device.get();
  ctc_module *module = nullptr;
  if (auto good = check(ctc_module_load(bundle.get(), device.get(),
                                        chip.empty() ? nullptr : chip.c_str(),
                                        &module));
      !good)
    return tl::unexpected(good.error());
  loaded.module.reset(module);
  ctc_layer *layer = nullptr;
  if (auto good = check(ctc_layer_create(
          module, entry.empty() ? nullptr : entry.c_str(), &layer));
      !good)
    return tl::unexpected(good.error());
  loaded.layer.reset(layer);
  ctc_module_info info;
  if (auto good = check(ctc_module_get_info(module, &info)); !good)
    return tl::unexpected(good.error());
  loaded.imageIndex = info.image;
  if (auto good = check(ctc_layer_get_entry(layer, &loaded.entryIndex)); !good)
    return tl::unexpected(good.error());
  return loaded;
}

namespace {
/// Device buffers of one run, released together. After a failure the others
/// are skipped.
class Buffers {
public:
  explicit Buffers(ctc_device *device) : device(device) {}
  ~Buffers() {
    for (uint64_t address : addresses)
      ctc_device_free(device, address);
  }
  Buffers(const Buffers &) = delete;
  Buffers &operator=(const Buffers &) = delete;

  /// A buffer whose bytes are all ones, NaN in every format.
  uint64_t allocate(uint64_t bytes) {
    uint64_t address = 0;
    if (!good() || !then(ctc_device_allocate(device, bytes, &address)))
      return 0;
    addresses.push_back(address);
    then(ctc_device_fill(device, address, 0xff, bytes, nullptr));
    return address;
  }
  uint64_t upload(const Tensor &tensor) {
    const uint64_t address = allocate(tensor.bytes().size());
    if (good())
      then(ctc_device_copy_in(device, address, tensor.bytes().data(),
                              tensor.bytes().size(), nullptr));
    return address;
  }
  void download(uint64_t address, Tensor &tensor) {
    if (good())
      then(ctc_device_copy_out(device, tensor.bytes().data(), address,
                               tensor.bytes().size(), nullptr));
  }
  bool then(ctc_status status) {
    if (good())
      result = check(status);
    return good();
  }
  bool good() const { return result.has_value(); }

  Expected<void> result;

private:
  ctc_device *device;
  std::vector<uint64_t> addresses;
};
} // namespace

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// The host tensor behind an argument that is only read; null for others.
static const Tensor *sourceOf(const Argument &argument,
                              const LayerInputs &inputs, size_t &operands) {
  switch (argument.role) {
  case ArgumentRole::Input:
    return &inputs.input;
  case ArgumentRole::Bias:
    return inputs.bias ? &*inputs.bias : nullptr;
  case ArgumentRole::Operand:
    return operands < inputs.operands.size() ? &inputs.operands[operands++]
                                             : nullptr;
  default:
    return nullptr;
  }
}

Expected<Tensor> LoadedLayer::run(const Entry &entry, const LayerInputs &inputs,
                                  int64_t batch, RunTimes *times) const {
  Buffers buffers(device);
  std::vector<uint64_t> addresses;
  uint64_t outputAddress = 0;
  size_t operands = 0;
  for (const Argument &argument : entry.arguments) {
    if (argument.role == ArgumentRole::Weight ||
        argument.role == ArgumentRole::PackedWeight)
      continue;
    uint64_t address = 0;
    if (const Tensor *source = sourceOf(argument, inputs, operands)) {
      address = buffers.upload(*source);
    } else {
      auto bytes = byteSize(argument, batch);
      if (!bytes)
        return tl::unexpected(bytes.error());
      address = buffers.allocate(static_cast<uint64_t>(*bytes));
    }
    if (argument.role == ArgumentRole::Output)
      outputAddress = address;
    addresses.push_back(address);
  }

  uint64_t packedBytes = 0;
  if (buffers.good())
    buffers.then(ctc_layer_packed_bytes(layer.get(), &packedBytes));
  const uint64_t weight = buffers.upload(inputs.weight);
  const uint64_t packed = buffers.allocate(packedBytes);
  auto start = std::chrono::steady_clock::now();
  if (buffers.good() &&
      buffers.then(ctc_layer_prepare(layer.get(), weight, packed, nullptr)))
    buffers.then(ctc_device_synchronize(device, nullptr));
  const double prepareSeconds = secondsSince(start);
  start = std::chrono::steady_clock::now();
  if (buffers.good() &&
      buffers.then(ctc_layer_launch(layer.get(), batch, addresses.data(),
                                    addresses.size(), nullptr)))
    buffers.then(ctc_device_synchronize(device, nullptr));
  if (times)
    *times = {prepareSeconds, secondsSince(start)};

  std::vector<int64_t> shape = entry.problem.outputShape();
  shape.front() = batch;
  Tensor output(entry.problem.type, shape);
  buffers.download(outputAddress, output);
  if (!buffers.good())
    return tl::unexpected(buffers.result.error());
  return output;
}
