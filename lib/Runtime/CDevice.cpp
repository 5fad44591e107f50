//===- CDevice.cpp - C API: devices, modules and layers -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuDevice.h"
#include "Handles.h"

using namespace ctc;
using namespace ctc::rt;

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

ctc_status ctc_device_open(const char *name, ctc_device **device) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    *device = nullptr;
    CTC_RETURN_IF_FAILED(require({{"name", name}}));
    auto opened = openDevice(name);
    CTC_RETURN_IF_FAILED(opened);
    *device = new ctc_device{std::move(*opened)};
    return {};
  });
}

void ctc_device_close(ctc_device *device) { delete device; }

ctc_status ctc_device_get_info(const ctc_device *device,
                               ctc_device_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}, {"info", info}}));
    const DeviceInfo &in = device->opened.device->info();
    *info = {in.kind,         in.name.c_str(), in.ordinal,
             in.computeMajor, in.computeMinor, device->opened.reason.c_str()};
    return {};
  });
}

ctc_status ctc_device_allocate(ctc_device *device, uint64_t bytes,
                               uint64_t *address) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}, {"address", address}}));
    const auto allocated = device->opened.device->allocate(bytes);
    CTC_RETURN_IF_FAILED(allocated);
    *address = *allocated;
    return {};
  });
}

ctc_status ctc_device_free(ctc_device *device, uint64_t address) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    return device->opened.device->free(address);
  });
}

ctc_status ctc_device_copy_in(ctc_device *device, uint64_t destination,
                              const void *source, uint64_t bytes,
                              void *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    if (bytes)
      CTC_RETURN_IF_FAILED(require({{"source", source}}));
    return device->opened.device->copyIn(destination, source, bytes, stream);
  });
}

ctc_status ctc_device_copy_out(ctc_device *device, void *destination,
                               uint64_t source, uint64_t bytes, void *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    if (bytes)
      CTC_RETURN_IF_FAILED(require({{"destination", destination}}));
    return device->opened.device->copyOut(destination, source, bytes, stream);
  });
}

ctc_status ctc_device_fill(ctc_device *device, uint64_t destination,
                           uint8_t value, uint64_t bytes, void *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    return device->opened.device->fill(destination, value, bytes, stream);
  });
}

ctc_status ctc_device_synchronize(ctc_device *device, void *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    return device->opened.device->synchronize(stream);
  });
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

ctc_status ctc_module_load(const ctc_bundle *bundle, ctc_device *device,
                           const char *chip, ctc_module **module) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"module", module}}));
    *module = nullptr;
    CTC_RETURN_IF_FAILED(require({{"bundle", bundle}, {"device", device}}));
    auto loaded =
        Module::load(bundle->bundle, device->opened.device, chip ? chip : "");
    CTC_RETURN_IF_FAILED(loaded);
    *module = new ctc_module{std::move(*loaded)};
    return {};
  });
}

void ctc_module_unload(ctc_module *module) { delete module; }

ctc_status ctc_module_get_info(const ctc_module *module,
                               ctc_module_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"module", module}, {"info", info}}));
    const Module &in = *module->module;
    *info = {in.imageIndex(), in.image().chip.c_str(), in.usesPtx()};
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// The entry of that name, or the only one.
static Result<size_t> chooseEntry(const Manifest &manifest, const char *name) {
  if (!name && manifest.entries.size() == 1)
    return 0;
  if (!name)
    return fail(CTC_INVALID_ARGUMENT,
                "the bundle has " + std::to_string(manifest.entries.size()) +
                    " entries, name the one to take: " + listEntries(manifest));
  const auto found = findEntry(manifest, name);
  if (!found)
    return fail(CTC_INVALID_ARGUMENT, found.error());
  return *found;
}

ctc_status ctc_layer_create(ctc_module *module, const char *entry,
                            ctc_layer **layer) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}}));
    *layer = nullptr;
    CTC_RETURN_IF_FAILED(require({{"module", module}}));
    const auto index = chooseEntry(module->module->image().manifest, entry);
    CTC_RETURN_IF_FAILED(index);
    auto created = Layer::create(module->module, *index);
    CTC_RETURN_IF_FAILED(created);
    *layer = new ctc_layer{std::move(*created)};
    return {};
  });
}

void ctc_layer_destroy(ctc_layer *layer) { delete layer; }

ctc_status ctc_layer_get_entry(const ctc_layer *layer, size_t *entry) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}, {"entry", entry}}));
    *entry = layer->layer->entryIndex();
    return {};
  });
}

ctc_status ctc_layer_packed_bytes(const ctc_layer *layer, uint64_t *bytes) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}, {"bytes", bytes}}));
    *bytes = layer->layer->packedBytes();
    return {};
  });
}

ctc_status ctc_layer_get_packed(const ctc_layer *layer, uint64_t *packed) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}, {"packed", packed}}));
    *packed = layer->layer->packed();
    return {};
  });
}

ctc_status ctc_layer_prepare(ctc_layer *layer, uint64_t weight, uint64_t packed,
                             void *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}}));
    return layer->layer->prepare(weight, packed, stream);
  });
}

ctc_status ctc_layer_use_packed(ctc_layer *layer, uint64_t packed) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}}));
    return layer->layer->usePacked(packed);
  });
}

ctc_status ctc_layer_launch(const ctc_layer *layer, int64_t batch,
                            const uint64_t *addresses, size_t address_count,
                            void *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"layer", layer}, {"addresses", addresses}}));
    return layer->layer->launch(batch, {addresses, address_count}, stream);
  });
}

//===----------------------------------------------------------------------===//
// Extensions of the cpu device
//===----------------------------------------------------------------------===//

ctc_status ctc_cpu_get_statistics(const ctc_device *device,
                                  ctc_cpu_statistics *statistics) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(
        require({{"device", device}, {"statistics", statistics}}));
    const auto cpu = asCpu(*device->opened.device);
    CTC_RETURN_IF_FAILED(cpu);
    const ptx::LaunchStatistics in = (*cpu)->statistics();
    *statistics = {in.blocks, in.warpInstructions, in.threadInstructions};
    return {};
  });
}

ctc_status ctc_cpu_set_threads(ctc_device *device, unsigned threads) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    const auto cpu = asCpu(*device->opened.device);
    CTC_RETURN_IF_FAILED(cpu);
    (*cpu)->setThreads(threads);
    return {};
  });
}

ctc_status ctc_cpu_launch_blocks(const ctc_layer *layer, size_t launch,
                                 int64_t batch, const uint64_t *addresses,
                                 size_t address_count, const uint64_t *blocks,
                                 size_t block_count) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require(
        {{"layer", layer}, {"addresses", addresses}, {"blocks", blocks}}));
    CTC_RETURN_IF_FAILED(asCpu(layer->layer->module().device()));
    return layer->layer->launchBlocks(launch, batch, {addresses, address_count},
                                      {blocks, block_count});
  });
}
