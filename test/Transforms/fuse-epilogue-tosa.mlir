// RUN: ctc-opt %s --ctc-fuse-epilogue --split-input-file | FileCheck %s

// TOSA broadcasts along sizes of 1; a reshape of a per-channel operand is looked
// through, and a constant splat becomes a constant.

// CHECK-DAG: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3) -> (0, d1, 0, 0)>
// CHECK-LABEL: func @broadcasts
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<3xf32>, %[[R:[a-z0-9]*]]: tensor<1x4x1x1xf32>
// CHECK: extras(%[[S]], %[[R]] : tensor<3xf32>, tensor<1x4x1x1xf32>)
// CHECK-SAME: extra_maps = [#[[CHANNEL]], #[[ROWS]]]
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[SE:.*]]: f32, %[[RE:.*]]: f32):
// CHECK-NEXT:   %[[M:.*]] = arith.mulf %[[ACC]], %[[SE]] : f32
// CHECK-NEXT:   %[[A:.*]] = arith.addf %[[RE]], %[[M]] : f32
// CHECK-NEXT:   %[[C:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-NEXT:   %[[P:.*]] = math.powf %[[A]], %[[C]] : f32
// CHECK-NEXT:   ctc.yield %[[P]] : f32
// CHECK-NOT: tosa
func.func @broadcasts(%x: tensor<?x4x4x2xf32>, %w: tensor<2x3x1x1xf32>, %s: tensor<3xf32>, %r: tensor<1x4x1x1xf32>, %init: tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %shape = tosa.const_shape {values = dense<[1, 1, 1, 3]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %half = "tosa.const"() <{values = dense<0.5> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<?x4x4x2xf32>, tensor<2x3x1x1xf32>)
         outs(%init : tensor<?x4x4x3xf32>) {layout = #ctc.layout<channels_last>} -> tensor<?x4x4x3xf32>
  %s4 = tosa.reshape %s, %shape : (tensor<3xf32>, !tosa.shape<4>) -> tensor<1x1x1x3xf32>
  %m = tosa.mul %y, %s4, %shift : (tensor<?x4x4x3xf32>, tensor<1x1x1x3xf32>, tensor<1xi8>) -> tensor<?x4x4x3xf32>
  %a = tosa.add %r, %m : (tensor<1x4x1x1xf32>, tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  %p = tosa.pow %a, %half : (tensor<?x4x4x3xf32>, tensor<1x1x1x1xf32>) -> tensor<?x4x4x3xf32>
  return %p : tensor<?x4x4x3xf32>
}

// -----

// Comparison, selection, minimum and maximum in both NaN modes.

// CHECK-LABEL: func @choices
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[Z:.*]]: f32):
// CHECK-NEXT:   %[[GT:.*]] = arith.cmpf ogt, %[[ACC]], %[[Z]] : f32
// CHECK-NEXT:   %[[GE:.*]] = arith.cmpf oge, %[[ACC]], %[[Z]] : f32
// CHECK-NEXT:   %[[NEG:.*]] = arith.negf %[[ACC]] : f32
// CHECK-NEXT:   %[[S:.*]] = arith.select %[[GT]], %[[ACC]], %[[NEG]] : f32
// CHECK-NEXT:   %[[T:.*]] = arith.select %[[GE]], %[[S]], %[[Z]] : f32
// CHECK-NEXT:   %[[MAX:.*]] = arith.maximumf %[[T]], %[[Z]] : f32
// CHECK-NEXT:   %[[MIN:.*]] = arith.minnumf %[[MAX]], %[[Z]] : f32
// CHECK-NEXT:   %[[L:.*]] = arith.constant -1.000000e+00 : f32
// CHECK-NEXT:   %[[H:.*]] = arith.constant 6.000000e+00 : f32
// CHECK-NEXT:   %[[C:.*]] = arith.maximumf %[[MIN]], %[[L]] : f32
// CHECK-NEXT:   %[[D:.*]] = arith.minimumf %[[C]], %[[H]] : f32
// CHECK-NEXT:   ctc.yield %[[D]] : f32
func.func @choices(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %z: tensor<1x3x4xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %gt = tosa.greater %y, %z : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xi1>
  %ge = tosa.greater_equal %y, %z : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xi1>
  %neg = tosa.negate %y, %zp, %zp : (tensor<1x3x4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x4xf32>
  %s = tosa.select %gt, %y, %neg : (tensor<1x3x4xi1>, tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %t = tosa.select %ge, %s, %z : (tensor<1x3x4xi1>, tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %max = tosa.maximum %t, %z : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %min = tosa.minimum %max, %z {nan_mode = IGNORE} : (tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %c = tosa.clamp %min {min_val = -1.0 : f32, max_val = 6.0 : f32} : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  return %c : tensor<1x3x4xf32>
}

// -----

// The functions of one operand.

// CHECK-LABEL: func @functions
// CHECK: math.absf
// CHECK-NEXT: math.ceil
// CHECK-NEXT: math.floor
// CHECK-NEXT: math.exp
// CHECK-NEXT: math.log
// CHECK-NEXT: math.rsqrt
// CHECK-NEXT: math.tanh
// CHECK-NEXT: math.erf
// CHECK-NEXT: math.sin
// CHECK-NEXT: math.cos
// CHECK-NEXT: arith.constant 1.0
// CHECK-NEXT: arith.divf
// CHECK-NEXT: ctc.yield
func.func @functions(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %0 = tosa.abs %y : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %1 = tosa.ceil %0 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %2 = tosa.floor %1 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %3 = tosa.exp %2 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %4 = tosa.log %3 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %5 = tosa.rsqrt %4 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %6 = tosa.tanh %5 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %7 = tosa.erf %6 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %8 = tosa.sin %7 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %9 = tosa.cos %8 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %10 = tosa.reciprocal %9 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  return %10 : tensor<1x3x4xf32>
}
