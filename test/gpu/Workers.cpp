//===- Workers.cpp - Processes that launch recorded cases -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workers.h"
#include "Gpu.h"

#include <chrono>
#include <csignal>
#include <deque>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ctc;
using namespace ctc::gpu;

namespace {

using Clock = std::chrono::steady_clock;

/// The cases of a module from one on.
struct Job {
  uint64_t module = 0, from = 0;
};

/// From a worker: what it does or did. The text follows.
struct Message {
  enum Kind : uint32_t { Ready, NoDevice, Started, Finished, JobDone };
  Kind kind = Ready;
  uint32_t textBytes = 0;
  uint64_t position = 0; ///< In the module's cases.
  Outcome outcome;
};

bool writeAll(int file, const void *data, size_t size) {
  const auto *at = static_cast<const char *>(data);
  while (size > 0) {
    const ssize_t written = write(file, at, size);
    if (written <= 0)
      return false;
    at += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

bool readAll(int file, void *data, size_t size) {
  auto *at = static_cast<char *>(data);
  while (size > 0) {
    const ssize_t got = read(file, at, size);
    if (got <= 0)
      return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// In the worker
//===----------------------------------------------------------------------===//

class Worker {
public:
  Worker(const Records &records, const RunOptions &options, int jobs, int out)
      : records(records), options(options), jobs(jobs), out(out) {}

  /// Takes jobs until there are no more; false when the context is lost.
  bool work() {
    auto opened = Gpu::open(options.device);
    if (!opened) {
      send(Message::NoDevice, 0, {}, opened.error().message);
      return false;
    }
    gpu = std::move(*opened);
    send(Message::Ready, 0, {}, gpu->description());
    for (Job job; readAll(jobs, &job, sizeof job);) {
      if (!work(job))
        return false;
      send(Message::JobDone, 0, {}, "");
    }
    return true;
  }

private:
  void send(Message::Kind kind, uint64_t position, const Outcome &outcome,
            const std::string &text) {
    Message message{kind, static_cast<uint32_t>(text.size()), position,
                    outcome};
    if (!writeAll(out, &message, sizeof message) ||
        !writeAll(out, text.data(), text.size()))
      _exit(1); // Nobody listens.
  }

  bool work(const Job &job) {
    const Module &module = records.modules[job.module];
    send(Message::Started, job.from, {}, "");
    auto image = gpu->load(module, options.fromText);
    for (uint64_t i = job.from; i < module.cases.size(); ++i) {
      send(Message::Started, i, {}, "");
      Outcome outcome;
      if (!image) {
        outcome.status = Status::Refused;
        send(Message::Finished, i, outcome, image.error().message);
        continue;
      }
      const Case &value = records.cases[module.cases[i]];
      auto buffers = gpu->launch(*image, module.kernels[i], value);
      if (!buffers) {
        outcome.status = buffers.error().code == ErrorCode::DeviceError
                             ? Status::Error
                             : Status::Refused;
        send(Message::Finished, i, outcome, buffers.error().message);
        if (outcome.status == Status::Error)
          return false;
        continue;
      }
      std::string first;
      for (size_t b = 0; b < buffers->size(); ++b) {
        std::string words = compare(value.buffers[b], (*buffers)[b], outcome);
        if (!words.empty() && first.empty())
          first = "buffer " + std::to_string(b) + ": " + words;
      }
      send(Message::Finished, i, outcome, first);
    }
    if (image)
      gpu->unload(*image);
    return true;
  }

  const Records &records;
  const RunOptions &options;
  const int jobs, out;
  std::unique_ptr<Gpu> gpu;
};

//===----------------------------------------------------------------------===//
// In the parent
//===----------------------------------------------------------------------===//

/// Opening the driver and making a context take their time.
constexpr int kSecondsToStart = 120;

struct Process {
  pid_t id = 0;
  int jobs = -1, in = -1;
  Clock::time_point heard{};
  bool ready = false; ///< Has a GPU.
  bool hasJob = false;
  Job job{}; ///< `from` is the case at hand, or the next when that is finished.
  bool caseFinished = true;
};

class Pool {
public:
  Pool(const Records &records, const RunOptions &options)
      : records(records), options(options) {
    for (uint64_t i = 0; i < records.modules.size(); ++i)
      if (!records.modules[i].cases.empty())
        waiting.push_back({i, 0});
    results.cases.resize(records.cases.size());
    for (CaseResult &result : results.cases)
      result = {{Status::Error, 0, 0, 0, 0}, "was not run"};
  }

  Expected<RunResults> run() {
    size_t wanted = std::min<size_t>(options.processes, waiting.size());
    while (processes.size() < std::max<size_t>(wanted, 1))
      if (!start())
        break;
    while (!processes.empty()) {
      if (!noDevice.empty() && results.device.empty())
        return makeError(ErrorCode::NoDevice, noDevice);
      serve();
    }
    if (results.device.empty())
      return makeError(ErrorCode::NoDevice, noDevice.empty()
                                                ? "no process could be started"
                                                : noDevice);
    return std::move(results);
  }

private:
  bool start() {
    int jobs[2], messages[2];
    if (pipe(jobs) != 0 || pipe(messages) != 0)
      return false;
    const pid_t id = fork();
    if (id < 0)
      return false;
    if (id == 0) {
      for (const Process &other : processes) {
        close(other.jobs);
        close(other.in);
      }
      close(jobs[1]);
      close(messages[0]);
      _exit(Worker(records, options, jobs[0], messages[1]).work() ? 0 : 1);
    }
    close(jobs[0]);
    close(messages[1]);
    processes.push_back({id, jobs[1], messages[0], Clock::now()});
    return true;
  }

  /// Waits for the next messages, and takes those that have said nothing for
  /// too long for lost.
  void serve() {
    std::vector<pollfd> files;
    for (const Process &process : processes)
      files.push_back({process.in, POLLIN, 0});
    poll(files.data(), files.size(), 500);
    for (size_t i = files.size(); i-- > 0;) {
      Process &process = processes[i];
      if (files[i].revents != 0) {
        if (!take(process))
          lose(i, "its process was lost");
        continue;
      }
      const int patience =
          process.ready ? options.secondsPerCase : kSecondsToStart;
      if ((process.hasJob || !process.ready) &&
          Clock::now() - process.heard > std::chrono::seconds(patience)) {
        kill(process.id, SIGKILL);
        lose(i, "hung for " + std::to_string(patience) + " seconds");
      }
    }
  }

  void give(Process &process) {
    process.hasJob = false;
    if (waiting.empty()) {
      close(process.jobs); // It ends by itself.
      process.jobs = -1;
      return;
    }
    // When the process is gone, the next read finds that out.
    if (!writeAll(process.jobs, &waiting.front(), sizeof(Job)))
      return;
    process.hasJob = true;
    process.job = waiting.front();
    process.caseFinished = true;
    waiting.pop_front();
  }

  bool take(Process &process) {
    Message message;
    if (!readAll(process.in, &message, sizeof message))
      return false;
    std::string text(message.textBytes, '\0');
    if (!readAll(process.in, text.data(), text.size()))
      return false;
    process.heard = Clock::now();
    switch (message.kind) {
    case Message::Ready:
      results.device = text;
      process.ready = true;
      give(process);
      break;
    case Message::NoDevice:
      noDevice = text;
      break;
    case Message::Started:
      process.job.from = message.position;
      process.caseFinished = false;
      break;
    case Message::Finished:
      at(process.job) = {message.outcome, text};
      process.job.from = message.position + 1;
      process.caseFinished = true;
      break;
    case Message::JobDone:
      give(process);
      break;
    }
    return true;
  }

  CaseResult &at(const Job &job) {
    return results.cases[records.modules[job.module].cases[job.from]];
  }

  /// Buries a process, blames its case, and lets another go on behind it.
  void lose(size_t index, const std::string &why) {
    Process process = processes[index];
    processes.erase(processes.begin() + static_cast<ptrdiff_t>(index));
    close(process.in);
    if (process.jobs >= 0)
      close(process.jobs);
    waitpid(process.id, nullptr, 0);
    if (!process.hasJob)
      return;
    if (!process.caseFinished) {
      at(process.job) = {{Status::Error, 0, 0, 0, 0}, why};
      ++process.job.from;
    }
    if (process.job.from < records.modules[process.job.module].cases.size())
      waiting.push_back(process.job);
    if (!waiting.empty())
      start();
  }

  const Records &records;
  const RunOptions &options;
  std::deque<Job> waiting;
  std::vector<Process> processes;
  RunResults results;
  std::string noDevice;
};

} // namespace

Expected<RunResults> gpu::run(const Records &records,
                              const RunOptions &options) {
  // A worker that dies must not take the parent along at the next write.
  std::signal(SIGPIPE, SIG_IGN);
  return Pool(records, options).run();
}
