//===- CudaDevice.h - A GPU as a device -------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_CUDADEVICE_H
#define CTC_LIB_RUNTIME_CUDADEVICE_H

#include "Device.h"

namespace ctc::rt {

/// The GPU of that number, through its primary context, which the CUDA runtime
/// and the frameworks share. CTC_NO_DEVICE when there is none.
Result<std::shared_ptr<Device>> openCudaDevice(int ordinal);

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_CUDADEVICE_H
