//===- Verifier.h - Layers against the float64 reference --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_VERIFIER_H
#define CTC_LIB_DRIVER_VERIFIER_H

#include "CaseFile.h"
#include "Device.h"
#include "ctc/Reference/Check.h"
#include "ctc/Reference/Fill.h"

#include <functional>

namespace ctc::driver {

/// The axes whose product every case is verified over.
struct VerifyAxes {
  std::vector<ElementType> types{ElementType::F32};
  /// For f32 only; 16-bit types have one way of multiplying.
  std::vector<Precision> precisions{Precision::TF32};
  std::vector<Layout> layouts{Layout::ChannelsFirst};
  std::vector<std::string> chips{"sm_80"};
  std::vector<std::string> families{""}; ///< "" is the compiler's choice.
  std::vector<Fill> fills{Fill::Exact, Fill::Random};
  std::vector<std::string> epilogue;
  uint64_t seed = 0;
};

/// One point of the axes, compiled, run and checked.
struct VerifyResult {
  std::string name; ///< Of the case.
  ElementType type = ElementType::F32;
  Precision precision = Precision::TF32;
  Layout layout = Layout::ChannelsFirst;
  std::string chip, family;
  std::string fill;   ///< "exact", "random", or "given" by the case.
  bool exact = false; ///< Whether it was compared bit for bit.
  double multiplyAdds = 0;
  /// Empty when passed; else one line that says what is wrong.
  std::string failure;
  /// Absent when the check was not reached.
  std::optional<CheckReport> report;
  /// Absent when memory is not checked.
  std::optional<std::vector<MemoryFinding>> findings;
  double launchSeconds = 0;

  bool passed() const { return failure.empty(); }
  /// "f32 ieee channels_first simt sm_80 exact"
  std::string describe() const;
};

/// Where the time went, in seconds.
struct VerifyTimes {
  double compile = 0, reference = 0, device = 0, check = 0;
};

class Verifier {
public:
  using OnResult = std::function<void(const VerifyResult &)>;

  Verifier(const VerifyAxes &axes, const Device &device)
      : axes(axes), device(device) {}

  /// Verifies one case, already scaled, over all axes. Whatever goes wrong is a
  /// failed result.
  void verify(const Case &one, const OnResult &onResult);

  const VerifyTimes &times() const { return spent; }

private:
  struct Prepared;

  std::vector<Prepared> prepare(const Case &one, const Problem &problem);
  Prepared prepareFill(const Problem &problem, Fill fill);
  Prepared prepareGiven(const Case &one, const Problem &problem);
  Expected<Bundle> compile(const Problem &problem, const std::string &family,
                           const std::vector<std::string> &chips);
  void verifyCompiled(const Problem &problem, const std::string &family,
                      const std::vector<Prepared> &prepared,
                      const VerifyResult &result, const OnResult &onResult);
  void verifyChips(const Expected<Bundle> &bundle,
                   const std::vector<std::string> &chips,
                   const std::vector<Prepared> &prepared, VerifyResult result,
                   const OnResult &onResult);
  Expected<Tensor> run(const LoadedLayer &layer, const Entry &entry,
                       const LayerInputs &inputs, VerifyResult &result);
  /// Fails where the check was not reached; else `result` says what it found.
  Expected<void> runAndCheck(const LoadedLayer &layer, const Entry &entry,
                             const Prepared &prepared, VerifyResult &result);

  const VerifyAxes &axes;
  const Device &device;
  VerifyTimes spent;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_VERIFIER_H
