//===- LayerProfile.h - What the launches of a layer did --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Counts are of the whole launch. Where only a sample of its blocks was
// executed they are scaled up from that, and so no longer exact; hence double.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_LAYERPROFILE_H
#define CTC_LIB_DRIVER_LAYERPROFILE_H

#include "Device.h"
#include "ctc/Runtime/ctc_profile.h"

#include <array>

namespace ctc::driver {

/// Requests to one kind of memory: units are sectors or wavefronts.
struct Traffic {
  double requests = 0, bytes = 0, units = 0, leastUnits = 0;

  Traffic &operator+=(const Traffic &other);
};

/// The pipes of a multiprocessor, as ctc_pipe_use has them.
enum class Pipe : uint8_t { Fp32, Integer, Fp16, Fp64, Special, Memory, Other };
constexpr size_t kPipes = size_t(Pipe::Other) + 1;

struct InstructionProfile {
  uint32_t line = 0; ///< Of the PTX.
  std::string text, kind;
  ctc_multiply_unit unit = CTC_MULTIPLY_NONE;
  std::array<unsigned, kPipes> pipes = {}; ///< Machine instructions.
  double warps = 0, threads = 0, multiplyAdds = 0;
  Traffic global, local, shared;

  /// Machine instructions issued.
  double issued() const;
};

constexpr double kSectorBytes = 32;

/// An allocation, in bytes of whole sectors.
struct BufferProfile {
  std::string name; ///< Of the argument; "constants" of the module's own.
  double size = 0;
  double loaded = 0;      ///< By all requests.
  double blockLoaded = 0; ///< With a first level that keeps what a block loads.
  double stored = 0;
  double distinctLoaded = 0, distinctStored = 0; ///< In the launch.
};

struct LaunchProfile {
  std::string kernel;
  double blocks = 0;         ///< Of the launch.
  double executedBlocks = 0; ///< Fewer for a sample.
  uint32_t threads = 0;      ///< Of a block.
  uint32_t clusterBlocks = 1;
  uint32_t sharedBytes = 0; ///< Of a block, static and dynamic.
  std::vector<InstructionProfile> instructions; ///< In the order of the text.
  std::vector<BufferProfile> buffers;

  bool isSample() const { return executedBlocks < blocks; }
  uint64_t warpsPerBlock() const { return (threads + 31) / 32; }
};

struct LayerProfile {
  std::string entry, chip;
  int64_t batch = 0;
  std::vector<LaunchProfile> launches; ///< In the order they run.
};

/// Runs an entry on the cpu device and counts every run launch; weights are
/// prepared before. With a `sample` above 0 only so many blocks of a launch
/// are executed, one from every equal share of the grid, where it has more.
/// Fails as LoadedLayer::run does.
Expected<LayerProfile> profileLayer(const LoadedLayer &layer,
                                    const ChipImage &image,
                                    const LayerInputs &inputs, int64_t batch,
                                    uint64_t sample);

/// Linear indices of `sample` of `count` blocks: share i of the grid gives one
/// of its blocks, at a place that depends on i alone, so that no period of the
/// grid meets the sample's.
std::vector<uint64_t> sampleBlocks(uint64_t count, uint64_t sample);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_LAYERPROFILE_H
