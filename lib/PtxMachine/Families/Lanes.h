//===- Lanes.h - One scalar function, 32 lanes ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instruction is a struct with a static `apply` on scalars, in the PTX
// ISA's terms. Here such a struct becomes the two handlers of an operation:
// loops over lanes that the compiler vectorises.
//
// The files of this folder are compiled once per level of the host's
// instruction set (CTC_PTX_LEVEL, a namespace). Only functions marked
// CTC_LANES are compiled for that level, so that inline functions of the
// standard library stay executable everywhere whichever copy the linker keeps.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_LANES_H
#define CTC_LIB_PTXMACHINE_FAMILIES_LANES_H

#include "Execution/Warp.h"

#include <cstdint>
#include <type_traits>

#ifdef CTC_PTX_TARGET
#define CTC_LANES __attribute__((target(CTC_PTX_TARGET)))
#else
#define CTC_LANES
#endif

/// For everything a lane loop calls.
#define CTC_SCALAR __attribute__((always_inline)) inline

// NOLINTBEGIN(bugprone-macro-parentheses): the argument is declared.
/// Rows are equal or disjoint, never shifted against each other, so lanes do
/// not depend on each other.
#ifdef __clang__
#define CTC_EACH_LANE(lane)                                                    \
  _Pragma("clang loop vectorize(assume_safety)") for (unsigned lane = 0;       \
                                                      lane < kWarpSize;        \
                                                      ++lane)
#else
#define CTC_EACH_LANE(lane)                                                    \
  _Pragma("GCC ivdep") for (unsigned lane = 0; lane < kWarpSize; ++lane)
#endif
// NOLINTEND(bugprone-macro-parentheses)

namespace ctc::ptx::CTC_PTX_LEVEL {

/// 16-bit floats travel as their bits.
struct Half {
  uint16_t bits;
};
struct BHalf {
  uint16_t bits;
};

/// How a value of T lies in a row: in 32 or 64 bits, narrow ones zero-extended.
template <class T> struct Cell {
  using Storage = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  static CTC_SCALAR T load(Storage cell) {
    if constexpr (std::is_floating_point_v<T>)
      return __builtin_bit_cast(T, cell);
    else
      return static_cast<T>(cell);
  }
  static CTC_SCALAR Storage store(T value) {
    if constexpr (std::is_floating_point_v<T>)
      return __builtin_bit_cast(Storage, value);
    else
      return static_cast<std::make_unsigned_t<T>>(value);
  }
};
template <> struct Cell<Half> {
  using Storage = uint32_t;
  static CTC_SCALAR Half load(uint32_t cell) {
    return {static_cast<uint16_t>(cell)};
  }
  static CTC_SCALAR uint32_t store(Half value) { return value.bits; }
};
template <> struct Cell<BHalf> {
  using Storage = uint32_t;
  static CTC_SCALAR BHalf load(uint32_t cell) {
    return {static_cast<uint16_t>(cell)};
  }
  static CTC_SCALAR uint32_t store(BHalf value) { return value.bits; }
};

template <class T> using Storage = typename Cell<T>::Storage;

template <class T> CTC_SCALAR Storage<T> *rowOf(Warp &warp, uint32_t offset) {
  return reinterpret_cast<Storage<T> *>(
      __builtin_assume_aligned(warp.registers + offset, 64));
}

CTC_SCALAR bool isActive(LaneMask mask, unsigned lane) {
  return mask >> lane & 1;
}

/// Whether Fn::apply also wants the operation (for a table or a mode).
template <class Fn, class... S>
concept TakesOp = requires(const Op &op, S... s) { Fn::apply(op, s...); };

template <class Fn, class... S> CTC_SCALAR auto applyTo(const Op &op, S... s) {
  if constexpr (TakesOp<Fn, S...>)
    return Fn::apply(op, s...);
  else
    return Fn::apply(s...);
}

/// r[0] = Fn(r[1], r[2], ...) for D and the types S of the sources.
template <class Fn, class D, class... S> struct Map {
  template <bool Full>
  CTC_LANES static bool run(Warp &warp, const Op &op, LaneMask mask) {
    Storage<D> *d = rowOf<D>(warp, op.r[0]);
    if constexpr (sizeof...(S) == 0) {
      CTC_EACH_LANE(i) {
        Storage<D> value = Cell<D>::store(applyTo<Fn>(op));
        d[i] = Full || isActive(mask, i) ? value : d[i];
      }
    } else {
      loop<Full>(warp, op, mask, d, std::make_index_sequence<sizeof...(S)>());
    }
    return true;
  }
  template <bool Full, size_t... K>
  static CTC_SCALAR void loop(Warp &warp, const Op &op, LaneMask mask,
                              Storage<D> *d, std::index_sequence<K...>) {
    body<Full>(op, mask, d, rowOf<S>(warp, op.r[1 + K])...);
  }
  template <bool Full>
  static CTC_SCALAR void body(const Op &op, LaneMask mask, Storage<D> *d,
                              Storage<S> *...s) {
    CTC_EACH_LANE(i) {
      Storage<D> value =
          Cell<D>::store(applyTo<Fn>(op, Cell<S>::load(s[i])...));
      d[i] = Full || isActive(mask, i) ? value : d[i];
    }
  }
  static constexpr Handlers handlers{run<true>, run<false>};
};

/// A lane mask of Fn(a, b) over all 32 lanes.
template <class Fn, class T>
CTC_SCALAR LaneMask compareLanes(const Storage<T> *a, const Storage<T> *b) {
  LaneMask result = 0;
  for (unsigned i = 0; i < kWarpSize; ++i)
    result |= static_cast<LaneMask>(
                  Fn::apply(Cell<T>::load(a[i]), Cell<T>::load(b[i])))
              << i;
  return result;
}

CTC_SCALAR unsigned lowestLane(LaneMask mask) {
  return static_cast<unsigned>(__builtin_ctz(mask));
}

/// Whether all 32 lanes are here, as .aligned instructions of a whole warp need
/// it; else a fault.
CTC_SCALAR bool isWholeWarp(Warp &warp, LaneMask mask) {
  if (mask == kAllLanes) [[likely]]
    return true;
  warp.fault = {
      FaultKind::PartialWarp, lowestLane(mask), mask, warp.live, "", {}};
  return false;
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_LANES_H
