// RUN: ctc-opt %s --cse --canonicalize | FileCheck %s

// On tensors the layer has no effects; on memrefs it reads its inputs and
// writes its output.

// CHECK-LABEL: func @unused_on_tensors
// CHECK-NEXT: return
func.func @unused_on_tensors(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// CHECK-LABEL: func @twice_on_tensors
// CHECK: %[[Y:.*]] = ctc.conv_transpose
// CHECK-NEXT: return %[[Y]], %[[Y]]
func.func @twice_on_tensors(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) -> (tensor<1x4x6xf32>, tensor<1x4x6xf32>) {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %1 = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return %0, %1 : tensor<1x4x6xf32>, tensor<1x4x6xf32>
}

// CHECK-LABEL: func @on_memrefs
// CHECK: ctc.conv_transpose
func.func @on_memrefs(%x: memref<1x8x4xf32>, %w: memref<8x4x3xf32>, %y: memref<1x4x6xf32>) {
  ctc.conv_transpose ins(%x, %w : memref<1x8x4xf32>, memref<8x4x3xf32>) outs(%y : memref<1x4x6xf32>)
  return
}

// The end of a multiplication stays where it is, whoever uses the sums.
// CHECK-LABEL: func @settle_stays
// CHECK-COUNT-2: ctc.settle
// CHECK: return
func.func @settle_stays(%acc: vector<64x8xf32>) {
  %0 = ctc.settle %acc : vector<64x8xf32>
  %1 = ctc.settle %acc : vector<64x8xf32>
  return
}
