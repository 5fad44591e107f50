//===- ProfileSummary.cpp - A launch's counts, added up -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProfileSummary.h"
#include "ctc/Bundle/Queries.h"

#include <algorithm>
#include <cmath>

using namespace ctc;
using namespace ctc::driver;

double LaunchSummary::layerMultiplyAdds() const {
  double sum = 0;
  for (const auto &[unit, count] : multiplyAdds)
    sum += unit == CTC_MULTIPLY_INTEGER ? 0 : count;
  return sum;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

/// The element for which `is` holds, made by `make` if there is none.
template <class T, class Is, class Make>
static T &findOrAdd(std::vector<T> &all, Is is, Make make) {
  auto found = std::find_if(all.begin(), all.end(), is);
  return found == all.end() ? all.emplace_back(make()) : *found;
}

static void addInstruction(const InstructionProfile &one, LaunchSummary &sum) {
  ClassSum &kind = findOrAdd(
      sum.classes, [&](const ClassSum &own) { return own.kind == one.kind; },
      [&] { return ClassSum{one.kind}; });
  for (ClassSum *own : {&kind, &sum.all}) {
    own->warps += one.warps;
    own->threads += one.threads;
    own->issued += one.issued();
  }
  if (one.multiplyAdds > 0)
    findOrAdd(
        sum.multiplyAdds, [&](auto &own) { return own.first == one.unit; },
        [&] { return std::pair(one.unit, 0.); })
        .second += one.multiplyAdds;
}

static void addTraffic(const std::string &kind, const char *space,
                       const Traffic &traffic, std::vector<MemorySum> &memory) {
  if (traffic.requests == 0 && traffic.bytes == 0)
    return;
  findOrAdd(
      memory,
      [&](const MemorySum &own) {
        return own.kind == kind && own.space == space;
      },
      [&] { return MemorySum{kind, space, {}}; })
      .traffic += traffic;
}

LaunchSummary driver::summarize(const LaunchProfile &launch,
                                const KernelResources *resources,
                                const Chip &chip) {
  LaunchSummary sum;
  for (const InstructionProfile &one : launch.instructions)
    if (one.warps > 0)
      addInstruction(one, sum);
  std::stable_sort(
      sum.classes.begin(), sum.classes.end(),
      [](const ClassSum &a, const ClassSum &b) { return a.issued > b.issued; });
  std::sort(sum.multiplyAdds.begin(), sum.multiplyAdds.end());
  for (const InstructionProfile &one : launch.instructions)
    addTraffic(one.kind, "global", one.global, sum.memory);
  for (const InstructionProfile &one : launch.instructions)
    addTraffic(one.kind, "local", one.local, sum.memory);
  for (const InstructionProfile &one : launch.instructions)
    addTraffic(one.kind, "shared", one.shared, sum.memory);
  for (const BufferProfile &buffer : launch.buffers) {
    sum.touchedBytes += buffer.distinctLoaded + buffer.distinctStored;
    sum.blockLoadedBytes += buffer.blockLoaded;
    sum.storedBytes += buffer.stored;
  }
  sum.estimate = estimateTime(launch, resources, chip);
  return sum;
}

//===----------------------------------------------------------------------===//
// The report
//===----------------------------------------------------------------------===//

double ProfileReport::seconds() const {
  double sum = 0;
  for (const LaunchSummary &launch : launches)
    sum += launch.estimate.seconds;
  return sum;
}

/// Work factors are per sample where the batch is known only at launch.
static double samples(const ProfileReport &report) {
  return report.entry.problem.hasDynamicBatch() ? double(report.profile.batch)
                                                : 1;
}

double ProfileReport::usefulMultiplyAdds() const {
  return entry.work.usefulMacs * samples(*this);
}

/// A whole number that the factors, which are rounded, give nearly.
double ProfileReport::plannedMultiplyAdds() const {
  const WorkFactors &work = entry.work;
  return std::round(usefulMultiplyAdds() * work.holes * work.border *
                    work.tile);
}

double ProfileReport::leastBytes() const {
  return entry.work.leastBytes * samples(*this);
}

/// WorkFactors::requestedBytes without y, which it has once.
double ProfileReport::plannedLoadBytes() const {
  const auto output = std::find_if(
      entry.arguments.begin(), entry.arguments.end(),
      [](const Argument &own) { return own.role == ArgumentRole::Output; });
  const auto bytes = byteSize(*output, profile.batch);
  return entry.work.requestedBytes * samples(*this) - double(bytes.value_or(0));
}

ProfileReport driver::makeReport(const LayerProfile &profile,
                                 const ChipImage &image, const Entry &entry,
                                 const Chip &chip, const std::string &device,
                                 uint64_t sample) {
  ProfileReport report{profile, image, entry, chip, device, sample, {}};
  for (const LaunchProfile &launch : profile.launches) {
    const auto found =
        std::find_if(image.resources.begin(), image.resources.end(),
                     [&](const KernelResources &own) {
                       return own.kernel == launch.kernel;
                     });
    report.launches.push_back(summarize(
        launch, found == image.resources.end() ? nullptr : &*found, chip));
  }
  return report;
}
