//===- CBundle.cpp - C API: bundles and their manifests -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Support/File.h"

using namespace ctc;
using namespace ctc::rt;

// The enumerators of the C API have the numbers of the C++ ones.
static_assert(int(CTC_BF16) == int(ElementType::BF16));
static_assert(int(CTC_SCRATCH) == int(ArgumentRole::Scratch));
static_assert(int(CTC_CHANNELS_LAST) == int(Layout::ChannelsLast));
static_assert(int(CTC_OUTPUT_KERNEL_INPUT) ==
              int(WeightLayout::OutputKernelInput));
static_assert(int(CTC_IEEE) == int(Precision::IEEE));
static_assert(CTC_DYNAMIC == kDynamic);

static std::vector<ctc_dimension> dimensions(const Problem &problem) {
  std::vector<ctc_dimension> result;
  for (const SpatialDim &dim : problem.dims)
    result.push_back({dim.input, dim.kernel, dim.stride, dim.dilation,
                      dim.padLow, dim.padHigh, dim.outputPadding,
                      outputSize(dim).value_or(0)});
  return result;
}

static std::vector<const char *>
pointers(const std::vector<std::string> &texts) {
  std::vector<const char *> result;
  for (const std::string &text : texts)
    result.push_back(text.c_str());
  return result;
}

ctc_bundle::ctc_bundle(Bundle parsed)
    : bundle(std::make_shared<const Bundle>(std::move(parsed))) {
  for (const ChipImage &image : bundle->images) {
    auto &arrays = entries.emplace_back();
    for (const Entry &entry : image.manifest.entries)
      arrays.push_back({dimensions(entry.problem), launchIndices(entry)});
    auto &texts = warnings.emplace_back();
    for (const KernelResources &resources : image.resources)
      texts.push_back(pointers(resources.warnings));
  }
}

static Result<void> open(std::span<const uint8_t> bytes,
                         const std::string &where, ctc_bundle **bundle) {
  auto parsed = deserialize(bytes);
  if (!parsed)
    return fail(CTC_INVALID_BUNDLE, where + parsed.error().message);
  *bundle = new ctc_bundle(std::move(*parsed));
  return {};
}

ctc_status ctc_bundle_open_file(const char *path, ctc_bundle **bundle) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"bundle", bundle}}));
    *bundle = nullptr;
    CTC_RETURN_IF_FAILED(require({{"path", path}}));
    const auto bytes = readFile(path);
    if (!bytes)
      return fail(CTC_FILE_ERROR, bytes.error());
    return open(*bytes, "'" + std::string(path) + "': ", bundle);
  });
}

ctc_status ctc_bundle_open_memory(const void *data, size_t size,
                                  ctc_bundle **bundle) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"bundle", bundle}}));
    *bundle = nullptr;
    CTC_RETURN_IF_FAILED(require({{"data", data}}));
    return open({static_cast<const uint8_t *>(data), size}, "", bundle);
  });
}

void ctc_bundle_close(ctc_bundle *bundle) { delete bundle; }

//===----------------------------------------------------------------------===//
// What is in a bundle
//===----------------------------------------------------------------------===//

/// The image of an index.
static Result<const ChipImage *> imageAt(const ctc_bundle *bundle,
                                         size_t image) {
  CTC_RETURN_IF_FAILED(require({{"bundle", bundle}}));
  CTC_RETURN_IF_FAILED(
      requireIndex("image", image, bundle->bundle->images.size()));
  return &bundle->bundle->images[image];
}

/// The entry of a pair of indices.
static Result<const Entry *> entryAt(const ctc_bundle *bundle, size_t image,
                                     size_t entry) {
  const auto found = imageAt(bundle, image);
  if (!found)
    return tl::unexpected(found.error());
  const auto &entries = (*found)->manifest.entries;
  CTC_RETURN_IF_FAILED(requireIndex("entry", entry, entries.size()));
  return &entries[entry];
}

ctc_status ctc_bundle_get_info(const ctc_bundle *bundle,
                               ctc_bundle_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"bundle", bundle}, {"info", info}}));
    const Bundle &in = *bundle->bundle;
    *info = {in.producer.c_str(), in.images.size(),
             in.images.front().manifest.entries.size()};
    return {};
  });
}

ctc_status ctc_bundle_get_image(const ctc_bundle *bundle, size_t image,
                                ctc_image_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"info", info}}));
    const auto in = imageAt(bundle, image);
    CTC_RETURN_IF_FAILED(in);
    const ChipImage &found = **in;
    *info = {found.chip.c_str(),    found.ptx.c_str(),  found.ptx.size(),
             found.cubin.data(),    found.cubin.size(), found.assembler.c_str(),
             found.resources.size()};
    return {};
  });
}

ctc_status ctc_bundle_get_resource(const ctc_bundle *bundle, size_t image,
                                   size_t resource, ctc_resource_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"info", info}}));
    const auto in = imageAt(bundle, image);
    CTC_RETURN_IF_FAILED(in);
    const auto &resources = (*in)->resources;
    CTC_RETURN_IF_FAILED(requireIndex("resource", resource, resources.size()));
    const KernelResources &found = resources[resource];
    const auto &warnings = bundle->warnings[image][resource];
    *info = {found.kernel.c_str(), found.registers,  found.spillStoreBytes,
             found.spillLoadBytes, found.stackBytes, found.staticSharedBytes,
             warnings.size(),      warnings.data()};
    return {};
  });
}

ctc_status ctc_bundle_find_image(const ctc_bundle *bundle, const char *chip,
                                 size_t *image) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(
        require({{"bundle", bundle}, {"chip", chip}, {"image", image}}));
    const auto found = findImage(bundle->bundle->images, chip);
    if (!found)
      return fail(CTC_NO_IMAGE, found.error());
    *image = *found;
    return {};
  });
}

ctc_status ctc_bundle_find_entry(const ctc_bundle *bundle, const char *name,
                                 size_t *entry) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(
        require({{"bundle", bundle}, {"name", name}, {"entry", entry}}));
    const auto found = findEntry(bundle->bundle->images.front().manifest, name);
    if (!found)
      return fail(CTC_INVALID_ARGUMENT, found.error());
    *entry = *found;
    return {};
  });
}

ctc_status ctc_bundle_get_entry(const ctc_bundle *bundle, size_t image,
                                size_t entry, ctc_entry_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"info", info}}));
    const auto found = entryAt(bundle, image, entry);
    CTC_RETURN_IF_FAILED(found);
    const Entry &in = **found;
    const auto &dims = bundle->entries[image][entry].dimensions;
    info->name = in.name.c_str();
    info->batch = in.problem.batch;
    info->input_channels = in.problem.inputChannels;
    info->output_channels = in.problem.outputChannels;
    info->groups = in.problem.groups;
    info->rank = dims.size();
    info->dimensions = dims.data();
    info->type = ctc_type(in.problem.type);
    info->layout = ctc_layout(in.problem.layout);
    info->weight_layout = ctc_weight_layout(in.problem.weightLayout);
    info->precision = ctc_precision(in.problem.precision);
    info->has_bias = in.problem.bias;
    info->argument_count = in.arguments.size();
    info->prepare_count = in.prepare.size();
    info->run_count = in.run.size();
    info->family = in.family.c_str();
    info->kernel = in.kernel.c_str();
    info->choice_source = in.choiceSource.c_str();
    info->choice_reason = in.choiceReason.c_str();
    info->useful_macs = in.work.usefulMacs;
    info->least_bytes = in.work.leastBytes;
    info->requested_bytes = in.work.requestedBytes;
    info->holes_factor = in.work.holes;
    info->border_factor = in.work.border;
    info->tile_factor = in.work.tile;
    return {};
  });
}

ctc_status ctc_bundle_get_argument(const ctc_bundle *bundle, size_t image,
                                   size_t entry, size_t argument,
                                   ctc_argument_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"info", info}}));
    const auto found = entryAt(bundle, image, entry);
    CTC_RETURN_IF_FAILED(found);
    const auto &arguments = (*found)->arguments;
    CTC_RETURN_IF_FAILED(requireIndex("argument", argument, arguments.size()));
    const Argument &in = arguments[argument];
    *info = {in.name.c_str(),
             ctc_role(in.role),
             ctc_type(in.type),
             in.shape.size(),
             in.shape.data(),
             bundle->entries[image][entry].launchIndices[argument]};
    return {};
  });
}

ctc_status ctc_bundle_argument_bytes(const ctc_bundle *bundle, size_t image,
                                     size_t entry, size_t argument,
                                     int64_t batch, uint64_t *bytes) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"bytes", bytes}}));
    const auto found = entryAt(bundle, image, entry);
    CTC_RETURN_IF_FAILED(found);
    const auto &arguments = (*found)->arguments;
    CTC_RETURN_IF_FAILED(requireIndex("argument", argument, arguments.size()));
    if (auto good = checkBatch(**found, batch); !good)
      return fail(CTC_INVALID_ARGUMENT, good.error());
    const auto size = byteSize(arguments[argument], batch);
    if (!size)
      return fail(CTC_INVALID_ARGUMENT, size.error());
    *bytes = static_cast<uint64_t>(*size);
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

static ctc_status getLaunch(const ctc_bundle *bundle, size_t image,
                            size_t entry, std::vector<Launch> Entry::*kind,
                            size_t launch, ctc_launch_info *info) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"info", info}}));
    const auto found = entryAt(bundle, image, entry);
    CTC_RETURN_IF_FAILED(found);
    const auto &launches = (**found).*kind;
    CTC_RETURN_IF_FAILED(requireIndex("launch", launch, launches.size()));
    const Launch &in = launches[launch];
    *info = {in.kernel.c_str(),     in.grid.blocksPerTile,
             in.grid.batchTile,     {in.block[0], in.block[1], in.block[2]},
             in.dynamicSharedBytes, in.passesBatch,
             in.programmatic};
    return {};
  });
}

ctc_status ctc_bundle_get_prepare_launch(const ctc_bundle *bundle, size_t image,
                                         size_t entry, size_t launch,
                                         ctc_launch_info *info) {
  return getLaunch(bundle, image, entry, &Entry::prepare, launch, info);
}

ctc_status ctc_bundle_get_run_launch(const ctc_bundle *bundle, size_t image,
                                     size_t entry, size_t launch,
                                     ctc_launch_info *info) {
  return getLaunch(bundle, image, entry, &Entry::run, launch, info);
}

ctc_status ctc_bundle_run_blocks(const ctc_bundle *bundle, size_t image,
                                 size_t entry, size_t launch, int64_t batch,
                                 uint64_t *count) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"blocks", count}}));
    const auto found = entryAt(bundle, image, entry);
    CTC_RETURN_IF_FAILED(found);
    const auto &launches = (*found)->run;
    CTC_RETURN_IF_FAILED(requireIndex("launch", launch, launches.size()));
    if (auto good = checkBatch(**found, batch); !good)
      return fail(CTC_INVALID_ARGUMENT, good.error());
    const auto number = blocks(launches[launch].grid, batch);
    if (!number)
      return fail(CTC_INVALID_ARGUMENT, number.error());
    *count = static_cast<uint64_t>(*number);
    return {};
  });
}
