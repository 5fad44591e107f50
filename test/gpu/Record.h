//===- Record.h - Launches of the PTX machine, recorded ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch as the tests of the PTX machine ran it: the PTX, the shape of the
// launch, its parameters with the places of addresses and tensor maps, and the
// bytes of every buffer before and after. ptx-compare launches the same on a
// GPU and compares what stands there afterwards.
//
// A record file (.ptxrec) is the 8 bytes "CTCPTX01" and then, one after the
// other, items: a letter, the bytes of its body (u64), the body. Numbers are
// little-endian; a string or byte block is its length (u64) and its bytes; a
// list is its length (u64) and its elements.
//
//   'B'  a block of bytes. Blocks are numbered from 0 as they come, and every
//        different one is kept once: PTX texts, and the buffers of cases, many
//        of which have the same inputs.
//   'C'  a case: its PTX, then the members of Case in order; the PTX and the
//        before, after and bound of buffers are numbers of blocks (u64).
//   'M'  a module ready to load: members of Module in order. Only ptx-compare
//        pack writes these.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_RECORD_H
#define CTC_TEST_GPU_RECORD_H

#include "ctc/Support/Error.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ctc::gpu {

using Bytes = std::vector<std::byte>;

/// What the elements of a buffer are, for measuring how far two differ.
enum class Element : uint32_t { U8, U16, U32, U64, F16, BF16, F32, F64 };
size_t bytesOf(Element element);

struct Buffer {
  Bytes before;
  Bytes after; ///< What the PTX machine left; as long as `before`.
  Element element = Element::U8;
  /// Empty, or for every element the largest legal |got - expected|. Without it
  /// the bits must agree.
  std::vector<double> bound;
};

/// A place in the parameter block that holds the address of a buffer.
struct Pointer {
  uint32_t parameterOffset = 0;
  uint32_t buffer = 0;
};

/// A place in the parameter block that holds a tensor map (128 bytes). Numbers
/// are those of cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col.
struct TensorMap {
  uint32_t parameterOffset = 0;
  uint32_t buffer = 0;
  uint32_t im2col = 0; ///< 1 when encoded by cuTensorMapEncodeIm2col.
  uint32_t dataType = 0;
  uint32_t rank = 0;
  std::array<uint64_t, 5> sizes{};
  std::array<uint64_t, 4> strides{}; ///< Bytes, from the second dimension on.
  std::array<uint32_t, 5> box{};     ///< Tiled only.
  std::array<int32_t, 3> lowerCorner{}, upperCorner{}; ///< im2col only.
  uint32_t channelsPerPixel = 0, pixelsPerColumn = 0;  ///< im2col only.
  std::array<uint32_t, 5> elementStrides{};
  uint32_t interleave = 0, swizzle = 0, l2Promotion = 0, fill = 0;
};

struct Case {
  std::string family; ///< The test suite.
  std::string name;   ///< Unique in its file.
  std::string ptx;
  std::string kernel;
  std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1}, cluster{1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
  Bytes parameters;
  /// Where each of them, or each member of those that are structures, is in
  /// `parameters`.
  std::vector<uint32_t> arguments;
  std::vector<Pointer> pointers;
  std::vector<TensorMap> tensorMaps;
  std::vector<Buffer> buffers;
};

/// Cases that share one loadable image.
struct Module {
  std::string ptx;
  Bytes cubin;       ///< Empty when ptxas refused the text.
  std::string error; ///< What ptxas said then.
  /// Numbers of cases of this file, and their kernels' names in `ptx`.
  std::vector<uint64_t> cases;
  std::vector<std::string> kernels;
};

struct Records {
  std::vector<Case> cases;
  std::vector<Module> modules;
};

/// Writes a record file, item by item.
class RecordWriter {
public:
  static Expected<std::unique_ptr<RecordWriter>> open(const std::string &path);
  Expected<void> write(const Case &value);
  Expected<void> write(const Module &value);

private:
  Expected<void> writeItem(char letter, const void *body, uint64_t size);
  uint64_t block(const void *bytes, size_t size);

  std::string path;
  std::ofstream file;
  /// Their numbers by what they hold.
  std::map<std::string, uint64_t> blocks;
};

/// Reads a whole record file; names the file and the byte where it is broken.
Expected<Records> readRecords(const std::string &path);

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_RECORD_H
