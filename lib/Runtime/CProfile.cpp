//===- CProfile.cpp - C API: profiles of launches -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuDevice.h"
#include "Handles.h"
#include "ctc/PtxMachine/Counters.h"
#include "ctc/Runtime/ctc_profile.h"

using namespace ctc;
using namespace ctc::rt;

struct ctc_profile {
  std::string kernel;
  ptx::LaunchCounters counters;
};

static_assert(CTC_MULTIPLY_WGMMA_8 + 1 == ptx::kMultiplyUnits,
              "the C enumeration mirrors ptx::MultiplyUnit");

ctc_status ctc_cpu_profile_launch(const ctc_layer *layer, size_t launch,
                                  int64_t batch, const uint64_t *addresses,
                                  size_t address_count, const uint64_t *blocks,
                                  size_t block_count, ctc_profile **profile) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"profile", profile}}));
    *profile = nullptr;
    CTC_RETURN_IF_FAILED(require({{"layer", layer}, {"addresses", addresses}}));
    if (block_count)
      CTC_RETURN_IF_FAILED(require({{"blocks", blocks}}));
    const Layer &in = *layer->layer;
    CTC_RETURN_IF_FAILED(asCpu(in.module().device()));
    auto counters = in.profile(launch, batch, {addresses, address_count},
                               {blocks, block_count});
    CTC_RETURN_IF_FAILED(counters);
    *profile =
        new ctc_profile{in.entry().run[launch].kernel, std::move(*counters)};
    return {};
  });
}

void ctc_profile_close(ctc_profile *profile) { delete profile; }

const char *ctc_multiply_unit_name(ctc_multiply_unit unit) {
  const auto index = static_cast<size_t>(unit);
  return index < ptx::kMultiplyUnits
             ? ptx::name(static_cast<ptx::MultiplyUnit>(index))
             : "unknown";
}

ctc_status ctc_profile_get_info(const ctc_profile *profile,
                                ctc_profile_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"profile", profile}, {"info", info}}));
    const ptx::LaunchCounters &in = profile->counters;
    *info = {profile->kernel.c_str(),
             in.gridBlocks,
             in.statistics.blocks,
             in.statistics.warpInstructions,
             in.statistics.threadInstructions,
             in.threadsPerBlock,
             in.clusterBlocks,
             in.sharedBytes,
             in.instructions.size(),
             in.buffers.size()};
    return {};
  });
}

static ctc_traffic toC(const ptx::GlobalTraffic &in) {
  return {in.requests, in.bytes, in.sectors, in.leastSectors};
}

static ctc_traffic toC(const ptx::SharedTraffic &in) {
  return {in.requests, in.bytes, in.wavefronts, in.leastWavefronts};
}

static ctc_pipe_use toC(const ptx::PipeUse &in) {
  return {in.fp32,    in.integer, in.fp16, in.fp64,
          in.special, in.memory,  in.other};
}

ctc_status ctc_profile_get_instruction(const ctc_profile *profile,
                                       size_t instruction,
                                       ctc_instruction_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"profile", profile}, {"info", info}}));
    const auto &all = profile->counters.instructions;
    CTC_RETURN_IF_FAILED(requireIndex("instruction", instruction, all.size()));
    const ptx::InstructionCounters &in = all[instruction];
    *info = {in.line,
             in.text.c_str(),
             ptx::name(in.kind),
             static_cast<ctc_multiply_unit>(in.unit),
             toC(in.pipes),
             in.warps,
             in.threads,
             in.multiplyAdds,
             toC(in.global),
             toC(in.local),
             toC(in.shared)};
    return {};
  });
}

ctc_status ctc_profile_get_buffer(const ctc_profile *profile, size_t buffer,
                                  ctc_buffer_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"profile", profile}, {"info", info}}));
    const auto &all = profile->counters.buffers;
    CTC_RETURN_IF_FAILED(requireIndex("buffer", buffer, all.size()));
    const ptx::BufferCounters &in = all[buffer];
    *info = {in.address,
             in.bytes,
             in.loadedSectors,
             in.blockLoadedSectors,
             in.storedSectors,
             in.distinctLoadedSectors,
             in.distinctStoredSectors};
    return {};
  });
}
