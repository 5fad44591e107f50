//===- LayerProfile.cpp - What the launches of a layer did ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerProfile.h"
#include "LayerBuffers.h"
#include "ctc/Bundle/Queries.h"

#include <algorithm>

using namespace ctc;
using namespace ctc::driver;

Traffic &Traffic::operator+=(const Traffic &other) {
  requests += other.requests;
  bytes += other.bytes;
  units += other.units;
  leastUnits += other.leastUnits;
  return *this;
}

double InstructionProfile::issued() const {
  unsigned all = 0;
  for (unsigned count : pipes)
    all += count;
  return warps * all;
}

std::vector<uint64_t> driver::sampleBlocks(uint64_t count, uint64_t sample) {
  std::vector<uint64_t> blocks;
  uint64_t state = 0;
  for (uint64_t i = 0; i < sample; ++i) {
    // Knuth's MMIX generator; the multiplication of 128 bits takes its upper
    // half as a fraction.
    state = state * 6364136223846793005u + 1442695040888963407u;
    using Wide = unsigned __int128;
    const auto first = static_cast<uint64_t>(Wide(count) * i / sample);
    const auto last = static_cast<uint64_t>(Wide(count) * (i + 1) / sample);
    blocks.push_back(first +
                     static_cast<uint64_t>(Wide(last - first) * state >> 64));
  }
  return blocks;
}

namespace {
/// One launch's counts as the C API gives them, scaled up.
class Reader {
public:
  Reader(const ctc_profile *profile,
         const std::vector<LayerBuffers::Buffer> &of)
      : profile(profile), arguments(of) {}

  Expected<LaunchProfile> read() {
    ctc_profile_info info;
    if (auto good = checkStatus(ctc_profile_get_info(profile, &info)); !good)
      return tl::unexpected(good.error());
    LaunchProfile launch;
    launch.kernel = info.kernel;
    launch.blocks = double(info.grid_blocks);
    launch.executedBlocks = double(info.blocks);
    launch.threads = info.threads_per_block;
    launch.clusterBlocks = info.cluster_blocks;
    launch.sharedBytes = info.shared_bytes;
    scale = info.blocks ? launch.blocks / launch.executedBlocks : 1;
    for (size_t i = 0; i < info.instruction_count; ++i) {
      ctc_instruction_info one;
      if (auto good =
              checkStatus(ctc_profile_get_instruction(profile, i, &one));
          !good)
        return tl::unexpected(good.error());
      launch.instructions.push_back(instruction(one));
    }
    for (size_t i = 0; i < info.buffer_count; ++i) {
      ctc_buffer_info one;
      if (auto good = checkStatus(ctc_profile_get_buffer(profile, i, &one));
          !good)
        return tl::unexpected(good.error());
      addBuffer(one, launch.buffers);
    }
    std::stable_sort(launch.buffers.begin(), launch.buffers.end(),
                     [this](const BufferProfile &a, const BufferProfile &b) {
                       return position(a.name) < position(b.name);
                     });
    return launch;
  }

private:
  Traffic traffic(const ctc_traffic &in) const {
    return {scale * double(in.requests), scale * double(in.bytes),
            scale * double(in.units), scale * double(in.least_units)};
  }

  InstructionProfile instruction(const ctc_instruction_info &in) const {
    InstructionProfile out;
    out.line = in.line;
    out.text = in.text;
    out.kind = in.kind;
    out.unit = in.unit;
    const ctc_pipe_use &use = in.pipes;
    out.pipes = {use.fp32,    use.integer, use.fp16, use.fp64,
                 use.special, use.memory,  use.other};
    out.warps = scale * double(in.warps);
    out.threads = scale * double(in.threads);
    out.multiplyAdds = scale * double(in.multiply_adds);
    out.global = traffic(in.global);
    out.local = traffic(in.local);
    out.shared = traffic(in.shared);
    return out;
  }

  /// The place of a buffer among the arguments; behind them for others.
  size_t position(const std::string &name) const {
    return static_cast<size_t>(
        std::find_if(arguments.begin(), arguments.end(),
                     [&](const auto &one) { return one.name == name; }) -
        arguments.begin());
  }

  /// What is not an argument is the module's own, all of it together. No more
  /// sectors can be touched than there are, which bounds a sample's guess.
  void addBuffer(const ctc_buffer_info &in,
                 std::vector<BufferProfile> &buffers) const {
    std::string name = "constants";
    for (const LayerBuffers::Buffer &argument : arguments)
      if (argument.address == in.address)
        name = argument.name;
    auto found = std::find_if(
        buffers.begin(), buffers.end(),
        [&](const BufferProfile &buffer) { return buffer.name == name; });
    if (found == buffers.end())
      found = buffers.insert(buffers.end(), BufferProfile{name});
    const double size = double((in.bytes + 31) / 32) * kSectorBytes;
    auto most = [size](double bytes) { return std::min(bytes, size); };
    const double bytes = scale * kSectorBytes;
    found->size += double(in.bytes);
    found->loaded += bytes * double(in.loaded_sectors);
    found->blockLoaded += bytes * double(in.block_loaded_sectors);
    found->stored += bytes * double(in.stored_sectors);
    found->distinctLoaded += most(bytes * double(in.distinct_loaded_sectors));
    found->distinctStored += most(bytes * double(in.distinct_stored_sectors));
  }

  const ctc_profile *profile;
  const std::vector<LayerBuffers::Buffer> &arguments;
  double scale = 1;
};
} // namespace

static Expected<LaunchProfile> profileLaunch(const LoadedLayer &layer,
                                             const LayerBuffers &buffers,
                                             const Launch &launch, size_t index,
                                             int64_t batch, uint64_t sample) {
  const auto count = blocks(launch.grid, batch);
  if (!count)
    return tl::unexpected(count.error());
  std::vector<uint64_t> only;
  if (sample && sample < static_cast<uint64_t>(*count))
    only = sampleBlocks(static_cast<uint64_t>(*count), sample);
  ctc_profile *handle = nullptr;
  const std::vector<uint64_t> &addresses = buffers.addresses();
  auto done = checkStatus(ctc_cpu_profile_launch(
      layer.get(), index, batch, addresses.data(), addresses.size(),
      only.data(), only.size(), &handle));
  const Owned<ctc_profile, ctc_profile_close> profile(handle);
  if (!done)
    return tl::unexpected(done.error());
  auto read = Reader(handle, buffers.buffers()).read();
  if (read)
    read->kernel = launch.kernel;
  return read;
}

Expected<LayerProfile> driver::profileLayer(const LoadedLayer &layer,
                                            const ChipImage &image,
                                            const LayerInputs &inputs,
                                            int64_t batch, uint64_t sample) {
  const Entry &entry = image.manifest.entries[layer.entry()];
  auto buffers = LayerBuffers::place(layer.deviceHandle(), layer.get(), entry,
                                     inputs, batch);
  if (!buffers)
    return tl::unexpected(buffers.error());
  if (auto done = buffers->prepare(layer.get()); !done)
    return tl::unexpected(done.error());
  LayerProfile profile{entry.name, image.chip, batch, {}};
  // A batch of 0 launches nothing, as an entry whose output is empty.
  for (size_t i = 0; batch > 0 && i < entry.run.size(); ++i) {
    auto launch =
        profileLaunch(layer, *buffers, entry.run[i], i, batch, sample);
    if (!launch)
      return tl::unexpected(launch.error());
    profile.launches.push_back(std::move(*launch));
  }
  return profile;
}
