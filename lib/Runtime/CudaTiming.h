//===- CudaTiming.h - Streams, events and graphs of a GPU -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_CUDATIMING_H
#define CTC_LIB_RUNTIME_CUDATIMING_H

#include "CudaDevice.h"
#include "CudaDriver.h"
#include "ctc/Runtime/ctc_timing.h"

#include <condition_variable>
#include <mutex>

namespace ctc::rt {

using CUevent = struct CUevent_st *;
using CUgraph = struct CUgraph_st *;
using CUgraphExec = struct CUgraphExec_st *;

/// The driver's functions that only times need.
struct CudaTimingFunctions {
#define CTC_CUDA_FUNCTION(name, ...) CUresult (*name)(__VA_ARGS__) = nullptr;
#include "CudaTimingFunctions.inc"
#undef CTC_CUDA_FUNCTION
};

/// Looked up once per process. CTC_DEVICE_ERROR when the driver lacks one.
const Result<CudaTimingFunctions> &cudaTimingFunctions();

/// A CUDA device with what it takes to call its driver. Keeps it alive.
class TimedDevice {
public:
  /// CTC_INVALID_ARGUMENT when the device is no CUDA device.
  static Result<TimedDevice> of(std::shared_ptr<Device> device);

  /// Calls one of the functions with the device's context current.
  template <typename Function, typename... Arguments>
  Result<void> call(const char *name, Function function,
                    Arguments... arguments) const {
    const CurrentContext current(cuda.driver, cuda.context);
    if (!current.result())
      return current.result();
    return cuda.driver.check((functions->*function)(arguments...), name);
  }
  Result<ctc_cuda_info> info() const;
  Result<void> synchronize(CUstream stream) const {
    return device->synchronize(stream);
  }

private:
  TimedDevice(std::shared_ptr<Device> device, CudaHandles cuda,
              const CudaTimingFunctions &functions)
      : device(std::move(device)), cuda(cuda), functions(&functions) {}

  std::shared_ptr<Device> device;
  CudaHandles cuda;
  const CudaTimingFunctions *functions;
};

/// A stream that can be held: a host function at its end waits until told.
class TimedStream {
public:
  static Result<std::unique_ptr<TimedStream>> create(TimedDevice device);
  ~TimedStream();
  TimedStream(const TimedStream &) = delete;
  TimedStream &operator=(const TimedStream &) = delete;

  CUstream native() const { return stream; }
  const TimedDevice &on() const { return device; }
  Result<void> hold();
  Result<void> release();

private:
  TimedStream(TimedDevice device, CUstream stream)
      : device(std::move(device)), stream(stream) {}
  static void waitForRelease(void *self);

  TimedDevice device;
  CUstream stream;
  std::mutex mutex;
  std::condition_variable released;
  bool isHeld = false;
};

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_CUDATIMING_H
