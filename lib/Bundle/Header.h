//===- Header.h - The fixed header of a .ctcb file --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   0   8 bytes  magic
//   8   u32      format version
//  12   u32      flags, 0
//  16   u64      payload length in bytes
//  24  16 bytes  XXH3-128 of the payload, canonical (big endian) form
//  40            payload
//
// Integers are little endian.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_BUNDLE_HEADER_H
#define CTC_LIB_BUNDLE_HEADER_H

#include "ctc/Support/Error.h"

#include <cstdint>
#include <span>
#include <vector>

namespace ctc {

/// A .ctcb file around a payload.
std::vector<uint8_t> wrapPayload(std::span<const uint8_t> payload);

/// The payload of a .ctcb file whose magic, version, length and digest are
/// right.
Expected<std::span<const uint8_t>> checkHeader(std::span<const uint8_t> bytes);

} // namespace ctc

#endif // CTC_LIB_BUNDLE_HEADER_H
