//===- RuntimeModule.cpp - The module ctc._runtime ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Errors.h"
#include "LayerType.h"
#include "XlaFfi.h"
#include "ctc/Chips/Chips.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace ctc;
using namespace ctc::python;

namespace {
/// What Python holds: the bundle's bytes and, until it is closed, its handle.
class PyBundle {
public:
  explicit PyBundle(nb::bytes data) : data(std::move(data)) {
    handle = std::make_shared<BundleHandle>(
        runtime::Bundle::fromMemory(this->data.c_str(), this->data.size()));
  }

  std::shared_ptr<BundleHandle> open() const {
    if (!handle)
      raiseValue("the bundle is closed");
    return handle;
  }
  bool isClosed() const { return !handle; }
  void close() { handle.reset(); }
  nb::bytes bytes() const {
    (void)open();
    return data;
  }

private:
  nb::bytes data;
  std::shared_ptr<BundleHandle> handle;
};
} // namespace

static std::vector<std::string> chipsOf(const PyBundle &bundle) {
  const auto handle = bundle.open();
  ctc_bundle_info info;
  must(ctc_bundle_get_info(handle->get(), &info));
  std::vector<std::string> names;
  for (size_t i = 0; i < info.image_count; ++i) {
    ctc_image_info image;
    must(ctc_bundle_get_image(handle->get(), i, &image));
    names.push_back(image.chip);
  }
  return names;
}

static std::string producerOf(const PyBundle &bundle) {
  const auto handle = bundle.open();
  ctc_bundle_info info;
  must(ctc_bundle_get_info(handle->get(), &info));
  return info.producer;
}

static std::vector<std::string> entriesOf(const PyBundle &bundle) {
  const auto handle = bundle.open();
  ctc_bundle_info info;
  must(ctc_bundle_get_info(handle->get(), &info));
  std::vector<std::string> names;
  for (size_t i = 0; i < info.entry_count; ++i) {
    ctc_entry_info entry;
    must(ctc_bundle_get_entry(handle->get(), 0, i, &entry));
    names.push_back(entry.name);
  }
  return names;
}

//===----------------------------------------------------------------------===//
// Entries as dictionaries; ctc/_bundle.py makes classes of them
//===----------------------------------------------------------------------===//

static nb::object sizeOrNone(int64_t size) {
  return size == CTC_DYNAMIC ? nb::none() : nb::object(nb::int_(size));
}

static nb::tuple perDimension(const ctc_entry_info &entry,
                              int64_t ctc_dimension::*field) {
  nb::list values;
  for (size_t i = 0; i < entry.rank; ++i)
    values.append(entry.dimensions[i].*field);
  return nb::tuple(values);
}

static nb::dict argumentFields(const ArgumentSpec &spec) {
  static constexpr const char *kRoles[] = {"input",  "weight",  "packed_weight",
                                           "bias",   "operand", "output",
                                           "scratch"};
  nb::list shape;
  for (int i = 0; i < spec.rank; ++i)
    shape.append(sizeOrNone(spec.shape[i]));
  nb::dict fields;
  fields["name"] = spec.name;
  fields["role"] = kRoles[spec.role];
  fields["dtype"] = nameOf(spec.type);
  fields["shape"] = nb::tuple(shape);
  return fields;
}

static nb::dict entryFields(const PyBundle &bundle,
                            const std::optional<std::string> &name) {
  const auto handle = bundle.open();
  const size_t index = handle->findEntry(name.value_or(""));
  ctc_entry_info info;
  must(ctc_bundle_get_entry(handle->get(), 0, index, &info));
  static constexpr const char *kLayouts[] = {"channels_first", "channels_last"};
  static constexpr const char *kPrecisions[] = {"tf32", "tf32x3", "ieee"};
  nb::list padding, arguments;
  for (size_t i = 0; i < info.rank; ++i)
    padding.append(nb::make_tuple(info.dimensions[i].pad_low,
                                  info.dimensions[i].pad_high));
  const auto entry = handle->entry(0, index);
  for (const ArgumentSpec &spec : entry->arguments)
    if (spec.role != CTC_PACKED_WEIGHT && spec.role != CTC_SCRATCH)
      arguments.append(argumentFields(spec));
  nb::dict fields;
  fields["name"] = info.name;
  fields["batch"] = sizeOrNone(info.batch);
  fields["groups"] = info.groups;
  fields["stride"] = perDimension(info, &ctc_dimension::stride);
  fields["dilation"] = perDimension(info, &ctc_dimension::dilation);
  fields["padding"] = nb::tuple(padding);
  fields["output_padding"] = perDimension(info, &ctc_dimension::output_padding);
  fields["layout"] = kLayouts[info.layout];
  fields["precision"] = kPrecisions[info.precision];
  fields["family"] = info.family;
  fields["arguments"] = nb::tuple(arguments);
  return fields;
}

static nb::dict deviceFields(const std::string &name) {
  const DeviceRef &device = openDevice(name);
  nb::dict fields;
  fields["device"] = device.name();
  fields["name"] = device.info.name;
  fields["compute_capability"] =
      device.info.kind == CTC_DEVICE_CPU
          ? nb::none()
          : nb::object(nb::make_tuple(device.info.compute_major,
                                      device.info.compute_minor));
  fields["reason"] = device.info.reason;
  return fields;
}

/// The newest chip whose cubins run on a GPU of this compute capability, else
/// the newest whose PTX its driver translates, else nothing.
static std::optional<std::string> chipFor(int major, int minor) {
  std::optional<std::string> best;
  int bestRank = -1;
  for (const Chip &chip : allChips()) {
    const int version = chip.major * 10 + chip.minor;
    const bool translates = !chip.archSpecific && version <= major * 10 + minor;
    const int rank = runsOn(chip, major, minor) ? 1000 + version
                     : translates               ? version
                                                : -1;
    if (rank > bestRank) {
      bestRank = rank;
      best = std::string(chip.name);
    }
  }
  return best;
}

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

/// Bytes the packed weight of an entry has on a device.
static uint64_t packedBytes(const PyBundle &bundle,
                            const std::string &deviceName,
                            const std::optional<std::string> &entryName,
                            const std::optional<std::string> &chip) {
  const auto handle = bundle.open();
  const auto module = handle->load(openDevice(deviceName), chip.value_or(""));
  const auto entry = handle->entry(module->info.image,
                                   handle->findEntry(entryName.value_or("")));
  return runtime::Layer::create(module->module, entry->name).packedBytes();
}

static void bindBundle(nb::module_ &module) {
  nb::class_<PyBundle>(module, "Bundle", "What ctc.Bundle wraps.")
      .def(nb::init<nb::bytes>(), "data"_a)
      .def("close", &PyBundle::close)
      .def_prop_ro("closed", &PyBundle::isClosed)
      .def_prop_ro("chips", &chipsOf)
      .def_prop_ro("entries", &entriesOf)
      .def_prop_ro("producer", &producerOf)
      .def("to_bytes", &PyBundle::bytes)
      .def("entry", &entryFields, "name"_a = nb::none())
      .def("packed_bytes", &packedBytes, "device"_a, "entry"_a = nb::none(),
           "chip"_a = nb::none())
      .def(
          "prepare",
          [](const PyBundle &bundle, nb::handle weight, nb::handle bias,
             const std::optional<std::string> &entry,
             const std::optional<std::string> &device,
             const std::optional<std::string> &chip, nb::handle stream,
             nb::handle packed, bool copy, bool wait) {
            PrepareRequest request{weight,
                                   bias,
                                   entry.value_or(""),
                                   device.value_or(""),
                                   chip.value_or(""),
                                   stream,
                                   packed,
                                   copy,
                                   wait};
            return wrapLayer(
                std::make_unique<PreparedLayer>(bundle.open(), request));
          },
          "weight"_a.none(), "bias"_a.none(), "entry"_a.none(),
          "device"_a.none(), "chip"_a.none(), "stream"_a.none(),
          "packed"_a.none(), "copy"_a, "wait"_a);
}

static void bindXla(nb::module_ &module) {
  module.def(
      "xla_register",
      [](const PyBundle &bundle, const std::optional<std::string> &entry,
         const std::optional<std::string> &chip) {
        return registerForXla(bundle.open(), entry.value_or(""),
                              chip.value_or(""));
      },
      "bundle"_a, "entry"_a = nb::none(), "chip"_a = nb::none());
  module.def("xla_handlers", &xlaHandlers);
}

NB_MODULE(_runtime, module) {
  // Frameworks keep objects to the end of the interpreter and beyond.
  nb::set_leak_warnings(false);
  registerErrors();
  bindBundle(module);
  bindLayer(module);
  bindXla(module);
  module.def("version", &ctc_version);
  module.attr("source_digest") = CTC_SOURCE_DIGEST;
  module.def("chips", [] {
    std::vector<std::string> names;
    for (const Chip &chip : allChips())
      names.emplace_back(chip.name);
    return names;
  });
  module.def("chip_for", &chipFor, "major"_a, "minor"_a);
  module.def("device_info", &deviceFields, "name"_a);
}
