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

/// Fills the table; the library stays open for the life of the process, as the
/// driver cannot be unloaded safely.
static Result<CudaDriver> openDriver() {
  std::string reasons, file;
  void *library = nullptr;
  for (const char *candidate : {"libcuda.so.1", "libcuda.so"}) {
    file = candidate;
    library = dlopen(candidate, RTLD_NOW | RTLD_LOCAL);
    if (library)
      break;
    if (!reasons.empty())
      reasons += "; ";
    reasons += dlerror();
  }
  if (!library)
    return fail(CTC_NO_DEVICE,
                "no CUDA driver: libcuda.so.1 could not be opened (" + reasons +
                    ")");
  CudaDriver driver;
#define CTC_CUDA_FUNCTION(name, ...)                                           \
  driver.name =                                                                \
      reinterpret_cast<CUresult (*)(__VA_ARGS__)>(dlsym(library, #name));      \
  if (!driver.name)                                                            \
    return fail(CTC_NO_DEVICE,                                                 \
                "no usable CUDA driver: " + file + " has no function " #name);
#include "CudaFunctions.inc"
#undef CTC_CUDA_FUNCTION
  if (auto good = driver.check(driver.cuInit(0), "cuInit"); !good)
    return fail(CTC_NO_DEVICE, "no CUDA device: " + good.error().message);
  return driver;
}

const Result<CudaDriver> &ctc::rt::cudaDriver() {
  static const Result<CudaDriver> driver = openDriver();
  return driver;
}
