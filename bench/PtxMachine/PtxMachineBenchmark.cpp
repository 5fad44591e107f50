//===- PtxMachineBenchmark.cpp - Thread instructions per second -----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measures on one host thread how many thread instructions (instructions times
// active lanes) the PTX machine executes per second: counter "thread_instr".
// For matrix instructions also "multiply_adds" per second.
// Those called .../1 count what the launch does (LoadedModule::profile), those
// called .../2 check memory (LaunchConfig::checkMemory).
//
//===----------------------------------------------------------------------===//

#include "ctc/PtxMachine/Counters.h"

#include <benchmark/benchmark.h>
#include <cstring>
#include <fstream>
#include <sstream>

using namespace ctc::ptx;

namespace {

void launchRepeatedly(benchmark::State &state, const std::string &ptx,
                      const std::string &kernel, GlobalMemory &memory,
                      LaunchConfig config) {
  auto module = LoadedModule::load(ptx, memory);
  if (!module)
    return state.SkipWithError(module.error().message.c_str());
  config.hostThreads = 1;
  double instructions = 0;
  config.checkMemory = state.range(0) == 2;
  auto run = [&]() -> ctc::Expected<LaunchStatistics> {
    if (state.range(0) != 1) {
      auto done = (*module)->launch(kernel, config);
      if (!done)
        return tl::unexpected<ctc::Error>(done.error());
      if (!done->findings.empty())
        return ctc::makeError(ctc::ErrorCode::DeviceError,
                              done->findings.front().message);
      return *done;
    }
    auto counters = (*module)->profile(kernel, config);
    if (!counters)
      return tl::unexpected<ctc::Error>(counters.error());
    return counters->statistics;
  };
  for (auto _ : state) {
    auto done = run();
    if (!done)
      return state.SkipWithError(done.error().message.c_str());
    instructions += static_cast<double>(done->threadInstructions);
  }
  state.counters["thread_instr"] =
      benchmark::Counter(instructions, benchmark::Counter::kIsRate);
}

/// Memory that counts as written by the host.
uint64_t input(GlobalMemory &memory, uint64_t bytes) {
  const uint64_t address = *memory.allocate(bytes);
  (void)memory.setInitialized(address, bytes);
  return address;
}

void store(LaunchConfig &config, const std::vector<uint64_t> &values,
           size_t bytes) {
  config.parameters.resize(values.size() * 8);
  std::memcpy(config.parameters.data(), values.data(), values.size() * 8);
  config.parameters.resize(bytes);
}

/// nvcc's code for a 64 x 64 tile with 4 x 4 accumulators per thread: about
/// two FFMA per other instruction, scalar shared loads.
void sgemm(benchmark::State &state) {
  std::ifstream file(CTC_PTX_INPUTS "/sgemm.ptx");
  std::stringstream ptx;
  ptx << file.rdbuf();
  constexpr uint64_t n = 256;
  GlobalMemory memory;
  LaunchConfig config;
  config.grid = {n / 64, n / 64, 1};
  config.block = {16, 16, 1};
  store(config,
        {input(memory, n * n * 4), input(memory, n * n * 4),
         input(memory, n * n * 4), n | n << 32, n},
        36);
  launchRepeatedly(state, ptx.str(), "sgemm", memory, config);
}
BENCHMARK(sgemm)->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

/// A loop over `body`, 128 times in 256 threads.
std::string loopKernel(const std::string &body) {
  return ".version 8.0\n.target sm_80\n.address_size 64\n"
         ".shared .align 16 .b8 tile[4096];\n"
         ".visible .entry loop(.param .u64 data) {\n"
         ".reg .pred %p<2>; .reg .b32 %r<8>; .reg .f32 %f<72>; .reg .b64 "
         "%rd<8>;\n"
         "ld.param.u64 %rd0, [data]; mov.u32 %r0, %tid.x; mov.u32 %r1, 0;\n"
         "mad.wide.u32 %rd1, %r0, 4, %rd0; mov.u64 %rd2, tile;\n"
         "and.b32 %r2, %r0, 15; mad.wide.u32 %rd3, %r2, 16, %rd2;\n"
         "NEXT:\n" +
         body +
         "add.u32 %r1, %r1, 1; setp.lt.u32 %p0, %r1, 128;\n"
         "@%p0 bra NEXT;\nret;\n}\n";
}

void loop(benchmark::State &state, const std::string &body) {
  GlobalMemory memory;
  LaunchConfig config;
  config.grid.x = 4;
  config.block.x = 256;
  store(config, {*memory.allocate(1 << 16)}, 8);
  launchRepeatedly(state, loopKernel(body), "loop", memory, config);
}

/// 64 independent FFMA with two vector loads: the inner product of 8 x 8.
void outerProduct(benchmark::State &state) {
  std::string body = "ld.shared.v4.f32 {%f64, %f65, %f66, %f67}, [%rd3];\n"
                     "ld.shared.v4.f32 {%f68, %f69, %f70, %f71}, [%rd2+256];\n";
  for (int i = 0; i < 64; ++i)
    body += "fma.rn.f32 %f" + std::to_string(i) + ", %f" +
            std::to_string(64 + i % 4) + ", %f" + std::to_string(68 + i / 16) +
            ", %f" + std::to_string(i) + ";\n";
  loop(state, body);
}
BENCHMARK(outerProduct)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void sharedLoads(benchmark::State &state) {
  std::string body;
  for (int i = 0; i < 32; ++i)
    body += "ld.shared.f32 %f" + std::to_string(i) + ", [%rd3+" +
            std::to_string(4 * i) + "];\n";
  loop(state, body);
}
BENCHMARK(sharedLoads)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void globalLoads(benchmark::State &state) {
  std::string body;
  for (int i = 0; i < 32; ++i)
    body += "ld.global.f32 %f" + std::to_string(i) + ", [%rd1+" +
            std::to_string(1024 * i) + "];\n";
  loop(state, body);
}
BENCHMARK(globalLoads)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void addresses(benchmark::State &state) {
  std::string body;
  for (int i = 0; i < 16; ++i)
    body += "add.s64 %rd4, %rd4, %rd1; mad.lo.s32 %r3, %r0, %r1, %r3;\n";
  loop(state, body);
}
BENCHMARK(addresses)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void divergentIf(benchmark::State &state) {
  loop(state, "and.b32 %r3, %r0, 1; setp.eq.u32 %p1, %r3, 0;\n@%p1 bra EVEN;\n"
              "add.f32 %f0, %f0, %f1; add.f32 %f2, %f2, %f3;\nbra END;\nEVEN:\n"
              "mul.f32 %f0, %f0, %f1; mul.f32 %f2, %f2, %f3;\nEND:\n");
}
BENCHMARK(divergentIf)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

/// One warpgroup that issues a wgmma of N columns over and over; both operands
/// lie K-major with 128-byte swizzling, as tensor copies write them.
void wgmma(benchmark::State &state, const std::string &types, unsigned columns,
           unsigned depth) {
  constexpr unsigned turns = 64;
  std::string registers;
  for (unsigned i = 0; i < columns / 2; ++i)
    registers += (i ? ", %d" : "%d") + std::to_string(i);
  const std::string body =
      "wgmma.fence.sync.aligned;\nwgmma.mma_async.sync.aligned.m64n" +
      std::to_string(columns) + "k" + std::to_string(depth) + types + " {" +
      registers + "}, %a, %b, 1, 1, 1" + (depth == 16 ? ", 0, 0" : "") +
      ";\nwgmma.commit_group.sync.aligned;\n"
      "wgmma.wait_group.sync.aligned 0;\n";
  const std::string ptx =
      ".version 8.0\n.target sm_90a\n.address_size 64\n"
      ".shared .align 1024 .b8 tile[40960];\n"
      ".visible .entry loop() {\n.reg .pred %p; .reg .b32 %i; .reg .b64 %a, "
      "%b, %t;\n.reg .f32 %d<128>;\n"
      // Strides of 1024 bytes; A in the first 8 KiB of the tile, B behind it.
      "mov.u64 %t, tile; shr.u64 %t, %t, 4; mov.u64 %a, 0x4000004000000000;\n"
      "add.u64 %a, %a, %t; add.u64 %b, %a, 512; mov.u32 %i, 0;\nNEXT:\n" +
      body + "add.u32 %i, %i, 1; setp.lt.u32 %p, %i, " + std::to_string(turns) +
      ";\n@%p bra NEXT;\nret;\n}\n";
  GlobalMemory memory;
  LaunchConfig config;
  config.block.x = 128;
  launchRepeatedly(state, ptx, "loop", memory, config);
  state.counters["multiply_adds"] =
      benchmark::Counter(64.0 * columns * depth * turns,
                         benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(wgmma, bf16_m64n256k16, ".f32.bf16.bf16", 256, 16)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(wgmma, tf32_m64n128k8, ".f32.tf32.tf32", 128, 8)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);

/// Eight mma.sync with fragments that ldmatrix loads, as in the inner loop of a
/// warp's tile of 32 x 32 and 16 of k (8 * 8 KiB of multiply-adds).
void matrixProducts(benchmark::State &state, const std::string &type,
                    unsigned depth) {
  std::ostringstream body;
  auto vector = [](const char *name, int first, int count) {
    std::ostringstream text;
    for (int i = 0; i < count; ++i)
      text << (i ? ", " : "{") << name << first + i;
    text << "}";
    return text.str();
  };
  body << ".reg .b32 %a<8>, %b<8>, %t<2>;\n.reg .f32 %d<32>;\n"
          "mov.u32 %t0, tile; and.b32 %t1, %r0, 31;\n"
          "mad.lo.u32 %t0, %t1, 16, %t0;\n";
  for (int i = 0; i < 4; ++i)
    body << "ldmatrix.sync.aligned.m8n8.x4.shared.b16 "
         << vector(i < 2 ? "%a" : "%b", i % 2 * 4, 4) << ", [%t0+" << 512 * i
         << "];\n";
  for (int i = 0; i < 8; ++i) {
    const std::string d = vector("%d", 4 * i, 4);
    body << "mma.sync.aligned.m16n8k" << depth << ".row.col.f32." << type << "."
         << type << ".f32 " << d << ", " << vector("%a", i / 4 * 4, 4) << ", "
         << vector("%b", i % 4 * 2, 2) << ", " << d << ";\n";
  }
  loop(state, "{\n" + body.str() + "}\n");
  // 4 blocks of 8 warps, 128 turns.
  state.counters["multiply_adds"] =
      benchmark::Counter(4.0 * 8 * 128 * 8 * 16 * 8 * depth,
                         benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK_CAPTURE(matrixProducts, f16, "f16", 16)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(matrixProducts, bf16, "bf16", 16)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(matrixProducts, tf32, "tf32", 8)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(matrixProducts, e4m3, "e4m3", 32)
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond);

} // namespace
