//===- OpBuilder.h - From an instruction to operations ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an instruction family sees while it decodes: the instruction with its
// modifiers and operands, and `emit`, which appends an operation. A decoder
//
//  * returns NotMine, before anything else, for a type or form that belongs to
//    another family or to none;
//  * takes every modifier it knows; what is left over makes the instruction
//    unknown, so nothing is ever ignored by accident;
//  * makes slots of operands (the first failure sticks) and emits.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_PROGRAM_OPBUILDER_H
#define CTC_LIB_PTXMACHINE_PROGRAM_OPBUILDER_H

#include "Program/Program.h"
#include "Syntax/Syntax.h"
#include "ctc/Support/Error.h"

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ctc::ptx {

class OpBuilder;

enum class Decode { NotMine, Done };
using Decoder = Decode (*)(OpBuilder &builder);
/// By opcode; families add to it, and a type decides between them.
using DecoderTable = std::multimap<std::string, Decoder, std::less<>>;

/// A row before it has its place in the register file.
struct VirtualRow {
  enum class Kind : uint8_t { Register, Constant, Special };
  Kind kind = Kind::Register;
  uint8_t bits = 32;  ///< 32 or 64.
  uint64_t value = 0; ///< Constant; SpecialRegister.
};

/// Which of an operation's r[] are rows, and which of these it writes.
struct OperandRoles {
  uint32_t wideCount = 0; ///< Operands in Program::wideOperands, if any.
  uint32_t wideDefs = 0;  ///< The first so many of them are written.
  /// The first so many are a wgmma's matrix registers; those that it writes it
  /// also reads.
  uint32_t wideMatrix = 0;
  uint8_t rows = 0; ///< Bit k: r[k] is a row.
  uint8_t defs = 0; ///< Bit k: r[k] is written.
};

struct Slot {
  uint32_t id = 0;
  bool isRow = true;
  bool isDef = false;
};

/// Where a name of a function or module is.
struct Place {
  Space space = Space::Global;
  uint64_t address = 0;
};

/// What does not change from instruction to instruction of a function.
struct FunctionContext {
  const Function *function = nullptr;
  std::vector<Place> variables;      ///< By index in function->variables.
  std::vector<uint32_t> registerIds; ///< Row or predicate of each register.
  std::vector<bool> registerKnown;
  const std::map<std::string, Place> *symbols = nullptr;
};

class OpBuilder {
public:
  explicit OpBuilder(Program &program) : program(program) {}

  void beginFunction(FunctionContext *context) { this->context = context; }
  /// Decodes by `table` the instruction, whose index in sources is `source`.
  Expected<void> decode(const DecoderTable &table,
                        const Instruction &instruction, uint32_t source);
  /// Points at an instruction that is not decoded by a table.
  void beginInstruction(const Instruction &instruction, uint32_t source);
  std::optional<Error> takeError();
  /// The guard of the instruction, as Op::guard has it.
  uint32_t currentGuard() const { return guard; }

  //--- Modifiers ---------------------------------------------------------===//
  const Instruction &instruction() const { return *current; }
  /// Takes the modifier if it is there.
  bool take(std::string_view modifier);
  /// Takes the first of these that is there; its index, or -1.
  int takeOneOf(std::initializer_list<std::string_view> modifiers);
  /// Takes the next modifier that names a type.
  std::optional<Type> takeType();
  /// Takes all modifiers that begin with `prefix`.
  void takePrefixed(std::string_view prefix);
  /// Whether none is left.
  bool allTaken() const;

  /// Whether the function is a kernel, whose .param is the launch's.
  bool inKernel() const { return context->function->isEntry; }

  //--- Operands ----------------------------------------------------------===//
  size_t operandCount() const { return current->operands.size(); }
  const Operand &operand(size_t index) const;
  Slot def(const Operand &operand, Type type);
  Slot use(const Operand &operand, Type type);
  Slot def(size_t index, Type type) { return def(operand(index), type); }
  Slot use(size_t index, Type type) { return use(operand(index), type); }
  Slot defPredicate(const Operand &operand);
  Slot usePredicate(const Operand &operand);
  /// Of ld, st and cvt: the register may be wider than `type`; its width is
  /// 16, 32 or 64.
  Slot defAtLeast(const Operand &operand, Type type, unsigned &registerBits);
  Slot useAtLeast(const Operand &operand, Type type);
  /// The base row of an address and, in `offset`, what to add; `bits` is the
  /// width of the base.
  Slot address(const Operand &operand, int64_t &offset, unsigned &bits);
  /// The space a named variable of an address lies in.
  std::optional<Space> addressSpace(const Operand &operand) const;
  /// The address of a variable named by an operand.
  std::optional<Place> place(const Operand &operand) const;
  Slot constant(uint64_t value, unsigned bits);
  Slot temporary(unsigned bits);
  Slot special(SpecialRegister which, unsigned bits);
  /// The predicate that holds the carries of add.cc and its kin.
  uint32_t carryPredicate();
  /// A predicate that holds nowhere.
  uint32_t neverPredicate();
  bool isPredicate(const Operand &operand) const;
  /// Whether the operand is a 64-bit register.
  bool isWide(const Operand &operand) const;
  /// The value of an integer literal.
  std::optional<int64_t> literal(const Operand &operand) const;
  /// Makes the instruction an error: `what` completes "in '<text>', ".
  Slot malformed(const std::string &what);

  //--- Operations --------------------------------------------------------===//
  /// Appends an operation. The reference holds until the next emit.
  Op &emit(Handlers handlers, const std::vector<Slot> &slots);
  /// Appends an operation with fragments of a wgmma: all of `slots` are wide
  /// operands, of which the first `matrix` hold fragments (the definitions are
  /// read, too) and share no row with other registers.
  Op &emitMatrix(Handlers handlers, const std::vector<Slot> &slots,
                 size_t matrix);
  /// Appends an operation that waits for the lanes of `members` (a row) and
  /// is executed for all of them at once. It ends the basic block.
  Op &emitCollective(Handlers handlers, const std::vector<Slot> &slots,
                     Slot members);
  /// Appends an operation that is executed, and while it sets Warp::wouldWait
  /// executed again later. It ends the basic block.
  Op &emitPolling(Handlers handlers, const std::vector<Slot> &slots);
  /// The terminator the instruction ended the basic block with, if it did.
  std::optional<TerminatorKind> endsBlock() const { return ending; }
  uint32_t newCacheSlot() { return program.cacheSlots++; }

  Program &program;
  std::vector<VirtualRow> rows;
  std::vector<OperandRoles> roles; ///< Parallel to program.ops.

private:
  Op &append(Handlers handlers, OperandRoles role);
  OperandRoles addWide(const std::vector<Slot> &slots);
  uint32_t registerId(uint32_t index);
  uint32_t rowFor(VirtualRow::Kind kind, uint64_t value, unsigned bits);
  Slot literalRow(const Operand &operand, Type type);
  Slot addressRow(const Operand &operand, Type type);
  std::string describe(const Operand &operand) const;

  FunctionContext *context = nullptr;
  const Instruction *current = nullptr;
  uint32_t source = 0;
  uint32_t guard = 0;
  std::optional<TerminatorKind> ending;
  std::vector<bool> taken;
  std::optional<Error> error;
  std::map<std::pair<uint64_t, unsigned>, uint32_t> constantRows;
  std::map<std::pair<uint64_t, unsigned>, uint32_t> specialRows;
  std::optional<uint32_t> carry, never;
};

/// The special register of this name ("%tid.x") and its width, if it is one
/// that a warp holds in a row.
struct NamedSpecial {
  SpecialRegister which;
  unsigned bits;
};
std::optional<NamedSpecial> findSpecial(std::string_view name);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_PROGRAM_OPBUILDER_H
