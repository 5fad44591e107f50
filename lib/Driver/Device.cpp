//===- Device.cpp - Running layers through the C API ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"
#include "LayerBuffers.h"

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

Expected<void> driver::checkStatus(ctc_status status) {
  if (status == CTC_OK)
    return {};
  return makeError(errorCode(status), ctc_last_error());
}

Expected<Device> Device::open(const std::string &name) {
  ctc_device *opened = nullptr;
  if (auto good = checkStatus(ctc_device_open(name.c_str(), &opened)); !good)
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

Expected<void> Device::checkMemory() {
  if (auto good = checkStatus(ctc_cpu_check_memory(handle.get(), 1)); !good)
    return makeError(ErrorCode::Usage,
                     "--check-memory needs the cpu device; this is " +
                         describe());
  checking = true;
  return {};
}

Expected<std::vector<MemoryFinding>> Device::findings() const {
  size_t count = 0;
  if (auto good = checkStatus(ctc_cpu_finding_count(handle.get(), &count));
      !good)
    return tl::unexpected(good.error());
  std::vector<MemoryFinding> result;
  for (size_t i = 0; i < count; ++i) {
    ctc_finding finding;
    if (auto good = checkStatus(ctc_cpu_get_finding(handle.get(), i, &finding));
        !good)
      return tl::unexpected(good.error());
    result.push_back({ctc_finding_kind_name(finding.kind), finding.message,
                      finding.occurrences});
  }
  return result;
}

Expected<std::vector<MemoryFinding>>
Device::findingsSince(const std::vector<MemoryFinding> &before) const {
  auto all = findings();
  if (!all)
    return all;
  // A finding keeps its place, and counts what is found again.
  std::vector<MemoryFinding> fresh;
  for (size_t i = 0; i < all->size(); ++i) {
    MemoryFinding &finding = (*all)[i];
    if (i < before.size())
      finding.occurrences -= before[i].occurrences;
    if (finding.occurrences > 0)
      fresh.push_back(std::move(finding));
  }
  return fresh;
}

std::string driver::countFindings(const std::vector<MemoryFinding> &findings) {
  return "the memory checker found " + std::to_string(findings.size()) +
         (findings.size() == 1 ? " thing" : " things");
}

Expected<LoadedLayer> LoadedLayer::load(const Device &device,
                                        std::span<const uint8_t> bytes,
                                        const std::string &chip,
                                        const std::string &entry) {
  ctc_bundle *opened = nullptr;
  if (auto good = checkStatus(
          ctc_bundle_open_memory(bytes.data(), bytes.size(), &opened));
      !good)
    return tl::unexpected(good.error());
  const Owned<ctc_bundle, ctc_bundle_close> bundle(opened);
  LoadedLayer loaded;
  loaded.device = device.get();
  loaded.isPoisoned = device.checksMemory();
  ctc_module *module = nullptr;
  if (auto good = checkStatus(
          ctc_module_load(bundle.get(), device.get(),
                          chip.empty() ? nullptr : chip.c_str(), &module));
      !good)
    return tl::unexpected(good.error());
  loaded.module.reset(module);
  ctc_layer *layer = nullptr;
  if (auto good = checkStatus(ctc_layer_create(
          module, entry.empty() ? nullptr : entry.c_str(), &layer));
      !good)
    return tl::unexpected(good.error());
  loaded.layer.reset(layer);
  ctc_module_info info;
  if (auto good = checkStatus(ctc_module_get_info(module, &info)); !good)
    return tl::unexpected(good.error());
  loaded.imageIndex = info.image;
  if (auto good = checkStatus(ctc_layer_get_entry(layer, &loaded.entryIndex));
      !good)
    return tl::unexpected(good.error());
  return loaded;
}

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

Expected<Tensor> LoadedLayer::run(const Entry &entry, const LayerInputs &inputs,
                                  int64_t batch, RunTimes *times) const {
  auto buffers = LayerBuffers::place(device, layer.get(), entry, inputs, batch,
                                     isPoisoned);
  if (!buffers)
    return tl::unexpected(buffers.error());
  auto start = std::chrono::steady_clock::now();
  Expected<void> done = buffers->prepare(layer.get());
  const double prepareSeconds = secondsSince(start);
  start = std::chrono::steady_clock::now();
  const std::vector<uint64_t> &addresses = buffers->addresses();
  if (done)
    done = checkStatus(ctc_layer_launch(layer.get(), batch, addresses.data(),
                                        addresses.size(), nullptr));
  if (done)
    done = checkStatus(ctc_device_synchronize(device, nullptr));
  if (times)
    *times = {prepareSeconds, secondsSince(start)};
  if (!done)
    return tl::unexpected(done.error());
  std::vector<int64_t> shape = entry.problem.outputShape();
  shape.front() = batch;
  Tensor output(entry.problem.type, shape);
  if (auto read = buffers->readOutput(output); !read)
    return tl::unexpected(read.error());
  return output;
}
