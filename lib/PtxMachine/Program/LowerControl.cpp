//===- LowerControl.cpp - Instructions that end a basic block -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Control Flow Instructions" (bra, brx.idx, call, ret, exit), trap,
// and bar/barrier of "Parallel Synchronization and Communication". They become
// terminators; only Branch has a guard, the others are branched around.
//
//===----------------------------------------------------------------------===//

#include "Execution/Warp.h"
#include "Program/ProgramBuilder.h"
#include "Syntax/Lexer.h"

#include <cstring>

namespace ctc::ptx {

static tl::unexpected<Error> unknown(const Instruction &instruction) {
  return ptxError(instruction.line,
                  "unknown instruction '" + instruction.text + "'");
}

Expected<void> ProgramBuilder::lowerControl(LoweredFunction &function,
                                            const Instruction &instruction) {
  if (instruction.opcode == "bra")
    return lowerBranch(instruction);
  if (instruction.opcode == "brx")
    return lowerBranchIndexed(instruction);
  if (instruction.opcode == "call")
    return lowerCall(function, instruction);
  if (instruction.opcode == "bar" || instruction.opcode == "barrier")
    return lowerBarrier(instruction);
  // ret, exit, trap
  ops->beginInstruction(instruction, source);
  ops->take("uni");
  if (!ops->allTaken() || ops->operandCount())
    return unknown(instruction);
  Terminator terminator;
  if (instruction.opcode == "ret") {
    terminator.kind = TerminatorKind::Branch; // To the exit block, set later.
    terminator.guard = ops->currentGuard();
    terminator.otherwise = static_cast<uint32_t>(program->blocks.size());
  } else {
    openGuarded(instruction);
    terminator.kind = instruction.opcode == "exit" ? TerminatorKind::Exit
                                                   : TerminatorKind::Trap;
  }
  closeBlock(std::move(terminator));
  return {};
}

Expected<void> ProgramBuilder::lowerBranch(const Instruction &instruction) {
  ops->beginInstruction(instruction, source);
  ops->take("uni");
  if (!ops->allTaken() || ops->operandCount() != 1 ||
      ops->operand(0).kind != Operand::Kind::Symbol)
    return unknown(instruction);
  Terminator branch;
  branch.kind = TerminatorKind::Branch;
  branch.guard = ops->currentGuard();
  branch.otherwise = static_cast<uint32_t>(program->blocks.size());
  fixups.push_back({static_cast<uint32_t>(program->blocks.size() - 1), -1,
                    ops->operand(0).name, &instruction});
  closeBlock(std::move(branch));
  return {};
}

Expected<void>
ProgramBuilder::lowerBranchIndexed(const Instruction &instruction) {
  openGuarded(instruction);
  ops->beginInstruction(instruction, source);
  ops->take("uni");
  if (!ops->take("idx") || !ops->allTaken() || ops->operandCount() != 2)
    return unknown(instruction);
  auto found =
      context.function->branchTargets.find(instruction.operands[1].name);
  if (found == context.function->branchTargets.end())
    return ptxError(instruction.line, "'" + instruction.text + "' names '" +
                                          instruction.operands[1].name +
                                          "', which is no .branchtargets list");
  Slot index = ops->use(0, kU32);
  ops->emit({}, {index});
  if (auto error = ops->takeError())
    return tl::unexpected<Error>(std::move(*error));
  Terminator branch;
  branch.kind = TerminatorKind::BranchIndexed;
  branch.op = static_cast<uint32_t>(program->ops.size() - 1);
  branch.targets.resize(found->second.size());
  for (size_t i = 0; i < found->second.size(); ++i)
    fixups.push_back({static_cast<uint32_t>(program->blocks.size() - 1),
                      static_cast<int>(i), found->second[i], &instruction});
  closeBlock(std::move(branch));
  return {};
}

/// barrier{.cta}.sync|arrive{.aligned} a {, b}; bar.sync is
/// barrier.sync.aligned. barrier.red.popc|and|or combines a predicate over all
/// its threads.
Expected<void> ProgramBuilder::lowerBarrier(const Instruction &instruction) {
  openGuarded(instruction);
  ops->beginInstruction(instruction, source);
  ops->take("cta");
  bool aligned = ops->take("aligned") || instruction.opcode == "bar";
  int kind = ops->takeOneOf({"sync", "arrive", "red"});
  auto mode = BarrierMode{};
  mode.aligned = aligned;
  mode.kind = static_cast<BarrierKind>(kind);
  size_t next = 0;
  std::vector<Slot> slots;
  if (kind == 2) {
    int operation = ops->takeOneOf({"popc", "and", "or"});
    if (operation < 0 || !ops->takeType())
      return unknown(instruction);
    mode.reduction = static_cast<BarrierReduction>(operation + 1);
    slots.push_back(operation == 0 ? ops->def(0, kU32)
                                   : ops->defPredicate(ops->operand(0)));
    next = 1;
  }
  size_t sources = ops->operandCount() - next - (kind == 2 ? 1 : 0);
  if (kind < 0 || !ops->allTaken() || ops->operandCount() <= next ||
      sources < 1 || sources > 2 || (kind == 1 && sources != 2))
    return unknown(instruction);
  slots.resize(1, Slot{0, false, false});
  slots.push_back(ops->use(next, kU32));
  slots.push_back(sources == 2 ? ops->use(next + 1, kU32)
                               : ops->constant(0, 32));
  if (kind == 2)
    slots.push_back(ops->usePredicate(ops->operand(next + sources)));
  Op &op = ops->emit({}, slots);
  op.mode = mode.encode();
  if (auto error = ops->takeError())
    return tl::unexpected<Error>(std::move(*error));
  Terminator wait;
  wait.kind = TerminatorKind::Barrier;
  wait.op = static_cast<uint32_t>(program->ops.size() - 1);
  wait.otherwise = static_cast<uint32_t>(program->blocks.size());
  closeBlock(std::move(wait));
  return {};
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Copies r[2] bytes of each lane's local memory from r[1] to r[0].
static bool copyLocal(Warp &warp, const Op &op, LaneMask mask) {
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if (mask >> lane & 1) {
      char *memory = warp.local + lane * warp.localBytes;
      std::memcpy(memory + op.r[0], memory + op.r[1], op.r[2]);
    }
  return true;
}

/// Moves r[2] bytes between row r[0] and local memory at r[1].
template <bool ToMemory>
static bool moveLocal(Warp &warp, const Op &op, LaneMask mask) {
  unsigned stride = op.mode / 8;
  for (unsigned lane = 0; lane < kWarpSize; ++lane)
    if (mask >> lane & 1) {
      char *memory = warp.local + lane * warp.localBytes + op.r[1];
      char *cell = warp.registers + op.r[0] + lane * stride;
      std::memcpy(ToMemory ? memory : cell, ToMemory ? cell : memory, op.r[2]);
    }
  return true;
}

/// Arguments are copied between the variables of the call and the callee's
/// parameters; a register or a literal goes there directly.
Expected<void> ProgramBuilder::passArguments(
    LoweredFunction &caller, const Instruction &instruction,
    const Operand *list, const std::vector<uint32_t> &formals,
    const LoweredFunction &callee, bool isResult) {
  size_t given = list ? list->elements.size() : 0;
  if (given != formals.size())
    return ptxError(instruction.line, "'" + instruction.text + "' passes " +
                                          std::to_string(given) + " where '" +
                                          callee.syntax->name + "' has " +
                                          std::to_string(formals.size()));
  ops->beginInstruction(instruction, source);
  for (size_t i = 0; i < given; ++i) {
    const Operand &actual = list->elements[i];
    const Variable &formal = callee.syntax->variables[formals[i]];
    auto at = static_cast<uint32_t>(callee.variables[formals[i]].address);
    auto bytes = static_cast<uint32_t>(formal.bytes);
    Slot where{at, false, false}, size{bytes, false, false};
    if (actual.kind == Operand::Kind::Variable) {
      const Variable &variable = caller.syntax->variables[actual.index];
      if (variable.bytes < formal.bytes)
        return ptxError(instruction.line,
                        "'" + instruction.text + "' passes '" + variable.name +
                            "' of " + std::to_string(variable.bytes) +
                            " bytes where " + std::to_string(formal.bytes) +
                            " are needed");
      Slot own{static_cast<uint32_t>(caller.variables[actual.index].address),
               false, false};
      ops->emit({copyLocal, copyLocal},
                {isResult ? own : where, isResult ? where : own, size});
      continue;
    }
    if (bytes > 8)
      return ptxError(instruction.line,
                      "'" + instruction.text + "' passes a register for '" +
                          formal.name + "' of " + std::to_string(bytes) +
                          " bytes; a register has at most 8");
    Type type{TypeKind::Bits, static_cast<uint8_t>(bytes * 8)};
    unsigned bits = 0;
    Slot value = isResult ? ops->defAtLeast(actual, type, bits)
                          : ops->useAtLeast(actual, type);
    Handler move = isResult ? moveLocal<false> : moveLocal<true>;
    Op &op = ops->emit({move, move}, {value, where, size});
    op.mode = static_cast<uint16_t>(bytes > 4 ? 64 : 32);
  }
  if (auto error = ops->takeError())
    return tl::unexpected<Error>(std::move(*error));
  return {};
}

/// call{.uni} (result), function, (arguments);
Expected<void> ProgramBuilder::lowerCall(LoweredFunction &function,
                                         const Instruction &instruction) {
  openGuarded(instruction);
  ops->beginInstruction(instruction, source);
  ops->take("uni");
  if (!ops->allTaken())
    return unknown(instruction);
  const Operand *results = nullptr, *arguments = nullptr;
  const LoweredFunction *callee = nullptr;
  uint32_t index = 0;
  for (const Operand &operand : instruction.operands) {
    if (operand.kind == Operand::Kind::List)
      (callee ? arguments : results) = &operand;
    else if (operand.kind == Operand::Kind::Symbol && !callee) {
      index = indices[definitions[operand.name]];
      callee = &functions[index];
    }
  }
  if (auto done = passArguments(function, instruction, arguments,
                                callee->syntax->parameters, *callee, false);
      !done)
    return done;
  callSites.push_back(
      {static_cast<uint32_t>(program->blocks.size() - 1), index});
  Terminator call;
  call.kind = TerminatorKind::Call;
  call.otherwise = static_cast<uint32_t>(program->blocks.size());
  closeBlock(std::move(call));
  if (!results)
    return {};
  openBlock();
  return passArguments(function, instruction, results, callee->syntax->results,
                       *callee, true);
}

} // namespace ctc::ptx
