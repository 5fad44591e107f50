//===- Parser.cpp - Declarations of PTX -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Directives" and "State Spaces, Types, and Variables".
//
//===----------------------------------------------------------------------===//

#include "Syntax/Parser.h"

#include <algorithm>

namespace ctc::ptx {

Expected<Module> parseModule(std::string_view source) {
  auto tokens = tokenize(source);
  if (!tokens)
    return tl::unexpected<Error>(tokens.error());
  Parser parser(source, std::move(*tokens));
  if (!parser.module())
    return tl::unexpected<Error>(parser.error);
  return std::move(parser.result);
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

const Token &Parser::peek(size_t ahead) const {
  return tokens[std::min(at + ahead, tokens.size() - 1)];
}

Token Parser::next() {
  Token token = peek();
  if (at + 1 < tokens.size())
    ++at;
  return token;
}

bool Parser::fail(const Token &token, const std::string &expected) {
  std::string found = token.kind == TokenKind::End
                          ? "the end of the text"
                          : "'" + std::string(token.text) + "'";
  error =
      ptxError(token.line, "expected " + expected + ", found " + found).value();
  return false;
}

bool Parser::acceptPunctuation(char c) {
  if (!peek().is(c))
    return false;
  next();
  return true;
}

bool Parser::acceptDirective(std::string_view name) {
  if (!peek().isDirective(name))
    return false;
  next();
  return true;
}

bool Parser::expect(char c) {
  return acceptPunctuation(c) || fail(peek(), std::string("'") + c + "'");
}

bool Parser::name(std::string &out) {
  if (peek().kind != TokenKind::Identifier)
    return fail(peek(), "a name");
  out = next().text;
  return true;
}

bool Parser::integer(uint64_t &out) {
  bool negative = acceptPunctuation('-');
  if (peek().kind != TokenKind::Integer)
    return fail(peek(), "an integer");
  out = next().value;
  if (negative)
    out = 0 - out;
  return true;
}

/// Skips to behind the next semicolon.
void Parser::skipStatement() {
  while (peek().kind != TokenKind::End && !next().is(';'))
    ;
}

bool Parser::skipBraces() {
  if (!expect('{'))
    return false;
  for (unsigned depth = 1; depth;) {
    Token token = next();
    if (token.kind == TokenKind::End)
      return fail(token, "'}'");
    depth += token.is('{');
    depth -= token.is('}');
  }
  return true;
}

bool Parser::enterBraces() {
  return ++depth <= 64 || fail(peek(), "at most 64 nested braces");
}

/// Directives that end with their line.
bool Parser::skipLine() {
  uint32_t line = next().line;
  while (peek().kind != TokenKind::End && peek().line == line)
    next();
  return true;
}

/// .file number "name" {, time, size}
bool Parser::file() {
  if (peek(1).kind == TokenKind::Integer && peek(2).kind == TokenKind::String)
    result.files[static_cast<uint32_t>(peek(1).value)] = peek(2).text;
  return skipLine();
}

/// .loc file line column {, function_name ..., inlined_at file line column}
bool Parser::location() {
  uint32_t numbers[3] = {0, 0, 0};
  for (size_t i = 0; i < 3 && peek(i + 1).kind == TokenKind::Integer &&
                     peek(i + 1).line == peek().line;
       ++i)
    numbers[i] = static_cast<uint32_t>(peek(i + 1).value);
  current = {numbers[0], numbers[1], numbers[2]};
  return skipLine();
}

//===----------------------------------------------------------------------===//
// Module
//===----------------------------------------------------------------------===//

bool Parser::module() {
  while (peek().kind != TokenKind::End)
    if (!moduleItem())
      return false;
  return true;
}

bool Parser::moduleItem() {
  if (acceptPunctuation(';'))
    return true;
  const Token &token = peek();
  if (token.kind != TokenKind::Directive)
    return fail(token, "a directive");
  if (token.text == "file")
    return file();
  if (token.text == "loc" || token.text == "version" ||
      token.text == "target" || token.text == "address_size")
    return skipLine();
  if (token.text == "section") {
    next();
    next(); // Its name.
    return skipBraces();
  }
  if (token.text == "pragma" || token.text == "alias") {
    skipStatement();
    return true;
  }
  bool isExternal = false;
  while (peek().isDirective("visible") || peek().isDirective("extern") ||
         peek().isDirective("weak") || peek().isDirective("common") ||
         peek().isDirective("internal"))
    isExternal |= next().text == "extern";
  if (acceptDirective("entry"))
    return function(/*isEntry=*/true);
  if (acceptDirective("func"))
    return function(/*isEntry=*/false);
  auto add = [this](Variable variable) {
    result.variables.push_back(std::move(variable));
    return true;
  };
  if (acceptDirective("global"))
    return variableList(Space::Global, isExternal, add);
  if (acceptDirective("const"))
    return variableList(Space::Const, isExternal, add);
  if (acceptDirective("shared"))
    return variableList(Space::Shared, isExternal, add);
  return fail(peek(), "a variable or a function");
}

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

bool Parser::variableList(Space space, bool isExternal,
                          const std::function<bool(Variable)> &add) {
  Variable first;
  if (!variable(space, isExternal, first) || !add(first))
    return false;
  while (acceptPunctuation(',')) {
    Variable another = first;
    another.initial.clear();
    another.bytes = another.elementBytes;
    if (!name(another.name) || !arrayBounds(another) || !initializer(another) ||
        !add(another))
      return false;
  }
  return expect(';');
}

/// From behind the state space: alignment, type, name, bounds, initialiser.
bool Parser::variable(Space space, bool isExternal, Variable &out) {
  out.space = space;
  out.isExternal = isExternal;
  out.line = peek().line;
  unsigned vector = 1;
  bool typed = false, pointee = false;
  while (peek().kind == TokenKind::Directive) {
    Token token = next();
    uint64_t number = 0;
    if (token.text == "align") {
      if (!integer(number))
        return false;
      // Behind .ptr the alignment is of what the parameter points to.
      if (!pointee)
        out.alignment = static_cast<uint32_t>(number);
    } else if (token.text == "v2" || token.text == "v4") {
      vector = token.text == "v2" ? 2 : 4;
    } else if (token.text == "attribute") {
      while (!acceptPunctuation(')'))
        if (next().kind == TokenKind::End)
          return fail(peek(), "')'");
    } else if (auto type = parseType(token.text);
               type && !type->isPredicate()) {
      out.type = *type;
      typed = true;
    } else if (token.text == "ptr") {
      pointee = true;
    } else if (!(token.text == "global" || token.text == "const" ||
                 token.text == "shared" || token.text == "local" ||
                 token.text == "param")) {
      return fail(token, "a type");
    }
  }
  if (!typed)
    return fail(peek(), "a type");
  out.elementBytes = out.type.bytes() * vector;
  out.bytes = out.elementBytes;
  out.alignment = std::max(out.alignment, out.elementBytes);
  if (out.alignment > (1u << 16) || (out.alignment & (out.alignment - 1)))
    return fail(peek(), "an alignment that is a power of two before the name");
  return name(out.name) && arrayBounds(out) && initializer(out);
}

bool Parser::arrayBounds(Variable &out) {
  while (acceptPunctuation('[')) {
    if (acceptPunctuation(']')) {
      out.isUnsizedArray = true;
      out.bytes = 0;
      continue;
    }
    Token token = peek();
    uint64_t count = 0;
    if (!integer(count) || !expect(']'))
      return false;
    if (__builtin_mul_overflow(out.bytes, count, &out.bytes) ||
        out.bytes > (uint64_t(1) << 40))
      return fail(token, "an array of at most 2^40 bytes");
  }
  return true;
}

bool Parser::initializer(Variable &out) {
  if (!acceptPunctuation('='))
    return true;
  Token token = peek();
  if (!initializerElement(out))
    return false;
  uint64_t needed = out.initial.size() * uint64_t(out.type.bytes());
  if (out.isUnsizedArray && out.bytes == 0)
    out.bytes = needed;
  if (needed > out.bytes)
    return fail(token, "an initialiser that fits its variable");
  return true;
}

/// A number, a variable with an offset, generic(variable), MASK(variable), or
/// a brace of these; nested braces flatten in row-major order.
bool Parser::initializerElement(Variable &out) {
  if (acceptPunctuation('{')) {
    if (!enterBraces())
      return false;
    if (!peek().is('}')) {
      do {
        if (!initializerElement(out))
          return false;
      } while (acceptPunctuation(','));
    }
    --depth;
    return expect('}');
  }
  Initializer element;
  unsigned open = 0;
  while ((peek().kind == TokenKind::Integer || peek().text == "generic") &&
         peek(1).is('(')) {
    Token token = next();
    next();
    ++open;
    if (token.kind == TokenKind::Integer)
      element.mask = token.value;
  }
  if (peek().kind == TokenKind::Identifier) {
    element.symbol = next().text;
  } else {
    Operand value;
    if (!literal(value))
      return false;
    element.literal = value.literal;
    element.bits = value.bits;
  }
  // Offsets may stand inside and outside of the parentheses.
  int64_t distance = 0;
  bool named = !element.symbol.empty();
  if (named && !offset(distance))
    return false;
  for (; open > 0; --open)
    if (!expect(')') || (named && !offset(distance)))
      return false;
  if (named)
    element.bits = static_cast<uint64_t>(distance);
  out.initial.push_back(std::move(element));
  return true;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

bool Parser::function(bool isEntry) {
  Function out;
  out.isEntry = isEntry;
  scopes.assign(1, {});
  if (!functionHeader(out))
    return false;
  if (acceptPunctuation(';')) { // A prototype; a body may follow elsewhere.
    result.functions.push_back(std::move(out));
    return true;
  }
  out.hasBody = true;
  if (!body(out))
    return false;
  result.functions.push_back(std::move(out));
  return true;
}

bool Parser::functionHeader(Function &out) {
  while (acceptDirective("attribute"))
    while (!acceptPunctuation(')'))
      if (next().kind == TokenKind::End)
        return fail(peek(), "')'");
  if (peek().is('(') && !parameterList(out, out.results))
    return false;
  out.line = peek().line;
  if (!name(out.name))
    return false;
  if (peek().is('(') && !parameterList(out, out.parameters))
    return false;
  return performanceDirectives(out);
}

bool Parser::parameterList(Function &out, std::vector<uint32_t> &indices) {
  if (!expect('('))
    return false;
  if (acceptPunctuation(')'))
    return true;
  do {
    if (!acceptDirective("param"))
      return fail(peek(), "'.param'");
    Variable parameter;
    if (!variable(Space::Param, false, parameter))
      return false;
    auto index = static_cast<uint32_t>(out.variables.size());
    scopes.back().variables[parameter.name] = index;
    indices.push_back(index);
    out.variables.push_back(std::move(parameter));
  } while (acceptPunctuation(','));
  return expect(')');
}

bool Parser::threeNumbers(uint32_t (&out)[3]) {
  for (unsigned i = 0; i < 3; ++i) {
    uint64_t value = 1;
    if ((i == 0 || acceptPunctuation(',')) && !integer(value))
      return false;
    out[i] = static_cast<uint32_t>(value);
  }
  return true;
}

bool Parser::performanceDirectives(Function &out) {
  uint32_t ignored[3];
  while (peek().kind == TokenKind::Directive) {
    Token token = next();
    if (token.text == "maxntid") {
      if (!threeNumbers(out.maxThreads))
        return false;
    } else if (token.text == "reqntid") {
      if (!threeNumbers(out.requiredThreads))
        return false;
    } else if (token.text == "reqnctapercluster") {
      if (!threeNumbers(out.requiredCluster))
        return false;
    } else if (token.text == "maxclusterrank") {
      if (!threeNumbers(out.maxClusterRank))
        return false;
    } else if (token.text == "maxnreg") {
      if (!threeNumbers(out.maxRegisters))
        return false;
    } else if (token.text == "minnctapersm") {
      if (!threeNumbers(out.minBlocks))
        return false;
    } else if (token.text == "maxnctapersm") {
      if (!threeNumbers(ignored))
        return false;
    } else if (token.text == "pragma") {
      skipStatement();
    } else if (!(token.text == "noreturn" || token.text == "explicitcluster" ||
                 token.text == "blocksareclusters" || token.text == "unique")) {
      return fail(token, "a directive of a function");
    }
  }
  return true;
}

} // namespace ctc::ptx
