//===- Json.cpp - JSON as ctc prints it -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Json.h"
#include "Device.h"

#include "llvm/ADT/STLExtras.h"

#include <charconv>
#include <cmath>

using namespace ctc;
namespace json = llvm::json;
using llvm::StringRef;

json::Value driver::toJSON(const MemoryFinding &finding) {
  return json::Object{{"kind", finding.kind},
                      {"message", finding.message},
                      {"occurrences", finding.occurrences}};
}

double driver::roundedSeconds(double seconds) {
  return std::round(seconds * 1e6) / 1e6;
}

static void printNumber(double number, json::OStream &out) {
  if (!std::isfinite(number))
    return out.value(nullptr);
  char text[32]; // The shortest form has at most 24 characters.
  const auto end = std::to_chars(std::begin(text), std::end(text), number).ptr;
  out.rawValue(StringRef(text, static_cast<size_t>(end - text)));
}

static void print(const json::Value &value, json::OStream &out) {
  if (const json::Object *object = value.getAsObject()) {
    std::vector<StringRef> keys;
    for (const auto &[key, field] : *object)
      keys.push_back(key);
    llvm::sort(keys);
    out.object([&] {
      for (StringRef key : keys) {
        out.attributeBegin(key);
        print(*object->get(key), out);
        out.attributeEnd();
      }
    });
  } else if (const json::Array *array = value.getAsArray()) {
    out.array([&] {
      for (const json::Value &element : *array)
        print(element, out);
    });
  } else if (value.kind() == json::Value::Number && !value.getAsInteger() &&
             !value.getAsUINT64()) {
    printNumber(*value.getAsNumber(), out);
  } else {
    out.value(value);
  }
}

void driver::printJson(const json::Value &value, llvm::raw_ostream &os) {
  json::OStream out(os, /*IndentSize=*/2);
  print(value, out);
  os << "\n";
}
