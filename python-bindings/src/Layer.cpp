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
/// An argument of a launch and what keeps its memory alive, where that is not
/// the caller.
struct Bound {
  const ArgumentSpec *spec = nullptr;
  const TensorView *seen = &view;
  TensorView view;
  nb::object keep;
};

/// Room for kMaxArguments of them; a call makes a few, and pays for these.
class BoundList {
public:
  BoundList() = default;
  ~BoundList() { std::destroy_n(begin(), count); }
  BoundList(const BoundList &) = delete;
  BoundList &operator=(const BoundList &) = delete;

  Bound *begin() { return reinterpret_cast<Bound *>(storage); }
  const Bound *begin() const {
    return reinterpret_cast<const Bound *>(storage);
  }
  const Bound *end() const { return begin() + count; }
  const Bound &front() const { return *begin(); }
  Bound &add(const ArgumentSpec &spec) {
    if (count == kMaxArguments)
      raiseOwn("BundleError", "an entry has more than " +
                                  std::to_string(kMaxArguments) + " arguments");
    Bound &next = *std::construct_at(begin() + count++);
    next.spec = &spec;
    return next;
  }

private:
  size_t count = 0;
  alignas(Bound) std::byte storage[kMaxArguments * sizeof(Bound)];
};
} // namespace

/// The arrays of one call, until it is enqueued.
struct PreparedLayer::Call {
  int64_t batch = CTC_DYNAMIC;
  uint64_t stream = 0;
  bool isForeignStream = false;
  BoundList bound;
  nb::object output;
  const Bound *outputBound = nullptr;
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
      staging(module->device->handle), allocators(spec->arguments.size()) {
  if (request.bias.is_none() != (spec->bias == nullptr))
    raiseValue(spec->bias
                   ? "bias is missing, the entry '" + spec->name + "' adds one"
                   : "bias is given, the entry '" + spec->name + "' adds none");
  if (request.weight.is_none() != (spec->weight == nullptr))
    raiseValue(spec->weight ? "weight is missing"
                            : "weight is given, the entry '" + spec->name +
                                  "' takes none");
  if (spec->bias)
    keepBias(request);
  int64_t batch = CTC_DYNAMIC;
  TensorView view;
  nb::object copied;
  if (spec->weight)
    copied = operand(request.weight, *spec->weight, request.copy,
                     givenStream(request.stream), batch, view);
  if (isCuda())
    prepareOnGpu(view, request);
  else
    prepareOnHost(view);
}

void PreparedLayer::keepBias(const PrepareRequest &request) {
  int64_t batch = CTC_DYNAMIC;
  TensorView view;
  nb::object copied = operand(bias, *spec->bias, request.copy,
                              givenStream(request.stream), batch, view);
  if (copied.is_valid())
    bias = std::move(copied);
  if (shareMemory(bias, view))
    biasMemory = std::move(view);
}

/// Views and checks an input. Gives the copy where one had to be made.
nb::object PreparedLayer::operand(nb::handle object, const ArgumentSpec &spec,
                                  bool copy, std::optional<uint64_t> stream,
                                  int64_t &batch, TensorView &result) const {
  nb::object kept;
  const char *name = spec.name.c_str();
  view(object, name, stream, result);
  checkType(spec, result);
  checkDevice(name, result, *module->device);
  checkShape(spec, result, batch);
  if (copy && !result.isDense()) {
    kept = nb::module_::import_("ctc._arrays").attr("contiguous")(object);
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
  Bound &input = call.bound.add(*spec->input);
  input.keep = operand(request.input, *spec->input, request.copy,
                       givenStream(request.stream), call.batch, input.view);
  call.stream = streamOf(request, input.view, call.isForeignStream);
  if (call.isForeignStream && (request.copy || request.out.is_none()))
    raiseValue("stream is not the framework's current one: give out= and "
               "leave out copy=True, since the framework's memory is ordered "
               "by its own stream");
  if (spec->bias) {
    Bound &next = call.bound.add(*spec->bias);
    if (biasMemory)
      next.seen = &*biasMemory;
    else
      operand(bias, *spec->bias, false, call.stream, call.batch, next.view);
  }
  const size_t given = request.operands.size();
  if (given != spec->operands.size())
    raiseType("entry '" + spec->name + "' takes the input and " +
              std::to_string(spec->operands.size()) + " operands, got " +
              std::to_string(given));
  for (size_t i = 0; i < given; ++i) {
    Bound &next = call.bound.add(*spec->operands[i]);
    next.keep = operand(request.operands[i], *next.spec, request.copy,
                        call.stream, call.batch, next.view);
  }
}

/// Binds `out`, or a new array of the input's framework, and scratch memory.
void PreparedLayer::makeOutput(const CallRequest &request, Call &call) const {
  const Bound &input = call.bound.front();
  const auto fresh = [&](Bound &made) {
    const ArgumentSpec &argument = *made.spec;
    int64_t shape[TensorView::kMaxRank];
    for (int i = 0; i < argument.rank; ++i)
      shape[i] =
          argument.shape[i] == CTC_DYNAMIC ? call.batch : argument.shape[i];
    made.keep = allocators[argument.index].allocate(
        input.keep.is_valid() ? input.keep : request.input, input.view,
        argument.type, argument.rank, shape, made.view.address);
  };
  Bound &output = call.bound.add(*spec->output);
  if (request.out.is_none()) {
    fresh(output);
    call.output = output.keep;
  } else {
    call.output = nb::borrow(request.out);
    view(request.out, "out", call.stream, output.view);
    checkType(*spec->output, output.view);
    checkDevice("out", output.view, *module->device);
    checkShape(*spec->output, output.view, call.batch);
    checkDense("out", output.view, kOutputAdvice);
    if (output.view.isReadOnly)
      raiseValue("out is read-only, must be writable");
    for (const Bound *each = call.bound.begin(); each != &output; ++each)
      checkDisjoint(*spec->output, output.view, *each->spec, *each->seen);
  }
  call.outputBound = &output;
  if (isCuda())
    for (const ArgumentSpec *scratch : spec->scratch) {
      fresh(call.bound.add(*scratch));
    }
}

void PreparedLayer::launchOnGpu(const Call &call) const {
  std::array<uint64_t, kMaxArguments> addresses;
  for (const Bound &bound : call.bound)
    addresses[static_cast<size_t>(bound.spec->launchIndex)] =
        bound.seen->address;
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
  for (const Bound &bound : call.bound) {
    const uint64_t bytes = bound.spec->bytes(call.batch);
    const auto slot = static_cast<size_t>(bound.spec->launchIndex);
    addresses[slot] = buffers->buffer(slot, bytes);
    if (&bound != call.outputBound)
      runtime::check(ctc_device_copy_in(
          device, addresses[slot],
          reinterpret_cast<const void *>(bound.seen->address), bytes, nullptr));
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
