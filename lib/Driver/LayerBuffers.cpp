//===- LayerBuffers.cpp - A layer's tensors on a device -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerBuffers.h"
#include "ctc/Bundle/Queries.h"

#include <algorithm>

using namespace ctc;
using namespace ctc::driver;

LayerBuffers::~LayerBuffers() {
  for (const Buffer &buffer : all)
    ctc_device_free(device, buffer.address);
}

Expected<uint64_t> LayerBuffers::allocate(const std::string &name,
                                          ArgumentRole role, uint64_t bytes) {
  uint64_t address = 0;
  if (auto done = checkStatus(ctc_device_allocate(device, bytes, &address));
      !done)
    return tl::unexpected(done.error());
  all.push_back({name, role, address, bytes});
  if (isPoisoned)
    return address;
  if (auto done =
          checkStatus(ctc_device_fill(device, address, 0xff, bytes, nullptr));
      !done)
    return tl::unexpected(done.error());
  return address;
}

Expected<uint64_t> LayerBuffers::upload(const std::string &name,
                                        ArgumentRole role,
                                        const Tensor &tensor) {
  auto address = allocate(name, role, tensor.bytes().size());
  if (!address)
    return address;
  if (auto done = checkStatus(
          ctc_device_copy_in(device, *address, tensor.bytes().data(),
                             tensor.bytes().size(), nullptr));
      !done)
    return tl::unexpected(done.error());
  return address;
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

Expected<LayerBuffers> LayerBuffers::place(ctc_device *device, ctc_layer *layer,
                                           const Entry &entry,
                                           const LayerInputs &inputs,
                                           int64_t batch, bool isPoisoned) {
  LayerBuffers placed(device, isPoisoned);
  size_t operands = 0;
  for (const Argument &argument : entry.arguments) {
    if (argument.role == ArgumentRole::Weight ||
        argument.role == ArgumentRole::PackedWeight)
      continue;
    Expected<uint64_t> address = 0;
    if (const Tensor *source = sourceOf(argument, inputs, operands)) {
      address = placed.upload(argument.name, argument.role, *source);
    } else {
      auto bytes = byteSize(argument, batch);
      if (!bytes)
        return tl::unexpected(bytes.error());
      address = placed.allocate(argument.name, argument.role,
                                static_cast<uint64_t>(*bytes));
    }
    if (!address)
      return tl::unexpected(address.error());
    placed.launched.push_back(*address);
  }
  uint64_t packedBytes = 0;
  if (auto done = checkStatus(ctc_layer_packed_bytes(layer, &packedBytes));
      !done)
    return tl::unexpected(done.error());
  Expected<uint64_t> address =
      placed.upload("weight", ArgumentRole::Weight, inputs.weight);
  if (address)
    address = placed.allocate("packed weight", ArgumentRole::PackedWeight,
                              packedBytes);
  if (!address)
    return tl::unexpected(address.error());
  return placed;
}

const LayerBuffers::Buffer &LayerBuffers::only(ArgumentRole role) const {
  return *std::find_if(all.begin(), all.end(), [role](const Buffer &buffer) {
    return buffer.role == role;
  });
}

Expected<void> LayerBuffers::prepare(ctc_layer *layer) {
  auto done = checkStatus(
      ctc_layer_prepare(layer, only(ArgumentRole::Weight).address,
                        only(ArgumentRole::PackedWeight).address, nullptr));
  if (!done)
    return done;
  return checkStatus(ctc_device_synchronize(device, nullptr));
}

Expected<void> LayerBuffers::readOutput(Tensor &output) const {
  return checkStatus(ctc_device_copy_out(device, output.bytes().data(),
                                         only(ArgumentRole::Output).address,
                                         output.bytes().size(), nullptr));
}
