// RUN: ctc-opt %s --split-input-file --verify-diagnostics --allow-unregistered-dialect

// expected-error@+1 {{unknown chip 'sm_75', must be one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a}}
module attributes {ctc.target = #ctc.target<"sm_75">} {}

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
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 0, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{chunk_channels is 65, must be from 1 to 64}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 65, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{threads_positions is 0, must be from 1 to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 0, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{threads_channels is 2048, must be from 1 to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 2048, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{thread_positions is 17, must be from 1 to 16}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 17, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{thread_channels is -1, must be from 1 to 16}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = -1, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{stages is 3, must be from 1 to 2}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 3, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the block has 40 threads, must be a multiple of 32 up to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 40, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the block has 2048 threads, must be a multiple of 32 up to 1024}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 64, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{box has 0 and taps has 0 sizes, must be one per spatial dimension}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [], taps = [], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{box has 2 and taps has 1 sizes, must be one per spatial dimension}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{box size is 0, must be from 1 to 16384}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 0], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{the box holds 64 positions, the threads cover 32}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 2, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+1 {{taps is 0, must be from 1 to 4096}}
"test.op"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 8], taps = [1, 0], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()

// -----

// expected-error@+2 {{failed to parse CTC_KernelAttr parameter 'family'}}
// expected-error@+1 {{expected ::ctc::ir::Family to be one of: simt}}
"test.op"() {kernel = #ctc.kernel<family = fft, lanes = positions, batch = 1, box = [4, 8], taps = [1, 1], chunk_channels = 8, threads_positions = 32, threads_channels = 1, thread_positions = 1, thread_channels = 4, stages = 1, source = explicit>} : () -> ()
