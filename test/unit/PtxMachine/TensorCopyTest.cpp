//===- TensorCopyTest.cpp - cp.async.bulk.tensor and its kin --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

#include <numeric>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// %w1 is the map, %t0 the tile of 1 KiB, full of 7s, %t1 the object of one
/// arrival.
std::string text(const std::string &body) {
  return kernel(
      "mov.b64 %w1, map; cvta.param.u64 %w1, %w1;"
      "ld.param.u64 %w0, [out]; mov.u32 %t0, tile;"
      "mov.u32 %t1, object; mbarrier.init.shared.b64 [%t1], 1;"
      "fence.mbarrier_init.release.cluster; mov.u32 %t2, 0;"
      "F: add.u32 %t3, %t0, %t2; st.shared.v4.u32 [%t3], {7, 7, 7, 7};"
      "add.u32 %t2, %t2, 16; setp.lt.u32 %p1, %t2, 1024; @%p1 bra F;"
      "fence.proxy.async;" +
          body,
      ".param .align 64 .b8 map[128], .param .u64 out",
      ".shared .align 1024 .b8 tile[1024]; .shared .align 8 .b64 "
      "object;");
}

/// Expects bytes; waits for them and stores so many words of the tile.
std::string expect(uint32_t bytes) {
  return "mbarrier.arrive.expect_tx.shared.b64 _, [%t1], " +
         std::to_string(bytes) + ";";
}
std::string put(size_t words) {
  return "W: mbarrier.try_wait.parity.shared.b64 %p1, [%t1], 0; @!%p1 bra W;"
         "mov.u32 %t2, 0;"
         "P: add.u32 %t3, %t0, %t2; ld.shared.u32 %t4, [%t3];"
         "st.global.u32 [%w0], %t4; add.u64 %w0, %w0, 4; add.u32 %t2, %t2, 4;"
         "setp.lt.u32 %p1, %t2, " +
         std::to_string(4 * words) + "; @%p1 bra P;";
}
std::string loadOf(const std::string &dim, const std::string &mode,
                   const std::string &place, const std::string &offsets = "") {
  return "cp.async.bulk.tensor." + dim + ".shared::cta.global." + mode +
         ".mbarrier::complete_tx::bytes [%t0], [%w1, {" + place + "}], [%t1]" +
         offsets + ";";
}

/// A tensor and its box, or the pixels of im2col.
struct Map {
  TensorLayout tensor;
  std::vector<uint32_t> box;
  std::optional<PixelBox> pixels;
};

Map tiled(std::vector<uint64_t> dims, std::vector<uint64_t> strides,
          std::vector<uint32_t> box, TensorType type = TensorType::U32) {
  TensorLayout tensor;
  tensor.type = type;
  tensor.dims = std::move(dims);
  tensor.strides = std::move(strides);
  return {tensor, std::move(box), std::nullopt};
}

/// Of words.
Map im2col(std::vector<uint64_t> dims, std::vector<uint64_t> strides,
           PixelBox pixels) {
  Map map = tiled(std::move(dims), std::move(strides), {});
  map.pixels = std::move(pixels);
  return map;
}

/// The map comes first of a kernel's parameters; its buffer is not one.
size_t addMap(KernelRun &run, const Map &map, const u32s &tensor) {
  size_t number = run.storage(tensor);
  if (map.pixels)
    run.tensorMap(number, map.tensor, *map.pixels);
  else
    run.tensorMap(number, map.tensor, map.box);
  return number;
}

/// Rows of 8 words, 10 * row + column each.
u32s words(size_t rows) {
  u32s result;
  for (uint32_t row = 0; row < rows; ++row)
    for (uint32_t column = 0; column < 8; ++column)
      result.push_back(10 * row + column);
  return result;
}

/// The words that a kernel stores, whose map is of `tensor`.
u32s run(const Map &map, const u32s &tensor, const std::string &body,
         size_t results, uint32_t blocks = 1) {
  KernelRun run(text(body), "k");
  addMap(run, map, tensor);
  size_t out = run.buffer(u32s(results, 1));
  run.config.grid.x = run.config.cluster.x = blocks;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(out);
}

/// The tensor after a kernel.
u32s stored(const Map &map, const u32s &tensor, const std::string &body) {
  KernelRun run(text(body), "k");
  size_t in = addMap(run, map, tensor);
  run.buffer(u32s(1));
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(in);
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

TEST(TensorCopyTest, TilesOfTwoDimensions) {
  const Map map = tiled({8, 3}, {32}, {4, 2});
  EXPECT_THAT(
      run(map, words(3), expect(32) + loadOf("2d", "tile", "4, 1") + put(9), 9),
      ElementsAre(14, 15, 16, 17, 24, 25, 26, 27, 7));
  // Outside of the tensor there are zeros, and they count as transferred.
  EXPECT_THAT(
      run(map, words(3), expect(32) + loadOf("2d", "tile", "4, 2") + put(9), 9),
      ElementsAre(24, 25, 26, 27, 0, 0, 0, 0, 7));
  EXPECT_THAT(run(map, words(3),
                  "mov.u32 %t5, -4; mov.u32 %t6, -1;" + expect(32) +
                      loadOf("2d", "tile", "%t5, %t6") + put(9),
                  9),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 7));
}

TEST(TensorCopyTest, RaggedRows) {
  const Map map = tiled({6, 2}, {32}, {8, 2});
  EXPECT_THAT(
      run(map, words(2), expect(64) + loadOf("2d", "tile", "0, 0") + put(16),
          16),
      ElementsAre(0, 1, 2, 3, 4, 5, 0, 0, 10, 11, 12, 13, 14, 15, 0, 0));
  EXPECT_THAT(run(map, words(2),
                  expect(64) + loadOf("2d", "tile", "-4, 1") + put(16), 16),
              ElementsAre(0, 0, 0, 0, 10, 11, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0));
}

TEST(TensorCopyTest, OneAndThreeDimensions) {
  EXPECT_THAT(run(tiled({24}, {}, {8}), words(3),
                  expect(32) + loadOf("1d", "tile", "12") + put(8), 8),
              ElementsAre(14, 15, 16, 17, 20, 21, 22, 23));
  // Two planes of two rows; without .tile and with .shared::cluster.
  EXPECT_THAT(
      run(tiled({8, 2, 2}, {32, 64}, {4, 1, 2}), words(4),
          expect(32) +
              "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::"
              "complete_tx::bytes [%t0], [%w1, {0, 1, 0}], [%t1];" +
              put(8),
          8),
      ElementsAre(10, 11, 12, 13, 30, 31, 32, 33));
}

TEST(TensorCopyTest, NanFill) {
  Map map = tiled({8, 1}, {32}, {4, 2}, TensorType::F32);
  map.tensor.fill = TensorFill::NaN;
  EXPECT_THAT(
      run(map, words(1), expect(32) + loadOf("2d", "tile", "0, 0") + put(8), 8),
      ElementsAre(0, 1, 2, 3, 0x7ff77ff7, 0x7ff77ff7, 0x7ff77ff7, 0x7ff77ff7));
}

/// 1 + 2^-11 is a tie and goes to the even 1, 1 + 3 * 2^-11 to 1 + 2^-9.
TEST(TensorCopyTest, TF32Rounds) {
  const u32s values{bits(1 + 0x1p-11f), bits(1 + 0x3p-11f),
                    bits(-1 - 0x1.1p-11f), 0x7f800001};
  for (TensorType type : {TensorType::TF32, TensorType::TF32Ftz})
    EXPECT_THAT(run(tiled({4}, {}, {4}, type), values,
                    expect(16) + loadOf("1d", "tile", "0") + put(4), 4),
                ElementsAre(bits(1.0f), bits(1 + 0x1p-9f), bits(-1 - 0x1p-10f),
                            0x7fffe000));
  EXPECT_EQ(run(tiled({4}, {}, {4}, TensorType::F32), values,
                expect(16) + loadOf("1d", "tile", "0") + put(4), 4),
            values);
}

/// Rows of 16 bytes in spans of 32: 4 rows a line; in line 1 the chunks swap.
TEST(TensorCopyTest, SwizzledRows) {
  Map map = tiled({8, 6}, {32}, {4, 6});
  map.tensor.swizzle = TensorSwizzle::Bytes32;
  u32s result = run(map, words(6),
                    expect(96) + loadOf("2d", "tile", "0, 0") + put(48), 48);
  u32s expected(48, 7);
  for (uint32_t row = 0; row < 6; ++row)
    for (uint32_t column = 0; column < 4; ++column)
      expected[8 * row + (row < 4 ? 0 : 4) + column] = 10 * row + column;
  EXPECT_EQ(result, expected);
  // Whole rows of 32 bytes.
  map.box[0] = 8;
  result = run(map, words(6),
               expect(192) + loadOf("2d", "tile", "0, 0") + put(48), 48);
  for (uint32_t i = 0; i < 48; ++i)
    EXPECT_EQ(result[i], 10 * (i / 8) + (i < 32 ? i % 8 : i % 8 ^ 4)) << i;
}

/// Pixels of 16 bytes of a 2 x 2 image, padding 1: the tap (0, 1) of 3 x 3.
TEST(TensorCopyTest, Im2col) {
  const Map map =
      im2col({4, 2, 2, 1}, {16, 32, 64}, {{-1, -1}, {-1, -1}, 4, 4});
  u32s tensor(16);
  std::iota(tensor.begin(), tensor.end(), 0);
  EXPECT_THAT(run(map, tensor,
                  ".reg .b16 %h0; mov.b16 %h0, 1;" + expect(64) +
                      loadOf("4d", "im2col", "0, -1, -1, 0", ", {%h0, 0}") +
                      put(16),
                  16),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7));
}

/// Blocks 0 and 2 of three get the box; each stores what it has.
TEST(TensorCopyTest, Multicast) {
  const std::string body =
      "mov.u32 %t5, %cluster_ctarank; mul.wide.u32 %w2, %t5, 16;"
      "add.u64 %w0, %w0, %w2; setp.eq.u32 %p2, %t5, 1; setp.eq.u32 %p3, %t5, 2;"
      "@!%p2 mbarrier.arrive.expect_tx.shared.b64 _, [%t1], 16;"
      "@%p2 mbarrier.arrive.shared.b64 _, [%t1];"
      "barrier.cluster.arrive; barrier.cluster.wait; .reg .b16 %h0;"
      "mov.b16 %h0, 5; createpolicy.fractional.L2::evict_first.b64 %w3, 1.0;"
      "@%p3 cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::"
      "complete_tx::bytes.multicast::cluster.L2::cache_hint [%t0], [%w1, {4, "
      "0}], [%t1], %h0, %w3;" +
      put(4) + "barrier.cluster.arrive; barrier.cluster.wait;";
  EXPECT_THAT(run(tiled({8, 3}, {32}, {4, 1}), words(3), body, 12, 3),
              ElementsAre(4, 5, 6, 7, 7, 7, 7, 7, 4, 5, 6, 7));
}

TEST(TensorCopyTest, PrefetchesDoNothing) {
  const std::string prefetch =
      "cp.async.bulk.prefetch.tensor.2d.L2.global.tile [%w1, {4, 1}];"
      "cp.async.bulk.prefetch.tensor.2d.L2.global [%w1, {-4, 1}];";
  EXPECT_THAT(run(tiled({8, 3}, {32}, {4, 1}), words(3), prefetch, 1),
              ElementsAre(1));
}

/// A map that the kernel is given the address of.
TEST(TensorCopyTest, MapsInGlobalAndConstantMemory) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      kernel("ld.param.u64 %w1, [map]; mov.u32 %t0, tile;"
             "mov.u32 %t1, object; mbarrier.init.shared.b64 [%t1], 1;" +
                 expect(16) + loadOf("1d", "tile", "4") +
                 "ld.param.u64 %w0, [out];" + put(4),
             ".param .u64 map, .param .u64 out",
             ".shared .align 128 .b8 tile[128]; .shared .align 8 .b64 object;"),
      memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t tensor = upload(memory, words(1), 8), out = *memory.allocate(16);
  TensorLayout layout = tiled({8}, {}, {}).tensor;
  layout.address = tensor;
  layout.elementStrides = {1};
  auto map = encodeTiled(layout, std::vector<uint32_t>{4});
  ASSERT_TRUE(map);
  uint64_t place = *memory.allocate(sizeof(*map));
  std::memcpy(reinterpret_cast<void *>(place), &*map, sizeof(*map));
  LaunchConfig config;
  config.parameters = parameters({place, out});
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  const auto *result = reinterpret_cast<const uint32_t *>(out);
  EXPECT_THAT(u32s(result, result + 4), ElementsAre(4, 5, 6, 7));
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

std::string waitGroup() {
  return "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;";
}
/// 100, 101, ... in the first 64 words of the tile.
std::string numbers() {
  return "mov.u32 %t2, 0; N: shl.b32 %t3, %t2, 2; add.u32 %t3, %t3, %t0;"
         "add.u32 %t4, %t2, 100; st.shared.u32 [%t3], %t4; add.u32 %t2, %t2, 1;"
         "setp.lt.u32 %p1, %t2, 64; @%p1 bra N; fence.proxy.async.shared::cta;";
}

TEST(TensorCopyTest, StoresLeaveOutWhatIsOutside) {
  auto store = [](const Map &map, const std::string &place) {
    return stored(map, words(3),
                  numbers() +
                      "cp.async.bulk.tensor.2d.global.shared::cta.tile."
                      "bulk_group [%w1, {" +
                      place + "}], [%t0];" + waitGroup());
  };
  u32s expected = words(3);
  for (uint32_t i = 0; i < 4; ++i)
    expected[12 + i] = 100 + i;
  EXPECT_EQ(store(tiled({8, 2}, {32}, {8, 2}), "4, 1"), expected);
  EXPECT_EQ(store(tiled({8, 2}, {32}, {8, 2}), "8, 0"), words(3));
  // A tensor that ends within 16 bytes: all of them are written, no more.
  EXPECT_EQ(store(tiled({5, 2}, {32}, {8, 2}), "4, 1"), expected);
}

TEST(TensorCopyTest, StoresUndoTheSwizzle) {
  Map map = tiled({8, 6}, {32}, {8, 6});
  map.tensor.swizzle = TensorSwizzle::Bytes32;
  u32s result = stored(map, words(6),
                       numbers() +
                           "cp.async.bulk.tensor.2d.global.shared::cta."
                           "bulk_group [%w1, {0, 0}], [%t0];" +
                           waitGroup());
  for (uint32_t i = 0; i < 48; ++i)
    EXPECT_EQ(result[i], 100 + (i < 32 ? i : i ^ 4)) << i;
}

/// Every second pixel of a line of 3.
TEST(TensorCopyTest, Im2colStores) {
  Map map = im2col({4, 3, 2}, {16, 48}, {{0}, {0}, 4, 3});
  map.tensor.elementStrides = {1, 2, 1};
  u32s result =
      stored(map, words(3),
             numbers() +
                 "cp.async.bulk.tensor.3d.global.shared::cta."
                 "im2col_no_offs.bulk_group [%w1, {0, 2, 0}], [%t0];" +
                 waitGroup());
  u32s expected = words(3);
  for (uint32_t i = 0; i < 4; ++i) {
    expected[8 + i] = 100 + i;  // Pixel 2 of image 0.
    expected[12 + i] = 104 + i; // Pixels 0 and 2 of image 1.
    expected[20 + i] = 108 + i;
  }
  EXPECT_EQ(result, expected);
}

TEST(TensorCopyTest, Reductions) {
  // Words 14 to 17 of row 1 with 100 to 103.
  auto reduce = [](const std::string &operation, TensorType type) {
    const uint32_t perWord = type == TensorType::F16 ? 2 : 1;
    return stored(
        tiled({8 * perWord, 2}, {32}, {4 * perWord, 1}, type), words(2),
        numbers() +
            "cp.reduce.async.bulk.tensor.2d.global.shared::"
            "cta." +
            operation + ".bulk_group [%w1, {" + std::to_string(4 * perWord) +
            ", 1}], [%t0];" + waitGroup());
  };
  auto expected = [](auto reduced) {
    u32s result = words(2);
    for (uint32_t i = 0; i < 4; ++i)
      result[12 + i] = reduced(result[12 + i], 100 + i);
    return result;
  };
  auto sum = [](uint32_t a, uint32_t b) { return a + b; };
  EXPECT_EQ(reduce("add.tile", TensorType::U32), expected(sum));
  EXPECT_EQ(reduce("xor", TensorType::U32),
            expected([](uint32_t a, uint32_t b) { return a ^ b; }));
  EXPECT_EQ(reduce("min", TensorType::U32),
            expected([](uint32_t a, uint32_t) { return a; }));
  EXPECT_EQ(reduce("max", TensorType::F16),
            expected([](uint32_t, uint32_t b) { return b; }));
  // As floats these are subnormal; only the Ftz type flushes them.
  EXPECT_EQ(reduce("add", TensorType::F32), expected(sum));
  EXPECT_EQ(reduce("add", TensorType::F32Ftz),
            expected([](uint32_t, uint32_t) { return 0; }));
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

std::string message(const Map &map, const std::string &body) {
  KernelRun run(text(body), "k");
  addMap(run, map, words(3));
  run.buffer(u32s(1));
  run.doNotCheck(); // Nobody waits for what is not a fault.
  auto result = run.launch();
  return result ? "ran" : result.message();
}

const Map kMap = tiled({8, 3}, {32}, {4, 2});

TEST(TensorCopyTest, WrongMapsFault) {
  EXPECT_EQ(message(kMap, loadOf("2d", "tile", "0, 0")), "ran");
  EXPECT_THAT(message(kMap, loadOf("3d", "tile", "0, 0, 0")),
              HasSubstr("the tensor map is tiled of rank 2; the instruction "
                        "needs tiled of rank 3"));
  EXPECT_THAT(message(tiled({8, 1, 1}, {32, 32}, {4, 1, 1}),
                      loadOf("3d", "im2col", "0, 0, 0", ", {0}")),
              HasSubstr("the tensor map is tiled of rank 3; the instruction "
                        "needs im2col of rank 3"));
  EXPECT_THAT(
      message(kMap, "add.u64 %w1, %w1, 32;" + loadOf("2d", "tile", "0, 0")),
      HasSubstr("tensor map 0x20; it must be a multiple of 64"));
  EXPECT_THAT(
      message(kMap, "mov.u64 %w1, 4096;" + loadOf("2d", "tile", "0, 0")),
      HasSubstr("tensor map 0x1000 with 128 bytes is outside every "
                "allocation of global memory"));
  EXPECT_THAT(message(kMap, "mov.u64 %w1, %w0;" + loadOf("2d", "tile", "0, 0")),
              HasSubstr(" with 128 bytes is outside every allocation"));
  // Bytes that nobody encoded.
  KernelRun garbage(text(loadOf("2d", "tile", "0, 0")), "k");
  garbage.config.block.x = 1;
  garbage.scalar(TensorMap());
  garbage.buffer(u32s(1));
  EXPECT_THAT(
      garbage.launch().message(),
      HasSubstr("the 128 bytes are no tensor map of this machine; legal "
                "is what its encodeTiled or encodeIm2col made"));
}

TEST(TensorCopyTest, PlacesFault) {
  EXPECT_THAT(
      message(kMap, loadOf("2d", "tile", "1, 0")),
      HasSubstr("coordinate 1 of dimension 0 is at byte 4; it must be a "
                "multiple of 16"));
  EXPECT_THAT(
      message(kMap, "add.u32 %t0, %t0, 64;" + loadOf("2d", "tile", "0, 0")),
      HasSubstr("destination 0x40; it must be a multiple of 128"));
  EXPECT_THAT(message(tiled({8, 3}, {32}, {8, 32}),
                      "add.u32 %t0, %t0, 128;" + loadOf("2d", "tile", "0, 0")),
              HasSubstr("destination 0x80 with 1024 bytes is outside the 1032 "
                        "bytes of shared memory"));
  // 4 rows where the buffer has 3.
  EXPECT_THAT(
      message(tiled({8, 4}, {32}, {4, 4}), loadOf("2d", "tile", "0, 0")),
      HasSubstr("row of the tensor 0x"));
  EXPECT_THAT(message(kMap, "mbarrier.inval.shared.b64 [%t1];" +
                                loadOf("2d", "tile", "0, 0")),
              HasSubstr("is not initialised"));
  const Map map = im2col({4, 2, 1}, {16, 32}, {{0}, {-1}, 4, 1});
  EXPECT_EQ(message(map, loadOf("3d", "im2col", "0, 0, 0", ", {1}")), "ran");
  EXPECT_THAT(message(map, loadOf("3d", "im2col", "0, 1, 0", ", {0}")),
              HasSubstr("coordinate 1 of dimension 1 is outside of the pixel "
                        "box; legal are 0 to 0"));
}

TEST(TensorCopyTest, StoresFault) {
  auto store = [](const Map &map, const std::string &place,
                  const std::string &from = "%t0") {
    return message(map, "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group "
                        "[%w1, {" +
                            place + "}], [" + from + "];");
  };
  EXPECT_EQ(store(kMap, "0, 0"), "ran");
  EXPECT_THAT(store(kMap, "0, -1"),
              HasSubstr("coordinate -1 of dimension 1 of a store; it must not "
                        "be negative"));
  EXPECT_THAT(store(kMap, "0, 0", "%t0+16"),
              HasSubstr("source 0x10; it must be a multiple of 128"));
  EXPECT_THAT(store(tiled({8, 4}, {32}, {4, 4}), "0, 0"),
              HasSubstr("row of the tensor 0x"));
  const Map map = im2col({4, 2, 1}, {16, 32}, {{-1}, {0}, 4, 1});
  EXPECT_THAT(message(map, "cp.async.bulk.tensor.3d.global.shared::cta.im2col_"
                           "no_offs.bulk_group [%w1, {0, 0, 0}], [%t0];"),
              HasSubstr("the pixel box of a store has the corners -1 and 0; it "
                        "must stay within the tensor"));
  EXPECT_THAT(message(tiled({8}, {}, {4}, TensorType::F32),
                      "cp.reduce.async.bulk.tensor.1d.global.shared::cta.min."
                      "bulk_group [%w1, {0}], [%t0];"),
              HasSubstr("tensors of data type 7 have no such reduction"));
}

TEST(TensorCopyTest, UnknownForms) {
  for (const char *instruction :
       {"cp.async.bulk.tensor.2d.shared::cluster.global.tile::gather4."
        "mbarrier::complete_tx::bytes [%t0], [%w1, {0, 0, 0, 0, 0}], [%t1];",
        "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete"
        "_tx::bytes.cta_group::1 [%t0], [%w1, {0, 0}], [%t1];",
        "cp.async.bulk.tensor.3d.shared::cta.global.im2col::w.mbarrier::"
        "complete_tx::bytes [%t0], [%w1, {0, 0, 0}], [%t1], {0, 0};",
        "cp.async.bulk.tensor.2d.shared::cta.global.im2col.mbarrier::complete_"
        "tx::bytes [%t0], [%w1, {0, 0}], [%t1];",
        "cp.async.bulk.tensor.3d.shared::cta.global.im2col.mbarrier::complete_"
        "tx::bytes [%t0], [%w1, {0, 0, 0}], [%t1];",
        "cp.async.bulk.tensor.2d.shared::cta.global.tile.mbarrier::complete_tx"
        "::bytes [%t0], [%w1, {0, 0, 0}], [%t1];",
        "cp.async.bulk.tensor.2d.global.shared::cta.tile.mbarrier::complete_tx"
        "::bytes [%t0], [%w1, {0, 0}], [%t1];",
        "cp.async.bulk.tensor.2d.shared::cta.global.bulk_group [%w1, {0, 0}], "
        "[%t0];",
        "cp.async.bulk.tensor.6d.global.shared::cta.bulk_group [%w1, {0, 0, 0, "
        "0, 0, 0}], [%t0];",
        "cp.reduce.async.bulk.tensor.1d.global.shared::cta.bulk_group [%w1, "
        "{0}], [%t0];",
        "tensormap.replace.tile.rank.global.b1024.b32 [%w1], 1;"})
    EXPECT_THAT(message(kMap, instruction),
                HasSubstr(std::string("unknown instruction '") + instruction));
}

} // namespace
