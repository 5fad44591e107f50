//===- PtxTesting.h - Runs a few instructions per lane ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// lanes<R>(body, a, b, ...) wraps `body` into a kernel of one thread per
// element of the inputs: %a, %b, %c, %d hold the thread's elements, %r is the
// result of type R. Free to use are %t<8> (b32), %w<8> (b64), %h<8> (b16) and
// %p<8> (predicates).
//
// Every body runs twice: for the elements as they are (a partial warp) and
// repeated over two full warps; both must agree, as the machine has separate
// code for full warps.
//
// With CTC_PTX_RECORD in the environment the launches are also recorded, for a
// GPU to repeat them (test/gpu).
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_PTXTESTING_H
#define CTC_TEST_UNIT_PTXMACHINE_PTXTESTING_H

#include "../../gpu/Recorder.h"
#include "Checking.h"
#include "ctc/PtxMachine/Machine.h"

#include <bit>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ctc::ptx::testing {

using u8s = std::vector<uint8_t>;
using u16s = std::vector<uint16_t>;
using u32s = std::vector<uint32_t>;
using s32s = std::vector<int32_t>;
using u64s = std::vector<uint64_t>;
using s64s = std::vector<int64_t>;
using f32s = std::vector<float>;
using f64s = std::vector<double>;

constexpr float kInfinity = __builtin_inff();
constexpr float kNaN = __builtin_nanf("");
constexpr uint32_t kCanonicalNaN = 0x7fffffff;

inline uint32_t bits(float value) { return std::bit_cast<uint32_t>(value); }
inline uint64_t bits(double value) { return std::bit_cast<uint64_t>(value); }
inline float fromBits(uint32_t value) { return std::bit_cast<float>(value); }

constexpr const char *kHeader =
    ".version 9.0\n.target sm_90a\n.address_size 64\n";

/// A parameter block made of 8-byte values.
inline std::vector<std::byte> parameters(std::vector<uint64_t> values) {
  std::vector<std::byte> result(values.size() * 8);
  std::memcpy(result.data(), values.data(), result.size());
  return result;
}

inline std::string typeOf(size_t bytes) {
  return bytes == 8 ? ".b64" : bytes == 4 ? ".b32" : ".b16";
}

/// The kernel around a body; its parameters are the result's address and the
/// inputs' ones.
inline std::string wrap(const std::string &body, size_t resultBytes,
                        const std::vector<size_t> &inputBytes) {
  std::string text = kHeader;
  text += ".visible .entry test(.param .u64 out";
  for (size_t i = 0; i < inputBytes.size(); ++i)
    text += ", .param .u64 in" + std::to_string(i);
  text += ")\n{\n.reg .pred %p<8>;\n.reg .b16 %h<8>;\n.reg .b32 %t<8>;\n"
          ".reg .b64 %w<8>;\n.reg .b64 %base, %at;\n.reg .b32 %i;\n.reg " +
          typeOf(resultBytes) + " %r;\nmov.u32 %i, %tid.x;\n";
  for (size_t i = 0; i < inputBytes.size(); ++i) {
    std::string name(1, "abcdef"[i]), bytes = std::to_string(inputBytes[i]);
    text += ".reg " + typeOf(inputBytes[i]) + " %" + name + ";\n" +
            "ld.param.u64 %base, [in" + std::to_string(i) + "];\n" +
            "mad.wide.u32 %at, %i, " + bytes + ", %base;\n" + "ld.global" +
            (inputBytes[i] == 1 ? ".b8" : typeOf(inputBytes[i])) + " %" + name +
            ", [%at];\n";
  }
  text += body + "\nld.param.u64 %base, [out];\nmad.wide.u32 %at, %i, " +
          std::to_string(resultBytes) + ", %base;\nst.global" +
          typeOf(resultBytes) + " [%at], %r;\nret;\n}\n";
  return text;
}

template <class T>
uint64_t upload(GlobalMemory &memory, const std::vector<T> &values,
                size_t count) {
  auto address = memory.allocate(count * sizeof(T));
  auto *place = reinterpret_cast<T *>(*address);
  for (size_t i = 0; i < count; ++i)
    place[i] = values[i % values.size()];
  EXPECT_TRUE(memory.setInitialized(*address, count * sizeof(T)));
  return *address;
}

template <class T>
gpu::Bytes repeated(const std::vector<T> &values, size_t count) {
  gpu::Bytes bytes(count * sizeof(T));
  for (size_t i = 0; i < count; ++i)
    std::memcpy(bytes.data() + i * sizeof(T), &values[i % values.size()],
                sizeof(T));
  return bytes;
}

/// Records a launch of runLanes; the result is the first buffer.
template <class R, class... A>
void recordLanes(const std::string &ptx, const std::vector<R> &result,
                 const std::vector<A> &...inputs) {
  const size_t count = result.size();
  gpu::Case launch;
  launch.ptx = ptx;
  launch.kernel = "test";
  launch.block[0] = static_cast<uint32_t>(count);
  launch.buffers.push_back({gpu::Bytes(count * sizeof(R)),
                            repeated(result, count),
                            gpu::elementOf<R>(),
                            {}});
  for (gpu::Bytes &bytes : std::vector<gpu::Bytes>{repeated(inputs, count)...})
    launch.buffers.push_back({bytes, bytes, gpu::Element::U8, {}});
  for (uint32_t i = 0; i < launch.buffers.size(); ++i) {
    launch.pointers.push_back({i * 8, i});
    launch.arguments.push_back(i * 8);
  }
  launch.parameters.resize(launch.buffers.size() * 8);
  gpu::record(std::move(launch));
}

template <class R, class... A>
std::vector<R> runLanes(const std::string &body, size_t count, bool recorded,
                        const std::vector<A> &...inputs) {
  GlobalMemory memory;
  const std::string ptx = wrap(body, sizeof(R), {sizeof(A)...});
  auto module = LoadedModule::load(ptx, memory);
  if (!module) {
    ADD_FAILURE() << module.error().message;
    return {};
  }
  uint64_t out = upload(memory, std::vector<R>{R{}}, count);
  LaunchConfig config;
  config.block.x = static_cast<uint32_t>(count);
  config.parameters = parameters({out, upload(memory, inputs, count)...});
  config.hostThreads = 1;
  config.checkMemory = isChecking();
  auto done = (*module)->launch("test", config);
  if (!done) {
    ADD_FAILURE() << done.error().message;
    return {};
  }
  expectNoFindings(*done);
  const auto *place = reinterpret_cast<const R *>(out);
  std::vector<R> result(place, place + count);
  if (recorded && gpu::isRecording())
    recordLanes(ptx, result, inputs...);
  return result;
}

template <class R, class A, class... B>
std::vector<R> lanes(const std::string &body, const std::vector<A> &first,
                     const std::vector<B> &...more) {
  // The larger launch is recorded, as it has the values of both.
  const bool many = first.size() > 64;
  std::vector<R> partial =
      runLanes<R>(body, first.size(), many, first, more...);
  std::vector<R> full = runLanes<R>(body, 64, !many, first, more...);
  // Compared as bytes: NaN equals NaN, and -0 differs from +0.
  for (size_t i = 0; i < full.size() && !partial.empty(); ++i)
    EXPECT_EQ(0, std::memcmp(&full[i], &partial[i % first.size()], sizeof(R)))
        << body << ", element " << i % first.size()
        << ": a full and a partial warp differ";
  return partial;
}

/// Results as bits, for what == does not tell apart.
inline u32s asBits(const f32s &values) {
  u32s result;
  for (float value : values)
    result.push_back(bits(value));
  return result;
}
inline u64s asBits(const f64s &values) {
  u64s result;
  for (double value : values)
    result.push_back(bits(value));
  return result;
}

/// The message of loading `ptx`, or "loaded".
inline std::string loadMessage(const std::string &ptx) {
  GlobalMemory memory;
  auto module = LoadedModule::load(ptx, memory);
  return module ? "loaded" : module.error().message;
}

/// A kernel `k` with this body and the registers of lanes().
inline std::string kernel(const std::string &body,
                          const std::string &parameters = "",
                          const std::string &before = "") {
  return std::string(kHeader) + before + "\n.visible .entry k(" + parameters +
         ")\n{\n.reg .pred %p<8>;\n.reg .b32 %t<8>;\n.reg .b64 %w<8>;\n" +
         body + "\nret;\n}\n";
}

/// The message of running a kernel `k`, or "ran".
inline std::string runMessage(const std::string &ptx,
                              LaunchConfig config = {}) {
  GlobalMemory memory;
  auto module = LoadedModule::load(ptx, memory);
  if (!module)
    return module.error().message;
  config.hostThreads = config.hostThreads ? config.hostThreads : 1;
  auto done = (*module)->launch("k", config);
  return done ? "ran" : done.error().message;
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_PTXTESTING_H
