//===- ParserBody.cpp - Bodies of PTX functions ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Statements" and "Instruction Operands".
//
//===----------------------------------------------------------------------===//

#include "Syntax/Parser.h"

#include <charconv>

namespace ctc::ptx {

bool Parser::body(Function &out) {
  if (!expect('{'))
    return false;
  size_t outer = scopes.size();
  scopes.emplace_back();
  current = {};
  while (scopes.size() > outer) {
    if (acceptPunctuation('{')) {
      scopes.emplace_back();
    } else if (acceptPunctuation('}')) {
      scopes.pop_back();
    } else if (!statement(out)) {
      return false;
    }
  }
  return true;
}

bool Parser::statement(Function &out) {
  const Token &token = peek();
  if (acceptPunctuation(';'))
    return true;
  if (token.kind == TokenKind::Directive)
    return bodyDirective(out);
  if (token.kind == TokenKind::Identifier && peek(1).is(':')) {
    std::string label(next().text);
    next();
    if (acceptDirective("branchtargets"))
      return branchTargets(out, label);
    if (peek().isDirective("callprototype") ||
        peek().isDirective("calltargets")) {
      skipStatement();
      return true;
    }
    Statement result;
    result.isLabel = true;
    result.label = std::move(label);
    out.body.push_back(std::move(result));
    return true;
  }
  return instruction(out);
}

bool Parser::branchTargets(Function &out, std::string label) {
  std::vector<std::string> labels;
  do {
    std::string target;
    if (!name(target))
      return false;
    labels.push_back(std::move(target));
  } while (acceptPunctuation(','));
  out.branchTargets[std::move(label)] = std::move(labels);
  return expect(';');
}

bool Parser::bodyDirective(Function &out) {
  const Token &token = peek();
  if (token.text == "loc")
    return location();
  if (token.text == "file")
    return file();
  if (token.text == "pragma" || token.text == "maxnreg" ||
      token.text == "minnctapersm") {
    skipStatement();
    return true;
  }
  if (acceptDirective("reg"))
    return registers(out);
  auto add = [&](Variable variable) {
    scopes.back().variables[variable.name] =
        static_cast<uint32_t>(out.variables.size());
    out.variables.push_back(std::move(variable));
    return true;
  };
  if (acceptDirective("local"))
    return variableList(Space::Local, false, add);
  if (acceptDirective("shared"))
    return variableList(Space::Shared, false, add);
  if (acceptDirective("param"))
    return variableList(Space::Param, false, add);
  return fail(peek(), "an instruction or a declaration");
}

bool Parser::registers(Function &out) {
  if (peek().kind != TokenKind::Directive)
    return fail(peek(), "a type");
  unsigned elements = acceptDirective("v2") ? 2 : acceptDirective("v4") ? 4 : 0;
  Token token = next();
  auto type = parseType(token.text);
  if (token.kind != TokenKind::Directive || !type || type->bits > 64)
    return fail(token, "a type of at most 64 bits");
  do {
    std::string base;
    if (!name(base))
      return false;
    if (acceptPunctuation('<')) {
      uint64_t count = 0;
      if (!integer(count) || !expect('>'))
        return false;
      scopes.back().ranges[base] = {*type, count};
    } else if (elements) {
      // A vector register is its elements: name.x, name.y, ...
      scopes.back().vectors[base] = elements;
      for (unsigned i = 0; i < elements; ++i)
        declareRegister(out, base + "." + "xyzw"[i], *type);
    } else {
      declareRegister(out, base, *type);
    }
  } while (acceptPunctuation(','));
  return expect(';');
}

void Parser::declareRegister(Function &out, const std::string &name,
                             Type type) {
  scopes.back().registers[name] = static_cast<uint32_t>(out.registers.size());
  out.registers.push_back({name, type});
}

bool Parser::lookUpRegister(Function &out, const std::string &name,
                            uint32_t &index) {
  size_t digits = name.size();
  while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9')
    --digits;
  uint64_t number = ~uint64_t(0);
  std::from_chars(name.data() + digits, name.data() + name.size(), number);
  std::string_view base = std::string_view(name).substr(0, digits);
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    if (auto found = scope->registers.find(name);
        found != scope->registers.end()) {
      index = found->second;
      return true;
    }
    auto range = scope->ranges.find(base);
    if (range != scope->ranges.end() && number < range->second.count) {
      index = static_cast<uint32_t>(out.registers.size());
      out.registers.push_back({name, range->second.type});
      scope->registers[name] = index;
      return true;
    }
  }
  return false;
}

/// A register, a variable of the function, or else a name for later.
bool Parser::lookUp(Function &out, const std::string &name, Operand &result) {
  if (lookUpRegister(out, name, result.index)) {
    result.kind = Operand::Kind::Register;
    return true;
  }
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto found = scope->vectors.find(name); found != scope->vectors.end()) {
      result.kind = Operand::Kind::Vector;
      result.elements.resize(found->second);
      for (unsigned i = 0; i < found->second; ++i)
        lookUp(out, name + "." + "xyzw"[i], result.elements[i]);
      return true;
    }
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto found = scope->variables.find(name);
        found != scope->variables.end()) {
      result.kind = Operand::Kind::Variable;
      result.index = found->second;
      return true;
    }
  bool special = name.front() == '%' || name == "WARP_SZ";
  result.kind = special ? Operand::Kind::Special : Operand::Kind::Symbol;
  result.name = name;
  return true;
}

bool Parser::guard(Function &out, Instruction &instruction) {
  if (!acceptPunctuation('@'))
    return true;
  instruction.hasGuard = true;
  instruction.guardNegated = acceptPunctuation('!');
  Token token = peek();
  std::string text;
  if (!name(text))
    return false;
  if (!lookUpRegister(out, text, instruction.guard) ||
      !out.registers[instruction.guard].type.isPredicate())
    return fail(token, "a predicate register");
  return true;
}

bool Parser::instruction(Function &out) {
  Statement result;
  Instruction &instruction = result.instruction;
  const Token first = peek();
  instruction.line = first.line;
  instruction.location = current;
  if (!guard(out, instruction))
    return false;
  if (peek().kind != TokenKind::Identifier)
    return fail(peek(), "an instruction");
  std::string_view opcode = next().text;
  size_t dot = opcode.find('.');
  instruction.opcode = opcode.substr(0, dot);
  while (dot != std::string_view::npos) {
    size_t end = opcode.find('.', dot + 1);
    instruction.modifiers.emplace_back(opcode.substr(dot + 1, end - dot - 1));
    dot = end;
  }
  if (!peek().is(';')) {
    do {
      Operand value;
      if (!operand(out, value))
        return false;
      instruction.operands.push_back(std::move(value));
    } while (acceptPunctuation(','));
  }
  uint32_t end = peek().begin;
  if (!expect(';'))
    return false;
  for (char c : source.substr(first.begin, end + 1 - first.begin)) {
    bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank)
      instruction.text += c;
    else if (!instruction.text.empty() && instruction.text.back() != ' ')
      instruction.text += ' ';
  }
  out.body.push_back(std::move(result));
  return true;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

bool Parser::operand(Function &out, Operand &result) {
  if (!primary(out, result))
    return false;
  if (!acceptPunctuation('|'))
    return true;
  Operand pair;
  pair.kind = Operand::Kind::Pair;
  pair.elements.push_back(std::move(result));
  pair.elements.emplace_back();
  if (!primary(out, pair.elements.back()))
    return false;
  result = std::move(pair);
  return true;
}

bool Parser::primary(Function &out, Operand &result) {
  if (acceptPunctuation('[')) {
    result.kind = Operand::Kind::Address;
    return address(out, result);
  }
  if (acceptPunctuation('{')) {
    result.kind = Operand::Kind::Vector;
    return elements(out, '}', result);
  }
  if (acceptPunctuation('(')) {
    result.kind = Operand::Kind::List;
    return elements(out, ')', result);
  }
  if (peek().is('!') && peek(1).kind == TokenKind::Identifier) {
    next();
    result.negated = true;
  }
  if (peek().kind != TokenKind::Identifier)
    return literal(result);
  std::string text(next().text);
  if (text == "_") {
    result.kind = Operand::Kind::Sink;
    return true;
  }
  if (!lookUp(out, text, result))
    return false;
  bool placed = result.kind == Operand::Kind::Variable ||
                result.kind == Operand::Kind::Symbol;
  return !placed || offset(result.offset);
}

bool Parser::elements(Function &out, char close, Operand &result) {
  if (acceptPunctuation(close))
    return true;
  if (!enterBraces())
    return false;
  do {
    result.elements.emplace_back();
    if (!operand(out, result.elements.back()))
      return false;
  } while (acceptPunctuation(','));
  --depth;
  return expect(close);
}

/// [base], [base+offset], [number] and, for tensors, [base, {coordinates}].
bool Parser::address(Function &out, Operand &result) {
  result.elements.emplace_back();
  if (!operand(out, result.elements.back()) || !offset(result.offset))
    return false;
  Operand &base = result.elements.front();
  result.offset += base.offset;
  base.offset = 0;
  if (acceptPunctuation(','))
    return elements(out, ']', result);
  return expect(']');
}

/// Any number of +n, -n and +-n.
bool Parser::offset(int64_t &out) {
  while (peek().is('+') || peek().is('-')) {
    bool negative = next().is('-');
    uint64_t value = 0;
    if (!integer(value))
      return false;
    out = static_cast<int64_t>(static_cast<uint64_t>(out) +
                               (negative ? 0 - value : value));
  }
  return true;
}

bool Parser::literal(Operand &result) {
  result.kind = Operand::Kind::Literal;
  char sign = 0;
  if (peek().is('-') || peek().is('~') || peek().is('!'))
    sign = next().text.front();
  const Token token = peek();
  switch (token.kind) {
  case TokenKind::Integer:
    result.literal = LiteralKind::Integer;
    result.bits = sign == '-'   ? 0 - token.value
                  : sign == '~' ? ~token.value
                  : sign == '!' ? token.value == 0
                                : token.value;
    break;
  case TokenKind::Float32:
    result.literal = LiteralKind::Float32;
    result.bits = token.value ^ (sign == '-' ? uint64_t(1) << 31 : 0);
    break;
  case TokenKind::Float64:
    result.literal = LiteralKind::Float64;
    result.bits = token.value ^ (sign == '-' ? uint64_t(1) << 63 : 0);
    break;
  default:
    return fail(token, "an operand");
  }
  next();
  return true;
}

} // namespace ctc::ptx
