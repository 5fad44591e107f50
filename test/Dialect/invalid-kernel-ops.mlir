// RUN: ctc-opt %s --split-input-file --verify-diagnostics

func.func @patch_rank(%x: memref<1x8x4xf32>, %i: index) {
  // expected-error@+1 {{patch has rank 4, must be 3 (channels, samples, halo)}}
  %p = ctc.load_patch %x sample %i of %i channel %i to %i origin(%i)
         {group_channels = 8, layout = #ctc.layout<channels_first>} : memref<1x8x4xf32> -> vector<8x1x3x3xf32>
  return
}

// -----

func.func @patch_origin(%x: memref<1x8x4xf32>, %i: index) {
  // expected-error@+1 {{origin has 2 values, must have one for each of 1 spatial dimensions}}
  %p = ctc.load_patch %x sample %i of %i channel %i to %i origin(%i, %i)
         {group_channels = 8, layout = #ctc.layout<channels_first>} : memref<1x8x4xf32> -> vector<8x1x3xf32>
  return
}

// -----

func.func @weights_rank(%w: memref<1x1x3x8x4xf32>, %i: index) {
  // expected-error@+1 {{weights have rank 2, must be 3 (taps, input channels, output channels)}}
  %t = ctc.load_weights %w group %i tile %i channel %i slot(%i) count(%i) : memref<1x1x3x8x4xf32> -> vector<8x4xf32>
  return
}

// -----

func.func @weights_slot(%w: memref<1x1x3x8x4xf32>, %i: index) {
  // expected-error@+1 {{slot has 0 values, must have one for each of 1 spatial dimensions}}
  %t = ctc.load_weights %w group %i tile %i channel %i slot() count(%i) : memref<1x1x3x8x4xf32> -> vector<2x8x4xf32>
  return
}

// -----

func.func @contract_halo(%p: vector<8x1x3xf32>, %t: vector<2x8x4xf32>, %acc: vector<4x4xf32>, %i: index) {
  // expected-error@+1 {{halo has 2 values, must have one for each of 1 spatial dimensions}}
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) {halo = array<i64: 3, 3>, input_step = array<i64: 1>}
         : vector<8x1x3xf32>, vector<2x8x4xf32> into vector<4x4xf32>
  return
}

// -----

func.func @store_origin(%acc: vector<4x4xf32>, %y: memref<1x4x9xf32>, %i: index) {
  // expected-error@+1 {{origin has 2 values, must have one for each of 1 spatial dimensions}}
  ctc.store_tile %acc into %y sample %i of %i channel %i to %i origin(%i, %i) extent(%i)
    {group_channels = 4, layout = #ctc.layout<channels_first>, stride = array<i64: 2>} : vector<4x4xf32> into memref<1x4x9xf32>
  return
}

// -----

func.func @store_maps(%acc: vector<4x4xf32>, %y: memref<1x4x9xf32>, %z: memref<4xf32>, %i: index) {
  // expected-error@+1 {{has 1 extra operands and 0 extra_maps, must be as many}}
  ctc.store_tile %acc into %y sample %i of %i channel %i to %i origin(%i) extent(%i) extras(%z : memref<4xf32>)
    {group_channels = 4, layout = #ctc.layout<channels_first>, stride = array<i64: 2>} : vector<4x4xf32> into memref<1x4x9xf32>
  return
}

// -----

func.func @store_epilogue(%acc: vector<4x4xf32>, %y: memref<1x4x9xf32>, %i: index) {
  // expected-error@+1 {{epilogue takes ('f16'), must take ('f32')}}
  ctc.store_tile %acc into %y sample %i of %i channel %i to %i origin(%i) extent(%i)
    {group_channels = 4, layout = #ctc.layout<channels_first>, stride = array<i64: 2>} : vector<4x4xf32> into memref<1x4x9xf32> epilogue {
  ^bb0(%h: f16):
    %f = arith.extf %h : f16 to f32
    ctc.yield %f : f32
  }
  return
}

// -----

func.func @packed_rank(%w: memref<8x4x3xf32>, %packed: memref<1x3x8x4xf32>) {
  // expected-error@+1 {{packs 'memref<8x4x3xf32>' into 'memref<1x3x8x4xf32>', must have rank 5}}
  ctc.pack_weights %w into %packed {groups = 1, tap_step = array<i64: 1>} : memref<8x4x3xf32> into memref<1x3x8x4xf32>
  return
}

// -----

func.func @packed_type(%w: memref<8x4x3xf16>, %packed: memref<1x1x3x8x4xf32>) {
  // expected-error@+1 {{packed element type 'f32' differs from the weight's, 'f16'}}
  ctc.pack_weights %w into %packed {groups = 1, tap_step = array<i64: 1>} : memref<8x4x3xf16> into memref<1x1x3x8x4xf32>
  return
}

// -----

func.func @packed_slots(%w: memref<4x3x8xf32>, %packed: memref<1x1x8x8x4xf32>) {
  // expected-error@+1 {{packed has 8 slots in spatial dimension 0, must be the kernel size 3}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 1>, weight_layout = #ctc.weight_layout<output_kernel_input>}
    : memref<4x3x8xf32> into memref<1x1x8x8x4xf32>
  return
}

// -----

func.func @packed_tap_step(%w: memref<8x4x3xf32>, %packed: memref<1x1x3x8x4xf32>) {
  // expected-error@+1 {{tap_step has 2 values, must have one for each of 1 spatial dimensions}}
  ctc.pack_weights %w into %packed {groups = 1, tap_step = array<i64: 1, 1>} : memref<8x4x3xf32> into memref<1x1x3x8x4xf32>
  return
}

// -----

func.func @yield_elsewhere(%v: f32) {
  // expected-error@+1 {{'ctc.yield' op expects parent op to be one of 'ctc.conv_transpose, ctc.store_tile'}}
  ctc.yield %v : f32
}

// -----

func.func @phase_taps_rank(%p: vector<8x1x9xf32>, %t: vector<3x8x16xf32>, %acc: vector<8x32xf32>, %i: index) {
  // expected-error@+1 {{phase_taps has 2 values, must have one for each of 1 spatial dimensions}}
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) {halo = array<i64: 9>, input_step = array<i64: 1>, phase_taps = [array<i64: 0, 0, 0, 0, 0, 0>, array<i64>]}
         : vector<8x1x9xf32>, vector<3x8x16xf32> into vector<8x32xf32>
  return
}

// -----

func.func @phase_taps_count(%p: vector<8x1x9xf32>, %t: vector<3x8x16xf32>, %acc: vector<8x32xf32>, %i: index) {
  // expected-error@+1 {{phase_taps has 4 numbers in dimension 0, must have none or a phase and a shift for each of 3 taps}}
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) {halo = array<i64: 9>, input_step = array<i64: 1>, phase_taps = [array<i64: 0, 1, 0, 0>]}
         : vector<8x1x9xf32>, vector<3x8x16xf32> into vector<8x32xf32>
  return
}

// -----

func.func @phase_taps_shift(%p: vector<8x1x9xf32>, %t: vector<3x8x16xf32>, %acc: vector<8x32xf32>, %i: index) {
  // expected-error@+1 {{phase_taps has phase 1 with shift 9 in dimension 0, must be a phase, or -1 for none, with a shift from 0 to 8}}
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) {halo = array<i64: 9>, input_step = array<i64: 1>, phase_taps = [array<i64: 0, 1, 0, 0, 1, 9>]}
         : vector<8x1x9xf32>, vector<3x8x16xf32> into vector<8x32xf32>
  return
}

// -----

func.func @phase_taps_phase(%p: vector<8x1x9xf32>, %t: vector<3x8x16xf32>, %acc: vector<8x32xf32>, %i: index) {
  // expected-error@+1 {{phase_taps has phase -2 with shift 0 in dimension 0, must be a phase, or -1 for none, with a shift from 0 to 8}}
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) {halo = array<i64: 9>, input_step = array<i64: 1>, phase_taps = [array<i64: -2, 0, 0, 0, 1, 1>]}
         : vector<8x1x9xf32>, vector<3x8x16xf32> into vector<8x32xf32>
  return
}

// -----

func.func @fragments_half_a_step(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have chunk_channels 12, must be a multiple of 8 that divides 24 packed input channels}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 12, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragments_uneven_chunk(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have chunk_channels 16, must be a multiple of 8 that divides 24 packed input channels}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 16, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragments_no_chunk(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have chunk_channels 0, must be a multiple of 8 that divides 24 packed input channels}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 0, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragments_of_pairs(%w: memref<24x16x3xbf16>, %packed: memref<1x1x3x24x24xbf16>) {
  // expected-error@+1 {{fragments have chunk_channels 8, must be a multiple of 16 that divides 24 packed input channels}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 8, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xbf16> into memref<1x1x3x24x24xbf16>
  return
}

// -----

func.func @fragments_uneven_split(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have split 2, must be at least 1 and divide the 3 steps of a chunk}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 24, split = 2, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragments_no_split(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have split 0, must be at least 1 and divide the 3 steps of a chunk}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 24, split = 0, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragment_lane_planes(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have lane_planes 3, must be 0 or an even divisor of the 6 words of a lane}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 24, lane_planes = 3, unit = 8, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragments_uneven_unit(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have unit 16, must be 8 or 16 and divide a tile of 24 output channels}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 8, unit = 16, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @fragments_no_unit(%w: memref<24x16x3xf32>, %packed: memref<1x1x3x24x24xf32>) {
  // expected-error@+1 {{fragments have unit 0, must be 8 or 16 and divide a tile of 24 output channels}}
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 8, unit = 0, lanes = positions, layout = channels_first>}
    : memref<24x16x3xf32> into memref<1x1x3x24x24xf32>
  return
}

// -----

func.func @copy_yields_what_it_does_not_take(%v: f32) {
  // expected-error@+1 {{issue yields ('f32') and complete takes (), must be the same}}
  ctc.copy_chunk issue {
    ctc.copied(%v : f32)
  } complete {
    ctc.copied
  }
  return
}

// -----

func.func @copy_completes_with_values(%v: f32) {
  // expected-error@+1 {{issue takes and complete yields no values}}
  ctc.copy_chunk issue {
    ctc.copied
  } complete {
    ctc.copied(%v : f32)
  }
  return
}

// -----

func.func @copied_elsewhere() {
  // expected-error@+1 {{'ctc.copied' op expects parent op 'ctc.copy_chunk'}}
  ctc.copied
}

// -----

func.func @settle_of_other_sums(%acc: vector<64x8xf32>) {
  // expected-error@+1 {{failed to verify that all of {acc, result} have same type}}
  %0 = "ctc.settle"(%acc) : (vector<64x8xf32>) -> vector<64x16xf32>
  return
}

// -----

func.func @settle_of_f16(%acc: vector<64x8xf16>) {
  // expected-error@+1 {{operand #0 must be vector of 32-bit float values of ranks 2, but got 'vector<64x8xf16>'}}
  %0 = ctc.settle %acc : vector<64x8xf16>
  return
}
