// RUN: ctc-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect

// expected-error@+1 {{unknown chip 'sm_75', must be one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a}}
module attributes {ctc.target = #ctc.target<"sm_75">} {}

// -----

// expected-error@+1 {{has ctc.target "sm_90a", must be #ctc.target<CHIP> with CHIP in quotes}}
module attributes {ctc.target = "sm_90a"} {}

// -----

// expected-error@+2 {{failed to parse CTC_LayoutAttr parameter 'value'}}
// expected-error@+1 {{expected ::ctc::ir::Layout to be one of: channels_first, channels_last}}
"test.op"() {layout = #ctc.layout<nchw>} : () -> ()

// -----

// expected-error@+2 {{failed to parse CTC_WeightLayoutAttr parameter 'value'}}
// expected-error@+1 {{expected ::ctc::ir::WeightLayout to be one of: input_output_kernel, output_kernel_input}}
"test.op"() {layout = #ctc.weight_layout<hwio>} : () -> ()

// -----

// expected-error@+2 {{failed to parse CTC_PrecisionAttr parameter 'value'}}
// expected-error@+1 {{expected ::ctc::ir::Precision to be one of: tf32, tf32x3, ieee}}
"test.op"() {precision = #ctc.precision<fp8>} : () -> ()

// -----

// expected-error@+1 {{batch is 0, must be from 1 to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 0, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{chunk_channels is 65, must be from 1 to 64}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 65, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{workers along positions is 0, must be from 1 to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [0, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{workers along channels is 2048, must be from 1 to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 2048], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile along positions is 17, must be from 1 to 16}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [17, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile along channels is -1, must be from 1 to 16}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, -1], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{stages is 3, must be from 1 to 2}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 3, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the block has 40 threads, must be a multiple of 32 up to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [40, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the block has 2048 threads, must be a multiple of 32 up to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 64], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{box has 0, phases has 0 and taps has 0 sizes, must be one per spatial dimension}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [], phases = [], taps = [], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{box has 2, phases has 2 and taps has 1 sizes, must be one per spatial dimension}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{box size is 0, must be from 1 to 16384}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 0], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the box holds 64 positions, the workers cover 32}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 2, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{taps is 0, must be from 1 to 4096}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 0], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+2 {{failed to parse CTC_KernelAttr parameter 'family'}}
// expected-error@+1 {{expected ::ctc::ir::Family to be one of: simt, mma_sync, wgmma_ra}}
"test.op"() {kernel = #ctc.kernel<family = fft, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{a thread holds 512 sums, phases times worker_tile, at most 256 are legal}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [8, 8], taps = [8, 8], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 8], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{phases is 65, must be from 1 to 64}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 65], taps = [1, 1], chunk_channels = 8, workers = [1, 1], worker_tile = [32, 16], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{workers has 1 and worker_tile has 2 sizes, must be positions and channels}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [32], worker_tile = [1, 4], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{chunk_channels is 12, must be from 1 to 512 and a multiple of 8}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 12, workers = [1, 1], worker_tile = [32, 16], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile along channels is 24, must be from 1 to 256 and a multiple of 16}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [1, 1], worker_tile = [32, 24], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile along positions is 40, must be from 1 to 256 and a multiple of 16}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [1, 1], worker_tile = [40, 24], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{stages is 9, must be from 1 to 8}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [1, 1], worker_tile = [32, 16], stages = 9, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the block has 1056 threads, must be a multiple of 32 up to 1024}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [33, 1], worker_tile = [32, 16], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{groups is 0, must be from 1 to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [32], phases = [1], taps = [1], chunk_channels = 1, workers = [32, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 0>} : () -> ()

// -----

// expected-error@+1 {{groups is 2, must be 1 in mma_sync}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [1, 1], worker_tile = [32, 16], stages = 1, source = explicit, groups = 2>} : () -> ()

// -----

// expected-error@+1 {{groups is 3 for 8 channels of a block and 4 of a worker, must divide the first into groups that divide the second or are multiples of it}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [32], phases = [1], taps = [1], chunk_channels = 1, workers = [32, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 3>} : () -> ()

// -----

// Groups of 3 channels are neither whole in a worker's 4 nor do they hold them.
// expected-error@+1 {{groups is 4 for 12 channels of a block and 4 of a worker, must}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [32], phases = [1], taps = [1], chunk_channels = 1, workers = [32, 3], worker_tile = [1, 4], stages = 1, source = explicit, groups = 4>} : () -> ()

// -----

// expected-error@+1 {{split is 0, must be from 1 to 16}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 32, workers = [1, 1], worker_tile = [32, 16], stages = 1, split = 0, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{split is 17, must be from 1 to 16}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 32, workers = [1, 1], worker_tile = [32, 16], stages = 1, split = 17, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{split is 2, must be from 1 to 1}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 32, workers = [32, 1], worker_tile = [1, 4], stages = 1, split = 2, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{chunk_channels is 24, must be a multiple of 32 for a split of 4}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 24, workers = [1, 1], worker_tile = [32, 16], stages = 1, split = 4, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile is 16 by 16, which 4 warps of a split cannot store in equal parts of whole fragments}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [2, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 32, workers = [1, 1], worker_tile = [16, 16], stages = 1, split = 4, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile is 32 by 16, which 4 warps of a split cannot store in equal parts of whole fragments}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 32, workers = [1, 1], worker_tile = [32, 16], stages = 1, split = 4, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the block has 1536 threads, must be a multiple of 32 up to 1024}}
"test.op"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [4, 8], phases = [1, 1], taps = [1, 1], chunk_channels = 32, workers = [12, 1], worker_tile = [32, 16], stages = 1, split = 4, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{wgmma_ra has lanes = positions and 4 workers along positions, must have lanes = channels and a multiple of 4, the warps of a warpgroup}}
"test.op"() {kernel = #ctc.kernel<family = wgmma_ra, lanes = positions, batch = 1, box = [4, 16], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [4, 1], worker_tile = [16, 16], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{wgmma_ra has lanes = channels and 6 workers along positions, must have lanes = channels and a multiple of 4, the warps of a warpgroup}}
"test.op"() {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [4, 16], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [6, 1], worker_tile = [16, 16], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile along positions is 24, must be from 1 to 256 and a multiple of 16}}
"test.op"() {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [4, 16], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [4, 1], worker_tile = [24, 16], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{worker_tile along channels is 12, must be from 1 to 256 and a multiple of 8}}
"test.op"() {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [4, 16], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [4, 1], worker_tile = [16, 12], stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{groups is 2, must be 1 in wgmma_ra}}
"test.op"() {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [4, 16], phases = [1, 1], taps = [1, 1], chunk_channels = 8, workers = [4, 1], worker_tile = [16, 16], stages = 1, source = explicit, groups = 2>} : () -> ()
