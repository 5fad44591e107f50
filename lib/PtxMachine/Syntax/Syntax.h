//===- Syntax.h - A PTX module as it was written ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the parser makes of PTX text: variables, functions, instructions with
// operands. Scopes are resolved (a register or a variable of a function is an
// index); module variables, functions and labels are still names.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_SYNTAX_SYNTAX_H
#define CTC_LIB_PTXMACHINE_SYNTAX_SYNTAX_H

#include "Syntax/Types.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ctc::ptx {

/// How a literal was written: an integer may stand for any type, a float
/// pattern only for its own or (decimals) any float type.
enum class LiteralKind : uint8_t { Integer, Float32, Float64 };

/// One element of an initialiser: a number, or the address of a variable plus
/// an offset, of which a byte array may take one byte: 0xFF00(variable).
struct Initializer {
  LiteralKind literal = LiteralKind::Integer;
  uint64_t bits = 0;  ///< The number, or the offset from `symbol`.
  std::string symbol; ///< Empty for a number.
  uint64_t mask = 0;  ///< The bits taken of the address; 0 for all.
};

struct Variable {
  std::string name;
  Space space = Space::Global;
  Type type;
  uint32_t alignment = 0;  ///< Bytes; at least the type's own size.
  uint64_t bytes = 0;      ///< 0 for an array without a length.
  bool isExternal = false; ///< .extern
  bool isUnsizedArray = false;
  unsigned elementBytes = 0;
  std::vector<Initializer> initial;
  uint32_t line = 0;
};

struct Register {
  std::string name;
  Type type;
};

struct Operand {
  enum class Kind : uint8_t {
    Register, ///< `index` in the function's registers.
    Special,  ///< `name`: %tid.x, %clock64, WARP_SZ
    Literal,  ///< `bits` and `literal`
    Variable, ///< `index` in the function's variables, plus `offset`.
    Symbol,   ///< `name` of a module variable, a function or a label, plus
              ///< `offset`.
    Address,  ///< [elements[0] + offset], further elements as written.
    Vector,   ///< {elements}
    Pair,     ///< elements[0] | elements[1]
    List,     ///< (elements), of a call
    Sink,     ///< _
  };
  Kind kind = Kind::Sink;
  LiteralKind literal = LiteralKind::Integer;
  bool negated = false; ///< !predicate
  uint32_t index = 0;
  uint64_t bits = 0;
  int64_t offset = 0;
  std::string name;
  std::vector<Operand> elements;
};

/// PTX ISA, "Debugging Directives: .loc".
struct SourceLocation {
  uint32_t file = 0; ///< The number in .file.
  uint32_t line = 0; ///< 0: none is given.
  uint32_t column = 0;
};

struct Instruction {
  uint32_t line = 0;
  SourceLocation location;
  std::string text; ///< As written, white space folded, with its semicolon.
  bool hasGuard = false;
  bool guardNegated = false;
  uint32_t guard = 0; ///< Register of the guard predicate.
  std::string opcode; ///< The word before the first dot.
  std::vector<std::string> modifiers;
  std::vector<Operand> operands;
};

/// A label or an instruction of a body.
struct Statement {
  bool isLabel = false;
  std::string label;
  Instruction instruction;
};

struct Function {
  std::string name;
  bool isEntry = false;
  bool hasBody = false;
  uint32_t line = 0;
  std::vector<uint32_t> parameters; ///< Indices in `variables`.
  std::vector<uint32_t> results;    ///< Indices in `variables`.
  std::vector<Register> registers;
  std::vector<Variable> variables;
  std::vector<Statement> body;
  /// The labels of each .branchtargets list.
  std::map<std::string, std::vector<std::string>> branchTargets;
  uint32_t maxThreads[3] = {0, 0, 0};      ///< .maxntid; 0: not given.
  uint32_t requiredThreads[3] = {0, 0, 0}; ///< .reqntid; 0: not given.
  uint32_t requiredCluster[3] = {0, 0,
                                 0};      ///< .reqnctapercluster; 0: not given.
  uint32_t maxClusterRank[3] = {0, 0, 0}; ///< .maxclusterrank, in the first.
  uint32_t maxRegisters[3] = {0, 0, 0};   ///< .maxnreg, in the first.
  uint32_t minBlocks[3] = {0, 0, 0};      ///< .minnctapersm, in the first.
};

struct Module {
  std::vector<Variable> variables;
  std::vector<Function> functions;
  std::map<uint32_t, std::string> files; ///< By the number in .file.
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_SYNTAX_SYNTAX_H
