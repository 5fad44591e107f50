//===- Pack.cpp - Records into loadable modules ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Pack.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <tuple>
#include <unistd.h>

using namespace ctc;
using namespace ctc::gpu;

namespace {

constexpr size_t kKernelsPerModule = 64;

/// A PTX text with the cases that launch its kernels.
struct Text {
  std::string ptx;
  std::vector<uint64_t> cases;
  std::vector<std::string> kernels; ///< Of each case.
};

/// The text before ".visible .entry NAME(" and from that parenthesis on, when
/// the text is nothing but directives of the module and one kernel.
struct LoneKernel {
  std::string head, tail;
};

std::optional<LoneKernel> loneKernel(const Text &text) {
  const std::string entry = ".visible .entry " + text.kernels.front() + "(";
  const size_t at = text.ptx.find(entry);
  if (at == std::string::npos ||
      text.ptx.find(".entry", at + entry.size()) != std::string::npos)
    return std::nullopt;
  const std::string head = text.ptx.substr(0, at);
  for (const char *other : {".global", ".shared", ".const", ".func", "//"})
    if (head.find(other) != std::string::npos)
      return std::nullopt;
  return LoneKernel{head, text.ptx.substr(at + entry.size() - 1)};
}

/// Kernels that can share a module, as their heads agree.
Module merged(const std::vector<const Text *> &texts) {
  Module module;
  const bool alone = texts.size() == 1;
  module.ptx = alone ? texts.front()->ptx : loneKernel(*texts.front())->head;
  for (size_t i = 0; i < texts.size(); ++i) {
    const Text &text = *texts[i];
    const std::string suffix = alone ? "" : "_" + std::to_string(i);
    if (!alone)
      module.ptx += ".visible .entry " + text.kernels.front() + suffix +
                    loneKernel(text)->tail;
    for (size_t j = 0; j < text.cases.size(); ++j) {
      module.cases.push_back(text.cases[j]);
      module.kernels.push_back(text.kernels[j] + suffix);
    }
  }
  return module;
}

std::string contents(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

/// Runs ptxas in a folder of its own.
class Assembler {
public:
  Assembler(const PackOptions &options, std::filesystem::path folder)
      : options(options), folder(std::move(folder)) {}

  /// Assembles these kernels as one module, or as several when it is refused.
  void assemble(const std::vector<const Text *> &texts,
                std::vector<Module> &modules) {
    Module module = merged(texts);
    assemble(module);
    if (module.cubin.empty() && texts.size() > 1) {
      const auto middle =
          texts.begin() + static_cast<int64_t>(texts.size() / 2);
      assemble({texts.begin(), middle}, modules);
      assemble({middle, texts.end()}, modules);
      return;
    }
    modules.push_back(std::move(module));
  }

  /// Whether ptxas could not be started.
  bool isMissing() const { return missing; }

private:
  void assemble(Module &module) {
    std::ofstream(folder / "in.ptx", std::ios::binary) << module.ptx;
    std::filesystem::remove(folder / "out.cubin");
    // Without contraction: mul and add stay two roundings, as written.
    const std::string in = folder / "in.ptx", out = folder / "out.cubin",
                      log = folder / "log", arch = "-arch=" + options.arch;
    const pid_t child = fork();
    if (child == 0) {
      if (!freopen(log.c_str(), "w", stderr) || dup2(2, 1) < 0)
        _exit(127);
      execlp(options.ptxas.c_str(), options.ptxas.c_str(), arch.c_str(),
             "--fmad=false", in.c_str(), "-o", out.c_str(), nullptr);
      _exit(127);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0)
      status = 127 << 8;
    missing = missing || (WIFEXITED(status) && WEXITSTATUS(status) == 127);
    const std::string cubin = status == 0 ? contents(out) : "";
    const auto *begin = reinterpret_cast<const std::byte *>(cubin.data());
    module.cubin.assign(begin, begin + cubin.size());
    if (cubin.empty())
      module.error = contents(log);
  }

  const PackOptions &options;
  const std::filesystem::path folder;
  bool missing = false;
};

/// The texts of the cases, each once, in the order of their first case.
std::vector<Text> textsOf(const std::vector<Case> &cases) {
  std::map<std::string_view, size_t> numbers;
  std::vector<Text> texts;
  for (uint64_t i = 0; i < cases.size(); ++i) {
    auto [found, isNew] = numbers.emplace(cases[i].ptx, texts.size());
    if (isNew)
      texts.push_back({cases[i].ptx, {}, {}});
    texts[found->second].cases.push_back(i);
    texts[found->second].kernels.push_back(cases[i].kernel);
  }
  return texts;
}

/// The kernels of each module to be.
std::vector<std::vector<const Text *>> grouped(const std::vector<Text> &texts) {
  std::map<std::string, std::vector<const Text *>> open; // By head.
  std::vector<std::vector<const Text *>> groups;
  for (const Text &text : texts) {
    auto alone = loneKernel(text);
    if (!alone) {
      groups.push_back({&text});
      continue;
    }
    std::vector<const Text *> &group = open[alone->head];
    group.push_back(&text);
    if (group.size() == kKernelsPerModule)
      groups.push_back(std::exchange(group, {}));
  }
  for (auto &[head, group] : open)
    if (!group.empty())
      groups.push_back(std::move(group));
  return groups;
}

} // namespace

Expected<std::vector<Module>> gpu::pack(const std::vector<Case> &cases,
                                        const PackOptions &options) {
  const std::vector<Text> texts = textsOf(cases);
  const auto groups = grouped(texts);
  std::string folder = std::filesystem::temp_directory_path() / "ptx-XXXXXX";
  if (!mkdtemp(folder.data()))
    return makeError(ErrorCode::Usage, "no folder " + folder + " can be made");
  std::vector<std::vector<Module>> parts(groups.size());
  std::atomic<size_t> next{0};
  std::atomic<bool> missing{false};
  auto work = [&](unsigned number) {
    const auto own = std::filesystem::path(folder) / std::to_string(number);
    std::filesystem::create_directory(own);
    Assembler assembler(options, own);
    for (size_t i; !missing && (i = next++) < groups.size();) {
      assembler.assemble(groups[i], parts[i]);
      if (assembler.isMissing())
        missing = true;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(options.threads, 1u); ++i)
    threads.emplace_back(work, i);
  for (std::thread &thread : threads)
    thread.join();
  std::filesystem::remove_all(folder);
  if (missing)
    return makeError(ErrorCode::Usage,
                     "'" + options.ptxas +
                         "' cannot be run; --ptxas=PATH names "
                         "the assembler");
  std::vector<Module> modules;
  for (auto &part : parts)
    for (Module &module : part)
      modules.push_back(std::move(module));
  return modules;
}

std::vector<Case> gpu::withoutDuplicates(std::vector<Case> cases) {
  auto key = [](const Case &value) {
    std::string bytes;
    for (const Buffer &buffer : value.buffers)
      for (const Bytes *block : {&buffer.before, &buffer.after})
        bytes.append(reinterpret_cast<const char *>(block->data()),
                     block->size());
    bytes.append(reinterpret_cast<const char *>(value.parameters.data()),
                 value.parameters.size());
    return std::tuple(value.ptx, value.kernel, value.grid, value.block,
                      value.cluster, value.dynamicSharedBytes, bytes);
  };
  std::set<decltype(key(Case{}))> seen;
  std::vector<Case> kept;
  for (Case &value : cases)
    if (!value.tensorMaps.empty() || seen.insert(key(value)).second)
      kept.push_back(std::move(value));
  return kept;
}
