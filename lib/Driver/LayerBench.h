//===- LayerBench.h - How fast a layer is on a GPU --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_LAYERBENCH_H
#define CTC_LIB_DRIVER_LAYERBENCH_H

#include "Floor.h"
#include "LaunchTimer.h"
#include "SampleStatistics.h"
#include "ctc/Reference/Check.h"

namespace ctc::driver {

struct RunFlags;

struct BenchOptions {
  /// Device seconds that the timed launches of an entry take together.
  double seconds = 0.1;
  /// Layers of at most that many multiply-adds are compared as a whole, of
  /// others as many outputs as that comes to.
  double checkMultiplyAdds = 2e9;
  uint64_t seed = 0; ///< Of the outputs that are compared.
};

/// What the timing of one entry came to.
struct LayerBench {
  int64_t batch = 0;
  size_t bufferSets = 0;
  uint64_t setBytes = 0;
  SampleStatistics launch;
  /// Per launch of a graph's replay; for layers below kShortSeconds.
  std::optional<SampleStatistics> graph;
  SampleStatistics prepare;
  std::optional<Floor> floor; ///< None on a board without known ceilings.
  CheckReport check;
  bool isSampled = false; ///< Not all outputs were compared.

  /// The graph's median where there is one.
  double seconds() const { return graph ? graph->median : launch.median; }
};

/// Below this a launch's gap shows, and a graph is replayed, too.
inline constexpr double kShortSeconds = 30e-6;

/// Sets whose bytes together, without any one of them, exceed twice the second
/// level cache; at least two, at most what fits into memory.
size_t bufferSetCount(uint64_t setBytes, const ctc_cuda_info &device);

/// Times an entry on inputs that are made from flags, and checks what the last
/// launch gave.
Expected<LayerBench> benchLayer(const LoadedLayer &layer, const Entry &entry,
                                const RunFlags &flags,
                                const std::optional<Ceilings> &ceilings,
                                const BenchOptions &options);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_LAYERBENCH_H
