// Stream compaction and a histogram by warp votes.
#include "Helpers.h"

constexpr unsigned kAll = 0xffffffffu;

/// Keeps the elements above a threshold, in their order. One block; every
/// chunk's warps count by ballot, the first warp scans the counts by shuffles,
/// and a running total in shared memory carries on.
extern "C" __global__ void __launch_bounds__(256)
    compact_ordered(const int *in, int *out, int *count, int n,
                    int threshold) {
  __shared__ int totals[8], starts[8], base;
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (threadIdx.x == 0)
    base = 0;
  for (int first = 0; first < n; first += 256) {
    int i = first + threadIdx.x;
    bool keep = i < n && in[i] > threshold;
    unsigned kept = __ballot_sync(kAll, keep);
    if (lane == 0)
      totals[warp] = __popc(kept);
    __syncthreads();
    if (warp == 0) {
      int mine = lane < 8 ? totals[lane] : 0, sum = mine;
      for (int distance = 1; distance < 8; distance *= 2) {
        int before = __shfl_up_sync(kAll, sum, distance);
        if (lane >= distance)
          sum += before;
      }
      int old = base;
      __syncwarp();
      if (lane < 8)
        starts[lane] = old + sum - mine;
      if (lane == 7)
        base = old + sum;
    }
    __syncthreads();
    if (keep)
      out[starts[warp] + __popc(kept & ((1u << lane) - 1))] = in[i];
    __syncthreads();
  }
  if (threadIdx.x == 0)
    *count = base;
}

/// The same over any grid, where warps take their places as they come: one
/// atomic of the first lane that has something for all of its warp.
extern "C" __global__ void compact_unordered(const int *in, int *out,
                                             unsigned *count, int n,
                                             int threshold) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % 32;
  if (i >= n || in[i] <= threshold)
    return; // The rest of the warp goes on without.
  unsigned active = __activemask();
  int leader = __ffs(active) - 1;
  unsigned start = 0;
  if (lane == leader)
    start = atomicAdd(count, __popc(active));
  start = __shfl_sync(active, start, leader);
  out[start + __popc(active & ((1u << lane) - 1))] = in[i];
}

/// counts[key] over all keys: lanes with equal keys find each other by match,
/// and the lowest adds for all of them. `uniform` counts the warps that hold
/// one key only.
extern "C" __global__ void histogram(const int *keys, unsigned *counts,
                                     unsigned *uniform, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % 32;
  int key = i < n ? keys[i] : -1;
  unsigned peers = __match_any_sync(kAll, key);
  if (key >= 0 && lane == __ffs(peers) - 1)
    atomicAdd(&counts[key], __popc(peers));
  int same;
  __match_all_sync(kAll, key, &same);
  if (same && lane == 0)
    atomicAdd(uniform, 1u);
}
