"""The page: facts in, one HTML file out that needs no network."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from plotly.offline import get_plotlyjs

from .facts import ReportFacts
from .parts import hours
from .sections import sections

FOLDER = Path(__file__).parent
TEMPLATE = "page.jinja"  # not .html, which version control ignores here
# No script, picture or style from anywhere else; plotly compiles what it draws on a canvas.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A number of the study that stands out, and what it is."""

    value: str
    words: str


def report_page(facts: ReportFacts, verdict: str) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"script_json": script_json, "coded": coded}
    return environment.get_template(TEMPLATE).render(
        facts=facts,
        verdict=_headline(verdict),
        tiles=_tiles(facts),
        sections=sections(facts),
        policy=POLICY,
        style=_own("page.css"),
        script=_own("page.js"),
        plotly=Markup(get_plotlyjs()),  # the package's own file
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    )


def script_json(value: Any) -> Markup:  # noqa: ANN401 # a plotly figure, or plain data
    """Return JSON that may stand within a script element, whatever its texts hold."""
    text = value.to_json() if hasattr(value, "to_json") else json.dumps(value)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # no tag can begin in it


def coded(words: str) -> Markup:
    """Return escaped words in which what stands between backticks is set as code."""
    escaped = str(escape(words))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped))


def _own(name: str) -> Markup:
    return Markup((FOLDER / name).read_text())  # a file of this package


def _headline(verdict: str) -> str:
    """Return the sentence with a capital, unless it begins with a mechanism's name."""
    return verdict[0].upper() + verdict[1:] if verdict.startswith("no ") else verdict


def _tiles(facts: ReportFacts) -> tuple[Tile, ...]:
    """Return how much was tried, how long that took, and how far luck alone reaches."""
    front = facts.front
    noise = "unknown" if front.noise is None else f"{100 * front.noise.sd:.2f} points"
    return (
        Tile(str(front.num_trainings), "trainings to the end"),
        Tile(str(len(front.points)), "different networks"),
        Tile(noise, "from seed to seed (sd)"),
        Tile(hours(facts.spent.seconds), "of training"),
    )
