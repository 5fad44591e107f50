//===- Tensor.h - Arrays of any framework -----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_TENSOR_H
#define CTC_PYTHON_TENSOR_H

#include "Dlpack.h"

#include <memory>
#include <nanobind/nanobind.h>
#include <optional>
#include <string>
#include <vector>

namespace ctc::python {

/// How a Python type hands over its memory, the first that it offers.
enum class Protocol : uint8_t {
  ExchangeApi,        ///< __dlpack_c_exchange_api__: a table of C functions.
  ArrayInterface,     ///< __array_interface__: NumPy.
  Dlpack,             ///< __dlpack__: any framework, by a call.
  CudaArrayInterface, ///< __cuda_array_interface__: Numba and older CuPy.
};

/// What is known about a Python type, looked up once.
struct TypeTraits {
  Protocol protocol = Protocol::Dlpack;
  const dlpack::ExchangeApi *api = nullptr;
  bool hasGradients = false; ///< Has a `requires_grad`, as torch's tensors.
  bool isCupy = false;
  /// What PyTorch's own compiler allocates with, (sizes, strides, dtype) to a
  /// tensor, on the host and on the current GPU; null for other frameworks.
  PyObject *emptyOnHost = nullptr, *emptyOnCuda = nullptr;
};

/// An array as its framework describes it. Nothing is copied; the object must
/// stay alive and unchanged, which `owner` sees to for arrays that were handed
/// over.
struct TensorView {
  static constexpr int kMaxRank = 8;

  uint64_t address = 0;
  dlpack::Device device{};
  dlpack::DataType type{};
  int rank = 0;
  int64_t shape[kMaxRank];
  int64_t strides[kMaxRank]; ///< In elements.
  bool isReadOnly = false;
  const TypeTraits *traits = nullptr;
  /// The stream the array says its contents are made on.
  std::optional<uint64_t> producerStream;
  std::shared_ptr<void> owner;

  bool isCuda() const {
    return device.type == dlpack::kCuda || device.type == dlpack::kCudaManaged;
  }
  bool isHost() const {
    return device.type == dlpack::kCpu || device.type == dlpack::kCudaHost;
  }
  /// Whether elements lie in row-major order without gaps.
  bool isDense() const;
  uint64_t bytes() const;
};

/// Views an object as an array. `what` names it in messages. `stream` is the
/// stream that will read it, for frameworks that order their own work before
/// it. Raises TypeError for what is no array, and ValueError for a tensor that
/// requires gradients, which a kernel outside autograd would lose.
TensorView view(nanobind::handle object, const char *what,
                std::optional<uint64_t> stream = std::nullopt);

/// The same, into a view that is new.
void view(nanobind::handle object, const char *what,
          std::optional<uint64_t> stream, TensorView &result);

/// Gives a view of an object a share of the object's memory, so that it holds
/// after the object has taken other memory or gone. False, and nothing done,
/// for frameworks that order their work by being asked at every use.
bool shareMemory(nanobind::handle object, TensorView &view);

/// The framework's current stream on the array's device; nothing where the
/// framework knows none.
std::optional<uint64_t> currentStream(const TensorView &tensor);

/// The handle of a stream given as an integer, a torch or CuPy stream, or
/// anything with `__cuda_stream__`. Raises TypeError for anything else.
uint64_t streamHandle(nanobind::handle stream);

std::string nameOf(dlpack::DataType type); ///< "float32"
std::string nameOf(dlpack::Device device); ///< "cuda:0"
/// "(2, 3)"; a size of INT64_MIN is a batch, "N".
std::string tupleText(const int64_t *sizes, int rank);

} // namespace ctc::python

#endif // CTC_PYTHON_TENSOR_H
