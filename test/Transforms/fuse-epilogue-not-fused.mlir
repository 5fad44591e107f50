// RUN: ctc-opt %s --ctc-fuse-epilogue=explain --split-input-file --verify-diagnostics | FileCheck %s

// Consumers that stay, and why. The layer stays as it was: no epilogue.

// CHECK-NOT: epilogue {

#id = affine_map<(n, c, x) -> (n, c, x)>
func.func @result_also_returned(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> (tensor<1x3x4xf32>, tensor<1x3x4xf32>) {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %z = tosa.tanh %y : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'func.return' uses several values, or one of another type than the layer's}}
  return %y, %z : tensor<1x3x4xf32>, tensor<1x3x4xf32>
}

// -----

func.func @branches_do_not_meet(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> (tensor<1x3x4xf32>, tensor<1x3x4xf32>) {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %a = tosa.tanh %y : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %b = tosa.exp %y : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'func.return' uses several values, or one of another type than the layer's}}
  return %a, %b : tensor<1x3x4xf32>, tensor<1x3x4xf32>
}

// -----

func.func @not_elementwise(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x1xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'tosa.reduce_max' is not elementwise}}
  %z = tosa.reduce_max %y {axis = 2 : i32} : (tensor<1x3x4xf32>) -> tensor<1x3x1xf32>
  return %z : tensor<1x3x1xf32>
}

// -----

func.func @reduction(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>, %out: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'linalg.reduce' reduces}}
  %z = linalg.reduce { arith.addf } ins(%y : tensor<1x3x4xf32>) outs(%out : tensor<1x3xf32>) dimensions = [2]
  return %z : tensor<1x3xf32>
}

// -----

func.func @transposes(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>, %out: tensor<1x4x3xf32>) -> tensor<1x4x3xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'linalg.transpose' results in tensor<1x4x3xf32>, another shape than the layer's}}
  %z = linalg.transpose ins(%y : tensor<1x3x4xf32>) outs(%out : tensor<1x4x3xf32>) permutation = [0, 2, 1]
  return %z : tensor<1x4x3xf32>
}

// -----

func.func @transposes_in_place(%x: tensor<1x3x4xf32>, %w: tensor<3x4x1xf32>, %init: tensor<1x4x4xf32>) -> tensor<1x4x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x3x4xf32>, tensor<3x4x1xf32>)
         outs(%init : tensor<1x4x4xf32>) -> tensor<1x4x4xf32>
  // expected-remark@+1 {{not fused: 'linalg.transpose' does not use the layer's result element by element}}
  %z = linalg.transpose ins(%y : tensor<1x4x4xf32>) outs(%init : tensor<1x4x4xf32>) permutation = [0, 2, 1]
  return %z : tensor<1x4x4xf32>
}

// -----

func.func @broadcast_of_the_result(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %z: tensor<5x3x4xf32>, %init: tensor<1x3x4xf32>) -> tensor<5x3x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'tosa.add' results in tensor<5x3x4xf32>, another shape than the layer's}}
  %r = tosa.add %y, %z : (tensor<1x3x4xf32>, tensor<5x3x4xf32>) -> tensor<5x3x4xf32>
  return %r : tensor<5x3x4xf32>
}

// -----

// The layer has one element type: a wider result is a consumer of its own.

func.func @wider_result(%x: tensor<1x2x4xf16>, %w: tensor<2x3x1xf16>, %init: tensor<1x3x4xf16>) -> tensor<1x3x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf16>, tensor<2x3x1xf16>)
         outs(%init : tensor<1x3x4xf16>) -> tensor<1x3x4xf16>
  %z = tosa.cast %y : (tensor<1x3x4xf16>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'func.return' uses several values, or one of another type than the layer's}}
  return %z : tensor<1x3x4xf32>
}

// -----

func.func @integers(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xi32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'tosa.cast' yields type i32, must be f32, f16, bf16 or i1}}
  %z = tosa.cast %y : (tensor<1x3x4xf32>) -> tensor<1x3x4xi32>
  return %z : tensor<1x3x4xi32>
}

// -----

#id = affine_map<(n, c, x) -> (n, c, x)>
func.func @illegal_payload(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: holds 'arith.remf', must be one of arith.addf, arith.cmpf}}
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
         ins(%y : tensor<1x3x4xf32>) outs(%init : tensor<1x3x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.remf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<1x3x4xf32>
  return %z : tensor<1x3x4xf32>
}

// -----

#id = affine_map<(n, c, x) -> (n, c, x)>
func.func @value_from_outside(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %s: f32, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'linalg.generic' uses a value from outside in 'arith.mulf'}}
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
         ins(%y : tensor<1x3x4xf32>) outs(%init : tensor<1x3x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %s : f32
    linalg.yield %m : f32
  } -> tensor<1x3x4xf32>
  return %z : tensor<1x3x4xf32>
}

// -----

func.func @integer_operand(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %p: tensor<1x3x4xi1>, %z: tensor<1x3x4xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  // expected-remark@+1 {{not fused: 'arith.select' uses an operand of type tensor<1x3x4xi1>, must have elements of f32, f16 or bf16}}
  %r = arith.select %p, %y, %z : tensor<1x3x4xi1>, tensor<1x3x4xf32>
  return %r : tensor<1x3x4xf32>
}

// -----

func.func @kernel_chosen(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>) -> tensor<1x3x4xf32> {
  // expected-remark@+1 {{not fused: its kernel is already chosen}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>)
         {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [1],
            chunk_channels = 2, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} -> tensor<1x3x4xf32>
  %z = tosa.tanh %y : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  return %z : tensor<1x3x4xf32>
}

// -----

func.func @used_in_a_payload(%x: tensor<1x2x4xf32>, %w: tensor<2x3x1xf32>, %init: tensor<1x3x4xf32>, %i: index) -> tensor<1x3x4xf32> {
  // expected-remark@+1 {{not fused: its result is used in another block}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf32>, tensor<2x3x1xf32>)
         outs(%init : tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %z = linalg.map ins(%init : tensor<1x3x4xf32>) outs(%init : tensor<1x3x4xf32>)
    (%a: f32, %o: f32) {
      %e = tensor.extract %y[%i, %i, %i] : tensor<1x3x4xf32>
      linalg.yield %e : f32
    }
  return %z : tensor<1x3x4xf32>
}
