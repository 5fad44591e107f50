// Blocks of a cluster that share their loads: every block loads a slice of each
// tile by TMA and multicasts it to all, barriers of all blocks are told by
// remote arrivals that a stage is free, and sums are read from other blocks'
// shared memory.
#include "Helpers.h"

constexpr int kColumns = 64, kRows = 16, kStages = 2;
constexpr int kTileBytes = kColumns * kRows * 4;

DEVICE uint32_t rankInCluster() {
  uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}
DEVICE uint32_t blocksInCluster() {
  uint32_t count;
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(count));
  return count;
}
DEVICE void synchronizeCluster() {
  asm volatile("barrier.cluster.arrive.release.aligned; "
               "barrier.cluster.wait.acquire.aligned;" ::: "memory");
}
/// A word at the same place in another block's shared memory.
DEVICE int loadRemote(const int *place, uint32_t rank) {
  int value;
  asm volatile("{.reg .b32 remote; mapa.shared::cluster.u32 remote, %1, %2; "
               "ld.shared::cluster.s32 %0, [remote];}"
               : "=r"(value)
               : "r"(sharedAddress(place)), "r"(rank)
               : "memory");
  return value;
}

/// Every cluster reads the tiles of 64 x 16 integers of its rows; block r of it
/// computes the products with factor r of `factors` (one per block of the
/// grid), summed over the tiles, so each tile is needed by all blocks. Then
/// out[block][y][x] is the block's own sum, and total[cluster][y][x] the sum
/// over the cluster, of which each block computes its share of the rows.
extern "C" __global__ void __launch_bounds__(128)
    shared_tiles(__grid_constant__ const TensorMap in, const int *factors,
                 int *out, int *total, int tiles) {
  __shared__ alignas(128) int stages[kStages][kRows][kColumns];
  __shared__ int sums[kRows][kColumns];
  __shared__ alignas(8) uint64_t barriers[2 * kStages];
  auto full = [&](int stage) { return sharedAddress(&barriers[stage]); };
  auto empty = [&](int stage) {
    return sharedAddress(&barriers[kStages + stage]);
  };
  uint32_t rank = rankInCluster(), blocks = blocksInCluster();
  int cluster = blockIdx.x / blocks, slice = kRows / blocks;
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < kStages; ++stage) {
      initialize(full(stage), 1);
      initialize(empty(stage), blocks);
    }
    fenceInitialized();
  }
  for (int i = threadIdx.x; i < kRows * kColumns; i += blockDim.x)
    sums[0][i] = 0;
  synchronizeCluster(); // All barriers of all blocks stand.
  for (int tile = 0; tile < tiles; ++tile) {
    int stage = tile % kStages;
    if (threadIdx.x == 0) {
      // Free in every block: each has arrived here.
      wait(empty(stage), tile / kStages % 2 ^ 1);
      arriveExpecting(full(stage), kTileBytes);
      multicastBox2D(sharedAddress(stages[stage][rank * slice]), in,
                     full(stage), tile * kColumns,
                     cluster * kRows + rank * slice, (1 << blocks) - 1);
    }
    wait(full(stage), tile / kStages % 2);
    for (int i = threadIdx.x; i < kRows * kColumns; i += blockDim.x)
      sums[0][i] += stages[stage][0][i] * factors[blockIdx.x];
    __syncthreads();
    if (threadIdx.x < blocks)
      arriveRemote(empty(stage), threadIdx.x);
  }
  synchronizeCluster(); // All sums stand.
  for (int i = threadIdx.x; i < kRows * kColumns; i += blockDim.x)
    out[blockIdx.x * kRows * kColumns + i] = sums[0][i];
  for (int i = threadIdx.x; i < slice * kColumns; i += blockDim.x) {
    int place = rank * slice * kColumns + i, sum = 0;
    for (uint32_t other = 0; other < blocks; ++other)
      sum += loadRemote(&sums[0][place], other);
    total[cluster * kRows * kColumns + place] = sum;
  }
  synchronizeCluster(); // No block goes while another reads from it.
}

/// Passes a number around the cluster by stores and arrivals: block 0 starts,
/// each adds its rank + 1 and hands on; out[block] is what the block got.
extern "C" __global__ void __launch_bounds__(32)
    pass_around(int *out, int rounds) {
  __shared__ alignas(8) uint64_t barrier;
  __shared__ int value;
  uint32_t rank = rankInCluster(), blocks = blocksInCluster();
  if (threadIdx.x == 0) {
    initialize(sharedAddress(&barrier), 1);
    fenceInitialized();
    value = 0;
  }
  synchronizeCluster();
  if (threadIdx.x == 0) {
    uint32_t next = (rank + 1) % blocks;
    for (int round = 0; round < rounds; ++round) {
      if (rank != 0 || round != 0)
        wait(sharedAddress(&barrier), (round - (rank == 0)) % 2);
      int got = *reinterpret_cast<volatile int *>(&value);
      if (round == rounds - 1)
        out[blockIdx.x] = got;
      if (round == rounds - 1 && next == 0)
        break;
      asm volatile("{.reg .b32 remote; mapa.shared::cluster.u32 remote, %0, "
                   "%1; st.shared::cluster.s32 [remote], %2;}" ::"r"(
                       sharedAddress(&value)),
                   "r"(next), "r"(got + static_cast<int>(rank) + 1)
                   : "memory");
      arriveRemote(sharedAddress(&barrier), next);
    }
  }
  synchronizeCluster();
}
