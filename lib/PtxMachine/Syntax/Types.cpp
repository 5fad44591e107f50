//===- Types.cpp - The scalar types of PTX --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Syntax/Types.h"

namespace ctc::ptx {

namespace {
struct NamedType {
  std::string_view name;
  Type type;
};

constexpr NamedType kTypes[] = {
    {"u8", {TypeKind::Unsigned, 8}},
    {"u16", {TypeKind::Unsigned, 16}},
    {"u32", {TypeKind::Unsigned, 32}},
    {"u64", {TypeKind::Unsigned, 64}},
    {"s8", {TypeKind::Signed, 8}},
    {"s16", {TypeKind::Signed, 16}},
    {"s32", {TypeKind::Signed, 32}},
    {"s64", {TypeKind::Signed, 64}},
    {"b8", {TypeKind::Bits, 8}},
    {"b16", {TypeKind::Bits, 16}},
    {"b32", {TypeKind::Bits, 32}},
    {"b64", {TypeKind::Bits, 64}},
    {"b128", {TypeKind::Bits, 128}},
    {"f16", {TypeKind::Float, 16}},
    {"f32", {TypeKind::Float, 32}},
    {"f64", {TypeKind::Float, 64}},
    {"f16x2", {TypeKind::Float, 32, true}},
    {"f32x2", {TypeKind::Float, 64, true}},
    {"bf16", {TypeKind::BFloat, 16}},
    {"bf16x2", {TypeKind::BFloat, 32, true}},
    {"tf32", {TypeKind::TF32, 32}},
    {"u16x2", {TypeKind::Unsigned, 32, true}},
    {"s16x2", {TypeKind::Signed, 32, true}},
    {"pred", {TypeKind::Predicate, 1}},
};
} // namespace

std::optional<Type> parseType(std::string_view text) {
  for (const NamedType &entry : kTypes)
    if (entry.name == text)
      return entry.type;
  return std::nullopt;
}

} // namespace ctc::ptx
