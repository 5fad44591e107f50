//===- Wgmma.h - Multiplications of a warpgroup -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// wgmma.mma_async (PTX ISA 9.0, 9.7.15.5.2) with the accumulators of m64n64,
// m64n8 and m64n256 as an array of a thread, and descriptors of matrices in
// shared memory.
//
//===----------------------------------------------------------------------===//

#pragma once

#include "Helpers.h"

// Lists of operands: "%20, ..., %29, ", and their constraints.
#define TEN(tens)                                                              \
  "%" #tens "0, %" #tens "1, %" #tens "2, %" #tens "3, %" #tens "4, %" #tens   \
  "5, %" #tens "6, %" #tens "7, %" #tens "8, %" #tens "9, "
#define FOUR(c, d, i) c(d[i]), c(d[i + 1]), c(d[i + 2]), c(d[i + 3])
#define SIXTEEN(c, d, i)                                                       \
  FOUR(c, d, i), FOUR(c, d, i + 4), FOUR(c, d, i + 8), FOUR(c, d, i + 12)
#define SIXTY_FOUR(c, d, i)                                                    \
  SIXTEEN(c, d, i), SIXTEEN(c, d, i + 16), SIXTEEN(c, d, i + 32),              \
      SIXTEEN(c, d, i + 48)

/// d = A * B (+ d when `add`) with m64n64, both operands in shared memory.
/// `name` is the rest of the instruction's name, `tail` the immediates behind
/// the predicate. The macros for 64 columns wait for their own end, so that the
/// compiler may move the accumulators behind them.
#define ALONE_FROM "wgmma.fence.sync.aligned; "
#define ALONE_TO                                                               \
  "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;}"
#define WGMMA_N64_SHARED(d, a, b, add, name, tail)                             \
  asm volatile("{.reg .pred p; setp.ne.b32 p, %34, 0; " ALONE_FROM             \
               "wgmma.mma_async.sync.aligned.m64n64" name " {" TEN() TEN(1)    \
                   TEN(2) "%30, %31}, %32, %33, p, " tail "; " ALONE_TO        \
               : SIXTEEN("+f", d, 0), SIXTEEN("+f", d, 16)                     \
               : "l"(a), "l"(b), "r"(add))
/// The same with f16 accumulators, two in a register.
#define WGMMA_N64_SHARED_F16(d, a, b, add, name, tail)                         \
  asm volatile("{.reg .pred p; setp.ne.b32 p, %18, 0; " ALONE_FROM             \
               "wgmma.mma_async.sync.aligned.m64n64" name                      \
               " {" TEN() "%10, %11, %12, %13, %14, %15}, %16, %17, p, " tail  \
                          "; " ALONE_TO                                        \
               : SIXTEEN("+r", d, 0)                                           \
               : "l"(a), "l"(b), "r"(add))
/// The same with A in registers.
#define WGMMA_N64_REGISTERS(d, a, b, add, name, tail)                          \
  asm volatile("{.reg .pred p; setp.ne.b32 p, %37, 0; " ALONE_FROM             \
               "wgmma.mma_async.sync.aligned.m64n64" name " {" TEN() TEN(1)    \
                   TEN(2) "%30, %31}, {%32, %33, %34, %35}, %36, p, " tail     \
                          "; " ALONE_TO                                        \
               : SIXTEEN("+f", d, 0), SIXTEEN("+f", d, 16)                     \
               : FOUR("r", a, 0), "l"(b), "r"(add))
#define WGMMA_N8_SHARED(d, a, b, add, name, tail)                              \
  asm volatile("{.reg .pred p; setp.ne.b32 p, %6, 0; "                         \
               "wgmma.mma_async.sync.aligned.m64n8" name                       \
               " {%0, %1, %2, %3}, %4, %5, p, " tail ";}"                      \
               : FOUR("+f", d, 0)                                              \
               : "l"(a), "l"(b), "r"(add))
#define WGMMA_N256_SHARED(d, a, b, add, name, tail)                            \
  asm volatile(                                                                \
      "{.reg .pred p; setp.ne.b32 p, %130, 0; "                                \
      "wgmma.mma_async.sync.aligned.m64n256" name " {" TEN() TEN(1) TEN(2)     \
          TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9) TEN(10)             \
              TEN(11) "%120, %121, %122, %123, "                               \
                      "%124, %125, %126, %127}, %128, %129, p, " tail ";}"     \
      : SIXTY_FOUR("+f", d, 0), SIXTY_FOUR("+f", d, 64)                        \
      : "l"(a), "l"(b), "r"(add))

/// How a matrix of M (or N) x K lies in shared memory: the canonical layouts of
/// 9.7.15.5.1. Offsets are in bytes.
struct Layout {
  int mnMajor; ///< Neighbours in memory are neighbours along M or N, not K.
  int swizzle; ///< Bytes of a row of the pattern: 0, 32, 64 or 128.
  int leading; ///< The descriptor's leading dimension byte offset.
  int stride;  ///< The descriptor's stride dimension byte offset.
  /// K-major with a swizzle: from one row's worth of K to the next, which the
  /// descriptor does not know.
  int nextRow;
};

/// Where an element lies, before the swizzle.
DEVICE int plainOffset(const Layout &layout, int bytes, int mn, int k) {
  int perUnit = 16 / bytes, perRow = layout.swizzle / bytes;
  if (!layout.mnMajor && !layout.swizzle)
    return mn / 8 * layout.stride + k / perUnit * layout.leading + mn % 8 * 16 +
           k % perUnit * bytes;
  if (!layout.mnMajor)
    return k / perRow * layout.nextRow + mn / 8 * layout.stride +
           mn % 8 * layout.swizzle + k % perRow * bytes;
  if (!layout.swizzle)
    return mn / perUnit * layout.stride + k / 8 * layout.leading + k % 8 * 16 +
           mn % perUnit * bytes;
  return mn / perRow * layout.leading + k / 8 * layout.stride +
         k % 8 * layout.swizzle + mn % perRow * bytes;
}

/// The swizzle: bits 4 and up of an address are exclusively ored with bits 7
/// and up, as many as the pattern's row has 16-byte units.
DEVICE int swizzled(const Layout &layout, int address) {
  int units = layout.swizzle / 16;
  return units ? address ^ (address >> 7 & (units - 1)) << 4 : address;
}

/// The descriptor of the part that begins at column k (9.7.15.5.1.2).
DEVICE uint64_t descriptor(const Layout &layout, uint32_t base, int bytes,
                           int k) {
  uint32_t start = base + plainOffset(layout, bytes, 0, k);
  uint64_t mode = layout.swizzle == 128  ? 1
                  : layout.swizzle == 64 ? 2
                  : layout.swizzle == 32 ? 3
                                         : 0;
  return uint64_t(start >> 4 & 0x3fff) | uint64_t(layout.leading >> 4) << 16 |
         uint64_t(layout.stride >> 4) << 32 | mode << 62;
}

/// Puts a matrix of `count` x `depth` elements, row major, into shared memory
/// at `base`, which is aligned to 1024 bytes.
DEVICE void place(const Layout &layout, char *base, const char *matrix,
                  int bytes, int count, int depth) {
#pragma unroll 1
  for (int i = threadIdx.x; i < count * depth; i += blockDim.x) {
    int offset =
        swizzled(layout, plainOffset(layout, bytes, i / depth, i % depth));
#pragma unroll 1
    for (int byte = 0; byte < bytes; ++byte)
      base[offset + byte] = matrix[i * bytes + byte];
  }
}

/// The row and column of a thread's element e of D.
DEVICE int rowOf(int e) {
  return threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + e / 2 % 2 * 8;
}
DEVICE int columnOf(int e) { return e / 4 * 8 + threadIdx.x % 4 * 2 + e % 2; }
