"""The picture of a replay: which fronts are drawn, and that it is one."""

from pathlib import Path
from typing import Any

from benchmarks.replays.figure import STYLES, Panel, draw, panels_of
from benchmarks.replays.table import METHODS


def row(method: str, report: str, last: float) -> dict[str, Any]:
    curves = {"value": f"0 1 {last}", "low": "0 0 1", "high": "0 2 4"}
    return {"method": method, "report": report, "by_trials": curves}


def facts(**more: object) -> dict[str, Any]:
    rows = [
        row("known-cost", "posterior", 3),
        row("tpe", "posterior", 2),
        row("tpe", "raw", 1.5),
    ]
    return {"reachable": 4.0, "num_replays": 7, "rows": rows, **more}


def test_each_method_is_drawn_by_the_front_that_its_users_read() -> None:
    (panel,) = panels_of(facts(num_start=2))
    shown = [(one.method, one.report, one.means[-1]) for one in panel.lines]
    assert shown == [("known-cost", "posterior", 3.0), ("tpe", "raw", 1.5)]
    assert panel.lines[0].lows == (0.0, 0.0, 1.0)
    assert panel.lines[0].highs == (0.0, 2.0, 4.0)
    assert panel.title == "7 replays; the whole grid scores 4.00"
    assert panel.num_start == 2


def test_a_surrogate_has_a_panel_for_each_ratio() -> None:
    panels = panels_of({"panels": [facts(ratio=2.0), facts(ratio=0.5)]})
    assert [one.title for one in panels] == [
        "gains 2 × the noise: 4.00 to win, 7 replays",
        "gains 0.5 × the noise: 4.00 to win, 7 replays",
    ]


def test_the_picture_widens_with_the_panels(tmp_path: Path) -> None:
    (one,) = panels_of(facts(num_start=1))

    def width(*panels: Panel) -> int:
        draw(panels, tmp_path / "figure.png")
        content = (tmp_path / "figure.png").read_bytes()
        assert content.startswith(b"\x89PNG")
        return int.from_bytes(content[16:20], "big")

    assert width(one, one, one) > 1.5 * width(one)


def test_every_method_has_its_own_style() -> None:
    assert set(STYLES) == set(METHODS)
    assert len(set(STYLES.values())) == len(STYLES)
