//===- Checks.cpp - What an array must be to be an argument ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checks.h"
#include "Errors.h"

using namespace ctc;
using namespace ctc::python;

void python::checkType(const ArgumentSpec &spec, const TensorView &view) {
  if (view.type == spec.type)
    return;
  raiseType(spec.name + " has dtype " + nameOf(view.type) + ", must be " +
            nameOf(spec.type));
}

void python::checkDevice(const char *name, const TensorView &view,
                         const DeviceRef &device) {
  const bool fits =
      device.info.kind == CTC_DEVICE_CPU
          ? view.isHost()
          : view.isCuda() && view.device.id == device.info.ordinal;
  if (!fits)
    raiseValue(std::string(name) + " is on " + nameOf(view.device) +
               ", must be on " + device.name() +
               ", where the layer is prepared");
}

void python::checkShape(const ArgumentSpec &spec, const TensorView &view,
                        int64_t &batch) {
  const int64_t given = batch;
  bool fits = view.rank == spec.rank;
  for (int i = 0; fits && i < spec.rank; ++i) {
    if (spec.shape[i] != CTC_DYNAMIC)
      fits = view.shape[i] == spec.shape[i];
    else if (batch == CTC_DYNAMIC)
      batch = view.shape[i];
    else
      fits = view.shape[i] == batch;
  }
  if (fits)
    return;
  int64_t legal[TensorView::kMaxRank];
  for (int i = 0; i < spec.rank; ++i)
    legal[i] = spec.shape[i] == CTC_DYNAMIC ? given : spec.shape[i];
  raiseValue(spec.name + " has shape " + tupleText(view.shape, view.rank) +
             ", must be " + tupleText(legal, spec.rank));
}

void python::checkDense(const char *name, const TensorView &view,
                        const char *advice) {
  if (view.isDense())
    return;
  int64_t legal[TensorView::kMaxRank], dense = 1;
  for (int i = view.rank - 1; i >= 0; --i) {
    legal[i] = dense;
    dense *= view.shape[i];
  }
  raiseValue(std::string(name) + " has strides " +
             tupleText(view.strides, view.rank) + " for shape " +
             tupleText(view.shape, view.rank) + ", must be " +
             tupleText(legal, view.rank) + "; " + advice);
}

void python::checkDisjoint(const ArgumentSpec &output,
                           const TensorView &outputView,
                           const ArgumentSpec &other,
                           const TensorView &otherView) {
  const uint64_t bytes = outputView.bytes(), otherBytes = otherView.bytes();
  if (bytes && otherBytes &&
      outputView.address < otherView.address + otherBytes &&
      otherView.address < outputView.address + bytes)
    raiseValue("out shares memory with " + other.name +
               ", must be memory of its own for " + output.name);
}
