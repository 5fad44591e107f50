//===- ProfileSummary.h - A launch's counts, added up -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the table, the JSON and the page of `ctc profile` have in common.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_PROFILESUMMARY_H
#define CTC_LIB_DRIVER_PROFILESUMMARY_H

#include "TimeEstimate.h"

namespace ctc::driver {

/// The instructions of one class.
struct ClassSum {
  std::string kind;
  double warps = 0, threads = 0, issued = 0;
};

/// The requests of one kind to one memory.
struct MemorySum {
  std::string kind;  ///< Class of the instructions.
  std::string space; ///< "global", "local" or "shared".
  Traffic traffic;

  const char *unit() const {
    return space == "shared" ? "wavefronts" : "sectors";
  }
};

struct LaunchSummary {
  ClassSum all;
  std::vector<ClassSum> classes; ///< Most machine instructions first.
  /// By unit, those that did any.
  std::vector<std::pair<ctc_multiply_unit, double>> multiplyAdds;
  std::vector<MemorySum> memory; ///< Global, local, shared.
  TimeEstimate estimate;
  /// Bytes of whole sectors of all buffers together: different ones, once for
  /// loads and once for stores; and what blocks loaded, and stores asked for.
  double touchedBytes = 0, blockLoadedBytes = 0, storedBytes = 0;

  /// Multiply-adds of floating point and matrices, which a layer is made of.
  double layerMultiplyAdds() const;
};

LaunchSummary summarize(const LaunchProfile &launch,
                        const KernelResources *resources, const Chip &chip);

/// A profile with what it is compared with.
struct ProfileReport {
  const LayerProfile &profile;
  const ChipImage &image;
  const Entry &entry;
  Chip chip;
  std::string device;                  ///< "cpu (PTX machine)"
  uint64_t sample = 0;                 ///< Blocks asked for; 0: all.
  std::vector<LaunchSummary> launches; ///< Parallel to the profile's.

  /// Of all launches, one after the other.
  double seconds() const;
  /// Useful multiply-adds and those the plan issues, for the profile's batch.
  double usefulMultiplyAdds() const;
  double plannedMultiplyAdds() const;
  double leastBytes() const;
  /// What the plan says that blocks load: halos and weights.
  double plannedLoadBytes() const;
};

ProfileReport makeReport(const LayerProfile &profile, const ChipImage &image,
                         const Entry &entry, const Chip &chip,
                         const std::string &device, uint64_t sample);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_PROFILESUMMARY_H
