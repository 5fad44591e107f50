//===- FakeCuda.cpp - A CUDA driver for tests -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"

#include <cstdlib>
#include <cstring>

FakeCuda *fakeCuda() {
  static FakeCuda state;
  return &state;
}

namespace {
constexpr int kInvalidValue = 1, kInvalidContext = 201, kNotFound = 500;

/// The failure planted for a function, once.
int planted(const char *function) {
  auto &failures = fakeCuda()->failures;
  const auto at = failures.find(function);
  if (at == failures.end())
    return 0;
  const int result = at->second;
  failures.erase(at);
  return result;
}

/// There is one context, and a caller may have made another one current.
void *currentContext() {
  return fakeCuda()->contextsPushed > 0 ? fakeCuda()
                                        : fakeCuda()->callersContext;
}

/// What every call that works in a context gives first.
int inContext(const char *function) {
  if (const int result = planted(function))
    return result;
  return currentContext() == fakeCuda() ? 0 : kInvalidContext;
}

/// What cuda.h says of them, written down a second time.
struct LaunchAttribute {
  int id;
  char padding[4];
  int value[16];
};
struct LaunchConfig {
  std::array<unsigned, 3> grid, block;
  unsigned dynamicSharedBytes;
  void *stream;
  const LaunchAttribute *attributes;
  unsigned attributeCount;
};
static_assert(sizeof(LaunchAttribute) == 72 && sizeof(LaunchConfig) == 56);

/// Notes a launch, all but the kernel's name and its parameters given.
int record(const char *call, void *function, void **parameters,
           FakeCuda::Launch launch) {
  if (const int result = inContext(call))
    return result;
  launch.kernel = *static_cast<std::string *>(function);
  for (size_t i = 0; i < fakeCuda()->kernels[launch.kernel]; ++i)
    launch.parameters.push_back(*static_cast<uint64_t *>(parameters[i]));
  fakeCuda()->launches.push_back(std::move(launch));
  return 0;
}
} // namespace

extern "C" {
int cuInit(unsigned) {
  const char *result = std::getenv("CTC_FAKE_CUDA_INIT");
  return result ? static_cast<int>(std::strtol(result, nullptr, 10)) : 0;
}

int cuGetErrorName(int error, const char **text) {
  switch (error) {
  case 2:
    *text = "CUDA_ERROR_OUT_OF_MEMORY";
    return 0;
  case 100:
    *text = "CUDA_ERROR_NO_DEVICE";
    return 0;
  case 218:
    *text = "CUDA_ERROR_INVALID_PTX";
    return 0;
  case 500:
    *text = "CUDA_ERROR_NOT_FOUND";
    return 0;
  case 700:
    *text = "CUDA_ERROR_ILLEGAL_ADDRESS";
    return 0;
  default:
    return kInvalidValue;
  }
}

int cuGetErrorString(int error, const char **text) {
  static std::string words;
  words = "words about " + std::to_string(error);
  *text = words.c_str();
  return 0;
}

int cuDriverGetVersion(int *version) {
  *version = fakeCuda()->driverVersion;
  return planted("cuDriverGetVersion");
}

int cuDeviceGetCount(int *count) {
  *count = fakeCuda()->deviceCount;
  return planted("cuDeviceGetCount");
}

int cuDeviceGet(int *device, int ordinal) {
  *device = 10 + ordinal;
  return planted("cuDeviceGet");
}

int cuDeviceGetName(char *name, int length, int device) {
  std::strncpy(name, ("Fake GPU " + std::to_string(device - 10)).c_str(),
               static_cast<size_t>(length));
  return planted("cuDeviceGetName");
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
  *value = attribute == 75 ? fakeCuda()->major : fakeCuda()->minor;
  return attribute == 75 || attribute == 76 ? 0 : kInvalidValue;
}

int cuDevicePrimaryCtxRetain(void **context, int) {
  if (const int result = planted("cuDevicePrimaryCtxRetain"))
    return result;
  *context = fakeCuda();
  ++fakeCuda()->contextsRetained;
  return 0;
}

int cuDevicePrimaryCtxRelease_v2(int) {
  --fakeCuda()->contextsRetained;
  return 0;
}

int cuCtxGetCurrent(void **context) {
  *context = currentContext();
  return planted("cuCtxGetCurrent");
}

int cuCtxPushCurrent_v2(void *) {
  if (const int result = planted("cuCtxPushCurrent"))
    return result;
  ++fakeCuda()->contextsPushed;
  ++fakeCuda()->pushes;
  return 0;
}

int cuCtxPopCurrent_v2(void **) {
  --fakeCuda()->contextsPushed;
  return 0;
}

int cuModuleLoadDataEx(void **module, const void *image, unsigned count,
                       int *options, void **values) {
  const int result = inContext("cuModuleLoadDataEx");
  const auto *text = static_cast<const char *>(image);
  fakeCuda()->loadedImages.push_back(text[0] == 0x7f ? "cubin" : text);
  for (unsigned i = 0; result && i < count; ++i)
    if (options[i] == 5) // CU_JIT_ERROR_LOG_BUFFER
      std::strcpy(static_cast<char *>(values[i]), "line 3: no such thing");
  if (result)
    return result;
  *module = fakeCuda();
  ++fakeCuda()->modulesLoaded;
  return 0;
}

int cuModuleUnload(void *) {
  const int result = inContext("cuModuleUnload");
  if (!result)
    --fakeCuda()->modulesLoaded;
  return result;
}

int cuModuleGetFunction(void **function, void *, const char *name) {
  auto &kernels = fakeCuda()->kernels;
  if (std::getenv("CTC_FAKE_CUDA_ANY_KERNEL"))
    kernels.try_emplace(name, 0);
  const auto at = kernels.find(name);
  if (at == kernels.end())
    return kNotFound;
  *function = const_cast<std::string *>(&at->first);
  return inContext("cuModuleGetFunction");
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
  if (attribute != 8)
    return kInvalidValue;
  fakeCuda()->dynamicSharedAllowed[*static_cast<std::string *>(function)] =
      value;
  return inContext("cuFuncSetAttribute");
}

int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned shared, void *stream,
                   void **parameters, void **) {
  return record("cuLaunchKernel", function, parameters,
                {{},
                 {gridX, gridY, gridZ},
                 {blockX, blockY, blockZ},
                 shared,
                 stream,
                 {},
                 /*programmatic=*/false});
}

int cuLaunchKernelEx(const LaunchConfig *config, void *function,
                     void **parameters, void **) {
  const LaunchAttribute *attribute = config->attributes;
  // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION
  if (config->attributeCount != 1 || attribute->id != 6)
    return kInvalidValue;
  return record("cuLaunchKernelEx", function, parameters,
                {{},
                 config->grid,
                 config->block,
                 config->dynamicSharedBytes,
                 config->stream,
                 {},
                 attribute->value[0] != 0});
}

int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  if (bytes == 0)
    return kInvalidValue;
  if (const int result = inContext("cuMemAlloc"))
    return result;
  void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  fakeCuda()->allocations[memory] = bytes;
  *address = reinterpret_cast<unsigned long long>(memory);
  return 0;
}

int cuMemFree_v2(unsigned long long address) {
  void *memory = reinterpret_cast<void *>(address);
  if (!fakeCuda()->allocations.erase(memory))
    return kInvalidValue;
  std::free(memory);
  return inContext("cuMemFree");
}

int cuMemcpyHtoDAsync_v2(unsigned long long destination, const void *source,
                         size_t bytes, void *) {
  std::memcpy(reinterpret_cast<void *>(destination), source, bytes);
  return inContext("cuMemcpyHtoDAsync");
}

int cuMemcpyDtoHAsync_v2(void *destination, unsigned long long source,
                         size_t bytes, void *) {
  std::memcpy(destination, reinterpret_cast<void *>(source), bytes);
  return inContext("cuMemcpyDtoHAsync");
}

int cuMemsetD8Async(unsigned long long destination, unsigned char value,
                    size_t bytes, void *) {
  std::memset(reinterpret_cast<void *>(destination), value, bytes);
  return inContext("cuMemsetD8Async");
}

int cuStreamSynchronize(void *) {
  ++fakeCuda()->synchronizations;
  return inContext("cuStreamSynchronize");
}

long fakeCudaCount(const char *what) {
  const FakeCuda &state = *fakeCuda();
  const std::string name = what;
  if (name == "launches")
    return static_cast<long>(state.launches.size());
  if (name == "allocations")
    return static_cast<long>(state.allocations.size());
  return name == "synchronizations" ? state.synchronizations : -1;
}

void *fakeCudaLastStream() {
  return fakeCuda()->launches.empty() ? nullptr
                                      : fakeCuda()->launches.back().stream;
}
}
