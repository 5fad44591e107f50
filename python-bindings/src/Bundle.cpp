//===- Bundle.cpp - Bundles and what is loaded of them --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundle.h"
#include "Errors.h"

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

dlpack::DataType python::typeOf(ctc_type type) {
  switch (type) {
  case CTC_F32:
    return {dlpack::kFloat, 32, 1};
  case CTC_F16:
    return {dlpack::kFloat, 16, 1};
  case CTC_BF16:
    return {dlpack::kBfloat, 16, 1};
  }
  return {};
}

bool ArgumentSpec::hasBatch() const {
  for (int i = 0; i < rank; ++i)
    if (shape[i] == CTC_DYNAMIC)
      return true;
  return false;
}

uint64_t ArgumentSpec::bytes(int64_t batch) const {
  uint64_t count = type.bits / 8;
  for (int i = 0; i < rank; ++i)
    count *= static_cast<uint64_t>(shape[i] == CTC_DYNAMIC ? batch : shape[i]);
  return count;
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

std::string DeviceRef::name() const {
  return info.kind == CTC_DEVICE_CPU ? "cpu"
                                     : "cuda:" + std::to_string(info.ordinal);
}

const DeviceRef &python::openDevice(const std::string &name) {
  // Never closed: at the end of the process the driver may be gone already.
  static auto *mutex = new std::mutex;
  static auto *devices = new std::map<std::string, DeviceRef>;
  const std::lock_guard<std::mutex> lock(*mutex);
  const std::string key = name == "cuda" ? "cuda:0" : name;
  const auto known = devices->find(key);
  if (known != devices->end())
    return known->second;
  DeviceRef opened{};
  runtime::check(ctc_device_open(key.c_str(), &opened.handle));
  runtime::check(ctc_device_get_info(opened.handle, &opened.info));
  return devices->emplace(key, opened).first->second;
}

//===----------------------------------------------------------------------===//
// Bundles
//===----------------------------------------------------------------------===//

std::shared_ptr<const LoadedModule>
BundleHandle::load(const DeviceRef &device, const std::string &chip) {
  const std::lock_guard<std::mutex> lock(mutex);
  auto &slot = modules[{device.name(), chip}];
  if (slot)
    return slot;
  ctc_module *module = nullptr;
  runtime::check(ctc_module_load(bundle.get(), device.handle,
                                 chip.empty() ? nullptr : chip.c_str(),
                                 &module));
  auto loaded = std::make_shared<LoadedModule>();
  loaded->module = runtime::Module(module);
  loaded->info = loaded->module.info();
  loaded->device = &device;
  slot = std::move(loaded);
  return slot;
}

size_t BundleHandle::findEntry(const std::string &name) const {
  if (!name.empty())
    return bundle.findEntry(name);
  const size_t count = bundle.info().entry_count;
  if (count == 1)
    return 0;
  std::string names;
  for (size_t i = 0; i < count; ++i)
    names += (i ? ", " : "") + std::string(bundle.entry(0, i).name);
  raiseValue("entry is not given and the bundle has " + std::to_string(count) +
             ": " + names);
}

static ArgumentSpec describe(const runtime::Bundle &bundle, size_t image,
                             size_t entry, size_t index) {
  const ctc_argument_info info = bundle.argument(image, entry, index);
  ArgumentSpec spec;
  spec.name = info.name;
  spec.index = index;
  spec.role = info.role;
  spec.type = typeOf(info.type);
  if (info.rank > TensorView::kMaxRank)
    raiseOwn("BundleError", "argument '" + spec.name + "' has " +
                                std::to_string(info.rank) + " dimensions");
  spec.rank = static_cast<int>(info.rank);
  std::copy(info.shape, info.shape + info.rank, spec.shape);
  spec.launchIndex = info.launch_index;
  return spec;
}

/// Fills the shortcuts to arguments by role.
static void index(EntrySpec &spec) {
  for (const ArgumentSpec &argument : spec.arguments) {
    spec.addressCount += argument.launchIndex >= 0;
    switch (argument.role) {
    case CTC_INPUT:
      spec.input = &argument;
      break;
    case CTC_WEIGHT:
      spec.weight = &argument;
      break;
    case CTC_BIAS:
      spec.bias = &argument;
      break;
    case CTC_OUTPUT:
      spec.output = &argument;
      break;
    case CTC_OPERAND:
      spec.operands.push_back(&argument);
      break;
    case CTC_PACKED_WEIGHT:
      break;
    case CTC_SCRATCH:
      spec.scratch.push_back(&argument);
      break;
    }
  }
}

std::shared_ptr<const EntrySpec> BundleHandle::entry(size_t image,
                                                     size_t number) const {
  const ctc_entry_info info = bundle.entry(image, number);
  auto spec = std::make_shared<EntrySpec>();
  spec->name = info.name;
  spec->index = number;
  spec->batch = info.batch;
  for (size_t i = 0; i < info.argument_count; ++i)
    spec->arguments.push_back(describe(bundle, image, number, i));
  index(*spec);
  return spec;
}
