//===- Findings.h - What a checked launch found -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One entry for each kind and pair of instructions, with the sentence of the
// first cluster it was found in. What is kept does not depend on the order in
// which clusters are run, so the collections of several host threads join to
// the same as that of one.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_CHECK_FINDINGS_H
#define CTC_LIB_PTXMACHINE_CHECK_FINDINGS_H

#include "ctc/PtxMachine/Machine.h"

#include <map>

namespace ctc::ptx::check {

class Findings {
public:
  /// In the order of reports: the instruction, the kind, and the instruction it
  /// conflicts with (the same if there is none).
  struct Key {
    uint32_t source = 0;
    FindingKind kind = FindingKind::Race;
    uint32_t other = 0;
    auto operator<=>(const Key &) const = default;
  };

  /// A cluster, of this place in the order of clusters, is about to run.
  void beginCluster(uint64_t index) { cluster = index; }
  /// An instruction is about to be executed by a warp.
  void nextExecution() { ++execution; }

  /// Counts a finding, once for each execution; `describe` makes its sentence.
  template <class Describe> void add(const Key &key, const Describe &describe) {
    Entry *entry = note(key);
    if (entry && entry->message.empty())
      entry->message = describe();
  }
  void merge(const Findings &other);

  /// Sets findings and findingsLeftOut.
  void store(LaunchResult &result) const;
  /// How many entries were first found in clusters up to `last`, and the first
  /// of their sentences.
  std::pair<size_t, std::string> until(uint64_t last) const;

private:
  struct Entry {
    std::string message;
    uint64_t occurrences = 0;
    uint64_t cluster = 0;
    uint64_t execution = 0; ///< Of the last time.
  };
  /// The entry of the key, or null if it is not kept.
  Entry *note(const Key &key);
  void trim(const Key &key);

  std::map<Key, Entry> entries;
  uint64_t cluster = 0, execution = 0;
};

} // namespace ctc::ptx::check

#endif // CTC_LIB_PTXMACHINE_CHECK_FINDINGS_H
