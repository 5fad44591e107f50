//===- Compiler.cpp - From a file or flags to a bundle --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compiler.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/Compile.h"
#include "ctc/Pipelines/Registration.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

using namespace ctc;
using namespace ctc::driver;

/// Prints diagnostics but for remarks, which give reasons for choices and are
/// for ctc-opt.
class CompilerSession::Diagnostics : public mlir::SourceMgrDiagnosticHandler {
public:
  Diagnostics(llvm::SourceMgr &sources, mlir::MLIRContext *context)
      : SourceMgrDiagnosticHandler(sources, context) {
    setHandler([this](mlir::Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Remark)
        emitDiagnostic(diagnostic);
    });
  }
};

CompilerSession::CompilerSession() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlirContext = std::make_unique<mlir::MLIRContext>(registry);
  // An error names its line; the operation's text is noise to users.
  mlirContext->printOpOnDiagnostic(false);
  diagnostics = std::make_unique<Diagnostics>(sources, mlirContext.get());
}

CompilerSession::~CompilerSession() = default;

Expected<mlir::OwningOpRef<mlir::ModuleOp>>
CompilerSession::parse(const std::string &text, const std::string &name) {
  sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                             llvm::SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context());
  if (!module)
    return makeError(ErrorCode::InvalidProblem, "");
  return module;
}

Expected<Bundle> CompilerSession::compile(mlir::ModuleOp module,
                                          const CompileRequest &request) {
  CompileOptions options;
  options.chips = request.chips;
  options.family = request.family;
  options.candidate = request.candidate;
  options.tuningTable = request.tuningTable;
  options.useTuningTables = request.useTuningTables;
  options.assemble = request.assemble;
  options.debug = request.debug;
  auto bundle = ctc::compile(module, options);
  if (!bundle)
    return bundle;
  if (auto sound = verify(*bundle); !sound)
    return makeError(ErrorCode::InvalidProblem,
                     "the compiler made no sound bundle: " +
                         sound.error().message);
  return bundle;
}
