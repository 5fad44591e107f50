//===- Machine.cpp - Modules and launches ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/PtxMachine/Machine.h"

#include "Check/MemoryChecker.h"
#include "Counters/Counter.h"
#include "Execution/ClusterExecutor.h"
#include "Families/Families.h"
#include "Program/ModuleImage.h"
#include "Program/ProgramBuilder.h"
#include "Syntax/Parser.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
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

  /// A launch whose configuration is complete and legal.
  struct Checked {
    const Program &program;
    LaunchConfig config;
  };
  Expected<Checked> check(std::string_view kernel,
                          const LaunchConfig &given) const;
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

static Expected<void> checkCluster(const Program &program,
                                   const LaunchConfig &config) {
  const uint32_t shape[3] = {config.cluster.x, config.cluster.y,
                             config.cluster.z};
  const uint32_t grid[3] = {config.grid.x, config.grid.y, config.grid.z};
  const uint32_t *exact = program.requiredCluster;
  if (exact[0] && !std::equal(shape, shape + 3, exact))
    return launchError(program, "clusters of " + text(shape) +
                                    " blocks; .reqnctapercluster asks for " +
                                    text(program.requiredCluster));
  uint64_t blocks = 1;
  for (unsigned i = 0; i < 3; ++i) {
    blocks = std::min<uint64_t>(blocks * shape[i], kMaxClusterBlocks + 1);
    if (shape[i] == 0 || grid[i] % shape[i])
      return launchError(program, "clusters of " + text(shape) +
                                      " blocks; they must divide the grid of " +
                                      text(grid));
  }
  const uint64_t most =
      program.maxClusterRank ? program.maxClusterRank : kMaxClusterBlocks;
  if (blocks > most)
    return launchError(program, "clusters of " + text(shape) +
                                    " blocks; legal are at most " +
                                    std::to_string(most));
  return {};
}

/// What a chip has less of than the machine.
static Expected<void> checkLimits(const Program &program,
                                  const LaunchConfig &config, uint64_t shared) {
  const ChipLimits &limits = config.limits;
  auto has = [&limits](uint64_t most, const char *what) {
    return limits.chip + " has at most " + std::to_string(most) + what;
  };
  if (limits.sharedBytes && shared > limits.sharedBytes)
    return launchError(program, std::to_string(shared) +
                                    " bytes of shared memory; " +
                                    has(limits.sharedBytes, " for a block"));
  if (limits.staticSharedBytes &&
      program.info.staticSharedBytes > limits.staticSharedBytes)
    return launchError(program,
                       std::to_string(program.info.staticSharedBytes) +
                           " bytes of shared memory declared statically; " +
                           has(limits.staticSharedBytes,
                               ", more must be asked for at the launch"));
  // Without setmaxnreg a thread may have less than the directives allow.
  const bool startsWithAll =
      std::any_of(program.sources.begin(), program.sources.end(),
                  [](const SourceInstruction &source) {
                    return source.text.find("setmaxnreg") != std::string::npos;
                  });
  const uint64_t threads =
      uint64_t(config.block.x) * config.block.y * config.block.z;
  const uint64_t warps = (threads + kWarpSize - 1) / kWarpSize;
  const uint64_t registers = warps * kWarpSize * program.registersAtLaunch;
  if (limits.registers && startsWithAll && registers > limits.registers)
    return launchError(program, std::to_string(registers) + " registers, " +
                                    std::to_string(program.registersAtLaunch) +
                                    " for each of " + std::to_string(warps) +
                                    " warps' threads; " +
                                    has(limits.registers, " for a block"));
  return {};
}

static Expected<void> checkLaunch(const Program &program,
                                  const LaunchConfig &config, uint64_t blocks) {
  if (auto good = checkBlockSize(program, config.block); !good)
    return good;
  if (blocks == 0)
    return launchError(program, "an empty grid; every dimension must be at "
                                "least 1");
  if (auto good = checkCluster(program, config); !good)
    return good;
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
  if (auto good = checkLimits(program, config, shared); !good)
    return good;
  for (uint64_t index : config.onlyBlocks)
    if (index >= blocks)
      return launchError(program, "block " + std::to_string(index) +
                                      " is asked for; the grid has " +
                                      std::to_string(blocks));
  return {};
}

namespace {
/// Makes who watches the clusters of a host thread.
using MakeObserver = std::function<std::unique_ptr<Observer>()>;

/// Clusters in order, each to the next free host thread.
class Launch {
public:
  /// Without `makeObserver` nobody watches.
  Launch(const Program &program, const GlobalMemory &memory,
         const LaunchConfig &config, MakeObserver makeObserver = nullptr)
      : program(program), memory(memory), config(config),
        makeObserver(std::move(makeObserver)),
        clusters{config.grid.x / config.cluster.x,
                 config.grid.y / config.cluster.y,
                 config.grid.z / config.cluster.z} {
    count = uint64_t(clusters.x) * clusters.y * clusters.z;
    std::set<uint64_t> first;
    for (uint64_t block : config.onlyBlocks)
      if (first.insert(firstOfCluster(block)).second)
        only.push_back(firstOfCluster(block));
    count = only.empty() ? count : only.size();
  }

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

  /// Those of all host threads.
  const std::vector<std::unique_ptr<Observer>> &whoWatched() const {
    return observers;
  }
  /// The place of the cluster that ended the launch, in the order of clusters.
  uint64_t faultCluster() const { return faultAt; }

private:
  /// The linear index of the first block of the cluster `block` is in.
  uint64_t firstOfCluster(uint64_t block) const {
    const Dim3 grid = config.grid, shape = config.cluster;
    uint64_t x = block % grid.x, y = block / grid.x % grid.y;
    uint64_t z = block / grid.x / grid.y;
    return x - x % shape.x +
           grid.x * (y - y % shape.y + grid.y * (z - z % shape.z));
  }

  uint64_t firstBlock(uint64_t index) const {
    if (!only.empty())
      return only[index];
    uint64_t x = index % clusters.x, y = index / clusters.x % clusters.y;
    uint64_t z = index / clusters.x / clusters.y;
    const Dim3 grid = config.grid, shape = config.cluster;
    return x * shape.x + grid.x * (y * shape.y + grid.y * (z * shape.z));
  }

  void work() {
    std::unique_ptr<Observer> observer =
        makeObserver ? makeObserver() : nullptr;
    ClusterExecutor executor(program, memory, config, observer.get());
    // A fault stops what lies behind it; what lies before it still runs, so
    // that the fault reported is that of the first block that has one.
    for (uint64_t i; (i = next++) < std::min<uint64_t>(count, faultAt);) {
      if (executor.run(firstBlock(i), i))
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
    if (observer)
      observers.push_back(std::move(observer));
  }

  const Program &program;
  const GlobalMemory &memory;
  const LaunchConfig &config;
  const MakeObserver makeObserver;
  const Dim3 clusters;        ///< Of the grid.
  uint64_t count = 0;         ///< Of the clusters to run.
  std::vector<uint64_t> only; ///< Their first blocks, unless all are run.
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> faultAt{~uint64_t(0)};
  std::mutex mutex;
  std::string message;
  LaunchStatistics total;
  std::vector<std::unique_ptr<Observer>> observers;
};
} // namespace

Expected<LoadedModule::Impl::Checked>
LoadedModule::Impl::check(std::string_view kernel,
                          const LaunchConfig &given) const {
  auto found = programs.find(kernel);
  if (found == programs.end())
    return makeError(ErrorCode::DeviceError,
                     "the module has no kernel '" + std::string(kernel) + "'");
  const Program &program = *found->second;
  LaunchConfig config = given;
  const uint32_t *required = program.requiredCluster;
  const Dim3 &shape = given.cluster;
  if (required[0] && shape.x == 1 && shape.y == 1 && shape.z == 1)
    config.cluster = {required[0], required[1], required[2]};
  uint64_t blocks = uint64_t(config.grid.x) * config.grid.y;
  if (__builtin_mul_overflow(blocks, uint64_t(config.grid.z), &blocks))
    return launchError(program, "a grid of more than 2^64 blocks");
  if (auto good = checkLaunch(program, config, blocks); !good)
    return tl::unexpected<Error>(good.error());
  return Checked{program, std::move(config)};
}

/// What was found in the clusters up to the one that faulted.
static std::string describeBefore(const check::Findings &findings,
                                  uint64_t faultCluster) {
  auto [count, first] = findings.until(faultCluster);
  if (count == 0)
    return "";
  return "; before that, the memory checker found " + std::to_string(count) +
         (count == 1 ? " thing: " : " things, the first is: ") + first;
}

Expected<LaunchResult> LoadedModule::launch(std::string_view kernel,
                                            const LaunchConfig &config) const {
  auto checked = impl->check(kernel, config);
  if (!checked)
    return tl::unexpected<Error>(checked.error());
  const auto &[program, complete] = *checked;
  MakeObserver makeChecker;
  if (config.checkMemory)
    makeChecker = [&, &program = program, &complete = complete] {
      return std::make_unique<check::MemoryChecker>(program, impl->memory,
                                                    complete);
    };
  else
    GlobalMemory::Impl::assumeInitialized(impl->memory);
  Launch launch(program, impl->memory, complete, makeChecker);
  auto statistics = launch.run();
  check::Findings findings;
  for (const auto &checker : launch.whoWatched())
    findings.merge(
        static_cast<const check::MemoryChecker &>(*checker).findings());
  if (!statistics)
    return makeError(statistics.error().code,
                     statistics.error().message +
                         describeBefore(findings, launch.faultCluster()));
  LaunchResult result{*statistics, {}, 0};
  findings.store(result);
  return result;
}

Expected<LaunchCounters>
LoadedModule::profile(std::string_view kernel,
                      const LaunchConfig &config) const {
  auto checked = impl->check(kernel, config);
  if (!checked)
    return tl::unexpected<Error>(checked.error());
  const auto &[program, complete] = *checked;
  GlobalMemory::Impl::assumeInitialized(impl->memory);
  const std::vector<InstructionTraits> traits = traitsOf(program);
  auto makeCounter = [&, &program = program] {
    return std::make_unique<Counter>(program, impl->memory, traits);
  };
  Launch launch(program, impl->memory, complete, makeCounter);
  auto statistics = launch.run();
  if (!statistics)
    return tl::unexpected<Error>(statistics.error());
  std::unique_ptr<Counter> all = makeCounter();
  for (const auto &counter : launch.whoWatched())
    all->merge(static_cast<const Counter &>(*counter));
  const Dim3 grid = complete.grid, block = complete.block,
             cluster = complete.cluster;
  LaunchCounters result;
  result.statistics = *statistics;
  result.gridBlocks = uint64_t(grid.x) * grid.y * grid.z;
  result.threadsPerBlock = block.x * block.y * block.z;
  result.clusterBlocks = cluster.x * cluster.y * cluster.z;
  result.sharedBytes =
      program.info.staticSharedBytes + complete.dynamicSharedBytes;
  all->report(result);
  return result;
}

} // namespace ctc::ptx
