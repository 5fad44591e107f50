//===- Header.cpp - The fixed header of a .ctcb file ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Header.h"
#include "ctc/Bundle/Bundle.h"

#include <algorithm>
#include <array>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace ctc;

namespace {
// The first byte is outside ASCII and the last ones are line ends, so that a
// transfer in text mode shows at once, as in PNG.
constexpr std::array<uint8_t, 8> kMagic{0x89, 'C',  'T',  'C',
                                        'B',  '\r', '\n', 0x1a};
constexpr size_t kVersionAt = 8, kFlagsAt = 12, kLengthAt = 16, kDigestAt = 24;
constexpr size_t kDigestBytes = 16;
static_assert(kDigestAt + kDigestBytes == kBundleHeaderBytes);

using Digest = std::array<uint8_t, kDigestBytes>;

Digest digestOf(std::span<const uint8_t> payload) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical,
                           XXH3_128bits(payload.data(), payload.size()));
  Digest digest;
  std::memcpy(digest.data(), canonical.digest, kDigestBytes);
  return digest;
}

template <typename T> void store(std::vector<uint8_t> &bytes, T value) {
  for (size_t i = 0; i < sizeof(T); ++i)
    bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

template <typename T> T load(std::span<const uint8_t> bytes, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<T>(bytes[at + i]) << (8 * i));
  return value;
}

std::string hex(std::span<const uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

tl::unexpected<Error> refuse(std::string message) {
  return makeError(ErrorCode::DeviceError, std::move(message));
}
} // namespace

std::vector<uint8_t> ctc::wrapPayload(std::span<const uint8_t> payload) {
  std::vector<uint8_t> bytes;
  bytes.reserve(kBundleHeaderBytes + payload.size());
  bytes.assign(kMagic.begin(), kMagic.end());
  store(bytes, kBundleFormatVersion);
  store(bytes, uint32_t{0});
  store(bytes, static_cast<uint64_t>(payload.size()));
  const Digest digest = digestOf(payload);
  bytes.insert(bytes.end(), digest.begin(), digest.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

Expected<std::span<const uint8_t>>
ctc::checkHeader(std::span<const uint8_t> bytes) {
  const size_t shown = std::min(bytes.size(), kMagic.size());
  if (!std::equal(bytes.begin(), bytes.begin() + shown, kMagic.begin()))
    return refuse("not a ctc bundle: it begins with " +
                  hex(bytes.first(shown)) + ", a bundle with " + hex(kMagic));
  if (bytes.size() < kBundleHeaderBytes)
    return refuse("truncated bundle: it has " + std::to_string(bytes.size()) +
                  " bytes, the header alone has " +
                  std::to_string(kBundleHeaderBytes));
  const auto version = load<uint32_t>(bytes, kVersionAt);
  if (version != kBundleFormatVersion)
    return refuse("bundle has format version " + std::to_string(version) +
                  ", this library reads version " +
                  std::to_string(kBundleFormatVersion));
  if (const auto flags = load<uint32_t>(bytes, kFlagsAt))
    return refuse("bundle has flags " + std::to_string(flags) +
                  ", format version " + std::to_string(version) + " knows 0");
  const auto payload = bytes.subspan(kBundleHeaderBytes);
  const auto length = load<uint64_t>(bytes, kLengthAt);
  if (length != payload.size())
    return refuse("truncated or extended bundle: its header announces " +
                  std::to_string(length) + " bytes of payload, it has " +
                  std::to_string(payload.size()));
  const auto stated = bytes.subspan(kDigestAt, kDigestBytes);
  const Digest actual = digestOf(payload);
  if (!std::equal(actual.begin(), actual.end(), stated.begin()))
    return refuse("altered bundle: the digest of its payload is " +
                  hex(actual) + ", its header states " + hex(stated));
  return payload;
}
