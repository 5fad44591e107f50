//===- Npy.cpp - Tensors in NumPy's file format ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/Npy.h"
#include "ctc/Support/File.h"
#include "ctc/Support/Float.h"

#include <algorithm>
#include <charconv>
#include <cstring>

using namespace ctc;

namespace {
constexpr std::string_view kMagic = "\x93NUMPY";

struct Header {
  char kind = 0; ///< '2', '4' or '8': bytes of a little-endian float.
  std::vector<int64_t> shape;
};

/// Messages begin with the name of the file.
struct Context {
  const std::string &name;
  tl::unexpected<Error> error(const std::string &what) const {
    return makeError(ErrorCode::Usage, "'" + name + "' " + what);
  }
};
} // namespace

/// What follows `'key':` in the header's dictionary, blanks skipped.
static std::optional<std::string_view> valueOf(std::string_view header,
                                               std::string_view key) {
  for (char quote : {'\'', '"'}) {
    const std::string quoted = quote + std::string(key) + quote;
    size_t at = header.find(quoted);
    if (at == std::string_view::npos)
      continue;
    at = header.find(':', at + quoted.size());
    if (at == std::string_view::npos)
      return std::nullopt;
    at = header.find_first_not_of(" \t", at + 1);
    if (at == std::string_view::npos)
      return std::nullopt;
    return header.substr(at);
  }
  return std::nullopt;
}

static std::optional<std::vector<int64_t>> parseTuple(std::string_view text) {
  const size_t close = text.find(')');
  if (text.empty() || text.front() != '(' || close == std::string_view::npos)
    return std::nullopt;
  text = text.substr(1, close - 1);
  std::vector<int64_t> sizes;
  while (true) {
    const size_t begin = text.find_first_not_of(" ,");
    if (begin == std::string_view::npos)
      return sizes;
    int64_t size = 0;
    const auto [end, status] =
        std::from_chars(text.data() + begin, text.data() + text.size(), size);
    if (status != std::errc() || size < 0)
      return std::nullopt;
    sizes.push_back(size);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
}

static Expected<Header> parseHeader(std::string_view text,
                                    const Context &context) {
  Header header;
  const auto descr = valueOf(text, "descr");
  const auto order = valueOf(text, "fortran_order");
  const auto shape = valueOf(text, "shape");
  if (!descr || !order || !shape)
    return context.error("is not a .npy file: its header lacks descr, "
                         "fortran_order or shape");
  const std::string_view quoted =
      descr->substr(0, descr->find_first_of("'\"", 1));
  const std::string_view type =
      quoted.substr(std::min<size_t>(1, quoted.size()));
  if (type != "<f2" && type != "<f4" && type != "<f8")
    return context.error("holds elements of type '" + std::string(type) +
                         "', must be little-endian float16 '<f2', float32 "
                         "'<f4' or float64 '<f8'");
  header.kind = type.back();
  if (order->substr(0, 5) != "False")
    return context.error("is in Fortran order, must be in C order");
  auto sizes = parseTuple(*shape);
  if (!sizes)
    return context.error("has a shape that is no tuple of sizes");
  header.shape = std::move(*sizes);
  return header;
}

/// The header's text and where the elements begin.
static Expected<std::pair<std::string_view, size_t>>
splitHeader(std::string_view bytes, const Context &context) {
  if (bytes.substr(0, kMagic.size()) != kMagic)
    return context.error("is not a .npy file: it does not begin with "
                         "'\\x93NUMPY'");
  if (bytes.size() < 12)
    return context.error("is truncated in its header");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    return context.error("has .npy version " + std::to_string(version) +
                         ", must be 1, 2 or 3");
  const size_t lengthBytes = version == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < lengthBytes; ++i)
    length |= static_cast<size_t>(static_cast<unsigned char>(bytes[8 + i]))
              << (8 * i);
  const size_t begin = 8 + lengthBytes;
  if (bytes.size() - begin < length)
    return context.error("is truncated in its header");
  return std::pair{bytes.substr(begin, length), begin + length};
}

static double elementAt(const char *bytes, char kind) {
  if (kind == '8') {
    double value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
  if (kind == '4') {
    float value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return decode(bits, kF16);
}

Expected<Tensor> ctc::parseNpy(std::string_view bytes, ElementType type,
                               const std::string &name) {
  const Context context{name};
  auto split = splitHeader(bytes, context);
  if (!split)
    return tl::unexpected(split.error());
  auto header = parseHeader(split->first, context);
  if (!header)
    return tl::unexpected(header.error());
  const int64_t width = header->kind - '0';
  std::vector<int64_t> sizes = header->shape;
  sizes.push_back(width);
  const auto need = checkedProduct(sizes);
  const auto have = static_cast<int64_t>(bytes.size() - split->second);
  if (!need || *need != have)
    return context.error(
        "is " + std::string(!need || *need > have ? "truncated" : "too long") +
        ": its shape " + formatShape(header->shape) + " needs " +
        (need ? std::to_string(*need) : "2^63") +
        " bytes of elements, there are " + std::to_string(have));
  Tensor tensor(type, header->shape);
  const char *elements = bytes.data() + split->second;
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.set(i, elementAt(elements + i * width, header->kind));
  return tensor;
}

Expected<Tensor> ctc::readNpy(const std::string &path, ElementType type,
                              const std::vector<int64_t> &shape) {
  auto bytes = readFile(path);
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto tensor =
      parseNpy({reinterpret_cast<const char *>(bytes->data()), bytes->size()},
               type, path);
  if (!tensor)
    return tensor;
  const bool fits =
      std::equal(shape.begin(), shape.end(), tensor->shape().begin(),
                 tensor->shape().end(), [](int64_t want, int64_t have) {
                   return want == kDynamic || want == have;
                 });
  if (!fits)
    return Context{path}.error(
        (tensor->shape().empty()
             ? "has no dimensions"
             : "has shape " + formatShape(tensor->shape())) +
        ", must be " + formatShape(shape));
  return tensor;
}

std::string ctc::formatNpy(const Tensor &tensor) {
  const bool half = tensor.type() == ElementType::F16;
  std::string header = std::string("{'descr': '") + (half ? "<f2" : "<f4") +
                       "', 'fortran_order': False, 'shape': (";
  for (int64_t size : tensor.shape())
    header += std::to_string(size) + ", ";
  header += "), }";
  // The elements begin at a multiple of 64 bytes, after a line feed.
  const size_t fixed = kMagic.size() + 4;
  header.append(63 - (fixed + header.size()) % 64, ' ');
  header += '\n';

  std::string bytes(kMagic);
  bytes += '\x01';
  bytes += '\x00';
  bytes += static_cast<char>(header.size() & 0xff);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  if (tensor.type() != ElementType::BF16) {
    bytes.append(reinterpret_cast<const char *>(tensor.bytes().data()),
                 tensor.bytes().size());
    return bytes;
  }
  for (int64_t i = 0; i < tensor.count(); ++i) {
    const auto value = static_cast<float>(tensor.get(i));
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(value));
  }
  return bytes;
}

Expected<void> ctc::writeNpy(const std::string &path, const Tensor &tensor) {
  const std::string bytes = formatNpy(tensor);
  return writeFileAtomically(
      path, {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
}
