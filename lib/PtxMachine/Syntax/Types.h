//===- Types.h - The scalar types of PTX ------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Types": fundamental types and the packed types of instructions.
// An instruction's type says how many bits an operand has and how they are
// read; a register only says how many bits it holds.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_SYNTAX_TYPES_H
#define CTC_LIB_PTXMACHINE_SYNTAX_TYPES_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace ctc::ptx {

enum class Space : uint8_t { Global, Const, Shared, Local, Param, Generic };

enum class TypeKind : uint8_t {
  Unsigned,
  Signed,
  Bits,
  Float,     ///< f16, f32, f64
  BFloat,    ///< bf16
  TF32,      ///< tf32: 32 bits, the low 13 of which count for nothing
  Predicate, ///< pred
};

struct Type {
  TypeKind kind = TypeKind::Bits;
  uint8_t bits = 32; ///< Of the whole operand: 32 for f16x2.
  bool packed = false;

  bool operator==(const Type &) const = default;
  unsigned bytes() const { return bits / 8; }
  bool isPredicate() const { return kind == TypeKind::Predicate; }
  bool isInteger() const { return kind <= TypeKind::Bits; }
  bool isSigned() const { return kind == TypeKind::Signed; }
  bool isFloat(unsigned width) const {
    return kind == TypeKind::Float && bits == width && !packed;
  }
  /// f16, f16x2, bf16 or bf16x2.
  bool isHalf() const {
    return kind == TypeKind::BFloat ||
           (kind == TypeKind::Float && (bits == 16 || (packed && bits == 32)));
  }
  /// The width of the register that holds it: 1, 32 or 64. Narrower values
  /// are kept in the low bits of a 32-bit register, the bits above them zero.
  unsigned registerBits() const {
    return isPredicate() ? 1 : bits > 32 ? 64 : 32;
  }
};

constexpr Type kU32{TypeKind::Unsigned, 32};
constexpr Type kU64{TypeKind::Unsigned, 64};
constexpr Type kB16{TypeKind::Bits, 16};
constexpr Type kB32{TypeKind::Bits, 32};
constexpr Type kB64{TypeKind::Bits, 64};
constexpr Type kPredicate{TypeKind::Predicate, 1};

/// The type a modifier or directive names, without its dot: "u32", "f16x2".
std::optional<Type> parseType(std::string_view text);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_SYNTAX_TYPES_H
