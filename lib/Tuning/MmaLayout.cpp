//===- MmaLayout.cpp - Workgroup memory and fragments of mma_sync ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/MmaLayout.h"
#include "ctc/Support/IntegerMath.h"

#include "llvm/ADT/STLExtras.h"

#include <array>
#include <set>

using namespace ctc;

static constexpr int64_t kBanks = 32;
static constexpr int64_t kSectorBytes = 32;

int64_t PatchLayout::loadWords() const {
  if (!planesContiguous)
    return 1;
  // A lane's share of the planes, in loads of 8 or 16 bytes.
  return (sharePlanes() / 4) % 4 == 0 ? 4 : 2;
}

int64_t PatchLayout::plane(int64_t step, int64_t t, int64_t h) const {
  if (!planesContiguous)
    return kMmaPlanes * step + t + 4 * h;
  return step / shareSteps() * sharePlanes() + t * laneRun() +
         lanePlane(2 * (step % shareSteps()) + h);
}

int64_t ctc::bytesWithRoom(int64_t bytes, int64_t threads, int64_t copyBytes) {
  const int64_t turn = threads * copyBytes;
  return bytes > kMaxUnrolledCopies * turn ? roundUp(bytes, 16)
                                           : roundUp(bytes, turn);
}

int64_t PatchLayout::copies() const {
  if (planesContiguous)
    return words / pitch() * positionCopies();
  // The last plane ends with the buffer.
  return words * wordElements / copyElements();
}

int64_t ctc::bytesWithRoom(const PatchLayout &layout, int64_t threads) {
  const int64_t copies = layout.copies();
  if (!layout.planesContiguous || copies > kMaxUnrolledCopies * threads)
    return bytesWithRoom(layout.bytes(), threads,
                         4 / layout.wordElements * layout.copyElements());
  const int64_t positions =
      ceilDiv(roundUp(copies, threads), layout.positionCopies());
  return roundUp(std::max(layout.words, positions * layout.pitch()) * 4, 16);
}

int64_t ctc::interleavedOctets(const InterleaveShape &shape) {
  constexpr int64_t kLeastPlanes = 32;
  // Warps of a split store parts of a tile, which are to lie together.
  if (shape.family != ir::Family::WgmmaRA || !shape.channelsLast ||
      shape.split > 1 || shape.chunkBytes < 4 * kLeastPlanes)
    return 1;
  return shape.warpPositions % (4 * kOctet) == 0 ? 4 : 2;
}

int64_t ctc::interleavedOctets(ir::KernelAttr kernel, bool channelsLast,
                               ElementType type) {
  return interleavedOctets({kernel.getFamily(), kernel.getSplit(), channelsLast,
                            kernel.getChunkChannels() * byteWidth(type),
                            kernel.getWorkerTile()[0]});
}

int64_t ctc::lanePlanes(ir::KernelAttr kernel, bool channelsLast,
                        ElementType type) {
  if (interleavedOctets(kernel, channelsLast, type) == 1)
    return 0;
  PatchLayout layout;
  layout.planesContiguous = true;
  layout.planes = kernel.getChunkChannels() * byteWidth(type) / 4;
  return layout.loadWords();
}

bool ctc::loadsAhead(ir::KernelAttr kernel, const PatchLayout &layout) {
  constexpr int64_t kWide = 128, kLeastGroups = 9, kMostRegisters = 160;
  const auto tile = kernel.getWorkerTile();
  const int64_t sums = tile[0] * tile[1] * kernel.getPhaseCount() / 32;
  const int64_t rows = tile[0] / kOctet * 2 * layout.stepsPerLoad();
  int64_t groups = layout.shareSteps() / layout.stepsPerLoad();
  for (int64_t taps : kernel.getTaps().asArrayRef())
    groups *= taps;
  return kernel.usesWarpgroups() && tile[1] < kWide && groups >= kLeastGroups &&
         sums + 2 * rows <= kMostRegisters;
}

int64_t ctc::octetPosition(int64_t turns, int64_t octet, int64_t g) {
  return (octet / turns * kOctet + g) * turns + octet % turns;
}

std::vector<int64_t> ctc::positionWords(const PatchLayout &layout,
                                        ir::KernelAttr kernel) {
  std::vector<int64_t> box{kernel.getBatch()};
  llvm::append_range(box, kernel.getBox().asArrayRef());
  const int64_t volume = kernel.getBoxVolume();
  const int64_t turns = interleavedOctets(
      kernel, layout.planesContiguous,
      layout.wordElements == 1 ? ElementType::F32 : ElementType::F16);
  std::vector<int64_t> words;
  for (int64_t i = 0; i < kernel.getPositions(); ++i) {
    const int64_t number = octetPosition(turns, i / kOctet, i % kOctet);
    int64_t rest = number < volume ? number : 0, word = 0;
    for (size_t i = box.size(); i-- > 0; rest /= box[i])
      word += rest % box[i] * layout.strides[i];
    words.push_back(word);
  }
  return words;
}

/// Wavefronts of one load of `width` words by lanes whose first words are given
/// (CUDA C++ Best Practices Guide 10.2.3: 8 and 16 bytes are served by halves
/// and quarters of a warp). Lanes that read the same word share it.
static int64_t wavefronts(llvm::ArrayRef<int64_t> first, int64_t width) {
  const size_t lanes = first.size() / width;
  int64_t total = 0;
  for (size_t start = 0; start < first.size(); start += lanes) {
    std::array<std::set<int64_t>, kBanks> banks;
    for (int64_t word : first.slice(start, lanes))
      for (int64_t j = 0; j < width; ++j)
        banks[(word + j) % kBanks].insert(word + j);
    size_t most = 0;
    for (const auto &bank : banks)
      most = std::max(most, bank.size());
    total += static_cast<int64_t>(most);
  }
  return total;
}

int64_t ctc::bankConflicts(const PatchLayout &layout, ir::KernelAttr kernel) {
  const std::vector<int64_t> words = positionWords(layout, kernel);
  const int64_t width = layout.loadWords();
  // Octets of the same shape behave alike.
  std::set<std::vector<int64_t>> shapes;
  int64_t conflicts = 0;
  for (size_t octet = 0; octet < words.size(); octet += kOctet) {
    std::vector<int64_t> first;
    for (int64_t g = 0; g < kOctet; ++g)
      for (int64_t t = 0; t < 4; ++t)
        first.push_back(words[octet + g] - words[octet] +
                        layout.plane(0, t, 0) * layout.planeStride);
    if (const int64_t low = *llvm::min_element(first); low < 0)
      for (int64_t &word : first)
        word -= low;
    if (shapes.insert(first).second)
      conflicts += wavefronts(first, width) - width;
  }
  return conflicts;
}

/// Elements of the widest copy, at most 16 bytes, that divides all sizes.
static int64_t copyVector(ElementType type,
                          std::initializer_list<int64_t> sizes) {
  int64_t vector = 16 / byteWidth(type);
  while (!llvm::all_of(sizes, [&](int64_t size) { return size % vector == 0; }))
    vector /= 2;
  return vector;
}

/// Strides for rows of `row` positions and planes of at least `least` words.
static void setStrides(PatchLayout &layout, int64_t row, int64_t planePad) {
  const size_t rank = layout.window.size();
  layout.strides.assign(rank, 0);
  int64_t positions = row;
  layout.strides[rank - 1] = 1;
  for (size_t i = rank - 1; i-- > 0; positions *= layout.window[i])
    layout.strides[i] = positions;
  if (layout.planesContiguous) {
    const int64_t pitch = layout.planes + planePad;
    for (int64_t &stride : layout.strides)
      stride *= pitch;
    layout.planeStride = 1;
    layout.words = positions * pitch;
  } else {
    layout.planeStride = positions + planePad;
    layout.words = layout.planes * layout.planeStride;
  }
  layout.words = roundUp(layout.words, 4);
}

PatchLayout ctc::layoutPatch(const PatchShape &shape, ir::KernelAttr kernel) {
  PatchLayout layout;
  layout.planesContiguous = shape.layout == Layout::ChannelsLast;
  layout.wordElements = 4 / byteWidth(shape.type);
  layout.planes = shape.chunkChannels / layout.wordElements;
  layout.split = kernel.getSplit();
  layout.lanePlanes = lanePlanes(kernel, layout.planesContiguous, shape.type);
  layout.window = shape.halo;
  if (layout.planesContiguous) {
    layout.vector =
        copyVector(shape.type, {shape.inputChannels, shape.groupChannels,
                                shape.chunkChannels});
    layout.async = layout.vector >= layout.wordElements;
  } else {
    layout.vector = copyVector(shape.type, {shape.inputWidth});
    layout.async = layout.wordElements == 1;
    int64_t &width = layout.window.back();
    width = roundUp(width + layout.vector - 1, layout.vector);
  }
  // Steps that keep every copy aligned in workgroup memory.
  const bool contiguous = layout.planesContiguous;
  const int64_t grain =
      contiguous
          ? std::max(layout.loadWords(), layout.vector / layout.wordElements)
          : layout.vector;
  const int64_t width = layout.window.back();
  PatchLayout best;
  int64_t bestConflicts = -1;
  for (int64_t rowPad = 0; rowPad < kOctet; rowPad += contiguous ? 1 : grain)
    for (int64_t pad = 0; pad < kBanks; pad += grain) {
      setStrides(layout, width + rowPad, pad);
      const int64_t conflicts = bankConflicts(layout, kernel);
      if (bestConflicts < 0 || conflicts < bestConflicts ||
          (conflicts == bestConflicts && layout.words < best.words)) {
        best = layout;
        bestConflicts = conflicts;
      }
    }
  return best;
}

StorePlan ctc::planStore(const StoreShape &shape) {
  const int64_t bytes = byteWidth(shape.type);
  const bool dense = shape.innerStride == shape.innerPhases;
  StorePlan plan;
  plan.run = dense ? shape.innerPhases : 1;
  if (shape.channelsLast)
    return plan;
  // Of a row of a fragment a lane has two positions, next to those of three
  // others, of a column one, next to those of seven.
  const bool rows = shape.lanes == ir::Lanes::Channels;
  const int64_t neighbours = rows ? 1 : 2;
  const int64_t held = neighbours * plan.run;
  plan.vector = copyVector(shape.type, {shape.outputWidth, held});
  if (dense && shape.boxWidth % neighbours == 0 && plan.vector == held &&
      (rows ? kOctet : 4) * held * bytes >= kSectorBytes &&
      shape.boxWidth * plan.run * bytes % (rows ? kSectorBytes : 1) == 0 &&
      shape.outputWidth * bytes % kSectorBytes == 0)
    return plan;
  plan.staged = true;
  const int64_t row = shape.warpPositions * plan.run;
  plan.vector = dense ? copyVector(shape.type, {shape.outputWidth,
                                                shape.boxWidth * plan.run, row})
                      : 1;
  // Eight lanes store 16 bytes each of two channels, at distances of 2 * run;
  // of four phases these leave every other 16 bytes to the second channel.
  // Of a column four lanes have two channels each.
  const int64_t apart = rows || plan.run % 4 == 0 ? 4 : kOctet * plan.run;
  plan.pitch = row + floorMod(apart - row, kBanks);
  return plan;
}

StorePlan ctc::planStore(ir::KernelAttr kernel, ElementType type,
                         bool channelsLast, int64_t outputWidth,
                         int64_t innerStride) {
  const ir::KernelAttr storing = kernel.getStoringKernel();
  return planStore(
      {kernel.getLanes(), type, kernel.getPhases().asArrayRef().back(),
       kernel.getBox().asArrayRef().back(), storing.getWorkerTile()[0],
       outputWidth, innerStride, channelsLast});
}

int64_t ctc::exchangeBytes(ir::KernelAttr kernel) {
  if (kernel.getSplit() == 1)
    return 0;
  return kernel.getSplit() * kernel.getPositions() * kernel.getChannels() *
         kernel.getPhaseCount() * 4;
}

PatchShape ctc::patchShape(ir::KernelAttr kernel, const Problem &problem,
                           llvm::ArrayRef<int64_t> halo) {
  PatchShape shape;
  shape.type = problem.type;
  shape.layout = problem.layout;
  shape.chunkChannels = kernel.getChunkChannels();
  shape.groupChannels = problem.inputChannelsPerGroup();
  shape.inputChannels = problem.inputChannels;
  shape.inputWidth = problem.dims.back().input;
  shape.halo.push_back(kernel.getBatch());
  llvm::append_range(shape.halo, halo);
  return shape;
}

MmaMemory ctc::mmaMemory(ir::KernelAttr kernel, const Problem &problem,
                         llvm::ArrayRef<int64_t> halo) {
  // The innermost spatial dimension of the output.
  const size_t spatialDim =
      problem.rank() + (problem.layout == Layout::ChannelsLast ? 0 : 1);
  MmaMemory memory;
  memory.patch = layoutPatch(patchShape(kernel, problem, halo), kernel);
  memory.patchBytes = bytesWithRoom(memory.patch, kernel.getThreads());
  memory.weightBytes = kernel.getChunkChannels() * kernel.getChannels() *
                       byteWidth(problem.type);
  for (int64_t count : kernel.getTaps().asArrayRef())
    memory.weightBytes *= count;
  memory.weightBytes =
      bytesWithRoom(memory.weightBytes, kernel.getThreads(), 16);
  const StorePlan store =
      planStore(kernel, problem.type, problem.layout == Layout::ChannelsLast,
                problem.outputShape()[spatialDim], problem.dims.back().stride);
  memory.totalBytes = std::max(
      {kernel.getStages() * (memory.patchBytes + memory.weightBytes),
       kernel.getThreads() / 32 * store.warpBytes(), exchangeBytes(kernel)});
  return memory;
}

int64_t ctc::fragmentUnit(ir::KernelAttr kernel, bool channelsLast) {
  if (kernel.getLanes() == ir::Lanes::Channels && !channelsLast)
    return kOctet;
  return kernel.getWorkerTile()[1] % (2 * kOctet) == 0 ? 2 * kOctet : kOctet;
}

FragmentOrder ctc::fragmentOrder(ir::KernelAttr kernel,
                                 const PatchLayout &patch) {
  FragmentOrder order;
  order.wordElements = patch.wordElements;
  order.planes = patch.planes;
  order.planesContiguous = patch.planesContiguous;
  order.columns = kernel.getLanes() == ir::Lanes::Channels;
  order.channels = kernel.getChannels();
  order.unit = fragmentUnit(kernel, patch.planesContiguous);
  order.split = kernel.getSplit();
  order.lanePlanes = patch.lanePlanes;
  order.cores = kernel.usesWarpgroups();
  return order;
}

std::pair<int64_t, int64_t> ctc::fragmentElement(const FragmentOrder &order,
                                                 int64_t element) {
  auto take = [&](int64_t size) {
    const int64_t digit = element % size;
    element /= size;
    return digit;
  };
  const int64_t half = take(order.wordElements);
  int64_t i, h, g, t;
  if (order.cores) {
    t = take(4), g = take(kOctet), h = take(2), i = take(order.octets());
  } else {
    i = take(order.octets()), h = take(2), t = take(4), g = take(kOctet);
  }
  const int64_t unit = take(order.channels / order.unit);
  const int64_t step = element;

  PatchLayout patch;
  patch.planesContiguous = order.planesContiguous;
  patch.planes = order.planes;
  patch.split = order.split;
  patch.lanePlanes = order.lanePlanes;
  const int64_t input = patch.plane(step, t, h) * order.wordElements + half;
  const int64_t first = unit * order.unit;
  const int64_t output = order.columns && order.octets() == 2
                             ? first + 4 * (g / 2) + 2 * i + g % 2
                             : first + kOctet * i + g;
  return {input, output};
}
