//===- Values.h - The values flags take -------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every function fails with Usage and names flag, value and what is legal.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_VALUES_H
#define CTC_LIB_DRIVER_VALUES_H

#include "ctc/Support/Problem.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

namespace ctc::driver {

/// A shape with its element type: "1x256x64x64xf32".
struct TypedShape {
  std::vector<int64_t> sizes; ///< kDynamic for a leading '?'.
  ElementType type = ElementType::F32;
};

Expected<TypedShape> parseTypedShape(llvm::StringRef flag,
                                     llvm::StringRef text);

Expected<int64_t> parseInteger(llvm::StringRef flag, llvm::StringRef text,
                               int64_t least);

/// "2" for all dimensions or "2,1,3" one each.
Expected<std::vector<int64_t>>
parsePerDimension(llvm::StringRef flag, llvm::StringRef text, size_t rank);

/// Low and high side of one dimension.
struct Sides {
  int64_t low = 0, high = 0;
};

/// As parsePerDimension, where each element may be "low:high" and negative.
Expected<std::vector<Sides>> parsePadding(llvm::StringRef flag,
                                          llvm::StringRef text, size_t rank);

/// "0.2G", "200M", "1e6": a number of at least 0.
Expected<double> parseCount(llvm::StringRef flag, llvm::StringRef text);

/// The path in "@path".
Expected<std::string> parseFileReference(llvm::StringRef flag,
                                         llvm::StringRef text);

/// Chips separated by commas, each in the table and none twice; all of them for
/// an empty text.
Expected<std::vector<std::string>> parseChips(llvm::StringRef text);

/// One chip of the table.
Expected<std::string> parseChip(llvm::StringRef text);

/// One kernel family; verify takes several.
Expected<std::string> parseFamily(llvm::StringRef text);
Expected<std::vector<std::string>> parseFamilies(llvm::StringRef text);

/// One of an enumeration's names; `parse` is parseElementType or alike.
template <typename Enum>
Expected<Enum> parseName(llvm::StringRef flag, llvm::StringRef text,
                         std::optional<Enum> (*parse)(std::string_view),
                         llvm::StringRef legal) {
  if (auto value = parse({text.data(), text.size()}))
    return *value;
  return makeError(ErrorCode::Usage, flag.str() + " is '" + text.str() +
                                         "', must be one of " + legal.str());
}

/// Several of them, separated by commas.
template <typename Enum>
Expected<std::vector<Enum>>
parseNames(llvm::StringRef flag, llvm::StringRef text,
           std::optional<Enum> (*parse)(std::string_view),
           llvm::StringRef legal) {
  std::vector<Enum> values;
  for (llvm::StringRef part : llvm::split(text, ',')) {
    auto value = parseName(flag, part, parse, legal);
    if (!value)
      return tl::unexpected(value.error());
    values.push_back(*value);
  }
  return values;
}

inline constexpr llvm::StringLiteral kElementTypeNames = "f32, f16, bf16";
inline constexpr llvm::StringLiteral kLayoutNames =
    "channels_first, channels_last";
inline constexpr llvm::StringLiteral kPrecisionNames = "tf32, tf32x3, ieee";
inline constexpr llvm::StringLiteral kFillNames = "exact, random";

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_VALUES_H
