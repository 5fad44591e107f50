//===- Layer.h - A prepared layer that is called with arrays ----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_LAYER_H
#define CTC_PYTHON_LAYER_H

#include "Allocation.h"
#include "Staging.h"

#include <span>

namespace ctc::python {

/// What Bundle.prepare is given.
struct PrepareRequest {
  nanobind::handle weight, bias;
  std::string entry;  ///< Empty takes the only one.
  std::string device; ///< Empty takes the weight's.
  std::string chip;   ///< Empty leaves the choice to the runtime.
  nanobind::handle stream;
  nanobind::handle packed; ///< None lets the runtime allocate.
  bool copy = false;       ///< Whether arrays that are not dense are copied.
  bool wait = true;        ///< Whether to wait until the weights are packed.
};

/// What a call is given.
struct CallRequest {
  nanobind::handle input;
  std::span<PyObject *const> operands;
  nanobind::handle out = Py_None;
  nanobind::handle stream = Py_None;
  bool copy = false;
};

/// An entry with its packed weights and its bias. Calls neither allocate nor
/// wait, but for the output the caller's framework allocates; on the cpu device
/// a call returns when it has finished. Any thread may call.
class PreparedLayer {
public:
  PreparedLayer(std::shared_ptr<BundleHandle> bundle,
                const PrepareRequest &request);

  nanobind::object call(const CallRequest &request) const;

  const EntrySpec &entry() const { return *spec; }
  std::string deviceName() const { return module->device->name(); }
  const ctc_module_info &moduleInfo() const { return module->info; }
  uint64_t packedBytes() const { return layer.packedBytes(); }

private:
  struct Call;

  bool isCuda() const { return module->device->info.kind == CTC_DEVICE_CUDA; }
  nanobind::object operand(nanobind::handle object, const ArgumentSpec &spec,
                           bool copy, std::optional<uint64_t> stream,
                           int64_t &batch, TensorView &view) const;
  void keepBias(const PrepareRequest &request);
  void prepareOnHost(const TensorView &weight);
  void prepareOnGpu(const TensorView &weight, const PrepareRequest &request);
  uint64_t streamOf(const CallRequest &request, const TensorView &input,
                    bool &isForeign) const;
  void gather(const CallRequest &request, Call &call) const;
  void makeOutput(const CallRequest &request, Call &call) const;
  void launchOnGpu(const Call &call) const;
  void launchOnHost(const Call &call) const;

  std::shared_ptr<BundleHandle> bundle;
  std::shared_ptr<const LoadedModule> module;
  std::shared_ptr<const EntrySpec> spec;
  runtime::Layer layer;
  nanobind::object bias, packed; ///< None where there is none.
  /// The bias's memory, which it then owns a share of; nothing for arrays that
  /// are to be asked at every call.
  std::optional<TensorView> biasMemory;
  mutable StagingPool staging;
  mutable std::vector<Allocator> allocators; ///< By argument; with the GIL.
};

} // namespace ctc::python

#endif // CTC_PYTHON_LAYER_H
