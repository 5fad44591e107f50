//===- Layer.h - An entry with its packed weights ---------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_LAYER_H
#define CTC_LIB_RUNTIME_LAYER_H

#include "Module.h"

namespace ctc::rt {

/// For each argument of an entry its place among the addresses of a launch, or
/// -1 for the weight and the packed weight.
std::vector<int32_t> launchIndices(const Entry &entry);

/// An entry of a module together with its packed weights. Launching does not
/// change it; any thread may do that.
class Layer {
public:
  static Result<std::unique_ptr<Layer>>
  create(std::shared_ptr<const Module> module, size_t entry);
  ~Layer();
  Layer(const Layer &) = delete;
  Layer &operator=(const Layer &) = delete;

  const Module &module() const { return *home; }
  size_t entryIndex() const { return index; }
  uint64_t packedBytes() const { return packedSize; }
  /// 0 before the weights are prepared.
  uint64_t packed() const { return packedAddress; }

  /// Packs the weight into `packed`, or where that is 0 into a buffer the layer
  /// owns.
  Result<void> prepare(uint64_t weight, uint64_t packed, Stream stream);
  /// Takes weights packed before.
  Result<void> usePacked(uint64_t packed);

  Result<void> launch(int64_t batch, std::span<const uint64_t> addresses,
                      Stream stream) const;
  /// Only some blocks of one run launch.
  Result<void> launchBlocks(size_t launch, int64_t batch,
                            std::span<const uint64_t> addresses,
                            std::span<const uint64_t> blocks) const;
  /// One run launch, counted; all its blocks, or those listed if any are. On
  /// the cpu device.
  Result<ptx::LaunchCounters> profile(size_t launch, int64_t batch,
                                      std::span<const uint64_t> addresses,
                                      std::span<const uint64_t> blocks) const;

  const Entry &entry() const { return home->image().manifest.entries[index]; }

private:
  Layer() = default;

  /// What all launches check: batch, number of addresses, preparation, and
  /// every address.
  Result<void> checkLaunch(int64_t batch,
                           std::span<const uint64_t> addresses) const;
  /// What launching blocks of one run launch checks besides.
  Result<void> checkBlocks(size_t launch, int64_t batch,
                           std::span<const uint64_t> blocks) const;
  Result<void> checkAddress(const Argument &argument, int64_t batch,
                            uint64_t address) const;
  Result<void> checkPacked(uint64_t packed) const;
  /// A launch of the manifest and the number of its kernel.
  struct Step {
    const Launch *launch;
    size_t kernel;
  };
  std::vector<Step> stepsOf(const std::vector<Launch> &launches) const;
  /// Launches one. `weight` is what prepare launches read, `addresses` what run
  /// launches do.
  Result<void> enqueue(const Step &step, int64_t batch, uint64_t weight,
                       uint64_t packed, std::span<const uint64_t> addresses,
                       const CpuExtras &extras, Stream stream) const;

  std::shared_ptr<const Module> home;
  size_t index = 0;
  std::vector<int32_t> positions; ///< launchIndices of the entry.
  std::vector<Step> prepareSteps, runSteps;
  size_t addressCount = 0;
  /// Where each packed weight stands in the one buffer for all of them, by
  /// argument; 0 for the others.
  std::vector<uint64_t> packedOffsets;
  uint64_t packedSize = 0;
  uint64_t packedAddress = 0;
  uint64_t ownedBuffer = 0;
  bool prepared = false;
};

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_LAYER_H
