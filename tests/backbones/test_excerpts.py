"""Definitions out of this project's own files: those that are needed, whole, and in order."""

import pytest

from backbones.calls import Call, listed, sizes_call, written
from backbones.excerpts import excerpt
from backbones.sources import Place, meaning
from space.attention.simam import SimAMSizes


def test_a_name_means_what_it_means_where_it_is_used() -> None:
    assert meaning("backbones.block", "BlockShapes") == Place("space.backbone", "BlockShapes")
    assert meaning("backbones.attention.se", "torch") == Place("torch", "")
    assert meaning("backbones.attention.se", "Tensor") == Place("torch", "Tensor")
    assert meaning("backbones.attention.se", "len") is None


def test_an_excerpt_holds_what_is_needed_before_what_needs_it() -> None:
    text = excerpt([Place("backbones.attention.double", "Double")])
    order = ["import torch\n", "\ndef logits(", "\ndef pointwise_logits(", "\nclass Double("]
    places = [text.index(one) for one in order]
    assert places == sorted(places)
    assert "def attended(" not in text  # logits.py's other function


def test_of_a_class_stays_what_runs_when_it_is_called() -> None:
    text = excerpt([Place("backbones.attention.dual", "Dual")])
    position, channel = text.index("class PositionMixing"), text.index("class ChannelMixing")
    assert "def weights" not in text[position:channel]  # only the gates ask for it there
    assert "def weights" in text[channel:]
    assert "class Dual(nn.Module):" in text
    assert "# Of 64 independent rectified channels" in text  # comments above come along


def test_two_definitions_of_one_name_are_refused() -> None:
    with pytest.raises(RuntimeError, match=r"got GAM in .*gam and .*gam; rename one"):
        excerpt([Place("backbones.attention.gam", "GAM"), Place("space.attention.gam", "GAM")])


def test_a_call_is_on_one_line_where_it_fits() -> None:
    assert written(Call("f(", ("1", Call("g(", ())))) == "f(1, g())"
    parts = ("a" * 50, "b" * 50)
    assert written(Call("f(", parts)) == f"f(\n    {parts[0]},\n    {parts[1]},\n)"
    fits, too_long = ("x" * (99 - 1 - len("f()") - 4 + extra) for extra in (0, 1))
    assert "\n" not in written(Call("f(", (fits,)), 4)
    assert "\n" in written(Call("f(", (too_long,)), 4)


def test_a_call_is_repeated_by_a_loop() -> None:
    text = written(Call("f(", ("1",), times=3))
    assert text == "*(\n    f(1)\n    for _ in range(3)\n)"
    assert [eval(f"list(({text[1:]}))", {"f": lambda x: x})] == [[1, 1, 1]]


def test_sizes_and_lists_are_written_as_python_reads_them() -> None:
    sizes = SimAMSizes(1e-4)
    call = listed("end", (sizes_call(sizes).named("it"),))
    assert written(call) == "end=[it=SimAMSizes(regulariser=0.0001)]"
    assert eval(written(sizes_call(sizes))) == sizes
