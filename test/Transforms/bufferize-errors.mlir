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

// -----
func.func @two_layers(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  // expected-error@+1 {{is a second layer of the entry 'two_layers', an entry must have exactly one}}
  %1 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%0 : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  return %1 : tensor<1x4x7xf32>
}

// -----
func.func private @hidden(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-error@+1 {{stands in the private function 'hidden', must stand in a public one}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
// expected-error@+1 {{argument 3 is not an operand of the entry's layer, must be one}}
func.func @unused(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>, %unused: tensor<4xf32>) -> tensor<1x4x7xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
// expected-error@+1 {{argument 0 has type 'memref<1x8x6xf32, 3>', must have no memory space and no encoding}}
func.func @memory_space(%x: memref<1x8x6xf32, 3>, %w: memref<8x4x2xf32>, %y: memref<1x4x7xf32>) {
  ctc.conv_transpose ins(%x, %w : memref<1x8x6xf32, 3>, memref<8x4x2xf32>) outs(%y : memref<1x4x7xf32>)
  return
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [7], phases = [1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>

// expected-error@+1 {{name 'a b' cannot be an entry's, must be letters, digits, '_' and '$', not start with a digit, and not end in __prepare or _phases and a number}}
func.func @"a b"(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {kernel = #kernel} -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [7], phases = [1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>

// expected-error@+1 {{name 'f_phases0' cannot be an entry's}}
func.func @f_phases0(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {kernel = #kernel} -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [7], phases = [1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>

// expected-error@+1 {{needs the name 'f__prepare', which is taken}}
func.func @f(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {kernel = #kernel} -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// expected-note@+1 {{here}}
func.func private @f__prepare()
