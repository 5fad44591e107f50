//===- MachineCudaTiming.cpp - Streams, events and graphs of it -----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Work is done when it is enqueued, whatever the stream; only host functions
// run beside it, until the stream is waited for.
//
//===----------------------------------------------------------------------===//

#include "MachineCuda.h"

using namespace ctc::gpu;

int ctc::gpu::enqueue(Work work) {
  MachineState &state = machineState();
  if (state.capture) {
    state.capture->push_back(std::move(work));
    return 0;
  }
  work();
  state.nanoseconds += fromEnvironment("CTC_MACHINE_CUDA_LAUNCH_NS", 20000);
  return 0;
}

extern "C" {
int cuDriverGetVersion(int *version) {
  *version = 13000;
  return 0;
}
int cuMemGetInfo_v2(size_t *free, size_t *total) {
  *total = memoryBytes();
  *free = *total - machineState().allocatedBytes();
  return 0;
}

int cuStreamCreate(void **stream, unsigned) {
  *stream = new int;
  return 0;
}
int cuStreamDestroy_v2(void *stream) {
  delete static_cast<int *>(stream);
  return 0;
}
int cuLaunchHostFunc(void *, void (*function)(void *), void *data) {
  machineState().hostFunctions.emplace_back(function, data);
  return 0;
}

int cuEventCreate(void **event, unsigned) {
  *event = new uint64_t(0);
  return 0;
}
int cuEventDestroy_v2(void *event) {
  delete static_cast<uint64_t *>(event);
  return 0;
}
int cuEventRecord(void *event, void *) {
  *static_cast<uint64_t *>(event) = machineState().nanoseconds;
  return 0;
}
int cuEventElapsedTime(float *milliseconds, void *first, void *second) {
  const uint64_t begin = *static_cast<uint64_t *>(first),
                 end = *static_cast<uint64_t *>(second);
  *milliseconds = static_cast<float>(end - begin) * 1e-6f;
  return end < begin ? kInvalidValue : 0;
}

int cuStreamBeginCapture_v2(void *, int) {
  if (machineState().capture)
    return kInvalidValue;
  machineState().capture = std::make_unique<std::vector<Work>>();
  return 0;
}
int cuStreamEndCapture(void *, void **graph) {
  if (!machineState().capture)
    return kInvalidValue;
  *graph = machineState().capture.release();
  return 0;
}
int cuGraphInstantiateWithFlags(void **executable, void *graph,
                                unsigned long long) {
  *executable =
      new std::vector<Work>(*static_cast<const std::vector<Work> *>(graph));
  return 0;
}
int cuGraphLaunch(void *executable, void *) {
  for (const Work &work : *static_cast<const std::vector<Work> *>(executable))
    enqueue(work);
  return 0;
}
int cuGraphExecDestroy(void *executable) {
  delete static_cast<std::vector<Work> *>(executable);
  return 0;
}
int cuGraphDestroy(void *graph) {
  delete static_cast<std::vector<Work> *>(graph);
  return 0;
}
}
