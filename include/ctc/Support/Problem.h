//===- Problem.h - One transposed convolution -------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The problem a kernel solves, in plain integers, shared by both wings.
//
// One spatial dimension, input size I, kernel K, stride s, dilation d, padding
// (lo, hi), output padding op:
//
//   O    = (I-1)*s - lo - hi + d*(K-1) + op + 1
//   y[o] = sum over (i, k) with i*s - lo + k*d = o  of  x[i] * w[k]
//
// This is ONNX ConvTranspose (opset 11 and later) and torch.nn.ConvTransposeNd,
// with asymmetric and negative padding and no upper limit on output padding.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_PROBLEM_H
#define CTC_SUPPORT_PROBLEM_H

#include "ctc/Support/Error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ctc {

/// Stands for a batch size known only at launch.
inline constexpr int64_t kDynamic = INT64_MIN;

/// Largest kernel size of one dimension, in elements.
inline constexpr int64_t kMaxKernel = int64_t{1} << 24;

enum class ElementType : uint8_t { F32, F16, BF16 };
/// Where the channels stand: N,C,spatial or N,spatial,C.
enum class Layout : uint8_t { ChannelsFirst, ChannelsLast };
/// The order of a weight's dimensions: (Cin, Cout/groups, kernel) as PyTorch
/// and ONNX have it, or (Cout/groups, kernel, Cin) as TOSA has it.
enum class WeightLayout : uint8_t { InputOutputKernel, OutputKernelInput };
/// How f32 operands are multiplied. 16-bit operands are always multiplied
/// exactly and accumulated in f32, and carry the default, TF32.
enum class Precision : uint8_t { TF32, TF32x3, IEEE };

std::string_view name(ElementType type);
std::string_view name(Layout layout);
std::string_view name(WeightLayout layout);
std::string_view name(Precision precision);
std::optional<ElementType> parseElementType(std::string_view text);
std::optional<Layout> parseLayout(std::string_view text);
std::optional<Precision> parsePrecision(std::string_view text);
/// Size of one element in bytes.
int64_t byteWidth(ElementType type);

/// One spatial dimension. Sizes count elements. Padding crops the output, so a
/// negative value widens it with outputs that no tap may reach.
struct SpatialDim {
  int64_t input = 1;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t padLow = 0;
  int64_t padHigh = 0;
  int64_t outputPadding = 0;

  bool operator==(const SpatialDim &) const = default;
};

/// The output size of one dimension, or why there is none: an attribute out of
/// range, a negative output, or a product past 2^63 - 1.
Expected<int64_t> outputSize(const SpatialDim &dim);

/// A layer. Shapes follow PyTorch: input N,Cin,spatial; weight
/// Cin,Cout/groups,kernel; output N,Cout,spatial. `layout` moves the channels
/// of input and output behind the spatial dimensions, `weightLayout` alone
/// those of the weight.
struct Problem {
  int64_t batch = 1; ///< kDynamic when known only at launch.
  int64_t inputChannels = 1;
  int64_t outputChannels = 1;
  int64_t groups = 1;
  std::vector<SpatialDim> dims; ///< Outermost first; one to three.
  ElementType type = ElementType::F32;
  Layout layout = Layout::ChannelsFirst;
  WeightLayout weightLayout = WeightLayout::InputOutputKernel;
  Precision precision = Precision::TF32;
  bool bias = false;

  bool operator==(const Problem &) const = default;

  int rank() const { return static_cast<int>(dims.size()); }
  bool hasDynamicBatch() const { return batch == kDynamic; }
  int64_t inputChannelsPerGroup() const { return inputChannels / groups; }
  int64_t outputChannelsPerGroup() const { return outputChannels / groups; }

  /// Output sizes of a verified problem, outermost first.
  std::vector<int64_t> outputSpatial() const;
  /// Tensor shapes in memory order; the batch may be kDynamic.
  std::vector<int64_t> inputShape() const;
  std::vector<int64_t> weightShape() const;
  std::vector<int64_t> outputShape() const;
};

/// Checks every constraint of the operator (labels C1, C2, ... in
/// docs/Operator.md) including that element counts and byte sizes of all
/// tensors fit in 63 bits.
Expected<void> verify(const Problem &problem);

/// Product of sizes, nothing when it does not fit in 63 bits. Any zero makes
/// the product zero. Sizes must not be negative.
std::optional<int64_t> checkedProduct(const std::vector<int64_t> &sizes);

/// "1x64x32x32"; '?' for kDynamic.
std::string formatShape(const std::vector<int64_t> &shape);

} // namespace ctc

#endif // CTC_SUPPORT_PROBLEM_H
