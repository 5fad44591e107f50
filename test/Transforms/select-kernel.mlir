// The decision is written once, its source recorded; a kernel that is there is kept.
// RUN: ctc-opt %s --ctc-select-kernel 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: ctc-opt %s --ctc-select-kernel 2>/dev/null | ctc-opt --ctc-select-kernel 2>/dev/null | FileCheck %s --check-prefix=AGAIN

// Without a target in the module the option's chip is written there, so that the passes below make the kernels of ctc compile for it; with one the option only
// has to be a chip.
// RUN: ctc-opt %S/Inputs/ieee.mlir --ctc-pipeline-all=chip=sm_90a 2>/dev/null | FileCheck %s --check-prefix=OPTION
// OPTION: module attributes {ctc.target = #ctc.target<"sm_90a">, gpu.container_module}
// OPTION: nvvm.griddepcontrol wait
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 2>/dev/null | FileCheck %s --check-prefix=KEPT
// KEPT: ctc.target = #ctc.target<"sm_90a">
// RUN: not ctc-opt %s --ctc-select-kernel=chip=sm_42 2>&1 | FileCheck %s --check-prefix=NO-CHIP
// NO-CHIP: error: unknown chip 'sm_42', must be one of sm_80

// REMARK: remark: simt serves every layer; a block of
module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // CHECK-LABEL: @chosen
  // CHECK: kernel = #ctc.kernel<family = simt, {{.*}} source = heuristic>
  // AGAIN-LABEL: @chosen
  // AGAIN: source = explicit>
  func.func @chosen(%x: tensor<1x8x6x6xf32>, %w: tensor<8x4x2x2xf32>, %y: tensor<1x4x12x12xf32>) -> tensor<1x4x12x12xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6x6xf32>, tensor<8x4x2x2xf32>) outs(%y : tensor<1x4x12x12xf32>)
           {stride = array<i64: 2, 2>} -> tensor<1x4x12x12xf32>
    return %0 : tensor<1x4x12x12xf32>
  }

  // CHECK-LABEL: @kept
  // CHECK: box = [2, 16]
  // CHECK-SAME: chunk_channels = 4
  // CHECK-SAME: source = explicit>
  func.func @kept(%x: tensor<1x8x6x6xf32>, %w: tensor<8x4x2x2xf32>, %y: tensor<1x4x12x12xf32>) -> tensor<1x4x12x12xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6x6xf32>, tensor<8x4x2x2xf32>) outs(%y : tensor<1x4x12x12xf32>)
           {stride = array<i64: 2, 2>,
            kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [2, 16], phases = [1, 1], taps = [1, 1],
                                 chunk_channels = 4, workers = [32, 1],
                                 worker_tile = [1, 4], stages = 1, source = heuristic>}
           -> tensor<1x4x12x12xf32>
    return %0 : tensor<1x4x12x12xf32>
  }

  // Channels last, narrow groups are served together: four channels a thread, 32 a block.
  // CHECK-LABEL: @depthwise
  // CHECK: lanes = channels
  // CHECK-SAME: worker_tile = [{{[0-9]+}}, 4]
  // CHECK-SAME: groups = 32>
  func.func @depthwise(%x: tensor<1x40x40x64xf32>, %w: tensor<64x1x4x4xf32>, %y: tensor<1x80x80x64xf32>) -> tensor<1x80x80x64xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x40x40x64xf32>, tensor<64x1x4x4xf32>) outs(%y : tensor<1x80x80x64xf32>)
           {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>, groups = 64 : i64,
            layout = #ctc.layout<channels_last>} -> tensor<1x80x80x64xf32>
    return %0 : tensor<1x80x80x64xf32>
  }

  // Wide groups are not.
  // CHECK-LABEL: @wide
  // CHECK: kernel = #ctc.kernel<family = simt, lanes = positions
  // CHECK-NOT: groups = {{[0-9]+}}>
  // CHECK-SAME: source = heuristic>
  func.func @wide(%x: tensor<1x40x10xf32>, %w: tensor<10x5x4xf32>, %y: tensor<1x43x10xf32>) -> tensor<1x43x10xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x40x10xf32>, tensor<10x5x4xf32>) outs(%y : tensor<1x43x10xf32>)
           {groups = 2 : i64, layout = #ctc.layout<channels_last>, precision = #ctc.precision<ieee>} -> tensor<1x43x10xf32>
    return %0 : tensor<1x43x10xf32>
  }

  // One output channel of 81 taps: with all four phases in a block a pixel serves them all.
  // CHECK-LABEL: @taps
  // CHECK: phases = [2, 2], taps = [9, 9]
  func.func @taps(%x: tensor<1x8x80x80xf32>, %w: tensor<8x1x9x9xf32>, %y: tensor<1x1x160x160xf32>) -> tensor<1x1x160x160xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x80x80xf32>, tensor<8x1x9x9xf32>) outs(%y : tensor<1x1x160x160xf32>)
           {stride = array<i64: 2, 2>, padding_low = array<i64: 4, 4>, padding_high = array<i64: 3, 3>} -> tensor<1x1x160x160xf32>
    return %0 : tensor<1x1x160x160xf32>
  }
}
