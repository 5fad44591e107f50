//===- Layer.cpp - An entry with its packed weights -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Layer.h"
#include "ctc/PtxMachine/Counters.h"
#include "ctc/Support/IntegerMath.h"

#include <cstdio>

using namespace ctc;
using namespace ctc::rt;

/// Each packed weight of an entry begins at a multiple of this in the buffer.
static constexpr int64_t kPackedAlignment = 256;

static std::string hex(uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(address));
  return text;
}

/// An address must be aligned, and 0 only where there is nothing to access.
static Result<void> checkAligned(std::string_view what, uint64_t address,
                                 bool isEmpty) {
  if (address == 0 && !isEmpty)
    return fail(CTC_INVALID_ARGUMENT,
                "the address of " + std::string(what) + " is 0");
  if (address % CTC_ALIGNMENT)
    return fail(CTC_INVALID_ARGUMENT,
                "the address of " + std::string(what) + " is " + hex(address) +
                    ", must be a multiple of " + std::to_string(CTC_ALIGNMENT));
  return {};
}

static bool isEmpty(const Argument &argument, int64_t batch) {
  for (int64_t size : argument.shape)
    if (size == 0 || (size == kDynamic && batch == 0))
      return true;
  return false;
}

static std::string quoted(const Argument &argument) {
  return "'" + argument.name + "'";
}

std::vector<int32_t> ctc::rt::launchIndices(const Entry &entry) {
  std::vector<int32_t> positions;
  int32_t next = 0;
  for (const Argument &argument : entry.arguments) {
    const bool isHeld = argument.role == ArgumentRole::Weight ||
                        argument.role == ArgumentRole::PackedWeight;
    positions.push_back(isHeld ? -1 : next++);
  }
  return positions;
}

Result<std::unique_ptr<Layer>>
Layer::create(std::shared_ptr<const Module> module, size_t entry) {
  std::unique_ptr<Layer> layer(new Layer);
  layer->home = std::move(module);
  layer->index = entry;
  layer->positions = launchIndices(layer->entry());
  layer->prepareSteps = layer->stepsOf(layer->entry().prepare);
  layer->runSteps = layer->stepsOf(layer->entry().run);
  int64_t size = 0;
  for (const Argument &argument : layer->entry().arguments) {
    layer->packedOffsets.push_back(static_cast<uint64_t>(size));
    if (argument.role != ArgumentRole::PackedWeight)
      continue;
    const auto bytes = byteSize(argument, 1);
    if (!bytes || *bytes > INT64_MAX - size - kPackedAlignment)
      return fail(CTC_INVALID_BUNDLE, "the packed weights have more than 2^63 "
                                      "- 1 bytes");
    size += roundUp(*bytes, kPackedAlignment);
  }
  layer->packedSize = static_cast<uint64_t>(size);
  for (int32_t position : layer->positions)
    layer->addressCount += position >= 0;
  layer->prepared = size == 0 && layer->entry().prepare.empty();
  return layer;
}

std::vector<Layer::Step>
Layer::stepsOf(const std::vector<Launch> &launches) const {
  std::vector<Step> steps;
  for (const Launch &launch : launches)
    steps.push_back({&launch, home->findKernel(launch.kernel)});
  return steps;
}

Layer::~Layer() {
  if (ownedBuffer)
    (void)home->device().free(ownedBuffer);
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

Result<void> Layer::checkPacked(uint64_t packed) const {
  if (auto good = checkAligned("the packed weights", packed, packedSize == 0);
      !good)
    return good;
  if (packedSize && home->device().contains(packed, packedSize) == false)
    return fail(CTC_INVALID_ARGUMENT,
                "the packed weights have " + std::to_string(packedSize) +
                    " bytes, those at " + hex(packed) +
                    " do not lie in one allocation of the device");
  return {};
}

Result<void> Layer::prepare(uint64_t weight, uint64_t packed, Stream stream) {
  for (const Argument &argument : entry().arguments)
    if (argument.role == ArgumentRole::Weight)
      if (auto good = checkAddress(argument, 1, weight); !good)
        return good;
  if (packed == 0 && packedSize > 0) {
    if (ownedBuffer == 0) {
      auto buffer = home->device().allocate(packedSize);
      if (!buffer)
        return tl::unexpected(buffer.error());
      ownedBuffer = *buffer;
    }
    packed = ownedBuffer;
  }
  if (auto good = checkPacked(packed); !good)
    return good;
  for (const Step &step : prepareSteps)
    if (auto done = enqueue(step, 1, weight, packed, {}, {}, stream); !done)
      return done;
  packedAddress = packed;
  prepared = true;
  return {};
}

Result<void> Layer::usePacked(uint64_t packed) {
  if (auto good = checkPacked(packed); !good)
    return good;
  packedAddress = packed;
  prepared = true;
  return {};
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

Result<void> Layer::checkAddress(const Argument &argument, int64_t batch,
                                 uint64_t address) const {
  const bool empty = isEmpty(argument, batch);
  // Texts are made on failure only: this runs for every argument of a launch.
  if ((address == 0 && !empty) || address % CTC_ALIGNMENT)
    return checkAligned("argument " + quoted(argument), address, empty);
  if (empty)
    return {};
  if (home->device().info().kind != CTC_DEVICE_CPU)
    return {};
  const auto bytes = byteSize(argument, batch);
  if (!bytes)
    return fail(CTC_INVALID_ARGUMENT, bytes.error());
  if (home->device().contains(address, static_cast<uint64_t>(*bytes)) == false)
    return fail(CTC_INVALID_ARGUMENT,
                "argument " + quoted(argument) + " has " +
                    std::to_string(*bytes) + " bytes, those at " +
                    hex(address) +
                    " do not lie in one allocation of the device");
  return {};
}

Result<void> Layer::checkLaunch(int64_t batch,
                                std::span<const uint64_t> addresses) const {
  if (auto good = checkBatch(entry(), batch); !good)
    return fail(CTC_INVALID_ARGUMENT, std::move(good.error()));
  if (addresses.size() != addressCount)
    return fail(CTC_INVALID_ARGUMENT,
                "got " + std::to_string(addresses.size()) +
                    " addresses, a launch of entry '" + entry().name +
                    "' takes " + std::to_string(addressCount));
  if (!prepared)
    return fail(CTC_NOT_PREPARED, "the weights of entry '" + entry().name +
                                      "' are not prepared; prepare the layer "
                                      "before launching it");
  for (size_t i = 0; i < positions.size(); ++i)
    if (positions[i] >= 0)
      if (auto good = checkAddress(entry().arguments[i], batch,
                                   addresses[positions[i]]);
          !good)
        return good;
  return {};
}

Result<void> Layer::enqueue(const Step &step, int64_t batch, uint64_t weight,
                            uint64_t packed,
                            std::span<const uint64_t> addresses,
                            const CpuExtras &extras, Stream stream) const {
  const Launch &launch = *step.launch;
  const auto count = blocks(launch.grid, batch);
  if (!count)
    return fail(CTC_INVALID_ARGUMENT, count.error());
  if (*count == 0)
    return {};
  std::array<uint64_t, kMaxLaunchArguments + 1> parameters;
  size_t used = 0;
  for (uint32_t argument : launch.arguments) {
    if (positions[argument] >= 0)
      parameters[used++] = addresses[positions[argument]];
    else if (entry().arguments[argument].role == ArgumentRole::Weight)
      parameters[used++] = weight;
    else
      parameters[used++] = packed + packedOffsets[argument];
  }
  if (launch.passesBatch)
    parameters[used++] = static_cast<uint64_t>(batch);
  auto done = home->launch(launch, step.kernel, static_cast<uint32_t>(*count),
                           std::span(parameters).first(used), extras, stream);
  if (!done)
    return fail(done.error().status,
                "kernel '" + launch.kernel + "': " + done.error().message);
  return {};
}

Result<void> Layer::launch(int64_t batch, std::span<const uint64_t> addresses,
                           Stream stream) const {
  if (auto good = checkLaunch(batch, addresses); !good)
    return good;
  for (const Step &step : runSteps)
    if (auto done =
            enqueue(step, batch, 0, packedAddress, addresses, {}, stream);
        !done)
      return done;
  return {};
}

Result<void> Layer::checkBlocks(size_t launch, int64_t batch,
                                std::span<const uint64_t> onlyBlocks) const {
  if (launch >= entry().run.size())
    return fail(CTC_INVALID_ARGUMENT, "no run launch " +
                                          std::to_string(launch) + ": entry '" +
                                          entry().name + "' has " +
                                          std::to_string(entry().run.size()));
  const auto count = blocks(entry().run[launch].grid, batch);
  if (!count)
    return fail(CTC_INVALID_ARGUMENT, count.error());
  for (uint64_t block : onlyBlocks)
    if (block >= static_cast<uint64_t>(*count))
      return fail(CTC_INVALID_ARGUMENT, "no block " + std::to_string(block) +
                                            ": the grid has " +
                                            std::to_string(*count));
  return {};
}

Result<void> Layer::launchBlocks(size_t launch, int64_t batch,
                                 std::span<const uint64_t> addresses,
                                 std::span<const uint64_t> onlyBlocks) const {
  if (auto good = checkLaunch(batch, addresses); !good)
    return good;
  if (auto good = checkBlocks(launch, batch, onlyBlocks);
      !good || onlyBlocks.empty())
    return good;
  return enqueue(runSteps[launch], batch, 0, packedAddress, addresses,
                 {.onlyBlocks = onlyBlocks}, nullptr);
}

Result<ptx::LaunchCounters>
Layer::profile(size_t launch, int64_t batch,
               std::span<const uint64_t> addresses,
               std::span<const uint64_t> onlyBlocks) const {
  if (auto good = checkLaunch(batch, addresses); !good)
    return tl::unexpected(good.error());
  if (auto good = checkBlocks(launch, batch, onlyBlocks); !good)
    return tl::unexpected(good.error());
  ptx::LaunchCounters counters;
  if (auto done =
          enqueue(runSteps[launch], batch, 0, packedAddress, addresses,
                  {.onlyBlocks = onlyBlocks, .counters = &counters}, nullptr);
      !done)
    return tl::unexpected(done.error());
  return counters;
}
