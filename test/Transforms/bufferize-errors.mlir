// RUN: ctc-opt %s --ctc-bufferize -split-input-file -verify-diagnostics

// expected-error@+1 {{is an entry without a ctc.conv_transpose, must have exactly one}}
func.func @no_layer(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----
func.func @no_kernel(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-error@+1 {{has no kernel, run ctc-select-kernel first}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
func.func @not_fused(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-note@+1 {{the entry's layer}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  // expected-error@+1 {{'math.absf' op cannot be fused into the entry 'not_fused', which must hold one ctc.conv_transpose on the function's arguments and return its result}}
  %1 = math.absf %0 : tensor<1x4x7xf32>
  return %1 : tensor<1x4x7xf32>
}

// -----
func.func @returns_something_else(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x8x6xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  // expected-error@+1 {{must return the result of ctc.conv_transpose and nothing else}}
  return %x : tensor<1x8x6xf32>
}
