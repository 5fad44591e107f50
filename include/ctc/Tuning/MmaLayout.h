//===- MmaLayout.h - Workgroup memory and fragments of mma_sync -*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything is counted in words of 32 bits, and a plane is one word per
// position: an f32 channel, or a pair of 16-bit channels. In words the two
// instructions that mma_sync uses are one (PTX ISA 9.7.15.5.8 "Matrix Fragments
// for mma.m16n8k16" and ...5.4 "m16n8k8" with .tf32): both reduce over 8
// planes. With lane = 4 * g + t, a lane's registers hold
//
//   of 8 rows or columns:  element g, planes t and t + 4     (h = 0, 1)
//   of the accumulator:    rows g, g + 8, columns 2t, 2t + 1
//
// where 16 rows are two times 8. Since both operands are ours to lay out, the
// plane that a register (t, h) of reduction step s holds may be any that both
// agree on:
//
//   patch [plane][position]:  plane 8 * s + t + 4 * h, one word a load
//   patch [position][plane]:  plane t * (planes / 4) + 2 * s + h, so that a
//                             lane reads neighbours, up to 16 bytes a load
//
// Where octets of positions take turns, lanes take turns in [position][plane]
// with what one load brings, r words: with k = 2 * s + h, plane
// k / r * 4 * r + t * r + k % r. Then the four lanes of a position read 4 * r
// words in a row, and a position's neighbour two or four positions on reads
// other banks, at a pitch that keeps copies of 16 bytes aligned.
//
// Where warps split the reduction, each takes a run of planes as if the chunk
// had no more: share w of S has planes w * (planes / S) and on, steps
// w * (steps / S) and on, and the formulas hold inside of it.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_MMALAYOUT_H
#define CTC_TUNING_MMALAYOUT_H

#include "ctc/Dialect/CTC.h"
#include "ctc/Support/Problem.h"

namespace ctc {

/// Planes that one matrix instruction reduces over.
inline constexpr int64_t kMmaPlanes = 8;
/// Positions or channels of a fragment that holds 8 of them.
inline constexpr int64_t kOctet = 8;

/// What a patch of one chunk is, before it has a place.
struct PatchShape {
  ElementType type = ElementType::F32;
  Layout layout = Layout::ChannelsFirst;
  int64_t chunkChannels = kMmaPlanes;
  int64_t groupChannels = 1; ///< Input channels of a group.
  int64_t inputChannels = 1; ///< Of all groups.
  int64_t inputWidth = 1;    ///< Input size of the innermost dimension.
  std::vector<int64_t> halo; ///< Samples, then elements per dimension.
};

/// A patch in workgroup memory. Sizes in words unless they say otherwise.
struct PatchLayout {
  bool planesContiguous = false; ///< [position][plane], else [plane][position].
  int64_t wordElements = 1;      ///< Elements of a word.
  int64_t planes = 0;
  int64_t split = 1; ///< Shares of the planes.
  /// Neighbouring planes that a lane has before the next lane's turn; 0: all of
  /// its planes are neighbours.
  int64_t lanePlanes = 0;
  /// Elements of one copy, along positions of the innermost dimension or along
  /// channels. Copies along positions start at multiples of it, so the stored
  /// window begins up to vector - 1 positions before the halo.
  int64_t vector = 1;
  /// Whether cp.async can copy it: words, laid out as they lie in memory.
  bool async = false;
  std::vector<int64_t> window;  ///< Stored positions: samples, then dimensions.
  std::vector<int64_t> strides; ///< Of the window's dimensions.
  int64_t planeStride = 1;
  int64_t words = 0; ///< All of it.

  int64_t bytes() const { return words * 4; }
  /// Planes of a share.
  int64_t sharePlanes() const { return planes / split; }
  int64_t shareSteps() const { return sharePlanes() / kMmaPlanes; }
  /// Elements that one copy writes: a vector of each element of a word.
  int64_t copyElements() const {
    return planesContiguous ? vector : vector * wordElements;
  }
  /// Words from a position to the next; with planes, some may be padding.
  int64_t pitch() const { return strides.back(); }
  /// Copies of a position, where planes are contiguous: its padding is left.
  int64_t positionCopies() const { return planes * wordElements / vector; }
  /// Copies of all of it.
  int64_t copies() const;
  /// Words of one load of a fragment.
  int64_t loadWords() const;
  /// Reduction steps whose registers are loaded together.
  int64_t stepsPerLoad() const { return std::max<int64_t>(1, loadWords() / 2); }
  /// Where planes are contiguous: neighbouring planes of a lane, and how far a
  /// lane's k-th plane is from its first.
  int64_t laneRun() const {
    return lanePlanes ? lanePlanes : sharePlanes() / 4;
  }
  int64_t lanePlane(int64_t k) const {
    return k / laneRun() * 4 * laneRun() + k % laneRun();
  }
  /// The plane of register (t, h) in reduction step `step`.
  int64_t plane(int64_t step, int64_t t, int64_t h) const;
};

/// Vectors of a thread up to which copies are unrolled, so that what does not
/// change from chunk to chunk is worked out once.
inline constexpr int64_t kMaxUnrolledCopies = 16;

/// Bytes of a buffer that `threads` fill in turns of one copy each, of
/// `copyBytes`: unrolled turns have no bounds, so the last may write past what
/// is needed.
int64_t bytesWithRoom(int64_t bytes, int64_t threads, int64_t copyBytes);
/// The same of a patch, whose copies step over what pads a position.
int64_t bytesWithRoom(const PatchLayout &layout, int64_t threads);

/// Lays out a patch so that loads of fragments have no bank conflicts where the
/// box allows it, and as few as possible elsewhere.
PatchLayout layoutPatch(const PatchShape &shape, ir::KernelAttr kernel);

/// Wavefronts past the least that loading the fragments of one reduction step
/// takes, over all octets of positions of a block: 0 is free of conflicts.
int64_t bankConflicts(const PatchLayout &layout, ir::KernelAttr kernel);

/// What interleaving depends on.
struct InterleaveShape {
  ir::Family family = ir::Family::MmaSync;
  int64_t split = 1;
  bool channelsLast = false;
  int64_t chunkBytes = 32; ///< Of a position.
  int64_t warpPositions = 8;
};

/// Octets of a warp whose positions take turns, I of them: row g of octet o is
/// position I * g + o. Then a tap's neighbour along the innermost dimension
/// finds in registers what all but one of the octets read; with I = 1 octets
/// may be rows of the box, which outer taps share. Measured on an H200, rows of
/// wgmma in channels last gain 4 to 15 % from it where a position has 32 planes
/// or more, and lose 3 to 13 % where it has fewer. Elsewhere 1: planes of
/// positions have no pitch that is free of conflicts and fits copies of 16
/// bytes, and outputs of columns lie together.
int64_t interleavedOctets(const InterleaveShape &shape);
int64_t interleavedOctets(ir::KernelAttr kernel, bool channelsLast,
                          ElementType type);

/// PatchLayout::lanePlanes of a kernel's patch.
int64_t lanePlanes(ir::KernelAttr kernel, bool channelsLast, ElementType type);

/// Whether warpgroups load the rows of a group of instructions before they
/// issue the group in front of it, which takes a second set of rows' registers.
/// Measured on an H200 with 259 kernels: the 134 that this takes gain 2.0 % in
/// geometric mean (-11 to +7 %). Where instructions are wide (128 channels)
/// they hide a load by themselves, chunks of few groups have nothing to look
/// ahead to, and where sums and rows take more registers, kernels spill.
bool loadsAhead(ir::KernelAttr kernel, const PatchLayout &layout);

/// The number of row or column g of an octet, `turns` of which are interleaved.
int64_t octetPosition(int64_t turns, int64_t octet, int64_t g);

/// Words from the window's start to every position of the block's box, octet by
/// octet, idle positions standing at the first.
std::vector<int64_t> positionWords(const PatchLayout &layout,
                                   ir::KernelAttr kernel);

/// How a tile is stored.
struct StorePlan {
  /// Through workgroup memory, a warp and 8 channels at a time, so that lanes
  /// store neighbours; else from registers, where that writes whole sectors of
  /// 32 bytes anyway.
  bool staged = false;
  int64_t run = 1;    ///< Neighbouring outputs of neighbouring positions: the
                      ///< phases grouped along the innermost dimension, or 1.
  int64_t vector = 1; ///< Elements of a store.
  /// Staged words of a channel. Fragments are staged without bank conflicts, of
  /// 8 grouped phases with two lanes to a bank.
  int64_t pitch = 0;

  /// Workgroup memory that a warp stages in.
  int64_t warpBytes() const { return staged ? kOctet * pitch * 4 : 0; }
};

/// What storing depends on.
struct StoreShape {
  ir::Lanes lanes = ir::Lanes::Positions;
  ElementType type = ElementType::F32;
  int64_t innerPhases = 1; ///< Grouped along the innermost dimension.
  int64_t boxWidth = 1;    ///< Positions of a box along it.
  int64_t warpPositions = 8;
  int64_t outputWidth = 1; ///< Of the innermost dimension.
  int64_t innerStride = 1;
  bool channelsLast = false;
};
StorePlan planStore(const StoreShape &shape);
StorePlan planStore(ir::KernelAttr kernel, ElementType type, bool channelsLast,
                    int64_t outputWidth, int64_t innerStride);

/// Bytes in which the warps of a split exchange their sums; 0 without one.
int64_t exchangeBytes(ir::KernelAttr kernel);

/// Workgroup memory of a kernel in bytes.
struct MmaMemory {
  PatchLayout patch;
  int64_t patchBytes = 0;  ///< One buffer.
  int64_t weightBytes = 0; ///< One buffer.
  int64_t totalBytes = 0;  ///< With all stages, or what storing takes.
};

/// The patch of a chunk; `halo` is what ctc-tile loads for it, per spatial
/// dimension.
PatchShape patchShape(ir::KernelAttr kernel, const Problem &problem,
                      llvm::ArrayRef<int64_t> halo);

/// Of a kernel whose patches have that halo.
MmaMemory mmaMemory(ir::KernelAttr kernel, const Problem &problem,
                    llvm::ArrayRef<int64_t> halo);

/// The order of the weights inside a chunk and a tile of output channels:
/// [step][16 or 8 channels][lane][register][element of the word], or with
/// `cores` [step][8 channels][h][channel][t][element of the word]: core
/// matrices of 8 channels by 16 bytes, as wgmma reads them from workgroup
/// memory (PTX ISA 9.7.16.5.1, K-major without swizzle).
struct FragmentOrder {
  int64_t wordElements = 1;
  int64_t planes = 0; ///< Of a chunk.
  bool planesContiguous = false;
  /// Channels are columns: neighbours in the accumulator's two columns and two
  /// octets become neighbouring channels, four in a lane.
  bool columns = false;
  int64_t channels = 8; ///< Of a tile.
  int64_t unit = 8;     ///< Channels whose registers a lane loads together.
  bool cores = false;
  int64_t split = 1;      ///< Shares of the planes.
  int64_t lanePlanes = 0; ///< As the patch's.

  int64_t octets() const { return unit / kOctet; }
  int64_t registers() const { return 2 * octets(); }
};

/// The unit of a kernel's weights: 16 channels if a warp's are multiples of it.
/// Where columns are channels that are not neighbours in the output, 8.
int64_t fragmentUnit(ir::KernelAttr kernel, bool channelsLast);

/// The order of a kernel's weights for a patch of that layout.
FragmentOrder fragmentOrder(ir::KernelAttr kernel, const PatchLayout &patch);

/// The input channel of the chunk and the output channel of the tile that stand
/// at an element.
std::pair<int64_t, int64_t> fragmentElement(const FragmentOrder &order,
                                            int64_t element);

} // namespace ctc

#endif // CTC_TUNING_MMALAYOUT_H
