//===- ptx-compare.cpp - The PTX machine against a GPU --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ptx-compare pack [--ptxas=PATH] [--arch=sm_90a] [--threads=N] -o FILE
// RECORD...
//   Puts record files together into one, without repeated launches, and with
//   the cubins that ptxas makes of them. Needs no GPU.
// ptx-compare run [--device=N] [--processes=N] [--ptx] [--seconds=N]
//                 [--listed=N] [--json=FILE] FILE
//   Launches them on a GPU and compares what the buffers hold afterwards with
//   what the PTX machine left. Needs the CUDA driver and nothing else. --ptx
//   has the driver compile the text in place of loading the cubins.
//
// Exit codes: 0 when every case is as recorded or within its bound, 2 usage,
// 3 when a case differs or fails, 4 no GPU.
//
//===----------------------------------------------------------------------===//

#include "Pack.h"
#include "Report.h"

#include <charconv>
#include <iostream>
#include <optional>

using namespace ctc;
using namespace ctc::gpu;

namespace {

constexpr const char *kUsage =
    "usage: ptx-compare pack [--ptxas=PATH] [--arch=sm_90a] [--threads=N]\n"
    "                        -o FILE RECORD...\n"
    "       ptx-compare run [--device=N] [--processes=N] [--ptx] "
    "[--seconds=N]\n"
    "                       [--listed=N] [--json=FILE] FILE\n";

int complain(const Error &error) {
  std::cerr << "ptx-compare: error: " << error.message << "\n";
  return static_cast<int>(error.code);
}

/// The command line behind the command: --name=value, -o value, the rest.
struct Arguments {
  std::map<std::string, std::string> options;
  std::vector<std::string> files;

  std::string text(const std::string &name, const std::string &otherwise) {
    auto found = options.extract(name);
    return found ? found.mapped() : otherwise;
  }
  /// Negative when it is no number.
  int number(const std::string &name, int otherwise) {
    auto found = options.extract(name);
    if (!found)
      return otherwise;
    int value = -1;
    const std::string &words = found.mapped();
    auto [end, error] =
        std::from_chars(words.data(), words.data() + words.size(), value);
    return error == std::errc() && end == words.data() + words.size() ? value
                                                                      : -1;
  }
};

Arguments parse(int argc, char **argv) {
  Arguments arguments;
  for (int i = 2; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (word == "-o" && i + 1 < argc)
      arguments.options["-o"] = argv[++i];
    else if (word.starts_with("-"))
      arguments.options[word.substr(0, equals)] =
          equals == std::string::npos ? "" : word.substr(equals + 1);
    else
      arguments.files.push_back(word);
  }
  return arguments;
}

int usage(const std::string &fault) {
  std::cerr << "ptx-compare: error: " << fault << "\n" << kUsage;
  return static_cast<int>(ErrorCode::Usage);
}

/// What of the options nobody took.
std::optional<std::string> leftOver(const Arguments &arguments) {
  if (arguments.options.empty())
    return std::nullopt;
  return "unknown option '" + arguments.options.begin()->first + "'";
}

int packCommand(Arguments arguments) {
  PackOptions options;
  options.ptxas = arguments.text("--ptxas", options.ptxas);
  options.arch = arguments.text("--arch", options.arch);
  const int threads = arguments.number("--threads", 2);
  const std::string output = arguments.text("-o", "");
  if (auto unknown = leftOver(arguments))
    return usage(*unknown);
  if (threads < 1 || output.empty() || arguments.files.empty())
    return usage("pack takes -o FILE, a number of threads from 1, and record "
                 "files");
  options.threads = static_cast<unsigned>(threads);
  std::vector<Case> cases;
  for (const std::string &path : arguments.files) {
    auto records = readRecords(path);
    if (!records)
      return complain(records.error());
    std::move(records->cases.begin(), records->cases.end(),
              std::back_inserter(cases));
  }
  const size_t recorded = cases.size();
  cases = withoutDuplicates(std::move(cases));
  auto modules = pack(cases, options);
  if (!modules)
    return complain(modules.error());
  auto writer = RecordWriter::open(output);
  if (!writer)
    return complain(writer.error());
  for (const Case &value : cases)
    if (auto written = (*writer)->write(value); !written)
      return complain(written.error());
  size_t refused = 0;
  for (const Module &module : *modules) {
    if (module.cubin.empty()) {
      refused += module.cases.size();
      std::cout << "refused " << cases[module.cases.front()].name
                << (module.cases.size() > 1
                        ? " and " + std::to_string(module.cases.size() - 1) +
                              " more"
                        : "")
                << ": " << module.error.substr(0, module.error.find('\n'))
                << "\n";
    }
    if (auto written = (*writer)->write(module); !written)
      return complain(written.error());
  }
  std::cout << recorded << " cases, " << cases.size() << " different ones in "
            << modules->size() << " modules, " << refused
            << " refused by ptxas\n";
  return 0;
}

int runCommand(Arguments arguments) {
  RunOptions options;
  options.device = arguments.number("--device", options.device);
  const int processes = arguments.number("--processes", 8);
  options.secondsPerCase =
      arguments.number("--seconds", options.secondsPerCase);
  const int listed = arguments.number("--listed", 20);
  options.fromText = arguments.options.erase("--ptx") > 0;
  const std::string json = arguments.text("--json", "");
  if (auto unknown = leftOver(arguments))
    return usage(*unknown);
  if (options.device < 0 || processes < 1 || options.secondsPerCase < 1 ||
      listed < 0 || arguments.files.size() != 1)
    return usage("run takes one packed file; --device and --listed are numbers "
                 "from 0, --processes and --seconds from 1");
  options.processes = static_cast<unsigned>(processes);
  auto records = readRecords(arguments.files.front());
  if (!records)
    return complain(records.error());
  if (records->modules.empty())
    return usage("'" + arguments.files.front() +
                 "' has no modules; ptx-compare pack makes them");
  auto results = run(*records, options);
  if (!results)
    return complain(results.error());
  printTable(*records, *results, static_cast<size_t>(listed), std::cout);
  if (!json.empty()) {
    std::ofstream file(json);
    printJson(*records, *results, file);
    if (!file.flush())
      return complain({ErrorCode::Usage, "'" + json + "' cannot be written"});
  }
  for (const CaseResult &result : results->cases)
    if (result.outcome.status >= Status::Differs)
      return static_cast<int>(ErrorCode::WrongResult);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "pack")
    return packCommand(parse(argc, argv));
  if (command == "run")
    return runCommand(parse(argc, argv));
  return usage("the command is 'pack' or 'run'");
}
