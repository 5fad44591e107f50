//===- Driver.cpp - The command line tool as a library --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Driver/Driver.h"
#include "Commands.h"
#include "Input.h"
#include "ctc/Runtime/ctc_runtime.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <stdexcept>
#include <unistd.h>

using namespace ctc;
using namespace ctc::driver;
using llvm::StringRef;

namespace {
struct Command {
  StringRef name;
  CommandVisibility visibility;
  const char *usage;
  const char *summary;
  Expected<void> (*run)(CommandArguments);
};
} // namespace

static constexpr Command kCommands[] = {
    {"compile", CompileCommand,
     "ctc compile (FILE.mlir | - | --input=SHAPE --weight=SHAPE) [flags] -o "
     "FILE",
     "Compile a layer for several chips into a bundle", compileCommand},
    {"run", RunCommand, "ctc run BUNDLE [flags]",
     "Run a layer of a bundle on a GPU or on the CPU", runCommand},
    {"verify", VerifyCommand, "ctc verify CASES.json [flags]",
     "Compile and run layers and compare them with the float64 reference",
     verifyCommand},
    {"inspect", InspectCommand, "ctc inspect BUNDLE [--json]",
     "Print what is in a bundle", inspectCommand},
    {"profile", ProfileCommand, "ctc profile BUNDLE [flags]",
     "Count what a layer's kernels do and estimate how long they take",
     profileCommand},
    {"bench", BenchCommand, "ctc bench BUNDLE [flags]",
     "Time the layers of a bundle on a GPU", benchCommand},
};

static void printOverview(llvm::raw_ostream &os) {
  os << "ctc compiles transposed convolution to NVIDIA GPU machine code.\n\n"
        "USAGE: ctc COMMAND [arguments]\n\nCOMMANDS:\n";
  for (const Command &command : kCommands)
    os << "  " << llvm::left_justify(command.name, 9) << command.summary
       << "\n";
  os << "\nctc COMMAND --help lists a command's flags; ctc --version prints "
        "the version.\n\n"
        "EXIT CODES: 0 good, 1 input that does not compile, 2 usage, 3 wrong\n"
        "result, 4 no such device, 5 device or bundle error\n";
}

static int usageError(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "ctc") << message << "\n";
  return static_cast<int>(ErrorCode::Usage);
}

/// "verify" for "verfy"; empty when nothing is near.
static StringRef nearestCommand(StringRef name) {
  const Command *nearest = nullptr;
  unsigned least = 3;
  for (const Command &command : kCommands)
    if (unsigned distance = name.edit_distance(command.name, true, least);
        distance < least) {
      least = distance;
      nearest = &command;
    }
  return nearest ? nearest->name : StringRef();
}

static int runCommandLine(const Command &command,
                          llvm::ArrayRef<const char *> rest) {
  auto arguments = parseArguments(rest, command.visibility);
  if (!arguments)
    return usageError(arguments.error().message);
  if (arguments->hasArg(OPT_help)) {
    optionTable().printHelp(llvm::outs(), command.usage, command.summary,
                            /*ShowHidden=*/false, /*ShowAllAliases=*/false,
                            llvm::opt::Visibility(command.visibility));
    return 0;
  }
  auto result = command.run(*arguments);
  llvm::outs().flush();
  if (result)
    return 0;
  if (!result.error().message.empty())
    llvm::WithColor::error(llvm::errs(), "ctc")
        << result.error().message << "\n";
  return static_cast<int>(result.error().code);
}

/// The number of a standard stream that is closed would be given to the next
/// file opened, which would then get what is printed. /dev/null, opened the
/// wrong way round, keeps the number and refuses what is read or written.
static void reserveStandardStreams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/// The exit code of a command that ended with `status`: what it printed may not
/// have got to its reader. LLVM's stream would abort over that later.
static int closeOutput(int status) {
  llvm::outs().flush();
  auto written = checkOutput();
  if (written)
    return status;
  const int failed = usageError(written.error().message);
  return status ? status : failed;
}

static int dispatch(int argc, char **argv) {
  if (argc < 2) {
    printOverview(llvm::errs());
    return static_cast<int>(ErrorCode::Usage);
  }
  const StringRef first = argv[1];
  if (first == "--help" || first == "-h" || first == "help") {
    printOverview(llvm::outs());
    return 0;
  }
  if (first == "--version") {
    llvm::outs() << "ctc " << ctc_version() << " (LLVM " << LLVM_VERSION_STRING
                 << ")\n";
    return 0;
  }
  for (const Command &command : kCommands)
    if (command.name == first) {
      // Sizes are the user's: what does not fit in memory is no crash. LLVM's
      // handler would abort before the exception is thrown.
      std::set_new_handler(nullptr);
      try {
        return runCommandLine(command,
                              llvm::ArrayRef<const char *>(argv + 2, argc - 2));
      } catch (const std::bad_alloc &) {
        return usageError("not enough memory for the buffers of this call; use "
                          "a smaller batch or layer");
      } catch (const std::length_error &) {
        return usageError("a buffer of this call is larger than memory can be; "
                          "use a smaller batch or layer");
      }
    }
  const StringRef nearest = nearestCommand(first);
  return usageError("unknown command '" + first + "'" +
                    (nearest.empty()
                         ? "; ctc --help lists those there are"
                         : ", did you mean '" + nearest.str() + "'?"));
}

int ctc::runDriver(int argc, char **argv) {
  reserveStandardStreams();
  return closeOutput(dispatch(argc, argv));
}
