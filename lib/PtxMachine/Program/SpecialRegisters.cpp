//===- SpecialRegisters.cpp - PTX ISA, "Special Registers" ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Those whose values do not change while a block runs. Clocks do: they are
// read by an operation (Families/Clock.cpp).
//
//===----------------------------------------------------------------------===//

#include "Program/OpBuilder.h"

namespace ctc::ptx {

namespace {
struct Entry {
  std::string_view name;
  NamedSpecial special;
};
using S = SpecialRegister;
constexpr Entry kSpecials[] = {
    {"%tid.x", {S::TidX, 32}},
    {"%tid.y", {S::TidY, 32}},
    {"%tid.z", {S::TidZ, 32}},
    {"%ntid.x", {S::NtidX, 32}},
    {"%ntid.y", {S::NtidY, 32}},
    {"%ntid.z", {S::NtidZ, 32}},
    {"%ctaid.x", {S::CtaidX, 32}},
    {"%ctaid.y", {S::CtaidY, 32}},
    {"%ctaid.z", {S::CtaidZ, 32}},
    {"%nctaid.x", {S::NctaidX, 32}},
    {"%nctaid.y", {S::NctaidY, 32}},
    {"%nctaid.z", {S::NctaidZ, 32}},
    {"%laneid", {S::LaneId, 32}},
    {"%warpid", {S::WarpId, 32}},
    {"%nwarpid", {S::NWarpId, 32}},
    {"%smid", {S::SmId, 32}},
    {"%nsmid", {S::NSmId, 32}},
    {"%gridid", {S::GridId, 64}},
    {"%current_graph_exec", {S::CurrentGraphExec, 64}},
    {"%lanemask_eq", {S::LaneMaskEq, 32}},
    {"%lanemask_le", {S::LaneMaskLe, 32}},
    {"%lanemask_lt", {S::LaneMaskLt, 32}},
    {"%lanemask_ge", {S::LaneMaskGe, 32}},
    {"%lanemask_gt", {S::LaneMaskGt, 32}},
    {"%dynamic_smem_size", {S::DynamicSmemSize, 32}},
    {"%total_smem_size", {S::TotalSmemSize, 32}},
    {"%aggr_smem_size", {S::TotalSmemSize, 32}}, // Nothing is reserved.
    {"%clusterid.x", {S::ClusterIdX, 32}},
    {"%clusterid.y", {S::ClusterIdY, 32}},
    {"%clusterid.z", {S::ClusterIdZ, 32}},
    {"%nclusterid.x", {S::NClusterIdX, 32}},
    {"%nclusterid.y", {S::NClusterIdY, 32}},
    {"%nclusterid.z", {S::NClusterIdZ, 32}},
    {"%cluster_ctaid.x", {S::ClusterCtaIdX, 32}},
    {"%cluster_ctaid.y", {S::ClusterCtaIdY, 32}},
    {"%cluster_ctaid.z", {S::ClusterCtaIdZ, 32}},
    {"%cluster_nctaid.x", {S::ClusterNCtaIdX, 32}},
    {"%cluster_nctaid.y", {S::ClusterNCtaIdY, 32}},
    {"%cluster_nctaid.z", {S::ClusterNCtaIdZ, 32}},
    {"%cluster_ctarank", {S::ClusterCtaRank, 32}},
    {"%cluster_nctarank", {S::ClusterNCtaRank, 32}},
};
} // namespace

std::optional<NamedSpecial> findSpecial(std::string_view name) {
  for (const Entry &entry : kSpecials)
    if (entry.name == name)
      return entry.special;
  return std::nullopt;
}

} // namespace ctc::ptx
