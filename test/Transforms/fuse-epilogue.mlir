// RUN: ctc-opt %s --ctc-fuse-epilogue --split-input-file | FileCheck %s

// A named operation whose other operand is per channel.

// CHECK-DAG: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: func @linalg_generic
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<4xf32>
// CHECK: %[[Y:.*]] = ctc.conv_transpose
// CHECK-SAME: extras(%[[S]] : tensor<4xf32>)
// CHECK-SAME: {extra_maps = [#[[CHANNEL]]], stride = array<i64: 1>} epilogue {
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32, %[[E:.*]]: f32):
// CHECK-NEXT:   %[[M:.*]] = arith.mulf %[[ACC]], %[[E]] : f32
// CHECK-NEXT:   %[[Z:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:   %[[R:.*]] = arith.maximumf %[[M]], %[[Z]] : f32
// CHECK-NEXT:   ctc.yield %[[R]] : f32
// CHECK-NEXT: }
// CHECK-NEXT: return %[[Y]]
#id = affine_map<(n, c, x) -> (n, c, x)>
#channel = affine_map<(n, c, x) -> (c)>
func.func @linalg_generic(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %s: tensor<4xf32>) -> tensor<1x4x6xf32> {
  %init = tensor.empty() : tensor<1x4x6xf32>
  %zero = arith.constant 0.0 : f32
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) {stride = array<i64: 1>} -> tensor<1x4x6xf32>
  %out = tensor.empty() : tensor<1x4x6xf32>
  %z = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel"]}
         ins(%y, %s : tensor<1x4x6xf32>, tensor<4xf32>) outs(%out : tensor<1x4x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.mulf %a, %b : f32
    %r = arith.maximumf %m, %zero : f32
    linalg.yield %r : f32
  } -> tensor<1x4x6xf32>
  return %z : tensor<1x4x6xf32>
}

// -----

// Loops in another order than the dimensions.

// CHECK-DAG: #[[LAST:.*]] = affine_map<(d0, d1, d2) -> (d2, 0)>
// CHECK-LABEL: func @permuted_loops
// CHECK: {extra_maps = [#[[LAST]]]}
#p = affine_map<(x, c, n) -> (n, c, x)>
#last = affine_map<(x, c, n) -> (x, 0)>
func.func @permuted_loops(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %s: tensor<6x1xf32>, %init: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %z = linalg.generic {indexing_maps = [#p, #last, #p], iterator_types = ["parallel", "parallel", "parallel"]}
         ins(%y, %s : tensor<1x4x6xf32>, tensor<6x1xf32>) outs(%init : tensor<1x4x6xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.subf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<1x4x6xf32>
  return %z : tensor<1x4x6xf32>
}

// -----

// A chain of named, map and elementwise-mappable operations is fused whole, and
// an operand that is used twice appears once.

// CHECK-LABEL: func @chain
// CHECK: extras(%{{[a-z0-9]*}} : tensor<1x4x6xf32>)
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[E:.*]]: f32):
// CHECK-NEXT:   %[[A:.*]] = arith.addf %[[ACC]], %[[E]] : f32
// CHECK-NEXT:   %[[T:.*]] = math.tanh %[[A]] : f32
// CHECK-NEXT:   %[[M:.*]] = arith.mulf %[[T]], %[[E]] : f32
// CHECK-NEXT:   %[[C:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-NEXT:   %[[Q:.*]] = arith.subf %[[M]], %[[C]] : f32
// CHECK-NEXT:   ctc.yield %[[Q]] : f32
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @chain(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<1x4x6xf32>, %init: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %quarter = arith.constant dense<0.25> : tensor<1x4x6xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %0 = linalg.add ins(%y, %z : tensor<1x4x6xf32>, tensor<1x4x6xf32>) outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %1 = linalg.map { math.tanh } ins(%0 : tensor<1x4x6xf32>) outs(%init : tensor<1x4x6xf32>)
  %2 = arith.mulf %1, %z : tensor<1x4x6xf32>
  %3 = arith.subf %2, %quarter : tensor<1x4x6xf32>
  return %3 : tensor<1x4x6xf32>
}

// -----

// x * sigmoid(x): two users that meet again.

// CHECK-LABEL: func @diamond
// CHECK: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT:   %[[ONE:.*]] = arith.constant 1.000000e+00 : f32
// CHECK-NEXT:   %[[N:.*]] = arith.negf %[[ACC]] : f32
// CHECK-NEXT:   %[[EXP:.*]] = math.exp %[[N]] : f32
// CHECK-NEXT:   %[[D:.*]] = arith.addf %[[EXP]], %[[ONE]] : f32
// CHECK-NEXT:   %[[S:.*]] = arith.divf %[[ONE]], %[[D]] : f32
// CHECK-NEXT:   %[[M:.*]] = arith.mulf %[[ACC]], %[[S]] : f32
// CHECK-NEXT:   ctc.yield %[[M]] : f32
func.func @diamond(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %s = tosa.sigmoid %y : (tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %m = tosa.mul %y, %s, %shift : (tensor<1x4x6xf32>, tensor<1x4x6xf32>, tensor<1xi8>) -> tensor<1x4x6xf32>
  return %m : tensor<1x4x6xf32>
}

// -----

// What is fused comes after the epilogue that is already there.

// CHECK-LABEL: func @onto_an_epilogue
// CHECK: extras(%{{.*}}, %{{.*}} : tensor<4xf32>, tensor<f32>)
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[A:.*]]: f32, %[[B:.*]]: f32):
// CHECK-NEXT:   %[[P:.*]] = arith.mulf %[[ACC]], %[[A]] : f32
// CHECK-NEXT:   %[[Q:.*]] = arith.addf %[[P]], %[[B]] : f32
// CHECK-NEXT:   ctc.yield %[[Q]] : f32
#channel = affine_map<(n, c, x) -> (c)>
func.func @onto_an_epilogue(%x: tensor<?x8x4xf32>, %w: tensor<8x4x3xf32>, %a: tensor<4xf32>, %b: tensor<f32>, %init: tensor<?x4x6xf32>) -> tensor<?x4x6xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<?x8x4xf32>, tensor<8x4x3xf32>)
         extras(%a : tensor<4xf32>) outs(%init : tensor<?x4x6xf32>) {extra_maps = [#channel]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    %0 = arith.mulf %acc, %e : f32
    ctc.yield %0 : f32
  } -> tensor<?x4x6xf32>
  %z = linalg.broadcast ins(%b : tensor<f32>) outs(%init : tensor<?x4x6xf32>) dimensions = [0, 1, 2]
  %r = linalg.add ins(%y, %z : tensor<?x4x6xf32>, tensor<?x4x6xf32>) outs(%init : tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  return %r : tensor<?x4x6xf32>
}
