import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from search.config import Protocol
from space import (
    Refusal,
    SearchSpace,
    baselines,
    cost,
    digest,
    placements_in_words,
    plain,
    read_architecture,
)
from studies import Evaluation, Front, OpenStudy, Point, front_of
from studies.export import IN_FILES, export, head, only_in_file, picked, train_command
from studies.front import best, knee, recommended

PLAIN, USUAL = plain("resnet8"), baselines(SearchSpace(backbone="resnet8"))


@pytest.fixture
def front(make_evaluation: Callable[..., Evaluation]) -> Front:
    """Plain (trials 0 and 4), SE (1), GAM (2) on the front, and CBAM (3), which SE beats."""
    runs = [(PLAIN, 0.90), (USUAL["se"], 0.93), (USUAL["gam"], 0.96), (USUAL["cbam"], 0.80)]
    done = [make_evaluation(architecture, accuracy) for architecture, accuracy in runs]
    again = make_evaluation(PLAIN, 0.904, purpose="replicate")
    return front_of([*done, again], "resnet8", "macs")


@pytest.fixture
def mine(study: OpenStudy) -> OpenStudy:
    return replace(study, name="mine")


def test_each_rule_picks_what_it_names(front: Front) -> None:
    assert picked(front, "recommended") == (recommended(front),)
    assert picked(front, "best") == (best(front),)
    assert picked(front, "knee") == (knee(front),)


def test_a_front_is_picked_whole(front: Front) -> None:
    assert picked(front, "front") == front.rows
    assert len(front.rows) == 3


def test_rows_are_picked_by_their_number_from_1(front: Front) -> None:
    assert [picked(front, f"row:{n}") for n in (1, 2, 3)] == [(row,) for row in front.rows]


@pytest.mark.parametrize(
    ("trial", "expected"),
    [(0, PLAIN), (4, PLAIN), (1, USUAL["se"]), (3, USUAL["cbam"])],  # 3 is on no row
)
def test_trials_are_picked_on_the_front_or_not_and_by_any_replicate(
    trial: int, expected: object, front: Front
) -> None:
    assert [one.architecture for one in picked(front, f"trial:{trial}")] == [expected]


@pytest.mark.parametrize(
    ("pick", "rule"),
    [
        ("row:0", "--pick row must be 1 to 3, got 0"),
        ("row:4", "--pick row must be 1 to 3, got 4"),
        ("trial:5", "trial 5 has no finished training"),
        ("row:-1", "--pick must be recommended, best, knee, row:N, trial:N or front, got row:-1"),
        ("row", "--pick must be recommended, .* got row$"),
        ("cheapest", "--pick must be recommended, .* got cheapest"),
        ("column:1", "--pick must be recommended, .* got column:1"),
    ],
)
def test_no_such_pick_is_refused(pick: str, rule: str, front: Front) -> None:
    with pytest.raises(Refusal, match=rule):
        picked(front, pick)


def test_an_empty_study_has_nothing_to_pick() -> None:
    with pytest.raises(Refusal, match="no training has finished yet"):
        picked(front_of((), "resnet8", "macs"), "best")


@pytest.mark.parametrize("name", ["best.yaml", "best.yml", "best.json", "new/best.yaml"])
def test_an_exported_file_loads_back_to_the_same_network(
    name: str, front: Front, tmp_path: Path, mine: OpenStudy
) -> None:
    points = picked(front, "best")
    assert export(points, front, tmp_path / name, study=mine) == [tmp_path / name]
    assert digest(read_architecture(tmp_path / name)) == points[0].digest == digest(USUAL["gam"])


def test_a_yaml_file_says_on_top_what_it_is(front: Front, tmp_path: Path, mine: OpenStudy) -> None:
    (point,) = picked(front, "row:2")
    (path,) = export((point,), front, tmp_path / "se.yaml", study=mine)
    comments = [one for one in path.read_text().splitlines() if one.startswith("#")]
    assert comments == [f"# {line}" for line in head(point, front, mine).splitlines()]
    assert path.read_text().startswith("# se r16 in stages 1, 2, 3 on resnet8\n")


def test_a_head_holds_estimate_cost_and_commands(front: Front, mine: OpenStudy) -> None:
    (point,) = picked(front, "row:2")
    text, known = head(point, front, mine), point.estimate
    more = 100 * (cost(USUAL["se"]).params / cost(PLAIN).params - 1)
    assert f"study mine, trial 1, digest {digest(USUAL['se'])}" in text
    assert f"accuracy {100 * known.accuracy:.2f} ± {100 * known.standard_error:.2f} %" in text
    assert "(n = 1)" in text
    assert f"params (+{more:.1f} % over plain)" in text
    assert "search train FILE --dataset cifar10-sample --train-images" in text
    assert "backbones.build(space.read_architecture(Path('FILE')))" in text


def test_the_command_trains_as_the_study_did(front: Front, mine: OpenStudy) -> None:
    (point,) = picked(front, "row:2")
    assert "--averaging" not in train_command(mine, "a.yaml")
    assert only_in_file(mine) == []
    own = {"averaging": 0.1, "curve_images": 500, "momentum": 0.5, "data_seed": 3}
    other = replace(mine, settings={**mine.settings, **own})
    assert train_command(other, "a.yaml").endswith(" --averaging 0.1 --curve-images 500")
    (line,) = only_in_file(other)
    assert "--protocol" in line
    assert line.endswith("`protocol: {momentum: 0.5, data_seed: 3}`")
    assert line in head(point, front, other).splitlines()


def test_what_only_a_file_gives_has_the_protocols_defaults() -> None:
    fields = Protocol.model_fields
    assert {name: fields[name].default for name in IN_FILES} == IN_FILES
    options = {"dataset", "train_images", "epochs", "batch_size", "learning_rate", "weight_decay"}
    options |= {"averaging", "curve_images"}
    assert {*IN_FILES, *options, "precision"} == set(fields)


def test_a_head_admits_an_unknown_error(
    make_point: Callable[..., Point],
    make_front: Callable[..., Front],
    unknown: Callable[..., object],
    mine: OpenStudy,
) -> None:
    point = make_point(0.9, estimate=unknown(0.9))
    assert "accuracy 90.00 ± unknown %" in head(point, make_front(point), mine)


@pytest.mark.parametrize(
    ("backbone", "name"),
    [
        ("resnet10", "resnet18"),
        ("resnet34", "resnet34"),
        ("resnet26", "resnet50"),
        ("resnet152", "resnet152"),
    ],
)
def test_a_head_names_the_network_of_torchvisions_with_the_same_blocks(
    backbone: str,
    name: str,
    make_point: Callable[..., Point],
    make_front: Callable[..., Front],
    mine: OpenStudy,
) -> None:
    point = make_point(0.9, architecture=baselines(SearchSpace(backbone=backbone))["se"])
    *_, line = head(point, make_front(point), mine).splitlines()
    call = f"backbones.insert(torchvision.models.{name}(weights='DEFAULT'), architecture.stages)"
    assert line.startswith("into torchvision's, whose outputs stay with `gain: zero`")
    assert line.endswith(f": {call}")


def test_the_plain_network_has_nothing_to_insert(
    make_point: Callable[..., Point], make_front: Callable[..., Front], mine: OpenStudy
) -> None:
    point = make_point(0.9, architecture=plain("resnet18"))
    assert "torchvision" not in head(point, make_front(point), mine)


def test_a_head_leaves_a_fourth_stage_plain_where_there_are_three(
    front: Front, mine: OpenStudy
) -> None:
    (point,) = picked(front, "row:2")
    *_, others, last = head(point, front, mine).splitlines()
    assert others.startswith("build it")
    assert last.endswith("resnet18(weights='DEFAULT'), (*architecture.stages, ()))")


def test_a_front_becomes_a_folder_with_a_manifest(
    front: Front, tmp_path: Path, mine: OpenStudy
) -> None:
    paths = export(front.rows, front, tmp_path / "out", study=mine)
    assert [one.name for one in paths[:-1]] == [
        f"trial{row.trial:04d}-{row.digest}.yaml" for row in front.rows
    ]
    assert [digest(read_architecture(one)) for one in paths[:-1]] == [r.digest for r in front.rows]
    assert paths[-1] == tmp_path / "out" / "manifest.json"
    manifest = json.loads(paths[-1].read_text())
    assert manifest["study"] == "mine"
    for entry, row, path in zip(manifest["architectures"], front.rows, paths, strict=False):
        assert entry == {
            "file": path.name,
            "trial": row.trial,
            "digest": row.digest,
            "placements": placements_in_words(row.architecture),
            "estimate": row.estimate.accuracy,
            "standard_error": row.estimate.standard_error,
            "num_evaluations": row.estimate.num_evaluations,
            "macs": row.cost.macs,
            "params": row.cost.params,
        }


def test_a_manifest_stays_json_while_errors_are_unknown(
    front: Front, unknown: Callable[[float], object], tmp_path: Path, mine: OpenStudy
) -> None:
    rows = tuple(replace(row, estimate=unknown(0.9)) for row in front.rows)  # type: ignore[arg-type]
    *_, manifest = export(rows, front, tmp_path / "out", study=mine)
    entries = json.loads(manifest.read_text(), parse_constant=pytest.fail)["architectures"]
    assert [one["standard_error"] for one in entries] == [None] * 3


def test_a_front_does_not_fit_into_a_file(front: Front, tmp_path: Path, mine: OpenStudy) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(Refusal, match=r"--out must be a folder, .* got the file .*out"):
        export(front.rows, front, tmp_path / "out", study=mine)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_later_front_takes_the_place_of_an_earlier_one(
    front: Front, tmp_path: Path, mine: OpenStudy
) -> None:
    export(front.rows, front, tmp_path / "out", study=mine)
    paths = export(front.rows[:1], front, tmp_path / "out", study=mine)
    assert sorted((tmp_path / "out").iterdir()) == sorted(paths)


def test_a_front_leaves_a_folder_of_others_alone(
    front: Front, tmp_path: Path, mine: OpenStudy
) -> None:
    earlier = export(front.rows, front, tmp_path / "out", study=mine)
    earlier[0].write_text("edited by hand")
    with pytest.raises(
        Refusal, match=r"--out must be .* an earlier export as it was written, got"
    ):
        export(front.rows[:1], front, tmp_path / "out", study=mine)
    assert sorted((tmp_path / "out").iterdir()) == sorted(earlier)
    assert earlier[0].read_text() == "edited by hand"


def test_another_suffix_is_refused(front: Front, tmp_path: Path, mine: OpenStudy) -> None:
    with pytest.raises(Refusal, match=r"must end in \.yaml, \.yml, \.json, got best\.txt"):
        export(picked(front, "best"), front, tmp_path / "best.txt", study=mine)
