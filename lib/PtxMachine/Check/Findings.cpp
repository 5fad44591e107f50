//===- Findings.cpp - What a checked launch found -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check/Findings.h"

#include <algorithm>

namespace ctc::ptx {

std::string_view nameOf(FindingKind kind) {
  switch (kind) {
  case FindingKind::Race:
    return "race";
  case FindingKind::MissingProxyFence:
    return "missing proxy fence";
  case FindingKind::UninitializedRead:
    return "uninitialized read";
  case FindingKind::MBarrierMisuse:
    return "mbarrier misuse";
  case FindingKind::Unfinished:
    return "unfinished";
  case FindingKind::ClusterLifetime:
    return "cluster lifetime";
  case FindingKind::MatrixRegister:
    return "matrix register";
  }
  return "unknown";
}

} // namespace ctc::ptx

namespace ctc::ptx::check {

/// Other instructions that are kept for one instruction and kind: the first in
/// the text. They are the same in whatever order they are found.
static constexpr std::ptrdiff_t kMostOthers = 8;

Findings::Entry *Findings::note(const Key &key) {
  auto [found, isNew] = entries.try_emplace(key);
  Entry &entry = found->second;
  if (isNew) {
    entry.cluster = cluster;
  } else if (entry.execution == execution) {
    return &entry;
  }
  entry.execution = execution;
  ++entry.occurrences;
  if (!isNew)
    return &entry;
  trim(key);
  found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second;
}

void Findings::trim(const Key &key) {
  auto first = entries.lower_bound({key.source, key.kind, 0});
  auto end = entries.upper_bound({key.source, key.kind, ~uint32_t(0)});
  if (std::distance(first, end) > kMostOthers)
    entries.erase(std::prev(end));
}

void Findings::merge(const Findings &other) {
  for (const auto &[key, theirs] : other.entries) {
    auto [found, isNew] = entries.try_emplace(key, theirs);
    if (isNew) {
      trim(key);
      continue;
    }
    Entry &entry = found->second;
    entry.occurrences += theirs.occurrences;
    if (theirs.cluster < entry.cluster) {
      entry.cluster = theirs.cluster;
      entry.message = theirs.message;
    }
  }
}

void Findings::store(LaunchResult &result) const {
  for (const auto &[key, entry] : entries) {
    if (result.findings.size() == kMaxFindings) {
      ++result.findingsLeftOut;
      continue;
    }
    result.findings.push_back({key.kind, entry.message, entry.occurrences});
  }
}

std::pair<size_t, std::string> Findings::until(uint64_t last) const {
  std::pair<size_t, std::string> result;
  for (const auto &[key, entry] : entries)
    if (entry.cluster <= last && result.first++ == 0)
      result.second = entry.message;
  return result;
}

} // namespace ctc::ptx::check
