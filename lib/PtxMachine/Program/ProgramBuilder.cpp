//===- ProgramBuilder.cpp - From a module's kernel to a Program -----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program/ProgramBuilder.h"

#include "Execution/Warp.h"
#include "Syntax/Lexer.h"

#include <algorithm>

namespace ctc::ptx {

ProgramBuilder::ProgramBuilder(const Module &module, const ModuleImage &image,
                               const DecoderTable &table)
    : module(module), image(image), table(table) {
  for (const Function &function : module.functions)
    if (function.hasBody)
      definitions[function.name] = &function;
}

/// The registers a thread starts with, if the kernel's directives tell the
/// assembler: .maxnreg, or how many threads share the 65536 of a multiprocessor
/// (.maxntid or .reqntid, with .minnctapersm). A thread has at most 256, in
/// units of 8.
static uint32_t registersAtLaunch(const Function &kernel) {
  uint64_t count = kernel.maxRegisters[0];
  if (!count) {
    const uint32_t *threads =
        kernel.maxThreads[0] ? kernel.maxThreads : kernel.requiredThreads;
    const uint64_t sharing =
        uint64_t(threads[0]) * threads[1] * threads[2] * kernel.minBlocks[0];
    count = sharing ? 65536 / sharing : 0;
  }
  return static_cast<uint32_t>(std::min<uint64_t>(count, 256) / 8 * 8);
}

Expected<std::unique_ptr<Program>>
ProgramBuilder::build(const Function &kernel) {
  program = std::make_unique<Program>();
  ops = std::make_unique<OpBuilder>(*program);
  functions.clear();
  indices.clear();
  symbols.clear();
  callSites.clear();
  program->info.name = kernel.name;
  program->files = module.files;
  std::copy_n(kernel.maxThreads, 3, program->maxThreads);
  std::copy_n(kernel.requiredThreads, 3, program->requiredThreads);
  std::copy_n(kernel.requiredCluster, 3, program->requiredCluster);
  program->maxClusterRank = kernel.maxClusterRank[0];
  program->registersAtLaunch = registersAtLaunch(kernel);
  if (auto done = collect(kernel); !done)
    return tl::unexpected<Error>(done.error());
  if (auto done = layOutShared(); !done)
    return tl::unexpected<Error>(done.error());
  if (auto done = layOutFrames(); !done)
    return tl::unexpected<Error>(done.error());
  for (LoweredFunction &function : functions)
    if (auto done = lower(function); !done)
      return tl::unexpected<Error>(done.error());
  for (auto [block, callee] : callSites)
    program->blocks[block].terminator.target = functions[callee].firstBlock;
  for (const LoweredFunction &function : functions)
    computeReconvergence(*program, function.firstBlock, function.endBlock,
                         function.exitBlock, function.syntax->isEntry);
  allocateRegisters(*program, *ops, functions);
  return std::move(program);
}

//===----------------------------------------------------------------------===//
// Functions and their frames
//===----------------------------------------------------------------------===//

/// The function a call names: the first operand that is a symbol.
static const Operand *calleeOf(const Instruction &instruction) {
  for (const Operand &operand : instruction.operands)
    if (operand.kind == Operand::Kind::Symbol)
      return &operand;
  return nullptr;
}

/// Depth first; in reverse post-order callers precede callees.
Expected<void> ProgramBuilder::visit(const Function &function,
                                     std::vector<const Function *> &path) {
  if (std::find(path.begin(), path.end(), &function) != path.end())
    return ptxError(function.line, "the function '" + function.name +
                                       "' calls itself; recursion is not "
                                       "supported by the machine");
  if (indices.count(&function))
    return {};
  path.push_back(&function);
  for (const Statement &statement : function.body) {
    const Instruction &call = statement.instruction;
    if (statement.isLabel || call.opcode != "call")
      continue;
    const Operand *callee = calleeOf(call);
    if (!callee)
      return ptxError(call.line, "unknown instruction '" + call.text +
                                     "': calls through a register are not "
                                     "supported by the machine");
    auto found = definitions.find(callee->name);
    if (found == definitions.end() || found->second->isEntry)
      return ptxError(call.line, "'" + call.text + "' calls '" + callee->name +
                                     "', which is no function with a body in "
                                     "this module");
    if (auto done = visit(*found->second, path); !done)
      return done;
  }
  path.pop_back();
  indices[&function] = 0;
  LoweredFunction lowered;
  lowered.syntax = &function;
  functions.push_back(std::move(lowered));
  return {};
}

Expected<void> ProgramBuilder::collect(const Function &kernel) {
  std::vector<const Function *> path;
  if (auto done = visit(kernel, path); !done)
    return done;
  std::reverse(functions.begin(), functions.end());
  for (uint32_t i = 0; i < functions.size(); ++i)
    indices[functions[i].syntax] = i;
  for (uint32_t i = 0; i < functions.size(); ++i)
    for (const Statement &statement : functions[i].syntax->body)
      if (!statement.isLabel && statement.instruction.opcode == "call") {
        const Operand *callee = calleeOf(statement.instruction);
        functions[indices[definitions[callee->name]]].callers.push_back(i);
      }
  return {};
}

/// CUDA C++ Programming Guide, "Technical Specifications per Compute
/// Capability".
static constexpr uint64_t kMaxLocalBytes = 512 * 1024;
static constexpr uint64_t kMaxParameterBytes = 32764;

static uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

static void collectSymbols(const Operand &operand, std::set<std::string> &out) {
  if (operand.kind == Operand::Kind::Symbol)
    out.insert(operand.name);
  for (const Operand &element : operand.elements)
    collectSymbols(element, out);
}

/// Static shared variables that the kernel or its callees name, in the order
/// of their declaration; the dynamic ones share what follows them.
Expected<void> ProgramBuilder::layOutShared() {
  std::set<std::string> used;
  for (const LoweredFunction &function : functions)
    for (const Statement &statement : function.syntax->body)
      for (const Operand &operand : statement.instruction.operands)
        collectSymbols(operand, used);
  uint64_t at = 0, dynamicAlignment = 16;
  auto placeStatic = [&at](const Variable &variable) {
    at = alignUp(at, std::max<uint64_t>(variable.alignment, 1));
    Place place{Space::Shared, at};
    at += variable.bytes;
    return place;
  };
  for (const Variable &variable : module.variables) {
    if (const uint64_t *address = image.find(variable.name)) {
      symbols[variable.name] = {variable.space, *address};
    } else if (variable.space == Space::Shared && used.count(variable.name)) {
      if (variable.isExternal)
        dynamicAlignment =
            std::max<uint64_t>(dynamicAlignment, variable.alignment);
      else
        symbols[variable.name] = placeStatic(variable);
    }
  }
  for (LoweredFunction &function : functions) {
    function.variables.resize(function.syntax->variables.size());
    for (size_t i = 0; i < function.variables.size(); ++i)
      if (function.syntax->variables[i].space == Space::Shared)
        function.variables[i] = placeStatic(function.syntax->variables[i]);
  }
  if (at >= GenericWindows::kSlotBytes)
    return ptxError(functions.front().syntax->line,
                    "the kernel '" + program->info.name + "' declares " +
                        std::to_string(at) +
                        " bytes of shared memory; no chip has more than 227 "
                        "KiB for a block");
  program->info.staticSharedBytes = static_cast<uint32_t>(at);
  program->dynamicSharedOffset =
      static_cast<uint32_t>(alignUp(at, dynamicAlignment));
  for (const Variable &variable : module.variables)
    if (variable.space == Space::Shared && variable.isExternal)
      symbols[variable.name] = {Space::Shared, program->dynamicSharedOffset};
  return {};
}

/// Kernel parameters lie in .param space; all else that belongs to a thread
/// (.local, parameters of functions and of calls) lies in its local memory, in
/// a frame above the frames of all callers.
Expected<void> ProgramBuilder::layOutFrames() {
  for (LoweredFunction &function : functions) {
    const Function &syntax = *function.syntax;
    for (uint32_t caller : function.callers)
      function.frameOffset =
          std::max(function.frameOffset, functions[caller].frameOffset +
                                             functions[caller].frameBytes);
    uint64_t at = 0, parameterAt = 0;
    for (size_t i = 0; i < syntax.variables.size(); ++i) {
      const Variable &variable = syntax.variables[i];
      uint64_t alignment = std::max<uint64_t>(variable.alignment, 1);
      bool ofKernel = syntax.isEntry && std::find(syntax.parameters.begin(),
                                                  syntax.parameters.end(),
                                                  i) != syntax.parameters.end();
      if (variable.space == Space::Shared)
        continue;
      uint64_t &cursor = ofKernel ? parameterAt : at;
      cursor = alignUp(cursor, alignment);
      function.variables[i] = {ofKernel ? Space::Param : Space::Local,
                               cursor + (ofKernel ? 0 : function.frameOffset)};
      cursor += variable.bytes;
    }
    if (at + function.frameOffset > kMaxLocalBytes ||
        parameterAt > kMaxParameterBytes)
      return ptxError(syntax.line,
                      "the function '" + syntax.name + "' needs " +
                          std::to_string(at + function.frameOffset) +
                          " bytes of local memory and " +
                          std::to_string(parameterAt) +
                          " of parameters; a thread has at most 512 KiB and a "
                          "kernel at most 32764 bytes");
    function.frameBytes = static_cast<uint32_t>(alignUp(at, 16));
    if (syntax.isEntry)
      program->info.parameterBytes = static_cast<uint32_t>(parameterAt);
    program->localBytes = std::max(program->localBytes,
                                   function.frameOffset + function.frameBytes);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

uint32_t ProgramBuilder::openBlock() {
  BasicBlock block;
  block.first = block.end = static_cast<uint32_t>(program->ops.size());
  program->blocks.push_back(std::move(block));
  isOpen = true;
  return static_cast<uint32_t>(program->blocks.size() - 1);
}

/// Ends the open block. Operations of the terminator itself (`op`) lie behind
/// the block's range.
void ProgramBuilder::closeBlock(Terminator terminator) {
  BasicBlock &block = program->blocks.back();
  block.end = terminator.op != ~uint32_t(0)
                  ? terminator.op
                  : static_cast<uint32_t>(program->ops.size());
  terminator.source = source;
  block.terminator = std::move(terminator);
  isOpen = false;
}

void ProgramBuilder::openGuarded(const Instruction &instruction) {
  if (!instruction.hasGuard)
    return;
  ops->beginInstruction(instruction, source);
  Terminator branch;
  branch.kind = TerminatorKind::Branch;
  branch.guard = ops->currentGuard();
  branch.target = static_cast<uint32_t>(program->blocks.size());
  // The statement's terminator closes one more block; what follows it opens
  // the next.
  branch.otherwise = branch.target + 1;
  closeBlock(std::move(branch));
  openBlock();
}

Expected<void> ProgramBuilder::lower(LoweredFunction &function) {
  const Function &syntax = *function.syntax;
  context = {};
  context.function = &syntax;
  context.variables = function.variables;
  context.registerIds.assign(syntax.registers.size(), 0);
  context.registerKnown.assign(syntax.registers.size(), false);
  context.symbols = &symbols;
  labels.clear();
  fixups.clear();
  ops->beginFunction(&context);
  function.firstBlock = openBlock();
  for (const Statement &statement : syntax.body)
    if (auto done = lowerStatement(function, statement); !done)
      return done;
  if (!isOpen)
    openBlock();
  Terminator end;
  end.kind = TerminatorKind::FunctionEnd;
  if (program->blocks.back().first != program->ops.size() ||
      program->blocks.size() - 1 == function.firstBlock) {
    Terminator fall;
    fall.target = static_cast<uint32_t>(program->blocks.size());
    closeBlock(std::move(fall));
    openBlock();
  }
  function.exitBlock = static_cast<uint32_t>(program->blocks.size() - 1);
  closeBlock(std::move(end));
  function.endBlock = static_cast<uint32_t>(program->blocks.size());
  return resolveLabels(function);
}

Expected<void> ProgramBuilder::lowerStatement(LoweredFunction &function,
                                              const Statement &statement) {
  if (statement.isLabel) {
    if (isOpen) {
      Terminator fall;
      fall.target = static_cast<uint32_t>(program->blocks.size());
      closeBlock(std::move(fall));
    }
    labels[statement.label] = openBlock();
    return {};
  }
  const Instruction &instruction = statement.instruction;
  if (!isOpen)
    openBlock();
  source = static_cast<uint32_t>(program->sources.size());
  program->sources.push_back(
      {instruction.line, instruction.text, instruction.location});
  ++program->blocks.back().instructions;
  static const std::set<std::string, std::less<>> kControl = {
      "bra", "brx", "ret", "exit", "trap", "call", "bar", "barrier"};
  if (kControl.count(instruction.opcode)) {
    // bar.warp and barrier.cluster are operations.
    bool isOperation = !instruction.modifiers.empty() &&
                       (instruction.modifiers.front() == "warp" ||
                        instruction.modifiers.front() == "cluster");
    if (!isOperation)
      return lowerControl(function, instruction);
  }
  size_t before = program->ops.size();
  if (auto done = ops->decode(table, instruction, source); !done)
    return done;
  if (!ops->endsBlock())
    return {};
  if (instruction.hasGuard) {
    // What ends a block and is guarded is decoded again behind a branch.
    program->ops.resize(before);
    ops->roles.resize(before);
    openGuarded(instruction);
    if (auto done = ops->decode(table, instruction, source); !done)
      return done;
  }
  Terminator wait;
  wait.kind = *ops->endsBlock();
  wait.op = static_cast<uint32_t>(program->ops.size() - 1);
  wait.otherwise = static_cast<uint32_t>(program->blocks.size());
  closeBlock(std::move(wait));
  return {};
}

Expected<void> ProgramBuilder::resolveLabels(LoweredFunction &function) {
  for (const Fixup &fixup : fixups) {
    auto found = labels.find(fixup.label);
    if (found == labels.end())
      return ptxError(fixup.instruction->line,
                      "'" + fixup.instruction->text + "' branches to '" +
                          fixup.label + "', which is no label of '" +
                          function.syntax->name + "'");
    Terminator &terminator = program->blocks[fixup.block].terminator;
    if (fixup.slot < 0)
      terminator.target = found->second;
    else
      terminator.targets[static_cast<size_t>(fixup.slot)] = found->second;
  }
  for (uint32_t i = function.firstBlock; i < function.endBlock; ++i) {
    // `ret` is a branch to the exit block, known only now.
    Terminator &terminator = program->blocks[i].terminator;
    if (terminator.kind == TerminatorKind::Branch &&
        terminator.target == kNoBlock)
      terminator.target = function.exitBlock;
  }
  return {};
}

} // namespace ctc::ptx
