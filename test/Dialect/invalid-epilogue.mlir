// RUN: ctc-opt %s --split-input-file --verify-diagnostics

// Rejections of extra operands (C11) and of epilogues (C12).

func.func @c11_no_maps(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{has 1 extra operands and 0 extra_maps, must be as many}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4xf32>) outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_input_rank(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra_maps[0] is affine_map<(d0, d1) -> (d1)>, must map 3 output dimensions to 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c) -> (c)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_symbol(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{must map 3 output dimensions to 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x)[s] -> (c)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_operand_rank(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4x6xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra_maps[0] is affine_map<(d0, d1, d2) -> (d1)>, must map 3 output dimensions to 2}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4x6xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (c)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_sum(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra_maps[0] is affine_map<(d0, d1, d2) -> (d1 + d2)>, each result must be a distinct dimension or 0}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (c + x)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_repeated(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4x4xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra_maps[0] is affine_map<(d0, d1, d2) -> (d1, d1)>, each result must be a distinct dimension or 0}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4x4xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (c, c)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_constant(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4x1xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra_maps[0] is affine_map<(d0, d1, d2) -> (d1, 1)>, each result must be a distinct dimension or 0}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4x1xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (c, 1)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_size(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<6xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra operand 0 has type 'tensor<6xf32>', its size under affine_map<(d0, d1, d2) -> (d1)> must be 4}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<6xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (c)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_broadcast_size(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<4x6xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{extra operand 0 has type 'tensor<4x6xf32>', its size under affine_map<(d0, d1, d2) -> (d1, 0)> must be 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<4x6xf32>) outs(%init : tensor<1x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (c, 0)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c11_static_batch(%x: tensor<?x8x4xf32>, %w: tensor<8x4x3xf32>, %z: tensor<1x4x6xf32>, %init: tensor<?x4x6xf32>) {
  // expected-error@+1 {{extra operand 0 has type 'tensor<1x4x6xf32>', its size under affine_map<(d0, d1, d2) -> (d0, d1, d2)> must be ?}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<?x8x4xf32>, tensor<8x4x3xf32>)
         extras(%z : tensor<1x4x6xf32>) outs(%init : tensor<?x4x6xf32>)
         {extra_maps = [affine_map<(n, c, x) -> (n, c, x)>]} epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %acc : f32
  } -> tensor<?x4x6xf32>
  return
}

// -----

func.func @c12_no_argument(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue takes (), must take ('f32'): the accumulator and one element of each extra operand}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0():
    %c = arith.constant 0.0 : f32
    ctc.yield %c : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_argument_type(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue takes ('f16'), must take ('f32')}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f16):
    %c = arith.extf %acc : f16 to f32
    ctc.yield %c : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_missing_operand(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue takes ('f32', 'f32'), must take ('f32')}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32, %e: f32):
    ctc.yield %e : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_operation(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue holds 'arith.remf', must be one of arith.addf, arith.cmpf, arith.constant, arith.divf, arith.extf, arith.maximumf, arith.maxnumf, arith.minimumf, arith.minnumf, arith.mulf, arith.negf, arith.select, arith.subf, arith.truncf, math.absf, math.ceil, math.copysign, math.cos, math.erf, math.exp, math.exp2, math.expm1, math.floor, math.fma, math.log, math.log1p, math.log2, math.powf, math.rsqrt, math.sin, math.sqrt, math.tanh}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    // expected-note@+1 {{here}}
    %c = arith.remf %acc, %acc : f32
    ctc.yield %c : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_type(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue holds 'arith.extf' on type f64, must be f32, f16, bf16 or i1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    // expected-note@+1 {{here}}
    %d = arith.extf %acc : f32 to f64
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_rounding(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue rounds toward_zero, must round to_nearest_even}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    // expected-note@+1 {{here}}
    %d = arith.truncf %acc toward_zero : f32 to f16
    ctc.yield %acc : f32
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_terminator(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{epilogue ends with 'llvm.unreachable', must end with ctc.yield}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    llvm.unreachable
  } -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c12_yield_type(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    %h = arith.truncf %acc : f32 to f16
    // expected-error@+1 {{'ctc.yield' op operand #0 must be 32-bit float, but got 'f16'}}
    ctc.yield %h : f16
  } -> tensor<1x4x6xf32>
  return
}
