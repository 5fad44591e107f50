//===- TensorRecordsTest.cpp - Tensor copies as a GPU made them -----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inputs/tensor-copies.txt has tensor copies that were made on an H200, with
// random sizes, strides, boxes, steps, swizzles and coordinates. Per line:
//
//   operation   load, store or a reduction
//   mode        0 tiled, 1 im2col
//   type rank sizes... strides...
//   box...      or the lower and upper corners, channels and pixels
//   steps... interleave swizzle fill
//   address     of the tensor, from the start of global memory
//   tile        of shared memory, from its start
//   coordinates... offsets... (rank - 2 of them)
//   result      "fault", or the FNV-1a hash of 64 KiB afterwards
//
// Global memory was 4 MiB: word i was i, in the last 128 KiB i * 2654435761.
// Shared memory was 64 KiB: for loads bytes 0xee, otherwise word i was
// (i + 77) * 2246822519. The hash is of shared memory for loads, otherwise of
// the first 64 of the last 128 KiB of global memory.
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"
#include "ctc/PtxMachine/TensorMap.h"

#include <fstream>
#include <sstream>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

constexpr uint64_t kGlobalBytes = 1 << 22, kSharedBytes = 1 << 16;
constexpr uint64_t kRandomBytes = 1 << 17; ///< The last ones of global memory.

struct Line {
  std::string operation, result;
  TensorLayout tensor; ///< Its address is from the start of global memory.
  std::vector<uint32_t> box;
  PixelBox pixels;
  bool im2col = false;
  uint32_t tile = 0;
  std::vector<int64_t> coordinates, offsets;
};

Line parse(const std::string &text) {
  std::istringstream in(text);
  Line line;
  TensorLayout &tensor = line.tensor;
  auto read = [&](auto &values, size_t count) {
    values.resize(count);
    for (auto &value : values)
      in >> value;
  };
  auto number = [&] {
    unsigned value = 0;
    in >> value;
    return value;
  };
  in >> line.operation >> line.im2col;
  tensor.type = TensorType(number());
  const size_t rank = number(), pixelRank = rank > 2 ? rank - 2 : 0;
  read(tensor.dims, rank);
  read(tensor.strides, rank - 1);
  if (line.im2col) {
    read(line.pixels.lower, pixelRank);
    read(line.pixels.upper, pixelRank);
    in >> line.pixels.channels >> line.pixels.pixels;
  } else {
    read(line.box, rank);
  }
  read(tensor.elementStrides, rank);
  tensor.interleave = TensorInterleave(number());
  tensor.swizzle = TensorSwizzle(number());
  tensor.fill = TensorFill(number());
  in >> tensor.address >> line.tile;
  read(line.coordinates, rank);
  read(line.offsets, pixelRank);
  in >> line.result;
  EXPECT_TRUE(in) << text;
  return line;
}

std::string list(const std::vector<int64_t> &values) {
  std::string text;
  for (int64_t value : values)
    text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "{" + text + "}";
}

std::string instruction(const Line &line) {
  const std::string dim = "." + std::to_string(line.coordinates.size()) + "d";
  const std::string place = "[%w1, " + list(line.coordinates) + "]";
  if (line.operation == "load")
    return "cp.async.bulk.tensor" + dim + ".shared::cluster.global." +
           (line.im2col ? "im2col" : "tile") +
           ".mbarrier::complete_tx::bytes [%t0], " + place + ", [%t1]" +
           (line.im2col ? ", " + list(line.offsets) : "") + ";";
  return (line.operation == "store"
              ? "cp.async.bulk.tensor" + dim + ".global.shared::cta"
              : "cp.reduce.async.bulk.tensor" + dim + ".global.shared::cta." +
                    line.operation) +
         (line.im2col ? ".im2col_no_offs" : ".tile") + ".bulk_group " + place +
         ", [%t0];";
}

/// A kernel of 128 threads that fills shared memory, copies, and for loads
/// stores shared memory.
std::string text(const Line &line) {
  const bool loads = line.operation == "load";
  auto forEachWord = [](const std::string &label, const std::string &what) {
    return "mov.u32 %t2, %tid.x; " + label + ": shl.b32 %t3, %t2, 2;" + what +
           "add.u32 %t2, %t2, 128; setp.lt.u32 %p1, %t2, 16384; @%p1 bra " +
           label + ";";
  };
  return kernel(
      "mov.b64 %w1, map; cvta.param.u64 %w1, %w1; ld.param.u64 %w0, [out];"
      "mov.u32 %t0, smem; mov.u32 %t1, object; add.u32 %t5, %t0, 0;" +
          forEachWord("F", loads ? "mov.b32 %t4, 0xeeeeeeee; add.u32 %t3, %t3, "
                                   "%t5; st.shared.u32 [%t3], %t4;"
                                 : "add.u32 %t4, %t2, 77; mul.lo.u32 %t4, %t4, "
                                   "0x85ebca77; add.u32 %t3, %t3, %t5;"
                                   "st.shared.u32 [%t3], %t4;") +
          "mov.u32 %t2, %tid.x; setp.ne.u32 %p2, %t2, 0;"
          "@!%p2 mbarrier.init.shared.b64 [%t1], 1; fence.proxy.async;"
          "bar.sync 0; @%p2 bra COPIED; add.u32 %t0, %t0, " +
          std::to_string(line.tile) + ";" + instruction(line) +
          "cp.async.bulk.commit_group; cp.async.bulk.wait_group 0;"
          "COPIED: bar.sync 0;" +
          (loads ? forEachWord("G", "add.u32 %t4, %t3, %t5; ld.shared.u32 %t4, "
                                    "[%t4]; cvt.u64.u32 %w2, %t3; add.u64 %w2, "
                                    "%w2, %w0; st.global.u32 [%w2], %t4;")
                 : ""),
      ".param .align 64 .b8 map[128], .param .u64 out",
      ".shared .align 1024 .b8 smem[65536]; .shared .align 8 .b64 object;");
}

void fill(uint64_t global) {
  auto *words = reinterpret_cast<uint32_t *>(global);
  for (uint32_t i = 0; i < kGlobalBytes / 4; ++i)
    words[i] = i < (kGlobalBytes - kRandomBytes) / 4 ? i : i * 2654435761u;
}

std::string hashOf(uint64_t address) {
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t i = 0; i < kSharedBytes; ++i)
    hash =
        (hash ^ reinterpret_cast<const uint8_t *>(address)[i]) * 0x100000001b3;
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx",
                static_cast<unsigned long long>(hash));
  return text;
}

/// What the line's result is here; `message` says what a fault is.
std::string repeat(const Line &line, GlobalMemory &memory, uint64_t global,
                   uint64_t out, std::string &message) {
  TensorLayout tensor = line.tensor;
  tensor.address += global;
  auto map = line.im2col ? encodeIm2col(tensor, line.pixels)
                         : encodeTiled(tensor, line.box);
  auto module = LoadedModule::load(text(line), memory);
  if (!map || !module)
    return map ? module.error().message : map.error().message;
  LaunchConfig config;
  config.block.x = 128;
  config.parameters.resize(sizeof(*map) + sizeof(out));
  std::memcpy(config.parameters.data(), &*map, sizeof(*map));
  std::memcpy(config.parameters.data() + sizeof(*map), &out, sizeof(out));
  auto done = (*module)->launch("k", config);
  if (!done) {
    message = done.error().message;
    return "fault";
  }
  return hashOf(
      line.operation == "load" ? out : global + kGlobalBytes - kRandomBytes);
}

TEST(TensorRecordsTest, AreRepeated) {
  std::ifstream file(CTC_PTX_INPUTS "/tensor-copies.txt");
  GlobalMemory memory;
  const uint64_t global = *memory.allocate(kGlobalBytes);
  const uint64_t out = *memory.allocate(kSharedBytes);
  fill(global);
  size_t count = 0;
  for (std::string text; std::getline(file, text);) {
    if (text.starts_with("#"))
      continue;
    const Line line = parse(text);
    std::string message;
    EXPECT_EQ(repeat(line, memory, global, out, message), line.result)
        << text << "\n"
        << message;
    if (line.operation != "load")
      fill(global);
    ++count;
  }
  EXPECT_GT(count, 300u);
}

} // namespace
