//===- BenchReport.cpp - What bench has to say ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BenchReport.h"
#include "Json.h"
#include "Units.h"

#include "llvm/Support/FormatVariadic.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;
namespace json = llvm::json;

//===----------------------------------------------------------------------===//
// For people
//===----------------------------------------------------------------------===//

static std::string microseconds(double seconds) {
  return formatv("{0:f2}", seconds * 1e6).str();
}

/// One line of the table, by column.
static std::vector<std::string> columns(const BenchRow &row) {
  if (!row.bench)
    return {row.entry, "", row.family,
            "not timed: " + row.bench.error().message};
  const LayerBench &bench = *row.bench;
  const SampleStatistics &time = bench.launch;
  return {row.entry,
          std::to_string(bench.batch),
          row.family,
          microseconds(time.median),
          microseconds(time.lowerQuartile),
          microseconds(time.upperQuartile),
          microseconds(time.least),
          std::to_string(time.count),
          bench.graph ? microseconds(bench.graph->median) : "",
          bench.floor ? microseconds(bench.floor->seconds) : "",
          bench.floor ? (bench.floor->isCompute ? "compute" : "memory") : "",
          bench.floor ? formatv("{0:f1} %",
                                100 * bench.floor->seconds / bench.seconds())
                            .str()
                      : "",
          microseconds(bench.prepare.median),
          std::to_string(bench.bufferSets)};
}

static void printTable(const std::vector<BenchRow> &rows,
                       llvm::raw_ostream &os) {
  std::vector<std::vector<std::string>> lines{
      {"entry", "batch", "family", "median", "q1", "q3", "least", "launches",
       "graph", "floor", "bound", "of floor", "prepare", "sets"}};
  for (const BenchRow &row : rows)
    lines.push_back(columns(row));
  std::vector<size_t> widths(lines.front().size(), 0);
  for (const auto &line : lines)
    if (line.size() == widths.size())
      for (size_t i = 0; i < line.size(); ++i)
        widths[i] = std::max(widths[i], line[i].size());
  for (const auto &line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
      // Numbers stand right; what is behind the family of a failure is text.
      const bool isText = i == 0 || i == 2 || line.size() != widths.size();
      const size_t pad = widths[i] - std::min(widths[i], line[i].size());
      text += isText ? line[i] + std::string(pad + 2, ' ')
                     : std::string(pad, ' ') + line[i] + "  ";
    }
    os << llvm::StringRef(text).rtrim() << "\n";
  }
}

static std::string checkText(const LayerBench &bench) {
  return formatv("{0}, {1}; worst error {2:f3} of the bound",
                 bench.isSampled ? "of a sample" : "of all outputs",
                 bench.check.summary(), bench.check.worstRatio)
      .str();
}

void BenchReport::print(llvm::raw_ostream &os) const {
  os << formatv("bundle   {0}\ndevice   {1}\n", bundle, device);
  if (ceilings)
    os << formatv("floors   {0:f2} TB/s, {1:f0} TFLOP/s tf32, {2:f0} 16-bit, "
                  "{3:f0} f32: {4}\n",
                  ceilings->memoryBytes * 1e-12, 2e-12 * ceilings->tf32,
                  2e-12 * ceilings->sixteen, 2e-12 * ceilings->fp32,
                  ceilings->source);
  else
    os << "floors   unknown for this GPU\n";
  os << formatv(
      "times    microseconds of device time, weights prepared before, "
      "buffer sets rotate past the second level ({0})\n\n",
      byteText(static_cast<double>(secondLevelBytes)));
  printTable(rows, os);
  os << "\n";
  for (const BenchRow &row : rows) {
    if (!row.bench)
      continue;
    os << formatv("check    {0}: {1}\n", row.entry, checkText(*row.bench));
    if (row.bench->bufferSets == 1)
      os << formatv(
          "note     {0}: the memory has room for one buffer set only, "
          "so the second level may hold some of it\n",
          row.entry);
  }
}

//===----------------------------------------------------------------------===//
// For machines
//===----------------------------------------------------------------------===//

/// Seconds in full: a launch takes microseconds, which rounding would spoil.
static json::Object toJson(const SampleStatistics &statistics) {
  return json::Object{{"median_seconds", statistics.median},
                      {"lower_quartile_seconds", statistics.lowerQuartile},
                      {"upper_quartile_seconds", statistics.upperQuartile},
                      {"least_seconds", statistics.least},
                      {"samples", static_cast<int64_t>(statistics.count)}};
}

static json::Object toJson(const BenchRow &row) {
  json::Object object{{"entry", row.entry},
                      {"chip", row.chip},
                      {"family", row.family},
                      {"kernel", row.kernel}};
  if (!row.bench) {
    object["failure"] = row.bench.error().message;
    return object;
  }
  const LayerBench &bench = *row.bench;
  object["batch"] = bench.batch;
  object["buffer_sets"] = static_cast<int64_t>(bench.bufferSets);
  object["set_bytes"] = static_cast<int64_t>(bench.setBytes);
  object["launch"] = toJson(bench.launch);
  if (bench.graph)
    object["graph"] = toJson(*bench.graph);
  object["prepare"] = toJson(bench.prepare);
  if (bench.floor) {
    object["floor"] =
        json::Object{{"seconds", bench.floor->seconds},
                     {"bound", bench.floor->isCompute ? "compute" : "memory"},
                     {"bytes", bench.floor->bytes},
                     {"multiply_adds", bench.floor->multiplyAdds},
                     {"unit", bench.floor->unit}};
    object["fraction_of_floor"] = bench.floor->seconds / bench.seconds();
  }
  object["check"] =
      json::Object{{"compared", bench.isSampled ? "sample" : "all outputs"},
                   {"outputs", bench.check.outputs},
                   {"wrong", bench.check.wrong},
                   {"nan", bench.check.nan},
                   {"undecided", bench.check.undecided},
                   {"passed", bench.check.passed()},
                   {"error_over_bound", bench.check.worstRatio},
                   {"summary", bench.check.summary()}};
  return object;
}

void BenchReport::printJson(llvm::raw_ostream &os) const {
  json::Array entries;
  for (const BenchRow &row : rows)
    entries.push_back(toJson(row));
  json::Object object{{"bundle", bundle},
                      {"device", device},
                      {"l2_bytes", static_cast<int64_t>(secondLevelBytes)},
                      {"entries", std::move(entries)}};
  if (ceilings)
    object["ceilings"] = json::Object{
        {"board", ceilings->board},
        {"source", ceilings->source},
        {"memory_bytes_per_second", ceilings->memoryBytes},
        {"tf32_multiply_adds_per_second", ceilings->tf32},
        {"sixteen_bit_multiply_adds_per_second", ceilings->sixteen},
        {"f32_multiply_adds_per_second", ceilings->fp32}};
  driver::printJson(std::move(object), os);
}

Expected<void> BenchReport::outcome() const {
  for (const BenchRow &row : rows)
    if (row.bench && !row.bench->check.passed())
      return makeError(ErrorCode::WrongResult,
                       row.entry + ": " + row.bench->check.summary());
  for (const BenchRow &row : rows)
    if (!row.bench)
      return makeError(row.bench.error().code,
                       row.entry + ": " + row.bench.error().message);
  return {};
}
