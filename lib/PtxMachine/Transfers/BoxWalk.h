//===- BoxWalk.h - The bytes that a tensor copy moves -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Tensors": which elements the box at some coordinates has, and where
// each lies in shared memory.
//
// A box is a list of rows, each of contiguous elements along dimension 0.
//
//  * Tiled: a row for every combination of indices of the other dimensions, the
//    lower ones running first; index k of a dimension is at its coordinate plus
//    k times its step, and a box of b elements has ceil(b / step) indices.
//  * Im2col: a row for every pixel. The base walks the pixel box, W first, in
//    steps; beyond the upper corner it goes back to the lower one and one step
//    on in H, then D, then N. The pixel is where the base is plus the offsets.
//
// With interleaving the dimensions are W{, H{, D}}, C, N, where C counts slices
// of 16 or 32 bytes, and the slices of a line of W are contiguous. A row is
// then one slice, W is a dimension like the others, and a box has one index of
// C whatever its size there.
//
// Rows follow each other in shared memory: without swizzling immediately (so
// do slices), with swizzling each at a multiple of the swizzle's span, however
// short it is. What swizzling permutes are then absolute addresses of shared
// memory (Swizzle.h).
//
// Where the ISA leaves room (rows shorter than the span, the order of im2col
// with steps, interleaving), this is what an H200 was seen to do.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_BOXWALK_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_BOXWALK_H

#include "Transfers/TensorMapFields.h"

#include <string>

namespace ctc::ptx {

/// Operands of a tensor copy: where the box is, and the offsets of im2col.
struct BoxPlace {
  int32_t coordinates[kMaxTensorRank] = {};
  uint16_t offsets[kMaxPixelRank] = {};
};

/// Contiguous bytes of a box.
struct BoxRun {
  uint64_t global = 0; ///< Address of the first byte, if inside.
  uint32_t shared = 0; ///< Of the first byte, from the box's start, unswizzled.
  uint32_t bytes = 0;
  bool inside = false; ///< Of the tensor; else it is filled.
};

class BoxWalk {
public:
  BoxWalk(const TensorMapFields &map, const BoxPlace &place);

  /// What is wrong with the place and what is legal; empty if nothing.
  static std::string problem(const TensorMapFields &map, const BoxPlace &place);

  /// Rows of the box, bytes of each, and from one to the next in shared memory.
  static uint64_t rows(const TensorMapFields &map);
  static uint32_t rowBytes(const TensorMapFields &map);
  static uint32_t rowPitch(const TensorMapFields &map);

  /// The next run, in the order of shared memory; false at the end. A row is
  /// one run, or up to three where the tensor ends within it.
  bool next(BoxRun &run);

private:
  void findRow();
  void step();
  void stepPixel();

  const TensorMapFields &map;
  const BoxPlace &place;
  uint64_t row = 0, rowCount;
  uint32_t length, pitch;
  int64_t position[kMaxTensorRank]; ///< Of the row, or of the filter's base.
  uint32_t index[kMaxTensorRank] = {};
  /// Of the row: bytes in front of the tensor, then inside of it.
  uint32_t before = 0, inside = 0;
  uint64_t address = 0; ///< Of the first byte inside.
  uint32_t done = 0;    ///< Bytes of the row that are behind.
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_BOXWALK_H
