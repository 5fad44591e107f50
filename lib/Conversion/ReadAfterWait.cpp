//===- ReadAfterWait.cpp - Loads stay behind a kernel's wait --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Conversion/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace ctc {
#define GEN_PASS_DEF_READAFTERWAIT
#include "ctc/Conversion/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

/// The same pointer, of which nothing is known before the operation in front.
static Value launder(OpBuilder &b, Value pointer) {
  return LLVM::InlineAsmOp::create(
             b, pointer.getLoc(), pointer.getType(), pointer, "", "=l,0",
             /*has_side_effects=*/true, /*is_align_stack=*/false,
             LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
      .getResult(0);
}

/// Nobody writes what is loaded through a pointer from there on.
static void markInvariant(Value pointer) {
  for (Operation *user : pointer.getUsers()) {
    if (auto load = dyn_cast<LLVM::LoadOp>(user))
      load.setInvariant(true);
    else if (auto address = dyn_cast<LLVM::GEPOp>(user))
      markInvariant(address);
  }
}

namespace {
struct ReadAfterWait : ctc::impl::ReadAfterWaitBase<ReadAfterWait> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>()) {
      if (function.isExternal())
        continue;
      auto waits = function.getOps<NVVM::GriddepcontrolOp>();
      if (!waits.empty())
        convert(function, *waits.begin());
    }
  }

  static void convert(LLVM::LLVMFuncOp function, NVVM::GriddepcontrolOp wait) {
    // It takes nothing, and conversions put views of arguments in front of it.
    wait->moveBefore(&function.getBody().front(),
                     function.getBody().front().begin());
    OpBuilder b(function.getContext());
    b.setInsertionPointAfter(wait);
    const StringRef noAlias = LLVM::LLVMDialect::getNoAliasAttrName();
    for (BlockArgument argument : function.getArguments()) {
      const unsigned number = argument.getArgNumber();
      if (!function.getArgAttr(number, noAlias))
        continue;
      function.removeArgAttr(number, noAlias);
      if (!function.getArgAttr(number,
                               LLVM::LLVMDialect::getReadonlyAttrName()))
        continue;
      Value behind = launder(b, argument);
      argument.replaceAllUsesExcept(behind, behind.getDefiningOp());
      markInvariant(behind);
    }
  }
};
} // namespace
