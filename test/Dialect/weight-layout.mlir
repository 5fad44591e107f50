// RUN: ctc-opt %s | ctc-opt | FileCheck %s

// A weight may stand as TOSA has it: (Cout/groups, kernel, Cin).

// CHECK-LABEL: func @layer
// CHECK: weight_layout = #ctc.weight_layout<output_kernel_input>
func.func @layer(%x: tensor<1x4x4x8xf32>, %w: tensor<2x3x5x8xf32>, %init: tensor<1x6x8x4xf32>) -> tensor<1x6x8x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x4x4x8xf32>, tensor<2x3x5x8xf32>)
         outs(%init : tensor<1x6x8x4xf32>)
         {groups = 2, layout = #ctc.layout<channels_last>,
          weight_layout = #ctc.weight_layout<output_kernel_input>} -> tensor<1x6x8x4xf32>
  return %y : tensor<1x6x8x4xf32>
}

// CHECK-LABEL: func @packing
// CHECK: ctc.pack_weights
// CHECK-SAME: weight_layout = #ctc.weight_layout<output_kernel_input>
func.func @packing(%w: memref<2x3x5x8xf32>, %packed: memref<2x1x3x5x4x32xf32>) {
  ctc.pack_weights %w into %packed
    {groups = 2, tap_step = array<i64: 1, 1>, weight_layout = #ctc.weight_layout<output_kernel_input>}
    : memref<2x3x5x8xf32> into memref<2x1x3x5x4x32xf32>
  return
}
