//===- Values.cpp - The values flags take ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Values.h"
#include "ctc/Chips/Chips.h"
#include "ctc/Tuning/KernelChoice.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace ctc;
using namespace ctc::driver;
using llvm::StringRef;

static tl::unexpected<Error> bad(StringRef flag, StringRef text,
                                 const llvm::Twine &legal) {
  return makeError(ErrorCode::Usage,
                   (flag + " is '" + text + "', must be " + legal).str());
}

/// Reads an integer; what is none or does not fit is an error.
static Expected<int64_t> integerIn(StringRef part, StringRef flag,
                                   StringRef text, const llvm::Twine &legal) {
  int64_t value = 0;
  if (!part.getAsInteger(10, value))
    return value;
  part.consume_front("-");
  if (part.empty() || !llvm::all_of(part, llvm::isDigit))
    return bad(flag, text, legal);
  return makeError(
      ErrorCode::Usage,
      (flag + " is '" + text + "', which is out of range of 63 bits").str());
}

Expected<TypedShape> driver::parseTypedShape(StringRef flag, StringRef text) {
  const std::string legal = ("sizes and an element type of " +
                             kElementTypeNames + ", as in 1x256x64x64xf32")
                                .str();
  TypedShape shape;
  const auto [sizes, type] = text.rsplit('x');
  const auto element = parseElementType({type.data(), type.size()});
  if (!element)
    return bad(flag, text, legal);
  shape.type = *element;
  for (StringRef part : llvm::split(sizes, 'x')) {
    if (part == "?" && shape.sizes.empty()) {
      shape.sizes.push_back(kDynamic);
      continue;
    }
    auto size = integerIn(part, flag, text, legal);
    if (!size)
      return tl::unexpected(size.error());
    if (*size < 0)
      return bad(flag, text, legal);
    shape.sizes.push_back(*size);
  }
  return shape;
}

Expected<int64_t> driver::parseInteger(StringRef flag, StringRef text,
                                       int64_t least) {
  const std::string legal = "an integer of at least " + std::to_string(least);
  auto value = integerIn(text, flag, text, legal);
  if (value && *value < least)
    return bad(flag, text, legal);
  return value;
}

/// Splits at commas into one part for all dimensions or one each.
static Expected<std::vector<StringRef>>
splitPerDimension(StringRef flag, StringRef text, size_t rank) {
  std::vector<StringRef> parts;
  for (StringRef part : llvm::split(text, ','))
    parts.push_back(part);
  if (parts.size() == 1)
    parts.resize(rank, parts.front());
  if (parts.size() != rank)
    return bad(flag, text,
               "one value or " + llvm::Twine(rank) +
                   ", one per spatial dimension");
  return parts;
}

Expected<std::vector<int64_t>>
driver::parsePerDimension(StringRef flag, StringRef text, size_t rank) {
  auto parts = splitPerDimension(flag, text, rank);
  if (!parts)
    return tl::unexpected(parts.error());
  std::vector<int64_t> values;
  for (StringRef part : *parts) {
    auto value = integerIn(part, flag, text, "integers separated by commas");
    if (!value)
      return tl::unexpected(value.error());
    values.push_back(*value);
  }
  return values;
}

Expected<std::vector<Sides>> driver::parsePadding(StringRef flag,
                                                  StringRef text, size_t rank) {
  auto parts = splitPerDimension(flag, text, rank);
  if (!parts)
    return tl::unexpected(parts.error());
  std::vector<Sides> values;
  for (StringRef part : *parts) {
    const bool both = !part.contains(':');
    const auto [low, high] = part.split(':');
    constexpr StringRef legal =
        "integers or low:high pairs separated by commas";
    auto first = integerIn(low, flag, text, legal);
    if (!first)
      return tl::unexpected(first.error());
    auto second = both ? first : integerIn(high, flag, text, legal);
    if (!second)
      return tl::unexpected(second.error());
    values.push_back({*first, *second});
  }
  return values;
}

Expected<double> driver::parseCount(StringRef flag, StringRef text) {
  double factor = 1;
  StringRef digits = text;
  for (const auto &[suffix, value] :
       {std::pair{"K", 1e3}, std::pair{"M", 1e6}, std::pair{"G", 1e9}})
    if (digits.consume_back(suffix)) {
      factor = value;
      break;
    }
  double value = 0;
  if (digits.getAsDouble(value) || !std::isfinite(value) || value < 0)
    return bad(flag, text,
               "a number of at least 0, with K, M or G for thousands, "
               "millions, billions");
  return value * factor;
}

Expected<std::string> driver::parseFileReference(StringRef flag,
                                                 StringRef text) {
  if (!text.consume_front("@") || text.empty())
    return bad(flag, text, "a file's path behind '@', as in @x.npy");
  if (text == "-")
    return makeError(ErrorCode::Usage,
                     flag.str() + " is '@-', must be a file: tensors are not "
                                  "read from or written to a pipe");
  return text.str();
}

Expected<std::string> driver::parseChip(StringRef text) {
  if (!findChip({text.data(), text.size()}))
    return bad("--chip", text, "one of " + llvm::Twine(listChips()));
  return text.str();
}

Expected<std::vector<std::string>> driver::parseChips(StringRef text) {
  std::vector<std::string> chips;
  if (text.empty()) {
    for (const Chip &chip : allChips())
      chips.emplace_back(chip.name);
    return chips;
  }
  for (StringRef part : llvm::split(text, ',')) {
    auto chip = parseChip(part);
    if (!chip)
      return tl::unexpected(chip.error());
    if (!llvm::is_contained(chips, *chip))
      chips.push_back(std::move(*chip));
  }
  return chips;
}

Expected<std::string> driver::parseFamily(StringRef text) {
  if (ir::symbolizeFamily(text))
    return text.str();
  return bad("--family", text, "one of " + listFamilies(allFamilies()));
}

Expected<std::vector<std::string>> driver::parseFamilies(StringRef text) {
  std::vector<std::string> families;
  for (StringRef part : llvm::split(text, ',')) {
    auto family = parseFamily(part);
    if (!family)
      return tl::unexpected(family.error());
    families.push_back(std::move(*family));
  }
  return families;
}
