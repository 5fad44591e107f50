//===- Tensor.h - A dense tensor in host memory -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements lie in C order, in the bytes the device sees.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_TENSOR_H
#define CTC_SUPPORT_TENSOR_H

#include "ctc/Support/Problem.h"

#include <cstddef>

namespace ctc {

class Tensor {
public:
  Tensor() = default;
  /// A tensor of zeros; the shape's sizes must not be negative and its bytes
  /// must fit in memory.
  Tensor(ElementType type, std::vector<int64_t> shape);

  ElementType type() const { return elementType; }
  const std::vector<int64_t> &shape() const { return sizes; }
  int64_t count() const { return elements; }
  std::vector<std::byte> &bytes() { return data; }
  const std::vector<std::byte> &bytes() const { return data; }

  double get(int64_t index) const;
  /// Stores `value` rounded once, to nearest even.
  void set(int64_t index, double value);
  /// Sets every element to NaN.
  void fillWithNaN();

  bool operator==(const Tensor &) const = default;

private:
  ElementType elementType = ElementType::F32;
  std::vector<int64_t> sizes;
  int64_t elements = 0;
  std::vector<std::byte> data;
};

} // namespace ctc

#endif // CTC_SUPPORT_TENSOR_H
