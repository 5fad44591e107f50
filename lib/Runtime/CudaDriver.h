//===- CudaDriver.h - The CUDA driver, opened at run time -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A table of the driver's functions, filled by dlopen and dlsym, so that the
// library links and starts where no driver is installed. The types are those of
// the CUDA driver API, declared here because its header may not be there
// either; handles are pointers, and the ABI has been stable since CUDA 4.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_CUDADRIVER_H
#define CTC_LIB_RUNTIME_CUDADRIVER_H

#include "Failure.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace ctc::rt {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx_st *;
using CUmodule = struct CUmod_st *;
using CUfunction = struct CUfunc_st *;
using CUstream = struct CUstream_st *;

// The enumerators used, with their numbers in cuda.h.
inline constexpr CUresult kCudaSuccess = 0;
inline constexpr CUresult kCudaErrorOutOfMemory = 2;
inline constexpr int kCudaAttributeMultiprocessors = 16;
inline constexpr int kCudaAttributeL2CacheBytes = 38;
inline constexpr int kCudaAttributeComputeMajor = 75;
inline constexpr int kCudaAttributeComputeMinor = 76;
inline constexpr int kCudaFunctionMaxDynamicShared = 8;
inline constexpr int kCudaJitErrorLogBuffer = 5;
inline constexpr int kCudaJitErrorLogBufferBytes = 6;

inline constexpr int kCudaLaunchProgrammatic = 6;

/// CUlaunchAttribute of cuda.h; the value is a union of 64 bytes.
struct CudaLaunchAttribute {
  int id = 0;
  alignas(8) int value[16] = {};
};

/// CUlaunchConfig of cuda.h.
struct CudaLaunchConfig {
  unsigned grid[3];
  unsigned block[3];
  unsigned dynamicSharedBytes;
  CUstream stream;
  const CudaLaunchAttribute *attributes;
  unsigned attributeCount;
};

/// A launch of `blocks` blocks along x.
struct CudaLaunch {
  CUfunction function;
  unsigned blocks;
  std::array<uint32_t, 3> block;
  unsigned dynamicSharedBytes;
  /// The kernel itself waits for the grids before it in the stream.
  bool programmatic;
};

/// The functions of libcuda.so.1 that are used, under the names it exports.
struct CudaDriver {
#define CTC_CUDA_FUNCTION(name, ...) CUresult (*name)(__VA_ARGS__) = nullptr;
#include "CudaFunctions.inc"
#undef CTC_CUDA_FUNCTION
  /// Null where the driver is older than CUDA 11.8.
  CUresult (*cuLaunchKernelEx)(const CudaLaunchConfig *config,
                               CUfunction function, void **parameters,
                               void **extra) = nullptr;

  /// Whether programmatic launches work everywhere, which in stream capture
  /// they do since CUDA 12.3.
  Result<bool> launchesProgrammatically() const;
  /// Launches by cuLaunchKernel, or by cuLaunchKernelEx with programmatic
  /// stream serialization (CUDA driver API, CUlaunchAttributeID).
  CUresult launch(const CudaLaunch &launch, CUstream stream,
                  void **parameters) const;
  /// The function that `launch` calls.
  static const char *nameOf(const CudaLaunch &launch) {
    return launch.programmatic ? "cuLaunchKernelEx" : "cuLaunchKernel";
  }

  /// Nothing when `result` is success, else a failure naming the call and the
  /// driver's own words; CTC_OUT_OF_MEMORY for that, else `status`.
  Result<void> check(CUresult result, const char *call,
                     ctc_status status = CTC_DEVICE_ERROR) const;
};

/// The driver of this machine, opened and initialized once per process.
/// CTC_NO_DEVICE when there is none.
const Result<CudaDriver> &cudaDriver();

/// A function of the driver by its exported name, for those that are not always
/// needed. CTC_NO_DEVICE when there is no driver or it lacks the function.
Result<void *> cudaFunction(const char *name);

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_CUDADRIVER_H
