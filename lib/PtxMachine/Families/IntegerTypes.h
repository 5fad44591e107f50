//===- IntegerTypes.h - From a Type to a C++ integer ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_INTEGERTYPES_H
#define CTC_LIB_PTXMACHINE_FAMILIES_INTEGERTYPES_H

#include "Families/Lanes.h"
#include "Syntax/Types.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

template <class T> struct IntegerTraits {
  static constexpr bool isSigned = std::is_signed_v<T>;
  using Unsigned = std::make_unsigned_t<T>;
  using Twice = std::conditional_t<
      sizeof(T) == 2, std::conditional_t<isSigned, int32_t, uint32_t>,
      std::conditional_t<
          sizeof(T) == 4, std::conditional_t<isSigned, int64_t, uint64_t>,
          std::conditional_t<isSigned, __int128, unsigned __int128>>>;
};

template <class T> constexpr bool isSigned = IntegerTraits<T>::isSigned;
/// The type of twice the width.
template <class T> using Wide = typename IntegerTraits<T>::Twice;

template <class T>
CTC_SCALAR typename IntegerTraits<T>::Unsigned unsignedOf(T value) {
  return static_cast<typename IntegerTraits<T>::Unsigned>(value);
}

CTC_SCALAR int32_t clampToInt(int64_t value) {
  return value > INT32_MAX   ? INT32_MAX
         : value < INT32_MIN ? INT32_MIN
                             : static_cast<int32_t>(value);
}

/// Calls pick.operator()<T>() for an integer type of 16, 32 or 64 bits; untyped
/// bits are unsigned.
template <class Pick> Handlers pickInteger(Type type, const Pick &pick) {
  switch (type.bits) {
  case 16:
    return type.isSigned() ? pick.template operator()<int16_t>()
                           : pick.template operator()<uint16_t>();
  case 32:
    return type.isSigned() ? pick.template operator()<int32_t>()
                           : pick.template operator()<uint32_t>();
  default:
    return type.isSigned() ? pick.template operator()<int64_t>()
                           : pick.template operator()<uint64_t>();
  }
}

} // namespace ctc::ptx::CTC_PTX_LEVEL

#endif // CTC_LIB_PTXMACHINE_FAMILIES_INTEGERTYPES_H
