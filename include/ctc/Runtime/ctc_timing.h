//===- ctc_timing.h - Times of launches on a GPU ------------------*- C -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An extension of CUDA devices (C99): streams, events and graphs, as much of
// them as it takes to time launches without a CUDA toolkit. `ctc bench` is made
// of it. On the cpu device, whose times are not those of a GPU, every function
// that takes a device gives CTC_INVALID_ARGUMENT. A driver that lacks a
// function gives CTC_DEVICE_ERROR naming it.
//
//   ctc_stream_hold(stream);            // the GPU waits
//   ctc_event_record(before, stream);
//   ctc_layer_launch(layer, ..., ctc_stream_native(stream));
//   ctc_event_record(after, stream);
//   ctc_stream_release(stream);         // and works without waiting for the
//   ctc_device_synchronize(device, ctc_stream_native(stream));       // host
//   ctc_event_elapsed(before, after, &seconds);
//
// Streams, events and graphs keep their device alive, and are for one thread at
// a time. Passing NULL to destroy does nothing.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_RUNTIME_CTC_TIMING_H
#define CTC_RUNTIME_CTC_TIMING_H

#include "ctc/Runtime/ctc_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ctc_cuda_info {
  uint64_t l2_bytes;     /* second level cache */
  uint64_t memory_bytes; /* of the device, and what is free of it now */
  uint64_t free_bytes;
  int multiprocessors;
  int driver_version; /* 13000 is CUDA 13.0 */
} ctc_cuda_info;

CTC_API ctc_status ctc_cuda_get_info(const ctc_device *device,
                                     ctc_cuda_info *info);

typedef struct ctc_stream ctc_stream;
typedef struct ctc_event ctc_event;
typedef struct ctc_graph ctc_graph;

/* A stream that does not wait for the legacy default stream. */
CTC_API ctc_status ctc_stream_create(ctc_device *device, ctc_stream **stream);
/* Releases it if it is held, and waits for its work. */
CTC_API void ctc_stream_destroy(ctc_stream *stream);
/* The CUstream, which other functions take; NULL for NULL. */
CTC_API void *ctc_stream_native(const ctc_stream *stream);
/* What is enqueued from now on starts when the stream is released, so that the
 * host's pace does not show in times. Waiting for a held stream never ends, so
 * launch every kernel once before: the driver may load it then, and wait for
 * the device to do so. CTC_INVALID_ARGUMENT when it is held already. */
CTC_API ctc_status ctc_stream_hold(ctc_stream *stream);
/* CTC_INVALID_ARGUMENT when it is not held. */
CTC_API ctc_status ctc_stream_release(ctc_stream *stream);

CTC_API ctc_status ctc_event_create(ctc_device *device, ctc_event **event);
CTC_API void ctc_event_destroy(ctc_event *event);
CTC_API ctc_status ctc_event_record(ctc_event *event, ctc_stream *stream);
/* Device time from one event to another, in seconds, once both are past. */
CTC_API ctc_status ctc_event_elapsed(const ctc_event *first,
                                     const ctc_event *second, double *seconds);

/* What is enqueued on the stream from now on is not done but remembered. */
CTC_API ctc_status ctc_stream_begin_capture(ctc_stream *stream);
/* Ends that; the graph is ready to be launched. */
CTC_API ctc_status ctc_stream_end_capture(ctc_stream *stream,
                                          ctc_graph **graph);
CTC_API ctc_status ctc_graph_launch(ctc_graph *graph, ctc_stream *stream);
CTC_API void ctc_graph_destroy(ctc_graph *graph);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CTC_RUNTIME_CTC_TIMING_H */
