//===- Recorder.cpp - Records what a test launches ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

using namespace ctc;
using namespace ctc::gpu;

namespace {
/// The files of this process, by suite.
struct Files {
  std::map<std::string, std::unique_ptr<RecordWriter>> writers;
  std::map<std::string, uint64_t> counts; ///< Cases per test.
};

Files &files() {
  static Files all;
  return all;
}

Expected<RecordWriter *> writerOf(const std::string &suite) {
  std::unique_ptr<RecordWriter> &writer = files().writers[suite];
  if (writer)
    return writer.get();
  std::filesystem::path folder = std::getenv("CTC_PTX_RECORD");
  std::error_code ignored; // A folder that is not there fails to open.
  std::filesystem::create_directories(folder, ignored);
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe", ignored);
  std::string file = program.filename().string() + "." + suite;
  std::replace(file.begin(), file.end(), '/', '-');
  auto opened = RecordWriter::open(folder / (file + ".ptxrec"));
  if (!opened)
    return tl::unexpected<Error>(opened.error());
  writer = std::move(*opened);
  return writer.get();
}
} // namespace

bool gpu::isRecording() {
  const char *folder = std::getenv("CTC_PTX_RECORD");
  return folder && *folder;
}

void gpu::record(Case value) {
  const auto *test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (!isRecording() || !test)
    return;
  value.family = test->test_suite_name();
  std::string name = value.family + "." + test->name();
  value.name = name + "#" + std::to_string(files().counts[name]++);
  auto writer = writerOf(value.family);
  if (!writer) {
    ADD_FAILURE() << writer.error().message;
    return;
  }
  if (auto written = (*writer)->write(value); !written)
    ADD_FAILURE() << written.error().message;
}
