//===- QueryTest.cpp - Bundles through the C API --------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeTesting.h"
#include "ctc/Support/File.h"

#include <filesystem>
#include <gmock/gmock.h>

using namespace ctc;
using testing::ElementsAre;

namespace {
TEST(Query, BundleAndImages) {
  const auto bundle = test::open(test::sampleBundle());
  EXPECT_STREQ(bundle.info().producer, "ctc 0.1.0 (test)");
  EXPECT_EQ(bundle.info().image_count, 2u);
  EXPECT_EQ(bundle.info().entry_count, 1u);
  const auto image = bundle.image(1);
  EXPECT_STREQ(image.chip, "sm_90a");
  EXPECT_EQ(std::string(image.ptx, image.ptx_bytes),
            test::sampleImage("sm_90a").ptx);
  EXPECT_EQ(image.cubin_bytes, 8u);
  EXPECT_EQ(static_cast<const char *>(image.cubin)[1], 'E');
  EXPECT_STREQ(image.assembler, "ptxas 13.0.88");
  EXPECT_EQ(image.resource_count, 2u);
  size_t index = 9;
  ASSERT_GOOD(ctc_bundle_find_image(bundle.get(), "sm_90a", &index));
  EXPECT_EQ(index, 1u);
}

TEST(Query, Resources) {
  const auto bundle = test::open(test::sampleBundle());
  ctc_resource_info info;
  ASSERT_GOOD(ctc_bundle_get_resource(bundle.get(), 0, 0, &info));
  EXPECT_STREQ(info.kernel, "up_run");
  EXPECT_EQ(info.registers, 40u);
  EXPECT_EQ(info.spill_store_bytes, 8u);
  EXPECT_EQ(info.spill_load_bytes, 12u);
  EXPECT_EQ(info.stack_bytes, 16u);
  EXPECT_EQ(info.static_shared_bytes, 2048u);
  ASSERT_EQ(info.warning_count, 2u);
  EXPECT_STREQ(info.warnings[1], "another");
}

TEST(Query, Entry) {
  const auto bundle = test::open(test::sampleBundle());
  EXPECT_EQ(bundle.findEntry("up"), 0u);
  const auto info = bundle.entry(0, 0);
  EXPECT_STREQ(info.name, "up");
  EXPECT_EQ(info.batch, CTC_DYNAMIC);
  EXPECT_EQ(info.input_channels, 2);
  EXPECT_EQ(info.output_channels, 4);
  EXPECT_EQ(info.groups, 1);
  ASSERT_EQ(info.rank, 1u);
  EXPECT_EQ(info.dimensions[0].input, 3);
  EXPECT_EQ(info.dimensions[0].kernel, 2);
  EXPECT_EQ(info.dimensions[0].stride, 2);
  EXPECT_EQ(info.dimensions[0].output, 6);
  EXPECT_EQ(info.type, CTC_F32);
  EXPECT_EQ(info.layout, CTC_CHANNELS_FIRST);
  EXPECT_EQ(info.precision, CTC_IEEE);
  EXPECT_EQ(info.has_bias, 1);
  EXPECT_EQ(info.argument_count, 6u);
  EXPECT_EQ(info.prepare_count, 1u);
  EXPECT_EQ(info.run_count, 1u);
  EXPECT_STREQ(info.family, "simt");
  EXPECT_STREQ(info.kernel, "#ctc.kernel<family = simt>");
  EXPECT_STREQ(info.choice_source, "heuristic");
  EXPECT_STREQ(info.choice_reason, "small");
  EXPECT_EQ(info.useful_macs, 96);
  EXPECT_EQ(info.least_bytes, 256);
  EXPECT_EQ(info.holes_factor, 1);
  EXPECT_EQ(info.border_factor, 1.25);
  EXPECT_EQ(info.tile_factor, 1.5);
}

TEST(Query, Arguments) {
  const auto bundle = test::open(test::sampleBundle());
  std::vector<int32_t> launchIndices;
  for (size_t i = 0; i < bundle.entry(1, 0).argument_count; ++i)
    launchIndices.push_back(bundle.argument(1, 0, i).launch_index);
  EXPECT_THAT(launchIndices, ElementsAre(0, -1, -1, 1, 2, 3, 4));
  const auto operand = bundle.argument(0, 0, 4);
  EXPECT_STREQ(operand.name, "z");
  EXPECT_EQ(operand.role, CTC_OPERAND);
  EXPECT_EQ(operand.type, CTC_BF16);
  EXPECT_THAT(std::vector<int64_t>(operand.shape, operand.shape + operand.rank),
              ElementsAre(CTC_DYNAMIC, 1, 6));
  EXPECT_EQ(bundle.argumentBytes(0, 0, 4, 7), 84u);
  EXPECT_EQ(bundle.argumentBytes(0, 0, 1, 7), 64u);
}

TEST(Query, Launches) {
  const auto bundle = test::open(test::sampleBundle());
  ctc_launch_info info;
  ASSERT_GOOD(ctc_bundle_get_run_launch(bundle.get(), 0, 0, 0, &info));
  EXPECT_STREQ(info.kernel, "up_run");
  EXPECT_EQ(info.blocks_per_tile, 3);
  EXPECT_EQ(info.batch_tile, 2);
  EXPECT_THAT(info.block, ElementsAre(64, 2, 1));
  EXPECT_EQ(info.dynamic_shared_bytes, 4096u);
  EXPECT_EQ(info.passes_batch, 1);
  EXPECT_EQ(info.programmatic, 0);
  ASSERT_GOOD(ctc_bundle_get_run_launch(bundle.get(), 1, 0, 0, &info));
  EXPECT_EQ(info.passes_batch, 1);
  EXPECT_EQ(info.programmatic, 1);
  ASSERT_GOOD(ctc_bundle_get_prepare_launch(bundle.get(), 0, 0, 0, &info));
  EXPECT_STREQ(info.kernel, "up_prepare");
  EXPECT_EQ(info.passes_batch, 0);
  uint64_t blocks = 0;
  ASSERT_GOOD(ctc_bundle_run_blocks(bundle.get(), 0, 0, 0, 5, &blocks));
  EXPECT_EQ(blocks, 9u);
}

TEST(Query, WhatIsNotThere) {
  const auto bundle = test::open(test::sampleBundle());
  ctc_image_info image;
  EXPECT_FAILS(ctc_bundle_get_image(bundle.get(), 2, &image),
               CTC_INVALID_ARGUMENT, "no image number 2: there are 2");
  ctc_entry_info entry;
  EXPECT_FAILS(ctc_bundle_get_entry(bundle.get(), 0, 1, &entry),
               CTC_INVALID_ARGUMENT, "no entry number 1: there are 1");
  ctc_argument_info argument;
  EXPECT_FAILS(ctc_bundle_get_argument(bundle.get(), 0, 0, 6, &argument),
               CTC_INVALID_ARGUMENT, "no argument number 6: there are 6");
  ctc_launch_info launch;
  EXPECT_FAILS(ctc_bundle_get_run_launch(bundle.get(), 0, 0, 1, &launch),
               CTC_INVALID_ARGUMENT, "no launch number 1: there are 1");
  ctc_resource_info resource;
  EXPECT_FAILS(ctc_bundle_get_resource(bundle.get(), 0, 2, &resource),
               CTC_INVALID_ARGUMENT, "no resource number 2: there are 2");
  size_t index = 0;
  EXPECT_FAILS(ctc_bundle_find_entry(bundle.get(), "down", &index),
               CTC_INVALID_ARGUMENT,
               "no entry 'down' in the bundle, which has 'up'");
  EXPECT_FAILS(ctc_bundle_find_image(bundle.get(), "sm_89", &index),
               CTC_NO_IMAGE,
               "no image for 'sm_89' in the bundle, which has sm_80, sm_90a");
  uint64_t bytes = 0;
  EXPECT_FAILS(ctc_bundle_argument_bytes(bundle.get(), 0, 0, 0, -1, &bytes),
               CTC_INVALID_ARGUMENT, "batch is -1, must be at least 0");
  EXPECT_FAILS(ctc_bundle_get_info(nullptr, nullptr), CTC_INVALID_ARGUMENT,
               "bundle is NULL");
}

TEST(Query, BadBundles) {
  const std::string path = testing::TempDir() + "/runtime-test.ctcb";
  std::filesystem::remove(path);
  ctc_bundle *bundle = reinterpret_cast<ctc_bundle *>(&bundle);
  EXPECT_FAILS(ctc_bundle_open_file(path.c_str(), &bundle), CTC_FILE_ERROR,
               "cannot read '" + path + "': No such file or directory");
  EXPECT_EQ(bundle, nullptr);

  auto bytes = serialize(test::sampleBundle());
  ASSERT_TRUE(writeFileAtomically(path, bytes));
  EXPECT_EQ(runtime::Bundle::fromFile(path).info().image_count, 2u);
  ASSERT_TRUE(writeFileAtomically(path, std::span(bytes).first(30)));
  EXPECT_FAILS(ctc_bundle_open_file(path.c_str(), &bundle), CTC_INVALID_BUNDLE,
               "'" + path +
                   "': truncated bundle: it has 30 bytes, the header "
                   "alone has 40");
  std::filesystem::remove(path);

  bytes[8] = 2;
  EXPECT_FAILS(ctc_bundle_open_memory(bytes.data(), bytes.size(), &bundle),
               CTC_INVALID_BUNDLE,
               "bundle has format version 2, this library reads version 1");
  EXPECT_THROW(runtime::Bundle::fromMemory(bytes.data(), bytes.size()),
               runtime::Error);
}

TEST(Query, StatusNames) {
  EXPECT_STREQ(ctc_status_name(CTC_OK), "CTC_OK");
  EXPECT_STREQ(ctc_status_name(CTC_DEVICE_ERROR), "CTC_DEVICE_ERROR");
  EXPECT_STREQ(ctc_status_name(static_cast<ctc_status>(15)), "unknown status");
  EXPECT_STREQ(ctc_version(), "0.1.0");
}
} // namespace
