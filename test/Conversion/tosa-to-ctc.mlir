// RUN: ctc-opt %s --convert-tosa-to-ctc --split-input-file | FileCheck %s
// RUN: ctc-opt %s --convert-tosa-to-ctc=precision=tf32x3 --split-input-file | FileCheck %s --check-prefix=TF32X3

// TOSA's out_pad is ctc's padding with the opposite sign; the weight stays where
// it is; the bias is the layer's.

// CHECK-LABEL: func @layer
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<1x4x4x8xf32>, %[[W:[a-z0-9]*]]: tensor<6x3x3x8xf32>, %[[B:[a-z0-9]*]]: tensor<6xf32>
// CHECK-NEXT: %[[INIT:.*]] = tensor.empty() : tensor<1x9x10x6xf32>
// CHECK-NEXT: ctc.conv_transpose ins(%[[X]], %[[W]] : tensor<1x4x4x8xf32>, tensor<6x3x3x8xf32>) bias(%[[B]] : tensor<6xf32>) outs(%[[INIT]] : tensor<1x9x10x6xf32>)
// CHECK-SAME: {layout = #ctc.layout<channels_last>, padding_high = array<i64: 1, -2>, padding_low = array<i64: -1, 1>, precision = #ctc.precision<ieee>, stride = array<i64: 2, 2>, weight_layout = #ctc.weight_layout<output_kernel_input>} -> tensor<1x9x10x6xf32>
// CHECK-NEXT: return
// TF32X3-LABEL: func @layer
// TF32X3: precision = #ctc.precision<tf32x3>
func.func @layer(%x: tensor<1x4x4x8xf32>, %w: tensor<6x3x3x8xf32>, %b: tensor<6xf32>) -> tensor<1x9x10x6xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, out_pad = array<i64: 1, -1, -1, 2>, stride = array<i64: 2, 2>}
    : (tensor<1x4x4x8xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x9x10x6xf32>
  return %y : tensor<1x9x10x6xf32>
}

// -----

// A zero bias is dropped, the batch may be dynamic, stride 1 and no padding are
// absent attributes; local_bound asks for ieee whatever the option says.

// CHECK-LABEL: func @plain
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<?x4x4x8xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %{{.*}}
// CHECK: %[[INIT:.*]] = tensor.empty(%[[N]]) : tensor<?x6x6x6xf32>
// CHECK: ctc.conv_transpose ins({{.*}}) outs(%[[INIT]] : tensor<?x6x6x6xf32>) {layout = #ctc.layout<channels_last>, precision = #ctc.precision<ieee>, weight_layout = #ctc.weight_layout<output_kernel_input>}
// CHECK-NOT: tosa.const
// TF32X3-LABEL: func @plain
// TF32X3: precision = #ctc.precision<ieee>
func.func @plain(%x: tensor<?x4x4x8xf32>, %w: tensor<6x3x3x8xf32>) -> tensor<?x6x6x6xf32> {
  %b = "tosa.const"() <{values = dense<0.0> : tensor<6xf32>}> : () -> tensor<6xf32>
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, local_bound = true, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<?x4x4x8xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x6x6x6xf32>
  return %y : tensor<?x6x6x6xf32>
}

// -----

// One bias for all channels is an extra operand; f16 accumulates in f32.

// CHECK: #[[ONE:.*]] = affine_map<(d0, d1, d2, d3) -> (0)>
// CHECK-LABEL: func @one_bias
// CHECK: extras(%{{.*}} : tensor<1xf16>)
// CHECK-SAME: extra_maps = [#[[ONE]]]
// CHECK-NOT: precision
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[B:.*]]: f16):
// CHECK-NEXT: %[[E:.*]] = arith.extf %[[B]] : f16 to f32
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[ACC]], %[[E]] : f32
// CHECK-NEXT: ctc.yield %[[S]] : f32
func.func @one_bias(%x: tensor<1x4x4x8xf16>, %w: tensor<6x3x3x8xf16>, %b: tensor<1xf16>) -> tensor<1x6x6x6xf16> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf16>}> : () -> tensor<1xf16>
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f16, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x4x4x8xf16>, tensor<6x3x3x8xf16>, tensor<1xf16>, tensor<1xf16>, tensor<1xf16>) -> tensor<1x6x6x6xf16>
  return %y : tensor<1x6x6x6xf16>
}

// -----

// A constant bias is a constant of the epilogue, and fusion goes on from there.

// CHECK-LABEL: func @constant_bias
// CHECK: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT: %[[C:.*]] = arith.constant 2.500000e+00 : f32
// CHECK-NEXT: arith.addf %[[ACC]], %[[C]] : f32
func.func @constant_bias(%x: tensor<1x4x4x8xbf16>, %w: tensor<6x3x3x8xbf16>) -> tensor<1x6x6x6xbf16> {
  %b = "tosa.const"() <{values = dense<2.5> : tensor<6xbf16>}> : () -> tensor<6xbf16>
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xbf16>}> : () -> tensor<1xbf16>
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x4x4x8xbf16>, tensor<6x3x3x8xbf16>, tensor<6xbf16>, tensor<1xbf16>, tensor<1xbf16>) -> tensor<1x6x6x6xbf16>
  return %y : tensor<1x6x6x6xbf16>
}
