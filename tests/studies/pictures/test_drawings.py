"""What an architecture's picture shows, read as the XML it is."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import pytest

from space import Architecture, Placement, plain
from studies.pictures.block import MARKS
from studies.pictures.drawings import drawing

SVG = "{http://www.w3.org/2000/svg}"


def drawn(backbone: str, *stages: Sequence[Mapping[str, object]]) -> ElementTree.Element:
    data = {"backbone": backbone, "stages": stages}
    return ElementTree.fromstring(drawing(Architecture.model_validate(data)))


def words(picture: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()) for one in picture.iter(f"{SVG}text")]


def squares(picture: ElementTree.Element, kind: str, height: str) -> int:
    """Return how many rectangles of a class and a height there are."""
    found = picture.iter(f"{SVG}rect")
    return sum((one.get("class"), one.get("height")) == (kind, height) for one in found)


def test_a_plain_network_shows_its_stages_and_no_attention() -> None:
    picture = ElementTree.fromstring(drawing(plain("resnet20")))
    assert picture.findtext(f"{SVG}title") == "plain on resnet20"
    assert "stage 232 channels, 16 × 16" in words(picture)
    assert words(picture).count("3 blocks") == 3
    assert (squares(picture, "box", "11"), squares(picture, "mark", "11")) == (9, 0)


def test_blocks_with_attention_are_filled_and_named() -> None:
    eca = {"attention": {"kind": "eca"}, "position": "pre", "blocks": "alternate"}
    picture = drawn("resnet20", [], [], [eca])
    assert (squares(picture, "box", "11"), squares(picture, "mark", "11")) == (7, 2)
    assert "eca adaptive · pre · blocks 1, 3" in words(picture)


def test_many_blocks_are_counted_not_listed() -> None:
    se = {"attention": {"kind": "se"}, "position": "residual", "blocks": "alternate"}
    picture = drawn("resnet152", [], [], [se], [])
    assert squares(picture, "mark", "11") == 18  # of 36
    assert "every other block" in " ".join(words(picture))


@pytest.mark.parametrize("position", sorted(MARKS))
def test_attention_within_a_block_is_marked_at_its_own_place(position: str) -> None:
    picture = drawn("resnet20", [], [{"attention": {"kind": "se"}, "position": position}], [])
    x, y = MARKS[position]  # type: ignore[index] # a position's name
    places = {(one.get("x"), one.get("y")) for one in picture.iter(f"{SVG}rect")}
    assert (f"{x - 8:g}", f"{y - 8:g}") in places
    assert len(set(MARKS.values())) == len(MARKS)


def test_attention_behind_a_stage_draws_no_block() -> None:
    behind = [{"attention": {"kind": "non_local"}, "position": "stage_end"}]
    picture = drawn("resnet20", [], [], behind)
    assert squares(picture, "mark", "11") == 0
    assert "3×3" not in words(picture)
    assert any("stage_end" in one for one in words(picture))


def test_several_placements_are_numbered_and_stand_on_one_another() -> None:
    both = [{"attention": {"kind": kind}, "position": "post"} for kind in ("se", "eca")]
    picture = drawn("resnet20", both, [], [])
    assert words(picture).count("1") == words(picture).count("2") == 2  # place and legend
    marks = [
        one for one in picture.iter(f"{SVG}rect") if one.get("x") == f"{MARKS['post'][0] - 8}"
    ]
    assert len({one.get("y") for one in marks}) == 2


def test_a_bottleneck_has_three_convolutions() -> None:
    picture = drawn(
        "resnet26", [{"attention": {"kind": "se"}, "position": "residual"}], [], [], []
    )
    assert [one for one in words(picture) if "×" in one and len(one) == 3] == ["1×1", "3×3", "1×1"]


def test_its_styles_reach_nothing_else_on_a_page() -> None:
    style = ElementTree.fromstring(drawing(plain("resnet8"))).findtext(f"{SVG}style") or ""
    selectors = [one.split("{")[0] for one in style.split("}") if "{" in one]
    assert all(one.startswith((".drawing ", "svg:root", "@media")) for one in selectors)


def test_a_gain_of_zero_is_told() -> None:
    gated = {"attention": {"kind": "cbam"}, "position": "residual", "gain": "zero"}
    assert Placement.model_validate(gated).gain == "zero"
    assert any(one.endswith("· gain zero") for one in words(drawn("resnet8", [gated], [], [])))
