//===- ParseJson.cpp - JSON from files of others --------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/ParseJson.h"

#include <optional>

using namespace ctc;
using llvm::StringRef;

/// Where one level too many begins, if one does. Text that is no JSON may be
/// counted wrong, but never with fewer levels than the parser would enter.
static std::optional<size_t> tooDeep(StringRef text) {
  int level = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (!inString && (c == '[' || c == '{') && ++level > kMostJsonLevels)
      return i;
    else if (!inString && (c == ']' || c == '}'))
      --level;
  }
  return std::nullopt;
}

Expected<llvm::json::Value> ctc::parseJson(StringRef text, StringRef subject) {
  if (const auto at = tooDeep(text))
    return makeError(ErrorCode::Usage,
                     subject.str() + " nests deeper than " +
                         std::to_string(kMostJsonLevels) +
                         " levels, the most there may be, in line " +
                         std::to_string(1 + text.take_front(*at).count('\n')));
  auto parsed = llvm::json::parse(text);
  if (!parsed)
    return makeError(ErrorCode::Usage, subject.str() + " is no JSON: " +
                                           llvm::toString(parsed.takeError()));
  return std::move(*parsed);
}
