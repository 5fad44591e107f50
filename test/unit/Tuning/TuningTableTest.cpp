//===- TuningTableTest.cpp ------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Tuning/TuningTable.h"
#include "TuningTesting.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using namespace ctc;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using tuningtest::context;

namespace {

Problem layer() {
  Problem problem;
  problem.batch = 2;
  problem.inputChannels = 32;
  problem.outputChannels = 16;
  problem.dims = {{16, 4, 2, 1, 1, 1, 0}, {16, 4, 2, 1, 1, 1, 0}};
  return problem;
}

std::string textOf(ir::KernelAttr kernel) {
  std::string text;
  llvm::raw_string_ostream(text) << kernel;
  return text;
}

const Chip &chip() {
  static const Chip found = *findChip("sm_90a");
  return found;
}

/// The kernel at a place of a family's ranking.
ir::KernelAttr ranked(const Problem &problem, const char *family,
                      int64_t place = 0) {
  auto choice = chooseKernel(context(), problem, chip(), family, place);
  if (!choice)
    ADD_FAILURE() << choice.error().message;
  return choice ? choice->kernel : ir::KernelAttr();
}

TuningTable tableOf(const Problem &problem, const std::string &kernel) {
  TuningTable table;
  table.name = "folder/mine.json";
  table.chip = "sm_90a";
  table.entries.push_back({problem, kernel, "NVIDIA H200", 5e-6, 6e-6});
  return table;
}

/// Messages about entries whose kernel cannot be taken as it stands.
std::vector<std::string> staleEntries(const TuningTable &table) {
  std::vector<std::string> stale;
  for (const TunedKernel &entry : table.entries)
    if (auto kernel = tunedKernel(context(), entry, *findChip(table.chip));
        !kernel)
      stale.push_back(entry.kernel + ": " + kernel.error().message);
  return stale;
}

KernelChoice choose(const Problem &problem, KernelRequest request) {
  auto choice = chooseKernel(context(), problem, chip(), request);
  if (!choice)
    ADD_FAILURE() << choice.error().message;
  return choice.value_or(KernelChoice());
}

TEST(TuningTable, ShippedEntriesAreSoundAndWorthwhile) {
  const auto &tables = shippedTuningTables();
  ASSERT_TRUE(tables) << tables.error().message;
  EXPECT_FALSE(tables->empty());
  std::set<std::string> chips;
  for (const TuningTable &table : *tables) {
    SCOPED_TRACE(table.name);
    EXPECT_EQ(table.name, "the tuning table of " + table.chip);
    EXPECT_TRUE(chips.insert(table.chip).second);
    EXPECT_THAT(table.damaged, IsEmpty());
    EXPECT_THAT(staleEntries(table), IsEmpty());
    for (const TunedKernel &entry : table.entries)
      EXPECT_LT(entry.seconds, entry.modelSeconds) << entry.kernel;
  }
}

TEST(TuningTable, StaleKernelsAreFound) {
  const std::string good = textOf(ranked(layer(), "mma_sync"));
  EXPECT_THAT(staleEntries(tableOf(layer(), good)), IsEmpty());
  const auto why = [](const Problem &problem, const std::string &kernel) {
    return llvm::join(staleEntries(tableOf(problem, kernel)), "\n");
  };
  const auto with = [&](const char *from, const char *to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, std::string(from).size(), to);
  };
  EXPECT_THAT(why(layer(), with("mma_sync", "wgmma")), HasSubstr("expected"));
  EXPECT_THAT(why(layer(), with("stages", "stage")),
              HasSubstr("unknown struct parameter name: stage"));
  EXPECT_THAT(why(layer(), good + ">"), HasSubstr("trailing"));
  EXPECT_THAT(why(layer(), "17 : i64"), HasSubstr("it is no #ctc.kernel"));
  EXPECT_THAT(why(layer(), "#ctc.kernel"), HasSubstr("expected"));
  EXPECT_THAT(why(layer(), with("batch = 1,", "batch = 4096,")),
              HasSubstr("batch is 4096, must be from 1 to 1024"));
  EXPECT_THAT(why(layer(), with("chunk_channels = 32", "chunk_channels = 512")),
              HasSubstr("bytes of workgroup memory, at most"));
  Problem line = layer();
  line.dims.pop_back();
  EXPECT_THAT(why(line, good), HasSubstr("its box has 2 sizes, must be one for "
                                         "each of 1 spatial dimensions"));
  Problem ieee = layer();
  ieee.precision = Precision::IEEE;
  EXPECT_THAT(why(ieee, good), HasSubstr("family mma_sync cannot serve"));
  Problem split = layer();
  split.precision = Precision::TF32x3;
  EXPECT_THAT(why(split, textOf(ranked(layer(), "simt"))),
              HasSubstr("family simt cannot serve"));
}

TEST(TuningTable, ExplicitThenTableThenModel) {
  const ir::KernelAttr model = ranked(layer(), ""),
                       other = ranked(layer(), "mma_sync", 5);
  ASSERT_NE(model, other);
  const TuningTable table = tableOf(layer(), textOf(other));
  const KernelChoice tuned = choose(layer(), {"", {}, {&table}});
  EXPECT_EQ(tuned.kernel, other.withSource(ir::ChoiceSource::Table));
  EXPECT_EQ(tuned.reason,
            "mine.json has this kernel, measured at 5 us on NVIDIA H200 where "
            "the cost model's first choice took 6 us");
  EXPECT_EQ(choose(layer(), {"", 0, {&table}}).kernel, model);
  EXPECT_EQ(choose(layer(), {"mma_sync", {}, {&table}}).kernel,
            ranked(layer(), "mma_sync"));
  EXPECT_EQ(choose(layer(), {}).kernel, model);
  // The first table that has the problem counts, of those for the chip.
  TuningTable first = tableOf(layer(), textOf(ranked(layer(), "mma_sync", 2)));
  EXPECT_NE(choose(layer(), {"", {}, {&first, &table}}).kernel, tuned.kernel);
  first.chip = "sm_80";
  EXPECT_EQ(choose(layer(), {"", {}, {&first, &table}}).kernel, tuned.kernel);
}

TEST(TuningTable, AStaleEntryGivesWayAndTheReasonSaysSo) {
  const TuningTable stale = tableOf(layer(), "#ctc.kernel<family = none>");
  const KernelChoice choice = choose(layer(), {"", {}, {&stale}});
  EXPECT_EQ(choice.kernel, ranked(layer(), ""));
  EXPECT_THAT(choice.reason, HasSubstr(" is estimated at "));
  EXPECT_THAT(choice.reason,
              HasSubstr("; the kernel that mine.json has is left out: "));
  const TuningTable next =
      tableOf(layer(), textOf(ranked(layer(), "mma_sync", 5)));
  EXPECT_EQ(choose(layer(), {"", {}, {&stale, &next}}).kernel.getSource(),
            ir::ChoiceSource::Table);
}

TEST(TuningTable, AnyOtherProblemHasNoEntry) {
  const TuningTable table = tableOf(layer(), "");
  Problem same = layer();
  same.bias = true;
  same.weightLayout = WeightLayout::OutputKernelInput;
  EXPECT_TRUE(table.find(same));
  std::vector<Problem> others(14, layer());
  others[0].batch = kDynamic;
  others[1].inputChannels = 64;
  others[2].outputChannels = 32;
  others[3].groups = 2;
  others[4].dims[0].input = 17;
  others[5].dims[1].kernel = 3;
  others[6].dims[0].stride = 3;
  others[7].dims[1].dilation = 2;
  others[8].dims[0].padLow = 0;
  others[9].dims[1].padHigh = 0;
  others[10].dims[1].outputPadding = 1;
  others[11].layout = Layout::ChannelsLast;
  others[12].type = ElementType::F16;
  others[13].precision = Precision::IEEE;
  for (const auto &[index, other] : llvm::enumerate(others))
    EXPECT_FALSE(table.find(other)) << index;
}

// -- The file -----------------------------------------------------------------

constexpr const char *kProblem =
    R"({"N": null, "Cin": 32, "Cout": 16, "groups": 1, "spatial": [16, 8],
        "kernel": [4, 3], "stride": [2, 1], "padding": [[1, -1], [0, 2]],
        "output_padding": [1, 0], "dilation": [1, 3], "layout": "channels_last",
        "dtype": "f32", "precision": "tf32x3"})";

std::string entryText() {
  return std::string("{\"problem\": ") + kProblem +
         R"(, "kernel": "#ctc.kernel<>", "board": "NVIDIA H200",
             "seconds": 1.5e-05, "model_seconds": 2e-05, "layers": ["a"]})";
}

std::string tableText(const std::string &entries) {
  return R"({"format": 1, "chip": "sm_90a", "entries": [)" + entries + "]}";
}

TEST(TuningTable, ReadsEveryAttribute) {
  auto table = parseTuningTable(tableText(entryText()), "t.json");
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(table->damaged, IsEmpty());
  EXPECT_EQ(table->chip, "sm_90a");
  ASSERT_EQ(table->entries.size(), 1u);
  const TunedKernel &entry = table->entries.front();
  Problem problem;
  problem.batch = kDynamic;
  problem.inputChannels = 32;
  problem.outputChannels = 16;
  problem.dims = {{16, 4, 2, 1, 1, -1, 1}, {8, 3, 1, 3, 0, 2, 0}};
  problem.layout = Layout::ChannelsLast;
  problem.precision = Precision::TF32x3;
  EXPECT_EQ(entry.problem, problem);
  EXPECT_EQ(entry.kernel, "#ctc.kernel<>");
  EXPECT_EQ(entry.board, "NVIDIA H200");
  EXPECT_EQ(entry.seconds, 1.5e-05);
  EXPECT_EQ(entry.modelSeconds, 2e-05);
}

TEST(TuningTable, WhatIsNoTableSaysWhatIsLegal) {
  const auto why = [](const std::string &text) {
    auto table = parseTuningTable(text, "t.json");
    EXPECT_FALSE(table);
    if (!table) {
      EXPECT_EQ(table.error().code, ErrorCode::Usage);
    }
    return table ? std::string() : table.error().message;
  };
  EXPECT_THAT(why("{"), StartsWith("t.json: is no JSON: "));
  EXPECT_EQ(why(std::string(50000, '[')),
            "t.json: nests deeper than 100 levels, the most there may be, in "
            "line 1");
  EXPECT_EQ(why("[]"), "t.json: is [], must be an object with format, chip and "
                       "entries");
  EXPECT_EQ(why("{}"), "t.json: 'format' is missing, must be 1");
  EXPECT_EQ(why(R"({"format": 2, "chip": "sm_90a", "entries": []})"),
            "t.json: 'format' is 2, must be 1");
  EXPECT_EQ(why(R"({"format": 1, "chip": "sm_70", "entries": []})"),
            "t.json: 'chip' is \"sm_70\", must be one of " + listChips());
  EXPECT_EQ(why(R"({"format": 1, "chip": "sm_80", "entries": {}})"),
            "t.json: 'entries' is {}, must be a list");
  EXPECT_EQ(why(R"({"format": 1, "chip": "sm_80", "entries": [], "a": 1})"),
            "t.json: there is no key 'a', must be of format, chip, entries");
}

TEST(TuningTable, ADamagedEntryIsNamedAndTheOthersStand) {
  std::string other = entryText();
  other.replace(other.find("32"), 2, "64");
  const auto why = [&](const std::string &from, const std::string &to) {
    std::string text = entryText();
    EXPECT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
    auto table = parseTuningTable(tableText(other + "," + text), "t.json");
    if (!table)
      return table.error().message;
    EXPECT_EQ(table->entries.size(), 1u);
    return llvm::join(table->damaged, "\n");
  };
  const std::string at = "t.json: entry 1: ", problem = at + "problem: ";
  EXPECT_EQ(why(entryText(), "7"), at + "is 7, must be an object");
  EXPECT_EQ(why(kProblem, "[]"), at + "'problem' is [], must be an object");
  EXPECT_EQ(why("\"Cin\": 32", "\"Cin\": \"x\""),
            problem + "'Cin' is \"x\", must be an integer");
  EXPECT_EQ(why("\"Cin\"", "\"cin\""),
            problem + "there is no key 'cin', must be of N, Cin, Cout, groups, "
                      "spatial, kernel, stride, padding, output_padding, "
                      "dilation, layout, dtype, precision");
  EXPECT_EQ(why("\"Cin\": 32, ", ""),
            problem + "'Cin' is missing, must be an integer");
  for (const char *padding : {"[0, 0]", "[[0], [0]]", "[[0, 0]]", "0"})
    EXPECT_THAT(why("[[1, -1], [0, 2]]", padding),
                HasSubstr("must be a list of pairs [low, high], one per "
                          "spatial dimension"));
  EXPECT_EQ(why("[16, 8]", "[]"), problem + "'spatial' is [], must be a list "
                                            "of integers, one per spatial "
                                            "dimension");
  EXPECT_EQ(why("[16, 8]", "[1, 1, 1, 1]").substr(0, problem.size() + 9),
            problem + "'spatial'");
  EXPECT_THAT(why("[2, 1]", "[2]"), HasSubstr("'stride' is [2], must be"));
  EXPECT_THAT(why("[2, 1]", "[2, 1.5]"), HasSubstr("'stride' is [2,1.5]"));
  EXPECT_THAT(why("[0, 2]]", "[0]]"),
              HasSubstr("'padding' is [[1,-1],[0]], must be a list of pairs"));
  EXPECT_THAT(why("channels_last", "nchw"),
              HasSubstr("'layout' is \"nchw\", must be one of channels_first, "
                        "channels_last"));
  EXPECT_THAT(why("[2, 1]", "[0, 1]"),
              HasSubstr("stride is 0, must be at least 1"));
  EXPECT_EQ(why("2e-05", "0"),
            at + "'model_seconds' is 0, must be a time in seconds above 0");
  EXPECT_EQ(why("\"#ctc.kernel<>\"", "null"),
            at + "'kernel' is null, must be a text");
  EXPECT_EQ(why("\"Cin\": 32", "\"Cin\": 64"),
            at + "has the problem of an entry before it, must have one of its "
                 "own");
}

TEST(TuningTable, AUsersTableMustBeWhole) {
  auto missing = readTuningTable("/none/such.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::Usage);
  EXPECT_THAT(missing.error().message, HasSubstr("/none/such.json"));
}

} // namespace
