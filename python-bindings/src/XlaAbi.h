//===- XlaAbi.h - The binary interface of XLA's custom calls ----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What XLA's FFI (openxla.org/xla/custom_call, xla/ffi/api/c_api.h, version 0)
// fixes, as far as the handlers of XlaFfi.cpp read it. The interface grows by
// appending to structs, so this prefix of it holds for every version 0.x.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_XLAABI_H
#define CTC_PYTHON_XLAABI_H

#include <cstddef>
#include <cstdint>

namespace ctc::python::xla {

/// Begins every struct and is a link of its list of extensions.
struct Extension {
  size_t size;
  int32_t kind;
  Extension *next;
};
inline constexpr int32_t kMetadataExtension = 1;

struct ApiVersion {
  size_t size;
  Extension *extensions;
  int32_t major, minor;
};

struct Metadata {
  size_t size;
  ApiVersion version;
  uint32_t traits;
};
/// May be recorded into a command buffer (a CUDA graph) and replayed.
inline constexpr uint32_t kCommandBufferCompatible = 1;

struct MetadataExtension {
  Extension base;
  Metadata *metadata;
};

struct Error; // XLA's own

enum ErrorCode : int32_t { kInvalidArgument = 3, kInternal = 13 };

struct ErrorCreate {
  size_t size;
  Extension *extensions;
  const char *message;
  ErrorCode code;
};

struct Context; // XLA's own

struct StreamGet {
  size_t size;
  Extension *extensions;
  Context *context;
  void *stream; ///< Result.
};

struct OrdinalGet {
  size_t size;
  Extension *extensions;
  Context *context;
  int32_t ordinal; ///< Result.
};

/// XLA's functions; those not called here are only spaced over.
struct Api {
  size_t size;
  Extension *extensions;
  ApiVersion version;
  const void *internal;
  Error *(*createError)(ErrorCreate *);
  void *errorGetMessage, *errorDestroy, *handlerRegister;
  Error *(*getStream)(StreamGet *);
  void *typeRegister, *contextGet, *stateSet, *stateGet, *memoryAllocate,
      *memoryFree, *poolSchedule, *poolThreads, *futureCreate,
      *futureSetAvailable, *futureSetError, *runIdGet;
  Error *(*getOrdinal)(OrdinalGet *); ///< Where `size` reaches it.
};

struct Buffer {
  size_t size;
  Extension *extensions;
  int32_t type; ///< xla::PrimitiveType
  void *data;
  int64_t rank;
  int64_t *sizes;
};
enum PrimitiveType : int32_t { kU8 = 6, kF16 = 10, kF32 = 11, kBF16 = 16 };

/// Arguments and results alike: an array of pointers to Buffer.
struct Buffers {
  size_t size;
  Extension *extensions;
  int64_t count;
  int32_t *kinds; ///< 1 for a buffer.
  void **buffers;
};

struct Bytes {
  const char *data;
  size_t length;
};

struct Scalar {
  int32_t type;
  void *value;
};

/// Sorted by name.
struct Attributes {
  size_t size;
  Extension *extensions;
  int64_t count;
  int32_t *kinds; ///< 3 for a scalar.
  Bytes **names;
  void **values;
};
inline constexpr int32_t kScalarAttribute = 3;

enum Stage : int32_t { kExecute = 3 };

struct CallFrame {
  size_t size;
  Extension *extensions;
  const Api *api;
  Context *context;
  Stage stage;
  Buffers arguments, results;
  Attributes attributes;
};

} // namespace ctc::python::xla

#endif // CTC_PYTHON_XLAABI_H
