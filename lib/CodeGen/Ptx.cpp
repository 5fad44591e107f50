//===- Ptx.cpp - From the NVVM dialect to PTX -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/CodeGen/Ptx.h"
#include "ctc/CodeGen/Toolkit.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/OptBisect.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace ctc;

/// Instructions mma.sync of a module (those of warpgroups are assembly) from
/// which on it does without LLVM's loop strength reduction: in all, and where
/// any of its loops has a loop inside, as those of taps and of copies are. It
/// replaces a base and a counter by pointers that live through the loop.
/// Kernels of 200 and 280 took 0.3 s longer to compile with it and 12 to 51
/// registers more, and one of 80 in three loops 0.3 s longer, too. It makes
/// kernels of fewer instructions 0.5 to 3 percent faster.
static constexpr unsigned kManyMatrixInstructions = 128;
static constexpr unsigned kManyNestedMatrixInstructions = 64;

namespace {
/// Asked before every pass of code generation for a loop or a function.
class WithoutStrengthReduction : public llvm::OptPassGate {
public:
  bool isEnabled() const override { return true; }
  bool shouldRunPass(llvm::StringRef pass, llvm::StringRef) const override {
    return pass != "Loop Strength Reduction";
  }
};
} // namespace

static unsigned countMatrixInstructions(const llvm::Module &module) {
  unsigned count = 0;
  for (const llvm::Function &function : module)
    if (function.getName().starts_with("llvm.nvvm.mma."))
      count += function.getNumUses();
  return count;
}

static bool hasNestedLoops(llvm::Module &module) {
  return llvm::any_of(module, [](llvm::Function &function) {
    if (function.isDeclaration())
      return false;
    const llvm::LoopInfo loops{llvm::DominatorTree(function)};
    return llvm::any_of(
        loops, [](const llvm::Loop *loop) { return !loop->isInnermost(); });
  });
}

static bool doesWithoutStrengthReduction(llvm::Module &module) {
  const unsigned count = countMatrixInstructions(module);
  return count >= kManyMatrixInstructions ||
         (count >= kManyNestedMatrixInstructions && hasNestedLoops(module));
}

static Expected<std::unique_ptr<llvm::TargetMachine>>
makeTargetMachine(const Chip &chip) {
  static std::once_flag initialized;
  std::call_once(initialized, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  const llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return invalidProblem("LLVM has no NVPTX target: " + error);
  const std::string features = "+ptx" + std::to_string(chip.ptxVersion);
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, chip.name, features, llvm::TargetOptions(), llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return invalidProblem("LLVM cannot generate code for " +
                          std::string(chip.name));
  return machine;
}

/// Whether a module declares a function of libdevice that it does not define.
static bool needsLibdevice(const llvm::Module &module) {
  return llvm::any_of(module, [](const llvm::Function &function) {
    return function.isDeclaration() && function.getName().starts_with("__nv_");
  });
}

static Expected<void> linkLibdevice(llvm::Module &module) {
  auto path = findLibdevice();
  if (!path)
    return tl::unexpected(path.error());
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> library =
      llvm::parseIRFile(*path, diagnostic, module.getContext());
  if (!library)
    return invalidProblem("libdevice '" + *path +
                          "' cannot be read: " + diagnostic.getMessage().str());
  library->setTargetTriple(module.getTargetTriple());
  library->setDataLayout(module.getDataLayout());
  if (llvm::Linker::linkModules(module, std::move(library),
                                llvm::Linker::LinkOnlyNeeded))
    return invalidProblem("libdevice '" + *path + "' cannot be linked");
  for (const llvm::Function &function : module)
    if (function.isDeclaration() && function.getName().starts_with("__nv_"))
      return invalidProblem("libdevice '" + *path + "' does not define " +
                            function.getName().str());
  return {};
}

/// Only kernels are called from outside.
static void internalize(llvm::Module &module) {
  for (llvm::Function &function : module)
    if (!function.isDeclaration() &&
        function.getCallingConv() != llvm::CallingConv::PTX_Kernel)
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  // Kernels are unrolled where it pays; unrolling the loops around them again
  // costs compile time and registers.
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  machine.registerPassBuilderCallbacks(builder);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

static Expected<std::string> printAssembly(llvm::Module &module,
                                           llvm::TargetMachine &machine) {
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr,
                                  llvm::CodeGenFileType::AssemblyFile))
    return invalidProblem("LLVM cannot print PTX");
  passes.run(module);
  return text.str().str();
}

Expected<std::string> ctc::emitPtx(mlir::gpu::GPUModuleOp kernels,
                                   const Chip &chip) {
  auto machine = makeTargetMachine(chip);
  if (!machine)
    return tl::unexpected(machine.error());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module =
      mlir::translateModuleToLLVMIR(kernels, context, "ctc");
  if (!module)
    return invalidProblem("the kernels cannot be translated to LLVM IR");
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setDataLayout((*machine)->createDataLayout());
  if (needsLibdevice(*module))
    if (auto linked = linkLibdevice(*module); !linked)
      return tl::unexpected(linked.error());
  internalize(*module);
  optimize(*module, **machine);
  WithoutStrengthReduction gate;
  if (doesWithoutStrengthReduction(*module))
    context.setOptPassGate(gate);
  return printAssembly(*module, **machine);
}
