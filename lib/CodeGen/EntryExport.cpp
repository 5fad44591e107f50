//===- EntryExport.cpp - What the manifest says of an entry ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/CodeGen/EntryExport.h"
#include "ctc/Bundle/Queries.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Dialect/EpilogueOps.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace ctc;

/// An argument of the manifest for one of a function's.
static Argument exportArgument(func::FuncOp function, unsigned number,
                               ArgumentRole role, std::string fallback) {
  const auto type = cast<MemRefType>(function.getArgumentTypes()[number]);
  Argument argument;
  auto label = function.getArgAttrOfType<StringAttr>(number, kNameAttr);
  argument.name = label ? label.str() : std::move(fallback);
  argument.role = role;
  argument.type = ir::elementType(type);
  for (int64_t size : type.getShape())
    argument.shape.push_back(ShapedType::isDynamic(size) ? kDynamic : size);
  return argument;
}

/// Arguments in the order of the manifest: x, w, packed w, bias, extra
/// operands, y. All but w are the entry's own, in its order.
static std::vector<Argument> exportArguments(func::FuncOp function,
                                             func::FuncOp prepare,
                                             ir::ConvTransposeOp layer) {
  std::vector<Argument> arguments{
      exportArgument(function, 0, ArgumentRole::Input, "input"),
      exportArgument(prepare, 0, ArgumentRole::Weight, "weight"),
      exportArgument(function, 1, ArgumentRole::PackedWeight, "packed_weight")};
  unsigned next = 2;
  if (layer.getBias())
    arguments.push_back(
        exportArgument(function, next++, ArgumentRole::Bias, "bias"));
  for (unsigned i = 0; i < layer.getExtras().size(); ++i)
    arguments.push_back(exportArgument(function, next++, ArgumentRole::Operand,
                                       "operand" + std::to_string(i)));
  arguments.push_back(
      exportArgument(function, next, ArgumentRole::Output, "output"));
  return arguments;
}

/// A kernel takes all arguments but the plain weight, and only so many. A name
/// that the module gives one may be what another is called without one.
static Expected<void> checkArguments(const Entry &entry) {
  const size_t extras = entry.epilogue.operands.size();
  const size_t most =
      kMaxLaunchArguments - (entry.arguments.size() - 1 - extras);
  if (extras > most)
    return invalidProblem(
        "entry '" + entry.name + "' has " + std::to_string(extras) +
        " extra operands, must have at most " + std::to_string(most));
  llvm::StringSet<> names;
  for (const Argument &argument : entry.arguments)
    if (!names.insert(argument.name).second)
      return invalidProblem(
          "entry '" + entry.name + "' has two arguments called '" +
          argument.name +
          "'; every ctc.name must differ from the others and from input, "
          "weight, packed_weight, bias, operand0 and so on, and output, the "
          "names of arguments without one");
  return {};
}

static Expected<Entry> exportEntry(func::FuncOp function, func::FuncOp prepare,
                                   ir::ConvTransposeOp layer) {
  Entry entry;
  const ir::KernelAttr kernel = layer.getKernelAttr();
  entry.name = function.getSymName().str();
  entry.problem = layer.getProblem();
  entry.arguments = exportArguments(function, prepare, layer);
  entry.epilogue = ir::exportEpilogue(layer);
  for (auto [i, operand] : llvm::enumerate(entry.epilogue.operands))
    operand.name = entry
                       .arguments[entry.arguments.size() - 1 -
                                  entry.epilogue.operands.size() + i]
                       .name;
  if (auto legal = checkArguments(entry); !legal)
    return tl::unexpected(legal.error());
  entry.family = ir::stringifyFamily(kernel.getFamily()).str();
  llvm::raw_string_ostream(entry.kernel) << kernel;
  entry.choiceSource = ir::stringifyChoiceSource(kernel.getSource()).str();
  auto reason = layer->getAttrOfType<StringAttr>(kReasonAttr);
  entry.choiceReason = reason ? reason.str() : "the module says so";
  auto work = workFactors(entry.problem, tilingOf(kernel, entry.problem));
  if (!work)
    return tl::unexpected(work.error());
  entry.work = *work;
  return entry;
}

Expected<std::vector<Entry>> ctc::exportEntries(ModuleOp module) {
  std::vector<Entry> entries;
  for (auto function : module.getOps<func::FuncOp>()) {
    auto layers = function.getOps<ir::ConvTransposeOp>();
    if (!function.isPublic() || layers.empty())
      continue;
    auto prepare = module.lookupSymbol<func::FuncOp>(
        (function.getSymName() + kPrepareSuffix).str());
    if (!prepare)
      return makeError(ErrorCode::InvalidProblem,
                       "entry '" + function.getSymName().str() +
                           "' has no prepare function beside it; compile from "
                           "layers on plain weights");
    auto entry = exportEntry(function, prepare, *layers.begin());
    if (!entry)
      return tl::unexpected(entry.error());
    entries.push_back(std::move(*entry));
  }
  if (entries.empty())
    return makeError(ErrorCode::InvalidProblem,
                     "the module has no entry: a public function with one "
                     "ctc.conv_transpose");
  return entries;
}

/// A launch whose function's argument i is argument `indices[i]` of the entry.
static Launch exportLaunch(ir::LaunchOp op, ArrayRef<uint32_t> indices) {
  Launch launch;
  launch.kernel = op.getKernel().getLeafReference().str();
  for (Value argument : op.getArguments())
    launch.arguments.push_back(
        indices[cast<BlockArgument>(argument).getArgNumber()]);
  launch.passesBatch = op.getPassesBatch();
  launch.grid.blocksPerTile = op.getBlocksPerTile();
  launch.grid.batchTile = op.getBatchTile();
  launch.block = {uint32_t(op.getBlockSize()), 1, 1};
  launch.dynamicSharedBytes = uint32_t(op.getDynamicShared());
  launch.programmatic = op.getProgrammatic();
  return launch;
}

static std::vector<Launch> exportLaunchesOf(ModuleOp module, StringRef name,
                                            ArrayRef<uint32_t> indices) {
  std::vector<Launch> launches;
  if (auto function = module.lookupSymbol<func::FuncOp>(name))
    for (auto op : function.getOps<ir::LaunchOp>())
      launches.push_back(exportLaunch(op, indices));
  return launches;
}

void ctc::exportLaunches(ModuleOp module, std::vector<Entry> &entries) {
  constexpr uint32_t kWeight = 1, kPacked = 2;
  for (Entry &entry : entries) {
    entry.prepare = exportLaunchesOf(module, entry.name + kPrepareSuffix.str(),
                                     {kWeight, kPacked});
    SmallVector<uint32_t> indices;
    for (uint32_t i = 0; i < entry.arguments.size(); ++i)
      if (i != kWeight)
        indices.push_back(i);
    entry.run = exportLaunchesOf(module, entry.name, indices);
  }
}
