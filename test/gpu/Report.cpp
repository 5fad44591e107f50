//===- Report.cpp - What a comparison found -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <algorithm>
#include <cstdio>

using namespace ctc;
using namespace ctc::gpu;

namespace {

struct Family {
  std::array<uint64_t, kStatuses> cases{}; ///< By status.
  Outcome total;

  void add(const Outcome &outcome) {
    ++cases[static_cast<size_t>(outcome.status)];
    total.elements += outcome.elements;
    total.differing += outcome.differing;
    total.worstUlps = std::max(total.worstUlps, outcome.worstUlps);
    total.worstRatio = std::max(total.worstRatio, outcome.worstRatio);
  }
};

std::map<std::string, Family> familiesOf(const Records &records,
                                         const RunResults &results) {
  std::map<std::string, Family> families;
  for (size_t i = 0; i < records.cases.size(); ++i) {
    families[records.cases[i].family].add(results.cases[i].outcome);
    families["all"].add(results.cases[i].outcome);
  }
  return families;
}

std::string firstLine(const std::string &text) {
  return text.substr(0, text.find('\n'));
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      result += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", c);
      result += code;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

void printNumbers(const Outcome &outcome, std::ostream &os) {
  char ratio[32];
  std::snprintf(ratio, sizeof ratio, "%.6g",
                std::min(outcome.worstRatio, 1e300));
  os << "\"elements\": " << outcome.elements
     << ", \"differing\": " << outcome.differing
     << ", \"worst_ulps\": " << outcome.worstUlps
     << ", \"worst_of_bound\": " << ratio;
}

} // namespace

void gpu::printTable(const Records &records, const RunResults &results,
                     size_t listed, std::ostream &os) {
  char line[256];
  os << results.device << "\n";
  std::snprintf(line, sizeof line,
                "%-34s %9s %7s %7s %7s %7s %6s %9s %8s %6s\n", "family",
                "identical", "nan", "bound", "differ", "refused", "error",
                "values", "unequal", "ulps");
  os << line;
  for (const auto &[name, family] : familiesOf(records, results)) {
    const auto &count = family.cases;
    std::snprintf(line, sizeof line,
                  "%-34s %9llu %7llu %7llu %7llu %7llu %6llu %9llu %8llu "
                  "%6llu\n",
                  name.c_str(), (unsigned long long)count[0],
                  (unsigned long long)count[1], (unsigned long long)count[2],
                  (unsigned long long)count[3], (unsigned long long)count[4],
                  (unsigned long long)count[5],
                  (unsigned long long)family.total.elements,
                  (unsigned long long)family.total.differing,
                  (unsigned long long)family.total.worstUlps);
    os << line;
  }
  std::map<std::string, size_t> seen;
  for (size_t i = 0; i < records.cases.size(); ++i) {
    const CaseResult &result = results.cases[i];
    if (result.outcome.status < Status::Differs ||
        ++seen[records.cases[i].family] > listed)
      continue;
    os << name(result.outcome.status) << " " << records.cases[i].name << ": "
       << firstLine(result.message) << "\n";
  }
}

void gpu::printJson(const Records &records, const RunResults &results,
                    std::ostream &os) {
  os << "{\"device\": " << quoted(results.device) << ",\n\"families\": {";
  const char *separator = "\n";
  for (const auto &[family, numbers] : familiesOf(records, results)) {
    os << separator << quoted(family) << ": {";
    for (size_t status = 0; status < kStatuses; ++status)
      os << quoted(std::string(name(static_cast<Status>(status)))) << ": "
         << numbers.cases[status] << ", ";
    printNumbers(numbers.total, os);
    os << "}";
    separator = ",\n";
  }
  os << "},\n\"cases\": [";
  separator = "\n";
  for (size_t i = 0; i < records.cases.size(); ++i) {
    const CaseResult &result = results.cases[i];
    if (result.outcome.status == Status::Identical)
      continue;
    os << separator << "{\"name\": " << quoted(records.cases[i].name)
       << ", \"status\": " << quoted(std::string(name(result.outcome.status)))
       << ", ";
    printNumbers(result.outcome, os);
    os << ", \"message\": " << quoted(result.message) << "}";
    separator = ",\n";
  }
  os << "]}\n";
}
