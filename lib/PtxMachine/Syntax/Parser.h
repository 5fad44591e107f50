//===- Parser.h - PTX text to a Module --------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_SYNTAX_PARSER_H
#define CTC_LIB_PTXMACHINE_SYNTAX_PARSER_H

#include "Syntax/Lexer.h"
#include "Syntax/Syntax.h"

#include <functional>
#include <map>

namespace ctc::ptx {

/// Reads a whole module. Debug sections and .pragma are skipped.
/// Fails with a DeviceError that names the line.
Expected<Module> parseModule(std::string_view source);

/// The recursive descent behind parseModule. After a failure every function
/// returns false at once and `error` holds the first one.
class Parser {
public:
  Parser(std::string_view source, std::vector<Token> tokens)
      : source(source), tokens(std::move(tokens)) {}
  bool module();

  Module result;
  Error error;

private:
  // Tokens.
  const Token &peek(size_t ahead = 0) const;
  Token next();
  bool fail(const Token &token, const std::string &expected);
  bool acceptPunctuation(char c);
  bool acceptDirective(std::string_view name);
  bool expect(char c);
  bool name(std::string &out);
  bool integer(uint64_t &out);
  void skipStatement();
  bool skipBraces();
  bool skipLine();
  bool file();
  bool location();
  /// Counts a brace; fails when there are too many for the recursion.
  bool enterBraces();

  // Declarations.
  bool moduleItem();
  bool variable(Space space, bool isExternal, Variable &out);
  bool variableList(Space space, bool isExternal,
                    const std::function<bool(Variable)> &add);
  bool arrayBounds(Variable &out);
  bool initializer(Variable &out);
  bool initializerElement(Variable &out);
  bool function(bool isEntry);
  bool functionHeader(Function &out);
  bool parameterList(Function &out, std::vector<uint32_t> &indices);
  bool performanceDirectives(Function &out);
  bool threeNumbers(uint32_t (&out)[3]);

  // Bodies (ParserBody.cpp).
  struct Scope {
    std::map<std::string, uint32_t, std::less<>> registers;
    std::map<std::string, uint32_t, std::less<>> variables;
    std::map<std::string, unsigned, std::less<>> vectors; ///< Elements.
    /// `.reg .b32 %r<4>` declares %r0 to %r3; registers appear as they are
    /// used.
    struct Range {
      Type type;
      uint64_t count;
    };
    std::map<std::string, Range, std::less<>> ranges;
  };
  bool body(Function &out);
  bool statement(Function &out);
  bool bodyDirective(Function &out);
  bool registers(Function &out);
  bool branchTargets(Function &out, std::string label);
  bool instruction(Function &out);
  bool guard(Function &out, Instruction &instruction);
  bool operand(Function &out, Operand &result);
  bool primary(Function &out, Operand &result);
  bool literal(Operand &result);
  bool address(Function &out, Operand &result);
  bool elements(Function &out, char close, Operand &result);
  bool offset(int64_t &out);
  bool lookUp(Function &out, const std::string &name, Operand &result);
  void declareRegister(Function &out, const std::string &name, Type type);
  bool lookUpRegister(Function &out, const std::string &name, uint32_t &index);

  std::string_view source;
  std::vector<Token> tokens;
  size_t at = 0;
  unsigned depth = 0;     ///< Of nested braces in an operand or initialiser.
  SourceLocation current; ///< Of the last .loc.
  std::vector<Scope> scopes;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_SYNTAX_PARSER_H
