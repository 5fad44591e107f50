//===- Pipelines.cpp - Named pipelines ------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Pipelines/Pipelines.h"
#include "ctc/Conversion/Passes.h"
#include "ctc/Transforms/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace ctc;

void ctc::buildLayerPipeline(OpPassManager &pm,
                             const LayerPipelineOptions &options) {
  pm.addPass(createConvertTosaToCTC());
  pm.addPass(createFuseEpilogue());
  SelectKernelOptions select;
  select.chip = options.chip;
  select.family = options.family;
  select.candidate = options.candidate;
  select.tuningTable = options.tuningTable;
  select.noTuningTable = options.noTuningTable;
  pm.addPass(createSelectKernel(select));
  pm.addPass(createBufferize());
}

void ctc::buildKernelPipeline(OpPassManager &pm) {
  pm.addPass(createTile());
  pm.addPass(createImplicitIm2col());
  pm.addPass(createPipeline());
  pm.addPass(createVectorize());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createProgrammaticLaunch());
}

void ctc::buildNVVMPipeline(OpPassManager &pm) {
  pm.addPass(createToNVVM());
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(createConvertNVGPUToNVVMPass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(arith::createArithExpandOpsPass());
  ConvertGpuOpsToNVVMOpsOptions toNVVM;
  toNVVM.useBarePtrCallConv = true;
  kernels.addPass(createConvertGpuOpsToNVVMOps(toNVVM));
  kernels.addPass(createConvertVectorToLLVMPass());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  kernels.addPass(createReadAfterWait());
}

void ctc::buildDebugPipeline(OpPassManager &pm) {
  LLVM::DIScopeForLLVMFuncOpPassOptions scopes;
  scopes.emissionKind = LLVM::DIEmissionKind::DebugDirectivesOnly;
  pm.addPass(LLVM::createDIScopeForLLVMFuncOpPass(scopes));
}

void ctc::registerPipelines() {
  PassPipelineRegistration<LayerPipelineOptions>(
      "ctc-layer-pipeline", "From layers to entries on buffers",
      buildLayerPipeline);
  PassPipelineRegistration<>("ctc-kernel-pipeline",
                             "From entries on buffers to kernel bodies",
                             buildKernelPipeline);
  PassPipelineRegistration<>("ctc-nvvm-pipeline",
                             "From kernel bodies to the NVVM dialect",
                             buildNVVMPipeline);
  PassPipelineRegistration<LayerPipelineOptions>(
      "ctc-pipeline-all", "From layers to the NVVM dialect",
      [](OpPassManager &pm, const LayerPipelineOptions &options) {
        buildLayerPipeline(pm, options);
        buildKernelPipeline(pm);
        buildNVVMPipeline(pm);
      });
}
