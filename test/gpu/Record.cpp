//===- Record.cpp - Record files ------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One list of members serves reading and writing: `Archive` is a Writer or a
// Reader, and `visit` calls it on every member in the order of the format.
//
//===----------------------------------------------------------------------===//

#include "Record.h"

#include <algorithm>
#include <cstring>

using namespace ctc;
using namespace ctc::gpu;

namespace {

constexpr std::string_view kMagic = "CTCPTX01";

class Writer {
public:
  Bytes bytes;

  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void operator()(const T &value) {
    raw(&value, sizeof(T));
  }
  void operator()(const std::string &value) {
    (*this)(static_cast<uint64_t>(value.size()));
    raw(value.data(), value.size());
  }
  template <class T> void operator()(const std::vector<T> &values) {
    (*this)(static_cast<uint64_t>(values.size()));
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>)
      raw(values.data(), values.size() * sizeof(T));
    else
      for (const T &value : values)
        visitMembers(value);
  }
  template <class T, size_t N> void operator()(const std::array<T, N> &values) {
    raw(values.data(), N * sizeof(T));
  }
  void visitMembers(const std::string &value) { (*this)(value); }
  template <class T> void visitMembers(const T &value);

private:
  void raw(const void *data, size_t size) {
    const auto *begin = static_cast<const std::byte *>(data);
    bytes.insert(bytes.end(), begin, begin + size);
  }
};

/// Reads from a block; past its end everything is zero and `good` is false.
class Reader {
public:
  Reader(const std::byte *at, size_t left) : at(at), left(left) {}
  bool good = true;
  size_t remaining() const { return left; }

  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void operator()(T &value) {
    raw(&value, sizeof(T));
  }
  void operator()(std::string &value) {
    value.resize(length(1));
    raw(value.data(), value.size());
  }
  template <class T> void operator()(std::vector<T> &values) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      values.resize(length(sizeof(T)));
      raw(values.data(), values.size() * sizeof(T));
    } else {
      // Every element takes at least a byte, so a broken length ends here.
      values.resize(length(1));
      for (T &value : values)
        visitMembers(value);
    }
  }
  template <class T, size_t N> void operator()(std::array<T, N> &values) {
    raw(values.data(), N * sizeof(T));
  }
  void visitMembers(std::string &value) { (*this)(value); }
  template <class T> void visitMembers(T &value);

private:
  size_t length(size_t elementBytes) {
    uint64_t count = 0;
    (*this)(count);
    if (count > left / elementBytes) {
      good = false;
      return 0;
    }
    return count;
  }
  void raw(void *data, size_t size) {
    if (size > left) {
      good = false;
      return;
    }
    if (size)
      std::memcpy(data, at, size);
    at += size;
    left -= size;
  }

  const std::byte *at;
  size_t left;
};

template <class A, class T>
void visit(A &archive, T &value)
  requires std::is_same_v<std::remove_const_t<T>, Pointer>
{
  archive(value.parameterOffset);
  archive(value.buffer);
}

/// A buffer in a file: numbers of blocks.
struct StoredBuffer {
  uint64_t before = 0, after = 0, bound = 0;
  Element element = Element::U8;
};

template <class A, class T>
void visit(A &archive, T &value)
  requires std::is_same_v<std::remove_const_t<T>, StoredBuffer>
{
  archive(value.before);
  archive(value.after);
  archive(value.bound);
  archive(value.element);
}

template <class A, class T>
void visit(A &archive, T &value)
  requires std::is_same_v<std::remove_const_t<T>, TensorMap>
{
  archive(value.parameterOffset);
  archive(value.buffer);
  archive(value.im2col);
  archive(value.dataType);
  archive(value.rank);
  archive(value.sizes);
  archive(value.strides);
  archive(value.box);
  archive(value.lowerCorner);
  archive(value.upperCorner);
  archive(value.channelsPerPixel);
  archive(value.pixelsPerColumn);
  archive(value.elementStrides);
  archive(value.interleave);
  archive(value.swizzle);
  archive(value.l2Promotion);
  archive(value.fill);
}

/// All but the text and the buffers, of which blocks are items of their own.
template <class A, class T>
void visit(A &archive, T &value)
  requires std::is_same_v<std::remove_const_t<T>, Case>
{
  archive(value.family);
  archive(value.name);
  archive(value.kernel);
  archive(value.grid);
  archive(value.block);
  archive(value.cluster);
  archive(value.dynamicSharedBytes);
  archive(value.parameters);
  archive(value.arguments);
  archive(value.pointers);
  archive(value.tensorMaps);
}

template <class A, class T>
void visit(A &archive, T &value)
  requires std::is_same_v<std::remove_const_t<T>, Module>
{
  archive(value.ptx);
  archive(value.cubin);
  archive(value.error);
  archive(value.cases);
  archive(value.kernels);
}

template <class T> void Writer::visitMembers(const T &value) {
  visit(*this, value);
}
template <class T> void Reader::visitMembers(T &value) { visit(*this, value); }

} // namespace

size_t gpu::bytesOf(Element element) {
  switch (element) {
  case Element::U8:
    return 1;
  case Element::U16:
  case Element::F16:
  case Element::BF16:
    return 2;
  case Element::U32:
  case Element::F32:
    return 4;
  case Element::U64:
  case Element::F64:
    return 8;
  }
  return 1;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<RecordWriter>>
RecordWriter::open(const std::string &path) {
  auto writer = std::make_unique<RecordWriter>();
  writer->path = path;
  writer->file.open(path, std::ios::binary | std::ios::trunc);
  writer->file << kMagic;
  if (!writer->file)
    return makeError(ErrorCode::Usage, "'" + path + "' cannot be written");
  return writer;
}

Expected<void> RecordWriter::writeItem(char letter, const void *body,
                                       uint64_t size) {
  file.put(letter);
  file.write(reinterpret_cast<const char *>(&size), sizeof size);
  file.write(static_cast<const char *>(body),
             static_cast<std::streamsize>(size));
  // Whole items only, whatever becomes of the process.
  file.flush();
  if (!file)
    return makeError(ErrorCode::Usage, "'" + path + "' cannot be written");
  return {};
}

/// The number of a block, written if it is new. A failure to write shows again
/// with the item that refers to it.
uint64_t RecordWriter::block(const void *bytes, size_t size) {
  auto [found, isNew] = blocks.emplace(
      std::string(static_cast<const char *>(bytes), size), blocks.size());
  if (isNew)
    (void)writeItem('B', bytes, size);
  return found->second;
}

Expected<void> RecordWriter::write(const Case &value) {
  const uint64_t text = block(value.ptx.data(), value.ptx.size());
  std::vector<StoredBuffer> buffers;
  for (const Buffer &buffer : value.buffers)
    buffers.push_back(
        {block(buffer.before.data(), buffer.before.size()),
         block(buffer.after.data(), buffer.after.size()),
         block(buffer.bound.data(), buffer.bound.size() * sizeof(double)),
         buffer.element});
  Writer body;
  body(text);
  visit(body, value);
  body(buffers);
  return writeItem('C', body.bytes.data(), body.bytes.size());
}

Expected<void> RecordWriter::write(const Module &value) {
  Writer body;
  visit(body, value);
  return writeItem('M', body.bytes.data(), body.bytes.size());
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// A case whose numbers do not point outside of it.
static bool isWhole(const Case &value) {
  const size_t buffers = value.buffers.size(), bytes = value.parameters.size();
  for (const Pointer &place : value.pointers)
    if (place.buffer >= buffers || place.parameterOffset + 8ull > bytes)
      return false;
  for (uint32_t offset : value.arguments)
    if (offset >= bytes)
      return false;
  for (const TensorMap &map : value.tensorMaps)
    if (map.buffer >= buffers || map.parameterOffset + 128ull > bytes ||
        map.rank == 0 || map.rank > 5)
      return false;
  for (const Buffer &buffer : value.buffers)
    if (buffer.before.size() != buffer.after.size() ||
        buffer.element > Element::F64 ||
        (!buffer.bound.empty() &&
         buffer.bound.size() != buffer.after.size() / bytesOf(buffer.element)))
      return false;
  return true;
}

using Blocks = std::vector<std::string_view>;

/// The elements of a block.
template <class T> static std::vector<T> elementsOf(std::string_view block) {
  std::vector<T> elements(block.size() / sizeof(T));
  if (!elements.empty())
    block.copy(reinterpret_cast<char *>(elements.data()),
               elements.size() * sizeof(T));
  return elements;
}

static bool readCase(Reader body, const Blocks &blocks, Case &value) {
  uint64_t text = 0;
  std::vector<StoredBuffer> buffers;
  body(text);
  visit(body, value);
  body(buffers);
  if (!body.good || text >= blocks.size())
    return false;
  value.ptx = blocks[text];
  for (const StoredBuffer &buffer : buffers) {
    if (std::max({buffer.before, buffer.after, buffer.bound}) >= blocks.size())
      return false;
    value.buffers.push_back({elementsOf<std::byte>(blocks[buffer.before]),
                             elementsOf<std::byte>(blocks[buffer.after]),
                             buffer.element,
                             elementsOf<double>(blocks[buffer.bound])});
  }
  return isWhole(value);
}

/// Adds one item to `records`; false when its body is not what it should be.
static bool readItem(char letter, std::string_view bytes, Blocks &blocks,
                     Records &records) {
  Reader body(reinterpret_cast<const std::byte *>(bytes.data()), bytes.size());
  if (letter == 'B') {
    blocks.push_back(bytes);
    return true;
  }
  if (letter == 'C')
    return readCase(body, blocks, records.cases.emplace_back());
  if (letter != 'M')
    return false;
  Module &value = records.modules.emplace_back();
  visit(body, value);
  bool good = body.good && value.kernels.size() == value.cases.size();
  for (uint64_t number : value.cases)
    good = good && number < records.cases.size();
  return good;
}

Expected<Records> gpu::readRecords(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)),
                    std::istreambuf_iterator<char>());
  if (!file)
    return makeError(ErrorCode::Usage, "'" + path + "' cannot be read");
  if (!bytes.starts_with(kMagic))
    return makeError(ErrorCode::Usage,
                     "'" + path +
                         "' is not a record file: it must begin with " +
                         std::string(kMagic));
  Records records;
  Blocks blocks;
  for (size_t at = kMagic.size(); at < bytes.size();) {
    const auto *item = reinterpret_cast<const std::byte *>(bytes.data()) + at;
    Reader head(item, bytes.size() - at);
    char letter = 0;
    uint64_t size = 0;
    head(letter);
    head(size);
    if (!head.good || size > head.remaining() ||
        !readItem(letter, std::string_view(bytes).substr(at + 9, size), blocks,
                  records))
      return makeError(ErrorCode::Usage, "'" + path + "' is broken at byte " +
                                             std::to_string(at));
    at += 9 + size;
  }
  return records;
}
