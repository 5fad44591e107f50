#===- test_shapes.py - Layers from JSON, and their floors -------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
import itertools
import re

import pytest
from conftest import PROJECT, case

import floors
import shapes


def read(**changes):
    return shapes.read_case(case(**changes), "file: case 0")


def test_a_layer():
    layer = read(padding=[[1, -1], 0])
    assert layer.padding == ((1, -1), (0, 0))
    assert layer.input_shape == (2, 4, 3, 4)
    assert layer.weight_shape == (4, 4, 3, 2)
    assert layer.output_spatial == (8, 8)
    assert layer.output_shape == (2, 4, 8, 8)
    assert read(bias=None).bias is False


@pytest.mark.parametrize("changes", [
    {}, {"padding": [[0, 3], [-2, 1]]}, {"stride": [5, 1]},
    {"dilation": [2, 3], "groups": 2}, {"output_padding": [7, 3]},
    {"spatial": [5], "kernel": [4], "stride": [3], "padding": [2],
     "output_padding": [0], "dilation": [2]}])
def test_useful_macs_by_enumeration(changes):
    layer = read(**changes)
    pairs = 0
    for i in itertools.product(*map(range, layer.spatial)):
        for k in itertools.product(*map(range, layer.kernel)):
            pairs += all(
                0 <= a * s - low + b * d < size for a, b, s, (low, _), d, size
                in zip(i, k, layer.stride, layer.padding, layer.dilation,
                       layer.output_spatial))
    assert layer.useful_macs() == pairs * 2 * 4 * 4 // layer.groups


@pytest.mark.parametrize("changes, message", [
    ({"stride": None}, "'stride' is None, must be a list of 2 integers of at "
                       "least 1"),
    ({"stride": [2]}, "'stride' is [2], must be a list of 2 integers"),
    ({"kernel": [3, 0]}, "'kernel' is [3, 0], must be a list of 2 integers of "
                         "at least 1"),
    ({"N": "two"}, "'N' is 'two', must be an integer of at least 1"),
    ({"N": True}, "'N' is True, must be an integer"),
    ({"groups": 3}, "'groups' is 3, must divide 'Cin', 4"),
    ({"spatial": []}, "'spatial' is [], must be a list of 1 to 3 integers"),
    ({"padding": [1, "a"]}, "'padding' is [1, 'a'], must be a list of 2 "),
    ({"bias": 1}, "'bias' is 1, must be true, false or null"),
    ({"padding": [9, 0]}, "the output is [-10, 8]; there is nothing to time"),
    ({"out_spatial": [1, 1]}, "'out_spatial' is [1, 1], the definition gives"),
    ({"name": 3}, "'name' is 3, must be a text")])
def test_a_malformed_layer(changes, message):
    with pytest.raises(shapes.ShapesError, match=re.escape(message)):
        read(**changes)


def test_what_is_no_layer_is_said_and_the_rest_is_read(shapes_file):
    layers, problems = shapes.read_shapes(shapes_file(
        case(), case(name="bad", stride=[0, 1]), case(), "no object",
        case(name="other")))
    assert [layer.name for layer in layers] == ["small", "other"]
    assert [layer.source for layer in layers] == ["layers", "layers"]
    assert [problem.split(":", 1)[1][:30] for problem in problems] == [
        " case 1 'bad': 'stride' is [0,", " case 2 'small': has the name ",
        " case 3: is no object"]


@pytest.mark.parametrize("text, message", [
    ("{", "is no JSON"), ("[]", "must be an object with a list 'cases'"),
    ('{"cases": []}', "at least one layer"),
    ("[" * 50000 + "]" * 50000, "is no JSON: is nested too deep")])
def test_a_malformed_file(tmp_path, text, message):
    path = tmp_path / "layers.json"
    path.write_text(text)
    with pytest.raises(shapes.ShapesError, match=message):
        shapes.read_shapes(path)
    with pytest.raises(shapes.ShapesError, match="cannot be read"):
        shapes.read_shapes(tmp_path / "none.json")


def test_floors_of_a_large_layer():
    """KernelBench's L1/57, whose floors were computed elsewhere."""
    layer = read(N=8, Cin=64, Cout=64, spatial=[1024, 1024], kernel=[3, 3],
                 stride=[1, 1], padding=[0, 0], output_padding=[0, 0])
    for precision, milliseconds in (("tf32", 1.54619), ("ieee", 9.23097),
                                    ("bf16", 0.78288),
                                    ("tf32x3", 3 * 1.54619)):
        floor = floors.floor_of(layer, precision, floors.MEASURED_H200)
        assert floor.bound == "compute"
        assert floor.seconds * 1e3 == pytest.approx(milliseconds, abs=2e-5)
    assert floor.macs == 309237645312
    small = read(kernel=[1, 1], padding=[0, 0], output_padding=[0, 0])
    floor = floors.floor_of(small, "bf16", floors.MEASURED_H200)
    assert floor.bound == "memory"
    assert floor.seconds == 2 * sum(small.elements()) / 4.3e12


def test_boards_are_those_of_the_compiler():
    text = (PROJECT / "lib/Chips/Chips.cpp").read_text()
    rates = {name: list(map(float, values.replace("\n", " ").split(",")))
             for name, values in re.findall(
                 r"ChipRates k(Rates\d+) = \{([^}]*)\}", text)}
    boards = {name: (title, list(map(float, values.split(","))))
              for name, title, values in re.findall(
                  r'Board k(\w+) = \{"([^"]*)", ([^}]*)\}', text)}
    chips = re.findall(r'\{"sm_\w+", (\d+), (\d+), [^}]*k(Rates\d+), k(\w+)\}',
                       text)
    assert len(chips) == len(floors.BOARDS)
    for major, minor, rate, board in chips:
        title, (count, clock, matrix_clock, memory) = boards[board]
        assert floors.BOARDS[int(major), int(minor)] == (
            title, count, clock, matrix_clock, memory, rates[rate][0],
            *rates[rate][5:7])


def test_rates_say_where_they_are_from():
    assert floors.rates_of((9, 0), "NVIDIA H200").source == \
        "measured on an H200"
    assert floors.rates_of((9, 0), "NVIDIA H100").source == \
        "published for the H200, not measured"
    a100 = floors.rates_of((8, 0), "NVIDIA A100-SXM4-80GB")
    assert a100.tf32 == pytest.approx(156e12, rel=2e-3)  # Its datasheet.
    assert a100.of_unit("16-bit") == pytest.approx(312e12, rel=2e-3)
    assert floors.rates_of((7, 5)) is None
