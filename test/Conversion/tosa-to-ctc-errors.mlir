// RUN: ctc-opt %s --convert-tosa-to-ctc --split-input-file --verify-diagnostics

func.func @quantised(%x: tensor<1x4x4x8xi8>, %w: tensor<6x3x3x8xi8>, %b: tensor<6xi32>) -> tensor<1x6x6x6xi32> {
  %zp = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  // expected-error@+1 {{input has element type 'i8', must be f32, f16 or bf16; quantised and 8-bit convolutions are not supported}}
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = i32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x4x4x8xi8>, tensor<6x3x3x8xi8>, tensor<6xi32>, tensor<1xi8>, tensor<1xi8>) -> tensor<1x6x6x6xi32>
  return %y : tensor<1x6x6x6xi32>
}

// -----

func.func @float8(%x: tensor<1x4x4x8xf8E4M3FN>, %w: tensor<6x3x3x8xf8E4M3FN>, %b: tensor<6xf16>) -> tensor<1x6x6x6xf16> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf8E4M3FN>}> : () -> tensor<1xf8E4M3FN>
  // expected-error@+1 {{input has element type 'f8E4M3FN', must be f32, f16 or bf16}}
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f16, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x4x4x8xf8E4M3FN>, tensor<6x3x3x8xf8E4M3FN>, tensor<6xf16>, tensor<1xf8E4M3FN>, tensor<1xf8E4M3FN>) -> tensor<1x6x6x6xf16>
  return %y : tensor<1x6x6x6xf16>
}

// -----

func.func @zero_point(%x: tensor<1x4x4x8xf32>, %w: tensor<6x3x3x8xf32>, %b: tensor<6xf32>, %zp: tensor<1xf32>) -> tensor<1x6x6x6xf32> {
  // expected-error@+1 {{input_zp must be constant zero}}
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x4x4x8xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x6x6x6xf32>
  return %y : tensor<1x6x6x6xf32>
}

// -----

func.func @dynamic_width(%x: tensor<1x4x?x8xf32>, %w: tensor<6x3x3x8xf32>, %b: tensor<6xf32>) -> tensor<1x6x?x6xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  // expected-error@+1 {{input type 'tensor<1x4x?x8xf32>' has dynamic dimension 2, only the batch may be dynamic: run tosa-infer-shapes}}
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<1x4x?x8xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x6x?x6xf32>
  return %y : tensor<1x6x?x6xf32>
}

// -----

func.func @unranked(%x: tensor<*xf32>, %w: tensor<6x3x3x8xf32>, %b: tensor<6xf32>) -> tensor<1x6x6x6xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  // expected-error@+1 {{input has type 'tensor<*xf32>', must be ranked: run tosa-infer-shapes}}
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<*xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x6x6x6xf32>
  return %y : tensor<1x6x6x6xf32>
}

// -----

func.func @batch(%x: tensor<?x4x4x8xf32>, %w: tensor<6x3x3x8xf32>, %b: tensor<6xf32>) -> tensor<1x6x6x6xf32> {
  %zp = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  // expected-error@+1 {{output has type 'tensor<1x6x6x6xf32>', must be 'tensor<?x6x6x6xf32>': run tosa-infer-shapes}}
  %y = tosa.transpose_conv2d %x, %w, %b, %zp, %zp {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
    : (tensor<?x4x4x8xf32>, tensor<6x3x3x8xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x6x6x6xf32>
  return %y : tensor<1x6x6x6xf32>
}
