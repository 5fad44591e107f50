//===- Allocation.h - New arrays of the caller's framework ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_ALLOCATION_H
#define CTC_PYTHON_ALLOCATION_H

#include "Tensor.h"

namespace ctc::python {

/// Makes arrays of one type, mostly of one shape: it keeps what the framework
/// was asked with last. To be used with the GIL.
class Allocator {
public:
  /// A new, uninitialised array of the framework and device `like` has, dense,
  /// and where it is. Raises TypeError where the framework has no way to make
  /// one, and ctc.OutOfMemoryError.
  nanobind::object allocate(nanobind::handle likeObject, const TensorView &like,
                            dlpack::DataType type, int rank,
                            const int64_t *shape, uint64_t &address);

private:
  nanobind::object allocateByTorch(const TensorView &like,
                                   dlpack::DataType type, int rank,
                                   const int64_t *shape, uint64_t &address);

  nanobind::object request; ///< (sizes, strides, dtype), or nothing yet.
  int64_t requested[TensorView::kMaxRank]; ///< The sizes in it.
  /// Whether the device was once not PyTorch's current one, on which it
  /// allocates.
  bool isElsewhere = false;
};

} // namespace ctc::python

#endif // CTC_PYTHON_ALLOCATION_H
