//===- Bundle.h - Bundles and what is loaded of them ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_BUNDLE_H
#define CTC_PYTHON_BUNDLE_H

#include "Tensor.h"
#include "ctc/Runtime/ctc_runtime.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ctc::python {

/// A buffer of an entry as callers see it.
struct ArgumentSpec {
  std::string name;
  size_t index = 0; ///< As ctc_bundle_get_argument counts.
  ctc_role role = CTC_INPUT;
  dlpack::DataType type{};
  int rank = 0;
  int64_t shape[TensorView::kMaxRank]; ///< CTC_DYNAMIC for the batch.
  int launchIndex = -1;

  bool hasBatch() const;
  uint64_t bytes(int64_t batch) const;
};

/// An entry of one image.
struct EntrySpec {
  std::string name;
  size_t index = 0;
  int64_t batch = 0; ///< CTC_DYNAMIC when given at launch.
  std::vector<ArgumentSpec> arguments;
  size_t addressCount = 0;
  const ArgumentSpec *input = nullptr, *weight = nullptr, *bias = nullptr,
                     *output = nullptr;
  std::vector<const ArgumentSpec *> operands, scratch;
};

/// A device of the process. Devices stay open, as the frameworks' do.
struct DeviceRef {
  ctc_device *handle;
  ctc_device_info info;

  std::string name() const; ///< "cpu", "cuda:0"
};

/// Opens a device once. "cuda" is cuda:0, "auto" what the runtime takes.
const DeviceRef &openDevice(const std::string &name);

/// An image on a device.
struct LoadedModule {
  runtime::Module module;
  ctc_module_info info;
  const DeviceRef *device = nullptr;
};

/// A bundle, its modules by device and chip, and the entries' specifications.
/// Any thread may use it.
class BundleHandle {
public:
  explicit BundleHandle(runtime::Bundle opened) : bundle(std::move(opened)) {}

  ctc_bundle *get() const { return bundle.get(); }
  /// Loaded once per device and chip; an empty chip leaves the choice to the
  /// runtime.
  std::shared_ptr<const LoadedModule> load(const DeviceRef &device,
                                           const std::string &chip);
  std::shared_ptr<const EntrySpec> entry(size_t image, size_t index) const;
  /// The index of the entry of that name, or of the only one for an empty name.
  size_t findEntry(const std::string &name) const;

private:
  runtime::Bundle bundle;
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>,
           std::shared_ptr<const LoadedModule>>
      modules;
};

/// The element type of the C API in DLPack's terms.
dlpack::DataType typeOf(ctc_type type);

} // namespace ctc::python

#endif // CTC_PYTHON_BUNDLE_H
