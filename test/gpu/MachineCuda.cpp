//===- MachineCuda.cpp - A CUDA driver over the PTX machine ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ptx-compare and the runtime call of libcuda.so.1, done by the PTX
// machine, so that their tests need no GPU. As with the driver, a fault in a
// kernel spoils the context for whatever comes after; a kernel named
// "lose_process" ends the process. Images are PTX texts.
//
//===----------------------------------------------------------------------===//

#include "MachineCuda.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace ctc::ptx;
using namespace ctc::gpu;

MachineState &ctc::gpu::machineState() {
  static MachineState all;
  return all;
}

uint64_t ctc::gpu::fromEnvironment(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

namespace {
MachineState &state() { return machineState(); }

struct Function {
  const LoadedModule *module;
  std::string name;
};

struct LaunchAttribute {
  int id;
  char padding[4];
  int value[16];
};
struct LaunchConfiguration {
  Dim3 grid, block;
  unsigned sharedBytes;
  void *stream;
  const LaunchAttribute *attributes;
  unsigned attributeCount;
};

/// CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, and programmatic stream
/// serialization, allowed.
bool isKnown(const LaunchAttribute &attribute) {
  return attribute.id == 4 || (attribute.id == 6 && attribute.value[0] == 1);
}

LaunchConfig toLaunch(Dim3 grid, Dim3 block, unsigned sharedBytes) {
  LaunchConfig config;
  config.grid = grid;
  config.block = block;
  config.dynamicSharedBytes = sharedBytes;
  config.hostThreads = 1;
  return config;
}

/// Launches with the parameters that kernelParams point to. All those of ctc's
/// kernels are 64 bits wide.
int launchLater(const Function &kernel, void **parameters,
                LaunchConfig config) {
  for (const KernelInfo &info : kernel.module->kernels())
    if (info.name == kernel.name)
      for (size_t i = 0; i < info.parameterBytes / 8; ++i) {
        const auto *word = static_cast<const std::byte *>(parameters[i]);
        config.parameters.insert(config.parameters.end(), word, word + 8);
      }
  return enqueue([module = kernel.module, name = kernel.name, config] {
    if (!fromEnvironment("CTC_MACHINE_CUDA_SKIP", 0))
      state().spoiled |= !module->launch(name, config);
  });
}

int unlessSpoiled(int result = 0) {
  return state().spoiled ? kIllegalAddress : result;
}
} // namespace

extern "C" {
int cuInit(unsigned) { return 0; }
int cuGetErrorName(int error, const char **text) {
  *text = error == kIllegalAddress ? "CUDA_ERROR_ILLEGAL_ADDRESS"
          : error == kInvalidImage ? "CUDA_ERROR_INVALID_IMAGE"
          : error == kOutOfMemory  ? "CUDA_ERROR_OUT_OF_MEMORY"
                                   : "CUDA_ERROR";
  return 0;
}
int cuGetErrorString(int, const char **text) {
  *text = "of the PTX machine";
  return 0;
}
int cuDeviceGetCount(int *count) {
  *count = 1;
  return 0;
}
int cuDeviceGet(int *device, int ordinal) {
  *device = 0;
  return ordinal == 0 ? 0 : kInvalidValue;
}
int cuDeviceGetName(char *name, int length, int) {
  std::strncpy(name, "PTX machine", static_cast<size_t>(length));
  return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int) {
  // The compute capability is 9.0; multiprocessors, second level cache.
  *value = attribute == 75   ? 9
           : attribute == 16 ? 4
           : attribute == 38 ? 65536
                             : 0;
  return 0;
}
int cuDevicePrimaryCtxRetain(void **context, int) {
  *context = &state();
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxGetCurrent(void **context) {
  *context = nullptr; // Every caller pushes the one there is.
  return 0;
}
int cuCtxPushCurrent_v2(void *) { return 0; }
int cuCtxPopCurrent_v2(void **) { return 0; }

int cuModuleLoadDataEx(void **module, const void *image, unsigned, int *,
                       void **values) {
  auto loaded =
      LoadedModule::load(static_cast<const char *>(image), state().memory);
  if (!loaded) {
    std::strncpy(static_cast<char *>(values[0]), loaded.error().message.c_str(),
                 reinterpret_cast<size_t>(values[1]));
    return kInvalidImage;
  }
  *module = loaded->release();
  return unlessSpoiled();
}
int cuModuleUnload(void *module) {
  delete static_cast<LoadedModule *>(module);
  return 0;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
  const auto *loaded = static_cast<const LoadedModule *>(module);
  for (const KernelInfo &kernel : loaded->kernels())
    if (kernel.name == name) {
      *function = new Function{loaded, name};
      return 0;
    }
  return kNotFound;
}
int cuFuncSetAttribute(void *, int, int) { return 0; }
/// The code of a kernel named "swapped" has its two parameters of 8 bytes in
/// the other order; what others have is not known.
int cuFuncGetParamInfo(void *function, size_t index, size_t *offset,
                       size_t *size) {
  if (static_cast<const Function *>(function)->name != "swapped" || index > 1)
    return kInvalidValue;
  *offset = index == 0 ? 8 : 0;
  *size = 8;
  return 0;
}
int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                   unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned sharedBytes, void *,
                   void **parameters, void **) {
  return launchLater(
      *static_cast<const Function *>(function), parameters,
      toLaunch({gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes));
}
/// Launches run one after the other, so programmatic ones need nothing else.
int cuLaunchKernelEx(const LaunchConfiguration *launch, void *function,
                     void **parameters, void **extra) {
  const auto *kernel = static_cast<const Function *>(function);
  if (kernel->name == "lose_process")
    _exit(1);
  for (unsigned i = 0; i < launch->attributeCount; ++i)
    if (!isKnown(launch->attributes[i]))
      return kInvalidValue;
  LaunchConfig config =
      toLaunch(launch->grid, launch->block, launch->sharedBytes);
  if (parameters)
    return launchLater(*kernel, parameters, std::move(config));
  const auto *begin = static_cast<const std::byte *>(extra[1]);
  config.parameters.assign(begin, begin + *static_cast<size_t *>(extra[3]));
  state().spoiled = !kernel->module->launch(kernel->name, config);
  return 0;
}

int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  if (state().allocatedBytes() + bytes > memoryBytes())
    return kOutOfMemory;
  auto allocated = state().memory.allocate(bytes);
  if (!allocated)
    return kInvalidValue;
  *address = *allocated;
  state().allocations[*address] = bytes;
  return 0;
}
int cuMemFree_v2(unsigned long long address) {
  state().allocations.erase(address);
  return state().memory.free(address) ? 0 : kInvalidValue;
}
int cuMemcpyHtoDAsync_v2(unsigned long long destination, const void *source,
                         size_t bytes, void *) {
  std::memcpy(reinterpret_cast<void *>(destination), source, bytes);
  return unlessSpoiled();
}
int cuMemcpyDtoHAsync_v2(void *destination, unsigned long long source,
                         size_t bytes, void *) {
  std::memcpy(destination, reinterpret_cast<void *>(source), bytes);
  return unlessSpoiled();
}
int cuMemsetD8Async(unsigned long long destination, unsigned char value,
                    size_t bytes, void *) {
  std::memset(reinterpret_cast<void *>(destination), value, bytes);
  return unlessSpoiled();
}
int cuStreamSynchronize(void *) {
  state().hostFunctions.clear(); // Joins them.
  return unlessSpoiled();
}

// Tensor maps are not launched in these tests.
int cuTensorMapEncodeTiled() { return kInvalidValue; }
int cuTensorMapEncodeIm2col() { return kInvalidValue; }
}
