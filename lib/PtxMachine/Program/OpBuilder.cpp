//===- OpBuilder.cpp - From an instruction to operations ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program/OpBuilder.h"

#include "Execution/Warp.h"
#include "Syntax/Lexer.h"

#include <algorithm>
#include <bit>

namespace ctc::ptx {

//===----------------------------------------------------------------------===//
// Instructions and modifiers
//===----------------------------------------------------------------------===//

void OpBuilder::beginInstruction(const Instruction &instruction,
                                 uint32_t sourceIndex) {
  current = &instruction;
  source = sourceIndex;
  ending.reset();
  taken.assign(instruction.modifiers.size(), false);
  guard = instruction.hasGuard
              ? registerId(instruction.guard) * 2 + instruction.guardNegated
              : 0;
}

std::optional<Error> OpBuilder::takeError() {
  return std::exchange(error, std::nullopt);
}

Expected<void> OpBuilder::decode(const DecoderTable &table,
                                 const Instruction &instruction,
                                 uint32_t sourceIndex) {
  auto [first, last] = table.equal_range(instruction.opcode);
  for (; first != last; ++first) {
    beginInstruction(instruction, sourceIndex);
    Decode result = first->second(*this);
    if (auto failure = takeError())
      return tl::unexpected<Error>(std::move(*failure));
    if (result == Decode::Done)
      return {};
  }
  return ptxError(instruction.line,
                  "unknown instruction '" + instruction.text + "'");
}

bool OpBuilder::take(std::string_view modifier) {
  for (size_t i = 0; i < taken.size(); ++i)
    if (!taken[i] && current->modifiers[i] == modifier) {
      taken[i] = true;
      return true;
    }
  return false;
}

int OpBuilder::takeOneOf(std::initializer_list<std::string_view> modifiers) {
  int index = 0;
  for (std::string_view modifier : modifiers) {
    if (take(modifier))
      return index;
    ++index;
  }
  return -1;
}

std::optional<Type> OpBuilder::takeType() {
  for (size_t i = 0; i < taken.size(); ++i)
    if (auto type = parseType(current->modifiers[i]); type && !taken[i]) {
      taken[i] = true;
      return type;
    }
  return std::nullopt;
}

void OpBuilder::takePrefixed(std::string_view prefix) {
  for (size_t i = 0; i < taken.size(); ++i)
    if (std::string_view(current->modifiers[i]).starts_with(prefix))
      taken[i] = true;
}

bool OpBuilder::allTaken() const {
  return std::find(taken.begin(), taken.end(), false) == taken.end();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

const Operand &OpBuilder::operand(size_t index) const {
  static const Operand none;
  return index < current->operands.size() ? current->operands[index] : none;
}

Slot OpBuilder::malformed(const std::string &what) {
  if (!error)
    error =
        ptxError(current->line, "in '" + current->text + "', " + what).value();
  return {};
}

std::string OpBuilder::describe(const Operand &operand) const {
  if (operand.kind == Operand::Kind::Register)
    return "'" + context->function->registers[operand.index].name + "'";
  if (!operand.name.empty())
    return "'" + operand.name + "'";
  for (size_t i = 0; i < current->operands.size(); ++i)
    if (&operand == &current->operands[i])
      return "operand " + std::to_string(i + 1);
  return "an operand";
}

uint32_t OpBuilder::registerId(uint32_t index) {
  if (!context->registerKnown[index]) {
    context->registerKnown[index] = true;
    Type type = context->function->registers[index].type;
    if (type.isPredicate()) {
      context->registerIds[index] = program.predicates++;
    } else {
      context->registerIds[index] = static_cast<uint32_t>(rows.size());
      rows.push_back({VirtualRow::Kind::Register,
                      static_cast<uint8_t>(type.registerBits()), 0});
    }
  }
  return context->registerIds[index];
}

uint32_t OpBuilder::rowFor(VirtualRow::Kind kind, uint64_t value,
                           unsigned bits) {
  auto &known = kind == VirtualRow::Kind::Constant ? constantRows : specialRows;
  auto [entry, isNew] =
      known.try_emplace({value, bits}, static_cast<uint32_t>(rows.size()));
  if (isNew)
    rows.push_back({kind, static_cast<uint8_t>(bits), value});
  return entry->second;
}

Slot OpBuilder::constant(uint64_t value, unsigned bits) {
  if (bits == 32)
    value = static_cast<uint32_t>(value);
  return {rowFor(VirtualRow::Kind::Constant, value, bits), true, false};
}

Slot OpBuilder::special(SpecialRegister which, unsigned bits) {
  return {rowFor(VirtualRow::Kind::Special, static_cast<uint64_t>(which), bits),
          true, false};
}

uint32_t OpBuilder::carryPredicate() {
  if (!carry)
    carry = program.predicates++;
  return *carry;
}

/// All predicates start false, and nothing writes this one.
uint32_t OpBuilder::neverPredicate() {
  if (!never)
    never = program.predicates++;
  return *never;
}

bool OpBuilder::isPredicate(const Operand &operand) const {
  return operand.kind == Operand::Kind::Register &&
         context->function->registers[operand.index].type.isPredicate();
}

bool OpBuilder::isWide(const Operand &operand) const {
  return operand.kind == Operand::Kind::Register &&
         context->function->registers[operand.index].type.bits == 64;
}

Slot OpBuilder::temporary(unsigned bits) {
  rows.push_back({VirtualRow::Kind::Register, static_cast<uint8_t>(bits), 0});
  return {static_cast<uint32_t>(rows.size() - 1), true, true};
}

Slot OpBuilder::def(const Operand &operand, Type type) {
  if (operand.kind == Operand::Kind::Sink)
    return temporary(type.registerBits());
  if (operand.kind != Operand::Kind::Register)
    return malformed(describe(operand) + " must be a register");
  Type have = context->function->registers[operand.index].type;
  if (have.isPredicate() || have.bits != type.bits)
    return malformed(describe(operand) + " has " + std::to_string(have.bits) +
                     " bits where " + std::to_string(type.bits) +
                     " are needed");
  return {registerId(operand.index), true, true};
}

Slot OpBuilder::use(const Operand &operand, Type type) {
  switch (operand.kind) {
  case Operand::Kind::Register: {
    Slot slot = def(operand, type);
    slot.isDef = false;
    return slot;
  }
  case Operand::Kind::Literal:
    return literalRow(operand, type);
  case Operand::Kind::Special: {
    if (operand.name == "WARP_SZ")
      return constant(kWarpSize, type.registerBits());
    auto found = findSpecial(operand.name);
    if (!found)
      return malformed("'" + operand.name +
                       "' is neither a declared register nor a special "
                       "register the machine knows");
    return special(found->which, type.registerBits());
  }
  case Operand::Kind::Variable:
  case Operand::Kind::Symbol:
    return addressRow(operand, type);
  default:
    return malformed(describe(operand) + " must be a register or a literal");
  }
}

Slot OpBuilder::literalRow(const Operand &operand, Type type) {
  uint64_t bits = operand.bits;
  if (operand.literal == LiteralKind::Float64 && type.isFloat(32))
    bits = std::bit_cast<uint32_t>(
        static_cast<float>(std::bit_cast<double>(bits)));
  else if (operand.literal == LiteralKind::Float32 && type.isFloat(64))
    bits = std::bit_cast<uint64_t>(
        static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
  else if (operand.literal == LiteralKind::Integer && type.isFloat(32))
    bits =
        std::bit_cast<uint32_t>(static_cast<float>(static_cast<int64_t>(bits)));
  else if (operand.literal == LiteralKind::Integer && type.isFloat(64))
    bits = std::bit_cast<uint64_t>(
        static_cast<double>(static_cast<int64_t>(bits)));
  if (type.bits < 32)
    bits &= (uint64_t(1) << type.bits) - 1;
  return constant(bits, type.registerBits());
}

std::optional<Place> OpBuilder::place(const Operand &operand) const {
  if (operand.kind == Operand::Kind::Variable)
    return context->variables[operand.index];
  if (operand.kind != Operand::Kind::Symbol)
    return std::nullopt;
  auto found = context->symbols->find(operand.name);
  if (found == context->symbols->end())
    return std::nullopt;
  return found->second;
}

Slot OpBuilder::addressRow(const Operand &operand, Type type) {
  auto where = place(operand);
  if (!where)
    return malformed(describe(operand) + " is not declared");
  return constant(where->address + static_cast<uint64_t>(operand.offset),
                  type.registerBits());
}

Slot OpBuilder::defPredicate(const Operand &operand) {
  if (operand.kind == Operand::Kind::Sink)
    return {kSinkPredicate, false, true};
  if (operand.kind != Operand::Kind::Register ||
      !context->function->registers[operand.index].type.isPredicate())
    return malformed(describe(operand) + " must be a predicate register");
  return {registerId(operand.index), false, true};
}

/// Predicate r[0] = not r[1], for the lanes of the mask.
static bool invertPredicate(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask &result = warp.predicates[op.r[0]];
  result = (result & ~mask) | (~warp.predicates[op.r[1]] & mask);
  return true;
}

Slot OpBuilder::usePredicate(const Operand &operand) {
  if (operand.kind == Operand::Kind::Literal)
    return {operand.bits ? kTruePredicate : neverPredicate(), false, false};
  Slot slot = defPredicate(operand);
  slot.isDef = false;
  if (!operand.negated || error)
    return slot;
  uint32_t inverse = program.predicates++;
  emit({invertPredicate, invertPredicate}, {{inverse, false, true}, slot});
  return {inverse, false, false};
}

Slot OpBuilder::defAtLeast(const Operand &operand, Type type,
                           unsigned &registerBits) {
  registerBits = std::max<unsigned>(type.bits, 16);
  if (operand.kind != Operand::Kind::Register)
    return def(operand, type);
  Type have = context->function->registers[operand.index].type;
  if (have.isPredicate() || have.bits < type.bits)
    return def(operand, type); // Says what is wrong.
  registerBits = have.bits;
  return {registerId(operand.index), true, true};
}

Slot OpBuilder::useAtLeast(const Operand &operand, Type type) {
  if (operand.kind != Operand::Kind::Register)
    return use(operand, type);
  unsigned ignored;
  Slot slot = defAtLeast(operand, type, ignored);
  slot.isDef = false;
  return slot;
}

std::optional<Space> OpBuilder::addressSpace(const Operand &operand) const {
  if (operand.kind != Operand::Kind::Address)
    return std::nullopt;
  if (auto where = place(operand.elements.front()))
    return where->space;
  return std::nullopt;
}

Slot OpBuilder::address(const Operand &operand, int64_t &offset,
                        unsigned &bits) {
  offset = 0;
  bits = 64;
  if (operand.kind != Operand::Kind::Address || operand.elements.size() != 1)
    return malformed(describe(operand) + " must be an address [...]");
  const Operand &base = operand.elements.front();
  offset = operand.offset;
  if (base.kind == Operand::Kind::Register) {
    bits = context->function->registers[base.index].type.bits;
    if (bits != 32 && bits != 64)
      return malformed(describe(base) + " must have 32 or 64 bits to be an "
                                        "address");
    return {registerId(base.index), true, false};
  }
  return use(base, kB64);
}

std::optional<int64_t> OpBuilder::literal(const Operand &operand) const {
  if (operand.kind != Operand::Kind::Literal ||
      operand.literal != LiteralKind::Integer)
    return std::nullopt;
  return static_cast<int64_t>(operand.bits);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Op &OpBuilder::append(Handlers handlers, OperandRoles role) {
  Op op;
  op.run = handlers;
  op.guard = guard;
  op.source = source;
  program.ops.push_back(op);
  roles.push_back(role);
  return program.ops.back();
}

/// Appends to the wide operands.
OperandRoles OpBuilder::addWide(const std::vector<Slot> &slots) {
  OperandRoles role;
  role.wideCount = static_cast<uint32_t>(slots.size());
  for (const Slot &slot : slots) {
    program.wideOperands.push_back(slot.id);
    role.wideDefs += slot.isDef;
  }
  return role;
}

Op &OpBuilder::emit(Handlers handlers, const std::vector<Slot> &slots) {
  if (slots.size() > kInlineOperands) {
    auto first = static_cast<uint32_t>(program.wideOperands.size());
    Op &op = append(handlers, addWide(slots));
    op.r[0] = first;
    return op;
  }
  OperandRoles role;
  for (size_t i = 0; i < slots.size(); ++i) {
    role.rows |= static_cast<uint8_t>(slots[i].isRow << i);
    role.defs |= static_cast<uint8_t>((slots[i].isRow && slots[i].isDef) << i);
  }
  Op &op = append(handlers, role);
  for (size_t i = 0; i < slots.size(); ++i)
    op.r[i] = slots[i].id;
  return op;
}

Op &OpBuilder::emitMatrix(Handlers handlers, const std::vector<Slot> &slots,
                          size_t matrix) {
  auto first = static_cast<uint32_t>(program.wideOperands.size());
  OperandRoles role = addWide(slots);
  role.wideMatrix = static_cast<uint32_t>(matrix);
  Op &op = append(handlers, role);
  op.r[0] = first;
  return op;
}

Op &OpBuilder::emitCollective(Handlers handlers, const std::vector<Slot> &slots,
                              Slot members) {
  std::vector<Slot> padded = slots;
  padded.resize(kInlineOperands - 1, Slot{0, false, false});
  padded.push_back(members);
  ending = TerminatorKind::Collective;
  return emit(handlers, padded);
}

Op &OpBuilder::emitPolling(Handlers handlers, const std::vector<Slot> &slots) {
  ending = TerminatorKind::Poll;
  return emit(handlers, slots);
}

} // namespace ctc::ptx
