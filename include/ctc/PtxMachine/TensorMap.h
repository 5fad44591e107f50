//===- TensorMap.h - Tensor maps of the PTX machine -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Tensors": a tensor map tells cp.async.bulk.tensor where a tensor
// lies in global memory and which box of it an instruction moves. On a GPU the
// driver makes it; for the PTX machine the functions below do, with the
// driver's parameters in the driver's order and numbering, its limits (CUDA
// driver API, cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col, for compute
// capability 9.0), and 128 bytes of this project's own encoding.
//
// Dimensions are counted from the innermost one, which is contiguous; sizes
// and boxes are in elements, strides between elements in bytes.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PTXMACHINE_TENSORMAP_H
#define CTC_PTXMACHINE_TENSORMAP_H

#include "ctc/Support/Error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ctc::ptx {

/// CUtensorMapDataType. Ftz flushes nothing in copies; TF32 rounds what is
/// loaded (to nearest even, any NaN to 0x7fffe000). The packed types of 4 and 6
/// bits belong to compute capability 10.0.
enum class TensorType : uint8_t {
  U8,
  U16,
  U32,
  S32,
  U64,
  S64,
  F16,
  F32,
  F64,
  BF16,
  F32Ftz,
  TF32,
  TF32Ftz,
};
/// Bytes of one element.
unsigned bytesOf(TensorType type);

/// CUtensorMapInterleave: channels in slices of 16 or 32 bytes.
enum class TensorInterleave : uint8_t { None, Bytes16, Bytes32 };

/// CUtensorMapSwizzle: the span within which a box's 16-byte chunks change
/// places in shared memory. Other chunks than of 16 bytes belong to compute
/// capability 10.0.
enum class TensorSwizzle : uint8_t { None, Bytes32, Bytes64, Bytes128 };

/// CUtensorMapL2promotion: a hint, which the machine keeps and does not use.
enum class TensorPromotion : uint8_t { None, Bytes64, Bytes128, Bytes256 };

/// CUtensorMapFloatOOBfill: what elements outside of the tensor are loaded as.
enum class TensorFill : uint8_t { Zeros, NaN };

/// What both modes have in common.
struct TensorLayout {
  TensorType type = TensorType::F32;
  /// Of the first element: a multiple of 16 (32 with Interleave::Bytes32).
  uint64_t address = 0;
  /// Elements along each dimension, 1 to 2^32; their number is the rank.
  std::vector<uint64_t> dims;
  /// Bytes from one index to the next of dimensions 1, 2, ...: multiples of 16
  /// (32 with Interleave::Bytes32) below 2^40. They may overlap or be 0.
  std::vector<uint64_t> strides;
  /// Steps of the traversal along each dimension, 1 to 8; that of dimension 0
  /// counts only with interleaving. A box of b elements yields ceil(b / step).
  std::vector<uint32_t> elementStrides;
  TensorInterleave interleave = TensorInterleave::None;
  TensorSwizzle swizzle = TensorSwizzle::None;
  TensorPromotion promotion = TensorPromotion::None;
  TensorFill fill = TensorFill::Zeros;
};

/// The box of im2col mode, for tensors of 3 to 5 dimensions C, W{, H{, D}}, N.
struct PixelBox {
  /// W{, H{, D}}: where the base of the filter is at the lowest, from index 0,
  /// and at the highest, from the last index: -32768 to 32767 for one, -128 to
  /// 127 for two, -16 to 15 for three dimensions. The box must not be empty.
  std::vector<int> lower, upper;
  uint32_t channels = 0; ///< Per pixel, 1 to 256; bytes: a multiple of 16.
  uint32_t pixels = 0;   ///< Per column, 1 to 1024.
};

/// 128 opaque bytes that a kernel takes as a parameter or reads from constant
/// or global memory. The encoding is in
/// lib/PtxMachine/Transfers/TensorMapFields.h; a GPU's driver knows it as
/// little as the machine knows the driver's.
struct alignas(64) TensorMap {
  std::array<std::byte, 128> bytes{};
};

/// Tiled mode: `box` has the elements along each dimension, 1 to 256; along
/// dimension 0 their bytes are a multiple of 16, and within the span of the
/// swizzle if there is one. Fails with DeviceError, naming the value and what
/// is legal.
Expected<TensorMap> encodeTiled(const TensorLayout &tensor,
                                std::span<const uint32_t> box);

/// Im2col mode. Fails as encodeTiled.
Expected<TensorMap> encodeIm2col(const TensorLayout &tensor,
                                 const PixelBox &box);

} // namespace ctc::ptx

#endif // CTC_PTXMACHINE_TENSORMAP_H
