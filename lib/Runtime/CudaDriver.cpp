//===- CudaDriver.cpp - The CUDA driver, opened at run time ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaDriver.h"

#include <dlfcn.h>

using namespace ctc;
using namespace ctc::rt;

Result<void> CudaDriver::check(CUresult result, const char *call,
                               ctc_status status) const {
  if (result == kCudaSuccess)
    return {};
  const char *name = nullptr, *text = nullptr;
  std::string message = std::string(call) + " failed: ";
  if (cuGetErrorName(result, &name) == kCudaSuccess && name)
    message += name;
  else
    message += "error " + std::to_string(result);
  if (cuGetErrorString(result, &text) == kCudaSuccess && text)
    message += std::string(" (") + text + ")";
  if (result == kCudaErrorOutOfMemory)
    status = CTC_OUT_OF_MEMORY;
  return fail(status, std::move(message));
}

Result<bool> CudaDriver::launchesProgrammatically() const {
  constexpr int kLeastVersion = 12030;
  int version = 0;
  if (auto good = check(cuDriverGetVersion(&version), "cuDriverGetVersion");
      !good)
    return tl::unexpected(good.error());
  return version >= kLeastVersion && cuLaunchKernelEx;
}

CUresult CudaDriver::launch(const CudaLaunch &launch, CUstream stream,
                            void **parameters) const {
  const auto &[x, y, z] = launch.block;
  if (!launch.programmatic)
    return cuLaunchKernel(launch.function, launch.blocks, 1, 1, x, y, z,
                          launch.dynamicSharedBytes, stream, parameters,
                          nullptr);
  const CudaLaunchAttribute attribute{kCudaLaunchProgrammatic, {1}};
  const CudaLaunchConfig config{{launch.blocks, 1, 1},
                                {x, y, z},
                                launch.dynamicSharedBytes,
                                stream,
                                &attribute,
                                1};
  return cuLaunchKernelEx(&config, launch.function, parameters, nullptr);
}

namespace {
/// The driver's file; it stays open for the life of the process, as the driver
/// cannot be unloaded safely.
struct DriverFile {
  std::string name;
  void *handle = nullptr;
};
} // namespace

static Result<DriverFile> openFile() {
  std::string reasons;
  for (const char *candidate : {"libcuda.so.1", "libcuda.so"}) {
    if (void *handle = dlopen(candidate, RTLD_NOW | RTLD_LOCAL))
      return DriverFile{candidate, handle};
    if (!reasons.empty())
      reasons += "; ";
    reasons += dlerror();
  }
  return fail(CTC_NO_DEVICE,
              "no CUDA driver: libcuda.so.1 could not be opened (" + reasons +
                  ")");
}

Result<void *> ctc::rt::cudaFunction(const char *name) {
  static const Result<DriverFile> file = openFile();
  if (!file)
    return tl::unexpected(file.error());
  if (void *function = dlsym(file->handle, name))
    return function;
  return fail(CTC_NO_DEVICE, "no usable CUDA driver: " + file->name +
                                 " has no function " + name);
}

static Result<CudaDriver> openDriver() {
  CudaDriver driver;
#define CTC_CUDA_FUNCTION(name, ...)                                           \
  if (auto found = cudaFunction(#name))                                        \
    driver.name = reinterpret_cast<CUresult (*)(__VA_ARGS__)>(*found);         \
  else                                                                         \
    return tl::unexpected(found.error());
#include "CudaFunctions.inc"
#undef CTC_CUDA_FUNCTION
  if (auto found = cudaFunction("cuLaunchKernelEx"))
    driver.cuLaunchKernelEx =
        reinterpret_cast<decltype(driver.cuLaunchKernelEx)>(*found);
  if (auto good = driver.check(driver.cuInit(0), "cuInit"); !good)
    return fail(CTC_NO_DEVICE, "no CUDA device: " + good.error().message);
  return driver;
}

const Result<CudaDriver> &ctc::rt::cudaDriver() {
  static const Result<CudaDriver> driver = openDriver();
  return driver;
}
