// A ring of tiles between a producer warp, which loads boxes of 32 x (height +
// 2) f32 by TMA, and four consumer warps, which compute
//     out[y][x] = in[y - 1][x] + 2 in[y][x] + in[y + 1][x]
// and store boxes of 32 x height by TMA. What the boxes have beyond the tensor
// reads as zero and is not stored. `swizzle` is the input's, 0 or 128 bytes; the
// output has none.
#include "Helpers.h"

constexpr int kWidth = 32, kHeight = 16, kStages = 3, kConsumers = 128;
constexpr int kLoadedBytes = kWidth * (kHeight + 2) * 4;
/// Patterns of 128-byte rows repeat after 1024 bytes.
constexpr int kStageBytes = (kLoadedBytes + 1023) / 1024 * 1024;

extern __shared__ __align__(1024) char memory[];

DEVICE float loaded(const char *stage, int y, int x, int swizzle) {
  int address = (y * kWidth + x) * 4, units = swizzle / 16;
  if (units)
    address ^= (address >> 7 & (units - 1)) << 4;
  return *reinterpret_cast<const float *>(stage + address);
}

extern "C" __global__ void __launch_bounds__(kConsumers + 32)
    stencil(__grid_constant__ const TensorMap in,
            __grid_constant__ const TensorMap out, int tilesX, int tiles,
            int swizzle) {
  __shared__ alignas(8) uint64_t barriers[2 * kStages];
  __shared__ alignas(128) float result[2][kHeight][kWidth];
  auto full = [&](int stage) { return sharedAddress(&barriers[stage]); };
  auto empty = [&](int stage) {
    return sharedAddress(&barriers[kStages + stage]);
  };
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < kStages; ++stage) {
      initialize(full(stage), 1);
      initialize(empty(stage), kConsumers / 32);
    }
    fenceInitialized();
  }
  __syncthreads();
  if (threadIdx.x >= kConsumers) {
    if (threadIdx.x != kConsumers)
      return;
    int turn = 0;
    for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x, ++turn) {
      int stage = turn % kStages;
      // The first round finds every stage empty.
      wait(empty(stage), turn / kStages % 2 ^ 1);
      arriveExpecting(full(stage), kLoadedBytes);
      loadBox2D(sharedAddress(memory + stage * kStageBytes), in, full(stage),
                tile % tilesX * kWidth, tile / tilesX * kHeight - 1);
    }
    return;
  }
  int turn = 0, x = threadIdx.x % kWidth;
  for (int tile = blockIdx.x; tile < tiles; tile += gridDim.x, ++turn) {
    int stage = turn % kStages;
    const char *box = memory + stage * kStageBytes;
    // The store of the turn before last has read this half of `result`.
    if (threadIdx.x == 0)
      waitForReads<1>();
    asm volatile("bar.sync 1, 128;" ::: "memory");
    wait(full(stage), turn / kStages % 2);
    for (int y = threadIdx.x / kWidth; y < kHeight; y += kConsumers / kWidth)
      result[turn % 2][y][x] = loaded(box, y, x, swizzle) +
                               2 * loaded(box, y + 1, x, swizzle) +
                               loaded(box, y + 2, x, swizzle);
    __syncwarp();
    if (x == 0)
      arrive(empty(stage));
    fenceAsyncProxy();
    asm volatile("bar.sync 1, 128;" ::: "memory");
    if (threadIdx.x == 0) {
      storeBox2D(out, sharedAddress(result[turn % 2]), tile % tilesX * kWidth,
                 tile / tilesX * kHeight);
      commitStores();
    }
  }
  if (threadIdx.x == 0)
    waitForStores<0>();
}
