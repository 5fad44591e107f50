//===- Lexer.h - Tokens of PTX text -----------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Syntax". An opcode with its modifiers (ld.global.nc.v4.f32,
// ld.L1::evict_last.b32) and a special register with its component (%tid.x)
// are one token each: inside an identifier a dot or "::" that is followed by a
// letter or digit belongs to it.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_SYNTAX_LEXER_H
#define CTC_LIB_PTXMACHINE_SYNTAX_LEXER_H

#include "ctc/Support/Error.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace ctc::ptx {

enum class TokenKind : uint8_t {
  Identifier, ///< Opcode, name, label, register.
  Directive,  ///< Starts with a dot; the text leaves the dot out.
  Integer,    ///< `value` holds it.
  Float32,    ///< 0f........: `value` holds the 32 bits.
  Float64,    ///< 0d........ or a decimal: `value` holds the 64 bits.
  String,
  Punctuation, ///< One character.
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;
  uint64_t value = 0;
  uint32_t line = 0;
  uint32_t begin = 0; ///< Offset of the first character in the source.

  bool is(char c) const {
    return kind == TokenKind::Punctuation && text.front() == c;
  }
  bool isDirective(std::string_view name) const {
    return kind == TokenKind::Directive && text == name;
  }
};

/// Splits `source`, which must outlive the tokens. The last token is End.
Expected<std::vector<Token>> tokenize(std::string_view source);

/// "PTX line N: ", then `what`, as a DeviceError.
tl::unexpected<Error> ptxError(uint32_t line, std::string what);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_SYNTAX_LEXER_H
