//===- ProfileJson.cpp - A profile as JSON --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HotLines.h"
#include "ProfileOutput.h"

#include <cmath>

using namespace ctc;
using namespace ctc::driver;
namespace json = llvm::json;

static double nanoseconds(double seconds) {
  return std::round(seconds * 1e9) / 1e9;
}

static json::Object trafficToJson(const Traffic &traffic, const char *units) {
  return json::Object{{"requests", traffic.requests},
                      {"bytes", traffic.bytes},
                      {units, traffic.units},
                      {std::string("least_") + units, traffic.leastUnits}};
}

static json::Array classesToJson(const LaunchSummary &launch) {
  json::Array classes;
  for (const ClassSum &sum : launch.classes)
    classes.push_back(json::Object{{"class", sum.kind},
                                   {"warps", sum.warps},
                                   {"threads", sum.threads},
                                   {"machine_instructions", sum.issued}});
  return classes;
}

static json::Array memoryToJson(const LaunchSummary &launch) {
  json::Array memory;
  for (const MemorySum &sum : launch.memory) {
    json::Object row = trafficToJson(sum.traffic, sum.unit());
    row["class"] = sum.kind;
    row["space"] = sum.space;
    memory.push_back(std::move(row));
  }
  return memory;
}

static json::Array buffersToJson(const LaunchProfile &launch) {
  json::Array buffers;
  for (const BufferProfile &buffer : launch.buffers)
    buffers.push_back(
        json::Object{{"name", buffer.name},
                     {"bytes", buffer.size},
                     {"loaded_bytes", buffer.loaded},
                     {"block_loaded_bytes", buffer.blockLoaded},
                     {"stored_bytes", buffer.stored},
                     {"distinct_loaded_bytes", buffer.distinctLoaded},
                     {"distinct_stored_bytes", buffer.distinctStored}});
  return buffers;
}

static json::Object estimateToJson(const TimeEstimate &estimate) {
  json::Array units;
  for (const UnitTime &unit : estimate.units)
    units.push_back(json::Object{{"unit", unit.unit},
                                 {"work", unit.work},
                                 {"of", unit.of},
                                 {"rate", unit.rate},
                                 {"seconds", nanoseconds(unit.seconds)}});
  const Occupancy &occupancy = estimate.occupancy;
  const bool binds = estimate.binding < estimate.units.size();
  return json::Object{
      {"seconds", nanoseconds(estimate.seconds)},
      {"launch_seconds", nanoseconds(estimate.launchSeconds)},
      {"binding", binds ? json::Value(estimate.units[estimate.binding].unit)
                        : json::Value(nullptr)},
      {"tail", estimate.tail},
      {"units", std::move(units)},
      {"occupancy", json::Object{{"blocks", occupancy.blocks},
                                 {"warps", occupancy.warps},
                                 {"most_warps", occupancy.mostWarps},
                                 {"limit", occupancy.limit}}}};
}

static json::Array instructionsToJson(const LaunchProfile &launch,
                                      const ProfileReport &report) {
  const std::vector<uint32_t> named = namedLines(report.image.ptx);
  const Chip &chip = report.chip;
  json::Array instructions;
  for (const InstructionProfile &one : launch.instructions) {
    json::Object row{{"line", one.line},
                     {"text", one.text},
                     {"class", one.kind},
                     {"warps", one.warps},
                     {"threads", one.threads},
                     {"machine_instructions", one.issued()},
                     {"seconds_alone", nanoseconds(secondsAlone(one, chip))}};
    if (one.line < named.size() && named[one.line])
      row["listing_line"] = named[one.line];
    if (one.multiplyAdds > 0) {
      row["multiply_adds"] = one.multiplyAdds;
      row["unit"] = ctc_multiply_unit_name(one.unit);
    }
    auto add = [&row](const char *space, const Traffic &traffic,
                      const char *units) {
      if (traffic.bytes > 0)
        row[space] = trafficToJson(traffic, units);
    };
    add("global", one.global, "sectors");
    add("local", one.local, "sectors");
    add("shared", one.shared, "wavefronts");
    instructions.push_back(std::move(row));
  }
  return instructions;
}

static json::Object launchToJson(const LaunchProfile &launch,
                                 const LaunchSummary &summary,
                                 const ProfileReport &report) {
  json::Object multiplyAdds;
  for (const auto &[unit, count] : summary.multiplyAdds)
    multiplyAdds[ctc_multiply_unit_name(unit)] = count;
  return json::Object{{"kernel", launch.kernel},
                      {"blocks", launch.blocks},
                      {"executed_blocks", launch.executedBlocks},
                      {"threads", launch.threads},
                      {"cluster_blocks", launch.clusterBlocks},
                      {"shared_bytes", launch.sharedBytes},
                      {"warp_instructions", summary.all.warps},
                      {"thread_instructions", summary.all.threads},
                      {"machine_instructions", summary.all.issued},
                      {"multiply_adds", std::move(multiplyAdds)},
                      {"touched_bytes", summary.touchedBytes},
                      {"block_loaded_bytes", summary.blockLoadedBytes},
                      {"stored_bytes", summary.storedBytes},
                      {"classes", classesToJson(summary)},
                      {"memory", memoryToJson(summary)},
                      {"buffers", buffersToJson(launch)},
                      {"estimate", estimateToJson(summary.estimate)},
                      {"instructions", instructionsToJson(launch, report)}};
}

json::Value driver::profileToJson(const ProfileReport &report) {
  const LayerProfile &profile = report.profile;
  json::Array launches;
  for (size_t i = 0; i < profile.launches.size(); ++i)
    launches.push_back(
        launchToJson(profile.launches[i], report.launches[i], report));
  const Board &board = report.chip.board;
  return json::Object{
      {"entry", profile.entry},
      {"chip", profile.chip},
      {"family", report.entry.family},
      {"kernel", report.entry.kernel},
      {"device", report.device},
      {"batch", profile.batch},
      {"sample", report.sample ? json::Value(int64_t(report.sample))
                               : json::Value(nullptr)},
      {"board", json::Object{{"name", std::string(board.name)},
                             {"multiprocessors", board.multiprocessors},
                             {"clock", board.clock},
                             {"memory_bytes_per_second", board.memoryBytes}}},
      {"useful_multiply_adds", report.usefulMultiplyAdds()},
      {"planned_multiply_adds", report.plannedMultiplyAdds()},
      {"least_bytes", report.leastBytes()},
      {"planned_load_bytes", report.plannedLoadBytes()},
      {"seconds", nanoseconds(report.seconds())},
      {"launches", std::move(launches)}};
}
