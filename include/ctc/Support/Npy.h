//===- Npy.h - Tensors in NumPy's file format -------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The .npy format, versions 1.0, 2.0 and 3.0, little-endian float64, float32
// and float16 in C order (numpy.lib.format, "Format Version 1.0" and on).
// NumPy has no bfloat16: ctc stores bf16 tensors as float32 values.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_NPY_H
#define CTC_SUPPORT_NPY_H

#include "ctc/Support/Tensor.h"

namespace ctc {

/// Reads the tensor in the bytes of a .npy file, every element rounded once to
/// `type`. `name` is what messages call the file. Fails with Usage.
Expected<Tensor> parseNpy(std::string_view bytes, ElementType type,
                          const std::string &name);

/// Reads a .npy file, every element rounded once to `type`. Fails with Usage
/// when it cannot be read or, naming both shapes, when its shape is not
/// `shape`, where kDynamic stands for any size.
Expected<Tensor> readNpy(const std::string &path, ElementType type,
                         const std::vector<int64_t> &shape);

/// The bytes of a version 1.0 file.
std::string formatNpy(const Tensor &tensor);

/// Writes a .npy file, whole or not at all. Fails with Usage.
Expected<void> writeNpy(const std::string &path, const Tensor &tensor);

} // namespace ctc

#endif // CTC_SUPPORT_NPY_H
