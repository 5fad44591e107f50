//===- CudaTiming.cpp - Streams, events and graphs of a GPU ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaTiming.h"

using namespace ctc;
using namespace ctc::rt;

static Result<CudaTimingFunctions> lookUp() {
  CudaTimingFunctions functions;
#define CTC_CUDA_FUNCTION(name, ...)                                           \
  if (auto found = cudaFunction(#name))                                        \
    functions.name = reinterpret_cast<CUresult (*)(__VA_ARGS__)>(*found);      \
  else                                                                         \
    return fail(CTC_DEVICE_ERROR, found.error().message);
#include "CudaTimingFunctions.inc"
#undef CTC_CUDA_FUNCTION
  return functions;
}

const Result<CudaTimingFunctions> &ctc::rt::cudaTimingFunctions() {
  static const Result<CudaTimingFunctions> functions = lookUp();
  return functions;
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

Result<TimedDevice> TimedDevice::of(std::shared_ptr<Device> device) {
  const auto cuda = cudaHandles(*device);
  if (!cuda)
    return fail(
        CTC_INVALID_ARGUMENT,
        "times are taken on CUDA devices, and this is the cpu device (" +
            device->info().name + ")");
  const auto &functions = cudaTimingFunctions();
  if (!functions)
    return tl::unexpected(functions.error());
  return TimedDevice(std::move(device), *cuda, *functions);
}

Result<ctc_cuda_info> TimedDevice::info() const {
  int l2 = 0, multiprocessors = 0, version = 0;
  size_t free = 0, total = 0;
  auto attribute = [&](int number, int &value) {
    return cuda.driver.check(
        cuda.driver.cuDeviceGetAttribute(&value, number, cuda.device),
        "cuDeviceGetAttribute");
  };
  auto good = attribute(kCudaAttributeL2CacheBytes, l2);
  if (good)
    good = attribute(kCudaAttributeMultiprocessors, multiprocessors);
  if (good)
    good = cuda.driver.check(cuda.driver.cuDriverGetVersion(&version),
                             "cuDriverGetVersion");
  if (good)
    good = call("cuMemGetInfo", &CudaTimingFunctions::cuMemGetInfo_v2, &free,
                &total);
  if (!good)
    return tl::unexpected(good.error());
  return ctc_cuda_info{static_cast<uint64_t>(l2), total, free, multiprocessors,
                       version};
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

Result<std::unique_ptr<TimedStream>> TimedStream::create(TimedDevice device) {
  constexpr unsigned kNonBlocking = 1;
  CUstream stream = nullptr;
  auto made =
      device.call("cuStreamCreate", &CudaTimingFunctions::cuStreamCreate,
                  &stream, kNonBlocking);
  if (!made)
    return tl::unexpected(made.error());
  return std::unique_ptr<TimedStream>(
      new TimedStream(std::move(device), stream));
}

TimedStream::~TimedStream() {
  if (isHeld)
    (void)release();
  // The host function of a hold may still look at this object.
  (void)device.synchronize(stream);
  (void)device.call("cuStreamDestroy", &CudaTimingFunctions::cuStreamDestroy_v2,
                    stream);
}

void TimedStream::waitForRelease(void *self) {
  auto *held = static_cast<TimedStream *>(self);
  std::unique_lock lock(held->mutex);
  held->released.wait(lock, [held] { return !held->isHeld; });
}

Result<void> TimedStream::hold() {
  {
    const std::lock_guard lock(mutex);
    if (isHeld)
      return fail(CTC_INVALID_ARGUMENT, "the stream is held already");
    isHeld = true;
  }
  auto done = device.call(
      "cuLaunchHostFunc", &CudaTimingFunctions::cuLaunchHostFunc, stream,
      &TimedStream::waitForRelease, static_cast<void *>(this));
  if (!done)
    isHeld = false;
  return done;
}

Result<void> TimedStream::release() {
  {
    const std::lock_guard lock(mutex);
    if (!isHeld)
      return fail(CTC_INVALID_ARGUMENT, "the stream is not held");
    isHeld = false;
  }
  released.notify_all();
  return {};
}
