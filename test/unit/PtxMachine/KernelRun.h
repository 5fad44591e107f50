//===- KernelRun.h - Launches a kernel with buffers -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch of a kernel of any PTX text. Parameters are given in the kernel's
// order; each lies at the next offset its size allows, as nvcc lays them out:
//
//   KernelRun run(text, "scale");
//   size_t x = run.buffer(f32s{1, 2, 3}), y = run.buffer(f32s(3, kNaN));
//   run.scalar(3);
//   run.config.block.x = 32;
//   ASSERT_TRUE(run.launch());
//   EXPECT_THAT(run.read<float>(y), ElementsAre(2, 4, 6));
//
// With CTC_PTX_RECORD in the environment a launch that ended well is recorded
// with all its buffers when the KernelRun goes, for a GPU to repeat (test/gpu).
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_KERNELRUN_H
#define CTC_TEST_UNIT_PTXMACHINE_KERNELRUN_H

#include "../../gpu/Recorder.h"
#include "Checking.h"
#include "ctc/PtxMachine/Machine.h"
#include "ctc/PtxMachine/TensorMap.h"

#include <cstring>
#include <gtest/gtest.h>

namespace ctc::ptx::testing {

/// The machine's tensor map of a recorded one, of a tensor at `address`.
inline Expected<TensorMap> encodeTensorMap(const gpu::TensorMap &map,
                                           uint64_t address) {
  const size_t rank = map.rank, pixelRank = rank > 2 ? rank - 2 : 0;
  TensorLayout tensor;
  tensor.type = TensorType(map.dataType);
  tensor.address = address;
  tensor.dims.assign(map.sizes.begin(), map.sizes.begin() + rank);
  tensor.strides.assign(map.strides.begin(), map.strides.begin() + rank - 1);
  tensor.elementStrides.assign(map.elementStrides.begin(),
                               map.elementStrides.begin() + rank);
  tensor.interleave = TensorInterleave(map.interleave);
  tensor.swizzle = TensorSwizzle(map.swizzle);
  tensor.promotion = TensorPromotion(map.l2Promotion);
  tensor.fill = TensorFill(map.fill);
  if (!map.im2col)
    return encodeTiled(tensor, std::span(map.box).first(rank));
  return encodeIm2col(
      tensor, {{map.lowerCorner.begin(), map.lowerCorner.begin() + pixelRank},
               {map.upperCorner.begin(), map.upperCorner.begin() + pixelRank},
               map.channelsPerPixel,
               map.pixelsPerColumn});
}

class KernelRun {
public:
  KernelRun(std::string ptx, std::string kernel) {
    record.ptx = std::move(ptx);
    record.kernel = std::move(kernel);
  }
  KernelRun(const KernelRun &) = delete;
  KernelRun &operator=(const KernelRun &) = delete;
  ~KernelRun() {
    if (launched && wanted && gpu::isRecording())
      gpu::record(std::move(record));
  }

  /// Grid, block, cluster, dynamic shared memory.
  LaunchConfig config;

  /// A buffer with these values, and a parameter with its address. Gives the
  /// buffer's number.
  template <class T>
  size_t buffer(const std::vector<T> &values,
                gpu::Element element = gpu::elementOf<T>()) {
    const size_t number = addBuffer(values, element);
    record.pointers.push_back(
        {append(&addresses[number], sizeof(uint64_t), sizeof(uint64_t)),
         static_cast<uint32_t>(number)});
    return number;
  }

  /// A buffer that is no parameter, for a tensor map.
  template <class T>
  size_t storage(const std::vector<T> &values,
                 gpu::Element element = gpu::elementOf<T>()) {
    return addBuffer(values, element);
  }

  /// A parameter that is a tensor map of a buffer, tiled or im2col; the
  /// address of `tensor` and strides of elements that are not given (1) are
  /// filled in.
  void tensorMap(size_t number, TensorLayout tensor,
                 const std::vector<uint32_t> &box) {
    complete(tensor, number);
    gpu::TensorMap map = recorded(tensor, number);
    std::copy(box.begin(), box.end(), map.box.begin());
    append(encodeTiled(tensor, box), map);
  }
  void tensorMap(size_t number, TensorLayout tensor, const PixelBox &box) {
    complete(tensor, number);
    gpu::TensorMap map = recorded(tensor, number);
    map.im2col = 1;
    std::copy(box.lower.begin(), box.lower.end(), map.lowerCorner.begin());
    std::copy(box.upper.begin(), box.upper.end(), map.upperCorner.begin());
    map.channelsPerPixel = box.channels;
    map.pixelsPerColumn = box.pixels;
    append(encodeIm2col(tensor, box), map);
  }

  /// A parameter passed by value.
  template <class T> void scalar(const T &value) {
    append(&value, sizeof(T), alignof(T));
  }

  /// A parameter with a tensor map of a buffer, from its start on; the fields
  /// of `map` that say where things are need not be set.
  void tensorMap(size_t number, gpu::TensorMap map) {
    auto encoded = encodeTensorMap(map, addresses[number]);
    if (!encoded) {
      ADD_FAILURE() << encoded.error().message;
      return;
    }
    map.buffer = static_cast<uint32_t>(number);
    map.parameterOffset =
        append(&*encoded, sizeof(*encoded), alignof(TensorMap));
    record.tensorMaps.push_back(map);
  }

  /// The largest legal error of every element of a buffer on other hardware;
  /// without it the bits must agree.
  void bound(size_t number, std::vector<double> values) {
    record.buffers[number].bound = std::move(values);
  }

  /// For launches whose results depend on which block or warp comes first.
  void doNotRecord() { wanted = false; }
  /// For launches that break rules on purpose.
  void doNotCheck() { checked = false; }

  ::testing::AssertionResult launch() {
    auto module = LoadedModule::load(record.ptx, memory);
    if (!module)
      return ::testing::AssertionFailure() << module.error().message;
    config.parameters = record.parameters;
    config.checkMemory = checked && isChecking();
    auto done = (*module)->launch(record.kernel, config);
    if (!done)
      return ::testing::AssertionFailure() << done.error().message;
    expectNoFindings(*done);
    for (size_t i = 0; i < addresses.size(); ++i)
      std::memcpy(record.buffers[i].after.data(), place(i),
                  record.buffers[i].after.size());
    record.grid = {config.grid.x, config.grid.y, config.grid.z};
    record.block = {config.block.x, config.block.y, config.block.z};
    record.cluster = {config.cluster.x, config.cluster.y, config.cluster.z};
    record.dynamicSharedBytes = config.dynamicSharedBytes;
    statistics = *done;
    launched = true;
    return ::testing::AssertionSuccess();
  }

  /// What a buffer holds now.
  template <class T> std::vector<T> read(size_t number) const {
    const auto *begin = reinterpret_cast<const T *>(place(number));
    return {begin, begin + record.buffers[number].before.size() / sizeof(T)};
  }

  LaunchStatistics statistics;

private:
  template <class T>
  size_t addBuffer(const std::vector<T> &values, gpu::Element element) {
    gpu::Bytes bytes(values.size() * sizeof(T));
    if (!bytes.empty())
      std::memcpy(bytes.data(), values.data(), bytes.size());
    addresses.push_back(*memory.allocate(bytes.size()));
    record.buffers.push_back({bytes, bytes, element, {}});
    EXPECT_TRUE(memory.setInitialized(addresses.back(), bytes.size()));
    if (!bytes.empty())
      std::memcpy(place(addresses.size() - 1), bytes.data(), bytes.size());
    return addresses.size() - 1;
  }

  void complete(TensorLayout &tensor, size_t number) const {
    tensor.address = addresses[number];
    if (tensor.elementStrides.empty())
      tensor.elementStrides.assign(tensor.dims.size(), 1);
  }

  /// What both modes have in common, in the driver's numbers.
  static gpu::TensorMap recorded(const TensorLayout &tensor, size_t number) {
    gpu::TensorMap map;
    map.buffer = static_cast<uint32_t>(number);
    map.dataType = static_cast<uint32_t>(tensor.type);
    map.rank = static_cast<uint32_t>(tensor.dims.size());
    std::copy(tensor.dims.begin(), tensor.dims.end(), map.sizes.begin());
    std::copy(tensor.strides.begin(), tensor.strides.end(),
              map.strides.begin());
    std::copy(tensor.elementStrides.begin(), tensor.elementStrides.end(),
              map.elementStrides.begin());
    map.interleave = static_cast<uint32_t>(tensor.interleave);
    map.swizzle = static_cast<uint32_t>(tensor.swizzle);
    map.l2Promotion = static_cast<uint32_t>(tensor.promotion);
    map.fill = static_cast<uint32_t>(tensor.fill);
    return map;
  }

  void append(const Expected<TensorMap> &encoded, gpu::TensorMap &map) {
    ASSERT_TRUE(encoded) << encoded.error().message;
    map.parameterOffset = append(encoded->bytes.data(), 128, 64);
    record.tensorMaps.push_back(map);
  }

  /// Adds to the parameter block; gives the offset.
  uint32_t append(const void *value, size_t bytes, size_t alignment) {
    gpu::Bytes &block = record.parameters;
    const size_t offset =
        (block.size() + alignment - 1) / alignment * alignment;
    block.resize(offset + bytes);
    std::memcpy(block.data() + offset, value, bytes);
    record.arguments.push_back(static_cast<uint32_t>(offset));
    return static_cast<uint32_t>(offset);
  }

  std::byte *place(size_t number) const {
    return reinterpret_cast<std::byte *>(addresses[number]);
  }

  GlobalMemory memory;
  std::vector<uint64_t> addresses;
  gpu::Case record;
  bool launched = false, wanted = true, checked = true;
};

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_KERNELRUN_H
