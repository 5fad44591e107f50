// Packed weights must be what their kernel and groups make of the weight.
// RUN: ctc-opt %s -split-input-file -verify-diagnostics

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [7], phases = [1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>

func.func @c13_packed_shape(%x: memref<1x8x6xf32>, %w: memref<1x1x2x1x1xf32>, %y: memref<1x4x7xf32>) {
  // expected-error@+1 {{packed weight has shape 1x1x2x1x1, must be 1x1x2x8x4 for its kernel}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x6xf32>, memref<1x1x2x1x1xf32>) outs(%y : memref<1x4x7xf32>)
    {kernel = #kernel, packed}
  return
}

// -----
func.func @output_is_input(%x: memref<1x4x4xf32>, %w: memref<4x4x1xf32>) {
  // expected-error@+1 {{output is also an input, must be a buffer of its own}}
  ctc.conv_transpose ins(%x, %w : memref<1x4x4xf32>, memref<4x4x1xf32>) outs(%x : memref<1x4x4xf32>)
  return
}

// -----
func.func @tap_step(%w: memref<8x4x2xf32>, %p: memref<1x1x2x8x4xf32>) {
  // expected-error@+1 {{tap_step is 0, must be at least 1}}
  ctc.pack_weights %w into %p {groups = 1 : i64, tap_step = array<i64: 0>} : memref<8x4x2xf32> into memref<1x1x2x8x4xf32>
  return
}

// -----
func.func @groups(%w: memref<8x4x2xf32>, %p: memref<3x1x2x8x4xf32>) {
  // expected-error@+1 {{groups is 3, must be at least 1 and divide 8 input channels}}
  ctc.pack_weights %w into %p {groups = 3 : i64, tap_step = array<i64: 1>} : memref<8x4x2xf32> into memref<3x1x2x8x4xf32>
  return
}

// -----
func.func @group_tile(%w: memref<8x1x2xf32>, %p: memref<2x1x2x1x8xf32>) {
  // expected-error@+1 {{group_tile is 3, must be at least 1 and, above it, divide the 8 channels of the only tile of 1}}
  ctc.pack_weights %w into %p {groups = 8 : i64, group_tile = 3 : i64, tap_step = array<i64: 1>} : memref<8x1x2xf32> into memref<2x1x2x1x8xf32>
  return
}

// -----
func.func @group_tiles(%w: memref<8x1x2xf32>, %p: memref<2x1x2x1x8xf32>) {
  // expected-error@+1 {{packed has 2 groups, must be 1}}
  ctc.pack_weights %w into %p {groups = 8 : i64, group_tile = 8 : i64, tap_step = array<i64: 1>} : memref<8x1x2xf32> into memref<2x1x2x1x8xf32>
  return
}

// -----
func.func @group_room(%w: memref<8x2x2xf32>, %p: memref<1x1x2x1x8xf32>) {
  // expected-error@+1 {{packed holds 1 by 1 channels of a group, must be at least 1 by 2}}
  ctc.pack_weights %w into %p {groups = 8 : i64, group_tile = 8 : i64, tap_step = array<i64: 1>} : memref<8x2x2xf32> into memref<1x1x2x1x8xf32>
  return
}

// -----
func.func @room(%w: memref<8x4x2xf32>, %p: memref<1x1x2x7x4xf32>) {
  // expected-error@+1 {{packed holds 7 by 4 channels of a group, must be at least 8 by 4}}
  ctc.pack_weights %w into %p {groups = 1 : i64, tap_step = array<i64: 1>} : memref<8x4x2xf32> into memref<1x1x2x7x4xf32>
  return
}

// -----
// expected-error@+1 {{arguments 0 and 1 both have ctc.name "x", must differ}}
func.func private @names(%a: tensor<1xf32> {ctc.name = "x"}, %b: tensor<1xf32> {ctc.name = "x"})

// -----
// expected-error@+1 {{argument 0 has ctc.name 5 : i64, must be a string that is not empty}}
func.func private @name_type(%a: tensor<1xf32> {ctc.name = 5})

// -----
// expected-error@+1 {{argument 0 has ctc.name "a b\0A", must have no line breaks or other control characters}}
func.func private @name_in_two_lines(%a: tensor<1xf32> {ctc.name = "a b\0A"})

// -----
func.func @split_past_any_step(%w: memref<8x8x2xf32>, %p: memref<1x1x2x8x8xf32>) {
  // expected-error@+1 {{fragments have split 2305843009213693952, must be at least 1 and divide the 1 steps of a chunk}}
  ctc.pack_weights %w into %p {groups = 1 : i64, tap_step = array<i64: 1>, fragments = #ctc.fragments<chunk_channels = 8, split = 2305843009213693952, unit = 8, lanes = channels, layout = channels_last>} : memref<8x8x2xf32> into memref<1x1x2x8x8xf32>
  return
}

// -----
func.func @cores_of_rows(%w: memref<8x16x2xf32>, %p: memref<1x1x2x8x16xf32>) {
  // expected-error@+1 {{fragments have cores with lanes = positions and unit 16, must have lanes = channels, and unit 8 in channels_first}}
  ctc.pack_weights %w into %p {groups = 1 : i64, tap_step = array<i64: 1>, fragments = #ctc.fragments<chunk_channels = 8, unit = 16, lanes = positions, layout = channels_first, cores = true>} : memref<8x16x2xf32> into memref<1x1x2x8x16xf32>
  return
}
