//===- LaunchBenchmark.cpp - What a launch from C costs the host ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   CtcLaunchBenchmark LAYER.ctcb [--check]
//
// Microseconds of host time per launch of a bundle's first entry on the first
// GPU, and per call of the driver that a launch may make, among them the bare
// launch of the same kernel in the same way. What ctc_layer_launch takes beyond
// that is its overhead; --check exits with 1
// where it is 2 microseconds or more. The calls take turns, round by round, and
// the stream is drained between rounds, so that no call waits for room in its
// queue. Best and median of the rounds.
//
//===----------------------------------------------------------------------===//

#include "CudaDriver.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Bundle/Queries.h"
#include "ctc/Runtime/ctc_runtime.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <list>

using namespace ctc;
using rt::CUcontext;
using rt::CudaDriver;

namespace {
constexpr double kLimit = 2.0;            // Microseconds.
constexpr int kCalls = 500, kRounds = 60; // Fewer calls than a stream queues.

constexpr const char *kEmptyKernel = ".version 7.0\n.target sm_75\n"
                                     ".address_size 64\n"
                                     ".visible .entry empty() { ret; }\n";

[[noreturn]] void stop(int status, const std::string &message) {
  std::fprintf(stderr, "CtcLaunchBenchmark: %s\n", message.c_str());
  std::exit(status);
}

/// Device memory and the order of addresses a launch takes.
struct Arguments {
  std::list<runtime::Buffer> buffers;
  std::vector<uint64_t> addresses; ///< By argument; 0 for the packed weight.
  std::vector<uint64_t> launched;  ///< What ctc_layer_launch takes.
  uint64_t weight = 0;
  int64_t batch = 1;
};

/// A driver function with its arguments bound; it gives the driver's result.
struct Row {
  const char *name;
  std::function<rt::CUresult()> call;
  std::vector<double> microseconds; ///< Per call, by round.

  double best() const {
    return *std::min_element(microseconds.begin(), microseconds.end());
  }
  double median() const {
    std::vector<double> sorted = microseconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};
} // namespace

static void must(const CudaDriver &driver, rt::CUresult result,
                 const char *call) {
  if (const auto done = driver.check(result, call); !done)
    stop(5, done.error().message);
}

static Arguments allocate(const runtime::Device &device, const Entry &entry) {
  Arguments made;
  made.batch = entry.problem.hasDynamicBatch() ? 1 : entry.problem.batch;
  for (const Argument &argument : entry.arguments) {
    uint64_t address = 0;
    if (argument.role != ArgumentRole::PackedWeight) {
      const auto bytes = byteSize(argument, made.batch);
      if (!bytes)
        stop(2, bytes.error().message);
      const auto size = static_cast<uint64_t>(*bytes);
      address = made.buffers.emplace_back(device, size).address();
      device.fill(address, 0, size);
    }
    made.addresses.push_back(address);
    if (argument.role == ArgumentRole::Weight)
      made.weight = address;
    else if (argument.role != ArgumentRole::PackedWeight)
      made.launched.push_back(address);
  }
  return made;
}

/// The driver's own launch of the entry's kernel.
static std::function<rt::CUresult()>
bareLaunch(const CudaDriver &driver, const ChipImage &image, const Entry &entry,
           const Arguments &arguments, uint64_t packed) {
  if (entry.run.size() != 1)
    stop(2, "entry '" + entry.name + "' has " +
                std::to_string(entry.run.size()) + " launches, must have 1");
  const Launch &launch = entry.run.front();
  rt::CUmodule module = nullptr;
  rt::CUfunction function = nullptr;
  must(driver,
       driver.cuModuleLoadDataEx(&module, image.cubin.data(), 0, nullptr,
                                 nullptr),
       "cuModuleLoadDataEx");
  must(driver,
       driver.cuModuleGetFunction(&function, module, launch.kernel.c_str()),
       "cuModuleGetFunction");
  if (launch.dynamicSharedBytes)
    must(driver,
         driver.cuFuncSetAttribute(function, rt::kCudaFunctionMaxDynamicShared,
                                   static_cast<int>(launch.dynamicSharedBytes)),
         "cuFuncSetAttribute");
  std::vector<uint64_t> parameters;
  for (const uint32_t argument : launch.arguments) {
    const uint64_t address = arguments.addresses[argument];
    parameters.push_back(address ? address : packed);
  }
  if (launch.passesBatch)
    parameters.push_back(static_cast<uint64_t>(arguments.batch));
  const auto grid =
      static_cast<unsigned>(blocks(launch.grid, arguments.batch).value_or(1));
  const auto programmatic = driver.launchesProgrammatically();
  if (!programmatic)
    stop(4, programmatic.error().message);
  const rt::CudaLaunch what{function, grid, launch.block,
                            launch.dynamicSharedBytes,
                            launch.programmatic && *programmatic};
  return [&driver, what, parameters]() mutable {
    std::array<void *, kMaxLaunchArguments + 1> pointers;
    for (size_t i = 0; i < parameters.size(); ++i)
      pointers[i] = &parameters[i];
    return driver.launch(what, nullptr, pointers.data());
  };
}

static std::function<rt::CUresult()> emptyLaunch(const CudaDriver &driver) {
  rt::CUmodule module = nullptr;
  rt::CUfunction function = nullptr;
  must(driver,
       driver.cuModuleLoadDataEx(&module, kEmptyKernel, 0, nullptr, nullptr),
       "cuModuleLoadDataEx");
  must(driver, driver.cuModuleGetFunction(&function, module, "empty"),
       "cuModuleGetFunction");
  return [&driver, function] {
    return driver.cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr,
                                 nullptr, nullptr);
  };
}

static void measure(const CudaDriver &driver, std::vector<Row> &rows) {
  for (int round = 0; round <= kRounds; ++round)
    for (Row &row : rows) {
      const auto start = std::chrono::steady_clock::now();
      rt::CUresult result = rt::kCudaSuccess;
      for (int i = 0; i < kCalls; ++i)
        result = result ? result : row.call();
      const std::chrono::duration<double, std::micro> took =
          std::chrono::steady_clock::now() - start;
      must(driver, result, row.name);
      must(driver, driver.cuStreamSynchronize(nullptr), "cuStreamSynchronize");
      if (round > 0) // The first warms up.
        row.microseconds.push_back(took.count() / kCalls);
    }
}

static int run(const std::string &path, bool checks) {
  const auto bundle = readBundle(path);
  if (!bundle)
    stop(2, bundle.error().message);
  const auto device = runtime::Device::open("cuda");
  const auto module =
      runtime::Module::load(runtime::Bundle::fromFile(path), device);
  const ChipImage &image = bundle->images[module.info().image];
  const Entry &entry = image.manifest.entries.front();
  auto layer = runtime::Layer::create(module, entry.name);
  const Arguments arguments = allocate(device, entry);
  const runtime::Buffer packed(device, layer.packedBytes());
  layer.prepare(arguments.weight, packed.address());

  const auto &opened = rt::cudaDriver();
  if (!opened)
    stop(4, opened.error().message);
  const CudaDriver &driver = *opened;
  CUcontext context = nullptr;
  must(driver, driver.cuDevicePrimaryCtxRetain(&context, 0),
       "cuDevicePrimaryCtxRetain");
  must(driver, driver.cuCtxPushCurrent_v2(context), "cuCtxPushCurrent");
  const auto launch = [&] {
    runtime::check(ctc_layer_launch(layer.get(), arguments.batch,
                                    arguments.launched.data(),
                                    arguments.launched.size(), nullptr));
    return rt::kCudaSuccess;
  };
  CUcontext ignored;
  std::vector<Row> rows{
      {"the driver's launch of the layer's kernel",
       bareLaunch(driver, image, entry, arguments, packed.address()),
       {}},
      {"ctc_layer_launch", launch, {}},
      {"cuLaunchKernel, an empty kernel", emptyLaunch(driver), {}},
      {"cuCtxGetCurrent", [&] { return driver.cuCtxGetCurrent(&ignored); }, {}},
      {"cuCtxPushCurrent and cuCtxPopCurrent",
       [&] {
         const int pushed = driver.cuCtxPushCurrent_v2(context);
         return pushed ? pushed : driver.cuCtxPopCurrent_v2(&ignored);
       },
       {}}};
  measure(driver, rows);
  std::printf("%s, %s, entry '%s', batch %lld\n", device.info().name,
              image.chip.c_str(), entry.name.c_str(),
              static_cast<long long>(arguments.batch));
  std::printf("%-38s %9s %9s\n", "microseconds per call", "best", "median");
  for (const Row &row : rows)
    std::printf("%-38s %9.3f %9.3f\n", row.name, row.best(), row.median());
  const double overhead = rows[1].median() - rows[0].median();
  std::printf("%-38s %9.3f %9.3f\n", "overhead of ctc_layer_launch",
              rows[1].best() - rows[0].best(), overhead);
  return checks && overhead >= kLimit ? 1 : 0;
}

int main(int count, char **words) {
  const bool checks = count == 3 && std::string(words[2]) == "--check";
  if (count != 2 && !checks)
    stop(2, "usage: CtcLaunchBenchmark LAYER.ctcb [--check]");
  try {
    return run(words[1], checks);
  } catch (const runtime::Error &error) {
    stop(error.status() == CTC_NO_DEVICE ? 4 : 5, error.what());
  }
}
