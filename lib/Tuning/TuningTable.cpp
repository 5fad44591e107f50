//===- TuningTable.cpp - Reading tables of measured kernels ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/TuningTable.h"
#include "ctc/Support/File.h"
#include "ctc/Tuning/ParseJson.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace ctc;
namespace json = llvm::json;

/// A value as it stands in the file, or "missing".
static std::string quote(const json::Value *value) {
  if (!value)
    return "missing";
  std::string text;
  llvm::raw_string_ostream(text) << *value;
  constexpr size_t kMost = 60;
  return text.size() > kMost ? text.substr(0, kMost) + "..." : text;
}

static tl::unexpected<Error> wrong(const std::string &where,
                                   llvm::StringRef key,
                                   const json::Value *value,
                                   const std::string &legal) {
  return makeError(ErrorCode::Usage, where + ": '" + key.str() + "' is " +
                                         quote(value) + ", must be " + legal);
}

/// A misspelt key is another problem, so keys are these and no others.
static Expected<void> checkKeys(const json::Object &object,
                                const std::string &where,
                                llvm::ArrayRef<llvm::StringRef> legal) {
  for (const auto &[key, value] : object)
    if (!llvm::is_contained(legal, llvm::StringRef(key)))
      return makeError(ErrorCode::Usage, where + ": there is no key '" +
                                             key.str() + "', must be of " +
                                             llvm::join(legal, ", "));
  return {};
}

namespace {
/// Reads values of an object and keeps the first error.
class Fields {
public:
  Fields(const json::Object &object, std::string where)
      : object(object), where(std::move(where)) {}

  int64_t integer(llvm::StringRef key) {
    const json::Value *value = object.get(key);
    if (value)
      if (std::optional<int64_t> number = value->getAsInteger())
        return *number;
    fail(key, "an integer");
    return 0;
  }

  /// A batch that is known at launch is null.
  int64_t batch(llvm::StringRef key) {
    const json::Value *value = object.get(key);
    return value && value->getAsNull() ? kDynamic : integer(key);
  }

  std::string text(llvm::StringRef key) {
    if (std::optional<llvm::StringRef> value = object.getString(key))
      if (!value->empty())
        return value->str();
    fail(key, "a text");
    return {};
  }

  double seconds(llvm::StringRef key) {
    const std::optional<double> value = object.getNumber(key);
    if (value && std::isfinite(*value) && *value > 0)
      return *value;
    fail(key, "a time in seconds above 0");
    return 0;
  }

  template <typename Enum>
  Enum named(llvm::StringRef key,
             std::optional<Enum> (*parse)(std::string_view),
             const char *legal) {
    if (std::optional<llvm::StringRef> value = object.getString(key))
      if (auto found = parse({value->data(), value->size()}))
        return *found;
    fail(key, std::string("one of ") + legal);
    return {};
  }

  /// Of each dimension an integer, or `each` of them.
  std::vector<std::vector<int64_t>> dimensions(llvm::StringRef key, size_t each,
                                               const char *legal) {
    std::vector<std::vector<int64_t>> found;
    const json::Array *list = object.getArray(key);
    for (const json::Value &value : list ? *list : json::Array()) {
      std::vector<int64_t> &sizes = found.emplace_back();
      if (each == 1) {
        sizes.push_back(value.getAsInteger().value_or(INT64_MIN));
      } else if (const json::Array *pair = value.getAsArray()) {
        for (const json::Value &side : *pair)
          sizes.push_back(side.getAsInteger().value_or(INT64_MIN));
      }
      if (sizes.size() != each || llvm::is_contained(sizes, INT64_MIN))
        list = nullptr;
    }
    if (rank == 0 && list && !list->empty() && list->size() <= 3)
      rank = list->size();
    if (rank > 0 && list && list->size() == rank)
      return found;
    fail(key, legal);
    // Of the lengths that the others count on.
    return std::vector<std::vector<int64_t>>(rank,
                                             std::vector<int64_t>(each, 0));
  }

  std::vector<int64_t> sizes(llvm::StringRef key) {
    std::vector<int64_t> values;
    for (const std::vector<int64_t> &one :
         dimensions(key, 1, "a list of integers, one per spatial dimension"))
      values.push_back(one.front());
    return values;
  }

  Expected<void> done() const {
    return error ? Expected<void>(tl::unexpected(*error)) : Expected<void>();
  }

private:
  void fail(llvm::StringRef key, const std::string &legal) {
    if (!error)
      error = wrong(where, key, object.get(key), legal).value();
  }

  const json::Object &object;
  const std::string where;
  size_t rank = 0;
  std::optional<Error> error;
};
} // namespace

/// A problem with the keys of a case of docs/Driver.md, and how it is computed.
static Expected<Problem> parseProblem(const json::Object &object,
                                      const std::string &where) {
  if (auto keys = checkKeys(object, where,
                            {"N", "Cin", "Cout", "groups", "spatial", "kernel",
                             "stride", "padding", "output_padding", "dilation",
                             "layout", "dtype", "precision"});
      !keys)
    return tl::unexpected(keys.error());
  Fields fields(object, where);
  Problem problem;
  const std::vector<int64_t> spatial = fields.sizes("spatial");
  const std::vector<int64_t> kernel = fields.sizes("kernel");
  const std::vector<int64_t> stride = fields.sizes("stride");
  const auto padding = fields.dimensions(
      "padding", 2, "a list of pairs [low, high], one per spatial dimension");
  const std::vector<int64_t> outputPadding = fields.sizes("output_padding");
  const std::vector<int64_t> dilation = fields.sizes("dilation");
  for (size_t i = 0; i < spatial.size(); ++i)
    problem.dims.push_back({spatial[i], kernel[i], stride[i], dilation[i],
                            padding[i][0], padding[i][1], outputPadding[i]});
  problem.batch = fields.batch("N");
  problem.inputChannels = fields.integer("Cin");
  problem.outputChannels = fields.integer("Cout");
  problem.groups = fields.integer("groups");
  problem.layout = fields.named<Layout>("layout", parseLayout,
                                        "channels_first, channels_last");
  problem.type =
      fields.named<ElementType>("dtype", parseElementType, "f32, f16, bf16");
  problem.precision = fields.named<Precision>("precision", parsePrecision,
                                              "tf32, tf32x3, ieee");
  if (auto done = fields.done(); !done)
    return tl::unexpected(done.error());
  if (auto legal = verify(problem); !legal)
    return makeError(ErrorCode::Usage, where + ": " + legal.error().message);
  return problem;
}

static Expected<TunedKernel> parseEntry(const json::Value &value,
                                        const std::string &where) {
  const json::Object *object = value.getAsObject();
  const json::Object *of = object ? object->getObject("problem") : nullptr;
  if (!object)
    return makeError(ErrorCode::Usage,
                     where + ": is " + quote(&value) + ", must be an object");
  if (auto keys = checkKeys(
          *object, where,
          {"problem", "kernel", "board", "seconds", "model_seconds", "layers"});
      !keys)
    return tl::unexpected(keys.error());
  if (!of)
    return wrong(where, "problem", object->get("problem"), "an object");
  auto problem = parseProblem(*of, where + ": problem");
  if (!problem)
    return tl::unexpected(problem.error());
  Fields fields(*object, where);
  TunedKernel entry;
  entry.problem = std::move(*problem);
  entry.kernel = fields.text("kernel");
  entry.board = fields.text("board");
  entry.seconds = fields.seconds("seconds");
  entry.modelSeconds = fields.seconds("model_seconds");
  if (auto done = fields.done(); !done)
    return tl::unexpected(done.error());
  return entry;
}

static void parseEntries(const json::Array &list, TuningTable &table) {
  for (const auto &[index, value] : llvm::enumerate(list)) {
    const std::string where = table.name + ": entry " + std::to_string(index);
    auto entry = parseEntry(value, where);
    if (!entry)
      table.damaged.push_back(entry.error().message);
    else if (table.find(entry->problem))
      table.damaged.push_back(where + ": has the problem of an entry before "
                                      "it, must have one of its own");
    else
      table.entries.push_back(std::move(*entry));
  }
}

/// What tells problems apart to which other kernels may be best.
static Problem signature(Problem problem) {
  problem.bias = false;
  problem.weightLayout = WeightLayout::InputOutputKernel;
  return problem;
}

const TunedKernel *TuningTable::find(const Problem &problem) const {
  const Problem wanted = signature(problem);
  for (const TunedKernel &entry : entries)
    if (entry.problem == wanted)
      return &entry;
  return nullptr;
}

Expected<TuningTable> ctc::parseTuningTable(llvm::StringRef text,
                                            llvm::StringRef name) {
  TuningTable table;
  table.name = name.str();
  auto parsed = parseJson(text, table.name + ":");
  if (!parsed)
    return tl::unexpected(parsed.error());
  const json::Object *object = parsed->getAsObject();
  if (!object)
    return makeError(ErrorCode::Usage,
                     table.name + ": is " + quote(&*parsed) +
                         ", must be an object with format, chip and entries");
  if (object->getInteger("format") != kTuningTableFormat)
    return wrong(table.name, "format", object->get("format"),
                 std::to_string(kTuningTableFormat));
  const std::optional<llvm::StringRef> chip = object->getString("chip");
  if (!chip || !findChip({chip->data(), chip->size()}))
    return wrong(table.name, "chip", object->get("chip"),
                 "one of " + listChips());
  table.chip = chip->str();
  const json::Array *entries = object->getArray("entries");
  if (!entries)
    return wrong(table.name, "entries", object->get("entries"), "a list");
  if (auto keys = checkKeys(*object, table.name, {"format", "chip", "entries"});
      !keys)
    return tl::unexpected(keys.error());
  parseEntries(*entries, table);
  return table;
}

Expected<TuningTable> ctc::readTuningTable(const std::string &path) {
  auto bytes = readFile(path);
  if (!bytes)
    return tl::unexpected(bytes.error());
  auto table = parseTuningTable(
      {reinterpret_cast<const char *>(bytes->data()), bytes->size()}, path);
  if (table && !table->damaged.empty())
    return makeError(ErrorCode::Usage, table->damaged.front());
  return table;
}
