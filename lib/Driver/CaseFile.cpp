//===- CaseFile.cpp - Layers to verify, from JSON -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CaseFile.h"
#include "Input.h"
#include "ctc/Tuning/ParseJson.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace ctc;
using namespace ctc::driver;
namespace json = llvm::json;
using llvm::StringRef;

/// What describes a layer.
static constexpr StringRef kLayerKeys[] = {
    "name",        "N",       "Cin",
    "Cout",        "spatial", "kernel",
    "stride",      "padding", "output_padding",
    "dilation",    "groups",  "bias",
    "out_spatial", "x",       "w",
    "y",           "b",       "epilogue"};

/// What files of cases say besides: origin, the spelling there, cost.
static constexpr StringRef kAnnotationKeys[] = {"aliases",
                                                "auto_pad",
                                                "bound",
                                                "bytes_min",
                                                "bytes_min_bf16",
                                                "bytes_min_fp32",
                                                "desc",
                                                "dir",
                                                "disabled_upstream",
                                                "dtype",
                                                "expected_shape",
                                                "gflop_useful",
                                                "gmacs_upper",
                                                "h200_floor_ms",
                                                "layout",
                                                "naive_over_useful",
                                                "negative_padding",
                                                "node_attrs",
                                                "output_shape",
                                                "post_ops",
                                                "published_baseline_ms",
                                                "rank",
                                                "self_check_max_abs_err",
                                                "source",
                                                "torch_legal",
                                                "why"};

namespace {
/// Reads the fields of one case; the first failure sticks.
class CaseReader {
public:
  CaseReader(const json::Object &object, std::string where)
      : object(object), where(std::move(where)) {}

  Expected<Case> read() {
    Case result;
    result.name = text("name");
    if (!result.name.empty())
      where += " '" + result.name + "'";
    else
      fail(ErrorCode::Usage, "'name' is empty, must be a text");
    checkKeys();
    Problem &problem = result.problem;
    problem.batch = integer("N");
    problem.inputChannels = integer("Cin");
    problem.outputChannels = integer("Cout");
    problem.groups = integer("groups");
    readDims(problem);
    problem.bias = boolean("bias");
    if (const json::Array *epilogue = object.getArray("epilogue"))
      result.namesEpilogue = !epilogue->empty();
    if (!failure)
      check(problem);
    if (!failure && object.get("x"))
      readTensors(result);
    if (failure)
      return tl::unexpected(*failure);
    return result;
  }

private:
  void fail(ErrorCode code, const llvm::Twine &what) {
    if (!failure)
      failure = Error{code, (where + ": " + what).str()};
  }

  /// A misspelt attribute would silently be another layer. The first unknown
  /// key in alphabetical order is named, as objects have no order.
  void checkKeys() {
    StringRef unknown;
    for (const auto &[key, value] : object)
      if (!llvm::is_contained(kLayerKeys, StringRef(key)) &&
          !llvm::is_contained(kAnnotationKeys, StringRef(key)) &&
          (unknown.empty() || StringRef(key) < unknown))
        unknown = key;
    if (!unknown.empty())
      fail(ErrorCode::Usage, "unknown key '" + unknown + "', a layer has " +
                                 llvm::join(llvm::ArrayRef(kLayerKeys), ", "));
  }

  /// `key` is missing, or is not `legal`.
  void failAt(StringRef key, const llvm::Twine &legal) {
    if (object.get(key))
      fail(ErrorCode::Usage, "'" + key + "' is no " + legal);
    else
      fail(ErrorCode::Usage, "has no '" + key + "'");
  }

  std::string text(StringRef key) {
    if (auto value = object.getString(key))
      return value->str();
    failAt(key, "text");
    return "";
  }

  int64_t integer(StringRef key) {
    if (auto value = object.getInteger(key))
      return *value;
    failAt(key, "integer");
    return 1;
  }

  /// null and a missing key are false.
  bool boolean(StringRef key) {
    const json::Value *value = object.get(key);
    if (!value || value->getAsNull())
      return false;
    if (auto flag = value->getAsBoolean())
      return *flag;
    fail(ErrorCode::Usage, "'" + key + "' is not true, false or null");
    return false;
  }

  std::vector<int64_t> integers(StringRef key, size_t count) {
    std::vector<int64_t> values;
    if (const json::Array *array = object.getArray(key))
      for (const json::Value &value : *array)
        values.push_back(value.getAsInteger().value_or(INT64_MIN));
    if (values.empty() || (count && values.size() != count) ||
        llvm::is_contained(values, INT64_MIN)) {
      failAt(key, "list of " + (count ? std::to_string(count) + " " : "") +
                      "integers");
      values.assign(std::max<size_t>(1, count), 1);
    }
    return values;
  }

  std::pair<int64_t, int64_t> paddingAt(size_t dim) {
    if (!object.get("padding")) {
      failAt("padding", "list");
      return {0, 0};
    }
    const json::Array *all = object.getArray("padding");
    if (all && dim < all->size()) {
      const json::Value &one = (*all)[dim];
      if (auto both = one.getAsInteger())
        return {*both, *both};
      const json::Array *sides = one.getAsArray();
      if (sides && sides->size() == 2 && (*sides)[0].getAsInteger() &&
          (*sides)[1].getAsInteger())
        return {*(*sides)[0].getAsInteger(), *(*sides)[1].getAsInteger()};
    }
    fail(ErrorCode::Usage, "'padding' has no number and no [low, high] for "
                           "dimension " +
                               llvm::Twine(dim));
    return {0, 0};
  }

  void readDims(Problem &problem) {
    const auto spatial = integers("spatial", 0);
    const size_t rank = spatial.size();
    const auto kernel = integers("kernel", rank);
    const auto stride = integers("stride", rank);
    const auto dilation = integers("dilation", rank);
    const auto outputPadding = integers("output_padding", rank);
    for (size_t i = 0; i < rank; ++i) {
      const auto [low, high] = paddingAt(i);
      problem.dims.push_back({spatial[i], kernel[i], stride[i], dilation[i],
                              low, high, outputPadding[i]});
    }
  }

  void check(const Problem &problem) {
    if (auto legal = verify(problem); !legal)
      return fail(ErrorCode::InvalidProblem, legal.error().message);
    if (!object.get("out_spatial"))
      return;
    const auto expected = integers("out_spatial", problem.dims.size());
    if (!failure && expected != problem.outputSpatial())
      fail(ErrorCode::Usage, "'out_spatial' is " + formatShape(expected) +
                                 ", the definition gives " +
                                 formatShape(problem.outputSpatial()));
  }

  std::vector<double> tensor(StringRef key, const std::vector<int64_t> &shape) {
    std::vector<double> values;
    const json::Value *value = object.get(key);
    if (!value || !flatten(*value, shape, values))
      failAt(key, "nested list of shape " + formatShape(shape));
    return values;
  }

  static bool flatten(const json::Value &value, llvm::ArrayRef<int64_t> shape,
                      std::vector<double> &values) {
    if (shape.empty()) {
      const auto number = value.getAsNumber();
      values.push_back(number.value_or(0));
      return number.has_value();
    }
    const json::Array *array = value.getAsArray();
    if (!array || static_cast<int64_t>(array->size()) != shape.front())
      return false;
    return llvm::all_of(*array, [&](const json::Value &element) {
      return flatten(element, shape.drop_front(), values);
    });
  }

  void readTensors(Case &result) {
    CaseTensors tensors;
    tensors.input = tensor("x", result.problem.inputShape());
    tensors.weight = tensor("w", result.problem.weightShape());
    tensors.output = tensor("y", result.problem.outputShape());
    if (result.problem.bias)
      tensors.bias = tensor("b", {result.problem.outputChannels});
    result.tensors = std::move(tensors);
  }

  const json::Object &object;
  std::string where;
  std::optional<Error> failure;
};
} // namespace

Expected<std::vector<Case>> driver::parseCases(StringRef text,
                                               const std::string &path) {
  auto root = parseJson(text, "'" + path + "'");
  if (!root)
    return tl::unexpected(root.error());
  const json::Object *object = root->getAsObject();
  const json::Array *list = object ? object->getArray("cases") : nullptr;
  if (!list)
    return makeError(ErrorCode::Usage, "'" + path +
                                           "' is no file of cases: it has no "
                                           "list 'cases'");
  for (const auto &[key, value] : *object)
    if (key != "cases" && key != "meta")
      return makeError(ErrorCode::Usage,
                       "'" + path + "': unknown key '" + key.str() +
                           "', a file of cases has cases, and meta for "
                           "what is to be known of them");
  if (list->empty())
    return makeError(ErrorCode::Usage, "'" + path + "' has no cases");
  std::vector<Case> cases;
  for (const auto &[index, value] : llvm::enumerate(*list)) {
    const std::string where = "'" + path + "', case " + std::to_string(index);
    const json::Object *fields = value.getAsObject();
    if (!fields)
      return makeError(ErrorCode::Usage, where + ": is no object");
    auto one = CaseReader(*fields, where).read();
    if (!one)
      return tl::unexpected(one.error());
    cases.push_back(std::move(*one));
  }
  return cases;
}

Expected<std::vector<Case>> driver::readCases(const std::string &path) {
  auto text = readInput(path);
  if (!text)
    return tl::unexpected(text.error());
  return parseCases(*text, path);
}
