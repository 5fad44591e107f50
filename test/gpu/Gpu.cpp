//===- Gpu.cpp - Launches recorded cases on a GPU -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gpu.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>

using namespace ctc;
using namespace ctc::gpu;
using namespace ctc::rt;

namespace {
// Of cuda.h: the launch attribute of a cluster's size, the function attribute
// for clusters of more than 8 blocks, and the keys of a packed parameter block.
constexpr int kAttributeClusterDimension = 4;
constexpr int kFunctionNonPortableCluster = 14;
void *const kParameterPointer = reinterpret_cast<void *>(1);
void *const kParameterSize = reinterpret_cast<void *>(2);

/// CUlaunchAttribute and CUlaunchConfig of cuda.h.
struct LaunchAttribute {
  int id = 0;
  char padding[4] = {};
  uint32_t value[16] = {};
};
struct LaunchConfiguration {
  unsigned grid[3], block[3], sharedBytes;
  CUstream stream;
  LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// Buffers start as the PTX machine's do, at least.
constexpr uint64_t kAlignment = 1024;
} // namespace

struct Gpu::Functions {
  CUresult (*encodeTiled)(void *, int, uint32_t, void *, const uint64_t *,
                          const uint64_t *, const uint32_t *, const uint32_t *,
                          int, int, int, int) = nullptr;
  CUresult (*encodeIm2col)(void *, int, uint32_t, void *, const uint64_t *,
                           const uint64_t *, const int *, const int *, uint32_t,
                           uint32_t, const uint32_t *, int, int, int,
                           int) = nullptr;
  CUresult (*launchEx)(const LaunchConfiguration *, CUfunction, void **,
                       void **) = nullptr;
  /// From 12.4 on; null before.
  CUresult (*parameterInfo)(CUfunction, size_t, size_t *, size_t *) = nullptr;
};

Gpu::Gpu() : functions(std::make_unique<Functions>()) {}
Gpu::~Gpu() = default; // The process ends with it, and the context with that.

Expected<void> Gpu::check(CUresult result, const char *call, ErrorCode code) {
  if (auto good = driver->check(result, call); !good)
    return makeError(code, good.error().message);
  return {};
}

Expected<void> Gpu::openFunctions() {
  // The table has opened it already.
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  auto find = [&](auto &function, const char *name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(
        library ? dlsym(library, name) : nullptr);
    return function != nullptr;
  };
  if (!find(functions->encodeTiled, "cuTensorMapEncodeTiled") ||
      !find(functions->encodeIm2col, "cuTensorMapEncodeIm2col") ||
      !find(functions->launchEx, "cuLaunchKernelEx"))
    return makeError(ErrorCode::NoDevice,
                     "the CUDA driver has no tensor maps; 12.0 or newer has");
  find(functions->parameterInfo, "cuFuncGetParamInfo");
  return {};
}

Expected<std::unique_ptr<Gpu>> Gpu::open(int ordinal) {
  const auto &table = cudaDriver();
  if (!table)
    return makeError(ErrorCode::NoDevice, table.error().message);
  std::unique_ptr<Gpu> gpu(new Gpu);
  gpu->driver = &*table;
  if (auto opened = gpu->openFunctions(); !opened)
    return tl::unexpected<Error>(opened.error());
  const CudaDriver &driver = *table;
  CUcontext context = nullptr;
  char name[256] = {};
  int major = 0, minor = 0;
  for (auto [result, call] :
       std::initializer_list<std::pair<CUresult, const char *>>{
           {driver.cuDeviceGet(&gpu->device, ordinal), "cuDeviceGet"},
           {driver.cuDevicePrimaryCtxRetain(&context, gpu->device),
            "cuDevicePrimaryCtxRetain"},
           {driver.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent"},
           {driver.cuDeviceGetName(name, sizeof name - 1, gpu->device),
            "cuDeviceGetName"},
           {driver.cuDeviceGetAttribute(&major, kCudaAttributeComputeMajor,
                                        gpu->device),
            "cuDeviceGetAttribute"},
           {driver.cuDeviceGetAttribute(&minor, kCudaAttributeComputeMinor,
                                        gpu->device),
            "cuDeviceGetAttribute"}})
    if (auto good = gpu->check(result, call, ErrorCode::NoDevice); !good)
      return tl::unexpected<Error>(good.error());
  gpu->words = std::string(name) + ", sm_" + std::to_string(10 * major + minor);
  return gpu;
}

Expected<CUmodule> Gpu::load(const Module &module, bool fromText) {
  CUmodule loaded = nullptr;
  std::string log(4096, '\0');
  int options[] = {kCudaJitErrorLogBuffer, kCudaJitErrorLogBufferBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
  const bool text = fromText || module.cubin.empty();
  const void *image = text ? static_cast<const void *>(module.ptx.c_str())
                           : module.cubin.data();
  auto good =
      check(driver->cuModuleLoadDataEx(&loaded, image, 2, options, values),
            "cuModuleLoadDataEx", ErrorCode::InvalidProblem);
  if (good)
    return loaded;
  log.resize(std::strlen(log.c_str()));
  return makeError(good.error().code,
                   good.error().message + (log.empty() ? "" : "; " + log));
}

Expected<CUfunction> Gpu::kernelOf(CUmodule module, const std::string &name,
                                   const Case &value) {
  CUfunction function = nullptr;
  if (auto good =
          check(driver->cuModuleGetFunction(&function, module, name.c_str()),
                "cuModuleGetFunction", ErrorCode::InvalidProblem);
      !good)
    return tl::unexpected<Error>(good.error());
  if (value.dynamicSharedBytes > 0)
    if (auto good = check(driver->cuFuncSetAttribute(
                              function, kCudaFunctionMaxDynamicShared,
                              static_cast<int>(value.dynamicSharedBytes)),
                          "cuFuncSetAttribute", ErrorCode::InvalidProblem);
        !good)
      return tl::unexpected<Error>(good.error());
  const auto &cluster = value.cluster;
  if (cluster[0] * cluster[1] * cluster[2] > 8)
    if (auto good = check(driver->cuFuncSetAttribute(
                              function, kFunctionNonPortableCluster, 1),
                          "cuFuncSetAttribute", ErrorCode::InvalidProblem);
        !good)
      return tl::unexpected<Error>(good.error());
  return function;
}

/// Gives every buffer a place in the arena, with its bytes from before.
Expected<void> Gpu::place(const Case &value, std::vector<uint64_t> &addresses) {
  uint64_t bytes = 0;
  for (const Buffer &buffer : value.buffers) {
    addresses.push_back(bytes);
    bytes += (buffer.before.size() + kAlignment - 1) / kAlignment * kAlignment;
  }
  if (bytes > arenaBytes) {
    if (arena)
      driver->cuMemFree_v2(arena);
    arena = arenaBytes = 0;
    if (auto good = check(driver->cuMemAlloc_v2(&arena, bytes), "cuMemAlloc",
                          ErrorCode::DeviceError);
        !good)
      return good;
    arenaBytes = bytes;
  }
  for (size_t i = 0; i < addresses.size(); ++i) {
    addresses[i] += arena;
    const Bytes &before = value.buffers[i].before;
    if (before.empty())
      continue;
    if (auto good =
            check(driver->cuMemcpyHtoDAsync_v2(addresses[i], before.data(),
                                               before.size(), nullptr),
                  "cuMemcpyHtoDAsync", ErrorCode::DeviceError);
        !good)
      return good;
  }
  return {};
}

Expected<void> Gpu::encode(const TensorMap &map, uint64_t address,
                           std::byte *result) {
  alignas(64) std::byte encoded[128] = {};
  auto *place = reinterpret_cast<void *>(address);
  auto number = [](uint32_t value) { return static_cast<int>(value); };
  if (map.im2col)
    return check(functions->encodeIm2col(
                     encoded, number(map.dataType), map.rank, place,
                     map.sizes.data(), map.strides.data(),
                     map.lowerCorner.data(), map.upperCorner.data(),
                     map.channelsPerPixel, map.pixelsPerColumn,
                     map.elementStrides.data(), number(map.interleave),
                     number(map.swizzle), number(map.l2Promotion),
                     number(map.fill)),
                 "cuTensorMapEncodeIm2col", ErrorCode::InvalidProblem)
        .map([&] { std::memcpy(result, encoded, sizeof encoded); });
  return check(
             functions->encodeTiled(encoded, number(map.dataType), map.rank,
                                    place, map.sizes.data(), map.strides.data(),
                                    map.box.data(), map.elementStrides.data(),
                                    number(map.interleave), number(map.swizzle),
                                    number(map.l2Promotion), number(map.fill)),
             "cuTensorMapEncodeTiled", ErrorCode::InvalidProblem)
      .map([&] { std::memcpy(result, encoded, sizeof encoded); });
}

Expected<Bytes> Gpu::parametersOf(const Case &value,
                                  const std::vector<uint64_t> &addresses) {
  Bytes parameters = value.parameters;
  for (const Pointer &pointer : value.pointers)
    std::memcpy(parameters.data() + pointer.parameterOffset,
                &addresses[pointer.buffer], sizeof(uint64_t));
  for (const TensorMap &map : value.tensorMaps)
    if (auto good = encode(map, addresses[map.buffer],
                           parameters.data() + map.parameterOffset);
        !good)
      return tl::unexpected<Error>(good.error());
  return parameters;
}

/// ptxas aligns parameters where the hardware has them, which is 16 bytes past
/// a multiple of 64, so that one of .align 64 has another offset than the ISA's
/// rules for .param give.
Bytes Gpu::layOut(CUfunction function, const Case &value,
                  const Bytes &parameters) const {
  Bytes block;
  size_t next = 0, end = 0, offset = 0, size = 0;
  // A parameter that is a struct takes several arguments of the record.
  for (size_t i = 0; functions->parameterInfo &&
                     functions->parameterInfo(function, i, &offset, &size) == 0;
       ++i) {
    while (next < value.arguments.size() && value.arguments[next] < end)
      ++next;
    if (next == value.arguments.size())
      return parameters;
    const size_t from = value.arguments[next];
    end = from + size;
    block.resize(std::max(block.size(), offset + size));
    std::copy_n(parameters.begin() + static_cast<std::ptrdiff_t>(from),
                std::min(size, parameters.size() - from),
                block.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  return block.empty() ? parameters : block;
}

Expected<void> Gpu::start(CUfunction function, const Case &value,
                          Bytes &parameters) {
  const auto &[gridX, gridY, gridZ] = value.grid;
  const auto &[blockX, blockY, blockZ] = value.block;
  Bytes block = layOut(function, value, parameters);
  size_t bytes = block.size();
  void *packed[] = {kParameterPointer, block.data(), kParameterSize, &bytes,
                    nullptr};
  LaunchAttribute attribute;
  attribute.id = kAttributeClusterDimension;
  std::copy(value.cluster.begin(), value.cluster.end(), attribute.value);
  LaunchConfiguration configuration = {{gridX, gridY, gridZ},
                                       {blockX, blockY, blockZ},
                                       value.dynamicSharedBytes,
                                       nullptr,
                                       &attribute,
                                       1};
  const auto &cluster = value.cluster;
  if (cluster[0] * cluster[1] * cluster[2] == 1)
    configuration.attributeCount = 0;
  return check(functions->launchEx(&configuration, function, nullptr, packed),
               "cuLaunchKernelEx", ErrorCode::DeviceError);
}

Expected<std::vector<Bytes>>
Gpu::launch(CUmodule module, const std::string &kernel, const Case &value) {
  auto function = kernelOf(module, kernel, value);
  if (!function)
    return tl::unexpected<Error>(function.error());
  std::vector<uint64_t> addresses;
  if (auto placed = place(value, addresses); !placed)
    return tl::unexpected<Error>(placed.error());
  auto parameters = parametersOf(value, addresses);
  if (!parameters)
    return tl::unexpected<Error>(parameters.error());
  auto done = start(*function, value, *parameters).and_then([&] {
    return check(driver->cuStreamSynchronize(nullptr), "cuStreamSynchronize",
                 ErrorCode::DeviceError);
  });
  if (!done)
    return tl::unexpected<Error>(done.error());
  std::vector<Bytes> results;
  for (size_t i = 0; i < addresses.size(); ++i) {
    Bytes &bytes = results.emplace_back(value.buffers[i].before.size());
    if (bytes.empty())
      continue;
    auto copied = check(driver->cuMemcpyDtoHAsync_v2(bytes.data(), addresses[i],
                                                     bytes.size(), nullptr),
                        "cuMemcpyDtoHAsync", ErrorCode::DeviceError);
    if (!copied)
      return tl::unexpected<Error>(copied.error());
  }
  auto finished = check(driver->cuStreamSynchronize(nullptr),
                        "cuStreamSynchronize", ErrorCode::DeviceError);
  if (!finished)
    return tl::unexpected<Error>(finished.error());
  return results;
}
