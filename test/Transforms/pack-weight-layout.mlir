// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile | FileCheck %s

// A weight that stands as (Cout, kernel, Cin) is read where it stands: packing
// costs no transposition.

// CHECK: gpu.func @layer__prepare(%[[W:.*]]: memref<4x3x5x8xf32
// CHECK: memref.load %[[W]][%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}] : memref<4x3x5x8xf32
func.func @layer(%x: tensor<1x4x4x8xf32>, %w: tensor<4x3x5x8xf32>, %init: tensor<1x6x8x4xf32>) -> tensor<1x6x8x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x4x4x8xf32>, tensor<4x3x5x8xf32>)
         outs(%init : tensor<1x6x8x4xf32>)
         {layout = #ctc.layout<channels_last>,
          weight_layout = #ctc.weight_layout<output_kernel_input>} -> tensor<1x6x8x4xf32>
  return %y : tensor<1x6x8x4xf32>
}
