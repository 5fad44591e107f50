//===- LaunchTimer.h - Device times of launches -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_LAUNCHTIMER_H
#define CTC_LIB_DRIVER_LAUNCHTIMER_H

#include "Device.h"
#include "ctc/Runtime/ctc_timing.h"

#include <functional>

namespace ctc::driver {

/// Times what is enqueued on a stream of its own by device events. The stream
/// is held while work is enqueued, so the host's pace is not in the times.
class LaunchTimer {
public:
  /// Enqueues launch number `index` on a CUstream.
  using Enqueue = std::function<Expected<void>(size_t index, void *stream)>;

  static Expected<LaunchTimer> create(ctc_device *device);

  /// Enqueues `count` launches on the stream as it is and waits for them. The
  /// driver may load a kernel at its first launch and wait for the device to do
  /// so, which on a held stream would never end: warm up before timing.
  Expected<void> warmUp(size_t count, const Enqueue &enqueue);
  /// Seconds of every one of `count` launches, numbered from `first`.
  Expected<std::vector<double>> each(size_t first, size_t count,
                                     const Enqueue &enqueue);
  /// Seconds per launch of each of `replays` replays of a graph of `count`
  /// launches.
  Expected<std::vector<double>> graph(size_t count, size_t replays,
                                      const Enqueue &enqueue);

private:
  using Stream = Owned<ctc_stream, ctc_stream_destroy>;
  using Event = Owned<ctc_event, ctc_event_destroy>;
  using Graph = Owned<ctc_graph, ctc_graph_destroy>;

  void *native() const { return ctc_stream_native(stream.get()); }
  Expected<void> needEvents(size_t count);
  Expected<void> record(size_t event);
  Expected<double> elapsed(size_t first, size_t second) const;
  Expected<Graph> capture(size_t count, const Enqueue &enqueue);
  /// Enqueues on the held stream, releases it and waits for it.
  Expected<void> heldRun(const std::function<Expected<void>()> &enqueue);

  ctc_device *device = nullptr;
  Stream stream;
  std::vector<Event> events;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_LAUNCHTIMER_H
