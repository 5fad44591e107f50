// One box of a tensor, loaded by TMA into shared memory and copied out of it as
// it lies there: tiled boxes of one to five dimensions, and im2col boxes of
// three, four or five (channels innermost, then width, height, depth, and
// images).
#include "Helpers.h"

extern __shared__ __align__(1024) char memory[];

struct Place {
  int at[5];          ///< Along each dimension of the tensor.
  uint16_t offset[3]; ///< Of the filter's tap along width, height, depth.
};

#define TILED                                                                  \
  "d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, "
#define IM2COL                                                                 \
  "d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, "
#define LOAD(rank, mode, coordinates, ...)                                     \
  asm volatile("cp.async.bulk.tensor." #rank mode coordinates ";" ::"r"(to),   \
               "l"(&map), "r"(barrier), __VA_ARGS__                            \
               : "memory")

DEVICE void loadTile(int rank, uint32_t to, const TensorMap &map,
                     uint32_t barrier, const Place &p) {
  const int(&at)[5] = p.at;
  if (rank == 1)
    LOAD(1, TILED, "{%3}], [%2]", "r"(at[0]));
  else if (rank == 2)
    LOAD(2, TILED, "{%3, %4}], [%2]", "r"(at[0]), "r"(at[1]));
  else if (rank == 3)
    LOAD(3, TILED, "{%3, %4, %5}], [%2]", "r"(at[0]), "r"(at[1]), "r"(at[2]));
  else if (rank == 4)
    LOAD(4, TILED, "{%3, %4, %5, %6}], [%2]", "r"(at[0]), "r"(at[1]),
         "r"(at[2]), "r"(at[3]));
  else
    LOAD(5, TILED, "{%3, %4, %5, %6, %7}], [%2]", "r"(at[0]), "r"(at[1]),
         "r"(at[2]), "r"(at[3]), "r"(at[4]));
}

DEVICE void loadPixels(int rank, uint32_t to, const TensorMap &map,
                       uint32_t barrier, const Place &p) {
  const int(&at)[5] = p.at;
  if (rank == 3)
    LOAD(3, IM2COL, "{%3, %4, %5}], [%2], {%6}", "r"(at[0]), "r"(at[1]),
         "r"(at[2]), "h"(p.offset[0]));
  else if (rank == 4)
    LOAD(4, IM2COL, "{%3, %4, %5, %6}], [%2], {%7, %8}", "r"(at[0]),
         "r"(at[1]), "r"(at[2]), "r"(at[3]), "h"(p.offset[0]),
         "h"(p.offset[1]));
  else
    LOAD(5, IM2COL, "{%3, %4, %5, %6, %7}], [%2], {%8, %9, %10}", "r"(at[0]),
         "r"(at[1]), "r"(at[2]), "r"(at[3]), "r"(at[4]), "h"(p.offset[0]),
         "h"(p.offset[1]), "h"(p.offset[2]));
}

template <class Load>
DEVICE void copyBox(char *out, int bytes, const Load &load) {
  __shared__ alignas(8) uint64_t barrier;
  uint32_t address = sharedAddress(&barrier);
  if (threadIdx.x == 0) {
    initialize(address, 1);
    fenceInitialized();
    arriveExpecting(address, bytes);
    load(sharedAddress(memory), address);
  }
  __syncthreads();
  wait(address, 0);
#pragma unroll 1
  for (int i = threadIdx.x; i < bytes; i += 64)
    out[i] = memory[i];
}

extern "C" __global__ void __launch_bounds__(64)
    tiled(__grid_constant__ const TensorMap map, char *out, int rank,
          int bytes, __grid_constant__ const Place place) {
  copyBox(out, bytes, [&](uint32_t to, uint32_t barrier) {
    loadTile(rank, to, map, barrier, place);
  });
}

extern "C" __global__ void __launch_bounds__(64)
    im2col(__grid_constant__ const TensorMap map, char *out, int rank,
           int bytes, __grid_constant__ const Place place) {
  copyBox(out, bytes, [&](uint32_t to, uint32_t barrier) {
    loadPixels(rank, to, map, barrier, place);
  });
}
