//===- CTiming.cpp - C API: times of launches -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaTiming.h"
#include "Handles.h"

using namespace ctc;
using namespace ctc::rt;

struct ctc_stream {
  std::unique_ptr<TimedStream> stream;
};

struct ctc_event {
  TimedDevice device;
  CUevent event;
};

struct ctc_graph {
  TimedDevice device;
  CUgraphExec executable;
};

using Functions = CudaTimingFunctions;

ctc_status ctc_cuda_get_info(const ctc_device *device, ctc_cuda_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}, {"info", info}}));
    const auto timed = TimedDevice::of(device->opened.device);
    CTC_RETURN_IF_FAILED(timed);
    const auto found = timed->info();
    CTC_RETURN_IF_FAILED(found);
    *info = *found;
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

ctc_status ctc_stream_create(ctc_device *device, ctc_stream **stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"stream", stream}}));
    *stream = nullptr;
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    auto timed = TimedDevice::of(device->opened.device);
    CTC_RETURN_IF_FAILED(timed);
    auto made = TimedStream::create(std::move(*timed));
    CTC_RETURN_IF_FAILED(made);
    *stream = new ctc_stream{std::move(*made)};
    return {};
  });
}

void ctc_stream_destroy(ctc_stream *stream) { delete stream; }

void *ctc_stream_native(const ctc_stream *stream) {
  return stream ? stream->stream->native() : nullptr;
}

ctc_status ctc_stream_hold(ctc_stream *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"stream", stream}}));
    return stream->stream->hold();
  });
}

ctc_status ctc_stream_release(ctc_stream *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"stream", stream}}));
    return stream->stream->release();
  });
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

ctc_status ctc_event_create(ctc_device *device, ctc_event **event) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"event", event}}));
    *event = nullptr;
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    auto timed = TimedDevice::of(device->opened.device);
    CTC_RETURN_IF_FAILED(timed);
    CUevent made = nullptr;
    CTC_RETURN_IF_FAILED(
        timed->call("cuEventCreate", &Functions::cuEventCreate, &made, 0u));
    *event = new ctc_event{std::move(*timed), made};
    return {};
  });
}

void ctc_event_destroy(ctc_event *event) {
  if (event)
    (void)event->device.call("cuEventDestroy", &Functions::cuEventDestroy_v2,
                             event->event);
  delete event;
}

ctc_status ctc_event_record(ctc_event *event, ctc_stream *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"event", event}, {"stream", stream}}));
    return event->device.call("cuEventRecord", &Functions::cuEventRecord,
                              event->event, stream->stream->native());
  });
}

ctc_status ctc_event_elapsed(const ctc_event *first, const ctc_event *second,
                             double *seconds) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(
        require({{"first", first}, {"second", second}, {"seconds", seconds}}));
    float milliseconds = 0;
    CTC_RETURN_IF_FAILED(
        first->device.call("cuEventElapsedTime", &Functions::cuEventElapsedTime,
                           &milliseconds, first->event, second->event));
    *seconds = double{milliseconds} * 1e-3;
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

ctc_status ctc_stream_begin_capture(ctc_stream *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"stream", stream}}));
    constexpr int kThreadLocal = 1;
    return stream->stream->on().call("cuStreamBeginCapture",
                                     &Functions::cuStreamBeginCapture_v2,
                                     stream->stream->native(), kThreadLocal);
  });
}

ctc_status ctc_stream_end_capture(ctc_stream *stream, ctc_graph **graph) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"graph", graph}}));
    *graph = nullptr;
    CTC_RETURN_IF_FAILED(require({{"stream", stream}}));
    const TimedDevice &device = stream->stream->on();
    CUgraph captured = nullptr;
    CTC_RETURN_IF_FAILED(device.call("cuStreamEndCapture",
                                     &Functions::cuStreamEndCapture,
                                     stream->stream->native(), &captured));
    CUgraphExec executable = nullptr;
    const auto made = device.call("cuGraphInstantiateWithFlags",
                                  &Functions::cuGraphInstantiateWithFlags,
                                  &executable, captured, 0ull);
    (void)device.call("cuGraphDestroy", &Functions::cuGraphDestroy, captured);
    CTC_RETURN_IF_FAILED(made);
    *graph = new ctc_graph{device, executable};
    return {};
  });
}

ctc_status ctc_graph_launch(ctc_graph *graph, ctc_stream *stream) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"graph", graph}, {"stream", stream}}));
    return graph->device.call("cuGraphLaunch", &Functions::cuGraphLaunch,
                              graph->executable, stream->stream->native());
  });
}

void ctc_graph_destroy(ctc_graph *graph) {
  if (graph)
    (void)graph->device.call("cuGraphExecDestroy",
                             &Functions::cuGraphExecDestroy, graph->executable);
  delete graph;
}
