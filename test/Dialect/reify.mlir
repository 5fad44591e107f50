// RUN: ctc-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s

// The batch of the result is the input's; every other size is a constant.

// CHECK-LABEL: func @dynamic_batch
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<?x8x4xf32>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
// CHECK-DAG: %[[C6:.*]] = arith.constant 6 : index
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %[[C0]]
// CHECK: return %[[N]], %[[C4]], %[[C6]]
func.func @dynamic_batch(%x: tensor<?x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<?x4x6xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %y = ctc.conv_transpose ins(%x, %w : tensor<?x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  %0 = tensor.dim %y, %c0 : tensor<?x4x6xf32>
  %1 = tensor.dim %y, %c1 : tensor<?x4x6xf32>
  %2 = tensor.dim %y, %c2 : tensor<?x4x6xf32>
  return %0, %1, %2 : index, index, index
}
