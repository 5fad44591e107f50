//===- Machine.cpp - Modules and launches ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/PtxMachine/Machine.h"

#include "BlockExecutor.h"
#include "Families/Families.h"
#include "ModuleImage.h"
#include "Parser.h"
#include "ProgramBuilder.h"

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace ctc::ptx {

namespace {
constexpr uint64_t kMaxThreadsPerBlock = 1024;
/// The most shared memory a block has on any chip (sm_90, sm_100).
constexpr uint64_t kMaxSharedBytes = 227 * 1024;
} // namespace

struct LoadedModule::Impl {
  explicit Impl(GlobalMemory &memory) : memory(memory), image(memory) {}

  GlobalMemory &memory;
  ModuleImage image;
  std::map<std::string, std::unique_ptr<Program>, std::less<>> programs;
};

LoadedModule::LoadedModule() = default;
LoadedModule::~LoadedModule() = default;

Expected<std::unique_ptr<LoadedModule>>
LoadedModule::load(std::string_view ptx, GlobalMemory &memory) {
  auto module = parseModule(ptx);
  if (!module)
    return tl::unexpected<Error>(module.error());
  std::unique_ptr<LoadedModule> result(new LoadedModule);
  result->impl = std::make_unique<Impl>(memory);
  if (auto placed = result->impl->image.place(*module); !placed)
    return tl::unexpected<Error>(placed.error());
  ProgramBuilder builder(*module, result->impl->image, decoderTable());
  for (const Function &function : module->functions) {
    if (!function.isEntry || !function.hasBody)
      continue;
    auto program = builder.build(function);
    if (!program)
      return tl::unexpected<Error>(program.error());
    result->impl->programs[function.name] = std::move(*program);
  }
  return result;
}

std::vector<KernelInfo> LoadedModule::kernels() const {
  std::vector<KernelInfo> result;
  for (const auto &[name, program] : impl->programs)
    result.push_back(program->info);
  return result;
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

static tl::unexpected<Error> launchError(const Program &program,
                                         const std::string &what) {
  return makeError(ErrorCode::DeviceError,
                   "kernel '" + program.info.name + "': " + what);
}

static std::string text(const uint32_t (&sizes)[3]) {
  return "(" + std::to_string(sizes[0]) + ", " + std::to_string(sizes[1]) +
         ", " + std::to_string(sizes[2]) + ")";
}

static Expected<void> checkBlockSize(const Program &program,
                                     const Dim3 &block) {
  uint64_t threads = uint64_t(block.x) * block.y;
  if (threads <= kMaxThreadsPerBlock)
    threads *= block.z;
  const uint32_t sizes[3] = {block.x, block.y, block.z};
  if (threads == 0 || threads > kMaxThreadsPerBlock)
    return launchError(program, "a block of " + text(sizes) +
                                    " threads; legal are 1 to 1024 threads");
  const uint32_t *most = program.maxThreads;
  if (most[0] && threads > uint64_t(most[0]) * most[1] * most[2])
    return launchError(program, "a block of " + text(sizes) +
                                    " threads; .maxntid allows " +
                                    text(program.maxThreads));
  const uint32_t *exact = program.requiredThreads;
  if (exact[0] &&
      (exact[0] != block.x || exact[1] != block.y || exact[2] != block.z))
    return launchError(program, "a block of " + text(sizes) +
                                    " threads; .reqntid asks for " +
                                    text(program.requiredThreads));
  return {};
}

static Expected<void> checkLaunch(const Program &program,
                                  const LaunchConfig &config, uint64_t blocks) {
  if (auto good = checkBlockSize(program, config.block); !good)
    return good;
  if (blocks == 0)
    return launchError(program, "an empty grid; every dimension must be at "
                                "least 1");
  if (config.parameters.size() != program.info.parameterBytes)
    return launchError(program,
                       std::to_string(config.parameters.size()) +
                           " bytes of parameters were given; the kernel has " +
                           std::to_string(program.info.parameterBytes));
  uint64_t shared =
      uint64_t(program.info.staticSharedBytes) + config.dynamicSharedBytes;
  if (shared > kMaxSharedBytes)
    return launchError(program, std::to_string(shared) +
                                    " bytes of shared memory; a block has at "
                                    "most " +
                                    std::to_string(kMaxSharedBytes));
  for (uint64_t index : config.onlyBlocks)
    if (index >= blocks)
      return launchError(program, "block " + std::to_string(index) +
                                      " is asked for; the grid has " +
                                      std::to_string(blocks));
  return {};
}

namespace {
/// Blocks in order, each to the next free host thread.
class Launch {
public:
  Launch(const Program &program, const GlobalMemory &memory,
         const LaunchConfig &config, uint64_t blocks)
      : program(program), memory(memory), config(config),
        count(config.onlyBlocks.empty() ? blocks : config.onlyBlocks.size()) {}

  Expected<LaunchStatistics> run() {
    uint64_t workers = config.hostThreads ? config.hostThreads
                                          : std::thread::hardware_concurrency();
    workers = std::max<uint64_t>(1, std::min(workers, count));
    std::vector<std::thread> threads;
    for (uint64_t i = 1; i < workers; ++i)
      threads.emplace_back([this] { work(); });
    work();
    for (std::thread &thread : threads)
      thread.join();
    if (!message.empty())
      return makeError(ErrorCode::DeviceError, message);
    return total;
  }

private:
  void work() {
    BlockExecutor executor(program, memory, config);
    // A fault stops what lies behind it; what lies before it still runs, so
    // that the fault reported is that of the first block that has one.
    for (uint64_t i; (i = next++) < std::min<uint64_t>(count, faultAt);) {
      uint64_t block = config.onlyBlocks.empty() ? i : config.onlyBlocks[i];
      if (executor.run(block))
        continue;
      std::lock_guard lock(mutex);
      if (i < faultAt) {
        faultAt = i;
        message = executor.faultMessage();
      }
      break;
    }
    LaunchStatistics own = executor.statistics();
    std::lock_guard lock(mutex);
    total.blocks += own.blocks;
    total.warpInstructions += own.warpInstructions;
    total.threadInstructions += own.threadInstructions;
  }

  const Program &program;
  const GlobalMemory &memory;
  const LaunchConfig &config;
  const uint64_t count;
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> faultAt{~uint64_t(0)};
  std::mutex mutex;
  std::string message;
  LaunchStatistics total;
};
} // namespace

Expected<LaunchStatistics>
LoadedModule::launch(std::string_view kernel,
                     const LaunchConfig &config) const {
  auto found = impl->programs.find(kernel);
  if (found == impl->programs.end())
    return makeError(ErrorCode::DeviceError,
                     "the module has no kernel '" + std::string(kernel) + "'");
  const Program &program = *found->second;
  uint64_t blocks = uint64_t(config.grid.x) * config.grid.y;
  if (__builtin_mul_overflow(blocks, uint64_t(config.grid.z), &blocks))
    return launchError(program, "a grid of more than 2^64 blocks");
  if (auto good = checkLaunch(program, config, blocks); !good)
    return tl::unexpected<Error>(good.error());
  return Launch(program, impl->memory, config, blocks).run();
}

} // namespace ctc::ptx
