//===- Encode.cpp - A bundle into bytes -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bundle_generated.h"
#include "Header.h"
#include "ctc/Bundle/Bundle.h"

using namespace ctc;
using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// The enumerators of schema and headers have the same numbers; the ones at
// both ends tell when either list was changed alone.
static_assert(int(fbs::ElementType::F32) == int(ElementType::F32) &&
              int(fbs::ElementType::MAX) == int(ElementType::BF16));
static_assert(int(fbs::Layout::ChannelsFirst) == int(Layout::ChannelsFirst) &&
              int(fbs::Layout::MAX) == int(Layout::ChannelsLast));
static_assert(int(fbs::WeightLayout::InputOutputKernel) ==
                  int(WeightLayout::InputOutputKernel) &&
              int(fbs::WeightLayout::MAX) ==
                  int(WeightLayout::OutputKernelInput));
static_assert(int(fbs::Precision::TF32) == int(Precision::TF32) &&
              int(fbs::Precision::MAX) == int(Precision::IEEE));
static_assert(int(fbs::ScalarType::F32) == int(ScalarType::F32) &&
              int(fbs::ScalarType::MAX) == int(ScalarType::I1));
static_assert(int(fbs::ArgumentRole::Input) == int(ArgumentRole::Input) &&
              int(fbs::ArgumentRole::MAX) == int(ArgumentRole::Scratch));

namespace {
/// Writes the parts of a bundle, children before parents as FlatBuffers wants.
class Encoder {
public:
  std::vector<uint8_t> run(const Bundle &bundle) {
    const auto producer = text(bundle.producer);
    const auto images = tables<fbs::ChipImage>(bundle.images);
    builder.Finish(fbs::CreateBundle(builder, producer, images));
    return wrapPayload({builder.GetBufferPointer(), builder.GetSize()});
  }

private:
  Offset<flatbuffers::String> text(const std::string &value) {
    return builder.CreateString(value);
  }

  /// A vector of tables, each made by the `add` of its struct.
  template <typename Table, typename T>
  Offset<flatbuffers::Vector<Offset<Table>>>
  tables(const std::vector<T> &values) {
    std::vector<Offset<Table>> offsets;
    for (const T &value : values)
      offsets.push_back(add(value));
    return builder.CreateVector(offsets);
  }

  Offset<fbs::Problem> add(const Problem &problem) {
    std::vector<fbs::SpatialDim> dims;
    for (const SpatialDim &dim : problem.dims)
      dims.emplace_back(dim.input, dim.kernel, dim.stride, dim.dilation,
                        dim.padLow, dim.padHigh, dim.outputPadding);
    const auto dimVector = builder.CreateVectorOfStructs(dims);
    return fbs::CreateProblem(
        builder, problem.batch, problem.inputChannels, problem.outputChannels,
        problem.groups, dimVector, fbs::ElementType(problem.type),
        fbs::Layout(problem.layout), fbs::Precision(problem.precision),
        problem.bias, fbs::WeightLayout(problem.weightLayout));
  }

  Offset<fbs::EpilogueNode> add(const EpilogueNode &node) {
    const auto name = text(node.name);
    const auto operands = builder.CreateVector(node.operands);
    const auto predicate = text(node.predicate);
    return fbs::CreateEpilogueNode(builder, name, fbs::ScalarType(node.type),
                                   operands, node.constant, predicate);
  }

  Offset<fbs::EpilogueOperand> add(const EpilogueOperand &operand) {
    const auto name = text(operand.name);
    const auto shape = builder.CreateVector(operand.shape);
    const auto outputDims = builder.CreateVector(operand.outputDims);
    return fbs::CreateEpilogueOperand(
        builder, name, fbs::ElementType(operand.type), shape, outputDims);
  }

  Offset<fbs::Epilogue> add(const Epilogue &epilogue) {
    const auto operands = tables<fbs::EpilogueOperand>(epilogue.operands);
    const auto nodes = tables<fbs::EpilogueNode>(epilogue.nodes);
    return fbs::CreateEpilogue(builder, operands, nodes, epilogue.result);
  }

  Offset<fbs::Argument> add(const Argument &argument) {
    const auto name = text(argument.name);
    const auto shape = builder.CreateVector(argument.shape);
    return fbs::CreateArgument(builder, name, fbs::ArgumentRole(argument.role),
                               fbs::ElementType(argument.type), shape);
  }

  Offset<fbs::Launch> add(const Launch &launch) {
    const auto kernel = text(launch.kernel);
    const auto arguments = builder.CreateVector(launch.arguments);
    const fbs::Grid grid(launch.grid.blocksPerTile, launch.grid.batchTile);
    const fbs::Block block(launch.block[0], launch.block[1], launch.block[2]);
    return fbs::CreateLaunch(builder, kernel, arguments, launch.passesBatch,
                             &grid, &block, launch.dynamicSharedBytes,
                             launch.programmatic);
  }

  Offset<fbs::Entry> add(const Entry &entry) {
    const auto name = text(entry.name);
    const auto problem = add(entry.problem);
    const auto epilogue = add(entry.epilogue);
    const auto arguments = tables<fbs::Argument>(entry.arguments);
    const auto prepare = tables<fbs::Launch>(entry.prepare);
    const auto run = tables<fbs::Launch>(entry.run);
    const auto family = text(entry.family);
    const auto kernel = text(entry.kernel);
    const auto source = text(entry.choiceSource);
    const auto reason = text(entry.choiceReason);
    const WorkFactors &work = entry.work;
    const fbs::WorkFactors factors(work.usefulMacs, work.holes, work.border,
                                   work.tile, work.leastBytes,
                                   work.requestedBytes);
    return fbs::CreateEntry(builder, name, problem, epilogue, arguments,
                            prepare, run, family, kernel, source, reason,
                            &factors);
  }

  Offset<fbs::KernelResources> add(const KernelResources &resources) {
    const auto kernel = text(resources.kernel);
    const auto warnings = builder.CreateVectorOfStrings(resources.warnings);
    return fbs::CreateKernelResources(
        builder, kernel, resources.registers, resources.spillStoreBytes,
        resources.spillLoadBytes, resources.stackBytes,
        resources.staticSharedBytes, warnings);
  }

  Offset<fbs::ChipImage> add(const ChipImage &image) {
    const auto chip = text(image.chip);
    const auto entries = tables<fbs::Entry>(image.manifest.entries);
    const auto ptx = text(image.ptx);
    const auto cubin = builder.CreateVector(image.cubin);
    const auto assembler = text(image.assembler);
    const auto resources = tables<fbs::KernelResources>(image.resources);
    const auto listing = text(image.listing);
    return fbs::CreateChipImage(builder, chip, entries, ptx, cubin, assembler,
                                resources, listing);
  }

  FlatBufferBuilder builder;
};
} // namespace

std::vector<uint8_t> ctc::serialize(const Bundle &bundle) {
  return Encoder().run(bundle);
}
