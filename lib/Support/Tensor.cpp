//===- Tensor.cpp - A dense tensor in host memory -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/Tensor.h"
#include "ctc/Support/Float.h"

#include <cstring>

using namespace ctc;

Tensor::Tensor(ElementType type, std::vector<int64_t> shape)
    : elementType(type), sizes(std::move(shape)),
      elements(checkedProduct(sizes).value_or(0)),
      data(static_cast<size_t>(elements * byteWidth(type))) {}

double Tensor::get(int64_t index) const {
  if (elementType == ElementType::F32) {
    float value;
    std::memcpy(&value, data.data() + index * 4, sizeof(value));
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, data.data() + index * 2, sizeof(bits));
  return decode(bits, formatOf(elementType));
}

void Tensor::set(int64_t index, double value) {
  if (elementType == ElementType::F32) {
    const auto rounded = static_cast<float>(value);
    std::memcpy(data.data() + index * 4, &rounded, sizeof(rounded));
    return;
  }
  const auto bits = static_cast<uint16_t>(encode(value, formatOf(elementType)));
  std::memcpy(data.data() + index * 2, &bits, sizeof(bits));
}

void Tensor::fillWithNaN() {
  // All ones is a NaN in every format.
  std::memset(data.data(), 0xff, data.size());
}
