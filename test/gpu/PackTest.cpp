//===- PackTest.cpp - Records into loadable modules -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

using namespace ctc::gpu;
using ::testing::HasSubstr;

namespace {

/// An assembler whose cubins are its inputs, and who refuses the word "bad".
std::string fakeAssembler() {
  std::string path = ::testing::TempDir() + "ctc-fake-ptxas";
  std::ofstream(path) << "#!/bin/sh\n"
                         "if grep -q bad \"$3\"; then\n"
                         "  echo 'no such instruction: bad'; exit 1\n"
                         "fi\n"
                         "cp \"$3\" \"$5\"\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

Case small(const std::string &body, const std::string &before = "") {
  Case value;
  value.ptx = ".version 8.6\n" + before +
              ".visible .entry test(.param .u64 a)\n{" + body + "}\n";
  value.kernel = "test";
  return value;
}

std::vector<Module> packed(const std::vector<Case> &cases) {
  auto modules = pack(cases, {fakeAssembler(), "sm_90a", 2});
  EXPECT_TRUE(modules) << modules.error().message;
  return modules ? *modules : std::vector<Module>();
}

TEST(PackTest, SmallKernelsShareAModule) {
  auto modules = packed({small("one;"), small("two;"), small("one;")});
  ASSERT_EQ(modules.size(), 1u);
  EXPECT_EQ(modules[0].ptx, ".version 8.6\n"
                            ".visible .entry test_0(.param .u64 a)\n{one;}\n"
                            ".visible .entry test_1(.param .u64 a)\n{two;}\n");
  EXPECT_EQ(modules[0].cubin.size(), modules[0].ptx.size());
  EXPECT_THAT(modules[0].cases, ::testing::ElementsAre(0, 2, 1));
  EXPECT_THAT(modules[0].kernels,
              ::testing::ElementsAre("test_0", "test_0", "test_1"));
}

TEST(PackTest, OneRefusedKernelStandsAlone) {
  std::vector<Case> cases;
  for (int i = 0; i < 150; ++i)
    cases.push_back(small(std::to_string(i) + (i == 77 ? " bad;" : ";")));
  auto modules = packed(cases);
  size_t kernels = 0, refused = 0;
  for (const Module &module : modules) {
    kernels += module.cases.size();
    if (!module.cubin.empty())
      continue;
    ++refused;
    EXPECT_THAT(module.cases, ::testing::ElementsAre(77));
    EXPECT_THAT(module.kernels, ::testing::ElementsAre("test"));
    EXPECT_THAT(module.error, HasSubstr("no such instruction: bad"));
  }
  EXPECT_EQ(kernels, 150u);
  EXPECT_EQ(refused, 1u);
  EXPECT_LE(modules.size(), 3u + 6u);
}

TEST(PackTest, OtherTextsAreKeptAsTheyAre) {
  // A variable of the module, a second kernel, another version.
  const Case variable = small("v;", ".global .u32 x;\n");
  Case two = small("t;");
  two.ptx += ".visible .entry other()\n{}\n";
  Case version = small("w;");
  version.ptx.replace(0, 12, ".version 8.0");
  Case second = two;
  second.kernel = "other";
  auto modules =
      packed({variable, two, small("one;"), version, second, small("two;")});
  ASSERT_EQ(modules.size(), 4u);
  EXPECT_EQ(modules[0].ptx, variable.ptx);
  EXPECT_EQ(modules[1].ptx, two.ptx);
  EXPECT_THAT(modules[1].kernels, ::testing::ElementsAre("test", "other"));
  EXPECT_EQ(modules[2].ptx, version.ptx);
  EXPECT_EQ(modules[3].cases.size(), 2u);
}

TEST(PackTest, AMissingAssemblerIsNamed) {
  auto modules = pack({small("one;")}, {"/nowhere/ptxas", "sm_90a", 2});
  ASSERT_FALSE(modules);
  EXPECT_EQ(modules.error().message,
            "'/nowhere/ptxas' cannot be run; --ptxas=PATH names the assembler");
}

TEST(PackTest, RepeatedLaunchesAreDropped) {
  Case first = small("one;"), shape = first, data = first;
  first.buffers = {{Bytes(4), Bytes(4, std::byte{1}), Element::U8, {}}};
  shape.block = {64, 1, 1};
  Case again = first;
  again.name = "again";
  EXPECT_EQ(withoutDuplicates({first, again, shape, data}).size(), 3u);
}

} // namespace
