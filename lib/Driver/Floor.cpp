//===- Floor.cpp - The least time a layer can take ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Floor.h"
#include "ctc/Chips/Chips.h"

using namespace ctc;
using namespace ctc::driver;

/// On one H200 with driver 580: a copy between two buffers, bytes read plus
/// bytes written; products of large random matrices; f32 as published, which
/// FMA reaches.
static Ceilings measuredOnH200() {
  return {"H200", "measured on an H200", 4.3e12, 200e12, 395e12, 33.5e12};
}

std::optional<Ceilings> driver::ceilingsOf(std::string_view gpu, int major,
                                           int minor) {
  if (major == 9 && minor == 0 && gpu.find("H200") != std::string_view::npos)
    return measuredOnH200();
  for (const Chip &chip : allChips()) {
    if (chip.major != major || chip.minor != minor)
      continue;
    const double matrix = chip.board.multiprocessors * chip.board.matrixClock;
    return Ceilings{
        std::string(chip.board.name),
        "published for the " + std::string(chip.board.name) + ", not measured",
        chip.board.memoryBytes,
        chip.rates.matrixTf32 * matrix,
        chip.rates.matrix16 * matrix,
        chip.rates.fp32 * chip.board.multiprocessors * chip.board.clock};
  }
  return std::nullopt;
}

namespace {
struct Unit {
  const char *name;
  double rate;
};
} // namespace

static Unit unitOf(const Problem &problem, const Ceilings &ceilings) {
  if (problem.type != ElementType::F32)
    return {"16-bit", ceilings.sixteen};
  switch (problem.precision) {
  case Precision::TF32:
    return {"tf32", ceilings.tf32};
  case Precision::TF32x3:
    return {"tf32, three times", ceilings.tf32 / 3};
  case Precision::IEEE:
    break;
  }
  return {"f32", ceilings.fp32};
}

/// Bytes of x, w and y. The manifest's sum is per sample for a dynamic batch,
/// weights included, so it is made from the shapes.
static double leastBytes(const Problem &problem) {
  double elements = 0;
  for (const std::vector<int64_t> &shape :
       {problem.inputShape(), problem.weightShape(), problem.outputShape()}) {
    double count = 1;
    for (int64_t size : shape)
      count *= static_cast<double>(size);
    elements += count;
  }
  return elements * static_cast<double>(byteWidth(problem.type));
}

Floor driver::floorOf(const Problem &problem, const WorkFactors &work,
                      bool workIsPerSample, const Ceilings &ceilings) {
  const Unit unit = unitOf(problem, ceilings);
  Floor floor;
  floor.unit = unit.name;
  floor.bytes = leastBytes(problem);
  floor.multiplyAdds =
      work.usefulMacs *
      (workIsPerSample ? static_cast<double>(problem.batch) : 1.0);
  const double memory = floor.bytes / ceilings.memoryBytes;
  const double compute = floor.multiplyAdds / unit.rate;
  floor.isCompute = compute > memory;
  floor.seconds = std::max(memory, compute);
  return floor;
}
