//===- Lexer.cpp - Tokens of PTX text -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Syntax/Lexer.h"

#include <bit>
#include <cstdlib>
#include <string>

namespace ctc::ptx {

tl::unexpected<Error> ptxError(uint32_t line, std::string what) {
  return makeError(ErrorCode::DeviceError,
                   "PTX line " + std::to_string(line) + ": " + what);
}

namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '$' || c == '%';
}
bool isWord(char c) { return isLetter(c) || isDigit(c); }
int hexDigit(char c) {
  if (isDigit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 99;
}

class Lexer {
public:
  explicit Lexer(std::string_view source) : source(source) {}
  Expected<std::vector<Token>> run();

private:
  char peek(size_t ahead = 0) const {
    return at + ahead < source.size() ? source[at + ahead] : '\0';
  }
  bool skipBlank();
  void word();
  bool number();
  bool string();
  bool bitPattern(TokenKind kind, unsigned digits);
  void push(TokenKind kind, size_t begin, size_t end, uint64_t value = 0) {
    tokens.push_back({kind, source.substr(begin, end - begin), value, line,
                      static_cast<uint32_t>(begin)});
  }

  std::string_view source;
  size_t at = 0;
  uint32_t line = 1;
  std::vector<Token> tokens;
};

/// Skips white space and comments; false on a comment without an end.
bool Lexer::skipBlank() {
  while (at < source.size()) {
    char c = source[at];
    if (c == '\n') {
      ++line;
      ++at;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\0') {
      ++at;
    } else if (c == '/' && peek(1) == '/') {
      while (at < source.size() && source[at] != '\n')
        ++at;
    } else if (c == '/' && peek(1) == '*') {
      size_t end = source.find("*/", at + 2);
      if (end == std::string_view::npos)
        return false;
      for (; at < end + 2; ++at)
        line += source[at] == '\n';
    } else {
      return true;
    }
  }
  return true;
}

void Lexer::word() {
  size_t begin = at;
  TokenKind kind = TokenKind::Identifier;
  if (source[at] == '.') {
    kind = TokenKind::Directive;
    ++begin;
    ++at;
  }
  while (at < source.size()) {
    if (isWord(peek()))
      ++at;
    else if (peek() == '.' && isWord(peek(1)))
      at += 2;
    else if (peek() == ':' && peek(1) == ':' && isWord(peek(2)))
      at += 3;
    else
      break;
  }
  push(kind, begin, at);
}

bool Lexer::bitPattern(TokenKind kind, unsigned digits) {
  size_t begin = at;
  at += 2;
  uint64_t value = 0;
  for (unsigned i = 0; i < digits; ++i, ++at) {
    if (hexDigit(peek()) >= 16)
      return false;
    value = value << 4 | static_cast<uint64_t>(hexDigit(peek()));
  }
  push(kind, begin, at, value);
  return !isWord(peek());
}

/// PTX ISA, "Constants": decimal, octal, hexadecimal and binary integers with
/// an optional U, decimal floats, and bit patterns 0f (f32) and 0d (f64).
bool Lexer::number() {
  char second = peek(1);
  if (peek() == '0' && (second == 'f' || second == 'F'))
    return bitPattern(TokenKind::Float32, 8);
  if (peek() == '0' && (second == 'd' || second == 'D'))
    return bitPattern(TokenKind::Float64, 16);
  size_t begin = at;
  int base = 10;
  if (peek() == '0' && (second == 'x' || second == 'X'))
    base = 16;
  else if (peek() == '0' && (second == 'b' || second == 'B'))
    base = 2;
  else if (peek() == '0' && isDigit(second))
    base = 8;
  size_t scan = at;
  if (base == 10) {
    while (scan < source.size() && isDigit(source[scan]))
      ++scan;
    bool fraction =
        scan < source.size() &&
        (source[scan] == '.' || source[scan] == 'e' || source[scan] == 'E');
    if (fraction) {
      std::string text(source.substr(at, 64));
      char *end = nullptr;
      double value = std::strtod(text.c_str(), &end);
      at += static_cast<size_t>(end - text.c_str());
      push(TokenKind::Float64, begin, at, std::bit_cast<uint64_t>(value));
      return true;
    }
  }
  at += base == 16 || base == 2 ? 2 : 0;
  uint64_t value = 0;
  size_t first = at;
  while (hexDigit(peek()) < base)
    value = value * static_cast<uint64_t>(base) +
            static_cast<uint64_t>(hexDigit(source[at++]));
  if (at == first)
    return false;
  push(TokenKind::Integer, begin, at, value);
  if (peek() == 'U')
    ++at;
  return !isWord(peek());
}

bool Lexer::string() {
  size_t begin = ++at;
  while (at < source.size() && source[at] != '"' && source[at] != '\n')
    at += source[at] == '\\' && at + 1 < source.size() ? 2 : 1;
  if (peek() != '"')
    return false;
  push(TokenKind::String, begin, at++);
  return true;
}

Expected<std::vector<Token>> Lexer::run() {
  for (;;) {
    if (!skipBlank())
      return ptxError(line, "a comment '/*' has no end");
    if (at >= source.size())
      break;
    char c = source[at];
    size_t begin = at;
    bool good = true;
    if (isLetter(c) || (c == '.' && isLetter(peek(1))))
      word();
    else if (isDigit(c))
      good = number();
    else if (c == '"')
      good = string();
    else if (static_cast<unsigned char>(c) > ' ' && c != 127 && !(c & 0x80))
      push(TokenKind::Punctuation, at, at + 1), ++at;
    else
      good = false;
    if (!good)
      return ptxError(line, "'" + std::string(source.substr(begin, 1)) +
                                "' starts nothing that is a token of PTX");
  }
  push(TokenKind::End, source.size(), source.size());
  return std::move(tokens);
}

} // namespace

Expected<std::vector<Token>> tokenize(std::string_view source) {
  return Lexer(source).run();
}

} // namespace ctc::ptx
