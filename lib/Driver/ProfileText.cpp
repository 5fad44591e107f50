//===- ProfileText.cpp - A profile as a table -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HotLines.h"
#include "ProfileOutput.h"
#include "Units.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;
using llvm::left_justify;

/// Width of the labels in front of a launch's facts.
static constexpr unsigned kLabel = 15;
/// Instructions printed as the hottest ones.
static constexpr size_t kHotLines = 10;
/// Characters of their text.
static constexpr size_t kTextWidth = 100;

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

static std::string blockText(double blocks) {
  return countText(blocks) + (blocks == 1 ? " block" : " blocks");
}

static llvm::raw_ostream &field(llvm::raw_ostream &os, llvm::StringRef name) {
  return os << "  " << left_justify(name, kLabel);
}

static void printMultiplyAdds(const ProfileReport &report,
                              const LaunchSummary &launch,
                              llvm::raw_ostream &os) {
  std::vector<std::string> parts;
  for (const auto &[unit, count] : launch.multiplyAdds)
    parts.push_back(countText(count) + " " + ctc_multiply_unit_name(unit));
  field(os, "multiply-adds")
      << (parts.empty() ? "none" : llvm::join(parts, ", ")) << "\n";
  if (report.usefulMultiplyAdds() <= 0)
    return;
  field(os, "") << formatv(
      "useful {0}; floats and matrices do {1:f3} times that, the plan {2:f3}\n",
      countText(report.usefulMultiplyAdds()),
      ratio(launch.layerMultiplyAdds(), report.usefulMultiplyAdds()),
      ratio(report.plannedMultiplyAdds(), report.usefulMultiplyAdds()));
}

static void printClasses(const LaunchSummary &launch, llvm::raw_ostream &os) {
  os << formatv("\n  {0,-15}{1,12}{2,10}{3,14}{4,9}\n", "instructions", "warps",
                "lanes", "machine", "share");
  auto row = [&](const std::string &name, const ClassSum &sum) {
    os << formatv(
        "  {0,-15}{1,12}{2,9:f1}%{3,14}{4,8:f1}%\n", name, countText(sum.warps),
        100 * ratio(sum.threads, 32 * sum.warps), countText(sum.issued),
        100 * ratio(sum.issued, launch.all.issued));
  };
  for (const ClassSum &sum : launch.classes)
    row(sum.kind, sum);
  row("all", launch.all);
}

static void printMemory(const LaunchSummary &launch, llvm::raw_ostream &os) {
  os << formatv("\n  {0,-24}{1,11}{2,13}{3,21}{4,13}{5,12}\n", "memory",
                "requests", "lanes ask", "served as", "per request",
                "over least");
  for (const MemorySum &sum : launch.memory) {
    const Traffic &traffic = sum.traffic;
    const bool named = llvm::StringRef(sum.kind).starts_with(sum.space);
    os << formatv("  {0,-24}{1,11}{2,13}{3,21}{4,13:f2}{5,12:f3}\n",
                  named ? sum.kind : sum.kind + ", " + sum.space,
                  countText(traffic.requests), byteText(traffic.bytes),
                  countText(traffic.units) + " " + sum.unit(),
                  ratio(traffic.units, traffic.requests),
                  ratio(traffic.units, traffic.leastUnits));
  }
}

static void printBuffers(const ProfileReport &report,
                         const LaunchProfile &launch,
                         const LaunchSummary &summary, llvm::raw_ostream &os) {
  os << formatv("\n  {0,-16}{1,13}{2,13}{3,13}{4,13}{5,13}{6,13}\n", "buffer",
                "size", "loads ask", "blocks load", "touch", "stores ask",
                "touch");
  for (const BufferProfile &buffer : launch.buffers)
    os << formatv("  {0,-16}{1,13}{2,13}{3,13}{4,13}{5,13}{6,13}\n",
                  buffer.name, byteText(buffer.size), byteText(buffer.loaded),
                  byteText(buffer.blockLoaded), byteText(buffer.distinctLoaded),
                  byteText(buffer.stored), byteText(buffer.distinctStored));
  if (report.leastBytes() <= 0)
    return;
  field(os, "bytes") << formatv(
      "{0} touched, {1:f3} times the least (x, w, y once each); blocks load "
      "{2}, the plan {3}\n",
      byteText(summary.touchedBytes),
      ratio(summary.touchedBytes, report.leastBytes()),
      byteText(summary.blockLoadedBytes), byteText(report.plannedLoadBytes()));
}

static std::string rateText(const UnitTime &unit) {
  return countText(unit.rate) + (unit.of == "bytes" ? "B/s" : "/s");
}

static void printEstimate(const ProfileReport &report,
                          const LaunchProfile &launch,
                          const TimeEstimate &estimate, llvm::raw_ostream &os) {
  const Board &board = report.chip.board;
  const Occupancy &occupancy = estimate.occupancy;
  os << formatv("\n  {0,-15}{1,32}{2,16}{3,12}\n", "unit", "work", "at most",
                "takes");
  for (const auto &[index, unit] : llvm::enumerate(estimate.units)) {
    const std::string work = unit.of == "bytes"
                                 ? byteText(unit.work)
                                 : countText(unit.work) + " " + unit.of;
    os << formatv("  {0,-15}{1,32}{2,16}{3,12}{4}\n", unit.unit, work,
                  rateText(unit), timeText(unit.seconds),
                  index == estimate.binding ? "  binds" : "");
  }
  field(os, "estimate") << formatv(
      "{0} on an {1} ({2} multiprocessors at {3:f2} GHz), {4} of it the "
      "launch\n",
      timeText(estimate.seconds), std::string(board.name),
      board.multiprocessors, board.clock / 1e9,
      timeText(estimate.launchSeconds));
  field(os, "occupancy") << formatv(
      "a multiprocessor holds {0} ({1} of {2} warps), limited by {3}\n",
      blockText(double(occupancy.blocks)), occupancy.warps, occupancy.mostWarps,
      occupancy.limit);
  field(os, "") << formatv(
      "of {0} at most {1} come to one, {2:f2} times the mean\n",
      blockText(launch.blocks),
      countText(std::ceil(launch.blocks / board.multiprocessors)),
      estimate.tail);
}

static void printHotLines(const ProfileReport &report,
                          const LaunchProfile &launch, llvm::raw_ostream &os) {
  auto head = [&os](const char *what) {
    os << formatv("\n  {0,-12}{1,12}{2,12}{3,12}  {4}\n", what, "warps",
                  "machine", "alone", "text");
  };
  auto row = [&os](uint32_t line, double warps, double issued, double seconds,
                   const std::string &text) {
    os << formatv("  {0,12}{1,12}{2,12}{3,12}  {4}\n", line, countText(warps),
                  countText(issued), timeText(seconds),
                  llvm::StringRef(text).take_front(kTextWidth));
  };
  head("PTX line");
  const std::vector<HotInstruction> all = hottest(launch, report.chip);
  for (const HotInstruction &hot : llvm::ArrayRef(all).take_front(kHotLines))
    row(hot.instruction->line, hot.instruction->warps,
        hot.instruction->issued(), hot.seconds, hot.instruction->text);
  const std::vector<HotLine> lines =
      hottestLines(launch, report.image, report.chip);
  if (lines.empty())
    return;
  head("listing line");
  for (const HotLine &line : llvm::ArrayRef(lines).take_front(kHotLines))
    row(line.line, line.warps, line.issued, line.seconds, line.text);
}

void driver::printProfile(const ProfileReport &report, llvm::raw_ostream &os) {
  const LayerProfile &profile = report.profile;
  os << formatv("entry {0} for {1}, batch {2}, {3}; counted on {4}\n",
                profile.entry, profile.chip, profile.batch, report.entry.family,
                report.device);
  if (profile.launches.empty())
    os << "no launch: the output is empty\n";
  for (const auto &[launch, summary] :
       llvm::zip_equal(profile.launches, report.launches)) {
    os << formatv("\nkernel {0}: {1} of {2} threads, {3} of shared "
                  "memory{4}\n",
                  launch.kernel, blockText(launch.blocks), launch.threads,
                  byteText(launch.sharedBytes),
                  launch.clusterBlocks > 1
                      ? formatv(", clusters of {0}", launch.clusterBlocks).str()
                      : std::string());
    if (launch.isSample())
      field(os, "sample") << formatv(
          "{0} of {1} blocks were executed, their counts times {2:f3}\n",
          countText(launch.executedBlocks), countText(launch.blocks),
          launch.blocks / launch.executedBlocks);
    printMultiplyAdds(report, summary, os);
    printClasses(summary, os);
    printMemory(summary, os);
    printBuffers(report, launch, summary, os);
    printEstimate(report, launch, summary.estimate, os);
    printHotLines(report, launch, os);
  }
  if (profile.launches.size() > 1)
    os << formatv("\nall kernels: {0}, one after the other\n",
                  timeText(report.seconds()));
}
