// Matrix products of a warpgroup: D = A * B (or D += ...), A of 64 x k, B of
// k x n, given as its transpose, D of 64 x n in f32; n is 64, 8 or 256. The
// operands are laid out in shared memory as `Layout` says, A at the start and B
// at `offsetB`, or A is held in registers. `form` picks the instruction.
#include "Wgmma.h"

extern __shared__ __align__(1024) char memory[];

/// The types and the immediates: scale of A and B, transposition of A and B.
#define FORMS_16_BIT(first, macro, type, d, a, b, add)                         \
  case first:                                                                  \
    macro(d, a, b, add, "k16.f32." type "." type, "1, 1, 0, 0");               \
    break;                                                                     \
  case first + 1:                                                              \
    macro(d, a, b, add, "k16.f32." type "." type, "1, 1, 0, 1");               \
    break;                                                                     \
  case first + 2:                                                              \
    macro(d, a, b, add, "k16.f32." type "." type, "1, 1, 1, 0");               \
    break;                                                                     \
  case first + 3:                                                              \
    macro(d, a, b, add, "k16.f32." type "." type, "1, 1, 1, 1");               \
    break

struct Operands {
  const char *a, *b;
  float *d;
  int form;
  int depth;
  int bytes;      ///< Of an element of A and B.
  int accumulate; ///< D holds numbers to add to.
  int offsetB;
  Layout layoutA, layoutB;
};

/// Puts both operands into shared memory, or B alone.
DEVICE void placeOperands(const Operands &o, int columns, bool both) {
  if (both)
    place(o.layoutA, memory, o.a, o.bytes, 64, o.depth);
  place(o.layoutB, memory + o.offsetB, o.b, o.bytes, columns, o.depth);
  fenceAsyncProxy();
  __syncthreads();
}

template <int count> DEVICE void load(float (&d)[count], const Operands &o) {
#pragma unroll
  for (int e = 0; e < count; ++e)
    d[e] = o.d[rowOf(e) * (2 * count) + columnOf(e)];
}
template <int count>
DEVICE void store(const float (&d)[count], const Operands &o) {
#pragma unroll
  for (int e = 0; e < count; ++e)
    o.d[rowOf(e) * (2 * count) + columnOf(e)] = d[e];
}

/// Steps of 32 bytes along K, each with both descriptors.
#define FOR_EACH_STEP(o, da, db, ...)                                          \
  _Pragma("unroll 1") for (int k = 0; k < o.depth; k += 32 / o.bytes) {        \
    uint64_t da = descriptor(o.layoutA, sharedAddress(memory), o.bytes, k);    \
    uint64_t db = descriptor(o.layoutB, sharedAddress(memory) + o.offsetB,     \
                             o.bytes, k);                                      \
    int add = o.accumulate || k > 0;                                           \
    __VA_ARGS__                                                                \
  }

extern "C" __global__ void __launch_bounds__(128)
    wgmma_shared(__grid_constant__ const Operands o) {
  placeOperands(o, 64, true);
  float d[32];
  load(d, o);
  FOR_EACH_STEP(o, da, db, {
    switch (o.form) {
      FORMS_16_BIT(0, WGMMA_N64_SHARED, "bf16", d, da, db, add);
      FORMS_16_BIT(4, WGMMA_N64_SHARED, "f16", d, da, db, add);
    case 8:
      WGMMA_N64_SHARED(d, da, db, add, "k8.f32.tf32.tf32", "1, 1");
      break;
    case 9:
      WGMMA_N64_SHARED(d, da, db, add, "k32.f32.e4m3.e4m3", "1, 1");
      break;
    case 10:
      WGMMA_N64_SHARED(d, da, db, add, "k32.f32.e5m2.e4m3", "1, 1");
      break;
    case 11:
      WGMMA_N64_SHARED(d, da, db, add, "k16.f32.bf16.bf16", "-1, 1, 0, 0");
      break;
    case 12:
      WGMMA_N64_SHARED(d, da, db, add, "k8.f32.tf32.tf32", "1, -1");
      break;
    }
  });
  store(d, o);
}

extern "C" __global__ void __launch_bounds__(128)
    wgmma_shared_f16(__grid_constant__ const Operands o) {
  placeOperands(o, 64, true);
  uint32_t d[16] = {};
  FOR_EACH_STEP(o, da, db, {
    if (o.form == 0)
      WGMMA_N64_SHARED_F16(d, da, db, add, "k16.f16.f16.f16", "1, 1, 0, 0");
    else
      WGMMA_N64_SHARED_F16(d, da, db, add, "k32.f16.e4m3.e4m3", "1, 1");
  });
#pragma unroll
  for (int e = 0; e < 32; e += 2) {
    const uint32_t at = rowOf(e) * 64 + columnOf(e);
    reinterpret_cast<uint32_t *>(o.d)[at / 2] = d[e / 2];
  }
}

/// A's fragment of a step: unit `i` of a thread holds 4 bytes of a row.
extern "C" __global__ void __launch_bounds__(128)
    wgmma_registers(__grid_constant__ const Operands o) {
  placeOperands(o, 64, false);
  float d[32];
  load(d, o);
  FOR_EACH_STEP(o, da, db, {
    uint32_t a[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      int row = threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + i % 2 * 8;
      int unit = threadIdx.x % 4 + i / 2 * 4;
      a[i] = *reinterpret_cast<const uint32_t *>(
          o.a + (row * o.depth + k) * o.bytes + unit * 4);
    }
    switch (o.form) {
    case 0:
      WGMMA_N64_REGISTERS(d, a, db, add, "k16.f32.bf16.bf16", "1, 1, 0");
      break;
    case 1:
      WGMMA_N64_REGISTERS(d, a, db, add, "k16.f32.bf16.bf16", "1, 1, 1");
      break;
    case 2:
      WGMMA_N64_REGISTERS(d, a, db, add, "k16.f32.f16.f16", "1, 1, 0");
      break;
    case 3:
      WGMMA_N64_REGISTERS(d, a, db, add, "k16.f32.f16.f16", "1, 1, 1");
      break;
    case 4:
      WGMMA_N64_REGISTERS(d, a, db, add, "k8.f32.tf32.tf32", "1, 1");
      break;
    case 5:
      WGMMA_N64_REGISTERS(d, a, db, add, "k32.f32.e4m3.e4m3", "1, 1");
      break;
    }
  });
  store(d, o);
}

extern "C" __global__ void __launch_bounds__(128)
    wgmma_n8(__grid_constant__ const Operands o) {
  placeOperands(o, 8, true);
  float d[4];
  load(d, o);
  FOR_EACH_STEP(o, da, db, {
    fenceMatrices();
    WGMMA_N8_SHARED(d, da, db, add, "k16.f32.bf16.bf16", "1, 1, 0, 0");
    commitMatrices();
  });
  waitForMatrices<0>();
  store(d, o);
}

extern "C" __global__ void __launch_bounds__(128)
    wgmma_n256(__grid_constant__ const Operands o) {
  placeOperands(o, 256, true);
  float d[128];
  load(d, o);
  FOR_EACH_STEP(o, da, db, {
    fenceMatrices();
    WGMMA_N256_SHARED(d, da, db, add, "k16.f32.bf16.bf16", "1, 1, 0, 0");
    commitMatrices();
  });
  waitForMatrices<0>();
  store(d, o);
}
