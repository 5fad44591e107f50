//===- Pipelines.h - Named pipelines --------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PIPELINES_PIPELINES_H
#define CTC_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace ctc {

struct LayerPipelineOptions : mlir::PassPipelineOptions<LayerPipelineOptions> {
  Option<std::string> chip{*this, "chip",
                           llvm::cl::desc("Chip to choose kernels for"),
                           llvm::cl::init("sm_80")};
  Option<std::string> family{*this, "family",
                             llvm::cl::desc("Kernel family to force"),
                             llvm::cl::init("")};
  Option<int64_t> candidate{
      *this, "candidate",
      llvm::cl::desc("Place in the cost model's ranking to take, from 0; -1 "
                     "asks for none"),
      llvm::cl::init(-1)};
  Option<std::string> tuningTable{
      *this, "tuning-table",
      llvm::cl::desc("Tuning table to look in before the shipped one"),
      llvm::cl::init("")};
  Option<bool> noTuningTable{*this, "no-tuning-table",
                             llvm::cl::desc("Look in no tuning table"),
                             llvm::cl::init(false)};
};

/// Rungs 0 to 2: front doors, fused epilogues, a kernel for every layer, and
/// entries on buffers (`ctc-layer-pipeline`).
void buildLayerPipeline(mlir::OpPassManager &pm,
                        const LayerPipelineOptions &options);

/// Rungs 3 to 6: from entries to kernel bodies in vectors
/// (`ctc-kernel-pipeline`).
void buildKernelPipeline(mlir::OpPassManager &pm);

/// Rung 7: from kernel bodies to the NVVM dialect (`ctc-nvvm-pipeline`).
void buildNVVMPipeline(mlir::OpPassManager &pm);

/// Gives the NVVM dialect's functions scopes, so that their operations'
/// locations become .loc directives of the PTX.
void buildDebugPipeline(mlir::OpPassManager &pm);

/// Registers the pipelines by name, and `ctc-pipeline-all` for all of them.
void registerPipelines();

} // namespace ctc

#endif // CTC_PIPELINES_PIPELINES_H
