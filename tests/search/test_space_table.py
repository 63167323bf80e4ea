"""What `search space` says, on the screen and in the documentation."""

import json
import re
from pathlib import Path

import pytest

from search.cli import run_command
from search.space_table import markdown_table, size_line
from space import MECHANISMS, SearchSpace, Shape, cost, cost_range, plain

PAGE = (Path(__file__).parents[2] / "docs" / "search-space.md").read_text()


def generated(command: str) -> str:
    """Return what stands in the page behind the comment with the command that made it."""
    found = re.search(rf"<!-- {re.escape(command)} -->\n\n(.*?)\n\n<!-- end -->", PAGE, re.DOTALL)
    assert found, command
    return found[1]


@pytest.mark.parametrize("name", ["resnet20", "resnet18"])
def test_the_pages_cost_table_is_what_the_command_prints(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generated(f"search space --backbone {name} --format markdown") == markdown_table(name)
    assert run_command(["space", "--backbone", name, "--format", "markdown"]) == 0
    assert capsys.readouterr().out.strip() == markdown_table(name)


@pytest.mark.slow
def test_the_pages_numbers_of_architectures_are_those_of_the_spaces() -> None:
    lines = generated("search space").splitlines()
    names = [line.split()[1].rstrip(":") for line in lines]
    assert {"resnet20", "resnet18"} <= set(names)
    assert lines == [f"* {size_line(SearchSpace(backbone=name))}" for name in names]


@pytest.mark.parametrize("kind", MECHANISMS)
def test_the_page_names_each_mechanism_with_its_searched_values(kind: str) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{kind}` "))
    for values in MECHANISMS[kind].searched.values():
        for value in (one for one in values if not isinstance(one, bool | str)):
            assert re.search(rf"\b{re.escape(f'{value:g}'.replace('1e-05', '1e-5'))}\b", row) or (
                f"{value:.0e}".replace("e-0", "e-") in row
            )


def test_the_screen_shows_the_table_and_the_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["space"]) == 0
    shown = capsys.readouterr().out
    assert size_line(SearchSpace(backbone="resnet20")) in shown
    assert "(17.3 M / 584)" in shown  # MECHANISMS: 2·16·8·2·1024 + 2·1024²·8, too many positions


def test_json_holds_every_number_and_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["space", "--backbone", "resnet18", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    _, most = cost_range(SearchSpace(backbone="resnet18"))
    assert found["least"]["macs"] == cost(plain("resnet18")).macs
    assert found["most"]["params"] == most.params
    last = found["mechanisms"]["cbam"]["stages"][3]
    assert last["macs"] == MECHANISMS["cbam"].model_validate({}).macs(Shape(512, 4, 4))
    assert last["reason_unproposed"] == "kernel must be at most the map's side 4, got 7"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--backbone", "vgg16"], "search: backbone must be one of resnet8, .*, got vgg16"),
        (["--format", "csv"], "search: --format must be one of table, markdown, json, got csv"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["space", *arguments]) == 2
    assert re.fullmatch(problem, capsys.readouterr().err.strip())
