import pytest

from space import (
    BACKBONES,
    Architecture,
    SearchSpace,
    baselines,
    cost,
    cost_axis,
    count_in_words,
    placements_in_words,
    plain,
    plan,
    references,
    share_in_words,
)


@pytest.mark.parametrize(
    ("depth", "millions"),
    [(20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7")],
)
def test_plain_resnets_have_the_papers_size(depth: int, millions: str) -> None:
    """He et al., Deep Residual Learning, table 6."""
    digits = len(millions) - 2
    assert f"{cost(plain(f'resnet{depth}')).params / 1e6:.{digits}f}" == millions


def test_resnet20_costs_what_its_convolutions_cost() -> None:
    stem = 3 * 16 * 9 * 32**2
    stage1 = 6 * 16 * 16 * 9 * 32**2
    stage2 = (16 * 32 + 5 * 32 * 32) * 9 * 16**2
    stage3 = (32 * 64 + 5 * 64 * 64) * 9 * 8**2
    assert cost(plain("resnet20")).macs == stem + stage1 + stage2 + stage3 + 640 == 40_551_040


def test_resnet18_has_the_size_everyone_reports() -> None:
    assert cost(plain("resnet18")).params == 11_173_962
    assert cost(plain("resnet18")).macs == 555_422_720


def test_resnet50_with_a_small_stem_has_the_size_everyone_reports() -> None:
    """torchvision's 25,557,032 with another stem (3x3 for 7x7) and another last layer."""
    found = cost(plain("resnet50", 1000)).params
    assert found == 25_557_032 - (49 - 9) * 3 * 64
    assert cost(plain("resnet50")).params == found - 2049 * 1000 + 2049 * 10


def test_a_bottleneck_costs_what_its_convolutions_cost() -> None:
    """ResNet-26: the stride is in the 3x3 convolution, so the 1x1 before it sees the large map."""
    stem, macs, entering, side = 3 * 64 * 9 * 32**2, 0, 64, 32
    for inner in (64, 128, 256, 512):
        small = side if inner == 64 else side // 2
        macs += entering * inner * side**2 + (9 * inner + 4 * inner) * inner * small**2
        macs += entering * 4 * inner * small**2  # the shortcut
        macs += (4 * inner + 9 * inner + 4 * inner) * inner * small**2  # the second block
        entering, side = 4 * inner, small
    assert cost(plain("resnet26")).macs == stem + macs + 2048 * 10


def test_the_three_stage_network_of_the_gam_tutorial_has_its_size() -> None:
    found = cost(plain("resnet14w64")).params
    assert f"{found / 1e6:.2f}" == "2.78"


@pytest.mark.parametrize("name", BACKBONES)
def test_a_name_holds_the_number_of_weighted_layers(name: str) -> None:
    assert name.removesuffix("w64") == f"resnet{BACKBONES[name].depth}"


def test_a_cost_is_the_plain_networks_and_each_slots() -> None:
    for architecture in baselines(SearchSpace(backbone="resnet20")).values():
        slots, bare = plan(architecture), cost(plain("resnet20"))
        assert cost(architecture)["macs"] == bare.macs + sum(slot.macs for slot in slots)
        assert cost(architecture)["params"] == bare.params + sum(slot.params for slot in slots)


def test_another_number_of_classes_changes_the_last_layer_only() -> None:
    ten, hundred = cost(plain("resnet20")), cost(plain("resnet20", 100))
    assert hundred.macs - ten.macs == 64 * 90
    assert hundred.params - ten.params == 65 * 90


def test_the_cost_axis_starts_at_plain_and_counts_percents() -> None:
    assert cost_axis(100, 100) == 0
    assert cost_axis(90, 100) == 0
    assert cost_axis(109, 100) == pytest.approx(1)  # log10(1 + 100 * 0.09)
    assert cost_axis(1090, 100) == pytest.approx(2.996, abs=1e-3)  # log10(1 + 100 * 9.9)


def test_references_are_one_size_smaller_and_two_larger() -> None:
    assert [one.name for one in references("resnet20")] == ["resnet14", "resnet32", "resnet44"]
    assert [one.name for one in references("resnet8")] == ["resnet14", "resnet20"]
    assert [one.name for one in references("resnet34")] == ["resnet18"]
    assert [one.name for one in references("resnet50")] == ["resnet26", "resnet101", "resnet152"]


def test_a_slot_stands_where_its_placement_says() -> None:
    text = """{"backbone": "resnet20", "stages": [
        [{"attention": {"kind": "se"}, "position": "residual", "blocks": "last"},
         {"attention": {"kind": "cbam"}, "position": "residual"}],
        [], [{"attention": {"kind": "dual"}, "position": "stage_end"}]]}"""
    found = [
        (slot.stage, slot.block, slot.position, slot.order, slot.attention.kind, str(slot.shape))
        for slot in plan(Architecture.from_json(text))
    ]
    assert found == [
        (1, 1, "residual", 0, "cbam", "16@32x32"),
        (1, 2, "residual", 0, "cbam", "16@32x32"),
        (1, 3, "residual", 0, "se", "16@32x32"),
        (1, 3, "residual", 1, "cbam", "16@32x32"),
        (3, 3, "stage_end", 0, "dual", "64@8x8"),
    ]


def test_architectures_and_numbers_are_put_in_words() -> None:
    found = baselines(SearchSpace(backbone="resnet18"))
    assert placements_in_words(plain("resnet18")) == "plain"
    assert placements_in_words(found["cbam"]) == (
        "cbam r16 k7 in stages 1, 2, 3; cbam r16 k3 in stage 4"
    )
    assert placements_in_words(found["non_local"]).startswith(
        "non_local embedded r2 behind stages"
    )
    assert placements_in_words(found["gc"]) == "gc r16 behind stages 2, 3, 4"
    assert [count_in_words(n) for n in (999, 1240, 40_551_040)] == ["999", "1.24 k", "40.6 M"]
    assert [share_in_words(n, 100) for n in (100, 101.234, 153, 100.001)] == [
        "+0 %",
        "+1.2 %",
        "+53 %",
        "+0.0010 %",
    ]


def placed(kind: str, position: str = "residual", **other: object) -> dict[str, object]:
    place: dict[str, object] = {n: other.pop(n) for n in ("blocks", "gain") if n in other}
    return {"attention": {"kind": kind, **other}, "position": position, **place}


def words(*stages: list[dict[str, object]]) -> str:
    rest: list[list[object]] = [[] for _ in range(3 - len(stages))]
    return placements_in_words(
        Architecture.model_validate({"backbone": "resnet20", "stages": [*stages, *rest]})
    )


def test_different_networks_have_different_words() -> None:
    se, cbam = placed("se"), placed("cbam")
    assert words([se, cbam], [se, cbam]) == "se r16 then cbam r16 k7 in stages 1, 2"
    assert words([se, cbam], [cbam, se]) == (
        "se r16 then cbam r16 k7 in stage 1; cbam r16 k7 then se r16 in stage 2"
    )
    assert words([se, placed("cbam", blocks="last")]) == (
        "se r16 in stage 1, then cbam r16 k7 in the last block of stage 1"
    )
    assert (
        words([placed("se", min_width=8, bias=False)])
        == "se r16 min_width 8 bias False in stage 1"
    )
    assert words([placed("se", "pre", blocks="alternate", gain="zero")]) == (
        "se r16 gain zero at pre in every other block of stage 1"
    )


def test_placements_in_different_positions_are_named_apart() -> None:
    both = [placed("se"), placed("gc", "stage_end")]
    assert words(both, both) == "se r16 in stages 1, 2; gc r16 behind stages 1, 2"
