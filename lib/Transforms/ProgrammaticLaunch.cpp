//===- ProgrammaticLaunch.cpp - Kernels that wait for those before them ---===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// CUDA C++ Programming Guide, "Programmatic Dependent Launch and
// Synchronization": a grid launched so may begin once every block of those
// before it in the stream has ended or has executed
// griddepcontrol.launch_dependents, which ctc's never do, and
// griddepcontrol.wait returns when they have ended and what they wrote is
// visible. A kernel that waits first is ordered as any other; launching it
// costs the host less, and the device's latency of a launch runs beside the end
// of the grid before.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "ctc/Transforms/Passes.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

namespace ctc {
#define GEN_PASS_DEF_PROGRAMMATICLAUNCH
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

namespace {
struct ProgrammaticLaunch
    : ctc::impl::ProgrammaticLaunchBase<ProgrammaticLaunch> {
  void runOnOperation() override {
    if (!hasProgrammaticLaunch(targetOf(getOperation())))
      return;
    const WalkResult result = getOperation().walk([&](ir::LaunchOp launch) {
      return failed(convert(launch)) ? WalkResult::interrupt()
                                     : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult convert(ir::LaunchOp launch) {
    auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(
        launch, launch.getKernel());
    if (!kernel)
      return launch.emitOpError("names ")
             << launch.getKernel()
             << ", must name a gpu.func of the module; run ctc-tile first";
    launch.setProgrammatic(true);
    Block &entry = kernel.getBody().front();
    // Several launches may share a kernel.
    if (!entry.empty() && isa<NVVM::GriddepcontrolOp>(entry.front()))
      return success();
    OpBuilder b = OpBuilder::atBlockBegin(&entry);
    NVVM::GriddepcontrolOp::create(b, kernel.getLoc(),
                                   NVVM::GridDepActionKind::wait);
    return success();
  }
};
} // namespace
