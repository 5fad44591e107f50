//===- launch-overhead.cpp - What a launch through the C API costs --------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   launch-overhead BUNDLE [--check] [--rounds=N] [--device=cuda]
//
// Host time of ctc_layer_launch beside that of the driver's own launch of the
// same kernels in the same way with parameters made before, on a GPU. Rounds of
// both alternate; nothing waits within a round, and a round has fewer launches
// than a stream queues. The least mean of a round counts. Beside them what a
// launch takes on the device: between events of a held stream, and in a graph.
// One line of JSON; with --check exit code 1 when the difference is 2
// microseconds or more. Without a GPU it is 4.
//
//===----------------------------------------------------------------------===//

#include "CudaDriver.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Bundle/Queries.h"
#include "ctc/Runtime/ctc_runtime.hpp"
#include "ctc/Runtime/ctc_timing.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace ctc;

namespace {
constexpr double kBarMicroseconds = 2;
constexpr int kLaunchesPerRound = 400;

struct Options {
  std::string bundle, device = "cuda";
  bool check = false;
  int rounds = 40;
};

/// Ends with a message; 1 stands for what is not expected here.
[[noreturn]] void end(int code, const std::string &message) {
  std::fprintf(stderr, "launch-overhead: %s\n", message.c_str());
  std::exit(code);
}

void must(const rt::Result<void> &done) {
  if (!done)
    end(1, done.error().message);
}

/// The entry's buffers, one each, as both ways to launch want them.
struct Buffers {
  std::vector<runtime::Buffer> owned;
  std::vector<uint64_t> byArgument; ///< Address of every argument.
  std::vector<uint64_t> launched;   ///< Those that ctc_layer_launch takes.
};

Buffers allocate(const runtime::Device &device, const Entry &entry,
                 int64_t batch) {
  Buffers buffers;
  for (const Argument &argument : entry.arguments) {
    const auto bytes = byteSize(argument, batch);
    if (!bytes)
      end(2, bytes.error().message);
    buffers.owned.emplace_back(device, static_cast<uint64_t>(*bytes));
    const uint64_t address = buffers.owned.back().address();
    device.fill(address, 0, static_cast<uint64_t>(*bytes));
    buffers.byArgument.push_back(address);
    if (argument.role != ArgumentRole::Weight &&
        argument.role != ArgumentRole::PackedWeight)
      buffers.launched.push_back(address);
  }
  return buffers;
}

uint64_t addressOf(const Entry &entry, const Buffers &buffers,
                   ArgumentRole role) {
  for (size_t i = 0; i < entry.arguments.size(); ++i)
    if (entry.arguments[i].role == role)
      return buffers.byArgument[i];
  return 0;
}

/// One kernel launched by the driver alone.
struct DirectLaunch {
  rt::CudaLaunch launch = {};
  std::vector<uint64_t> values;
  std::vector<void *> parameters;
};

std::vector<DirectLaunch> loadDirectly(const rt::CudaDriver &driver,
                                       const ChipImage &image, bool usesPtx,
                                       const Entry &entry,
                                       const Buffers &buffers, int64_t batch) {
  rt::CUmodule module = nullptr;
  const void *code = usesPtx ? static_cast<const void *>(image.ptx.c_str())
                             : image.cubin.data();
  must(driver.check(
      driver.cuModuleLoadDataEx(&module, code, 0, nullptr, nullptr),
      "cuModuleLoadDataEx"));
  const auto programmatic = driver.launchesProgrammatically();
  if (!programmatic)
    end(1, programmatic.error().message);
  std::vector<DirectLaunch> launches(entry.run.size());
  for (size_t i = 0; i < launches.size(); ++i) {
    const Launch &run = entry.run[i];
    DirectLaunch &direct = launches[i];
    direct.launch = {nullptr, static_cast<unsigned>(*blocks(run.grid, batch)),
                     run.block, run.dynamicSharedBytes,
                     run.programmatic && *programmatic};
    must(driver.check(driver.cuModuleGetFunction(&direct.launch.function,
                                                 module, run.kernel.c_str()),
                      "cuModuleGetFunction"));
    if (const auto bytes = run.dynamicSharedBytes)
      must(driver.check(
          driver.cuFuncSetAttribute(direct.launch.function,
                                    rt::kCudaFunctionMaxDynamicShared,
                                    static_cast<int>(bytes)),
          "cuFuncSetAttribute"));
    for (uint32_t argument : run.arguments)
      direct.values.push_back(buffers.byArgument[argument]);
    if (run.passesBatch)
      direct.values.push_back(static_cast<uint64_t>(batch));
    for (uint64_t &value : direct.values)
      direct.parameters.push_back(&value);
  }
  return launches;
}

/// Microseconds per call of a round.
template <typename Call> double roundOf(const Call &call) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kLaunchesPerRound; ++i)
    call();
  const std::chrono::duration<double, std::micro> taken =
      std::chrono::steady_clock::now() - start;
  return taken.count() / kLaunchesPerRound;
}

int readRounds(const std::string &text) {
  char *rest = nullptr;
  const long rounds = std::strtol(text.c_str(), &rest, 10);
  if (text.empty() || *rest || rounds < 1 || rounds > 1000000)
    end(2, "--rounds is '" + text + "', must be from 1 to 1000000");
  return static_cast<int>(rounds);
}

Options readOptions(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    if (text == "--check")
      options.check = true;
    else if (text.starts_with("--rounds="))
      options.rounds = readRounds(text.substr(9));
    else if (text.starts_with("--device="))
      options.device = text.substr(9);
    else if (!text.starts_with("-") && options.bundle.empty())
      options.bundle = text;
    else
      end(2, "unexpected argument '" + text + "'");
  }
  if (options.bundle.empty())
    end(2, "usage: launch-overhead BUNDLE [--check] [--rounds=N] "
           "[--device=cuda]");
  return options;
}

/// Least microseconds per call of either, by rounds in turn.
struct Means {
  double api = 1e30, driver = 1e30;
};

Means race(const rt::CudaDriver &driver, const runtime::Device &device,
           const runtime::Layer &layer, int64_t batch, const Buffers &buffers,
           const std::vector<DirectLaunch> &direct, int rounds) {
  auto throughApi = [&] {
    if (ctc_layer_launch(layer.get(), batch, buffers.launched.data(),
                         buffers.launched.size(), nullptr) != CTC_OK)
      end(1, ctc_last_error());
  };
  auto throughDriver = [&] {
    for (const DirectLaunch &one : direct)
      if (int result = driver.launch(
              one.launch, nullptr, const_cast<void **>(one.parameters.data())))
        must(driver.check(result, rt::CudaDriver::nameOf(one.launch)));
  };
  Means means;
  for (int i = 0; i < rounds; ++i) {
    means.api = std::min(means.api, roundOf(throughApi));
    device.synchronize();
    means.driver = std::min(means.driver, roundOf(throughDriver));
    device.synchronize();
  }
  return means;
}

/// The driver with the device's context current, as its own caller has it.
const rt::CudaDriver &currentDriver(const runtime::Device &device) {
  const auto &opened = rt::cudaDriver();
  if (!opened)
    end(4, opened.error().message);
  rt::CUcontext context = nullptr;
  must(opened->check(
      opened->cuDevicePrimaryCtxRetain(&context, device.info().ordinal),
      "cuDevicePrimaryCtxRetain"));
  must(opened->check(opened->cuCtxPushCurrent_v2(context), "cuCtxPushCurrent"));
  return *opened;
}

/// Microseconds of the device per launch of an unrotated, so warm, layer.
struct DeviceTimes {
  double events = 0, graph = 0;
};

DeviceTimes timeOnDevice(const runtime::Device &device,
                         const runtime::Layer &layer, int64_t batch,
                         const Buffers &buffers) {
  constexpr int kLaunches = 50;
  ctc_stream *stream = nullptr;
  ctc_event *before = nullptr, *after = nullptr;
  ctc_graph *graph = nullptr;
  runtime::check(ctc_stream_create(device.get(), &stream));
  runtime::check(ctc_event_create(device.get(), &before));
  runtime::check(ctc_event_create(device.get(), &after));
  auto launchAll = [&] {
    for (int i = 0; i < kLaunches; ++i)
      runtime::check(
          ctc_layer_launch(layer.get(), batch, buffers.launched.data(),
                           buffers.launched.size(), ctc_stream_native(stream)));
  };
  auto timed = [&](const auto &enqueue) {
    runtime::check(ctc_stream_hold(stream));
    runtime::check(ctc_event_record(before, stream));
    enqueue();
    runtime::check(ctc_event_record(after, stream));
    runtime::check(ctc_stream_release(stream));
    runtime::check(
        ctc_device_synchronize(device.get(), ctc_stream_native(stream)));
    double seconds = 0;
    runtime::check(ctc_event_elapsed(before, after, &seconds));
    return seconds * 1e6 / kLaunches;
  };
  runtime::check(ctc_stream_begin_capture(stream));
  launchAll();
  runtime::check(ctc_stream_end_capture(stream, &graph));
  auto replay = [&] { runtime::check(ctc_graph_launch(graph, stream)); };
  replay(); // Uploads it; the kernels were launched before.
  device.synchronize(ctc_stream_native(stream));
  const DeviceTimes times{timed(launchAll), timed(replay)};
  ctc_graph_destroy(graph);
  ctc_event_destroy(after);
  ctc_event_destroy(before);
  ctc_stream_destroy(stream);
  return times;
}

int measure(const Options &options) {
  const auto parsed = readBundle(options.bundle);
  if (!parsed)
    end(2, parsed.error().message);
  const auto bundle = runtime::Bundle::fromFile(options.bundle);
  const auto device = runtime::Device::open(options.device);
  if (device.info().kind != CTC_DEVICE_CUDA)
    end(4, "--device is '" + options.device + "', must be cuda or cuda:N");
  const auto module = runtime::Module::load(bundle, device);
  auto layer = runtime::Layer::create(module);
  const ctc_module_info loaded = module.info();
  const ChipImage &image = parsed->images[loaded.image];
  const Entry &entry = image.manifest.entries.front();
  const int64_t batch =
      entry.problem.hasDynamicBatch() ? 1 : entry.problem.batch;
  const Buffers buffers = allocate(device, entry, batch);
  layer.prepare(addressOf(entry, buffers, ArgumentRole::Weight),
                addressOf(entry, buffers, ArgumentRole::PackedWeight));
  device.synchronize();
  const rt::CudaDriver &driver = currentDriver(device);
  const auto direct =
      loadDirectly(driver, image, loaded.uses_ptx, entry, buffers, batch);
  const Means means =
      race(driver, device, layer, batch, buffers, direct, options.rounds);
  const DeviceTimes times = timeOnDevice(device, layer, batch, buffers);
  const double overhead = means.api - means.driver;
  std::printf("{\"device\": \"%s\", \"launches_per_round\": %d, \"rounds\": "
              "%d, \"ctc_layer_launch_us\": %.3f, \"driver_launch_us\": %.3f, "
              "\"overhead_us\": %.3f, \"device_us\": %.3f, "
              "\"device_graph_us\": %.3f}\n",
              device.info().name, kLaunchesPerRound, options.rounds, means.api,
              means.driver, overhead, times.events, times.graph);
  return options.check && overhead >= kBarMicroseconds ? 1 : 0;
}
} // namespace

int main(int argc, char **argv) {
  const Options options = readOptions(argc, argv);
  try {
    return measure(options);
  } catch (const runtime::Error &error) {
    end(error.status() == CTC_NO_DEVICE ? 4 : 1, error.what());
  }
}
