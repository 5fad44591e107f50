//===- WgmmaTesting.h - Kernels of one wgmma, and their result --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs one wgmma.mma_async of a warpgroup on matrices of small integers, which
// are exact in all types, and multiplies them naively. Elements are placed in
// shared memory by the ISA's table of canonical layouts (CanonicalLayout.h) and
// in registers by its figures of fragments.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_WGMMATESTING_H
#define CTC_TEST_UNIT_PTXMACHINE_WGMMATESTING_H

#include "CanonicalLayout.h"
#include "KernelRun.h"
#include "PtxTesting.h"

#include <string>
#include <vector>

namespace ctc::ptx::testing {

/// A type of elements: a float of sign, exponent and significand bits in the
/// upper bits of `bytes` bytes, or an integer.
struct Element {
  const char *name;
  unsigned bytes;
  int exponentBits, significandBits;

  bool isInteger() const { return exponentBits == 0; }
  bool isUnsigned() const { return name[0] == 'u'; }
};

constexpr Element kTF32{"tf32", 4, 8, 10}, kF16{"f16", 2, 5, 10},
    kBF16{"bf16", 2, 8, 7}, kE4M3{"e4m3", 1, 4, 3}, kE5M2{"e5m2", 1, 5, 2},
    kS8{"s8", 1, 0, 0}, kU8{"u8", 1, 0, 0}, kF32{"f32", 4, 8, 23},
    kS32{"s32", 4, 0, 0};

inline gpu::Element gpuElement(const Element &d) {
  return d.isInteger()  ? gpu::Element::U32
         : d.bytes == 2 ? gpu::Element::F16
                        : gpu::Element::F32;
}

/// The bits of an integer that the type holds exactly.
inline uint32_t encode(const Element &type, int value) {
  const unsigned width = type.bytes * 8;
  if (type.isInteger())
    return static_cast<uint32_t>(value) &
           uint32_t(~uint64_t(0) >> (64 - width));
  if (value == 0)
    return 0;
  const uint32_t magnitude = static_cast<uint32_t>(value < 0 ? -value : value);
  int exponent = 31 - __builtin_clz(magnitude);
  const uint64_t fraction =
      uint64_t(magnitude) << type.significandBits >> exponent;
  const int bias = (1 << (type.exponentBits - 1)) - 1;
  uint64_t bits = uint64_t(exponent + bias) << type.significandBits |
                  (fraction & ((uint64_t(1) << type.significandBits) - 1));
  bits |= uint64_t(value < 0) << (type.exponentBits + type.significandBits);
  return static_cast<uint32_t>(
      bits << (width - 1 -
               static_cast<unsigned>(type.exponentBits +
                                     type.significandBits)));
}

/// Where an operand lies in shared memory.
struct Storage {
  MatrixMajor major = MatrixMajor::K;
  Swizzle swizzle = Swizzle::None;
};

struct WgmmaCase {
  Element d = kF32, a = kBF16, b = kBF16;
  unsigned columns = 8;
  bool aInRegisters = false;
  Storage aStorage, bStorage;
  std::string scaleD = "1"; ///< 0, 1, or a predicate with its sign.
  int scaleA = 1, scaleB = 1;
  bool saturates = false;

  unsigned depth() const { return 32 / a.bytes; }
  unsigned registersOfD() const { return columns * d.bytes / 8; }
  std::string instruction(const std::string &dRegisters, const std::string &a,
                          const std::string &b) const;
};

inline std::string registerList(const char *prefix, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", %" : "%") + std::string(prefix) + std::to_string(i);
  return text + "}";
}

inline std::string WgmmaCase::instruction(const std::string &dRegisters,
                                          const std::string &aOperand,
                                          const std::string &bOperand) const {
  std::string text = "wgmma.mma_async.sync.aligned.m64n" +
                     std::to_string(columns) + "k" + std::to_string(depth()) +
                     "." + d.name + "." + a.name + "." + b.name +
                     (saturates ? ".satfinite " : " ") + dRegisters + ", " +
                     aOperand + ", " + bOperand + ", " + scaleD;
  if (!a.isInteger())
    text += ", " + std::to_string(scaleA) + ", " + std::to_string(scaleB);
  if (a.bytes == 2 && !aInRegisters)
    text += aStorage.major == MatrixMajor::MN ? ", 1" : ", 0";
  if (a.bytes == 2)
    text += bStorage.major == MatrixMajor::MN ? ", 1" : ", 0";
  return text + ";";
}

/// A matrix of shared memory with `rows` rows along M or N: its descriptor, and
/// strides that leave gaps between all tiles.
inline MatrixDescriptor place(const Storage &storage, uint32_t start,
                              unsigned rows) {
  const uint32_t tile = swizzlePatternBytes(storage.swizzle) + 128;
  MatrixDescriptor d{start, 0, tile, 0, storage.swizzle};
  if (storage.swizzle == Swizzle::None)
    d.leadingBytes = rows / 8 * tile + 16;
  else if (storage.major == MatrixMajor::MN)
    d.leadingBytes = 2 * tile;
  return d;
}

inline uint64_t encodeDescriptor(const MatrixDescriptor &d) {
  const uint64_t modes[] = {0, 3, 2, 1};
  return d.start / 16 | uint64_t(d.leadingBytes / 16) << 16 |
         uint64_t(d.strideBytes / 16) << 32 | uint64_t(d.baseOffset) << 49 |
         modes[static_cast<unsigned>(d.swizzle)] << 62;
}

using IntMatrix = std::vector<std::vector<int>>;

/// What a kernel of one wgmma gets and gives: registers by thread and index.
struct WgmmaData {
  u8s shared;
  uint64_t a = 0, b = 0; ///< Descriptors.
  std::vector<u32s> aRegisters = std::vector<u32s>(128, u32s(4));
  std::vector<u32s> dRegisters;
  bool scale = true; ///< The predicate %p0.
};

/// The kernel: copies the image of shared memory, whose start descriptors count
/// from, loads the fragments, runs `body`, and stores D.
inline std::string wgmmaKernel(unsigned registersOfD, const std::string &body) {
  std::string loads, stores;
  for (unsigned i = 0; i < registersOfD; ++i) {
    const std::string name = "%d" + std::to_string(i);
    const std::string at = "[%w3+" + std::to_string(4 * i) + "]";
    loads += "ld.global.b32 " + name + ", " + at + ";\n";
    stores += "st.global.b32 " + at + ", " + name + ";\n";
  }
  return kernel(
      ".reg .b32 %d<128>; .reg .b32 %a<4>;\n"
      "ld.param.u64 %w0, [image]; ld.param.u64 %w2, [a];\n"
      "ld.param.u64 %w3, [d]; ld.param.u64 %w1, [bytes];\n"
      "ld.param.u64 %w4, [adesc]; ld.param.u64 %w5, [bdesc];\n"
      "ld.param.u64 %w6, [scale]; setp.ne.u64 %p0, %w6, 0;\n"
      "mov.u32 %t0, %tid.x; mov.u32 %t1, smem; shl.b32 %t2, %t0, 2;\n"
      "shr.u32 %t3, %t1, 4; cvt.u64.u32 %w6, %t3;\n"
      "add.u64 %w4, %w4, %w6; add.u64 %w5, %w5, %w6;\n"
      "NEXT: cvt.u64.u32 %w6, %t2; setp.ge.u64 %p1, %w6, %w1;\n"
      "@%p1 bra DONE;\n"
      "add.u64 %w6, %w6, %w0; ld.global.b32 %t3, [%w6];\n"
      "add.u32 %t4, %t1, %t2; st.shared.b32 [%t4], %t3;\n"
      "add.u32 %t2, %t2, 512; bra NEXT;\n"
      "DONE: fence.proxy.async.shared::cta; bar.sync 0;\n"
      "mad.wide.u32 %w2, %t0, 16, %w2;\n"
      "ld.global.v4.b32 {%a0, %a1, %a2, %a3}, [%w2];\n"
      "mad.wide.u32 %w3, %t0, " +
          std::to_string(4 * registersOfD) + ", %w3;\n" + loads +
          "wgmma.fence.sync.aligned;\n" + body +
          "\nwgmma.commit_group.sync.aligned;\n"
          "wgmma.wait_group.sync.aligned 0;\n" +
          stores,
      ".param .u64 image, .param .u64 a, .param .u64 d, .param .u64 bytes, "
      ".param .u64 adesc, .param .u64 bdesc, .param .u64 scale",
      ".extern .shared .align 1024 .b8 smem[];\n");
}

/// Runs it; D's registers are the results. Where the ISA leaves the result
/// open, `open` says by how much another machine's may differ. An error is the
/// message.
inline std::string runWgmma(const std::string &body, WgmmaData &data,
                            gpu::Element ofD = gpu::Element::U32,
                            double open = 0) {
  const size_t count = data.dRegisters[0].size();
  data.shared.resize((data.shared.size() + 511) / 512 * 512);
  u32s a, d;
  for (unsigned thread = 0; thread < 128; ++thread) {
    a.insert(a.end(), data.aRegisters[thread].begin(),
             data.aRegisters[thread].end());
    d.insert(d.end(), data.dRegisters[thread].begin(),
             data.dRegisters[thread].end());
  }
  KernelRun run(wgmmaKernel(static_cast<unsigned>(count), body), "k");
  run.buffer(data.shared);
  run.buffer(a);
  const size_t result = run.buffer(d, ofD);
  for (uint64_t scalar :
       {uint64_t(data.shared.size()), data.a, data.b, uint64_t(data.scale)})
    run.scalar(scalar);
  if (open > 0)
    run.bound(result, std::vector<double>(d.size() * 4 / bytesOf(ofD), open));
  run.config.block.x = 128;
  run.config.hostThreads = 1;
  run.config.dynamicSharedBytes = static_cast<uint32_t>(data.shared.size());
  if (auto done = run.launch(); !done)
    return done.message();
  d = run.read<uint32_t>(result);
  for (unsigned thread = 0; thread < 128; ++thread)
    for (size_t i = 0; i < count; ++i)
      data.dRegisters[thread][i] = d[thread * count + i];
  return "";
}

//===----------------------------------------------------------------------===//
// Fragments and matrices
//===----------------------------------------------------------------------===//

/// The thread that holds element (row, column) of D, by the figures: groups of
/// 4 threads hold a row, the lower 8 of a warp's 16 rows in registers 0 and 1.
inline unsigned threadOfD(unsigned row, unsigned column) {
  return row / 16 * 32 + row % 8 * 4 + column % 8 / 2;
}
inline unsigned registerOfD(const Element &d, unsigned row, unsigned column) {
  const bool lower = row % 16 >= 8;
  return d.bytes == 2 ? column / 8 * 2 + lower
                      : column / 8 * 4 + lower * 2 + column % 2;
}

inline uint32_t getD(const WgmmaData &data, const Element &d, unsigned row,
                     unsigned column) {
  uint32_t word =
      data.dRegisters[threadOfD(row, column)][registerOfD(d, row, column)];
  return d.bytes == 2 ? word >> (column % 2 * 16) & 0xffff : word;
}

inline void setD(WgmmaData &data, const Element &d, unsigned row,
                 unsigned column, uint32_t bits) {
  uint32_t &word =
      data.dRegisters[threadOfD(row, column)][registerOfD(d, row, column)];
  if (d.bytes == 4)
    word = bits;
  else
    word = (word & ~(0xffffu << (column % 2 * 16))) | bits << (column % 2 * 16);
}

inline void setA(WgmmaData &data, const Element &a, unsigned row, unsigned k,
                 uint32_t bits) {
  const unsigned byte = k * a.bytes; // Along K, of 32.
  u32s &registers =
      data.aRegisters[row / 16 * 32 + row % 8 * 4 + byte % 16 / 4];
  uint32_t &word = registers[byte / 16 * 2 + row % 16 / 8];
  const unsigned shift = byte % 4 * 8;
  const auto mask = static_cast<uint32_t>(~uint64_t(0) >> (64 - 8 * a.bytes));
  word = (word & ~(mask << shift)) | bits << shift;
}

inline void setShared(WgmmaData &data, const MatrixDescriptor &descriptor,
                      MatrixMajor major, const Element &type, unsigned mn,
                      unsigned k, uint32_t bits) {
  const uint64_t at = canonicalAddress(descriptor, major, type.bytes, mn, k);
  if (data.shared.size() < at + 16)
    data.shared.resize(at + 16);
  std::memcpy(&data.shared[at], &bits, type.bytes);
}

/// Values between -3 and 3, of unsigned types from 0 to 6.
inline IntMatrix smallMatrix(const Element &type, unsigned rows,
                             unsigned columns, unsigned seed) {
  IntMatrix result(rows, std::vector<int>(columns));
  uint32_t state = seed * 2654435761u + 12345;
  for (auto &row : result)
    for (int &value : row) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<int>(state >> 16) % 7 - (type.isUnsigned() ? 0 : 3);
    }
  return result;
}

/// Matrices A (64 x K), B (N x K, as it is stored) and C (64 x N).
struct Matrices {
  IntMatrix a, b, c;
};

inline Matrices smallMatrices(const WgmmaCase &test) {
  return {smallMatrix(test.a, 64, test.depth(), 1),
          smallMatrix(test.b, test.columns, test.depth(), 2),
          smallMatrix(test.d, 64, test.columns, 3)};
}

/// Everything a kernel of `test` gets.
inline WgmmaData layOut(const WgmmaCase &test, const Matrices &m) {
  WgmmaData data;
  // Bits of a tf32 that do not count.
  const uint32_t noise = test.a.bytes == 4 ? 0x1234 : 0;
  data.shared.assign(1024, 0x77);
  const MatrixDescriptor a = place(test.aStorage, 1024, 64);
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned k = 0; k < test.depth(); ++k) {
      uint32_t bits = encode(test.a, m.a[row][k]) | noise;
      if (test.aInRegisters)
        setA(data, test.a, row, k, bits);
      else
        setShared(data, a, test.aStorage.major, test.a, row, k, bits);
    }
  const auto start =
      static_cast<uint32_t>((data.shared.size() + 1023) / 1024 * 1024);
  const MatrixDescriptor b = place(test.bStorage, start, test.columns);
  for (unsigned column = 0; column < test.columns; ++column)
    for (unsigned k = 0; k < test.depth(); ++k)
      setShared(data, b, test.bStorage.major, test.b, column, k,
                encode(test.b, m.b[column][k]) | noise);
  data.a = encodeDescriptor(a);
  data.b = encodeDescriptor(b);
  data.dRegisters.assign(128, u32s(test.registersOfD()));
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < test.columns; ++column)
      setD(data, test.d, row, column, encode(test.d, m.c[row][column]));
  return data;
}

/// The instruction with its operands as wgmmaKernel has them.
inline std::string bodyOf(const WgmmaCase &test) {
  return test.instruction(registerList("d", test.registersOfD()),
                          test.aInRegisters ? registerList("a", 4) : "%w4",
                          "%w5");
}

/// Runs a case and compares all of D; what is wrong, or "".
inline std::string checkCase(const WgmmaCase &test, bool accumulates = true) {
  const Matrices m = smallMatrices(test);
  WgmmaData data = layOut(test, m);
  const std::string body = bodyOf(test);
  if (std::string message = runWgmma(body, data, gpuElement(test.d));
      !message.empty())
    return message;
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned column = 0; column < test.columns; ++column) {
      int sum = 0;
      for (unsigned k = 0; k < test.depth(); ++k)
        sum += test.scaleA * m.a[row][k] * (test.scaleB * m.b[column][k]);
      sum += accumulates ? m.c[row][column] : 0;
      if (getD(data, test.d, row, column) != encode(test.d, sum))
        return body + ": element (" + std::to_string(row) + ", " +
               std::to_string(column) + ") is " +
               std::to_string(getD(data, test.d, row, column)) + " and not " +
               std::to_string(encode(test.d, sum));
    }
  return "";
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_WGMMATESTING_H
