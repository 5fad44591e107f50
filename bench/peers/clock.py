#===- clock.py - Times of launches on a GPU ---------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""One way to time for everything that is compared: device events around every
call, calls enqueued while the GPU sleeps so that the host's pace is not in the
times, and buffer sets that rotate so that no call finds its data in the second
level cache. For short layers also the replay of a CUDA graph over the sets.
"""

import dataclasses
import math
import time

import torch

SHORT = 30e-6  # Below this a graph is replayed, too.
MOST_SETS = 512
MOST_QUEUED = 64  # Calls in flight; each may be several launches.


def set_count(set_bytes, cache_bytes):
    """Sets whose bytes together, without any one, exceed twice the cache; at
    least two."""
    if cache_bytes == 0:
        return 1
    return min(MOST_SETS, max(2, math.ceil(2 * cache_bytes / set_bytes) + 1))


@dataclasses.dataclass
class Timing:
    seconds: list  # Of every timed call.
    graph_seconds: list  # Per call, of every replay; empty without a graph.
    note: str = ""  # Why there is no graph.


class CudaClock:
    """`budget` is the time that the timed calls of one measurement may take,
    `least` and `most` how many they are."""

    is_dry = False

    def __init__(self, budget=0.04, least=7, most=200):
        self.budget, self.least, self.most = budget, least, most
        properties = torch.cuda.get_device_properties(0)
        self.cache_bytes = properties.L2_cache_size
        self._cycles = self._calibrate()

    @staticmethod
    def _calibrate():
        """Cycles of torch.cuda._sleep per second, once the clock is up."""
        cycles = 20_000_000
        for _ in range(20):
            torch.cuda._sleep(cycles)
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        torch.cuda._sleep(cycles)
        end.record()
        torch.cuda.synchronize()
        return cycles / (start.elapsed_time(end) * 1e-3)

    def sleep(self, seconds):
        torch.cuda._sleep(int(seconds * self._cycles))

    def synchronize(self):
        torch.cuda.synchronize()

    def once(self, call):
        """Seconds of one call between events, and of the host in it."""
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        self.sleep(2e-4)
        start.record()
        began = time.perf_counter()
        call(0)
        host = time.perf_counter() - began
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) * 1e-3, host

    def measure(self, call, sets):
        """Times call(i), which works on set i % sets; it was called before."""
        for index in range(sets):  # Every set once: its pages are there then.
            call(index)
        torch.cuda.synchronize()
        estimate, host = min(self.once(call) for _ in range(2))
        count = max(self.least, min(self.most, int(self.budget / estimate)))
        if estimate > 25 * self.budget:
            count = 1  # A second each: not worth more.
        for index in range(min(count, int(5e-3 / estimate))):
            call(index)
        samples, done = [], 0
        while done < count:
            queued = min(MOST_QUEUED, count - done)
            samples += self._batch(call, done, queued, host)
            done += queued
        timing = Timing(samples, [])
        if sorted(samples)[len(samples) // 2] < SHORT:
            self._replay(call, sets, timing)
        return timing

    def _batch(self, call, first, count, host):
        events = [torch.cuda.Event(enable_timing=True)
                  for _ in range(2 * count)]
        self.sleep(min(0.05, 1e-4 + 2 * count * (host + 1e-5)))
        for index in range(count):
            events[2 * index].record()
            call(first + index)
            events[2 * index + 1].record()
        torch.cuda.synchronize()
        return [events[2 * i].elapsed_time(events[2 * i + 1]) * 1e-3
                for i in range(count)]

    def _replay(self, call, sets, timing):
        count = sets * math.ceil(20 / sets)
        try:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                for index in range(count):
                    call(index)
        except Exception as error:  # What cannot be captured is still timed.
            torch.cuda.synchronize()
            timing.note = f"no graph: {first_line(error)}"
            return
        for _ in range(12):
            start, end = (torch.cuda.Event(enable_timing=True)
                          for _ in range(2))
            self.sleep(1e-4)
            start.record()
            graph.replay()
            end.record()
            torch.cuda.synchronize()
            timing.graph_seconds.append(
                start.elapsed_time(end) * 1e-3 / count)
        del timing.graph_seconds[:2]
        del graph


class HostClock:
    """For dry runs where there is no GPU: everything is called, nothing that is
    read off means anything."""

    is_dry = True
    cache_bytes = 0

    def synchronize(self):
        pass

    def once(self, call):
        began = time.perf_counter()
        call(0)
        return (time.perf_counter() - began,) * 2

    def measure(self, call, sets):
        return Timing([self.once(call)[0] for _ in range(3)], [])


def first_line(error):
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__
