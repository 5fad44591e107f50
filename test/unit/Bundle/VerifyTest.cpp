//===- VerifyTest.cpp - Inconsistent bundles are refused ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SampleBundle.h"

#include <functional>
#include <gtest/gtest.h>
#include <limits>

using namespace ctc;

namespace {
/// One change to the sample's first entry or image and what is said about it.
struct Planted {
  const char *message; ///< Behind "inconsistent bundle: ".
  std::function<void(Bundle &, Entry &)> change;
};

const Planted kPlanted[] = {
    {"it has no image", [](Bundle &b, Entry &) { b.images.clear(); }},
    {"image 'sm_7': unknown chip, known are sm_80, sm_86, sm_89, sm_90a, "
     "sm_100a, sm_120a",
     [](Bundle &b, Entry &) { b.images[0].chip = "sm_7"; }},
    {"chip name 'sm_80' stands twice",
     [](Bundle &b, Entry &) { b.images[1].chip = "sm_80"; }},
    {"image 'sm_80': neither cubin nor PTX",
     [](Bundle &b, Entry &) {
       b.images[0].cubin.clear(), b.images[0].ptx = "";
     }},
    {"image 'sm_80': entry without a name",
     [](Bundle &, Entry &e) { e.name.clear(); }},
    {"image 'sm_80': entry name 'up' stands twice",
     [](Bundle &b, Entry &e) {
       b.images[0].manifest.entries.push_back(Entry(e));
     }},
    {"image 'sm_90a': entry number 0 is 'up', in the first image 'other'",
     [](Bundle &, Entry &e) { e.name = "other"; }},
    {"image 'sm_90a': 1 entries, the first image has 0",
     [](Bundle &b, Entry &) { b.images[0].manifest.entries.clear(); }},
    {"image 'sm_90a': entry 'up' differs from the first image's in problem, "
     "epilogue or arguments",
     [](Bundle &, Entry &e) { e.arguments[3].type = ElementType::F16; }},
    {"image 'sm_80': entry 'up': type has number 9, legal are 0 to 2",
     [](Bundle &, Entry &e) { e.problem.type = ElementType(9); }},
    {"image 'sm_80': entry 'up': layout has number 2, legal are 0 to 1",
     [](Bundle &, Entry &e) { e.problem.layout = Layout(2); }},
    {"image 'sm_80': entry 'up': weight layout has number 2, legal are 0 to 1",
     [](Bundle &, Entry &e) { e.problem.weightLayout = WeightLayout(2); }},
    {"image 'sm_80': entry 'up': precision has number 3, legal are 0 to 2",
     [](Bundle &, Entry &e) { e.problem.precision = Precision(3); }},
    {"image 'sm_80': entry 'up': epilogue: operand 'z': its map names "
     "dimension 3 of the output, legal are -1 to 2",
     [](Bundle &, Entry &e) { e.epilogue.operands[0].outputDims[0] = 3; }},
    {"image 'sm_80': entry 'up': epilogue: operand 'z': it has 3 dimensions "
     "and a map of 2",
     [](Bundle &, Entry &e) { e.epilogue.operands[0].outputDims.pop_back(); }},
    {"image 'sm_80': entry 'up': epilogue: node 3 uses node 3, which does not "
     "stand before it",
     [](Bundle &, Entry &e) { e.epilogue.nodes[3].operands[1] = 3; }},
    {"image 'sm_80': entry 'up': epilogue: result is node 4, there are 4",
     [](Bundle &, Entry &e) { e.epilogue.result = 4; }},
    {"image 'sm_80': entry 'up': epilogue: 1 nodes for the accumulator and 1 "
     "operands",
     [](Bundle &, Entry &e) { e.epilogue.nodes.resize(1); }},
    {"image 'sm_80': entry 'up': epilogue: node 0: type has number 4, legal "
     "are 0 to 3",
     [](Bundle &, Entry &e) { e.epilogue.nodes[0].type = ScalarType(4); }},
    {"image 'sm_80': entry 'up': argument name 'x' stands twice",
     [](Bundle &, Entry &e) { e.arguments[1].name = "x"; }},
    {"image 'sm_80': entry 'up': argument 'x': role has number 7, legal are 0 "
     "to 6",
     [](Bundle &, Entry &e) { e.arguments[0].role = ArgumentRole(7); }},
    {"image 'sm_80': entry 'up': argument 'x': type has number 3, legal are 0 "
     "to 2",
     [](Bundle &, Entry &e) { e.arguments[0].type = ElementType(3); }},
    {"image 'sm_80': entry 'up': argument 'x': shape is ?x2x4, the problem's "
     "is ?x2x3",
     [](Bundle &, Entry &e) { e.arguments[0].shape[2] = 4; }},
    {"image 'sm_80': entry 'up': argument 'z': shape ?x1x-6 has a negative "
     "size",
     [](Bundle &, Entry &e) { e.arguments[4].shape[2] = -6; }},
    {"image 'sm_80': entry 'up': argument 'packed': shape ? has a dynamic "
     "size, which is not legal here",
     [](Bundle &, Entry &e) { e.arguments[2].shape[0] = kDynamic; }},
    {"image 'sm_80': entry 'up': argument 'packed': argument 'packed' of shape "
     "4611686018427387904 has more than 2^63 - 1 bytes for a batch of 1",
     [](Bundle &, Entry &e) { e.arguments[2].shape[0] = int64_t{1} << 62; }},
    {"image 'sm_80': entry 'up': 2 arguments with the role of output, legal "
     "are 1 to 1",
     [](Bundle &, Entry &e) {
       e.arguments.push_back(e.arguments[5]);
       e.arguments.back().name = "y2";
     }},
    {"image 'sm_80': entry 'up': 1 arguments with the role of bias, legal are "
     "0 to 0",
     [](Bundle &, Entry &e) { e.problem.bias = false; }},
    {"image 'sm_80': entry 'up': run launch 0: argument number 6, the entry "
     "has 6",
     [](Bundle &, Entry &e) { e.run[0].arguments[0] = 6; }},
    {"image 'sm_80': entry 'up': run launch 0: argument 'w' is the weight, "
     "which only prepare launches read",
     [](Bundle &, Entry &e) { e.run[0].arguments[0] = 1; }},
    {"image 'sm_80': entry 'up': prepare launch 0: argument 'x' is not a "
     "weight, and prepare launches see no other",
     [](Bundle &, Entry &e) { e.prepare[0].arguments[0] = 0; }},
    {"image 'sm_80': entry 'up': prepare launch 0: a prepare launch takes no "
     "batch",
     [](Bundle &, Entry &e) { e.prepare[0].passesBatch = true; }},
    {"image 'sm_80': entry 'up': run launch 0: 256 arguments, legal are at "
     "most 255",
     [](Bundle &, Entry &e) { e.run[0].arguments.resize(256); }},
    {"image 'sm_80': entry 'up': run launch 0: kernel without a name",
     [](Bundle &, Entry &e) { e.run[0].kernel.clear(); }},
    {"image 'sm_80': entry 'up': run launch 0: grid of 3 blocks per -1 "
     "samples, "
     "must be at least 1 and 0",
     [](Bundle &, Entry &e) { e.run[0].grid.batchTile = -1; }},
    {"image 'sm_80': entry 'up': run launch 0: a batch of 1 needs 2147483648 * "
     "1 blocks, a grid has at most 2147483647",
     [](Bundle &, Entry &e) {
       e.run[0].grid.blocksPerTile = int64_t{1} << 31;
     }},
    {"image 'sm_80': entry 'up': run launch 0: block of 65 threads along "
     "dimension 2, legal are 1 to 64",
     [](Bundle &, Entry &e) { e.run[0].block = {1, 1, 65}; }},
    {"image 'sm_80': entry 'up': run launch 0: block of 2048 threads, legal "
     "are at most 1024",
     [](Bundle &, Entry &e) { e.run[0].block = {1024, 2, 1}; }},
    {"image 'sm_80': entry 'up': run launch 0: 166913 bytes of shared memory, "
     "sm_80 has 166912",
     [](Bundle &, Entry &e) { e.run[0].dynamicSharedBytes = 166913; }},
    {"image 'sm_80': entry 'up': run launch 0: a programmatic launch, kernels "
     "of sm_80 cannot wait for the grids before them",
     [](Bundle &, Entry &e) { e.run[0].programmatic = true; }},
    {"image 'sm_80': entry 'up': work factor inf, must be finite and at least "
     "0",
     [](Bundle &, Entry &e) {
       e.work.tile = std::numeric_limits<double>::infinity();
     }},
};

TEST(Verify, TheSampleIsConsistent) {
  const auto sound = verify(test::sampleBundle());
  EXPECT_TRUE(sound) << sound.error().message;
}

TEST(Verify, PlantedMistakesAreNamed) {
  for (const Planted &planted : kPlanted) {
    Bundle bundle = test::sampleBundle();
    planted.change(bundle, bundle.images[0].manifest.entries[0]);
    const auto sound = verify(bundle);
    ASSERT_FALSE(sound) << planted.message;
    EXPECT_EQ(sound.error().message,
              std::string("inconsistent bundle: ") + planted.message);
    EXPECT_EQ(sound.error().code, ErrorCode::DeviceError);
    // The same file is refused on reading.
    const auto back = deserialize(serialize(bundle));
    ASSERT_FALSE(back) << planted.message;
    EXPECT_EQ(back.error().message, sound.error().message);
  }
}

TEST(Verify, StaticGridIsCheckedForItsBatch) {
  Bundle bundle = test::sampleBundle();
  bundle.images.pop_back();
  Entry &entry = bundle.images[0].manifest.entries[0];
  const int64_t batch = int64_t{1} << 31;
  entry.problem.batch = batch;
  for (Argument &argument : entry.arguments)
    for (int64_t &size : argument.shape)
      if (size == kDynamic)
        size = batch;
  entry.epilogue.operands[0].shape[0] = batch;
  const auto tooMany = verify(bundle);
  ASSERT_FALSE(tooMany);
  EXPECT_EQ(tooMany.error().message,
            "inconsistent bundle: image 'sm_80': entry 'up': run launch 0: a "
            "batch of 2147483648 needs 3 * 1073741824 blocks, a grid has at "
            "most 2147483647");
  entry.run[0].grid.blocksPerTile = 1;
  EXPECT_TRUE(verify(bundle));
}
} // namespace
