//===- ProfilePage.cpp - A profile as a page ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One HTML file that needs no other: style and plots are inside, there are no
// scripts, and it follows the reader's light or dark scheme.
//
//===----------------------------------------------------------------------===//

#include "HotLines.h"
#include "ProfileOutput.h"
#include "ProfilePlots.h"
#include "Units.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>
#include <map>

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;
using llvm::raw_ostream;
using llvm::StringRef;

/// Lines in the tables of the hottest ones.
static constexpr size_t kHotLines = 30;

static constexpr const char *kStyle = R"(
:root { color-scheme: light dark; --page: #fcfcfa; --panel: #ffffff;
  --text: #1d1d1b; --soft: #5f5e58; --line: #dddcd5; --bar: #7f9fbf;
  --strong: #c2552d; --heat: 194, 85, 45; }
@media (prefers-color-scheme: dark) { :root { --page: #171716;
  --panel: #21211f; --text: #ecebe6; --soft: #a5a49c; --line: #3b3a36;
  --bar: #5f84a8; --strong: #e07a4f; --heat: 224, 122, 79; } }
body { background: var(--page); color: var(--text); margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.2rem; margin: 2.5rem 0
  0; } h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p { margin: .3rem 0 .8rem; } .soft { color: var(--soft); }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }
.tile { background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: .5rem .9rem; min-width: 8rem; }
.tile b { display: block; font-size: 1.25rem; font-weight: 600; }
.tile span { color: var(--soft); font-size: .85rem; }
svg { width: 100%; max-width: 51rem; height: auto; display: block; }
svg .value { fill: var(--soft); } svg .bar { fill: var(--bar); }
svg .strong { fill: var(--strong); }
.scroll { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; font-size: .88rem; width: 100%; }
th, td { text-align: right; padding: .2rem .6rem; white-space: nowrap;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; }
th.text, td.text { text-align: left; }
td.code, pre { font: 12.5px/1.45 ui-monospace, monospace; }
td.code { text-align: left; white-space: pre; }
details { margin: 1rem 0; } summary { cursor: pointer; }
.listing td { border: 0; padding: 0 .6rem; }
.listing td.code { width: 100%; }
)";

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Rows of cells; the first column, and columns called "text", are text.
class Table {
public:
  Table(raw_ostream &os, llvm::ArrayRef<StringRef> head) : os(os) {
    os << "<div class=\"scroll\"><table><thead><tr>";
    for (const auto &[index, name] : llvm::enumerate(head))
      os << (index ? "<th>" : "<th class=\"text\">") << escaped(name)
         << "</th>";
    os << "</tr></thead><tbody>\n";
  }
  Table(const Table &) = delete;
  ~Table() { os << "</tbody></table></div>\n"; }

  void row(llvm::ArrayRef<std::string> cells) {
    os << "<tr>";
    for (const auto &[index, cell] : llvm::enumerate(cells))
      os << (index ? "<td>" : "<td class=\"text\">") << escaped(cell)
         << "</td>";
    os << "</tr>\n";
  }

private:
  raw_ostream &os;
};

static std::string percent(double part, double whole) {
  return formatv("{0:f1}%", 100 * ratio(part, whole)).str();
}

//===----------------------------------------------------------------------===//
// Sections
//===----------------------------------------------------------------------===//

static void tile(const std::string &value, const std::string &what,
                 raw_ostream &os) {
  os << "<div class=\"tile\"><b>" << escaped(value) << "</b><span>"
     << escaped(what) << "</span></div>\n";
}

static void writeTiles(const ProfileReport &report, const LaunchSummary &sum,
                       raw_ostream &os) {
  const TimeEstimate &estimate = sum.estimate;
  Traffic shared;
  for (const MemorySum &memory : sum.memory)
    if (memory.space == "shared")
      shared += memory.traffic;
  os << "<div class=\"tiles\">\n";
  tile(timeText(estimate.seconds), "estimated, launch included", os);
  if (estimate.binding < estimate.units.size())
    tile(estimate.units[estimate.binding].unit, "binds", os);
  if (report.usefulMultiplyAdds() > 0) {
    tile(formatv("{0:f3} x",
                 ratio(sum.layerMultiplyAdds(), report.usefulMultiplyAdds())),
         "multiply-adds over useful", os);
    tile(formatv("{0:f3} x", ratio(sum.touchedBytes, report.leastBytes())),
         "bytes touched over least", os);
  }
  if (shared.units > 0)
    tile(percent(shared.units - shared.leastUnits, shared.units),
         "of wavefronts are conflicts", os);
  tile(formatv("{0} of {1}", estimate.occupancy.warps,
               estimate.occupancy.mostWarps),
       "warps, limited by " + estimate.occupancy.limit, os);
  os << "</div>\n";
}

static void writeUnits(const ProfileReport &report, const LaunchProfile &launch,
                       const TimeEstimate &estimate, raw_ostream &os) {
  const Board &board = report.chip.board;
  os << "<h3>Units</h3>\n<p class=\"soft\">"
     << formatv("How long each unit of an {0} ({1} multiprocessors at {2:f2} "
                "GHz) is busy at least; {3} blocks, of which the busiest "
                "multiprocessor gets {4:f2} times the mean. The launch takes "
                "{5} besides. Latency is not modelled.",
                std::string(board.name), board.multiprocessors,
                board.clock / 1e9, countText(launch.blocks), estimate.tail,
                timeText(estimate.launchSeconds))
     << "</p>\n";
  std::vector<Bar> bars;
  for (const auto &[index, unit] : llvm::enumerate(estimate.units)) {
    const std::string work = unit.of == "bytes"
                                 ? byteText(unit.work)
                                 : countText(unit.work) + " " + unit.of;
    bars.push_back({unit.unit, unit.seconds,
                    timeText(unit.seconds) + " for " + work,
                    index == estimate.binding});
  }
  drawBars("Time of each unit", bars, os);
}

static void writeClasses(const LaunchSummary &sum, raw_ostream &os) {
  os << "<h3>Instructions</h3>\n<p class=\"soft\">Machine instructions that "
        "warps issue, by class of the PTX instruction.</p>\n";
  std::vector<Bar> bars;
  for (const ClassSum &kind : sum.classes)
    bars.push_back(
        {kind.kind, kind.issued,
         countText(kind.issued) + ", " + percent(kind.issued, sum.all.issued)});
  drawBars("Instructions by class", bars, os);
  os << "<details><summary>Counts</summary>\n";
  {
    Table table(os, {"class", "warps", "lanes active", "machine instructions",
                     "share"});
    for (const ClassSum &kind : sum.classes)
      table.row({kind.kind, countText(kind.warps),
                 percent(kind.threads, 32 * kind.warps), countText(kind.issued),
                 percent(kind.issued, sum.all.issued)});
  }
  {
    Table table(os, {"unit", "multiply-adds"});
    for (const auto &[unit, count] : sum.multiplyAdds)
      table.row({ctc_multiply_unit_name(unit), countText(count)});
  }
  os << "</details>\n";
}

static std::string memoryName(const MemorySum &sum) {
  return StringRef(sum.kind).starts_with(sum.space)
             ? sum.kind
             : sum.kind + ", " + sum.space;
}

static void writeMemory(const LaunchSummary &sum, raw_ostream &os) {
  if (sum.memory.empty())
    return;
  os << "<h3>Requests</h3>\n<p class=\"soft\">Sectors (global, local) or "
        "wavefronts (shared) that serve one request; the tick is the fewest "
        "that its bytes could be in.</p>\n";
  std::vector<Bar> bars;
  for (const MemorySum &memory : sum.memory) {
    const Traffic &traffic = memory.traffic;
    if (traffic.requests == 0)
      continue;
    const double each = ratio(traffic.units, traffic.requests);
    bars.push_back({memoryName(memory), each,
                    formatv("{0:f2} {1}", each, memory.unit()),
                    traffic.units > 1.05 * traffic.leastUnits,
                    ratio(traffic.leastUnits, traffic.requests)});
  }
  drawBars("Units per request", bars, os);
  os << "<details><summary>Counts</summary>\n";
  {
    Table table(os,
                {"memory", "requests", "lanes ask", "served as", "over least"});
    for (const MemorySum &memory : sum.memory)
      table.row({memoryName(memory), countText(memory.traffic.requests),
                 byteText(memory.traffic.bytes),
                 countText(memory.traffic.units) + " " + memory.unit(),
                 formatv("{0:f3}", ratio(memory.traffic.units,
                                         memory.traffic.leastUnits))});
  }
  os << "</details>\n";
}

static void writeBuffers(const ProfileReport &report,
                         const LaunchProfile &launch, const LaunchSummary &sum,
                         raw_ostream &os) {
  if (launch.buffers.empty())
    return;
  os << "<h3>Buffers</h3>\n<p class=\"soft\">"
     << formatv("{0} touched; x, w and y are {1}. Blocks load {2}, the plan "
                "says {3}.",
                byteText(sum.touchedBytes), byteText(report.leastBytes()),
                byteText(sum.blockLoadedBytes),
                byteText(report.plannedLoadBytes()))
     << "</p>\n";
  std::vector<Bar> bars;
  for (const BufferProfile &buffer : launch.buffers) {
    const double bytes = buffer.blockLoaded + buffer.stored;
    bars.push_back({buffer.name, bytes,
                    byteText(bytes) + " of " + byteText(buffer.size), false,
                    buffer.distinctLoaded + buffer.distinctStored});
  }
  drawBars("Bytes that blocks load and store; the tick is what is touched",
           bars, os);
  os << "<details><summary>Counts</summary>\n";
  {
    Table table(os, {"buffer", "size", "loads ask", "blocks load",
                     "loads touch", "stores ask", "stores touch"});
    for (const BufferProfile &buffer : launch.buffers)
      table.row({buffer.name, byteText(buffer.size), byteText(buffer.loaded),
                 byteText(buffer.blockLoaded), byteText(buffer.distinctLoaded),
                 byteText(buffer.stored), byteText(buffer.distinctStored)});
  }
  os << "</details>\n";
}

//===----------------------------------------------------------------------===//
// Lines
//===----------------------------------------------------------------------===//

/// A cell whose background is as dark as the value is near the largest.
static void heatCell(const std::string &text, double value, double most,
                     raw_ostream &os) {
  os << "<td";
  if (const double share = ratio(value, most); share >= 0.01)
    os << formatv(" style=\"background: rgba(var(--heat), {0:f2})\"",
                  0.6 * share);
  os << ">" << escaped(text) << "</td>";
}

static void lineRow(uint32_t line, double warps, double seconds, double most,
                    StringRef text, raw_ostream &os) {
  os << "<tr><td>" << line << "</td><td>"
     << (warps > 0 ? countText(warps) : std::string()) << "</td>";
  heatCell(seconds > 0 ? timeText(seconds) : std::string(), seconds, most, os);
  os << "<td class=\"code\">" << escaped(text) << "</td></tr>\n";
}

static void openLines(const char *what, const char *kind, raw_ostream &os) {
  os << "<div class=\"scroll\"><table class=\"" << kind << "\"><thead><tr><th>"
     << what
     << "</th><th>warps</th><th>alone</th><th class=\"text\">text</th></tr>"
        "</thead><tbody>\n";
}

static void closeLines(raw_ostream &os) { os << "</tbody></table></div>\n"; }

static void writeHotLines(const ProfileReport &report,
                          const LaunchProfile &launch, raw_ostream &os) {
  const std::vector<HotInstruction> hot = hottest(launch, report.chip);
  if (hot.empty())
    return;
  os << "<h3>Hottest lines</h3>\n<p class=\"soft\">Alone is how long an "
        "instruction keeps its busiest unit busy if nothing else ran.</p>\n";
  const std::vector<HotLine> lines =
      hottestLines(launch, report.image, report.chip);
  if (!lines.empty()) {
    openLines("listing line", "lines", os);
    for (const HotLine &line : llvm::ArrayRef(lines).take_front(kHotLines))
      lineRow(line.line, line.warps, line.seconds, lines.front().seconds,
              line.text, os);
    closeLines(os);
  }
  openLines("PTX line", "lines", os);
  for (const HotInstruction &one : llvm::ArrayRef(hot).take_front(kHotLines))
    lineRow(one.instruction->line, one.instruction->warps, one.seconds,
            hot.front().seconds, one.instruction->text, os);
  closeLines(os);
}

/// The lines of the PTX between a launch's first and last instruction.
static void writeListing(const ProfileReport &report,
                         const LaunchProfile &launch, raw_ostream &os) {
  if (launch.instructions.empty())
    return;
  struct Sum {
    double warps = 0, seconds = 0;
  };
  std::map<uint32_t, Sum> sums;
  uint32_t first = launch.instructions.front().line, last = first;
  double most = 0;
  for (const InstructionProfile &one : launch.instructions) {
    Sum &sum = sums[one.line];
    sum.warps = std::max(sum.warps, one.warps);
    sum.seconds += secondsAlone(one, report.chip);
    most = std::max(most, sum.seconds);
    first = std::min(first, one.line);
    last = std::max(last, one.line);
  }
  os << "<details><summary>PTX with counts</summary>\n";
  openLines("line", "listing", os);
  llvm::SmallVector<StringRef> lines;
  StringRef(report.image.ptx).split(lines, '\n');
  for (uint32_t line = first; line <= last && line <= lines.size(); ++line) {
    const StringRef text = lines[line - 1];
    if (text.trim().empty() || text.ltrim().starts_with(".loc"))
      continue;
    const Sum sum = sums.count(line) ? sums[line] : Sum();
    lineRow(line, sum.warps, sum.seconds, most, text, os);
  }
  closeLines(os);
  os << "</details>\n";
}

//===----------------------------------------------------------------------===//
// The page
//===----------------------------------------------------------------------===//

static void writeLaunch(const ProfileReport &report,
                        const LaunchProfile &launch, const LaunchSummary &sum,
                        raw_ostream &os) {
  os << "<h2>" << escaped(launch.kernel) << "</h2>\n<p class=\"soft\">"
     << formatv("{0} blocks of {1} threads, {2} of shared memory each",
                countText(launch.blocks), launch.threads,
                byteText(launch.sharedBytes));
  if (launch.clusterBlocks > 1)
    os << formatv(", clusters of {0}", launch.clusterBlocks);
  if (launch.isSample())
    os << formatv("; {0} blocks were executed, their counts times {1:f3}",
                  countText(launch.executedBlocks),
                  launch.blocks / launch.executedBlocks);
  os << ".</p>\n";
  writeTiles(report, sum, os);
  writeUnits(report, launch, sum.estimate, os);
  writeClasses(sum, os);
  writeMemory(sum, os);
  writeBuffers(report, launch, sum, os);
  writeHotLines(report, launch, os);
  writeListing(report, launch, os);
}

std::string driver::profilePage(const ProfileReport &report) {
  const LayerProfile &profile = report.profile;
  std::string page;
  llvm::raw_string_ostream os(page);
  os << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\">\n<meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\">\n<title>"
     << escaped(profile.entry) << " for " << escaped(profile.chip)
     << "</title>\n<style>" << kStyle << "</style>\n</head>\n<body>\n";
  os << "<h1>" << escaped(profile.entry) << " for " << escaped(profile.chip)
     << "</h1>\n<p class=\"soft\">"
     << escaped(formatv("Batch {0}, {1}. Counted on {2}; times are estimates "
                        "to first order, of {3} in all, not measured.",
                        profile.batch, report.entry.family, report.device,
                        timeText(report.seconds()))
                    .str())
     << "</p>\n<p class=\"soft\">" << escaped(report.entry.kernel) << "</p>\n";
  for (const auto &[launch, sum] :
       llvm::zip_equal(profile.launches, report.launches))
    writeLaunch(report, launch, sum, os);
  if (profile.launches.empty())
    os << "<p>No launch: the output is empty.</p>\n";
  os << "</body>\n</html>\n";
  return page;
}
