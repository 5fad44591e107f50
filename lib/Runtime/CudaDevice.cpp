//===- CudaDevice.cpp - A GPU as a device ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDevice.h"
#include "ctc/Chips/Chips.h"

using namespace ctc;
using namespace ctc::rt;

namespace {
/// A module of the driver and its kernels.
class CudaImage : public LoadedImage {
public:
  /// `programmatic` where the driver launches kernels that wait themselves.
  CudaImage(const CudaDriver &driver, CUcontext context, CUmodule module,
            bool programmatic)
      : driver(driver), context(context), module(module),
        programmatic(programmatic) {}
  ~CudaImage() override {
    const CurrentContext current(driver, context);
    driver.cuModuleUnload(module);
  }

  /// Looks up one more kernel.
  Result<void> add(const KernelRequest &request) {
    CUfunction function = nullptr;
    auto found = driver.check(
        driver.cuModuleGetFunction(&function, module, request.name.c_str()),
        "cuModuleGetFunction", CTC_INVALID_BUNDLE);
    if (!found)
      return fail(found.error().status,
                  "kernel '" + request.name + "': " + found.error().message);
    // Static and dynamic shared memory together may pass the 48 KiB a kernel
    // gets without asking, so ask for whatever is needed.
    if (request.dynamicSharedBytes > 0) {
      auto granted =
          driver.check(driver.cuFuncSetAttribute(
                           function, kCudaFunctionMaxDynamicShared,
                           static_cast<int>(request.dynamicSharedBytes)),
                       "cuFuncSetAttribute");
      if (!granted)
        return fail(granted.error().status,
                    "kernel '" + request.name + "' with " +
                        std::to_string(request.dynamicSharedBytes) +
                        " bytes of shared memory: " + granted.error().message);
    }
    functions.push_back(function);
    return {};
  }

  Result<void> launch(const KernelLaunch &launch,
                      Stream stream) const override {
    if (!launch.extras.onlyBlocks.empty())
      return fail(CTC_INVALID_ARGUMENT,
                  "single blocks can be launched on the cpu device only");
    const CurrentContext current(driver, context);
    if (!current.result())
      return current.result();
    std::array<void *, kMaxLaunchArguments + 1> pointers;
    for (size_t i = 0; i < launch.parameters.size(); ++i)
      pointers[i] = const_cast<uint64_t *>(&launch.parameters[i]);
    const CudaLaunch what{functions[launch.kernel], launch.blocks, launch.block,
                          launch.dynamicSharedBytes,
                          launch.programmatic && programmatic};
    return driver.check(
        driver.launch(what, static_cast<CUstream>(stream), pointers.data()),
        CudaDriver::nameOf(what));
  }

private:
  const CudaDriver &driver;
  CUcontext context;
  CUmodule module;
  bool programmatic;
  std::vector<CUfunction> functions;
};

class CudaDevice : public Device {
public:
  CudaDevice(const CudaDriver &driver, CUdevice device, CUcontext context,
             bool programmatic, DeviceInfo description)
      : driver(driver), device(device), context(context),
        programmatic(programmatic), description(std::move(description)) {}
  ~CudaDevice() override { driver.cuDevicePrimaryCtxRelease_v2(device); }

  CudaHandles handles() const { return {driver, device, context}; }
  const DeviceInfo &info() const override { return description; }
  Result<uint64_t> allocate(uint64_t bytes) override;
  Result<void> free(uint64_t address) override;
  Result<void> copyIn(uint64_t destination, const void *source, uint64_t bytes,
                      Stream stream) override;
  Result<void> copyOut(void *destination, uint64_t source, uint64_t bytes,
                       Stream stream) override;
  Result<void> fill(uint64_t destination, uint8_t value, uint64_t bytes,
                    Stream stream) override;
  Result<void> synchronize(Stream stream) override;
  std::optional<bool> contains(uint64_t, uint64_t) const override {
    return std::nullopt;
  }
  Result<ImageChoice> choose(std::span<const ChipImage> images) const override;
  Result<ImageChoice> choose(std::span<const ChipImage> images,
                             size_t image) const override;
  Result<std::unique_ptr<LoadedImage>>
  load(const ChipImage &image, bool usesPtx,
       std::span<const KernelRequest> kernels) override;

private:
  /// Calls a driver function with the context current.
  template <typename Function, typename... Arguments>
  Result<void> call(const char *name, Function function,
                    Arguments... arguments) const {
    const CurrentContext current(driver, context);
    if (!current.result())
      return current.result();
    return driver.check(function(arguments...), name);
  }
  Result<CUmodule> loadModule(const ChipImage &image, bool usesPtx) const;

  const CudaDriver &driver;
  CUdevice device;
  CUcontext context;
  bool programmatic;
  DeviceInfo description;
};
} // namespace

Result<uint64_t> CudaDevice::allocate(uint64_t bytes) {
  CUdeviceptr address = 0;
  // The driver refuses 0 bytes; one byte makes an address of its own.
  auto done = call("cuMemAlloc", driver.cuMemAlloc_v2, &address,
                   static_cast<size_t>(bytes ? bytes : 1));
  if (!done)
    return fail(done.error().status, "allocating " + std::to_string(bytes) +
                                         " bytes: " + done.error().message);
  return address;
}

Result<void> CudaDevice::free(uint64_t address) {
  return call("cuMemFree", driver.cuMemFree_v2, CUdeviceptr{address});
}

Result<void> CudaDevice::copyIn(uint64_t destination, const void *source,
                                uint64_t bytes, Stream stream) {
  if (bytes == 0)
    return {};
  auto done = call("cuMemcpyHtoDAsync", driver.cuMemcpyHtoDAsync_v2,
                   CUdeviceptr{destination}, source, size_t{bytes},
                   static_cast<CUstream>(stream));
  return done ? synchronize(stream) : done;
}

Result<void> CudaDevice::copyOut(void *destination, uint64_t source,
                                 uint64_t bytes, Stream stream) {
  if (bytes == 0)
    return {};
  auto done =
      call("cuMemcpyDtoHAsync", driver.cuMemcpyDtoHAsync_v2, destination,
           CUdeviceptr{source}, size_t{bytes}, static_cast<CUstream>(stream));
  return done ? synchronize(stream) : done;
}

Result<void> CudaDevice::fill(uint64_t destination, uint8_t value,
                              uint64_t bytes, Stream stream) {
  if (bytes == 0)
    return {};
  return call("cuMemsetD8Async", driver.cuMemsetD8Async,
              CUdeviceptr{destination}, static_cast<unsigned char>(value),
              size_t{bytes}, static_cast<CUstream>(stream));
}

Result<void> CudaDevice::synchronize(Stream stream) {
  return call("cuStreamSynchronize", driver.cuStreamSynchronize,
              static_cast<CUstream>(stream));
}

Result<ImageChoice>
CudaDevice::choose(std::span<const ChipImage> images) const {
  auto choice =
      pickImage(images, description.computeMajor, description.computeMinor);
  if (!choice)
    return fail(CTC_NO_IMAGE, description.name + ": " + choice.error().message);
  return *choice;
}

Result<ImageChoice> CudaDevice::choose(std::span<const ChipImage> images,
                                       size_t image) const {
  auto choice = choose(images.subspan(image, 1));
  if (choice)
    choice->image = image;
  return choice;
}

Result<CUmodule> CudaDevice::loadModule(const ChipImage &image,
                                        bool usesPtx) const {
  std::array<char, 8192> log{};
  std::array<int, 2> options{kCudaJitErrorLogBuffer,
                             kCudaJitErrorLogBufferBytes};
  std::array<void *, 2> values{log.data(),
                               reinterpret_cast<void *>(log.size() - 1)};
  const void *code = usesPtx ? static_cast<const void *>(image.ptx.c_str())
                             : image.cubin.data();
  CUmodule module = nullptr;
  auto loaded =
      driver.check(driver.cuModuleLoadDataEx(&module, code, options.size(),
                                             options.data(), values.data()),
                   "cuModuleLoadDataEx");
  if (loaded)
    return module;
  std::string message = std::string("the ") + (usesPtx ? "PTX" : "cubin") +
                        " for " + image.chip + " on " + description.name +
                        ": " + loaded.error().message;
  if (log[0])
    message += std::string(": ") + log.data();
  return fail(loaded.error().status, std::move(message));
}

Result<std::unique_ptr<LoadedImage>>
CudaDevice::load(const ChipImage &image, bool usesPtx,
                 std::span<const KernelRequest> kernels) {
  const CurrentContext current(driver, context);
  if (!current.result())
    return tl::unexpected(current.result().error());
  auto module = loadModule(image, usesPtx);
  if (!module)
    return tl::unexpected(module.error());
  auto loaded =
      std::make_unique<CudaImage>(driver, context, *module, programmatic);
  for (const KernelRequest &request : kernels)
    if (auto added = loaded->add(request); !added)
      return tl::unexpected(added.error());
  return loaded;
}

std::optional<CudaHandles> ctc::rt::cudaHandles(const Device &device) {
  if (const auto *cuda = dynamic_cast<const CudaDevice *>(&device))
    return cuda->handles();
  return std::nullopt;
}

/// Name and compute capability of a GPU.
static Result<DeviceInfo> describe(const CudaDriver &driver, CUdevice device,
                                   int ordinal) {
  DeviceInfo info;
  info.kind = CTC_DEVICE_CUDA;
  info.ordinal = ordinal;
  std::array<char, 256> name{};
  auto good =
      driver.check(driver.cuDeviceGetName(name.data(), name.size() - 1, device),
                   "cuDeviceGetName");
  struct Attribute {
    int number;
    int &value;
  };
  for (const Attribute &attribute :
       {Attribute{kCudaAttributeComputeMajor, info.computeMajor},
        Attribute{kCudaAttributeComputeMinor, info.computeMinor}})
    if (good)
      good = driver.check(driver.cuDeviceGetAttribute(&attribute.value,
                                                      attribute.number, device),
                          "cuDeviceGetAttribute");
  if (!good)
    return tl::unexpected(good.error());
  info.name = name.data();
  return info;
}

Result<std::shared_ptr<Device>> ctc::rt::openCudaDevice(int ordinal) {
  const Result<CudaDriver> &opened = cudaDriver();
  if (!opened)
    return tl::unexpected(opened.error());
  const CudaDriver &driver = *opened;
  int count = 0;
  if (auto good = driver.check(driver.cuDeviceGetCount(&count),
                               "cuDeviceGetCount", CTC_NO_DEVICE);
      !good)
    return tl::unexpected(good.error());
  if (ordinal >= count)
    return fail(CTC_NO_DEVICE, "no CUDA device " + std::to_string(ordinal) +
                                   ": the driver sees " +
                                   std::to_string(count));
  CUdevice device = 0;
  if (auto good =
          driver.check(driver.cuDeviceGet(&device, ordinal), "cuDeviceGet");
      !good)
    return tl::unexpected(good.error());
  auto info = describe(driver, device, ordinal);
  if (!info)
    return tl::unexpected(info.error());
  const auto programmatic = driver.launchesProgrammatically();
  if (!programmatic)
    return tl::unexpected(programmatic.error());
  CUcontext context = nullptr;
  if (auto good =
          driver.check(driver.cuDevicePrimaryCtxRetain(&context, device),
                       "cuDevicePrimaryCtxRetain");
      !good)
    return tl::unexpected(good.error());
  return std::make_shared<CudaDevice>(driver, device, context, *programmatic,
                                      std::move(*info));
}
