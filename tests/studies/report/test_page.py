"""The page as a browser gets it: complete, escaped, without anything from elsewhere."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest

from space import Architecture
from studies import Stops
from studies.report import ReportFacts, report_page
from studies.report.page import coded, script_json
from studies.report.sections import sections
from tests.studies.report.confirmations import CONFIRMATION

KEYS = [
    "front", "networks", "confirmed", "effects", "choices", "progress", "learning", "gates",
    "provenance", "checklist",
]  # fmt: skip


class Reader(HTMLParser):
    """Collects what stands in the page, scripts aside."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.lasttag not in ("script", "style"):
            self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_the_page_has_every_section_and_loads_nothing(facts: ReportFacts) -> None:
    text = report_page(facts, "no placement is distinguishable from plain (n = 10)")
    page = read(text)
    assert [one["id"] for one in page.of("section")] == KEYS
    assert [one["href"] for one in page.of("a")[1:]] == [f"#{key}" for key in KEYS]
    assert not page.of("link")
    assert not page.of("img")
    assert not any(one.get("src") for one in page.of("script"))
    policy = next(one["content"] for one in page.of("meta") if one.get("http-equiv"))
    assert policy
    assert policy.startswith("default-src 'none'")
    assert "No placement is distinguishable from plain (n = 10)" in page.words
    assert all(one.get("aria-label") for one in page.of("div") if one.get("class") == "plot")
    assert 4_000_000 < len(text) < 6_000_000


def test_every_word_from_outside_is_escaped(facts: ReportFacts) -> None:
    named = replace(facts, name="<img src=x onerror=alert(1)>")
    text = report_page(named, "</h1><script>alert(2)</script>")
    page = read(text)
    assert not page.of("img")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 2  # plotly's and our own
    assert not any("alert(2)" in one for one in scripts)
    joined = " ".join(page.words)
    for words in ("onerror=alert(1)>", "</h1><script>alert(2)", "Study <b> on", "'a <b>'"):
        assert words in joined


def test_figures_are_json_that_no_text_can_break_out_of() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2], text=["</script><script>alert(1)"]))
    text = script_json(figure)
    assert "<" not in text
    assert json.loads(text)["data"][0]["text"] == ["</script><script>alert(1)"]


def test_what_stands_between_backticks_is_code_and_escaped() -> None:
    assert coded("use `a <b>` & go") == "use <code>a &lt;b&gt;</code> &amp; go"


def test_a_configuration_reads_back_as_the_network_of_its_row(facts: ReportFacts) -> None:
    import yaml

    (networks,) = [one.networks for one in sections(facts) if one.key == "networks"]
    read_back = [
        Architecture.model_validate(yaml.safe_load(one.configuration)) for one in networks
    ]
    assert read_back == [row.architecture for row in facts.front.rows]
    assert sum("recommended" in one.line for one in networks) == 1


def test_an_unconfirmed_study_says_how_to_confirm_it(facts: ReportFacts) -> None:
    (found,) = [one for one in sections(facts) if one.key == "confirmed"]
    assert found.commands == (("Confirm it", "search confirm --study 'a <b>'"),)
    assert not found.tables


def test_a_confirmation_shows_gains_with_intervals_and_what_failed(facts: ReportFacts) -> None:
    known = replace(facts, confirmations=(CONFIRMATION,))
    (found,) = [one for one in sections(known) if one.key == "confirmed"]
    (table,) = found.tables
    assert table.caption == "1 epoch on 100 images"
    assert [row[:5] for row in table.rows] == [
        ("plain: resnet8", "80.00", "", "", "2"),
        ("finalist 1: se r16 in stage 1", "82.50", "+2.50 (+1.00 to +4.00)", "+2.00 ± 1.96", "2"),
        ("deeper plain: resnet14", "?", "", "", "0"),
    ]
    shown, claimed, *_ = found.pictures[0].figure.data
    assert (list(shown.x), list(shown.y)) == ([2.5], ["finalist 1"])
    assert shown.error_x.array == pytest.approx((1.5,))
    assert list(claimed.x) == [2.0]


@pytest.mark.parametrize(
    ("is_on", "stops", "words"),
    [
        (False, Stops(0, 0.0, 0, 0), "Early stopping was off: every training went to its end."),
        (True, Stops(0, 0.0, 0, 0), "Early stopping was on; no training was stopped."),
        (True, Stops(1, 0.05, 0, 0), "1 training was stopped early, which saved 5.0 % of the"),
        (True, Stops(9, 0.25, 2, 0), "2 more trainings went on to the end as audits, and none"),
    ],
)
def test_the_epochs_saved_are_told(
    facts: ReportFacts, is_on: bool, stops: Stops, words: str
) -> None:
    known = replace(facts, stops=stops, settings={**facts.settings, "early_stop": is_on})
    (found,) = [one for one in sections(known) if one.key == "learning"]
    assert words in found.lead[0]


def test_each_colour_of_the_figures_has_one_for_the_dark(facts: ReportFacts) -> None:
    from studies.report.page import FOLDER

    script = (FOLDER / "page.js").read_text()
    known = {*re.findall(r'"(#[0-9a-f]{6})": ', script)}
    drawn = "".join(
        script_json(picture.figure) for one in sections(facts) for picture in one.pictures
    )
    assert {*re.findall(r"#[0-9a-f]{6}\b", drawn)} <= known
