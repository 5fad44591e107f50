//===- BoxSearch.cpp - Boxes that waste little ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/BoxSearch.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>
#include <limits>

using namespace ctc;

static constexpr int64_t kMaxVolume = 1 << 20;

int64_t BoxSearch::volume() const {
  int64_t positions = 1;
  for (int64_t size : sizes)
    positions = std::min(positions * std::min(size, kMaxVolume), kMaxVolume);
  return positions;
}

double BoxSearch::cost(const std::vector<int64_t> &box,
                       int64_t positions) const {
  double blocks = 1, halo = 1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    blocks *= double(ceilDiv(sizes[i], box[i]));
    const int64_t row = i + 1 < sizes.size()
                            ? box[i] + reach[i]
                            : roundUp(box[i] + reach[i], alignment);
    halo *= double(row) / double(box[i]);
  }
  const double sectors =
      double(roundUp(box.back(), rowGrain)) / double(box.back());
  return blocks * double(positions) *
         (1 + haloWeight * halo + rowWeight * sectors);
}

namespace {
/// Tries every box of power-of-two or exact sizes, innermost dimension first.
class Enumeration {
public:
  Enumeration(const BoxSearch &search, int64_t positions)
      : search(search), positions(positions), box(search.sizes.size(), 1),
        found(search.sizes.size(), 1) {
    visit(search.sizes.size() - 1, positions);
  }

  std::vector<int64_t> take() { return std::move(found); }

private:
  void visit(size_t dim, int64_t room) {
    for (int64_t size : candidates(dim, room)) {
      box[dim] = size;
      if (dim > 0) {
        visit(dim - 1, room / size);
      } else if (double cost = search.cost(box, positions); cost < least) {
        least = cost;
        found = box;
      }
    }
  }

  std::vector<int64_t> candidates(size_t dim, int64_t room) const {
    const int64_t all = search.sizes[dim];
    std::vector<int64_t> sizes;
    for (int64_t size = 1; size <= room && size < 2 * all; size *= 2)
      sizes.push_back(std::min(size, all));
    if (all <= room)
      sizes.push_back(all);
    for (int64_t parts = 2; parts <= 8; ++parts)
      if (int64_t part = ceilDiv(all, parts); part <= room)
        sizes.push_back(part);
    if (dim + 1 < box.size() || all < search.grain || room < search.grain)
      return sizes;
    for (int64_t &size : sizes)
      if (size = roundUp(size, search.grain); size > room)
        size -= search.grain;
    return sizes;
  }

  const BoxSearch &search;
  const int64_t positions;
  std::vector<int64_t> box, found;
  double least = std::numeric_limits<double>::infinity();
};
} // namespace

std::vector<int64_t> BoxSearch::best(int64_t positions) const {
  return Enumeration(*this, positions).take();
}

BoxSearch ctc::boxSearch(const Problem &problem,
                         const std::vector<DimPhasePlan> &plans) {
  BoxSearch search;
  search.sizes.push_back(
      problem.hasDynamicBatch() ? 1 : std::max<int64_t>(1, problem.batch));
  search.reach.push_back(0);
  for (const DimPhasePlan &plan : plans) {
    search.sizes.push_back(std::max<int64_t>(1, plan.maxQCount));
    search.reach.push_back(std::max<int64_t>(0, plan.maxTapCount - 1) *
                           plan.inputStep);
  }
  return search;
}
