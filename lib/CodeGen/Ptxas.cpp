//===- Ptxas.cpp - From PTX to cubins -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/CodeGen/Ptxas.h"
#include "ctc/CodeGen/Toolkit.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>
#include <optional>

using namespace ctc;

static std::string readText(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

namespace {
/// A process's exit code and what it printed.
struct ProcessResult {
  int exitCode = 0;
  std::string output;
};
} // namespace

/// Runs a program with both outputs going to one file in `folder`.
static ProcessResult runProgram(llvm::ArrayRef<std::string> command,
                                llvm::StringRef folder) {
  llvm::SmallString<128> log(folder);
  llvm::sys::path::append(log, "ptxas.log");
  llvm::SmallVector<llvm::StringRef> arguments(command.begin(), command.end());
  const std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""),
                                                      log.str(), log.str()};
  std::string error;
  ProcessResult result;
  result.exitCode = llvm::sys::ExecuteAndWait(
      command[0], arguments, std::nullopt, redirects, 0, 0, &error);
  result.output = error.empty() ? readText(log) : error;
  return result;
}

std::vector<KernelResources> ctc::parseReport(const std::string &report) {
  // ptxas info    : Compiling entry function 'k' for 'sm_80'
  // ptxas info    : Function properties for k
  //     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
  // ptxas info    : Used 40 registers, used 1 barriers, 4096 bytes smem
  static const llvm::Regex entry("entry function '([^']+)'");
  static const llvm::Regex spills("([0-9]+) bytes stack frame, ([0-9]+) bytes "
                                  "spill stores, ([0-9]+) bytes spill loads");
  static const llvm::Regex registers("Used ([0-9]+) registers");
  static const llvm::Regex shared("([0-9]+) bytes smem");
  std::vector<KernelResources> kernels;
  llvm::SmallVector<llvm::StringRef> match, lines;
  auto number = [&](unsigned group) {
    uint32_t value = 0;
    match[group].getAsInteger(10, value);
    return value;
  };
  llvm::StringRef(report).split(lines, '\n');
  for (llvm::StringRef line : lines) {
    if (entry.match(line, &match)) {
      kernels.emplace_back().kernel = match[1].str();
      continue;
    }
    if (kernels.empty())
      continue;
    KernelResources &kernel = kernels.back();
    if (spills.match(line, &match)) {
      kernel.stackBytes = number(1);
      kernel.spillStoreBytes = number(2);
      kernel.spillLoadBytes = number(3);
    }
    if (registers.match(line, &match))
      kernel.registers = number(1);
    if (shared.match(line, &match))
      kernel.staticSharedBytes = number(1);
    if (line.contains("warning"))
      kernel.warnings.push_back(line.trim().str());
  }
  return kernels;
}

/// "ptxas 13.0.88" from ptxas --version; asked once per path.
static std::string assemblerVersion(const std::string &ptxas,
                                    llvm::StringRef folder) {
  static std::mutex mutex;
  static std::string knownPath, knownVersion;
  const std::lock_guard<std::mutex> lock(mutex);
  if (knownPath == ptxas)
    return knownVersion;
  const ProcessResult result = runProgram({ptxas, "--version"}, folder);
  static const llvm::Regex version("V([0-9.]+)");
  llvm::SmallVector<llvm::StringRef> match;
  knownPath = ptxas;
  knownVersion = version.match(result.output, &match)
                     ? "ptxas " + match[1].str()
                     : "ptxas of unknown version";
  return knownVersion;
}

Expected<AssembledPtx> ctc::assemble(const std::string &ptx, const Chip &chip,
                                     bool lineInfo) {
  auto ptxas = findPtxas();
  if (!ptxas)
    return tl::unexpected(ptxas.error());
  llvm::SmallString<128> folder;
  if (auto error = llvm::sys::fs::createUniqueDirectory("ctc", folder))
    return invalidProblem("no temporary folder for ptxas: cannot make '" +
                          folder.str().str() +
                          "', below TMPDIR or /tmp: " + error.message());
  bool keep = false;
  const llvm::scope_exit cleanup([&] {
    // What cannot be removed is left to the system.
    if (!keep && llvm::sys::fs::remove_directories(folder))
      return;
  });
  llvm::SmallString<128> source(folder), target(folder);
  llvm::sys::path::append(source, "kernels.ptx");
  llvm::sys::path::append(target, "kernels.cubin");
  {
    std::error_code error;
    llvm::raw_fd_ostream stream(source, error);
    stream << ptx;
    stream.close();
    if (error || stream.has_error())
      return invalidProblem("PTX cannot be written to '" + source.str().str() +
                            "'");
  }
  std::vector<std::string> command{*ptxas,
                                   "-arch=" + std::string(chip.name),
                                   "-O3",
                                   "-v",
                                   "--warn-on-spills",
                                   source.str().str(),
                                   "-o",
                                   target.str().str()};
  if (lineInfo)
    command.push_back("-lineinfo");
  const ProcessResult result = runProgram(command, folder);
  if (result.exitCode != 0) {
    keep = true;
    return invalidProblem(
        "ptxas failed with exit code " + std::to_string(result.exitCode) +
        "; repeat with: " + llvm::join(command, " ") + "\n" + result.output);
  }
  AssembledPtx assembled;
  const std::string bytes = readText(target);
  if (bytes.empty())
    return invalidProblem("ptxas wrote no cubin; it printed: " + result.output);
  assembled.cubin.assign(bytes.begin(), bytes.end());
  assembled.assembler = assemblerVersion(*ptxas, folder);
  assembled.resources = parseReport(result.output);
  return assembled;
}
