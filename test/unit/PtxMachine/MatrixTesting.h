//===- MatrixTesting.h - Matrices of any type for mma tests -----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// multiply(form, A, B, C) runs one mma.sync on matrices of element bits. Where
// an element lies is written down from the PTX ISA, "Matrix Fragments for
// mma...", shape by shape, as functions of the lane and of the index i in the
// lane's fragment.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_MATRIXTESTING_H
#define CTC_TEST_UNIT_PTXMACHINE_MATRIXTESTING_H

#include "KernelRun.h"
#include "PtxTesting.h"

#include <cmath>
#include <functional>

namespace ctc::ptx::testing {

/// Numbers without a pattern, the same in every run (a linear congruential
/// generator's upper bits).
struct Noise {
  uint64_t state;
  uint32_t next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 32);
  }
};

/// The bits of elements, row by row.
struct Matrix {
  unsigned rows = 0, columns = 0;
  std::vector<uint64_t> elements;

  Matrix(unsigned rows, unsigned columns)
      : rows(rows), columns(columns), elements(size_t(rows) * columns) {}
  uint64_t &at(unsigned row, unsigned column) {
    return elements[size_t(row) * columns + column];
  }
  uint64_t at(unsigned row, unsigned column) const {
    return elements[size_t(row) * columns + column];
  }
};

struct Form {
  unsigned m, k;
  std::string a, b, sums;
  std::string options; ///< Between .col and the types: ".satfinite".
  std::string last;    ///< After the types: ".xor.popc".

  std::string name() const {
    return "m" + std::to_string(m) + "n8k" + std::to_string(k) + options + "." +
           sums + "." + a + "." + b + "." + sums + last;
  }
};

inline unsigned bitsOf(const std::string &type) {
  static const std::map<std::string, unsigned> bits = {
      {"f16", 16}, {"bf16", 16}, {"tf32", 32}, {"e4m3", 8}, {"e5m2", 8},
      {"s8", 8},   {"u8", 8},    {"s4", 4},    {"u4", 4},   {"b1", 1},
      {"f64", 64}, {"f32", 32},  {"s32", 32}};
  return bits.at(type);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// The bits of a number that the type can hold.
inline uint64_t encode(const std::string &type, double value) {
  if (type == "f64")
    return bits(value);
  if (type == "f32" || type == "tf32")
    return bits(static_cast<float>(value));
  if (type == "bf16")
    return bits(static_cast<float>(value)) >> 16;
  if (type[0] == 's' || type[0] == 'u' || type[0] == 'b')
    return static_cast<uint64_t>(static_cast<int64_t>(value)) &
           (~uint64_t(0) >> (64 - bitsOf(type)));
  const int fraction = type == "f16" ? 10 : type == "e5m2" ? 2 : 3;
  const int bias = type == "e4m3" ? 7 : 15;
  const uint64_t sign = std::signbit(value) ? 1u << (bitsOf(type) - 1) : 0;
  if (value == 0)
    return sign;
  int exponent = 0;
  std::frexp(value, &exponent);
  exponent = std::max(exponent - 1, 1 - bias);
  auto units =
      static_cast<uint64_t>(std::ldexp(std::fabs(value), fraction - exponent));
  // The leading unit, if there is one, adds 1 to the field.
  return sign |
         ((static_cast<uint64_t>(exponent + bias - 1) << fraction) + units);
}

inline Matrix encode(const std::string &type, unsigned rows, unsigned columns,
                     const std::function<double(unsigned, unsigned)> &value) {
  Matrix result(rows, columns);
  for (unsigned i = 0; i < rows; ++i)
    for (unsigned j = 0; j < columns; ++j)
      result.at(i, j) = encode(type, value(i, j));
  return result;
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

struct Position {
  unsigned row, column;
};

/// Element i of lane `lane`'s fragment of A.
inline Position positionOfA(const Form &form, unsigned lane, unsigned i) {
  const unsigned g = lane / 4, t = lane % 4;
  switch (bitsOf(form.a)) {
  case 64:
    if (form.k == 16)
      return {i % 2 == 0 ? g : g + 8, i % 2 == 0 ? i * 2 + t : i * 2 - 2 + t};
    [[fallthrough]];
  case 32:
    return {i == 0 || i == 2 ? g : g + 8, i < 2 ? t : t + 4};
  case 16:
    return {i < 2 || (i >= 4 && i < 6) ? g : g + 8,
            t * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
  case 8:
    return {i < 4 || (i >= 8 && i < 12) ? g : g + 8,
            t * 4 + (i & 3) + (i >= 8 ? 16 : 0)};
  case 4:
    return {i < 8 || (i >= 16 && i < 24) ? g : g + 8,
            t * 8 + (i & 7) + (i >= 16 ? 32 : 0)};
  default:
    return {i < 32 || (i >= 64 && i < 96) ? g : g + 8,
            t * 32 + (i & 31) + (i >= 64 ? 128 : 0)};
  }
}

inline Position positionOfB(const Form &form, unsigned lane, unsigned i) {
  const unsigned g = lane / 4, t = lane % 4;
  switch (bitsOf(form.b)) {
  case 64:
    return {t + 4 * i, g};
  case 32:
    return {i == 0 ? t : t + 4, g};
  case 16:
    return {t * 2 + (i & 1) + (i >= 2 ? 8 : 0), g};
  case 8:
    return {t * 4 + (i & 3) + (i >= 4 ? 16 : 0), g};
  case 4:
    return {t * 8 + (i & 7) + (i >= 8 ? 32 : 0), g};
  default:
    return {t * 32 + (i & 31) + (i >= 32 ? 128 : 0), g};
  }
}

/// C and D.
inline Position positionOfC(const Form &, unsigned lane, unsigned i) {
  return {lane / 4 + (i < 2 ? 0 : 8), lane % 4 * 2 + (i & 1)};
}

using PositionOf = Position (*)(const Form &, unsigned, unsigned);

/// How many registers (of 32 bits, or 64 for f64) hold a fragment.
inline unsigned registersOf(const std::string &type, unsigned elements) {
  return elements / 32 * bitsOf(type) / (type == "f64" ? 64 : 32);
}

/// The fragments of all lanes: for every lane its registers.
template <class Register>
std::vector<Register> fragments(const Form &form, const std::string &type,
                                const Matrix &matrix, PositionOf positionOf) {
  const unsigned perLane = matrix.rows * matrix.columns / 32;
  const unsigned registers = registersOf(type, perLane * 32);
  const unsigned bits = bitsOf(type), width = 8 * sizeof(Register);
  std::vector<Register> result(size_t(32) * registers);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < perLane; ++i) {
      Position at = positionOf(form, lane, i);
      result[lane * registers + i * bits / width] |=
          static_cast<Register>(matrix.at(at.row, at.column))
          << (i * bits % width);
    }
  return result;
}

template <class Register>
Matrix matrixOf(const Form &form, const std::vector<Register> &fragments) {
  Matrix result(form.m, 8);
  const unsigned bits = bitsOf(form.sums), width = 8 * sizeof(Register);
  const unsigned perLane = form.m * 8 / 32;
  const unsigned registers = registersOf(form.sums, form.m * 8);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < perLane; ++i) {
      Position at = positionOfC(form, lane, i);
      result.at(at.row, at.column) =
          fragments[lane * registers + i * bits / width] >> (i * bits % width) &
          (~uint64_t(0) >> (64 - bits));
    }
  return result;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

inline std::string vectorOf(const std::string &prefix, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", " : "") + prefix + std::to_string(i);
  return text + "}";
}

/// Moves a lane's registers from or to where the parameter points.
inline std::string transfer(bool isLoad, const std::string &prefix,
                            const std::string &parameter, unsigned count,
                            unsigned bytes) {
  std::string type = bytes == 8 ? ".b64 " : ".b32 ";
  std::string text = "ld.param.u64 %w0, [" + parameter +
                     "];\nmad.wide.u32 %w0, %t0, " +
                     std::to_string(count * bytes) + ", %w0;\n";
  for (unsigned i = 0; i < count; ++i) {
    std::string name = prefix + std::to_string(i);
    std::string place = "[%w0+" + std::to_string(i * bytes) + "]";
    text += isLoad ? "ld.global" + type + name + ", " + place + ";\n"
                   : "st.global" + type + place + ", " + name + ";\n";
  }
  return text;
}

/// The kernel `k` of one mma.
inline std::string multiplyKernel(const Form &form) {
  const unsigned bytes = form.sums == "f64" ? 8 : 4;
  const unsigned a = registersOf(form.a, form.m * form.k);
  const unsigned b = registersOf(form.b, form.k * 8);
  const unsigned c = registersOf(form.sums, form.m * 8);
  std::string type = bytes == 8 ? ".reg .b64 " : ".reg .b32 ";
  std::string body = type + "%a<8>, %b<4>, %c<4>, %d<4>;\n";
  body += "mov.u32 %t0, %laneid;\n";
  body += transfer(true, "%a", "pa", a, bytes);
  body += transfer(true, "%b", "pb", b, bytes);
  body += transfer(true, "%c", "pc", c, bytes);
  body += "mma.sync.aligned.m" + std::to_string(form.m) + "n8k" +
          std::to_string(form.k) + ".row.col" + form.options + "." + form.sums +
          "." + form.a + "." + form.b + "." + form.sums + form.last + " " +
          vectorOf("%d", c) + ", " + vectorOf("%a", a) + ", " +
          vectorOf("%b", b) + ", " + vectorOf("%c", c) + ";\n";
  body += transfer(false, "%d", "pd", c, bytes);
  return kernel(body, ".param .u64 pa, .param .u64 pb, .param .u64 pc, "
                      ".param .u64 pd");
}

template <class Register>
Matrix multiplyIn(const Form &form, const Matrix &a, const Matrix &b,
                  const Matrix &c, double bound) {
  KernelRun run(multiplyKernel(form), "k");
  run.buffer(fragments<Register>(form, form.a, a, positionOfA));
  run.buffer(fragments<Register>(form, form.b, b, positionOfB));
  const auto sums = fragments<Register>(form, form.sums, c, positionOfC);
  run.buffer(sums);
  const size_t d = run.buffer(std::vector<Register>(sums.size()),
                              form.sums == "f16"   ? gpu::Element::F16
                              : form.sums == "f32" ? gpu::Element::F32
                              : form.sums == "f64" ? gpu::Element::F64
                                                   : gpu::Element::U32);
  if (bound > 0)
    run.bound(d, std::vector<double>(size_t(form.m) * 8, bound));
  run.config.block.x = 32;
  EXPECT_TRUE(run.launch()) << form.name();
  return matrixOf(form, run.read<Register>(d));
}

/// The elements of D = A * B + C. What other hardware may give instead, as the
/// ISA leaves the order of a sum of floats open, is within `bound` of it.
inline Matrix multiply(const Form &form, const Matrix &a, const Matrix &b,
                       const Matrix &c, double bound = 0) {
  return form.sums == "f64" ? multiplyIn<uint64_t>(form, a, b, c, bound)
                            : multiplyIn<uint32_t>(form, a, b, c, bound);
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_MATRIXTESTING_H
