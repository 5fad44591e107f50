//===- MmaLayoutTest.cpp --------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Patches in workgroup memory, lane by lane.

#include "TuningTesting.h"
#include "ctc/Support/IntegerMath.h"

#include <gtest/gtest.h>
#include <set>

using namespace ctc;
using ctc::tuningtest::KernelSizes;
using ctc::tuningtest::makeKernel;
using ctc::tuningtest::wavefronts;

namespace {
/// Wavefronts past the least over every load of fragments in a chunk: all
/// octets of positions, all steps, each lane's word worked out by itself.
/// Octets that take turns have positions that lie apart.
int64_t conflictsOfAllLoads(const PatchLayout &layout, ir::KernelAttr kernel) {
  const std::vector<int64_t> words = positionWords(layout, kernel);
  const int64_t width = layout.loadWords();
  const int64_t stepsPerLoad = std::max<int64_t>(1, width / 2);
  int64_t conflicts = 0;
  for (size_t octet = 0; octet < words.size(); octet += 8)
    for (int64_t step = 0; step < layout.planes / 8; step += stepsPerLoad)
      for (int64_t h = 0; h < (layout.planesContiguous ? 1 : 2); ++h) {
        std::vector<int64_t> lanes;
        for (int64_t lane = 0; lane < 32; ++lane)
          lanes.push_back(words[octet + lane / 4] +
                          layout.plane(step, lane % 4, h) * layout.planeStride);
        conflicts += wavefronts(lanes, width) - width;
      }
  return conflicts;
}

/// What a load takes beyond its first plane are the registers that follow.
void expectLoadsHoldTheirRegisters(const PatchLayout &layout) {
  const int64_t width = layout.loadWords();
  for (int64_t step = 0; step < layout.planes / 8; ++step)
    for (int64_t t = 0; t < 4; ++t)
      for (int64_t h = 0; h < 2; ++h) {
        const int64_t word = layout.plane(step, t, h) * layout.planeStride;
        if (!layout.planesContiguous)
          continue;
        const int64_t first = step / (width / 2) * (width / 2);
        const int64_t base = layout.plane(first, t, 0) * layout.planeStride;
        ASSERT_EQ(word, base + 2 * (step - first) + h);
        ASSERT_EQ(base % width, 0);
      }
}

/// Every word of the patch's planes and positions has a place of its own inside
/// the buffer, and copies are whole and aligned vectors of it.
void expectPlaced(const PatchLayout &layout) {
  std::set<int64_t> seen;
  std::vector<int64_t> at(layout.window.size(), 0);
  for (;;) {
    int64_t position = 0;
    for (size_t i = 0; i < at.size(); ++i)
      position += at[i] * layout.strides[i];
    for (int64_t plane = 0; plane < layout.planes; ++plane) {
      const int64_t word = position + plane * layout.planeStride;
      ASSERT_LT(word, layout.words);
      ASSERT_TRUE(seen.insert(word).second);
    }
    size_t i = at.size();
    while (i > 0 && ++at[i - 1] == layout.window[i - 1])
      at[--i] = 0;
    if (i == 0)
      break;
  }
  // None of them reaches from one plane, row or position into the next.
  for (size_t i = 0;
       i + (layout.planesContiguous ? 0 : 1) < layout.strides.size(); ++i)
    ASSERT_EQ(layout.strides[i] * layout.wordElements % layout.vector, 0);
  if (!layout.planesContiguous) {
    ASSERT_EQ(layout.planeStride % layout.vector, 0);
    ASSERT_EQ(layout.window.back() % layout.vector, 0);
  }
  // Loads of a lane are aligned at every position.
  for (int64_t stride : layout.strides)
    ASSERT_EQ(stride % (layout.planesContiguous ? layout.loadWords() : 1), 0);
}

/// The copies of all threads' turns write every plane of every position once,
/// and stay in the buffer also where the last turn has fewer to make.
void expectCopies(const PatchLayout &layout, int64_t threads) {
  const int64_t copies = layout.copies();
  const int64_t room =
      copies > kMaxUnrolledCopies * threads ? copies : roundUp(copies, threads);
  const int64_t elements =
      bytesWithRoom(layout, threads) * layout.wordElements / 4;
  std::vector<bool> written(size_t(layout.words * layout.wordElements));
  int64_t planes = 0;
  for (int64_t number = 0; number < room; ++number) {
    int64_t at = number * layout.copyElements();
    if (layout.planesContiguous)
      at = number / layout.positionCopies() * layout.pitch() *
               layout.wordElements +
           number % layout.positionCopies() * layout.vector;
    ASSERT_LE(at + layout.copyElements(), elements);
    for (int64_t i = 0; number < copies && i < layout.copyElements(); ++i) {
      ASSERT_LT(at + i, int64_t(written.size()));
      ASSERT_FALSE(written[size_t(at + i)]);
      written[size_t(at + i)] = true;
      const int64_t word = (at + i) / layout.wordElements;
      planes +=
          !layout.planesContiguous || word % layout.pitch() < layout.planes;
    }
  }
  // Padding of a position is stepped over.
  if (layout.planesContiguous)
    ASSERT_EQ(planes, copies * layout.vector);
}

/// Copies may start at a vector and still hold the halo wherever it starts.
void expectCovers(const PatchLayout &layout, const std::vector<int64_t> &halo) {
  ASSERT_EQ(layout.window.size(), halo.size());
  for (size_t i = 0; i < halo.size(); ++i) {
    const bool skewed = !layout.planesContiguous && i + 1 == halo.size();
    ASSERT_GE(layout.window[i], halo[i] + (skewed ? layout.vector - 1 : 0));
  }
}

/// Vectors never pass 16 bytes and divide what they run along.
void expectVectors(const PatchLayout &layout, const PatchShape &shape) {
  ASSERT_LE(layout.vector * byteWidth(shape.type), 16);
  if (layout.planesContiguous) {
    ASSERT_EQ(shape.inputChannels % layout.vector, 0);
    ASSERT_EQ(shape.groupChannels % layout.vector, 0);
  } else {
    ASSERT_EQ(shape.inputWidth % layout.vector, 0);
  }
  // cp.async copies 4, 8 or 16 bytes.
  if (layout.async) {
    ASSERT_GE(layout.vector * byteWidth(shape.type), 4);
  }
}

void checkLayout(const PatchShape &shape, ir::KernelAttr kernel) {
  const PatchLayout layout = layoutPatch(shape, kernel);
  ASSERT_NO_FATAL_FAILURE(expectPlaced(layout));
  ASSERT_NO_FATAL_FAILURE(expectCovers(layout, shape.halo));
  ASSERT_NO_FATAL_FAILURE(expectVectors(layout, shape));
  ASSERT_NO_FATAL_FAILURE(expectLoadsHoldTheirRegisters(layout));
  ASSERT_NO_FATAL_FAILURE(expectCopies(layout, kernel.getThreads()));
  if (kernel.getBox().asArrayRef().back() % 8 == 0) {
    ASSERT_EQ(conflictsOfAllLoads(layout, kernel), 0);
    ASSERT_EQ(bankConflicts(layout, kernel), 0);
  }
}

/// The box's sizes and what its taps reach beyond it.
struct Boxes {
  int64_t batch;
  std::vector<int64_t> box, reach;
};
const Boxes kBoxes[] = {{1, {8}, {0}},
                        {1, {32}, {3}},
                        {4, {8}, {1}},
                        {3, {5}, {2}},
                        {1, {128}, {6}},
                        {1, {4, 8}, {1, 1}},
                        {1, {2, 16}, {2, 2}},
                        {2, {3, 24}, {0, 4}},
                        {1, {7, 7}, {1, 1}},
                        {1, {16, 1}, {1, 0}},
                        {1, {1, 64}, {4, 1}},
                        {1, {2, 2, 8}, {1, 1, 1}},
                        {2, {1, 3, 16}, {2, 0, 2}},
                        {1, {4, 4, 4}, {1, 1, 1}}};

/// Checks a chunk of `steps` steps a share, of a layer whose channels and width
/// are `size`: they decide how wide copies are.
void checkSweep(const Boxes &boxes, ElementType type, Layout order,
                int64_t steps, int64_t split, int64_t size) {
  PatchShape shape;
  shape.type = type;
  shape.layout = order;
  shape.chunkChannels = steps * split * 8 * 4 / byteWidth(type);
  shape.groupChannels = shape.inputChannels = shape.inputWidth = size;
  shape.halo.push_back(boxes.batch);
  int64_t volume = boxes.batch;
  KernelSizes sizes;
  for (size_t i = 0; i < boxes.box.size(); ++i) {
    shape.halo.push_back(boxes.box[i] + boxes.reach[i]);
    volume *= boxes.box[i];
  }
  sizes.batch = boxes.batch;
  sizes.box = boxes.box;
  sizes.phases.assign(boxes.box.size(), 1);
  sizes.taps.assign(boxes.box.size(), 1);
  sizes.chunk = shape.chunkChannels;
  sizes.lanes = order == Layout::ChannelsFirst ? ir::Lanes::Positions
                                               : ir::Lanes::Channels;
  sizes.workerTile = {roundUp(volume, 16), 64};
  sizes.split = split;
  SCOPED_TRACE(::testing::Message()
               << "box " << boxes.box.back() << ", " << name(type) << ", "
               << name(order) << ", " << split << " shares of " << steps
               << " steps, size " << size);
  ASSERT_NO_FATAL_FAILURE(checkLayout(shape, makeKernel(sizes)));
}

TEST(MmaLayout, SweepOfBoxesTypesAndChunks) {
  for (const Boxes &boxes : kBoxes)
    for (ElementType type :
         {ElementType::F32, ElementType::F16, ElementType::BF16})
      for (Layout order : {Layout::ChannelsFirst, Layout::ChannelsLast})
        for (int64_t steps : {1, 2, 4}) {
          for (int64_t size : {1, 2, 3, 4, 8, 24, 40})
            ASSERT_NO_FATAL_FAILURE(
                checkSweep(boxes, type, order, steps, 1, size));
          for (int64_t split : {2, 4})
            for (int64_t size : {3, 40})
              ASSERT_NO_FATAL_FAILURE(
                  checkSweep(boxes, type, order, steps, split, size));
        }
}

TEST(MmaLayout, KernelsOfTheConformanceLayers) {
  int64_t checked = 0;
  for (const auto &[layer, name, problem, kernel] :
       tuningtest::chosenKernels()) {
    SCOPED_TRACE(name);
    const auto plans = planPhases(problem);
    ASSERT_TRUE(plans);
    const PatchShape shape =
        patchShape(kernel, problem, chunkHalo(kernel, problem, *plans));
    ASSERT_NO_FATAL_FAILURE(checkLayout(shape, kernel));
    checked += kernel.getBox().asArrayRef().back() % 8 == 0;
  }
  EXPECT_GT(checked, 1000);
}

// Rows of interleaved octets are all positions, and octets that take turns hold
// neighbours in the same row.
TEST(MmaLayout, InterleavedOctetsAreAPermutation) {
  for (int64_t turns : {1, 2, 4})
    for (int64_t octets = turns; octets <= 8 * turns; octets += turns) {
      std::set<int64_t> seen;
      for (int64_t octet = 0; octet < octets; ++octet)
        for (int64_t g = 0; g < 8; ++g) {
          const int64_t position = octetPosition(turns, octet, g);
          ASSERT_GE(position, 0);
          ASSERT_LT(position, 8 * octets);
          ASSERT_TRUE(seen.insert(position).second);
          // They stay among the octets that take turns, a warp's own.
          ASSERT_EQ(position / (8 * turns), octet / turns);
          if (octet % turns > 0) {
            ASSERT_EQ(position, octetPosition(turns, octet - 1, g) + 1);
          }
        }
    }
}

TEST(MmaLayout, RowsAreLoadedAheadWhereThatPays) {
  KernelSizes sizes;
  sizes.family = ir::Family::WgmmaRA;
  sizes.lanes = ir::Lanes::Channels;
  sizes.box = {16, 16}, sizes.phases = {1, 1}, sizes.taps = {3, 3};
  sizes.workers = {4, 1}, sizes.workerTile = {64, 64};
  auto ahead = [](const KernelSizes &sizes) {
    PatchShape shape;
    shape.layout = Layout::ChannelsLast;
    shape.chunkChannels = shape.groupChannels = shape.inputChannels =
        sizes.chunk;
    shape.halo = {1, 18, 18};
    const ir::KernelAttr kernel = makeKernel(sizes);
    return loadsAhead(kernel, layoutPatch(shape, kernel));
  };
  // 128 sums, two sets of 16 registers for rows, nine groups.
  EXPECT_TRUE(ahead(sizes));
  KernelSizes fewGroups = sizes;
  fewGroups.taps = {2, 4};
  EXPECT_FALSE(ahead(fewGroups));
  // Two steps a load: half the groups, and rows of twice the registers.
  fewGroups.chunk = 16;
  EXPECT_FALSE(ahead(fewGroups));
  KernelSizes wide = sizes;
  wide.workerTile = {16, 128};
  EXPECT_FALSE(ahead(wide));
  wide.workerTile = {16, 64};
  EXPECT_TRUE(ahead(wide));
  KernelSizes manySums = sizes;
  manySums.phases = {1, 2}, manySums.workerTile = {64, 40};
  EXPECT_FALSE(ahead(manySums));
  KernelSizes ofWarps = sizes;
  ofWarps.family = ir::Family::MmaSync;
  EXPECT_FALSE(ahead(ofWarps));
}

TEST(MmaLayout, WarpsInterleaveWholeTurns) {
  int64_t interleaved = 0;
  for (const auto &[layer, name, problem, kernel] :
       tuningtest::chosenKernels()) {
    const int64_t turns = interleavedOctets(
        kernel, problem.layout == Layout::ChannelsLast, problem.type);
    ASSERT_EQ(kernel.getWorkerTile()[0] % (8 * turns), 0) << name;
    if (kernel.getFamily() == ir::Family::MmaSync || kernel.getSplit() > 1 ||
        problem.layout == Layout::ChannelsFirst) {
      ASSERT_EQ(turns, 1) << name;
    }
    interleaved += turns > 1;
  }
  EXPECT_GT(interleaved, 100);
}
} // namespace
