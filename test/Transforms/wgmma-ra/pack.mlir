// Weights stand in core matrices, 8 channels by 16 bytes, as descriptors of wgmma name them; rounded when they are packed. Positions are rounded
// when they are read, for the matrix instruction takes them from registers.
// RUN: ctc-opt %s --ctc-select-kernel --ctc-bufferize | FileCheck %s
// RUN: ctc-opt %s --ctc-select-kernel --ctc-bufferize --ctc-tile --ctc-implicit-im2col --canonicalize --cse | FileCheck %s --check-prefix=COPY

#first = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>
#last = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 32,
           workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>

module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // Where columns do not lie together in the output, channels keep their order: units of 8.
  // CHECK-LABEL: func.func @first__prepare(
  // CHECK: ctc.pack_weights {{.*}}fragments = #ctc.fragments<chunk_channels = 8, unit = 8, lanes = channels, layout = channels_first, cores = true>, groups = 1 : i64, round_tf32
  // A thread copies and holds nothing: what is copied is done when it has arrived.
  // COPY-LABEL: gpu.func @first(
  // COPY: ctc.copy_chunk {async} issue {
  // COPY: nvgpu.device_async_copy {{.*}} {bypassL1}
  // COPY: ctc.copied
  // COPY-NEXT: } complete {
  // COPY-NEXT: ctc.copied
  // COPY-NEXT: }
  // COPY: ctc.contract {{.*}} {halo = array<i64: 65>, input_step = array<i64: 1>, round_tf32}
  func.func @first(%x: tensor<1x32x68xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x138xf32>) -> tensor<1x16x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x138xf32>)
           {stride = array<i64: 2>, kernel = #first} -> tensor<1x16x138xf32>
    return %0 : tensor<1x16x138xf32>
  }

  // Channels last: a lane's columns of 16 channels are four neighbours. 16-bit types are not rounded.
  // CHECK-LABEL: func.func @last__prepare(
  // CHECK: ctc.pack_weights {{.*}}fragments = #ctc.fragments<chunk_channels = 32, unit = 16, lanes = channels, layout = channels_last, cores = true>, groups = 1 : i64, tap_step
  // COPY-LABEL: gpu.func @last(
  // COPY: ctc.copy_chunk {async} issue {
  // COPY: ctc.contract {{.*}} {halo = array<i64: 65>, input_step = array<i64: 1>}
  func.func @last(%x: tensor<1x68x32xbf16>, %w: tensor<32x16x4xbf16>, %y: tensor<1x138x16xbf16>) -> tensor<1x138x16xbf16> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x68x32xbf16>, tensor<32x16x4xbf16>) outs(%y : tensor<1x138x16xbf16>)
           {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #last} -> tensor<1x138x16xbf16>
    return %0 : tensor<1x138x16xbf16>
  }
}
