//===- Allocation.cpp - New arrays of the caller's framework --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Allocation.h"
#include "Errors.h"

#include <algorithm>
#include <nanobind/stl/string.h>

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

/// Strides in elements of a dense array.
static void denseStrides(int rank, const int64_t *shape, int64_t *strides) {
  int64_t dense = 1;
  for (int i = rank - 1; i >= 0; --i) {
    strides[i] = dense;
    dense *= std::max<int64_t>(shape[i], 1);
  }
}

static nb::tuple tupleOf(const int64_t *sizes, int rank) {
  nb::list list;
  for (int i = 0; i < rank; ++i)
    list.append(sizes[i]);
  return nb::tuple(list);
}

/// By DLPack's allocator, which any framework with the exchange API has. What
/// it makes is a view of memory that DLPack owns.
static nb::object allocateByApi(const TensorView &like, dlpack::DataType type,
                                int rank, const int64_t *shape,
                                uint64_t &address) {
  int64_t sizes[TensorView::kMaxRank], strides[TensorView::kMaxRank];
  std::copy(shape, shape + rank, sizes);
  denseStrides(rank, shape, strides);
  dlpack::Tensor prototype{nullptr, like.device, rank, type, sizes, strides, 0};
  dlpack::ManagedTensorVersioned *managed = nullptr;
  std::string message;
  const int failed = like.traits->api->allocate(
      &prototype, &managed, &message,
      [](void *context, const char *, const char *text) {
        *static_cast<std::string *>(context) = text;
      });
  if (failed)
    raiseOwn("OutOfMemoryError", message);
  address = reinterpret_cast<uint64_t>(managed->tensor.data) +
            managed->tensor.byteOffset;
  void *object = nullptr;
  if (like.traits->api->toObject(managed, &object) != 0)
    throw nb::python_error();
  return nb::steal(static_cast<PyObject *>(object));
}

/// The function that code of PyTorch's compiler allocates with on a device.
static PyObject *torchFunction(const TensorView &like) {
  switch (like.device.type) {
  case dlpack::kCuda:
    return like.traits->emptyOnCuda;
  case dlpack::kCpu:
    return like.traits->emptyOnHost;
  default:
    return nullptr;
  }
}

/// It costs two thirds of DLPack's way, and what it makes is the allocator's
/// own, so that `record_stream` knows it. Nothing where it does not apply or
/// failed.
nb::object Allocator::allocateByTorch(const TensorView &like,
                                      dlpack::DataType type, int rank,
                                      const int64_t *shape, uint64_t &address) {
  PyObject *function = torchFunction(like);
  if (!function || isElsewhere)
    return {};
  if (!request.is_valid() || !std::equal(shape, shape + rank, requested)) {
    int64_t strides[TensorView::kMaxRank];
    denseStrides(rank, shape, strides);
    request = nb::make_tuple(
        tupleOf(shape, rank), tupleOf(strides, rank),
        nb::module_::import_("torch").attr(nameOf(type).c_str()));
    std::copy(shape, shape + rank, requested);
  }
  const nb::object asked = request; // Another thread may ask for another.
  nb::object made = nb::steal(PyObject_Call(function, asked.ptr(), nullptr));
  dlpack::Tensor tensor;
  if (!made.is_valid() ||
      like.traits->api->tensorFromObject(made.ptr(), &tensor) != 0) {
    PyErr_Clear(); // The other way says what is wrong.
    return {};
  }
  isElsewhere = tensor.device.id != like.device.id;
  if (isElsewhere)
    return {};
  address = reinterpret_cast<uint64_t>(tensor.data) + tensor.byteOffset;
  return made;
}

nb::object Allocator::allocate(nb::handle likeObject, const TensorView &like,
                               dlpack::DataType type, int rank,
                               const int64_t *shape, uint64_t &address) {
  if (like.traits->protocol == Protocol::ExchangeApi) {
    nb::object made = allocateByTorch(like, type, rank, shape, address);
    if (!made.is_valid())
      made = allocateByApi(like, type, rank, shape, address);
    return made;
  }
  nb::object made =
      nb::module_::import_("ctc._arrays")
          .attr("empty_like")(likeObject, tupleOf(shape, rank), nameOf(type));
  address = view(made, "output").address;
  return made;
}
