//===- Dlpack.h - The binary interface of DLPack ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the specification of DLPack 1.3 fixes (dmlc.github.io/dlpack, "C API"):
// tensors as frameworks hand them over, and the table of functions that a
// tensor type publishes as `__dlpack_c_exchange_api__`, through which a tensor
// is read without a Python call.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_DLPACK_H
#define CTC_PYTHON_DLPACK_H

#include <cstdint>

namespace ctc::python::dlpack {

enum DeviceType : int32_t {
  kCpu = 1,
  kCuda = 2,
  kCudaHost = 3,
  kCudaManaged = 13,
};

enum TypeCode : uint8_t {
  kInt = 0,
  kUInt = 1,
  kFloat = 2,
  kBfloat = 4,
  kComplex = 5,
  kBool = 6
};

struct Version {
  uint32_t major, minor;
};

struct Device {
  int32_t type; ///< A DeviceType, or one this header does not list.
  int32_t id;
};

struct DataType {
  uint8_t code; ///< A TypeCode, or one this header does not list.
  uint8_t bits;
  uint16_t lanes;

  bool operator==(const DataType &) const = default;
};

/// Strides count elements; null means dense in row-major order.
struct Tensor {
  void *data;
  Device device;
  int32_t rank;
  DataType type;
  int64_t *shape;
  int64_t *strides;
  uint64_t byteOffset;
};

/// What a capsule named "dltensor" holds.
struct ManagedTensor {
  Tensor tensor;
  void *context;
  void (*deleter)(ManagedTensor *self);
};

inline constexpr uint64_t kReadOnly = 1;

/// What a capsule named "dltensor_versioned" holds.
struct ManagedTensorVersioned {
  Version version;
  void *context;
  void (*deleter)(ManagedTensorVersioned *self);
  uint64_t flags;
  Tensor tensor;
};

/// What a capsule named "dlpack_exchange_api" holds. The functions return 0, or
/// -1 with a Python error set (the allocator reports through its callback).
struct ExchangeApi {
  Version version;
  ExchangeApi *previous;
  int (*allocate)(Tensor *prototype, ManagedTensorVersioned **out,
                  void *errorContext,
                  void (*setError)(void *errorContext, const char *kind,
                                   const char *message));
  int (*managedFromObject)(void *object, ManagedTensorVersioned **out);
  int (*toObject)(ManagedTensorVersioned *tensor, void **object);
  /// Borrows: shape and strides live as long as the object is unchanged. May be
  /// null.
  int (*tensorFromObject)(void *object, Tensor *out);
  int (*currentStream)(int32_t deviceType, int32_t deviceId, void **stream);
};

} // namespace ctc::python::dlpack

#endif // CTC_PYTHON_DLPACK_H
