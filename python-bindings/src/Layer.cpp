//===- Layer.cpp - A prepared layer that is called with arrays ------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layer.h"
#include "Checks.h"
#include "Errors.h"

#include <array>

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

static constexpr const char *kInputAdvice = "copy=True copies it";
static constexpr const char *kOutputAdvice = "an output is never copied";
/// The most arguments a launch has room for here; entries have a few.
static constexpr size_t kMaxArguments = 32;

namespace {
/// An address of a launch and the object that keeps it alive.
struct Bound {
  const ArgumentSpec *spec = nullptr;
  TensorView view;
  nb::object keep;
};
} // namespace

/// The arrays of one call, until it is enqueued.
struct PreparedLayer::Call {
  int64_t batch = CTC_DYNAMIC;
  uint64_t stream = 0;
  bool isForeignStream = false;
  size_t count = 0; ///< Of bound arguments.
  std::array<Bound, kMaxArguments> bound;
  nb::object output;
  const Bound *outputBound = nullptr;

  Bound &add(const ArgumentSpec &spec) {
    if (count == kMaxArguments)
      raiseOwn("BundleError", "an entry has more than " +
                                  std::to_string(kMaxArguments) + " arguments");
    Bound &next = bound[count++];
    next.spec = &spec;
    return next;
  }
};

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

/// The name of the device an array is on.
static std::string deviceOf(const TensorView &view, const char *name) {
  if (view.isHost())
    return "cpu";
  if (view.isCuda())
    return nameOf(view.device);
  raiseValue(std::string(name) + " is on " + nameOf(view.device) +
             ", must be on cpu or cuda");
}

static std::optional<uint64_t> givenStream(nb::handle stream) {
  if (stream.is_none())
    return std::nullopt;
  return streamHandle(stream);
}

static std::shared_ptr<const LoadedModule> load(BundleHandle &bundle,
                                                const PrepareRequest &request) {
  std::string device = request.device;
  if (device.empty()) {
    if (request.weight.is_none())
      raiseValue("device is not given and there is no weight to take it from");
    device = deviceOf(view(request.weight, "weight"), "weight");
  }
  const nb::gil_scoped_release release;
  return bundle.load(openDevice(device), request.chip);
}

PreparedLayer::PreparedLayer(std::shared_ptr<BundleHandle> from,
                             const PrepareRequest &request)
    : bundle(std::move(from)), module(load(*bundle, request)),
      spec(bundle->entry(module->info.image, bundle->findEntry(request.entry))),
      layer(runtime::Layer::create(module->module, spec->name)),
      bias(nb::borrow(request.bias)), packed(nb::borrow(request.packed)),
      staging(module->device->handle) {
  if (request.bias.is_none() != (spec->bias == nullptr))
    raiseValue(spec->bias
                   ? "bias is missing, the entry '" + spec->name + "' adds one"
                   : "bias is given, the entry '" + spec->name + "' adds none");
  if (request.weight.is_none() != (spec->weight == nullptr))
    raiseValue(spec->weight ? "weight is missing"
                            : "weight is given, the entry '" + spec->name +
                                  "' takes none");
  const auto stream = givenStream(request.stream);
  int64_t batch = CTC_DYNAMIC;
  TensorView view;
  if (spec->bias)
    bias = operand(bias, *spec->bias, request.copy, stream, batch, view);
  nb::object weight;
  if (spec->weight)
    weight = operand(request.weight, *spec->weight, request.copy, stream, batch,
                     view);
  if (isCuda())
    prepareOnGpu(view, request);
  else
    prepareOnHost(view);
}

nb::object PreparedLayer::operand(nb::handle object, const ArgumentSpec &spec,
                                  bool copy, std::optional<uint64_t> stream,
                                  int64_t &batch, TensorView &result) const {
  nb::object kept = nb::borrow(object);
  const char *name = spec.name.c_str();
  result = view(kept, name, stream);
  checkType(spec, result);
  checkDevice(name, result, *module->device);
  checkShape(spec, result, batch);
  if (copy && !result.isDense()) {
    kept = nb::module_::import_("ctc._arrays").attr("contiguous")(kept);
    result = view(kept, name, stream);
  }
  checkDense(name, result, kInputAdvice);
  return kept;
}

void PreparedLayer::prepareOnHost(const TensorView &weight) {
  if (!packed.is_none())
    raiseValue("packed is given, the cpu device keeps its own");
  const nb::gil_scoped_release release;
  Staging buffers(module->device->handle);
  uint64_t address = 0;
  if (spec->weight) {
    const uint64_t bytes = spec->weight->bytes(1);
    address = buffers.buffer(0, bytes);
    runtime::check(ctc_device_copy_in(
        module->device->handle, address,
        reinterpret_cast<const void *>(weight.address), bytes, nullptr));
  }
  layer.prepare(address);
}

void PreparedLayer::prepareOnGpu(const TensorView &weight,
                                 const PrepareRequest &request) {
  uint64_t stream = 0, target = 0;
  if (const auto given = givenStream(request.stream))
    stream = *given;
  else if (weight.traits)
    stream = currentStream(weight).value_or(0);
  if (!packed.is_none()) {
    const TensorView buffer = view(packed, "packed");
    checkDevice("packed", buffer, *module->device);
    checkDense("packed", buffer, kOutputAdvice);
    if (buffer.bytes() < layer.packedBytes())
      raiseValue("packed has " + std::to_string(buffer.bytes()) +
                 " bytes, must have at least " +
                 std::to_string(layer.packedBytes()));
    target = buffer.address;
  }
  auto *handle = reinterpret_cast<void *>(stream);
  const nb::gil_scoped_release release;
  layer.prepare(weight.address, target, handle);
  if (request.wait)
    runtime::check(ctc_device_synchronize(module->device->handle, handle));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

uint64_t PreparedLayer::streamOf(const CallRequest &request,
                                 const TensorView &input,
                                 bool &isForeign) const {
  isForeign = false;
  if (!isCuda())
    return 0;
  const std::optional<uint64_t> current = currentStream(input);
  const std::optional<uint64_t> given = givenStream(request.stream);
  isForeign = given && current && *current != *given;
  return given ? *given : current.value_or(0);
}

/// Binds everything but the output.
void PreparedLayer::gather(const CallRequest &request, Call &call) const {
  call.batch = spec->batch;
  Bound &input = call.add(*spec->input);
  input.keep = operand(request.input, *spec->input, request.copy,
                       givenStream(request.stream), call.batch, input.view);
  call.stream = streamOf(request, input.view, call.isForeignStream);
  if (call.isForeignStream && (request.copy || request.out.is_none()))
    raiseValue("stream is not the framework's current one: give out= and "
               "leave out copy=True, since the framework's memory is ordered "
               "by its own stream");
  if (spec->bias) {
    Bound &next = call.add(*spec->bias);
    next.keep =
        operand(bias, *spec->bias, false, call.stream, call.batch, next.view);
  }
  const size_t given = request.operands.size();
  if (given != spec->operands.size())
    raiseType("entry '" + spec->name + "' takes the input and " +
              std::to_string(spec->operands.size()) + " operands, got " +
              std::to_string(given));
  for (size_t i = 0; i < given; ++i) {
    Bound &next = call.add(*spec->operands[i]);
    next.keep = operand(request.operands[i], *next.spec, request.copy,
                        call.stream, call.batch, next.view);
  }
}

/// Binds `out`, or a new array of the input's framework, and scratch memory.
void PreparedLayer::makeOutput(const CallRequest &request, Call &call) const {
  const Bound &input = call.bound[0];
  const size_t inputs = call.count;
  const auto fresh = [&](const ArgumentSpec &argument) {
    int64_t shape[TensorView::kMaxRank];
    for (int i = 0; i < argument.rank; ++i)
      shape[i] =
          argument.shape[i] == CTC_DYNAMIC ? call.batch : argument.shape[i];
    return allocate(input.keep, input.view, argument.type, argument.rank,
                    shape);
  };
  Bound &output = call.add(*spec->output);
  if (request.out.is_none()) {
    output.keep = fresh(*spec->output);
    output.view = view(output.keep, "output");
  } else {
    output.keep = nb::borrow(request.out);
    output.view = view(output.keep, "out", call.stream);
    checkType(*spec->output, output.view);
    checkDevice("out", output.view, *module->device);
    checkShape(*spec->output, output.view, call.batch);
    checkDense("out", output.view, kOutputAdvice);
    if (output.view.isReadOnly)
      raiseValue("out is read-only, must be writable");
    for (size_t i = 0; i < inputs; ++i)
      checkDisjoint(*spec->output, output.view, *call.bound[i].spec,
                    call.bound[i].view);
  }
  call.output = output.keep;
  call.outputBound = &output;
  if (isCuda())
    for (const ArgumentSpec *scratch : spec->scratch) {
      Bound &next = call.add(*scratch);
      next.keep = fresh(*scratch);
      next.view = view(next.keep, scratch->name.c_str());
    }
}

void PreparedLayer::launchOnGpu(const Call &call) const {
  std::array<uint64_t, kMaxArguments> addresses{};
  for (size_t i = 0; i < call.count; ++i)
    addresses[static_cast<size_t>(call.bound[i].spec->launchIndex)] =
        call.bound[i].view.address;
  const nb::gil_scoped_release release;
  runtime::check(ctc_layer_launch(layer.get(), call.batch, addresses.data(),
                                  spec->addressCount,
                                  reinterpret_cast<void *>(call.stream)));
}

void PreparedLayer::launchOnHost(const Call &call) const {
  const nb::gil_scoped_release release;
  ctc_device *device = module->device->handle;
  std::unique_ptr<Staging> buffers = staging.take();
  std::array<uint64_t, kMaxArguments> addresses{};
  for (size_t i = 0; i < call.count; ++i) {
    const Bound &bound = call.bound[i];
    const uint64_t bytes = bound.spec->bytes(call.batch);
    const auto slot = static_cast<size_t>(bound.spec->launchIndex);
    addresses[slot] = buffers->buffer(slot, bytes);
    if (&bound != call.outputBound)
      runtime::check(ctc_device_copy_in(
          device, addresses[slot],
          reinterpret_cast<const void *>(bound.view.address), bytes, nullptr));
  }
  for (const ArgumentSpec *scratch : spec->scratch) {
    const auto slot = static_cast<size_t>(scratch->launchIndex);
    addresses[slot] = buffers->buffer(slot, scratch->bytes(call.batch));
  }
  runtime::check(ctc_layer_launch(layer.get(), call.batch, addresses.data(),
                                  spec->addressCount, nullptr));
  const Bound &output = *call.outputBound;
  runtime::check(ctc_device_copy_out(
      device, reinterpret_cast<void *>(output.view.address),
      addresses[static_cast<size_t>(output.spec->launchIndex)],
      output.spec->bytes(call.batch), nullptr));
  staging.giveBack(std::move(buffers));
}

nb::object PreparedLayer::call(const CallRequest &request) const {
  Call call;
  gather(request, call);
  makeOutput(request, call);
  if (isCuda())
    launchOnGpu(call);
  else
    launchOnHost(call);
  return call.output;
}
