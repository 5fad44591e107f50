//===- ProgramBuilder.h - From a module's kernel to a Program ---*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_PROGRAM_PROGRAMBUILDER_H
#define CTC_LIB_PTXMACHINE_PROGRAM_PROGRAMBUILDER_H

#include "Program/ModuleImage.h"
#include "Program/OpBuilder.h"
#include "Program/Program.h"
#include "Syntax/Syntax.h"

#include <memory>
#include <set>

namespace ctc::ptx {

/// A function of the program: callers come before callees.
struct LoweredFunction {
  const Function *syntax = nullptr;
  uint32_t frameOffset = 0; ///< Of its parameters and locals, in local memory.
  uint32_t frameBytes = 0;
  uint32_t firstBlock = 0, endBlock = 0;
  uint32_t exitBlock = 0;
  std::vector<uint32_t> callers; ///< Indices of functions.
  std::vector<Place> variables;
};

/// Builds one kernel with everything it calls.
class ProgramBuilder {
public:
  ProgramBuilder(const Module &module, const ModuleImage &image,
                 const DecoderTable &table);
  Expected<std::unique_ptr<Program>> build(const Function &kernel);

private:
  Expected<void> collect(const Function &function);
  Expected<void> visit(const Function &function,
                       std::vector<const Function *> &path);
  Expected<void> layOutShared();
  Expected<void> layOutFrames();
  Expected<void> lower(LoweredFunction &function);
  Expected<void> lowerStatement(LoweredFunction &function,
                                const Statement &statement);
  Expected<void> lowerControl(LoweredFunction &function,
                              const Instruction &instruction);
  Expected<void> lowerBranch(const Instruction &instruction);
  Expected<void> lowerBranchIndexed(const Instruction &instruction);
  Expected<void> lowerCall(LoweredFunction &function,
                           const Instruction &instruction);
  Expected<void> lowerBarrier(const Instruction &instruction);
  Expected<void> passArguments(LoweredFunction &caller,
                               const Instruction &instruction,
                               const Operand *list,
                               const std::vector<uint32_t> &formals,
                               const LoweredFunction &callee, bool isResult);
  Expected<void> resolveLabels(LoweredFunction &function);
  uint32_t openBlock();
  void closeBlock(Terminator terminator);
  /// Branches around what follows unless the guard holds.
  void openGuarded(const Instruction &instruction);

  const Module &module;
  const ModuleImage &image;
  const DecoderTable &table;
  std::unique_ptr<Program> program;
  std::unique_ptr<OpBuilder> ops;
  std::vector<LoweredFunction> functions;
  std::map<std::string, const Function *> definitions;
  std::map<std::string, Place> symbols;
  std::map<const Function *, uint32_t> indices;
  // Of the function being lowered.
  FunctionContext context;
  std::map<std::string, uint32_t> labels;
  struct Fixup {
    uint32_t block;
    int slot; ///< -1: target; else the index in targets.
    std::string label;
    const Instruction *instruction;
  };
  std::vector<Fixup> fixups;
  std::vector<std::pair<uint32_t, uint32_t>> callSites; ///< Block, function.
  bool isOpen = false;
  uint32_t source = 0;
};

/// Sets the reconvergence point of every branch in blocks [first, end) of a
/// function that ends in `exitBlock` (ControlFlow.cpp).
void computeReconvergence(Program &program, uint32_t first, uint32_t end,
                          uint32_t exitBlock, bool isKernel);

/// The blocks that may follow a block within its function; Exit and Trap lead
/// to `exitBlock`.
std::vector<uint32_t> successors(const BasicBlock &block, uint32_t exitBlock);

/// Gives every row its place in the register file and rewrites the operations'
/// operands to byte offsets (RegisterAllocation.cpp).
void allocateRegisters(Program &program, const OpBuilder &ops,
                       const std::vector<LoweredFunction> &functions);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_PROGRAM_PROGRAMBUILDER_H
