//===- ContainerTest.cpp - Bundles to bytes and back ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleBundle.h"
#include "ctc/Support/File.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace ctc;
using ctc::test::sampleBundle;
using testing::HasSubstr;
using testing::StartsWith;

namespace {
std::string refusal(std::span<const uint8_t> bytes) {
  auto bundle = deserialize(bytes);
  if (bundle)
    return "accepted";
  EXPECT_EQ(bundle.error().code, ErrorCode::DeviceError);
  return bundle.error().message;
}

/// Makes length and digest right again after the payload was changed, so that
/// the checks behind the digest are reached.
void reseal(std::vector<uint8_t> &bytes) {
  const size_t length = bytes.size() - kBundleHeaderBytes;
  for (size_t i = 0; i < 8; ++i)
    bytes[16 + i] = static_cast<uint8_t>(uint64_t{length} >> (8 * i));
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(
      &canonical, XXH3_128bits(bytes.data() + kBundleHeaderBytes, length));
  std::copy(std::begin(canonical.digest), std::end(canonical.digest),
            bytes.begin() + 24);
}

TEST(Container, RoundTripKeepsEveryField) {
  const Bundle bundle = sampleBundle();
  const auto bytes = serialize(bundle);
  const auto back = deserialize(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, bundle);
}

TEST(Container, RoundTripAtAnyAlignment) {
  const auto bytes = serialize(sampleBundle());
  for (size_t shift = 0; shift < 8; ++shift) {
    std::vector<uint8_t> moved(shift);
    moved.insert(moved.end(), bytes.begin(), bytes.end());
    const auto back = deserialize(std::span(moved).subspan(shift));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, sampleBundle());
  }
}

TEST(Container, BytesAreReproducible) {
  EXPECT_EQ(serialize(sampleBundle()), serialize(sampleBundle()));
  Bundle other = sampleBundle();
  other.images[1].manifest.entries[0].work.tile = 1.75;
  EXPECT_NE(serialize(sampleBundle()), serialize(other));
}

TEST(Container, HeaderIsAsDocumented) {
  const auto bytes = serialize(sampleBundle());
  const std::vector<uint8_t> fixed{0x89, 'C', 'T', 'C', 'B', '\r', '\n', 0x1a,
                                   1,    0,   0,   0,   0,   0,    0,    0};
  EXPECT_TRUE(std::equal(fixed.begin(), fixed.end(), bytes.begin()));
  auto resealed = bytes;
  reseal(resealed);
  EXPECT_EQ(resealed, bytes);
}

TEST(Container, EveryTruncationIsRefused) {
  const auto bytes = serialize(sampleBundle());
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_THAT(refusal(std::span(bytes).first(length)), HasSubstr("truncated"))
        << length;
  EXPECT_EQ(refusal({}),
            "truncated bundle: it has 0 bytes, the header alone has 40");
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_THAT(refusal(longer), StartsWith("truncated or extended bundle: "));
}

TEST(Container, EveryAlteredByteIsRefused) {
  auto bytes = serialize(sampleBundle());
  for (size_t at = 0; at < bytes.size(); ++at)
    for (uint8_t flip : {0x01, 0x80, 0xff}) {
      bytes[at] ^= flip;
      EXPECT_NE(refusal(bytes), "accepted") << "byte " << at;
      bytes[at] ^= flip;
    }
  EXPECT_EQ(refusal(bytes), "accepted");
}

// With the digest made right, a changed byte may still make a legal bundle (a
// letter in a name); what counts is that no read leaves the payload, which the
// sanitizer build sees.
TEST(Container, AlteredPayloadWithRightDigestNeverCrashes) {
  const auto bytes = serialize(sampleBundle());
  size_t refused = 0;
  for (size_t at = kBundleHeaderBytes; at < bytes.size(); ++at)
    for (uint8_t value : {0x00, 0x7f, 0xff}) {
      auto altered = bytes;
      altered[at] = value;
      reseal(altered);
      refused += !deserialize(altered);
    }
  EXPECT_GT(refused, bytes.size() / 2);
}

TEST(Container, TruncatedPayloadWithRightDigestIsRefused) {
  const auto bytes = serialize(sampleBundle());
  for (size_t length = kBundleHeaderBytes; length < bytes.size(); length += 4) {
    std::vector<uint8_t> shorter(bytes.begin(), bytes.begin() + length);
    reseal(shorter);
    const auto back = deserialize(shorter);
    EXPECT_TRUE(!back || *back != sampleBundle()) << length;
  }
}

TEST(Container, MessagesNameWhatIsWrong) {
  const auto bytes = serialize(sampleBundle());
  auto altered = bytes;
  altered[0] = 'P';
  EXPECT_EQ(refusal(altered),
            "not a ctc bundle: it begins with 50435443420d0a1a, a bundle with "
            "89435443420d0a1a");
  altered = bytes;
  altered[8] = 7;
  EXPECT_EQ(refusal(altered),
            "bundle has format version 7, this library reads version 1");
  altered = bytes;
  altered[12] = 2;
  EXPECT_EQ(refusal(altered), "bundle has flags 2, format version 1 knows 0");
  altered = bytes;
  altered.back() ^= 1;
  EXPECT_THAT(refusal(altered),
              StartsWith("altered bundle: the digest of its payload is "));
  altered.resize(kBundleHeaderBytes);
  reseal(altered);
  EXPECT_EQ(refusal(altered), "malformed bundle: its payload is not a "
                              "FlatBuffer of the schema of format version 1");
}

TEST(Container, ReadBundle) {
  const std::string folder = testing::TempDir();
  const std::string path = folder + "/sample.ctcb";
  ASSERT_TRUE(writeFileAtomically(path, serialize(sampleBundle())));
  const auto back = readBundle(path);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, sampleBundle());

  ASSERT_TRUE(writeFileAtomically(path, {}));
  const auto empty = readBundle(path);
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().code, ErrorCode::DeviceError);
  EXPECT_EQ(empty.error().message,
            "'" + path +
                "': truncated bundle: it has 0 bytes, the header alone has 40");
  std::filesystem::remove(path);

  const auto missing = readBundle(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::Usage);
  EXPECT_EQ(missing.error().message,
            "cannot read '" + path + "': No such file or directory");
}
} // namespace
