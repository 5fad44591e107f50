// RUN: ctc-opt %s --split-input-file | ctc-opt --split-input-file | FileCheck %s
// RUN: ctc-opt %s --split-input-file --mlir-print-op-generic | ctc-opt --split-input-file | FileCheck %s

// The epilogue region, extra operands and their indexing maps print as they parse.

// CHECK-LABEL: func @relu
// CHECK: epilogue {
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT:   %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-NEXT:   %[[RELU:.*]] = arith.maximumf %[[ACC]], %[[ZERO]] : f32
// CHECK-NEXT:   ctc.yield %[[RELU]] : f32
// CHECK-NEXT: } -> tensor<1x4x6xf32>
func.func @relu(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    %zero = arith.constant 0.0 : f32
    %relu = arith.maximumf %acc, %zero : f32
    ctc.yield %relu : f32
  } -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}

// -----

// Full, per channel, broadcast along the width and scalar operands, of any of
// the three types, with a comparison and a half-precision rounding between.

// CHECK-DAG: #[[FULL:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, 0)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1, d2) -> ()>
// CHECK-LABEL: func @extras
// CHECK: extras(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x4x6xf16>, tensor<4xf32>, tensor<1x4x1xbf16>, tensor<f32>)
// CHECK-SAME: {extra_maps = [#[[FULL]], #[[CHANNEL]], #[[ROW]], #[[SCALAR]]]}
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f16, %{{.*}}: f32, %{{.*}}: bf16, %{{.*}}: f32):
#full = affine_map<(n, c, x) -> (n, c, x)>
#channel = affine_map<(n, c, x) -> (c)>
#row = affine_map<(n, c, x) -> (n, c, 0)>
#scalar = affine_map<(n, c, x) -> ()>
func.func @extras(%x: tensor<1x8x4xf16>, %w: tensor<8x4x3xf16>, %z: tensor<1x4x6xf16>, %s: tensor<4xf32>,
                  %r: tensor<1x4x1xbf16>, %t: tensor<f32>, %init: tensor<1x4x6xf16>) -> tensor<1x4x6xf16> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf16>, tensor<8x4x3xf16>)
         extras(%z, %s, %r, %t : tensor<1x4x6xf16>, tensor<4xf32>, tensor<1x4x1xbf16>, tensor<f32>)
         outs(%init : tensor<1x4x6xf16>)
         {extra_maps = [#full, #channel, #row, #scalar]} epilogue {
  ^bb0(%acc: f32, %zf: f16, %sf: f32, %rf: bf16, %tf: f32):
    %rounded = arith.truncf %acc : f32 to f16
    %sum = arith.addf %rounded, %zf : f16
    %wide = arith.extf %sum : f16 to f32
    %positive = arith.cmpf ogt, %wide, %tf : f32
    %scaled = arith.mulf %wide, %sf : f32
    %chosen = arith.select %positive, %wide, %scaled : f32
    %rw = arith.extf %rf : bf16 to f32
    %result = arith.addf %chosen, %rw : f32
    ctc.yield %result : f32
  } -> tensor<1x4x6xf16>
  return %y : tensor<1x4x6xf16>
}

// -----

// CHECK-LABEL: func @dynamic_batch_and_buffers
// CHECK: extras(%{{.*}} : memref<?x4x6xf32>)
#full = affine_map<(n, c, x) -> (n, c, x)>
func.func @dynamic_batch_and_buffers(%x: memref<?x8x4xf32>, %w: memref<8x4x3xf32>, %z: memref<?x4x6xf32>, %y: memref<?x4x6xf32>) {
  ctc.conv_transpose ins(%x, %w : memref<?x8x4xf32>, memref<8x4x3xf32>)
    extras(%z : memref<?x4x6xf32>) outs(%y : memref<?x4x6xf32>)
    {extra_maps = [#full]} epilogue {
  ^bb0(%acc: f32, %zf: f32):
    %sum = arith.addf %acc, %zf : f32
    ctc.yield %sum : f32
  }
  return
}
