//===- CpuDevice.cpp - The PTX machine as a device ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuDevice.h"
#include "ctc/Chips/Chips.h"

#include "ctc/PtxMachine/Counters.h"

#include <algorithm>
#include <cstring>

using namespace ctc;
using namespace ctc::rt;

namespace {
/// A module of the machine and the names its kernels are launched by. The
/// device outlives it: whoever holds an image holds its device.
class CpuImage : public LoadedImage {
public:
  CpuImage(CpuDevice &device, std::unique_ptr<ptx::LoadedModule> module,
           std::span<const KernelRequest> requests, std::string_view chip)
      : device(device), module(std::move(module)) {
    if (const auto found = findChip(chip))
      limits = {std::string(found->name),
                static_cast<uint64_t>(found->maxSharedPerBlock),
                static_cast<uint64_t>(kMaxStaticShared),
                static_cast<uint64_t>(found->maxRegistersPerSM)};
    for (const KernelRequest &request : requests)
      names.push_back(request.name);
  }

  Result<void> launch(const KernelLaunch &launch, Stream) const override {
    ptx::LaunchConfig config;
    config.grid = {launch.blocks, 1, 1};
    config.block = {launch.block[0], launch.block[1], launch.block[2]};
    config.dynamicSharedBytes = launch.dynamicSharedBytes;
    const auto parameters = std::as_bytes(launch.parameters);
    config.parameters.assign(parameters.begin(), parameters.end());
    config.hostThreads = device.threads();
    const auto &only = launch.extras.onlyBlocks;
    config.onlyBlocks.assign(only.begin(), only.end());
    config.checkMemory = device.checksMemory();
    if (config.checkMemory)
      config.limits = limits;
    auto statistics = run(names[launch.kernel], config, launch.extras.counters);
    if (!statistics)
      return fail(CTC_DEVICE_ERROR, std::move(statistics.error()));
    device.add(*statistics);
    return {};
  }

private:
  Expected<ptx::LaunchStatistics> run(const std::string &kernel,
                                      const ptx::LaunchConfig &config,
                                      ptx::LaunchCounters *counters) const {
    if (!counters) {
      auto result = module->launch(kernel, config);
      if (!result)
        return tl::unexpected<Error>(std::move(result.error()));
      device.addFindings(result->findings);
      return *result;
    }
    auto counted = module->profile(kernel, config);
    if (!counted)
      return tl::unexpected<Error>(std::move(counted.error()));
    *counters = std::move(*counted);
    return counters->statistics;
  }

  CpuDevice &device;
  std::unique_ptr<ptx::LoadedModule> module;
  std::vector<std::string> names;
  ptx::ChipLimits limits; ///< Of the chip the image was made for.
};

std::string hex(uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%llx",
                static_cast<unsigned long long>(address));
  return text;
}

/// The manifest must pass what the kernel takes.
Result<void> checkKernel(const std::vector<ptx::KernelInfo> &kernels,
                         const KernelRequest &request, std::string_view chip) {
  const auto kernel = std::find_if(
      kernels.begin(), kernels.end(),
      [&](const ptx::KernelInfo &info) { return info.name == request.name; });
  if (kernel == kernels.end())
    return fail(CTC_INVALID_BUNDLE, "the PTX for " + std::string(chip) +
                                        " has no kernel '" + request.name +
                                        "'");
  if (kernel->parameterBytes != request.parameterBytes)
    return fail(CTC_INVALID_BUNDLE,
                "kernel '" + request.name + "' for " + std::string(chip) +
                    " takes " + std::to_string(kernel->parameterBytes) +
                    " bytes of parameters, its launch passes " +
                    std::to_string(request.parameterBytes));
  return {};
}
} // namespace

CpuDevice::CpuDevice() {
  description.kind = CTC_DEVICE_CPU;
  description.name = "PTX machine";
}

Result<uint64_t> CpuDevice::allocate(uint64_t bytes) {
  auto address = memory.allocate(bytes);
  if (!address)
    return fail(CTC_OUT_OF_MEMORY, std::move(address.error()));
  if (checking)
    std::memset(reinterpret_cast<void *>(*address), 0xff, bytes);
  return *address;
}

Result<void> CpuDevice::free(uint64_t address) {
  if (auto freed = memory.free(address); !freed)
    return fail(CTC_INVALID_ARGUMENT, std::move(freed.error()));
  return {};
}

static Result<void> checkRange(const ptx::GlobalMemory &memory,
                               uint64_t address, uint64_t bytes) {
  if (bytes == 0 || memory.contains(address, bytes))
    return {};
  return fail(CTC_INVALID_ARGUMENT,
              std::to_string(bytes) + " bytes at " + hex(address) +
                  " do not lie in one allocation of the cpu device");
}

/// The range has been found legal.
void CpuDevice::markWritten(uint64_t address, uint64_t bytes) {
  (void)memory.setInitialized(address, bytes);
}

Result<void> CpuDevice::copyIn(uint64_t destination, const void *source,
                               uint64_t bytes, Stream) {
  if (auto legal = checkRange(memory, destination, bytes); !legal || !bytes)
    return legal;
  std::memcpy(reinterpret_cast<void *>(destination), source, bytes);
  markWritten(destination, bytes);
  return {};
}

Result<void> CpuDevice::copyOut(void *destination, uint64_t source,
                                uint64_t bytes, Stream) {
  if (auto legal = checkRange(memory, source, bytes); !legal || !bytes)
    return legal;
  std::memcpy(destination, reinterpret_cast<const void *>(source), bytes);
  return {};
}

Result<void> CpuDevice::fill(uint64_t destination, uint8_t value,
                             uint64_t bytes, Stream) {
  if (auto legal = checkRange(memory, destination, bytes); !legal || !bytes)
    return legal;
  std::memset(reinterpret_cast<void *>(destination), value, bytes);
  markWritten(destination, bytes);
  return {};
}

Result<void> CpuDevice::synchronize(Stream) { return {}; }

std::optional<bool> CpuDevice::contains(uint64_t address,
                                        uint64_t bytes) const {
  return memory.contains(address, bytes);
}

Result<ImageChoice> CpuDevice::choose(std::span<const ChipImage> images) const {
  for (size_t i = 0; i < images.size(); ++i)
    if (!images[i].ptx.empty())
      return ImageChoice{i, true};
  return fail(CTC_NO_IMAGE, "nothing in the bundle runs on the cpu device: "
                            "none of " +
                                listChips(images) + " has PTX");
}

Result<ImageChoice> CpuDevice::choose(std::span<const ChipImage> images,
                                      size_t image) const {
  if (!images[image].ptx.empty())
    return ImageChoice{image, true};
  return fail(CTC_NO_IMAGE, "the image for " + images[image].chip +
                                " has no PTX, which the cpu device needs");
}

Result<std::unique_ptr<LoadedImage>>
CpuDevice::load(const ChipImage &image, bool,
                std::span<const KernelRequest> kernels) {
  auto module = ptx::LoadedModule::load(image.ptx, memory);
  if (!module)
    return fail(CTC_DEVICE_ERROR,
                "the PTX for " + image.chip + ": " + module.error().message);
  const auto known = (*module)->kernels();
  for (const KernelRequest &request : kernels)
    if (auto good = checkKernel(known, request, image.chip); !good)
      return tl::unexpected(good.error());
  return std::make_unique<CpuImage>(*this, std::move(*module), kernels,
                                    image.chip);
}

void CpuDevice::addFindings(const std::vector<ptx::Finding> &found) {
  std::lock_guard lock(findingsMutex);
  for (const ptx::Finding &finding : found) {
    auto same = std::find_if(findings.begin(), findings.end(),
                             [&](const ptx::Finding &before) {
                               return before.kind == finding.kind &&
                                      before.message == finding.message;
                             });
    if (same == findings.end())
      findings.push_back(finding);
    else
      same->occurrences += finding.occurrences;
  }
}

size_t CpuDevice::findingCount() const {
  std::lock_guard lock(findingsMutex);
  return findings.size();
}

const ptx::Finding &CpuDevice::finding(size_t index) const {
  std::lock_guard lock(findingsMutex);
  return findings[index];
}

ptx::LaunchStatistics CpuDevice::statistics() const {
  return {blocks, warpInstructions, threadInstructions};
}

void CpuDevice::add(const ptx::LaunchStatistics &launch) {
  blocks += launch.blocks;
  warpInstructions += launch.warpInstructions;
  threadInstructions += launch.threadInstructions;
}

std::shared_ptr<Device> ctc::rt::openCpuDevice() {
  return std::make_shared<CpuDevice>();
}

Result<CpuDevice *> ctc::rt::asCpu(Device &device) {
  if (device.info().kind != CTC_DEVICE_CPU)
    return fail(CTC_INVALID_ARGUMENT,
                "'" + device.info().name + "' is not the cpu device");
  return static_cast<CpuDevice *>(&device);
}
