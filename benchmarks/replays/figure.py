"""Scores against trainings as a picture, from the facts that `--out` writes.

PYTHONPATH=. python -m benchmarks.replays.figure FACTS.json FILE.png
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from .history import POSTERIOR, RAW
from .table import OURS

PANEL = (4.6, 3.8)  # inches
ALONE = 6.4  # the width of a single one
ENTRY = (2.6, 0.24)  # of the legend, below the panels
DPI = 110
QUIET, GRID = "#616e7c", "#e4e7eb"
STYLES = {  # Okabe and Ito's colours, which all eyes tell apart; ours are green and blue
    "known-cost": ("#009e73", "-"),
    "known-cost-stop": ("#005a41", "--"),
    "known-cost-once": ("#56b4e9", "-"),
    "random": ("#7b8794", "-"),
    "tpe": ("#d55e00", "-"),
    "tpe-group": ("#e69f00", "-"),
    "nsga2-50": ("#cc79a7", "--"),
    "nsga2-20": ("#000000", "--"),
    "random-stop": ("#7b8794", "--"),
    "moasha": ("#0072b2", "-"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """The scores of what a method reports, after 1, 2, ... trainings: mean and 95 % band."""

    method: str
    report: str
    means: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """What is drawn in one frame."""

    title: str
    num_start: int  # trainings that all methods share
    lines: tuple[Line, ...]


def panels_of(facts: Mapping[str, Any]) -> tuple[Panel, ...]:
    """Return what a comparison's facts show: one panel, or one for each ratio."""
    parts = facts.get("panels", [facts])
    return tuple(Panel(_title(one), one.get("num_start", 0), _lines(one)) for one in parts)


def _title(facts: Mapping[str, Any]) -> str:
    replays, most = f"{facts['num_replays']} replays", f"{facts['reachable']:.2f}"
    if "ratio" in facts:
        return f"gains {facts['ratio']:g} × the noise: {most} to win, {replays}"
    return f"{replays}; the whole grid scores {most}"


def _lines(facts: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return each method by the front that its users read."""
    return tuple(
        Line(
            row["method"],
            row["report"],
            *(_numbers(row["by_trials"][end]) for end in ("value", "low", "high")),
        )
        for row in facts["rows"]
        if row["report"] == (POSTERIOR if row["method"] in OURS else RAW)
    )


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Draw the panels side by side, with one legend below."""
    num_lines = max(len(one.lines) for one in panels)
    width = max(ALONE, PANEL[0] * len(panels))
    num_columns = min(num_lines, int(width / ENTRY[0]))
    below = ENTRY[1] * ceil(num_lines / num_columns)
    height = PANEL[1] + below
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    frames = figure.subplots(1, len(panels), squeeze=False)[0]
    for frame, panel in zip(frames, panels, strict=True):
        _draw_panel(frame, panel)
    frames[0].set_ylabel("area above plain at truth")
    handles, labels = frames[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="lower center", ncols=num_columns, frameon=False, fontsize=9
    )
    figure.tight_layout(rect=(0, below / height, 1, 1))
    figure.savefig(path, format="png")


def _draw_panel(frame: Axes, panel: Panel) -> None:
    for line in panel.lines:
        (colour, style), thick = STYLES[line.method], 2.2 if line.method in OURS else 1.4
        trials, label = range(1, len(line.means) + 1), f"{line.method} ({line.report} front)"
        frame.plot(trials, line.means, color=colour, ls=style, lw=thick, label=label)
        frame.fill_between(trials, line.lows, line.highs, color=colour, alpha=0.13, lw=0)
    if panel.num_start:
        frame.axvspan(0.5, panel.num_start + 0.5, color=GRID, alpha=0.6, lw=0, zorder=0)
        frame.text(
            *(1.5, 0.02),
            "the same start",
            color=QUIET,
            size=8,
            transform=frame.get_xaxis_transform(),
        )
    frame.set_title(panel.title, size=10, loc="left")
    frame.set_xlabel("trainings")
    frame.set_xlim(0.5, len(panel.lines[0].means) + 0.5)
    frame.set_ylim(bottom=0)
    frame.xaxis.set_major_locator(MultipleLocator(8))
    frame.grid(color=GRID, lw=0.6)
    frame.spines[["top", "right"]].set_visible(False)
    frame.tick_params(colors=QUIET, labelsize=8.5)


def main(facts: str, picture: str) -> None:
    """Draw the facts of one file into another."""
    draw(panels_of(json.loads(Path(facts).read_text(encoding="utf-8"))), Path(picture))


if __name__ == "__main__":
    main(*sys.argv[1:])
