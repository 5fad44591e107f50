//===- XlaFfi.cpp - Layers as custom calls of XLA -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "XlaFfi.h"
#include "Errors.h"
#include "Staging.h"
#include "XlaAbi.h"

#include <cstddef>
#include <cstring>

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

//===----------------------------------------------------------------------===//
// Registered layers
//===----------------------------------------------------------------------===//

namespace {
struct Registered {
  std::shared_ptr<BundleHandle> bundle;
  std::string entry, chip;
};

struct Registry {
  std::mutex mutex;
  std::vector<Registered> layers;
};

/// What the handlers throw; it becomes an error of XLA.
struct BadCall {
  std::string message;
};

/// A layer on a device for the length of a call.
struct BoundLayer {
  std::shared_ptr<const LoadedModule> module;
  std::shared_ptr<const EntrySpec> spec;
  runtime::Layer layer;
};
} // namespace

/// Never destroyed: threads of XLA may outlive the interpreter.
static Registry &registry() {
  static auto *instance = new Registry;
  return *instance;
}

static Registered registeredLayer(int64_t number) {
  const std::lock_guard<std::mutex> lock(registry().mutex);
  const auto count = static_cast<int64_t>(registry().layers.size());
  if (number < 0 || number >= count)
    throw BadCall{"no ctc layer " + std::to_string(number) +
                  " in this process, which has " + std::to_string(count)};
  return registry().layers[static_cast<size_t>(number)];
}

static BoundLayer bind(int64_t number, const std::string &device) {
  const Registered registered = registeredLayer(number);
  BoundLayer bound;
  bound.module = registered.bundle->load(openDevice(device), registered.chip);
  bound.spec = registered.bundle->entry(
      bound.module->info.image, registered.bundle->findEntry(registered.entry));
  bound.layer = runtime::Layer::create(bound.module->module, bound.spec->name);
  return bound;
}

int64_t python::registerForXla(std::shared_ptr<BundleHandle> bundle,
                               const std::string &entry,
                               const std::string &chip) {
  // An entry that is not there is told now, not inside a program.
  const std::string name = bundle->entry(0, bundle->findEntry(entry))->name;
  const std::lock_guard<std::mutex> lock(registry().mutex);
  registry().layers.push_back({std::move(bundle), name, chip});
  return static_cast<int64_t>(registry().layers.size()) - 1;
}

//===----------------------------------------------------------------------===//
// The frame of a call
//===----------------------------------------------------------------------===//

static int64_t layerAttribute(const xla::Attributes &attributes) {
  for (int64_t i = 0; i < attributes.count; ++i) {
    const xla::Bytes &name = *attributes.names[i];
    if (std::string_view(name.data, name.length) != "layer" ||
        attributes.kinds[i] != xla::kScalarAttribute)
      continue;
    int64_t value = 0;
    std::memcpy(&value,
                static_cast<const xla::Scalar *>(attributes.values[i])->value,
                sizeof(value));
    return value;
  }
  throw BadCall{"the attribute 'layer' is missing"};
}

static const xla::Buffer &bufferAt(const xla::Buffers &buffers, int64_t index) {
  if (index >= buffers.count)
    throw BadCall{"buffer " + std::to_string(index) +
                  " is missing, there are " + std::to_string(buffers.count)};
  return *static_cast<const xla::Buffer *>(buffers.buffers[index]);
}

static int32_t primitiveOf(dlpack::DataType type) {
  if (type.code == dlpack::kBfloat)
    return xla::kBF16;
  return type.bits == 32 ? xla::kF32 : xla::kF16;
}

/// Type and shape of a buffer must be the argument's.
static void checkBuffer(const ArgumentSpec &spec, const xla::Buffer &buffer,
                        int64_t &batch) {
  bool fits = buffer.type == primitiveOf(spec.type) && buffer.rank == spec.rank;
  for (int i = 0; fits && i < spec.rank; ++i) {
    if (spec.shape[i] != CTC_DYNAMIC)
      fits = buffer.sizes[i] == spec.shape[i];
    else if (batch == CTC_DYNAMIC)
      batch = buffer.sizes[i];
    else
      fits = buffer.sizes[i] == batch;
  }
  if (!fits)
    throw BadCall{spec.name + " has shape " +
                  tupleText(buffer.sizes, static_cast<int>(buffer.rank)) +
                  " and XLA type " + std::to_string(buffer.type) +
                  ", must be " + tupleText(spec.shape, spec.rank) + " of " +
                  nameOf(spec.type)};
}

static uint64_t addressOf(const xla::Buffer &buffer) {
  return reinterpret_cast<uint64_t>(buffer.data);
}

//===----------------------------------------------------------------------===//
// Packing and launching
//===----------------------------------------------------------------------===//

static void copyIn(const LoadedModule &module, uint64_t to, uint64_t from,
                   uint64_t bytes) {
  runtime::check(ctc_device_copy_in(module.device->handle, to,
                                    reinterpret_cast<const void *>(from), bytes,
                                    nullptr));
}

static void copyOut(const LoadedModule &module, uint64_t to, uint64_t from,
                    uint64_t bytes) {
  runtime::check(ctc_device_copy_out(module.device->handle,
                                     reinterpret_cast<void *>(to), from, bytes,
                                     nullptr));
}

static void pack(BoundLayer &bound, const xla::CallFrame &frame, void *stream) {
  const xla::Buffer &packed = bufferAt(frame.results, 0);
  const uint64_t bytes = bound.layer.packedBytes();
  if (packed.rank != 1 || static_cast<uint64_t>(packed.sizes[0]) < bytes)
    throw BadCall{"the packed weight needs " + std::to_string(bytes) +
                  " bytes"};
  int64_t batch = 1;
  const ArgumentSpec &spec = *bound.spec->weight;
  const xla::Buffer &weight = bufferAt(frame.arguments, 0);
  checkBuffer(spec, weight, batch);
  if (bound.module->device->info.kind == CTC_DEVICE_CUDA) {
    bound.layer.prepare(addressOf(weight), addressOf(packed), stream);
    return;
  }
  Staging buffers(bound.module->device->handle);
  const uint64_t address = buffers.buffer(0, spec.bytes(1));
  const uint64_t target = buffers.buffer(1, bytes);
  copyIn(*bound.module, address, addressOf(weight), spec.bytes(1));
  bound.layer.prepare(address, target);
  copyOut(*bound.module, addressOf(packed), target, bytes);
}

/// The arguments of a launch in the order XLA passes them.
static std::vector<const ArgumentSpec *> passed(const EntrySpec &spec) {
  std::vector<const ArgumentSpec *> order{spec.input};
  if (spec.bias)
    order.push_back(spec.bias);
  order.insert(order.end(), spec.operands.begin(), spec.operands.end());
  return order;
}

static void launch(BoundLayer &bound, const xla::CallFrame &frame,
                   void *stream) {
  const EntrySpec &spec = *bound.spec;
  if (!spec.scratch.empty())
    throw BadCall{"entry '" + spec.name +
                  "' needs scratch memory, which custom calls do not have"};
  const bool isHost = bound.module->device->info.kind == CTC_DEVICE_CPU;
  Staging buffers(bound.module->device->handle);
  std::vector<uint64_t> addresses(spec.addressCount);
  int64_t batch = spec.batch, next = 0;
  for (const ArgumentSpec *argument : passed(spec)) {
    const xla::Buffer &buffer = bufferAt(frame.arguments, next);
    checkBuffer(*argument, buffer, batch);
    next += next == 0 ? 2 : 1; // The packed weight stands behind the input.
    const auto slot = static_cast<size_t>(argument->launchIndex);
    addresses[slot] = addressOf(buffer);
    if (isHost) {
      const uint64_t bytes = argument->bytes(batch);
      addresses[slot] = buffers.buffer(slot, bytes);
      copyIn(*bound.module, addresses[slot], addressOf(buffer), bytes);
    }
  }
  const xla::Buffer &output = bufferAt(frame.results, 0);
  checkBuffer(*spec.output, output, batch);
  const auto slot = static_cast<size_t>(spec.output->launchIndex);
  const uint64_t bytes = spec.output->bytes(batch);
  addresses[slot] = isHost ? buffers.buffer(slot, bytes) : addressOf(output);

  uint64_t packed = addressOf(bufferAt(frame.arguments, 1));
  if (isHost) {
    const uint64_t length = bound.layer.packedBytes(), from = packed;
    packed = buffers.buffer(addresses.size(), length);
    copyIn(*bound.module, packed, from, length);
  }
  runtime::check(ctc_layer_use_packed(bound.layer.get(), packed));
  bound.layer.launch(batch, addresses, stream);
  if (isHost)
    copyOut(*bound.module, addressOf(output), addresses[slot], bytes);
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

static xla::Error *fail(const xla::CallFrame &frame, const std::string &text,
                        xla::ErrorCode code) {
  xla::ErrorCreate create{sizeof(create), nullptr, text.c_str(), code};
  return frame.api->createError(&create);
}

/// Whether XLA only asks what the handler is, and the answer.
static bool answeredMetadata(const xla::CallFrame &frame) {
  if (!frame.extensions || frame.extensions->kind != xla::kMetadataExtension)
    return false;
  xla::Metadata &metadata =
      *reinterpret_cast<xla::MetadataExtension *>(frame.extensions)->metadata;
  // What is read of the frame is the same in every version 0.x.
  metadata.version.major = 0;
  metadata.version.minor = frame.api->version.minor;
  metadata.traits = xla::kCommandBufferCompatible;
  return true;
}

static std::string cudaDevice(const xla::CallFrame &frame) {
  if (frame.api->size < offsetof(xla::Api, getOrdinal) + sizeof(void *))
    return "cuda:0";
  xla::OrdinalGet get{sizeof(get), nullptr, frame.context, 0};
  if (frame.api->getOrdinal(&get))
    throw BadCall{"XLA does not say which GPU it runs on"};
  return "cuda:" + std::to_string(get.ordinal);
}

static void *streamOf(const xla::CallFrame &frame) {
  xla::StreamGet get{sizeof(get), nullptr, frame.context, nullptr};
  if (frame.api->getStream(&get))
    throw BadCall{"XLA has no stream for the call"};
  return get.stream;
}

using Action = void (*)(BoundLayer &, const xla::CallFrame &, void *);

template <Action action, bool isCuda>
static xla::Error *handle(xla::CallFrame *frame) {
  if (answeredMetadata(*frame))
    return nullptr;
  try {
    BoundLayer bound = bind(layerAttribute(frame->attributes),
                            isCuda ? cudaDevice(*frame) : "cpu");
    action(bound, *frame, isCuda ? streamOf(*frame) : nullptr);
    return nullptr;
  } catch (const BadCall &bad) {
    return fail(*frame, "ctc: " + bad.message, xla::kInvalidArgument);
  } catch (const std::exception &error) {
    return fail(*frame, std::string("ctc: ") + error.what(), xla::kInternal);
  }
}

nb::dict python::xlaHandlers() {
  const auto capsule = [](xla::Error *(*handler)(xla::CallFrame *)) {
    return nb::capsule(reinterpret_cast<void *>(handler),
                       "xla._CUSTOM_CALL_TARGET");
  };
  nb::dict handlers;
  handlers[nb::make_tuple("ctc_pack", "cpu")] = capsule(handle<pack, false>);
  handlers[nb::make_tuple("ctc_pack", "CUDA")] = capsule(handle<pack, true>);
  handlers[nb::make_tuple("ctc_launch", "cpu")] =
      capsule(handle<launch, false>);
  handlers[nb::make_tuple("ctc_launch", "CUDA")] =
      capsule(handle<launch, true>);
  return handlers;
}
