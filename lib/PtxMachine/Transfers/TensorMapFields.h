//===- TensorMapFields.h - The encoding of tensor maps ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The 128 bytes of ctc::ptx::TensorMap, as they lie in memory. A checksum over
// all that is before it tells a tensor map from other bytes, so what decodes
// was made by encodeTiled or encodeIm2col and keeps their limits.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_TENSORMAPFIELDS_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_TENSORMAPFIELDS_H

#include "Transfers/Swizzle.h"
#include "ctc/PtxMachine/TensorMap.h"

namespace ctc::ptx {

constexpr unsigned kMaxTensorRank = 5;
constexpr unsigned kMaxPixelRank = kMaxTensorRank - 2; ///< W, H, D.

enum class TensorMode : uint8_t { Tiled, Im2col };

struct TensorMapFields {
  static constexpr uint32_t kMagic = 0x4d547463; // "ctTM"
  static constexpr uint8_t kVersion = 1;

  uint32_t magic = kMagic;
  uint8_t version = kVersion;
  TensorMode mode = TensorMode::Tiled;
  uint8_t rank = 0;
  TensorType type = TensorType::U8;
  TensorInterleave interleave = TensorInterleave::None;
  TensorSwizzle swizzle = TensorSwizzle::None;
  TensorPromotion promotion = TensorPromotion::None;
  TensorFill fill = TensorFill::Zeros;
  uint16_t channels = 0;              ///< Im2col.
  uint16_t pixels = 0;                ///< Im2col.
  uint16_t box[kMaxTensorRank] = {};  ///< Tiled.
  int16_t lower[kMaxPixelRank] = {};  ///< Im2col.
  int16_t upper[kMaxPixelRank] = {};  ///< Im2col.
  uint8_t steps[kMaxTensorRank] = {}; ///< TensorLayout::elementStrides.
  uint8_t reserved[5] = {};
  uint64_t address = 0;
  uint32_t last[kMaxTensorRank] = {}; ///< The last index of each dimension.
  uint32_t reserved2 = 0;
  uint64_t strides[kMaxTensorRank - 1] = {}; ///< Of dimensions 1, 2, ...
  uint64_t reserved3 = 0;
  uint64_t checksum = 0;

  unsigned elementBytes() const { return bytesOf(type); }
  bool interleaved() const { return interleave != TensorInterleave::None; }
  /// Bytes of a slice of channels; 0 without interleaving.
  uint32_t sliceBytes() const {
    return 16u * static_cast<unsigned>(interleave);
  }
  /// Dimensions that rows lie side by side along: without interleaving all
  /// but dimension 0, which is a row itself.
  unsigned firstRowDim() const { return interleaved() ? 0 : 1; }
  /// The last place of a filter's base along `dim`, which is W, H or D.
  int64_t upperEnd(unsigned dim) const {
    return int64_t(last[dim]) + upper[dim - firstRowDim()];
  }
  Swizzle sharedSwizzle() const { return static_cast<Swizzle>(swizzle); }
};
static_assert(sizeof(TensorMapFields) == sizeof(TensorMap));

/// What the 128 bytes at a host address say, or a DeviceError if they are no
/// tensor map.
Expected<TensorMapFields> decodeTensorMap(const void *bytes);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_TENSORMAPFIELDS_H
