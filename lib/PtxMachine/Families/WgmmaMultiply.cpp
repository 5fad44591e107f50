//===- WgmmaMultiply.cpp - Executes wgmma.mma_async -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "wgmma.mma_async" and "Matrix Fragments for wgmma.mma_async": which
// element lies in which register of which thread. Of the 16 rows of a warp,
// thread 4 g + t (g = 0..7, t = 0..3) holds
//
//   A  register i = 0..3: the 4 bytes at byte 16 (i / 2) + 4 t along K of row
//      g + 8 (i % 2)
//   D  f32 and s32, register 4 j + 2 h + q: element (g + 8 h, 8 j + 2 t + q)
//      f16, register 2 j + h: the pair of elements from (g + 8 h, 8 j + 2 t) on
//
// A warp multiplies its own rows when it issues the instruction. Operands are
// widened to f32 and multiplied as MatrixArithmetic.h says: D = A * B starts
// from +0, and every element of D gets its products in the order of k. Sums of
// 32 products of 8-bit integers are exact in f32 and are then added to D.
//
//===----------------------------------------------------------------------===//

#include "Families/IntegerTypes.h"
#include "Families/MatrixFragments.h"
#include "Families/Wgmma.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

constexpr unsigned kWords = kMatrixRowBytes / 4; ///< Of a row along K.
/// Columns that are multiplied at a time, so that all tiles stay in the host's
/// first-level cache.
constexpr unsigned kStripe = 64;
constexpr unsigned kMaxDepth = 32;

/// Where the chunks of A (of the warp's rows) and of B lie in shared memory;
/// K-major: 2 * row + chunk, MN-major: k * chunks + chunk.
struct Chunks {
  uint32_t addresses[2 * (kWarpRows + kMaxColumns)] = {};
  unsigned ofA = 0, ofB = 0; ///< How many.

  const uint32_t *a() const { return addresses; }
  const uint32_t *b() const { return addresses + ofA; }
};

/// Tiles of one stripe of columns, row by row.
struct Tiles {
  alignas(64) float a[kWarpRows * kMaxDepth];
  alignas(64) float b[kMaxDepth * kStripe];
  alignas(64) float d[kWarpRows * kStripe];
};

//===----------------------------------------------------------------------===//
// A and B
//===----------------------------------------------------------------------===//

/// The addresses of the chunks of rows [first, first + rows) of an operand with
/// `depth` elements along K; their number.
CTC_LANES unsigned addressChunks(const MatrixDescriptor &descriptor,
                                 MatrixMajor major, unsigned first,
                                 unsigned rows, unsigned depth,
                                 uint32_t *addresses) {
  if (major == MatrixMajor::K) {
    for (unsigned i = 0; i < 2 * rows; ++i)
      addresses[i] =
          chunkAddress(descriptor, MatrixMajor::K, first + i / 2, i % 2);
    return 2 * rows;
  }
  const unsigned chunks = rows / 8;
  for (unsigned k = 0; k < depth; ++k)
    for (unsigned i = 0; i < chunks; ++i)
      addresses[k * chunks + i] =
          chunkAddress(descriptor, MatrixMajor::MN, first / 8 + i, k);
  return chunks * depth;
}

/// The 16 rows of A as they lie along K, from registers.
CTC_SCALAR void rowsFromRegisters(const Warp &warp, const uint32_t *rows,
                                  uint32_t *words) {
  for (unsigned i = 0; i < 4; ++i) {
    const auto *s =
        reinterpret_cast<const uint32_t *>(warp.registers + rows[i]);
    uint32_t *d = words + i % 2 * 8 * kWords + i / 2 * 4;
    for (unsigned g = 0; g < 8; ++g)
      for (unsigned t = 0; t < 4; ++t)
        d[g * kWords + t] = s[4 * g + t];
  }
}

CTC_SCALAR void rowsFromShared(const char *shared, const uint32_t *addresses,
                               uint32_t *words) {
  for (unsigned i = 0; i < 2 * kWarpRows; ++i)
    __builtin_memcpy(words + 4 * i, shared + addresses[i], kChunkBytes);
}

/// The same of an MN-major A, which has 16-bit elements and 16 of them.
CTC_SCALAR void columnsFromShared(const char *shared, const uint32_t *addresses,
                                  uint32_t *words) {
  uint16_t elements[kWarpRows][kWarpRows];
  for (unsigned k = 0; k < kWarpRows; ++k)
    for (unsigned i = 0; i < 2; ++i)
      __builtin_memcpy(&elements[k][8 * i], shared + addresses[2 * k + i],
                       kChunkBytes);
  for (unsigned row = 0; row < kWarpRows; ++row)
    for (unsigned w = 0; w < kWords; ++w)
      words[row * kWords + w] =
          elements[2 * w][row] | uint32_t(elements[2 * w + 1][row]) << 16;
}

/// Columns [first, first + columns) of a K-major B, transposed word by word:
/// an element of `b` is one column's.
template <class T>
CTC_LANES void expandColumns(const char *shared, const uint32_t *addresses,
                             unsigned columns, float *b) {
  for (unsigned w = 0; w < kWords; ++w) {
    uint32_t words[kStripe];
    for (unsigned c = 0; c < columns; ++c)
      __builtin_memcpy(&words[c], shared + addresses[2 * c + w / 4] + w % 4 * 4,
                       4);
    for (unsigned i = 0; i < kPerWord<T>; ++i)
      for (unsigned c = 0; c < columns; ++c)
        b[(w * kPerWord<T> + i) * columns + c] = elementOf<T>(words[c], i);
  }
}

/// Columns of an N-major B, whose chunks are parts of rows of `b`. `addresses`
/// is that of the first chunk; rows have `pitch` chunks.
template <class T>
CTC_LANES void expandRows(const char *shared, const uint32_t *addresses,
                          unsigned pitch, unsigned columns, float *b) {
  constexpr unsigned depth = kMatrixRowBytes / sizeof(T);
  for (unsigned k = 0; k < depth; ++k)
    for (unsigned c = 0; c < columns; c += 8)
      expand<T>(b + k * columns + c, shared + addresses[k * pitch + c / 8], 8);
}

template <class T> CTC_LANES void expandA(const uint32_t *words, float *a) {
  expand<T>(a, words, kWarpRows * kMatrixRowBytes / sizeof(T));
}

/// Calls fn.operator()<T>() for the element's type.
template <class Fn> CTC_SCALAR void withType(MatrixElement element, Fn fn) {
  switch (element) {
  case MatrixElement::TF32:
    return fn.template operator()<TF32>();
  case MatrixElement::F16:
    return fn.template operator()<Half>();
  case MatrixElement::BF16:
    return fn.template operator()<BHalf>();
  case MatrixElement::E4M3:
    return fn.template operator()<E4M3>();
  case MatrixElement::E5M2:
    return fn.template operator()<E5M2>();
  case MatrixElement::S8:
    return fn.template operator()<S8>();
  case MatrixElement::U8:
    return fn.template operator()<U8>();
  }
}

struct ExpandA {
  const uint32_t *words;
  float *a;
  template <class T> CTC_SCALAR void operator()() const {
    expandA<T>(words, a);
  }
};

struct ExpandB {
  MatrixMajor major;
  const char *shared;
  const uint32_t *addresses; ///< Of the whole operand.
  unsigned pitch;            ///< Chunks of a row, if it is N-major.
  unsigned first, columns;
  float *b;
  template <class T> CTC_SCALAR void operator()() const {
    if (major == MatrixMajor::K)
      expandColumns<T>(shared, addresses + 2 * first, columns, b);
    else
      expandRows<T>(shared, addresses + first / 8, pitch, columns, b);
  }
};

//===----------------------------------------------------------------------===//
// D
//===----------------------------------------------------------------------===//

/// A register of D in all lanes.
template <class T> CTC_SCALAR T *registerOf(Warp &warp, uint32_t offset) {
  return reinterpret_cast<T *>(
      __builtin_assume_aligned(warp.registers + offset, 64));
}

/// Calls fn(index in the tile, register, lane, q) for the 32-bit elements of D
/// from register `rows[0]` on.
template <class T, class Fn>
CTC_SCALAR void eachElement(Warp &warp, const uint32_t *rows, unsigned columns,
                            Fn fn) {
  for (unsigned j = 0; j < columns / 8; ++j)
    for (unsigned h = 0; h < 2; ++h) {
      T *even = registerOf<T>(warp, rows[4 * j + 2 * h]);
      T *odd = registerOf<T>(warp, rows[4 * j + 2 * h + 1]);
      for (unsigned g = 0; g < 8; ++g)
        for (unsigned t = 0; t < 4; ++t) {
          const unsigned at = (g + 8 * h) * columns + 8 * j + 2 * t;
          fn(at, even[4 * g + t]);
          fn(at + 1, odd[4 * g + t]);
        }
    }
}

/// The same for pairs of f16.
template <class Fn>
CTC_SCALAR void eachPair(Warp &warp, const uint32_t *rows, unsigned columns,
                         Fn fn) {
  for (unsigned j = 0; j < columns / 8; ++j)
    for (unsigned h = 0; h < 2; ++h) {
      uint32_t *pairs = registerOf<uint32_t>(warp, rows[2 * j + h]);
      for (unsigned g = 0; g < 8; ++g)
        for (unsigned t = 0; t < 4; ++t)
          fn((g + 8 * h) * columns + 8 * j + 2 * t, pairs[4 * g + t]);
    }
}

CTC_LANES void readD(Warp &warp, MatrixAccumulator type, const uint32_t *rows,
                     unsigned columns, float *d) {
  if (type == MatrixAccumulator::F32)
    eachElement<float>(warp, rows, columns,
                       [d](unsigned at, float &element)
                           __attribute__((always_inline)) { d[at] = element; });
  else
    eachPair(warp, rows, columns,
             [d](unsigned at, uint32_t &pair) __attribute__((always_inline)) {
               d[at] = toFloat(Half{static_cast<uint16_t>(pair)});
               d[at + 1] = toFloat(Half{static_cast<uint16_t>(pair >> 16)});
             });
}

CTC_LANES void writeD(Warp &warp, MatrixAccumulator type, const uint32_t *rows,
                      unsigned columns, const float *d) {
  if (type == MatrixAccumulator::F32)
    eachElement<float>(warp, rows, columns,
                       [d](unsigned at, float &element)
                           __attribute__((always_inline)) { element = d[at]; });
  else
    eachPair(warp, rows, columns,
             [d](unsigned at, uint32_t &pair) __attribute__((always_inline)) {
               pair = toHalf(d[at]).bits | uint32_t(toHalf(d[at + 1]).bits)
                                               << 16;
             });
}

/// Adds exact sums to integers, which wrap around or stop at the bounds.
CTC_LANES void addIntegers(Warp &warp, const WgmmaMode &mode, bool accumulates,
                           const uint32_t *rows, unsigned columns,
                           const float *d) {
  eachElement<int32_t>(
      warp, rows, columns,
      [&](unsigned at, int32_t &element) __attribute__((always_inline)) {
        const int64_t before = accumulates ? element : 0;
        const int64_t sum = before + static_cast<int32_t>(d[at]);
        element = mode.saturates ? clampToInt(sum) : static_cast<int32_t>(sum);
      });
}

CTC_LANES void multiplyStripe(Warp &warp, const WgmmaMode &mode,
                              bool accumulates, const uint32_t *rows,
                              unsigned columns, unsigned depth, Tiles &tiles) {
  const bool isInteger = mode.d == MatrixAccumulator::S32;
  if (accumulates && !isInteger)
    readD(warp, mode.d, rows, columns, tiles.d);
  else
    __builtin_memset(tiles.d, 0, kWarpRows * columns * sizeof(float));
  multiplyAdd(tiles.d, tiles.a, tiles.b, kWarpRows, columns, depth);
  if (isInteger)
    return addIntegers(warp, mode, accumulates, rows, columns, tiles.d);
  canonicalResults(tiles.d, kWarpRows * columns);
  writeD(warp, mode.d, rows, columns, tiles.d);
}

/// Reads the descriptors in `rowsOfA` (A's, if it has one, then B's) and finds
/// all chunks. False with a fault.
CTC_LANES bool findChunks(Warp &warp, const Op &op, const WgmmaMode &mode,
                          const uint32_t *rowsOfA, unsigned columns,
                          unsigned depth, Chunks &chunks) {
  WarpgroupIssue issue{op.source, 0, 0};
  if ((!mode.aInRegisters && !readDescriptor(warp, rowsOfA[0], 'A', issue.a)) ||
      !readDescriptor(warp, rowsOfA[mode.rowsOfA()], 'B', issue.b) ||
      !issueTogether(warp, issue))
    return false;
  MatrixDescriptor descriptor;
  if (!mode.aInRegisters) {
    const unsigned first = warp.index % kWarpgroupWarps * kWarpRows;
    if (!decodeDescriptor(warp, issue.a, 'A', mode.aMajor, 8, descriptor))
      return false;
    chunks.ofA = addressChunks(descriptor, mode.aMajor, first, kWarpRows, depth,
                               chunks.addresses);
    if (!checkChunks(warp, 'A', descriptor, chunks.a(), chunks.ofA))
      return false;
  }
  if (!decodeDescriptor(warp, issue.b, 'B', mode.bMajor, columns / 8,
                        descriptor))
    return false;
  chunks.ofB = addressChunks(descriptor, mode.bMajor, 0, columns, depth,
                             chunks.addresses + chunks.ofA);
  return checkChunks(warp, 'B', descriptor, chunks.b(), chunks.ofB);
}

/// The warp's rows of A, widened.
CTC_LANES void readA(Warp &warp, const WgmmaMode &mode, const uint32_t *rows,
                     const Chunks &chunks, unsigned depth, float *a) {
  alignas(64) uint32_t words[kWarpRows * kWords];
  if (mode.aInRegisters)
    rowsFromRegisters(warp, rows, words);
  else if (mode.aMajor == MatrixMajor::K)
    rowsFromShared(warp.block->shared, chunks.a(), words);
  else
    columnsFromShared(warp.block->shared, chunks.a(), words);
  withType(mode.a, ExpandA{words, a});
  if (mode.negated)
    for (unsigned i = 0; i < kWarpRows * depth; ++i)
      a[i] = -a[i];
}

} // namespace

CTC_LANES bool multiplyAsync(Warp &warp, const Op &op, LaneMask mask) {
  const WgmmaMode mode = WgmmaMode::decode(op.mode);
  const unsigned columns = op.count;
  const unsigned depth = kMatrixRowBytes / elementBytes(mode.a);
  const uint32_t *rowsOfD = warp.block->wideOperands + op.r[0];
  const uint32_t *rowsOfA = rowsOfD + mode.registersOfD(columns);
  bool accumulates = false;
  Chunks chunks;
  if (!checkWarpgroup(warp, mask) || !readScale(warp, op.r[1], accumulates) ||
      !findChunks(warp, op, mode, rowsOfA, columns, depth, chunks))
    return false;
  if (warp.block->observer)
    observeChunks(warp, op, chunks.addresses, chunks.ofA + chunks.ofB);
  Tiles tiles;
  readA(warp, mode, rowsOfA, chunks, depth, tiles.a);
  for (unsigned first = 0; first < columns; first += kStripe) {
    const unsigned width =
        columns - first < kStripe ? columns - first : kStripe;
    withType(mode.b, ExpandB{mode.bMajor, warp.block->shared, chunks.b(),
                             columns / 8, first, width, tiles.b});
    multiplyStripe(warp, mode, accumulates, rowsOfD + mode.registersOfD(first),
                   width, depth, tiles);
  }
  return true;
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
