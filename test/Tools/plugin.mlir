// The plugin brings dialect and passes into upstream's mlir-opt.
// RUN: mlir-opt --load-dialect-plugin=%ctc_lib/CtcPlugin.so --load-pass-plugin=%ctc_lib/CtcPlugin.so \
// RUN:   --pass-pipeline='builtin.module(ctc-select-kernel)' %s | FileCheck %s
// RUN: not mlir-opt %s 2>&1 | FileCheck %s --check-prefix=WITHOUT

// CHECK-LABEL: func.func @layer
// CHECK: ctc.conv_transpose
// CHECK-SAME: #ctc.kernel<family = simt
// WITHOUT: Dialect `ctc' not found
func.func @layer(%x: tensor<1x8x4x4xf32>, %w: tensor<8x4x2x2xf32>) -> tensor<1x4x8x8xf32> {
  %init = tensor.empty() : tensor<1x4x8x8xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4x4xf32>, tensor<8x4x2x2xf32>)
         outs(%init : tensor<1x4x8x8xf32>) {stride = array<i64: 2, 2>} -> tensor<1x4x8x8xf32>
  return %y : tensor<1x4x8x8xf32>
}
