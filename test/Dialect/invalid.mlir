// RUN: ctc-opt %s --split-input-file --verify-diagnostics

// One rejection or more per constraint of ctc.conv_transpose; a function's name
// starts with the constraint's label. Epilogues and extra operands: see
// invalid-epilogue.mlir.

func.func @c1_tensor_beside_memref(%x: tensor<1x8x4xf32>, %w: memref<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{operand of type 'memref<8x4x3xf32>' beside input of type 'tensor<1x8x4xf32>', must be all tensors or all memrefs}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, memref<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c1_result_on_memrefs(%x: memref<1x8x4xf32>, %w: memref<8x4x3xf32>, %init: memref<1x4x6xf32>) {
  // expected-error@+1 {{has 1 results, must have none on memrefs}}
  %y = ctc.conv_transpose ins(%x, %w : memref<1x8x4xf32>, memref<8x4x3xf32>)
         outs(%init : memref<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c1_no_result_on_tensors(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{has 0 results, must have one on tensors}}
  ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
  return
}

// -----

func.func @c1_element_types(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf16>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{element type 'f16' differs from the input's, 'f32'}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf16>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c1_bias_type(%x: tensor<1x8x4xf16>, %w: tensor<8x4x3xf16>, %b: tensor<4xbf16>, %init: tensor<1x4x6xf16>) {
  // expected-error@+1 {{bias has element type 'bf16', must be f32 or 'f16'}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf16>, tensor<8x4x3xf16>)
         bias(%b : tensor<4xbf16>) outs(%init : tensor<1x4x6xf16>) -> tensor<1x4x6xf16>
  return
}

// -----

func.func @c1_integers(%x: tensor<1x8x4xi8>, %w: tensor<8x4x3xi8>, %init: tensor<1x4x6xi8>) {
  // expected-error@+1 {{operand #0 must be ranked tensor or memref of f32, f16 or bf16, but got 'tensor<1x8x4xi8>'}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xi8>, tensor<8x4x3xi8>)
         outs(%init : tensor<1x4x6xi8>) -> tensor<1x4x6xi8>
  return
}

// -----

func.func @c1_unranked(%x: tensor<*xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{operand #0 must be ranked tensor or memref of f32, f16 or bf16, but got 'tensor<*xf32>'}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<*xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c2_rank_2(%x: tensor<1x8xf32>, %w: tensor<8x4xf32>, %init: tensor<1x4xf32>) {
  // expected-error@+1 {{input has rank 2, must be 3, 4 or 5}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8xf32>, tensor<8x4xf32>)
         outs(%init : tensor<1x4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @c2_rank_6(%x: tensor<1x8x1x1x1x1xf32>, %w: tensor<8x4x1x1x1x1xf32>, %init: tensor<1x4x1x1x1x1xf32>) {
  // expected-error@+1 {{input has rank 6, must be 3, 4 or 5}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x1x1x1x1xf32>, tensor<8x4x1x1x1x1xf32>)
         outs(%init : tensor<1x4x1x1x1x1xf32>) -> tensor<1x4x1x1x1x1xf32>
  return
}

// -----

func.func @c2_weight_rank(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{weight has rank 4 and output rank 3, must be 3 and 3}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c3_stride(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{stride has 2 values, must have one for each of 1 spatial dimensions}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {stride = array<i64: 1, 1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c3_dilation(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{dilation has 2 values, must have one for each of 1 spatial dimensions}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {dilation = array<i64: 1, 1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c3_padding_low(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{padding_low has 2 values, must have one for each of 1 spatial dimensions}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {padding_low = array<i64: 1, 1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c3_padding_high(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{padding_high has 2 values, must have one for each of 1 spatial dimensions}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {padding_high = array<i64: 1, 1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c3_output_padding(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{output_padding has 2 values, must have one for each of 1 spatial dimensions}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {output_padding = array<i64: 1, 1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c4_stride(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{spatial dimension 0: stride is 0, must be at least 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {stride = array<i64: 0>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c4_dilation(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{spatial dimension 0: dilation is -1, must be at least 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {dilation = array<i64: -1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c4_kernel(%x: tensor<1x8x4xf32>, %w: tensor<8x4x0xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{spatial dimension 0: kernel size is 0, must be at least 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x0xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c4_large_kernel(%x: tensor<1x8x4xf32>, %w: tensor<8x4x16777217xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{spatial dimension 0: kernel size is 16777217, must be at most 16777216}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x16777217xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c4_output_padding(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{spatial dimension 0: output padding is -1, must be at least 0}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {output_padding = array<i64: -1>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c5_groups(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{groups is 0, must be at least 1}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {groups = 0} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c5_input_channels(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{input channels are 8, must be a multiple of groups 3}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {groups = 3} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c5_output_channels(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x6x6xf32>) {
  // expected-error@+1 {{output channels are 6, must be a multiple of groups 4}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x6x6xf32>)
         {groups = 4} -> tensor<1x6x6xf32>
  return
}

// -----

func.func @c6_weight(%x: tensor<1x8x4xf32>, %w: tensor<4x8x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{weight has shape 4x8x3, must be 8x4x3 (Cin, Cout/groups, kernel)}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<4x8x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c6_grouped_weight(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{weight has shape 8x4x3, must be 8x2x3 (Cin, Cout/groups, kernel)}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {groups = 2} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c6_weight_layout(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{weight has shape 8x4x3, must be 4x4x8 (Cout/groups, kernel, Cin)}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {weight_layout = #ctc.weight_layout<output_kernel_input>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c7_bias(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %b: tensor<8xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{bias has shape 8, must be 4, the output channels}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         bias(%b : tensor<8xf32>) outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c7_bias_rank(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %b: tensor<1x4x1xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{bias has shape 1x4x1, must be 4, the output channels}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         bias(%b : tensor<1x4x1xf32>) outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c8_output(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x7xf32>) {
  // expected-error@+1 {{output has shape 1x4x7, must be 1x4x6}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x7xf32>) -> tensor<1x4x7xf32>
  return
}

// -----

func.func @c8_batch(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<2x4x6xf32>) {
  // expected-error@+1 {{output has shape 2x4x6, must be 1x4x6}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<2x4x6xf32>) -> tensor<2x4x6xf32>
  return
}

// -----

func.func @c8_negative(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x0xf32>) {
  // expected-error@+1 {{spatial dimension 0: output size is -1, must be at least 0}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x0xf32>)
         {padding_low = array<i64: 7>} -> tensor<1x4x0xf32>
  return
}

// -----

func.func @c8_overflow(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{spatial dimension 0: output size does not fit in 63 bits}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {stride = array<i64: 4611686018427387904>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c8_bytes(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x3458764513820540931xf32>) {
  // expected-error@+1 {{output of shape 1x4x3458764513820540931 does not fit in 2^63 - 1 bytes}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x3458764513820540931xf32>)
         {stride = array<i64: 1152921504606846976>} -> tensor<1x4x3458764513820540931xf32>
  return
}

// -----

func.func @c9_dynamic_width(%x: tensor<1x8x?xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{input type 'tensor<1x8x?xf32>' has dynamic dimension 2, only the batch may be dynamic}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x?xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c9_dynamic_weight(%x: tensor<1x8x4xf32>, %w: tensor<?x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{weight type 'tensor<?x4x3xf32>' has dynamic dimension 0, only the batch may be dynamic}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<?x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c9_batch_of_input(%x: tensor<?x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{batch is dynamic in one of input 'tensor<?x8x4xf32>' and output 'tensor<1x4x6xf32>', must be in both or none}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<?x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c9_strided(%x: memref<1x8x4xf32, strided<[64, 8, 1]>>, %w: memref<8x4x3xf32>, %init: memref<1x4x6xf32>) {
  // expected-error@+1 {{operand of type 'memref<1x8x4xf32, strided<[64, 8, 1]>>' is not contiguous, must have the identity layout}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x4xf32, strided<[64, 8, 1]>>, memref<8x4x3xf32>)
         outs(%init : memref<1x4x6xf32>)
  return
}

// -----

func.func @c10_precision(%x: tensor<1x8x4xf16>, %w: tensor<8x4x3xf16>, %init: tensor<1x4x6xf16>) {
  // expected-error@+1 {{precision is ieee, which needs f32 operands, not f16}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf16>, tensor<8x4x3xf16>)
         outs(%init : tensor<1x4x6xf16>)
         {precision = #ctc.precision<ieee>} -> tensor<1x4x6xf16>
  return
}

// -----

func.func @c13_box_rank(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{kernel has a box of 2 sizes, must be one for each of 1 spatial dimensions}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} -> tensor<1x4x6xf32>
  return
}

// -----

func.func @c13_packed_without_kernel(%x: tensor<1x8x4xf32>, %w: tensor<1x1x3x8x4xf32>, %init: tensor<1x4x6xf32>) {
  // expected-error@+1 {{has packed weights but no kernel to say how}}
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<1x1x3x8x4xf32>)
         outs(%init : tensor<1x4x6xf32>)
         {packed} -> tensor<1x4x6xf32>
  return
}

// -----
func.func @c14_unknown_attribute(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-error@+1 {{unknown attribute 'strides', must be one of dilation, extra_maps, groups, kernel, layout, output_padding, packed, padding_high, padding_low, precision, stride, weight_layout}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {strides = array<i64: 2>} -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}
