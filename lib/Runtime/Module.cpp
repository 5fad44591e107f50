//===- Module.cpp - A bundle loaded onto a device -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"

#include <algorithm>
#include <map>

using namespace ctc;
using namespace ctc::rt;

/// The kernels of all launches of a manifest, by name.
static Result<std::vector<KernelRequest>> requests(const Manifest &manifest) {
  std::map<std::string, KernelRequest> kernels;
  for (const Entry &entry : manifest.entries)
    for (const auto *launches : {&entry.prepare, &entry.run})
      for (const Launch &launch : *launches) {
        const auto bytes = static_cast<uint32_t>(
            8 * (launch.arguments.size() + launch.passesBatch));
        const auto [at, isNew] = kernels.try_emplace(
            launch.kernel, KernelRequest{launch.kernel, 0, bytes});
        KernelRequest &request = at->second;
        if (request.parameterBytes != bytes)
          return fail(CTC_INVALID_BUNDLE,
                      "kernel '" + launch.kernel + "' is launched with " +
                          std::to_string(request.parameterBytes) +
                          " and with " + std::to_string(bytes) +
                          " bytes of parameters");
        request.dynamicSharedBytes =
            std::max(request.dynamicSharedBytes, launch.dynamicSharedBytes);
      }
  std::vector<KernelRequest> result;
  for (auto &[name, request] : kernels)
    result.push_back(std::move(request));
  return result;
}

/// The image the user named, or the one that suits the device.
static Result<ImageChoice> choose(const Bundle &bundle, const Device &device,
                                  std::string_view chip) {
  if (chip.empty())
    return device.choose(bundle.images);
  const auto image = findImage(bundle.images, chip);
  if (!image)
    return fail(CTC_NO_IMAGE, image.error());
  return device.choose(bundle.images, *image);
}

Result<std::shared_ptr<const Module>>
Module::load(std::shared_ptr<const Bundle> bundle,
             std::shared_ptr<Device> device, std::string_view chip) {
  const auto choice = choose(*bundle, *device, chip);
  if (!choice)
    return tl::unexpected(choice.error());
  std::shared_ptr<Module> module(new Module);
  module->bundle = std::move(bundle);
  module->target = std::move(device);
  module->choice = *choice;
  const auto kernels = requests(module->image().manifest);
  if (!kernels)
    return tl::unexpected(kernels.error());
  for (const KernelRequest &request : *kernels)
    module->kernelNames.push_back(request.name);
  auto loaded =
      module->target->load(module->image(), choice->usesPtx, *kernels);
  if (!loaded)
    return tl::unexpected(loaded.error());
  module->loaded = std::move(*loaded);
  return module;
}

size_t Module::findKernel(std::string_view name) const {
  const auto at =
      std::lower_bound(kernelNames.begin(), kernelNames.end(), name);
  return static_cast<size_t>(at - kernelNames.begin());
}

Result<void> Module::launch(const Launch &launch, size_t kernel,
                            uint32_t blocks,
                            std::span<const uint64_t> parameters,
                            const CpuExtras &extras, Stream stream) const {
  KernelLaunch what;
  what.kernel = kernel;
  what.blocks = blocks;
  what.block = launch.block;
  what.dynamicSharedBytes = launch.dynamicSharedBytes;
  what.programmatic = launch.programmatic;
  what.parameters = parameters;
  what.extras = extras;
  return loaded->launch(what, stream);
}
