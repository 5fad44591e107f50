//===- BenchCommand.cpp - ctc bench ---------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchReport.h"
#include "BundleFile.h"
#include "Commands.h"
#include "RunInputs.h"
#include "Values.h"
#include "ctc/Bundle/Queries.h"

using namespace ctc;
using namespace ctc::driver;

namespace {
struct BenchRequest {
  std::string device;
  RunFlags flags;
  BenchOptions options;
  bool json = false;
};
} // namespace

static Expected<BenchRequest> readRequest(CommandArguments arguments) {
  BenchRequest request;
  request.device = arguments.getLastArgValue(OPT_device, "cuda").str();
  if (request.device == "auto")
    request.device = "cuda";
  request.json = arguments.hasArg(OPT_json);
  auto flags = readRunFlags(arguments);
  if (!flags)
    return tl::unexpected(flags.error());
  request.flags = std::move(*flags);
  request.options.seed = request.flags.seed;
  if (arguments.hasArg(OPT_check_limit)) {
    auto limit =
        parseCount("--check-limit", arguments.getLastArgValue(OPT_check_limit));
    if (!limit)
      return tl::unexpected(limit.error());
    request.options.checkMultiplyAdds = *limit;
  }
  if (request.device == "cpu")
    return makeError(ErrorCode::NoDevice,
                     "--device is 'cpu', must be cuda or cuda:N: times of the "
                     "PTX machine are not times of a GPU (ctc profile "
                     "estimates those)");
  return request;
}

/// What the report says of the device.
static Expected<void> describe(const Device &device, BenchReport &report) {
  ctc_device_info info;
  ctc_cuda_info cuda;
  auto good = checkStatus(ctc_device_get_info(device.get(), &info));
  if (good)
    good = checkStatus(ctc_cuda_get_info(device.get(), &cuda));
  if (!good)
    return good;
  report.device = device.describe();
  report.ceilings =
      ceilingsOf(info.name, info.compute_major, info.compute_minor);
  report.secondLevelBytes = cuda.l2_bytes;
  return {};
}

static BenchRow benchEntry(const Device &device, const BundleFile &file,
                           const std::string &name, const BenchReport &report,
                           const BenchRequest &request) {
  BenchRow row{name, "", "", "", LayerBench{}};
  auto layer = LoadedLayer::load(device, file.span(), request.flags.chip, name);
  if (!layer) {
    row.bench = tl::unexpected(layer.error());
    return row;
  }
  const ChipImage &image = file.bundle.images[layer->image()];
  const Entry &entry = image.manifest.entries[layer->entry()];
  row.chip = image.chip;
  row.family = entry.family;
  row.kernel = entry.kernel;
  row.bench = benchLayer(*layer, entry, request.flags, report.ceilings,
                         request.options);
  return row;
}

Expected<void> driver::benchCommand(CommandArguments arguments) {
  auto request = readRequest(arguments);
  if (!request)
    return tl::unexpected(request.error());
  auto path = onlyPositional(arguments, "bundle");
  if (!path)
    return tl::unexpected(path.error());
  auto file = readBundleFile(*path);
  if (!file)
    return tl::unexpected(file.error());
  const Manifest &manifest = file->bundle.images.front().manifest;
  if (!request->flags.entry.empty())
    if (auto known = findEntry(manifest, request->flags.entry); !known)
      return tl::unexpected(known.error());
  auto device = Device::open(request->device);
  if (!device)
    return tl::unexpected(device.error());
  BenchReport report;
  report.bundle = *path;
  if (auto good = describe(*device, report); !good)
    return good;
  for (const Entry &entry : manifest.entries)
    if (request->flags.entry.empty() || request->flags.entry == entry.name)
      report.rows.push_back(
          benchEntry(*device, *file, entry.name, report, *request));
  if (request->json)
    report.printJson(llvm::outs());
  else
    report.print(llvm::outs());
  return report.outcome();
}
