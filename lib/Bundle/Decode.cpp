//===- Decode.cpp - A bundle out of bytes ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A field that is absent reads as 0 or empty; verify() then says what is wrong
// with it.
//
//===----------------------------------------------------------------------===//

#include "Bundle_generated.h"
#include "Header.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Chips/Chips.h"
#include "ctc/Support/File.h"

using namespace ctc;

static std::string decode(const flatbuffers::String *text) {
  return text ? text->str() : std::string();
}

template <typename T>
static std::vector<T> decode(const flatbuffers::Vector<T> *values) {
  return values ? std::vector<T>(values->begin(), values->end())
                : std::vector<T>();
}

/// A vector of tables or strings, each read by `decodeOne`.
template <typename Offset, typename Function>
static auto decodeEach(const flatbuffers::Vector<Offset> *values,
                       Function decodeOne) {
  std::vector<decltype(decodeOne(values->Get(0)))> result;
  if (values)
    for (const auto *value : *values)
      result.push_back(decodeOne(value));
  return result;
}

static Problem decodeProblem(const fbs::Problem &in) {
  Problem problem;
  problem.batch = in.batch();
  problem.inputChannels = in.input_channels();
  problem.outputChannels = in.output_channels();
  problem.groups = in.groups();
  problem.dims = decodeEach(in.dims(), [](const fbs::SpatialDim *dim) {
    return SpatialDim{dim->input(),         dim->kernel(),  dim->stride(),
                      dim->dilation(),      dim->pad_low(), dim->pad_high(),
                      dim->output_padding()};
  });
  problem.type = ElementType(in.type());
  problem.layout = Layout(in.layout());
  problem.weightLayout = WeightLayout(in.weight_layout());
  problem.precision = Precision(in.precision());
  problem.bias = in.bias();
  return problem;
}

static EpilogueNode decodeNode(const fbs::EpilogueNode *in) {
  return {decode(in->name()), ScalarType(in->type()), decode(in->operands()),
          in->constant(), decode(in->predicate())};
}

static EpilogueOperand decodeOperand(const fbs::EpilogueOperand *in) {
  return {decode(in->name()), ElementType(in->type()), decode(in->shape()),
          decode(in->output_dims())};
}

static Epilogue decodeEpilogue(const fbs::Epilogue &in) {
  return {decodeEach(in.operands(), decodeOperand),
          decodeEach(in.nodes(), decodeNode), in.result()};
}

static Argument decodeArgument(const fbs::Argument *in) {
  return {decode(in->name()), ArgumentRole(in->role()), ElementType(in->type()),
          decode(in->shape())};
}

static Launch decodeLaunch(const fbs::Launch *in) {
  Launch launch;
  launch.kernel = decode(in->kernel());
  launch.arguments = decode(in->arguments());
  launch.passesBatch = in->passes_batch();
  launch.grid = {0, 0};
  if (const fbs::Grid *grid = in->grid())
    launch.grid = {grid->blocks_per_tile(), grid->batch_tile()};
  launch.block = {0, 0, 0};
  if (const fbs::Block *block = in->block())
    launch.block = {block->x(), block->y(), block->z()};
  launch.dynamicSharedBytes = in->dynamic_shared_bytes();
  launch.programmatic = in->programmatic();
  return launch;
}

static Entry decodeEntry(const fbs::Entry *in) {
  Entry entry;
  entry.name = decode(in->name());
  if (const fbs::Problem *problem = in->problem())
    entry.problem = decodeProblem(*problem);
  if (const fbs::Epilogue *epilogue = in->epilogue())
    entry.epilogue = decodeEpilogue(*epilogue);
  entry.arguments = decodeEach(in->arguments(), decodeArgument);
  entry.prepare = decodeEach(in->prepare(), decodeLaunch);
  entry.run = decodeEach(in->run(), decodeLaunch);
  entry.family = decode(in->family());
  entry.kernel = decode(in->kernel());
  entry.choiceSource = decode(in->choice_source());
  entry.choiceReason = decode(in->choice_reason());
  if (const fbs::WorkFactors *work = in->work())
    entry.work = {work->useful_macs(), work->holes(),
                  work->border(),      work->tile(),
                  work->least_bytes(), work->requested_bytes()};
  return entry;
}

static KernelResources decodeResources(const fbs::KernelResources *in) {
  return {decode(in->kernel()),
          in->registers(),
          in->spill_store_bytes(),
          in->spill_load_bytes(),
          in->stack_bytes(),
          in->static_shared_bytes(),
          decodeEach(in->warnings(), [](const flatbuffers::String *text) {
            return decode(text);
          })};
}

static ChipImage decodeImage(const fbs::ChipImage *in) {
  return {
      decode(in->chip()),      Manifest{decodeEach(in->entries(), decodeEntry)},
      decode(in->ptx()),       decode(in->cubin()),
      decode(in->assembler()), decodeEach(in->resources(), decodeResources),
      decode(in->listing())};
}

static Expected<Bundle> decodePayload(std::span<const uint8_t> payload) {
  flatbuffers::Verifier verifier(payload.data(), payload.size());
  if (!fbs::VerifyBundleBuffer(verifier))
    return makeError(ErrorCode::DeviceError,
                     "malformed bundle: its payload is not a FlatBuffer of "
                     "the schema of format version " +
                         std::to_string(kBundleFormatVersion));
  const fbs::Bundle *in = fbs::GetBundle(payload.data());
  const size_t imageCount = in->images() ? in->images()->size() : 0;
  if (imageCount > allChips().size())
    return makeError(ErrorCode::DeviceError,
                     "malformed bundle: it has " + std::to_string(imageCount) +
                         " images, there are " +
                         std::to_string(allChips().size()) + " chips");
  return Bundle{decode(in->producer()), decodeEach(in->images(), decodeImage)};
}

Expected<Bundle> ctc::deserialize(std::span<const uint8_t> bytes) {
  auto payload = checkHeader(bytes);
  if (!payload)
    return tl::unexpected(payload.error());
  // FlatBuffers reads scalars in place, so the payload must be aligned to the
  // widest of them.
  std::vector<uint8_t> aligned;
  if (reinterpret_cast<uintptr_t>(payload->data()) % alignof(uint64_t)) {
    aligned.assign(payload->begin(), payload->end());
    payload = aligned;
  }
  auto bundle = decodePayload(*payload);
  if (!bundle)
    return bundle;
  if (auto sound = verify(*bundle); !sound)
    return tl::unexpected(sound.error());
  return bundle;
}

Expected<Bundle> ctc::readBundle(const std::string &path) {
  auto bytes = readFile(path);
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto bundle = deserialize(*bytes);
  if (!bundle)
    return makeError(bundle.error().code,
                     "'" + path + "': " + bundle.error().message);
  return bundle;
}
