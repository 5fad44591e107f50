//===- Toolkit.cpp - The parts of the CUDA toolkit we call ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/CodeGen/Toolkit.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

#include <vector>

using namespace ctc;

/// Folders that may hold a toolkit, best first.
static std::vector<std::string> candidateToolkits() {
  if (auto chosen = llvm::sys::Process::GetEnv("CTC_CUDA_TOOLKIT"))
    return {*chosen};
  std::vector<std::string> folders;
  if (llvm::StringRef configured = CTC_DEFAULT_CUDA_TOOLKIT;
      !configured.empty())
    folders.push_back(configured.str());
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (auto folder = llvm::sys::Process::GetEnv(variable))
      folders.push_back(*folder);
  folders.push_back("/usr/local/cuda");
  return folders;
}

static std::string notFound(const char *what,
                            const std::vector<std::string> &tried) {
  return std::string(what) + " not found, tried " + llvm::join(tried, ", ") +
         "; set CTC_CUDA_TOOLKIT to a folder with bin/ptxas and "
         "nvvm/libdevice/libdevice.10.bc";
}

/// The first toolkit that has `relative`, else nothing; `tried` gets the paths.
static std::string findInToolkits(llvm::StringRef relative,
                                  std::vector<std::string> &tried) {
  for (const std::string &folder : candidateToolkits()) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, relative);
    if (llvm::sys::fs::exists(path))
      return path.str().str();
    tried.push_back(path.str().str());
  }
  return "";
}

Expected<std::string> ctc::findPtxas() {
  std::vector<std::string> tried;
  if (std::string path = findInToolkits("bin/ptxas", tried); !path.empty())
    return path;
  if (!llvm::sys::Process::GetEnv("CTC_CUDA_TOOLKIT")) {
    if (auto onPath = llvm::sys::findProgramByName("ptxas"))
      return *onPath;
    tried.push_back("ptxas on PATH");
  }
  return makeError(ErrorCode::InvalidProblem, notFound("ptxas", tried));
}

Expected<std::string> ctc::findLibdevice() {
  std::vector<std::string> tried;
  std::string path = findInToolkits("nvvm/libdevice/libdevice.10.bc", tried);
  if (path.empty())
    return makeError(ErrorCode::InvalidProblem, notFound("libdevice", tried));
  return path;
}
