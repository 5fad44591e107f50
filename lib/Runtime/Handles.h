//===- Handles.h - What stands behind the handles of the C API --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_HANDLES_H
#define CTC_LIB_RUNTIME_HANDLES_H

#include "Layer.h"

#include <exception>
#include <new>

/// A bundle with the arrays its info structs point to that C++ holds in another
/// form.
struct ctc_bundle {
  explicit ctc_bundle(ctc::Bundle parsed);

  struct EntryArrays {
    std::vector<ctc_dimension> dimensions;
    std::vector<int32_t> launchIndices;
  };
  std::shared_ptr<const ctc::Bundle> bundle;
  std::vector<std::vector<EntryArrays>> entries; ///< By image and entry.
  /// By image and kernel.
  std::vector<std::vector<std::vector<const char *>>> warnings;
};

struct ctc_device {
  ctc::rt::OpenedDevice opened;
};

struct ctc_module {
  std::shared_ptr<const ctc::rt::Module> module;
};

struct ctc_layer {
  std::unique_ptr<ctc::rt::Layer> layer;
};

namespace ctc::rt {

/// Keeps the message for ctc_last_error and gives the status back.
ctc_status report(const Failure &failure);

/// Runs the body of a C function, which returns a Result<void>. What the
/// standard library throws (no memory, no thread) does not pass the C
/// interface.
template <typename Body> ctc_status guarded(Body body) {
  try {
    const Result<void> done = body();
    return done ? CTC_OK : report(done.error());
  } catch (const std::bad_alloc &) {
    return report({CTC_OUT_OF_MEMORY, "the host is out of memory"});
  } catch (const std::exception &error) {
    return report({CTC_DEVICE_ERROR, error.what()});
  }
}

/// A pointer the C caller must not leave NULL.
struct Required {
  const char *name;
  const void *value;
};

/// CTC_INVALID_ARGUMENT naming the first that is NULL.
Result<void> require(std::initializer_list<Required> pointers);

/// CTC_INVALID_ARGUMENT unless index < count.
Result<void> requireIndex(const char *what, size_t index, size_t count);

} // namespace ctc::rt

/// Leaves the enclosing body with the failure of an expression of it.
#define CTC_RETURN_IF_FAILED(expression)                                       \
  if (auto &&ctcResult = (expression); !ctcResult)                             \
  return tl::unexpected(ctcResult.error())

#endif // CTC_LIB_RUNTIME_HANDLES_H
