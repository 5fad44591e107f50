//===- TensorMap.cpp - Tensor maps of the PTX machine ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/PtxMachine/TensorMap.h"

#include "Execution/GlobalMemory.h"
#include "Transfers/BoxWalk.h"
#include "Transfers/TensorMapFields.h"

#include <bit>
#include <cstring>
#include <string>

namespace ctc::ptx {

namespace {

constexpr uint64_t kLargestDim = uint64_t(1) << 32;
constexpr uint64_t kStrideLimit = uint64_t(1) << 40;
constexpr uint32_t kLargestBox = 256, kLargestColumn = 1024, kLargestStep = 8;
constexpr uint32_t kChunk = 16; ///< Bytes that stay together.
/// Of a box, as the driver has it: the shared memory of a multiprocessor.
constexpr uint64_t kLargestBoxBytes = 228 << 10;

tl::unexpected<Error> refuse(const std::string &what) {
  return makeError(ErrorCode::DeviceError, "tensor map: " + what);
}

std::string number(uint64_t value) { return std::to_string(value); }

Expected<void> checkEnums(const TensorLayout &tensor) {
  if (tensor.type > TensorType::TF32Ftz)
    return refuse("data type " + number(static_cast<unsigned>(tensor.type)) +
                  "; legal are 0 (uint8) to 12 (tf32 ftz)");
  if (tensor.interleave > TensorInterleave::Bytes32)
    return refuse("interleave " +
                  number(static_cast<unsigned>(tensor.interleave)) +
                  "; legal are 0 (none), 1 (16 bytes) and 2 (32 bytes)");
  if (tensor.swizzle > TensorSwizzle::Bytes128)
    return refuse("swizzle " + number(static_cast<unsigned>(tensor.swizzle)) +
                  "; legal for compute capability 9.0 are 0 (none) to 3 (128 "
                  "bytes)");
  if (tensor.promotion > TensorPromotion::Bytes256)
    return refuse("L2 promotion " +
                  number(static_cast<unsigned>(tensor.promotion)) +
                  "; legal are 0 (none) to 3 (256 bytes)");
  if (tensor.fill > TensorFill::NaN)
    return refuse("fill " + number(static_cast<unsigned>(tensor.fill)) +
                  "; legal are 0 (zeros) and 1 (NaN)");
  if (tensor.fill == TensorFill::NaN && tensor.type < TensorType::F16)
    return refuse("NaN fill with integer data type " +
                  number(static_cast<unsigned>(tensor.type)) +
                  "; it needs a floating-point type");
  return {};
}

/// Ranks and lengths of lists.
Expected<void> checkRank(const TensorLayout &tensor, unsigned least) {
  const size_t rank = tensor.dims.size();
  const bool interleaved = tensor.interleave != TensorInterleave::None;
  least = interleaved ? 3 : least;
  if (rank < least || rank > kMaxTensorRank)
    return refuse("rank " + number(rank) + "; legal " +
                  (interleaved ? "with interleaving " : "") + "are " +
                  number(least) + " to 5");
  if (tensor.strides.size() != rank - 1)
    return refuse(number(tensor.strides.size()) + " strides for rank " +
                  number(rank) + "; it must be " + number(rank - 1));
  if (tensor.elementStrides.size() != rank)
    return refuse(number(tensor.elementStrides.size()) +
                  " element strides for rank " + number(rank) +
                  "; it must be " + number(rank));
  return {};
}

Expected<void> checkMemory(const TensorLayout &tensor) {
  const bool wide = tensor.interleave == TensorInterleave::Bytes32;
  const uint64_t unit = wide ? 32 : 16;
  const std::string multiple = "a multiple of " + number(unit);
  if (tensor.address % unit)
    return refuse("global address " + hexadecimal(tensor.address) +
                  "; it must be " + multiple);
  for (size_t i = 0; i < tensor.dims.size(); ++i)
    if (tensor.dims[i] == 0 || tensor.dims[i] > kLargestDim)
      return refuse("size " + number(tensor.dims[i]) + " of dimension " +
                    number(i) + "; legal are 1 to 2^32");
  for (size_t i = 0; i < tensor.strides.size(); ++i)
    if (tensor.strides[i] % unit || tensor.strides[i] >= kStrideLimit)
      return refuse("stride of " + number(tensor.strides[i]) +
                    " bytes of dimension " + number(i + 1) + "; it must be " +
                    multiple + " below 2^40");
  for (size_t i = 0; i < tensor.elementStrides.size(); ++i)
    if (!tensor.elementStrides[i] || tensor.elementStrides[i] > kLargestStep)
      return refuse("element stride " + number(tensor.elementStrides[i]) +
                    " of dimension " + number(i) + "; legal are 1 to 8");
  if (wide && tensor.swizzle != TensorSwizzle::Bytes32)
    return refuse("interleave of 32 bytes with swizzle " +
                  number(static_cast<unsigned>(tensor.swizzle)) +
                  "; it needs swizzle 1 (32 bytes)");
  return {};
}

/// The contiguous part of a box: `count` elements, called `what`.
Expected<void> checkRow(const TensorLayout &tensor, uint32_t count,
                        const std::string &what) {
  if (count == 0 || count > kLargestBox)
    return refuse(number(count) + " " + what + "; legal are 1 to 256");
  const uint32_t bytes = count * bytesOf(tensor.type);
  if (bytes % kChunk)
    return refuse(number(count) + " " + what + " are " + number(bytes) +
                  " bytes; it must be a multiple of 16");
  const auto swizzle = static_cast<Swizzle>(tensor.swizzle);
  if (swizzle != Swizzle::None && tensor.interleave == TensorInterleave::None &&
      bytes > swizzleRowBytes(swizzle))
    return refuse(number(count) + " " + what + " are " + number(bytes) +
                  " bytes; with this swizzle legal are up to " +
                  number(swizzleRowBytes(swizzle)));
  return {};
}

uint64_t checksumOf(const TensorMapFields &fields) {
  uint64_t words[sizeof(fields) / 8];
  std::memcpy(words, &fields, sizeof(fields));
  uint64_t sum = 0x9e3779b97f4a7c15;
  for (size_t i = 0; i + 1 < std::size(words); ++i)
    sum = std::rotl((sum ^ words[i]) * 0xff51afd7ed558ccd, 29);
  return sum;
}

Expected<TensorMap> seal(TensorMapFields fields) {
  const uint64_t bytes = BoxWalk::rows(fields) * BoxWalk::rowBytes(fields);
  if (bytes > kLargestBoxBytes)
    return refuse("a box of " + number(bytes) + " bytes; legal are up to " +
                  number(kLargestBoxBytes));
  fields.checksum = checksumOf(fields);
  return std::bit_cast<TensorMap>(fields);
}

TensorMapFields commonFields(const TensorLayout &tensor) {
  TensorMapFields fields;
  fields.rank = static_cast<uint8_t>(tensor.dims.size());
  fields.type = tensor.type;
  fields.interleave = tensor.interleave;
  fields.swizzle = tensor.swizzle;
  fields.promotion = tensor.promotion;
  fields.fill = tensor.fill;
  fields.address = tensor.address;
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    fields.last[i] = static_cast<uint32_t>(tensor.dims[i] - 1);
    fields.steps[i] = static_cast<uint8_t>(tensor.elementStrides[i]);
  }
  for (size_t i = 0; i < tensor.strides.size(); ++i)
    fields.strides[i] = tensor.strides[i];
  return fields;
}

Expected<void> checkCorners(const TensorLayout &tensor, const PixelBox &box) {
  const size_t count = tensor.dims.size() - 2;
  const int most = count == 1 ? 32767 : count == 2 ? 127 : 15;
  if (box.lower.size() != count || box.upper.size() != count)
    return refuse(number(box.lower.size()) + " lower and " +
                  number(box.upper.size()) + " upper corners for rank " +
                  number(count + 2) + "; it must be " + number(count) +
                  " each");
  for (const std::vector<int> *corner : {&box.lower, &box.upper})
    for (int value : *corner)
      if (value < -most - 1 || value > most)
        return refuse("corner " + std::to_string(value) + "; legal for rank " +
                      number(count + 2) + " are " + std::to_string(-most - 1) +
                      " to " + std::to_string(most));
  const size_t first = tensor.interleave == TensorInterleave::None ? 1 : 0;
  for (size_t i = 0; i < count; ++i) {
    const auto high =
        static_cast<int64_t>(tensor.dims[first + i]) - 1 + box.upper[i];
    if (high < box.lower[i])
      return refuse("the pixel box runs from " + std::to_string(box.lower[i]) +
                    " to " + std::to_string(high) + " along dimension " +
                    number(first + i) + "; it must not be empty");
  }
  return {};
}

} // namespace

unsigned bytesOf(TensorType type) {
  switch (type) {
  case TensorType::U8:
    return 1;
  case TensorType::U16:
  case TensorType::F16:
  case TensorType::BF16:
    return 2;
  case TensorType::U64:
  case TensorType::S64:
  case TensorType::F64:
    return 8;
  default:
    return 4;
  }
}

Expected<TensorMap> encodeTiled(const TensorLayout &tensor,
                                std::span<const uint32_t> box) {
  for (auto check :
       {checkEnums(tensor), checkRank(tensor, 1), checkMemory(tensor)})
    if (!check)
      return tl::unexpected<Error>(check.error());
  if (box.size() != tensor.dims.size())
    return refuse("a box of " + number(box.size()) + " dimensions for rank " +
                  number(tensor.dims.size()));
  if (auto row =
          checkRow(tensor, box[0], "elements of a box along dimension 0");
      !row)
    return tl::unexpected<Error>(row.error());
  for (size_t i = 1; i < box.size(); ++i)
    if (box[i] == 0 || box[i] > kLargestBox)
      return refuse(number(box[i]) + " elements of a box along dimension " +
                    number(i) + "; legal are 1 to 256");
  TensorMapFields fields = commonFields(tensor);
  for (size_t i = 0; i < box.size(); ++i)
    fields.box[i] = static_cast<uint16_t>(box[i]);
  return seal(fields);
}

Expected<TensorMap> encodeIm2col(const TensorLayout &tensor,
                                 const PixelBox &box) {
  for (auto check :
       {checkEnums(tensor), checkRank(tensor, 3), checkMemory(tensor)})
    if (!check)
      return tl::unexpected<Error>(check.error());
  for (auto check : {checkCorners(tensor, box),
                     checkRow(tensor, box.channels, "channels per pixel")})
    if (!check)
      return tl::unexpected<Error>(check.error());
  if (box.pixels == 0 || box.pixels > kLargestColumn)
    return refuse(number(box.pixels) +
                  " pixels per column; legal are 1 to 1024");
  TensorMapFields fields = commonFields(tensor);
  fields.mode = TensorMode::Im2col;
  fields.channels = static_cast<uint16_t>(box.channels);
  fields.pixels = static_cast<uint16_t>(box.pixels);
  for (size_t i = 0; i < box.lower.size(); ++i) {
    fields.lower[i] = static_cast<int16_t>(box.lower[i]);
    fields.upper[i] = static_cast<int16_t>(box.upper[i]);
  }
  return seal(fields);
}

Expected<TensorMapFields> decodeTensorMap(const void *bytes) {
  TensorMapFields fields;
  std::memcpy(&fields, bytes, sizeof(fields));
  if (fields.magic != TensorMapFields::kMagic ||
      fields.checksum != checksumOf(fields))
    return makeError(ErrorCode::DeviceError,
                     "the 128 bytes are no tensor map of this machine; legal "
                     "is what its encodeTiled or encodeIm2col made");
  if (fields.version != TensorMapFields::kVersion)
    return makeError(ErrorCode::DeviceError,
                     "the tensor map has version " + number(fields.version) +
                         "; legal is " + number(TensorMapFields::kVersion));
  return fields;
}

} // namespace ctc::ptx
