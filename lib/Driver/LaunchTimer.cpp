//===- LaunchTimer.cpp - Device times of launches -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LaunchTimer.h"

using namespace ctc;
using namespace ctc::driver;

Expected<LaunchTimer> LaunchTimer::create(ctc_device *device) {
  LaunchTimer timer;
  timer.device = device;
  ctc_stream *made = nullptr;
  if (auto good = checkStatus(ctc_stream_create(device, &made)); !good)
    return tl::unexpected(good.error());
  timer.stream.reset(made);
  return timer;
}

Expected<void> LaunchTimer::needEvents(size_t count) {
  while (events.size() < count) {
    ctc_event *made = nullptr;
    if (auto good = checkStatus(ctc_event_create(device, &made)); !good)
      return good;
    events.emplace_back(made);
  }
  return {};
}

Expected<void> LaunchTimer::record(size_t event) {
  return checkStatus(ctc_event_record(events[event].get(), stream.get()));
}

Expected<double> LaunchTimer::elapsed(size_t first, size_t second) const {
  double seconds = 0;
  if (auto good = checkStatus(ctc_event_elapsed(
          events[first].get(), events[second].get(), &seconds));
      !good)
    return tl::unexpected(good.error());
  return seconds;
}

Expected<void> LaunchTimer::warmUp(size_t count, const Enqueue &enqueue) {
  Expected<void> enqueued;
  for (size_t i = 0; i < count && enqueued; ++i)
    enqueued = enqueue(i, native());
  const auto finished = checkStatus(ctc_device_synchronize(device, native()));
  return enqueued ? finished : enqueued;
}

Expected<void>
LaunchTimer::heldRun(const std::function<Expected<void>()> &enqueue) {
  if (auto good = checkStatus(ctc_stream_hold(stream.get())); !good)
    return good;
  const Expected<void> enqueued = enqueue();
  if (auto good = checkStatus(ctc_stream_release(stream.get())); !good)
    return good;
  const auto finished = checkStatus(ctc_device_synchronize(device, native()));
  return enqueued ? finished : enqueued;
}

Expected<std::vector<double>> LaunchTimer::each(size_t first, size_t count,
                                                const Enqueue &enqueue) {
  // Fewer than what a stream queues before the host has to wait, which it
  // would for ever on a held one.
  constexpr size_t kMostQueued = 64;
  std::vector<double> seconds;
  while (seconds.size() < count) {
    const size_t begin = first + seconds.size();
    const size_t queued = std::min(kMostQueued, count - seconds.size());
    if (auto good = needEvents(2 * queued); !good)
      return tl::unexpected(good.error());
    auto done = heldRun([&]() -> Expected<void> {
      Expected<void> good;
      for (size_t i = 0; i < queued && good; ++i) {
        good = record(2 * i);
        if (good)
          good = enqueue(begin + i, native());
        if (good)
          good = record(2 * i + 1);
      }
      return good;
    });
    if (!done)
      return tl::unexpected(done.error());
    for (size_t i = 0; i < queued; ++i) {
      auto time = elapsed(2 * i, 2 * i + 1);
      if (!time)
        return tl::unexpected(time.error());
      seconds.push_back(*time);
    }
  }
  return seconds;
}

Expected<LaunchTimer::Graph> LaunchTimer::capture(size_t count,
                                                  const Enqueue &enqueue) {
  if (auto good = checkStatus(ctc_stream_begin_capture(stream.get())); !good)
    return tl::unexpected(good.error());
  Expected<void> enqueued;
  for (size_t i = 0; i < count && enqueued; ++i)
    enqueued = enqueue(i, native());
  ctc_graph *captured = nullptr;
  auto ended = checkStatus(ctc_stream_end_capture(stream.get(), &captured));
  Graph graph(captured);
  if (!enqueued || !ended)
    return tl::unexpected((enqueued ? ended : enqueued).error());
  return graph;
}

Expected<std::vector<double>> LaunchTimer::graph(size_t count, size_t replays,
                                                 const Enqueue &enqueue) {
  auto captured = capture(count, enqueue);
  if (!captured)
    return tl::unexpected(captured.error());
  if (auto good = needEvents(2); !good)
    return tl::unexpected(good.error());
  // The first replay uploads the graph.
  auto replay = [&](size_t, void *) {
    return checkStatus(ctc_graph_launch(captured->get(), stream.get()));
  };
  if (auto good = warmUp(1, replay); !good)
    return tl::unexpected(good.error());
  std::vector<double> seconds;
  while (seconds.size() < replays) {
    auto done = heldRun([&]() -> Expected<void> {
      auto good = record(0);
      if (good)
        good = replay(0, native());
      return good ? record(1) : good;
    });
    if (!done)
      return tl::unexpected(done.error());
    auto time = elapsed(0, 1);
    if (!time)
      return tl::unexpected(time.error());
    seconds.push_back(*time / static_cast<double>(count));
  }
  return seconds;
}
