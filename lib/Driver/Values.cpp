//===- Values.cpp - The values flags take ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Values.h"
#include "ctc/Chips/Chips.h"

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

Expected<TypedShape> driver::parseTypedShape(StringRef flag, StringRef text) {
  auto fail = [&] {
    return bad(flag, text,
               "sizes and an element type of " + kElementTypeNames +
                   ", as in 1x256x64x64xf32");
  };
  TypedShape shape;
  const auto [sizes, type] = text.rsplit('x');
  const auto element = parseElementType({type.data(), type.size()});
  if (!element)
    return fail();
  shape.type = *element;
  for (StringRef part : llvm::split(sizes, 'x')) {
    int64_t size = 0;
    if (part == "?" && shape.sizes.empty())
      size = kDynamic;
    else if (part.getAsInteger(10, size) || size < 0)
      return fail();
    shape.sizes.push_back(size);
  }
  return shape;
}

Expected<int64_t> driver::parseInteger(StringRef flag, StringRef text,
                                       int64_t least) {
  int64_t value = 0;
  if (text.getAsInteger(10, value) || value < least)
    return bad(flag, text, "an integer of at least " + llvm::Twine(least));
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
    int64_t value = 0;
    if (part.getAsInteger(10, value))
      return bad(flag, text, "integers separated by commas");
    values.push_back(value);
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
    Sides sides;
    if (low.getAsInteger(10, sides.low) ||
        (both ? low : high).getAsInteger(10, sides.high))
      return bad(flag, text, "integers or low:high pairs separated by commas");
    values.push_back(sides);
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
    if (!findChip({part.data(), part.size()}))
      return bad("--chip", part, "one of " + llvm::Twine(listChips()));
    if (!llvm::is_contained(chips, part))
      chips.push_back(part.str());
  }
  return chips;
}
