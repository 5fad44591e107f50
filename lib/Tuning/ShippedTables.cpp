//===- ShippedTables.cpp - The tables that are part of the compiler -------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/TuningTable.h"

#include <initializer_list>

using namespace ctc;

namespace {
struct TableText {
  const char *name;
  const char *text;
};
} // namespace

static Expected<std::vector<TuningTable>> parseAll() {
  // Every file of Tables/, as cmake/EmbedTuningTables.cmake writes it.
  const std::initializer_list<TableText> files = {
#include "ShippedTables.inc"
  };
  std::vector<TuningTable> tables;
  for (const TableText &file : files) {
    auto table = parseTuningTable(file.text, file.name);
    if (!table)
      return tl::unexpected(table.error());
    tables.push_back(std::move(*table));
  }
  return tables;
}

const Expected<std::vector<TuningTable>> &ctc::shippedTuningTables() {
  static const Expected<std::vector<TuningTable>> tables = parseAll();
  return tables;
}
