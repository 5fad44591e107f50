//===- FileTest.cpp - Whole files, read and written at once ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/File.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace ctc;
namespace fs = std::filesystem;

namespace {
/// A fresh folder for each test, gone afterwards.
class FileTest : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             ("ctc-file-test-" + std::to_string(::getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string at(const char *name) const { return (folder / name).string(); }
  /// Names in the folder, which must hold no temporary file.
  size_t fileCount() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder),
                                             fs::directory_iterator()));
  }

  fs::path folder;
};

TEST_F(FileTest, RoundTripAndReplacement) {
  std::vector<uint8_t> bytes(200000);
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(i * 7);
  ASSERT_TRUE(writeFileAtomically(at("a"), bytes));
  EXPECT_EQ(readFile(at("a")), bytes);
  ASSERT_TRUE(writeFileAtomically(at("a"), std::vector<uint8_t>{1, 2}));
  EXPECT_EQ(readFile(at("a")), (std::vector<uint8_t>{1, 2}));
  EXPECT_EQ(fileCount(), 1u);
}

TEST_F(FileTest, EmptyFile) {
  ASSERT_TRUE(writeFileAtomically(at("empty"), {}));
  EXPECT_EQ(readFile(at("empty")), std::vector<uint8_t>());
}

TEST_F(FileTest, FailuresNameThePathAndLeaveNothing) {
  auto missing = readFile(at("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::Usage);
  EXPECT_EQ(missing.error().message,
            "cannot read '" + at("none") + "': No such file or directory");
  EXPECT_EQ(readFile(folder.string()).error().message,
            "cannot read '" + folder.string() + "': Is a directory");

  auto noFolder = writeFileAtomically(at("no/file"), {});
  ASSERT_FALSE(noFolder);
  EXPECT_EQ(noFolder.error().code, ErrorCode::Usage);
  EXPECT_EQ(noFolder.error().message,
            "cannot write '" + at("no/file") + "': No such file or directory");
  EXPECT_EQ(writeFileAtomically(folder.string(), {}).error().message,
            "cannot write '" + folder.string() + "': Is a directory");
  EXPECT_EQ(fileCount(), 0u);
}

TEST_F(FileTest, ALinkStaysALink) {
  ASSERT_TRUE(writeFileAtomically(at("target"), {}));
  fs::create_symlink("target", at("link"));
  ASSERT_TRUE(writeFileAtomically(at("link"), std::vector<uint8_t>{5}));
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(readFile(at("target")), std::vector<uint8_t>{5});
}

TEST_F(FileTest, ALinkToNothingYetStaysALink) {
  fs::create_directories(at("there"));
  fs::create_symlink("there/hop", at("link"));
  fs::create_symlink(at("there/target"), at("there/hop"));
  ASSERT_TRUE(writeFileAtomically(at("link"), std::vector<uint8_t>{5}));
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_TRUE(fs::is_symlink(at("there/hop")));
  EXPECT_EQ(readFile(at("there/target")), std::vector<uint8_t>{5});
  fs::create_symlink("round", at("round"));
  EXPECT_EQ(writeFileAtomically(at("round"), {}).error().message,
            "cannot write '" + at("round") +
                "': Too many levels of symbolic links");
}

TEST_F(FileTest, AFileKeepsItsPermissions) {
  ASSERT_TRUE(writeFileAtomically(at("a"), {}));
  const auto mode =
      fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read;
  fs::permissions(at("a"), mode);
  ASSERT_TRUE(writeFileAtomically(at("a"), std::vector<uint8_t>{5}));
  EXPECT_EQ(fs::status(at("a")).permissions(), mode);
}

TEST_F(FileTest, WhatCannotBeWrittenIsKnownBefore) {
  for (const std::string &path : {at("no/file"), folder.string()})
    EXPECT_EQ(checkWritable(path).error().message,
              writeFileAtomically(path, {}).error().message);
  fs::create_symlink("no/file", at("link"));
  EXPECT_EQ(checkWritable(at("link")).error().message,
            "cannot write '" + at("link") + "': No such file or directory");
  for (const std::string &path : {at("new"), std::string("/dev/null")})
    EXPECT_TRUE(checkWritable(path)) << path;
  EXPECT_FALSE(fs::exists(at("new")));
}

TEST_F(FileTest, ADeviceIsWrittenInPlace) {
  ASSERT_TRUE(writeFileAtomically("/dev/null", std::vector<uint8_t>{5}));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  // A full disk is seen.
  if (fs::exists("/dev/full")) {
    auto full = writeFileAtomically("/dev/full", std::vector<uint8_t>{5});
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().message,
              "cannot write '/dev/full': No space left on device");
  }
}
} // namespace
