//===- Bundle.h - The container of compiled layers --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A .ctcb file: a header of kHeaderBytes (magic, format version, payload length
// and digest) and a FlatBuffer (lib/Bundle/Bundle.fbs) with one image per chip.
// docs/Bundle.md describes every byte. Nothing of a file is used before its
// length, digest and contents were checked.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_BUNDLE_BUNDLE_H
#define CTC_BUNDLE_BUNDLE_H

#include "ctc/Bundle/Manifest.h"

#include <span>

namespace ctc {

inline constexpr uint32_t kBundleFormatVersion = 1;
inline constexpr size_t kBundleHeaderBytes = 40;

/// The bytes of a .ctcb file. The same bundle makes the same bytes.
std::vector<uint8_t> serialize(const Bundle &bundle);

/// Reads the bytes of a .ctcb file, checking everything docs/Bundle.md lists.
/// Fails with DeviceError.
Expected<Bundle> deserialize(std::span<const uint8_t> bytes);

/// Reads a .ctcb file. Fails with Usage when the file cannot be read, and as
/// deserialize does, naming the file.
Expected<Bundle> readBundle(const std::string &path);

/// Checks that a bundle is consistent: every index in range, every enumerator
/// legal, shapes those of the problem, launches within the limits of CUDA and
/// of the chip, chips known and named once, the images' entries alike.
/// deserialize has done it; whoever builds a bundle does it before writing.
/// Fails with DeviceError.
Expected<void> verify(const Bundle &bundle);

} // namespace ctc

#endif // CTC_BUNDLE_BUNDLE_H
