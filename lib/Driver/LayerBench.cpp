//===- LayerBench.cpp - How fast a layer is on a GPU ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerBench.h"
#include "HostMemory.h"
#include "LayerBuffers.h"
#include "RunInputs.h"
#include "ctc/Bundle/Queries.h"
#include "ctc/Reference/Sample.h"

#include <algorithm>
#include <cmath>

using namespace ctc;
using namespace ctc::driver;

size_t driver::bufferSetCount(uint64_t setBytes, const ctc_cuda_info &device) {
  constexpr uint64_t kMost = 512;
  const uint64_t bytes = std::max<uint64_t>(1, setBytes);
  const uint64_t cold = (2 * device.l2_bytes + bytes - 1) / bytes + 1;
  // A tenth of the memory stays free for what else lives there.
  const uint64_t room = device.free_bytes / 10 * 9 / bytes;
  return static_cast<size_t>(std::clamp<uint64_t>(
      std::min(std::max<uint64_t>(2, cold), room), 1, kMost));
}

namespace {
/// A layer with its buffer sets on the device.
class Bench {
public:
  Bench(const LoadedLayer &layer, const Entry &entry, RunInputs inputs)
      : layer(layer), entry(entry), inputs(std::move(inputs)) {}

  Expected<void> place(LayerBench &result);
  Expected<void> time(const BenchOptions &options, LayerBench &result);
  Expected<void> check(const BenchOptions &options, LayerBench &result) const;

private:
  Expected<uint64_t> bytesOfSet() const;
  Expected<void> launch(size_t index, void *stream) const;
  Expected<void> timeGraph(LaunchTimer &timer, LayerBench &result) const;
  Expected<void> timePrepare(LaunchTimer &timer, LayerBench &result) const;

  const LoadedLayer &layer;
  const Entry &entry;
  RunInputs inputs;
  std::vector<LayerBuffers> sets;
};
} // namespace

/// Every buffer of a set: arguments with both forms of the weight.
Expected<uint64_t> Bench::bytesOfSet() const {
  uint64_t total = 0;
  for (const Argument &argument : entry.arguments) {
    auto bytes = byteSize(argument, inputs.batch);
    if (!bytes)
      return tl::unexpected(bytes.error());
    total += static_cast<uint64_t>(*bytes);
  }
  return total;
}

Expected<void> Bench::place(LayerBench &result) {
  ctc_cuda_info device;
  if (auto good = checkStatus(ctc_cuda_get_info(layer.deviceHandle(), &device));
      !good)
    return good;
  auto bytes = bytesOfSet();
  if (!bytes)
    return tl::unexpected(bytes.error());
  result.setBytes = *bytes;
  result.bufferSets = bufferSetCount(*bytes, device);
  for (size_t i = 0; i < result.bufferSets; ++i) {
    auto placed = LayerBuffers::place(layer.deviceHandle(), layer.get(), entry,
                                      inputs.tensors, inputs.batch);
    if (!placed)
      return tl::unexpected(placed.error());
    sets.push_back(std::move(*placed));
    if (auto good = sets.back().prepare(layer.get()); !good)
      return good;
  }
  return {};
}

Expected<void> Bench::launch(size_t index, void *stream) const {
  const LayerBuffers &set = sets[index % sets.size()];
  auto good = checkStatus(ctc_layer_use_packed(
      layer.get(), set.only(ArgumentRole::PackedWeight).address));
  if (!good)
    return good;
  const std::vector<uint64_t> &addresses = set.addresses();
  return checkStatus(ctc_layer_launch(
      layer.get(), inputs.batch, addresses.data(), addresses.size(), stream));
}

Expected<void> Bench::time(const BenchOptions &options, LayerBench &result) {
  constexpr size_t kLeast = 7, kMost = 500;
  auto timer = LaunchTimer::create(layer.deviceHandle());
  if (!timer)
    return tl::unexpected(timer.error());
  auto enqueue = [this](size_t index, void *stream) {
    return launch(index, stream);
  };
  if (auto good = timer->warmUp(sets.size(), enqueue); !good)
    return good;
  auto first = timer->each(0, 3, enqueue);
  if (!first)
    return tl::unexpected(first.error());
  const double estimate = std::max(1e-7, first->back());
  const double wanted = options.seconds / estimate;
  const size_t count = std::clamp(
      static_cast<size_t>(std::min(wanted, double{kMost})), kLeast, kMost);
  auto samples = timer->each(0, count, enqueue);
  if (!samples)
    return tl::unexpected(samples.error());
  result.launch = SampleStatistics::of(std::move(*samples));
  if (result.launch.median < kShortSeconds)
    if (auto good = timeGraph(*timer, result); !good)
      return good;
  return timePrepare(*timer, result);
}

Expected<void> Bench::timeGraph(LaunchTimer &timer, LayerBench &result) const {
  constexpr size_t kLeastLaunches = 20, kReplays = 20;
  const size_t rounds = (kLeastLaunches + sets.size() - 1) / sets.size();
  auto seconds = timer.graph(
      rounds * sets.size(), kReplays,
      [this](size_t index, void *stream) { return launch(index, stream); });
  if (!seconds)
    return tl::unexpected(seconds.error());
  result.graph = SampleStatistics::of(std::move(*seconds));
  return {};
}

Expected<void> Bench::timePrepare(LaunchTimer &timer,
                                  LayerBench &result) const {
  auto seconds =
      timer.each(0, 7, [this](size_t index, void *stream) -> Expected<void> {
        const LayerBuffers &set = sets[index % sets.size()];
        return checkStatus(ctc_layer_prepare(
            layer.get(), set.only(ArgumentRole::Weight).address,
            set.only(ArgumentRole::PackedWeight).address, stream));
      });
  if (!seconds)
    return tl::unexpected(seconds.error());
  result.prepare = SampleStatistics::of(std::move(*seconds));
  return {};
}

Expected<void> Bench::check(const BenchOptions &options,
                            LayerBench &result) const {
  const Problem &problem = inputs.problem;
  Tensor output(problem.type, problem.outputShape());
  if (auto read = sets.back().readOutput(output); !read)
    return read;
  CheckOptions how;
  how.error = accumulationError(entry.family == "simt" ? Arithmetic::FMA
                                                       : Arithmetic::MatrixUnit,
                                problem);
  const double useful =
      entry.work.usefulMacs *
      (entry.problem.hasDynamicBatch() ? double(inputs.batch) : 1.0);
  result.isSampled = useful > options.checkMultiplyAdds;
  Expected<CheckReport> report = CheckReport{};
  if (result.isSampled) {
    const double each = useful / double(output.count());
    const auto count = static_cast<int64_t>(
        std::clamp(options.checkMultiplyAdds / each / 16, 1024.0, 65536.0));
    report = checkSamples(
        problem, entry.epilogue,
        accumulateSamples(problem, inputs.tensors,
                          sampleOutputs(problem, count, options.seed)),
        inputs.tensors.operands, output, how);
  } else {
    report =
        ctc::check(problem, entry.epilogue,
                   accumulate(problem, inputs.tensors, {.magnitude = true}),
                   inputs.tensors.operands, output, how);
  }
  if (!report)
    return tl::unexpected(report.error());
  result.check = std::move(*report);
  return {};
}

Expected<LayerBench> driver::benchLayer(const LoadedLayer &layer,
                                        const Entry &entry,
                                        const RunFlags &flags,
                                        const std::optional<Ceilings> &ceilings,
                                        const BenchOptions &options) {
  auto inputs = makeRunInputs(entry, flags);
  if (!inputs)
    return tl::unexpected(inputs.error());
  LayerBench result;
  result.batch = inputs->batch;
  if (ceilings)
    result.floor = floorOf(inputs->problem, entry.work,
                           entry.problem.hasDynamicBatch(), *ceilings);
  if (entry.run.empty() || inputs->batch == 0)
    return makeError(ErrorCode::Usage,
                     "the output is empty, so nothing is launched; there is "
                     "nothing to time");
  const Problem problem = inputs->problem;
  Bench bench(layer, entry, std::move(*inputs));
  auto good =
      withinMemory(problem, /*isChecked=*/true, [&]() -> Expected<void> {
        auto done = bench.place(result);
        if (done)
          done = bench.time(options, result);
        return done ? bench.check(options, result) : done;
      });
  if (!good)
    return tl::unexpected(good.error());
  return result;
}
