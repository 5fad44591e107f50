//===- Parallel.h - Loops over independent work -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_PARALLEL_H
#define CTC_REFERENCE_PARALLEL_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace ctc {

/// Calls makeWorker() once per thread and what it returns with every number in
/// [0, count), each once, in ascending order within a thread. `threads` of 0
/// means one per core.
template <typename MakeWorker>
void parallelFor(int64_t count, unsigned threads,
                 const MakeWorker &makeWorker) {
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  threads = static_cast<unsigned>(
      std::clamp<int64_t>(count, 1, static_cast<int64_t>(threads)));
  std::atomic<int64_t> next = 0;
  auto loop = [&] {
    auto worker = makeWorker();
    for (int64_t i = next++; i < count; i = next++)
      worker(i);
  };
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(loop);
  loop();
}

} // namespace ctc

#endif // CTC_REFERENCE_PARALLEL_H
