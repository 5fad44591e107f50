//===- FragmentOrderTest.cpp ----------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The order of packed weights against the fragment layouts of the PTX ISA
// (9.7.15.5.4 "Matrix Fragments for mma.m16n8k8", .tf32, and 9.7.15.5.8 "...
// m16n8k16", .f16 and .bf16), written out once more, and with core matrices
// against the layout that a descriptor of wgmma names (9.7.16.5.1 "Register
// Fragments and Shared Memory Matrix Layouts", K-major without swizzle).

#include "TuningTesting.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace ctc;

namespace {
struct Place {
  int64_t line;      ///< Row of A, column of B.
  int64_t reduction; ///< Column of A, row of B.
};

/// Element `half` of the word in register `reg` of the 16 x 8k operand A.
Place ofA(int64_t wordElements, int64_t lane, int64_t reg, int64_t half) {
  const int64_t group = lane / 4, inGroup = lane % 4;
  if (wordElements == 1) // m16n8k8 .tf32: a0 a1 a2 a3.
    return {reg % 2 == 0 ? group : group + 8, reg < 2 ? inGroup : inGroup + 4};
  // m16n8k16: a0..a7, two to a register.
  const int64_t i = 2 * reg + half;
  const bool upper = (i >= 0 && i < 2) || (i >= 4 && i < 6);
  return {upper ? group : group + 8, inGroup * 2 + (i & 1) + (i < 4 ? 0 : 8)};
}

/// The same of the 8k x 8 operand B.
Place ofB(int64_t wordElements, int64_t lane, int64_t reg, int64_t half) {
  const int64_t group = lane / 4, inGroup = lane % 4;
  if (wordElements == 1) // b0 b1.
    return {group, reg == 0 ? inGroup : inGroup + 4};
  const int64_t i = 2 * reg + half;
  return {group, inGroup * 2 + (i & 1) + (i < 2 ? 0 : 8)};
}

/// Columns of C that a lane holds in each of its rows.
int64_t columnOfC(int64_t lane, int64_t i) { return lane % 4 * 2 + i; }

std::vector<FragmentOrder> allOrders() {
  std::vector<FragmentOrder> orders;
  for (int64_t wordElements : {1, 2})
    for (int64_t planes : {8, 16, 24, 32, 64})
      for (bool contiguous : {false, true})
        for (int64_t channels : {8, 16, 24, 32, 48, 128})
          for (int64_t unit : {8, 16})
            for (int64_t split : {1, 2, 3, 4})
              for (int64_t lanePlanes : {0, 2, 4})
                if (channels % unit == 0 && planes % (split * 8) == 0 &&
                    (lanePlanes == 0 ||
                     (contiguous && planes / split / 4 % lanePlanes == 0)))
                  orders.push_back({wordElements, planes, contiguous,
                                    /*columns=*/contiguous || unit == 8,
                                    channels, unit, /*cores=*/false, split,
                                    lanePlanes});
  return orders;
}

/// The same in core matrices, for both layouts that wgmma_ra has.
std::vector<FragmentOrder> coreOrders() {
  std::vector<FragmentOrder> orders;
  for (FragmentOrder order : allOrders())
    if (order.columns && (order.planesContiguous || order.unit == 8)) {
      order.cores = true;
      orders.push_back(order);
    }
  return orders;
}

int64_t elements(const FragmentOrder &order) {
  return order.planes * order.wordElements * order.channels;
}

/// The element at (step, unit, lane, register, half) of the stated order.
int64_t elementAt(const FragmentOrder &order, int64_t step, int64_t unit,
                  int64_t lane, int64_t reg, int64_t half) {
  const int64_t units = order.channels / order.unit;
  return (((step * units + unit) * 32 + lane) * order.registers() + reg) *
             order.wordElements +
         half;
}

/// Calls `body` for every (step, unit, lane, octet, h, half).
template <typename Body>
void forEachRegister(const FragmentOrder &order, Body body) {
  for (int64_t step = 0; step < order.planes / 8; ++step)
    for (int64_t unit = 0; unit < order.channels / order.unit; ++unit)
      for (int64_t lane = 0; lane < 32; ++lane)
        for (int64_t octet = 0; octet < order.octets(); ++octet)
          for (int64_t h = 0; h < 2; ++h)
            for (int64_t half = 0; half < order.wordElements; ++half)
              body(step, unit, lane, octet, h, half);
}

void expectPermutation(const std::vector<FragmentOrder> &orders) {
  for (const FragmentOrder &order : orders) {
    std::set<std::pair<int64_t, int64_t>> seen;
    for (int64_t element = 0; element < elements(order); ++element) {
      const auto at = fragmentElement(order, element);
      ASSERT_GE(at.first, 0);
      ASSERT_LT(at.first, order.planes * order.wordElements);
      ASSERT_GE(at.second, 0);
      ASSERT_LT(at.second, order.channels);
      ASSERT_TRUE(seen.insert(at).second);
    }
  }
}

TEST(FragmentOrder, IsAPermutation) {
  expectPermutation(allOrders());
  expectPermutation(coreOrders());
}

// A reduction index of the instruction must be one input channel, whatever the
// row or column, and the one that the patch's load puts into the same register.
TEST(FragmentOrder, BothOperandsAgreeOnTheReduction) {
  for (const FragmentOrder &order : allOrders()) {
    PatchLayout patch;
    patch.planesContiguous = order.planesContiguous;
    patch.planes = order.planes;
    patch.split = order.split;
    patch.lanePlanes = order.lanePlanes;
    patch.wordElements = order.wordElements;
    std::map<std::pair<int64_t, int64_t>, int64_t> inputs;
    forEachRegister(order, [&](int64_t step, int64_t unit, int64_t lane,
                               int64_t octet, int64_t h, int64_t half) {
      const Place place = ofB(order.wordElements, lane, h, half);
      const int64_t packed =
          fragmentElement(order, elementAt(order, step, unit, lane,
                                           h * order.octets() + octet, half))
              .first;
      const auto [known, fresh] =
          inputs.insert({{step, place.reduction}, packed});
      ASSERT_EQ(known->second, packed);
      const int64_t loaded =
          patch.plane(step, lane % 4, h) * order.wordElements + half;
      ASSERT_EQ(loaded, packed);
    });
    // Every input channel of the chunk has a reduction index.
    std::set<int64_t> distinct;
    for (const auto &[place, input] : inputs)
      distinct.insert(input);
    ASSERT_EQ(int64_t(distinct.size()), order.planes * order.wordElements);
  }
}

// A share's steps reduce over the share's planes, which are neighbours.
void expectShares(const std::vector<FragmentOrder> &orders) {
  for (const FragmentOrder &order : orders) {
    const int64_t channels = order.planes / order.split * order.wordElements;
    const int64_t share = elements(order) / order.split;
    for (int64_t element = 0; element < elements(order); ++element)
      ASSERT_EQ(fragmentElement(order, element).first / channels,
                element / share);
  }
}

TEST(FragmentOrder, SharesAreRunsOfChannels) {
  expectShares(allOrders());
  expectShares(coreOrders());
}

// Channels as rows: register (octet, h) of a unit of 16 is register
// 2 * h + octet of operand A, and row r is channel r of the unit.
TEST(FragmentOrder, RowsAreChannelsInTheirOrder) {
  for (const FragmentOrder &order : allOrders()) {
    if (order.columns)
      continue;
    forEachRegister(order, [&](int64_t step, int64_t unit, int64_t lane,
                               int64_t octet, int64_t h, int64_t half) {
      const Place place = ofA(order.wordElements, lane, 2 * h + octet, half);
      ASSERT_EQ(place.reduction,
                ofB(order.wordElements, lane, h, half).reduction);
      const auto at =
          fragmentElement(order, elementAt(order, step, unit, lane,
                                           h * order.octets() + octet, half));
      ASSERT_EQ(at.second, unit * order.unit + place.line);
    });
  }
}

// Channels as columns: what a lane holds in the accumulators of a unit are
// neighbouring channels, four of 16 or two of 8.
TEST(FragmentOrder, LanesHoldNeighbouringColumns) {
  for (const FragmentOrder &order : allOrders()) {
    if (!order.columns)
      continue;
    std::map<std::pair<int64_t, int64_t>, int64_t> channelOf; // (octet, column)
    forEachRegister(order, [&](int64_t step, int64_t unit, int64_t lane,
                               int64_t octet, int64_t h, int64_t half) {
      const auto at =
          fragmentElement(order, elementAt(order, step, unit, lane,
                                           h * order.octets() + octet, half));
      const int64_t column = ofB(order.wordElements, lane, h, half).line;
      const auto [known, fresh] =
          channelOf.insert({{octet, column}, at.second - unit * order.unit});
      ASSERT_EQ(known->second, at.second - unit * order.unit);
    });
    const int64_t held = 2 * order.octets();
    for (int64_t lane = 0; lane < 32; ++lane)
      for (int64_t i = 0; i < held; ++i) {
        const std::pair<int64_t, int64_t> at{i / 2, columnOfC(lane, i % 2)};
        ASSERT_EQ(channelOf.at(at), lane % 4 * held + i);
      }
  }
}

// A warp loads the registers of a unit as one run of neighbouring words.
TEST(FragmentOrder, WarpsLoadWeightsContiguously) {
  for (const FragmentOrder &order : allOrders()) {
    const int64_t width = order.registers();
    std::vector<int64_t> words;
    for (int64_t lane = 0; lane < 32; ++lane)
      words.push_back(elementAt(order, 0, 0, lane, 0, 0) / order.wordElements);
    for (int64_t lane = 0; lane < 32; ++lane)
      ASSERT_EQ(words[lane], lane * width);
    ASSERT_EQ(tuningtest::wavefronts(words, width), width);
    // Loads of a lane are aligned to their width wherever the unit stands.
    ASSERT_EQ(elementAt(order, 0, 1, 0, 0, 0) / order.wordElements % width, 0);
  }
}

/// Bytes from a descriptor's start to element (k, n) of the 8k x N operand B:
/// ((8, n), (T, 2)) : ((T, SBO), (1, LBO)) in elements, T of them in 16 bytes.
constexpr int64_t kLeadingBytes = 128, kStrideBytes = 256;
int64_t descriptorBytes(int64_t elementBytes, int64_t k, int64_t n) {
  const int64_t inRow = 16 / elementBytes;
  return n % 8 * 16 + n / 8 * kStrideBytes + k % inRow * elementBytes +
         k / inRow * kLeadingBytes;
}

// The instruction finds at (k, n) an input channel that is the same for all n,
// the one that the rows' registers hold at reduction index k, in every step.
TEST(FragmentOrder, DescriptorsFindTheChannelsOfTheRows) {
  for (const FragmentOrder &order : coreOrders()) {
    PatchLayout patch;
    patch.planesContiguous = order.planesContiguous;
    patch.planes = order.planes;
    patch.split = order.split;
    patch.lanePlanes = order.lanePlanes;
    const int64_t elementBytes = 4 / order.wordElements;
    const int64_t stepBytes = 8 * 4 * order.channels;
    for (int64_t step = 0; step < order.planes / 8; ++step)
      for (int64_t lane = 0; lane < 32; ++lane)
        for (int64_t reg = 0; reg < 4; ++reg)
          for (int64_t half = 0; half < order.wordElements; ++half) {
            const int64_t k =
                ofA(order.wordElements, lane, reg, half).reduction;
            // Registers of a lane: rows g and g + 8 of the first half of the
            // reduction, then of the second.
            const int64_t loaded =
                patch.plane(step, lane % 4, reg / 2) * order.wordElements +
                half;
            for (int64_t n = 0; n < order.channels; ++n) {
              const int64_t bytes =
                  step * stepBytes + descriptorBytes(elementBytes, k, n);
              ASSERT_EQ(bytes % elementBytes, 0);
              ASSERT_EQ(fragmentElement(order, bytes / elementBytes).first,
                        loaded);
            }
          }
  }
}

// Column n of the accumulator is channel n of the tile where channels lie apart
// in the output; else a lane's columns of 16 are four neighbours. Descriptors
// of warps beside each other begin at their own octets.
TEST(FragmentOrder, DescriptorsFindTheChannelsOfTheColumns) {
  for (const FragmentOrder &order : coreOrders()) {
    const int64_t elementBytes = 4 / order.wordElements;
    auto channelOf = [&](int64_t n) {
      const int64_t element =
          descriptorBytes(elementBytes, /*k=*/0, n) / elementBytes;
      return fragmentElement(order, element).second;
    };
    if (order.unit == 8) {
      for (int64_t n = 0; n < order.channels; ++n)
        ASSERT_EQ(channelOf(n), n);
      continue;
    }
    for (int64_t unit = 0; unit < order.channels; unit += 16)
      for (int64_t lane = 0; lane < 32; ++lane)
        for (int64_t i = 0; i < 4; ++i)
          ASSERT_EQ(channelOf(unit + i / 2 * 8 + columnOfC(lane, i % 2)),
                    unit + lane % 4 * 4 + i);
  }
}
} // namespace
