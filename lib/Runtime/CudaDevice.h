//===- CudaDevice.h - A GPU as a device -------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_CUDADEVICE_H
#define CTC_LIB_RUNTIME_CUDADEVICE_H

#include "CudaDriver.h"
#include "Device.h"

namespace ctc::rt {

/// The GPU of that number, through its primary context, which the CUDA runtime
/// and the frameworks share. CTC_NO_DEVICE when there is none.
Result<std::shared_ptr<Device>> openCudaDevice(int ordinal);

/// What it takes to call the driver for a device that was opened so; nothing
/// for other devices. Valid as long as the device.
struct CudaHandles {
  const CudaDriver &driver;
  CUdevice device;
  CUcontext context;
};
std::optional<CudaHandles> cudaHandles(const Device &device);

/// Makes a context current for a scope, whatever the calling thread had. Mostly
/// it is current already, as frameworks use the device's primary context too:
/// then asking is all it costs.
class CurrentContext {
public:
  CurrentContext(const CudaDriver &driver, CUcontext context) : driver(driver) {
    CUcontext current = nullptr;
    if (driver.cuCtxGetCurrent(&current) == kCudaSuccess && current == context)
      return;
    pushed =
        driver.check(driver.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent");
    isPushed = pushed.has_value();
  }
  ~CurrentContext() {
    CUcontext ignored;
    if (isPushed)
      driver.cuCtxPopCurrent_v2(&ignored);
  }
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;

  const Result<void> &result() const { return pushed; }

private:
  const CudaDriver &driver;
  Result<void> pushed;
  bool isPushed = false;
};

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_CUDADEVICE_H
