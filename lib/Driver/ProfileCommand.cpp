//===- ProfileCommand.cpp - ctc profile -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BundleFile.h"
#include "Commands.h"
#include "HostMemory.h"
#include "Input.h"
#include "Json.h"
#include "ProfileOutput.h"
#include "RunInputs.h"
#include "Values.h"
#include "ctc/Support/File.h"

using namespace ctc;
using namespace ctc::driver;

namespace {
struct ProfileRequest {
  RunFlags flags;
  uint64_t sample = 0; ///< Blocks of a launch; 0: all.
  bool json = false;
  std::string html; ///< Empty: no page.
};
} // namespace

static Expected<ProfileRequest> readRequest(CommandArguments arguments) {
  ProfileRequest request;
  request.json = arguments.hasArg(OPT_json);
  request.html = arguments.getLastArgValue(OPT_html).str();
  if (request.json && request.html == "-")
    return makeError(ErrorCode::Usage,
                     "--html=- and --json are given, must be one of them: both "
                     "go to standard output");
  if (!request.html.empty() && request.html != "-")
    if (auto writable = checkWritable(request.html); !writable)
      return tl::unexpected(writable.error());
  const llvm::StringRef device = arguments.getLastArgValue(OPT_device, "cpu");
  if (device != "cpu")
    return makeError(ErrorCode::Usage,
                     "--device is '" + device.str() +
                         "', must be cpu: only the PTX machine counts what a "
                         "kernel does");
  auto flags = readRunFlags(arguments);
  if (!flags)
    return tl::unexpected(flags.error());
  request.flags = std::move(*flags);
  if (arguments.hasArg(OPT_sample)) {
    auto sample =
        parseInteger("--sample", arguments.getLastArgValue(OPT_sample), 1);
    if (!sample)
      return tl::unexpected(sample.error());
    request.sample = static_cast<uint64_t>(*sample);
  }
  return request;
}

Expected<void> driver::profileCommand(CommandArguments arguments) {
  auto request = readRequest(arguments);
  if (!request)
    return tl::unexpected(request.error());
  auto path = onlyPositional(arguments, "bundle");
  if (!path)
    return tl::unexpected(path.error());
  auto file = readBundleFile(*path);
  if (!file)
    return tl::unexpected(file.error());
  auto device = Device::open("cpu");
  if (!device)
    return tl::unexpected(device.error());
  auto layer = LoadedLayer::load(*device, file->span(), request->flags.chip,
                                 request->flags.entry);
  if (!layer)
    return tl::unexpected(layer.error());
  const ChipImage &image = file->bundle.images[layer->image()];
  const Entry &entry = image.manifest.entries[layer->entry()];
  auto inputs = makeRunInputs(entry, request->flags);
  if (!inputs)
    return tl::unexpected(inputs.error());
  auto profile = withinMemory(inputs->problem, /*isChecked=*/false, [&] {
    return profileLayer(*layer, image, inputs->tensors, inputs->batch,
                        request->sample);
  });
  if (!profile)
    return tl::unexpected(profile.error());
  const ProfileReport report =
      makeReport(*profile, image, entry, *findChip(image.chip),
                 device->describe(), request->sample);
  if (!request->html.empty())
    if (auto written = writeOutput(request->html, profilePage(report));
        !written)
      return written;
  if (request->html == "-")
    return {};
  if (request->json)
    printJson(profileToJson(report), llvm::outs());
  else
    printProfile(report, llvm::outs());
  return {};
}
