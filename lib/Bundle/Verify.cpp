//===- Verify.cpp - Whether a bundle is consistent ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime trusts a bundle that passed these checks: it indexes, multiplies
// and launches what the manifest says. Each check gives a complaint, and its
// caller puts in front of it where that is.
//
//===----------------------------------------------------------------------===//

#include "ctc/Bundle/Bundle.h"
#include "ctc/Bundle/Queries.h"
#include "ctc/Chips/Chips.h"

#include <algorithm>
#include <cmath>

using namespace ctc;

namespace {
/// What is wrong; nothing when all is well.
using Complaint = std::optional<std::string>;

// CUDA C++ Programming Guide, "Technical Specifications per Compute
// Capability": the same for every chip ctc knows.
constexpr uint32_t kMaxThreads = 1024;
constexpr std::array<uint32_t, 3> kMaxBlock{1024, 1024, 64};

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

Complaint within(std::string where, Complaint complaint) {
  if (complaint)
    complaint = std::move(where) + ": " + *complaint;
  return complaint;
}

template <typename Enum>
Complaint checkEnum(const char *what, Enum value, Enum last) {
  if (value <= last)
    return {};
  return std::string(what) + " has number " + std::to_string(int(value)) +
         ", legal are 0 to " + std::to_string(int(last));
}

/// Names must be there and differ.
template <typename T>
Complaint checkNames(const char *what, const std::vector<T> &elements,
                     std::string T::*name) {
  std::vector<std::string_view> names;
  for (const T &element : elements)
    names.push_back(element.*name);
  std::sort(names.begin(), names.end());
  if (!names.empty() && names.front().empty())
    return std::string(what) + " without a name";
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin != names.end())
    return std::string(what) + " name " + quoted(*twin) + " stands twice";
  return {};
}

//===----------------------------------------------------------------------===//
// Problem and epilogue
//===----------------------------------------------------------------------===//

Complaint checkProblem(const Problem &problem) {
  if (auto bad = checkEnum("type", problem.type, ElementType::BF16))
    return bad;
  if (auto bad = checkEnum("layout", problem.layout, Layout::ChannelsLast))
    return bad;
  if (auto bad = checkEnum("weight layout", problem.weightLayout,
                           WeightLayout::OutputKernelInput))
    return bad;
  if (auto bad = checkEnum("precision", problem.precision, Precision::IEEE))
    return bad;
  if (auto legal = verify(problem); !legal)
    return legal.error().message;
  return {};
}

Complaint checkShape(const std::vector<int64_t> &shape, bool mayHaveBatch) {
  for (int64_t size : shape)
    if (size == kDynamic ? !mayHaveBatch : size < 0)
      return "shape " + formatShape(shape) +
             (size == kDynamic ? " has a dynamic size, which is not legal here"
                               : " has a negative size");
  return {};
}

Complaint checkEpilogueOperand(const Problem &problem,
                               const EpilogueOperand &operand) {
  if (auto bad = checkEnum("type", operand.type, ElementType::BF16))
    return bad;
  if (auto bad = checkShape(operand.shape, problem.hasDynamicBatch()))
    return bad;
  if (operand.outputDims.size() != operand.shape.size())
    return "it has " + std::to_string(operand.shape.size()) +
           " dimensions and a map of " +
           std::to_string(operand.outputDims.size());
  const int last = problem.rank() + 1;
  for (int32_t dim : operand.outputDims)
    if (dim < -1 || dim > last)
      return "its map names dimension " + std::to_string(dim) +
             " of the output, legal are -1 to " + std::to_string(last);
  return {};
}

Complaint checkEpilogue(const Problem &problem, const Epilogue &epilogue) {
  for (const EpilogueOperand &operand : epilogue.operands)
    if (auto bad = within("operand " + quoted(operand.name),
                          checkEpilogueOperand(problem, operand)))
      return bad;
  const size_t count = epilogue.nodes.size();
  if (count == 0)
    return {};
  if (count < 1 + epilogue.operands.size())
    return std::to_string(count) + " nodes for the accumulator and " +
           std::to_string(epilogue.operands.size()) + " operands";
  if (epilogue.result >= count)
    return "result is node " + std::to_string(epilogue.result) +
           ", there are " + std::to_string(count);
  for (size_t i = 0; i < count; ++i) {
    const EpilogueNode &node = epilogue.nodes[i];
    const std::string where = "node " + std::to_string(i);
    if (auto bad = checkEnum("type", node.type, ScalarType::I1))
      return within(where, bad);
    for (uint32_t operand : node.operands)
      if (operand >= i)
        return where + " uses node " + std::to_string(operand) +
               ", which does not stand before it";
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// The shape the problem gives an argument; nothing where it leaves it open.
std::optional<std::vector<int64_t>> expectedShape(const Problem &problem,
                                                  ArgumentRole role) {
  switch (role) {
  case ArgumentRole::Input:
    return problem.inputShape();
  case ArgumentRole::Weight:
    return problem.weightShape();
  case ArgumentRole::Bias:
    return std::vector<int64_t>{problem.outputChannels};
  case ArgumentRole::Output:
    return problem.outputShape();
  case ArgumentRole::PackedWeight:
  case ArgumentRole::Operand:
  case ArgumentRole::Scratch:
    return std::nullopt;
  }
  return std::nullopt;
}

Complaint checkArgument(const Problem &problem, const Argument &argument) {
  if (auto bad = checkEnum("role", argument.role, ArgumentRole::Scratch))
    return bad;
  if (auto bad = checkEnum("type", argument.type, ElementType::BF16))
    return bad;
  const bool mayHaveBatch =
      problem.hasDynamicBatch() && argument.role != ArgumentRole::PackedWeight;
  if (auto bad = checkShape(argument.shape, mayHaveBatch))
    return bad;
  const auto expected = expectedShape(problem, argument.role);
  if (expected && argument.shape != *expected)
    return "shape is " + formatShape(argument.shape) + ", the problem's is " +
           formatShape(*expected);
  if (auto bytes = byteSize(argument, 1); !bytes)
    return bytes.error().message;
  return {};
}

Complaint checkArguments(const Entry &entry) {
  if (auto bad = checkNames("argument", entry.arguments, &Argument::name))
    return bad;
  for (const Argument &argument : entry.arguments)
    if (auto bad = within("argument " + quoted(argument.name),
                          checkArgument(entry.problem, argument)))
      return bad;
  struct Count {
    const char *what;
    ArgumentRole role;
    int least, most;
  };
  const int bias = entry.problem.bias;
  for (const Count &count : {Count{"input", ArgumentRole::Input, 1, 1},
                             Count{"weight", ArgumentRole::Weight, 0, 1},
                             Count{"bias", ArgumentRole::Bias, bias, bias},
                             Count{"output", ArgumentRole::Output, 1, 1}}) {
    const auto found = std::count_if(
        entry.arguments.begin(), entry.arguments.end(),
        [&](const Argument &argument) { return argument.role == count.role; });
    if (found < count.least || found > count.most)
      return std::to_string(found) + " arguments with the role of " +
             count.what + ", legal are " + std::to_string(count.least) +
             " to " + std::to_string(count.most);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

enum class LaunchKind { Prepare, Run };

/// Prepare launches see nothing but the weight in its two forms, run launches
/// not the one the user has.
bool mayUse(LaunchKind kind, ArgumentRole role) {
  return kind == LaunchKind::Run ? role != ArgumentRole::Weight
                                 : role == ArgumentRole::Weight ||
                                       role == ArgumentRole::PackedWeight;
}

Complaint checkLaunchArguments(const Entry &entry, const Launch &launch,
                               LaunchKind kind) {
  if (launch.arguments.size() > kMaxLaunchArguments)
    return std::to_string(launch.arguments.size()) +
           " arguments, legal are at most " +
           std::to_string(kMaxLaunchArguments);
  for (uint32_t index : launch.arguments) {
    if (index >= entry.arguments.size())
      return "argument number " + std::to_string(index) + ", the entry has " +
             std::to_string(entry.arguments.size());
    if (!mayUse(kind, entry.arguments[index].role))
      return "argument " + quoted(entry.arguments[index].name) +
             (kind == LaunchKind::Run
                  ? " is the weight, which only prepare launches read"
                  : " is not a weight, and prepare launches see no other");
  }
  if (kind == LaunchKind::Prepare && launch.passesBatch)
    return "a prepare launch takes no batch";
  return {};
}

Complaint checkLaunch(const Entry &entry, const Launch &launch, LaunchKind kind,
                      const Chip &chip) {
  if (launch.kernel.empty())
    return "kernel without a name";
  if (auto bad = checkLaunchArguments(entry, launch, kind))
    return bad;
  if (launch.grid.blocksPerTile < 1 || launch.grid.batchTile < 0)
    return "grid of " + std::to_string(launch.grid.blocksPerTile) +
           " blocks per " + std::to_string(launch.grid.batchTile) +
           " samples, must be at least 1 and 0";
  const bool isStatic =
      kind == LaunchKind::Run && !entry.problem.hasDynamicBatch();
  const int64_t batch = isStatic ? entry.problem.batch : 1;
  if (auto count = blocks(launch.grid, batch); !count)
    return count.error().message;
  uint64_t threads = 1;
  for (size_t i = 0; i < 3; ++i) {
    threads *= launch.block[i];
    if (launch.block[i] < 1 || launch.block[i] > kMaxBlock[i])
      return "block of " + std::to_string(launch.block[i]) +
             " threads along dimension " + std::to_string(i) +
             ", legal are 1 to " + std::to_string(kMaxBlock[i]);
  }
  if (threads > kMaxThreads)
    return "block of " + std::to_string(threads) +
           " threads, legal are at most " + std::to_string(kMaxThreads);
  if (launch.dynamicSharedBytes > chip.maxSharedPerBlock)
    return std::to_string(launch.dynamicSharedBytes) +
           " bytes of shared memory, " + std::string(chip.name) + " has " +
           std::to_string(chip.maxSharedPerBlock);
  if (launch.programmatic && !hasProgrammaticLaunch(chip))
    return "a programmatic launch, kernels of " + std::string(chip.name) +
           " cannot wait for the grids before them";
  return {};
}

Complaint checkLaunches(const Entry &entry, const std::vector<Launch> &launches,
                        LaunchKind kind, const Chip &chip) {
  for (size_t i = 0; i < launches.size(); ++i)
    if (auto bad = checkLaunch(entry, launches[i], kind, chip))
      return within(
          (kind == LaunchKind::Run ? "run launch " : "prepare launch ") +
              std::to_string(i),
          bad);
  return {};
}

//===----------------------------------------------------------------------===//
// Entries and images
//===----------------------------------------------------------------------===//

Complaint checkEntry(const Entry &entry, const Chip &chip) {
  if (auto bad = checkProblem(entry.problem))
    return bad;
  if (auto bad =
          within("epilogue", checkEpilogue(entry.problem, entry.epilogue)))
    return bad;
  if (auto bad = checkArguments(entry))
    return bad;
  if (auto bad = checkLaunches(entry, entry.prepare, LaunchKind::Prepare, chip))
    return bad;
  if (auto bad = checkLaunches(entry, entry.run, LaunchKind::Run, chip))
    return bad;
  const WorkFactors &work = entry.work;
  for (double value : {work.usefulMacs, work.holes, work.border, work.tile,
                       work.leastBytes, work.requestedBytes})
    if (!std::isfinite(value) || value < 0)
      return "work factor " + std::to_string(value) +
             ", must be finite and at least 0";
  return {};
}

Complaint checkImage(const ChipImage &image) {
  const auto chip = findChip(image.chip);
  if (!chip)
    return "unknown chip, known are " + listChips();
  if (image.ptx.empty() && image.cubin.empty())
    return "neither cubin nor PTX";
  const auto &entries = image.manifest.entries;
  if (auto bad = checkNames("entry", entries, &Entry::name))
    return bad;
  for (const Entry &entry : entries)
    if (auto bad =
            within("entry " + quoted(entry.name), checkEntry(entry, *chip)))
      return bad;
  return {};
}

/// The arguments a user of the entry sees whatever the chip.
std::vector<Argument> visibleArguments(const Entry &entry) {
  std::vector<Argument> visible;
  for (const Argument &argument : entry.arguments)
    if (argument.role != ArgumentRole::PackedWeight &&
        argument.role != ArgumentRole::Scratch)
      visible.push_back(argument);
  return visible;
}

Complaint checkAlike(const Manifest &manifest, const Manifest &first) {
  if (manifest.entries.size() != first.entries.size())
    return std::to_string(manifest.entries.size()) +
           " entries, the first "
           "image has " +
           std::to_string(first.entries.size());
  for (size_t i = 0; i < first.entries.size(); ++i) {
    const Entry &entry = manifest.entries[i], &other = first.entries[i];
    if (entry.name != other.name)
      return "entry number " + std::to_string(i) + " is " + quoted(entry.name) +
             ", in the first image " + quoted(other.name);
    if (entry.problem != other.problem || entry.epilogue != other.epilogue ||
        visibleArguments(entry) != visibleArguments(other))
      return "entry " + quoted(entry.name) +
             " differs from the first image's in problem, epilogue or "
             "arguments";
  }
  return {};
}

Complaint checkBundle(const Bundle &bundle) {
  if (bundle.images.empty())
    return "it has no image";
  if (auto bad = checkNames("chip", bundle.images, &ChipImage::chip))
    return bad;
  for (const ChipImage &image : bundle.images) {
    if (auto bad = within("image " + quoted(image.chip), checkImage(image)))
      return bad;
    if (auto bad =
            within("image " + quoted(image.chip),
                   checkAlike(image.manifest, bundle.images.front().manifest)))
      return bad;
  }
  return {};
}
} // namespace

Expected<void> ctc::verify(const Bundle &bundle) {
  if (auto bad = checkBundle(bundle))
    return makeError(ErrorCode::DeviceError, "inconsistent bundle: " + *bad);
  return {};
}
