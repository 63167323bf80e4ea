import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from space import Cost
from studies.effects.by_stage import Cell, Effect, Effects
from studies.effects.figures import effect_figure
from studies.effects.map import EffectMap, cost_words, effect_map

PLAIN_COST = Cost(1_000, 200)
SURE = Effect(Cell(1, "se"), -0.02, 0.001, -0.022, -0.018, 1e-9, 2, 5, Cost(1, 2), Cost(1, 2))
ALONE = Effect(Cell(2, "se"), 0.004, 0.002, 0.0001, 0.0079, 0.045, 1, 1, Cost(0, 0), Cost(9, 4))
OPEN = Effect(Cell(1, "gam"), 0.001, 0.002, -0.003, 0.005, 0.6, 3, 4, Cost(50, 1), Cost(200, 9))
NEVER = Cell(2, "cbam")
WHOLE = Effects((SURE, ALONE, OPEN), (NEVER,), np.eye(3), 7)


@pytest.fixture
def facts() -> EffectMap:
    return effect_map(WHOLE, 2, PLAIN_COST)


def drawn(facts: EffectMap) -> dict[str, Any]:
    """Return the figure as the JSON that a browser gets; NaN and infinity fail."""
    text = effect_figure(facts, "title").to_json()
    found: dict[str, Any] = json.loads(text, parse_constant=pytest.fail)
    return found


def test_rows_are_the_mechanisms_of_the_study_in_the_order_of_their_table(
    facts: EffectMap,
) -> None:
    assert facts.kinds == ("se", "cbam", "gam")
    assert facts.untried == (NEVER,)


def test_a_tile_says_how_sure_it_is_without_its_colour(facts: EffectMap) -> None:
    assert [(tile.certainty, tile.text) for tile in facts.tiles] == [
        ("sure", "<b>-2.00 ± 0.10 ★</b><br>n 5"),
        ("alone", "+0.40 ± 0.20<br>n 1"),
        ("open", "(+0.10 ± 0.20)<br>n 4"),
    ]


def test_a_tiles_label_says_what_it_rests_on_and_what_it_costs(facts: EffectMap) -> None:
    assert facts.tiles[0].label == (
        "<b>se in stage 1</b><br>-2.00 ± 0.10 points, 95 % interval -2.20 to -1.80<br>"
        "5 trainings of 2 networks<br>adds +0.10 % MACs, +1.0 % params"
    )
    assert "1 training of 1 network<br>" in facts.tiles[1].label


def test_a_cost_is_a_share_of_plain_or_a_range_of_shares() -> None:
    assert cost_words(OPEN, "macs", PLAIN_COST) == "+5.0 to +20 %"
    assert cost_words(OPEN, "params", PLAIN_COST) == "+0.50 to +4.5 %"
    assert cost_words(SURE, "macs", PLAIN_COST) == "+0.10 %"


def test_clear_and_open_tiles_are_two_layers_of_one_centred_scale(facts: EffectMap) -> None:
    found = drawn(facts)
    clear, open_ = found["data"]
    assert clear["z"] == [[-2.0, pytest.approx(0.4)], [None, None], [None, None]]
    assert open_["z"] == [[None, None], [None, None], [pytest.approx(0.1), None]]
    assert open_["opacity"] < clear["opacity"] == 1
    axis = found["layout"]["coloraxis"]
    assert (axis["cmin"], axis["cmax"]) == (-2.0, 2.0)
    assert {clear["coloraxis"], open_["coloraxis"]} == {"coloraxis"}


def test_an_untried_cell_is_an_empty_frame_and_an_unproposed_one_says_so(facts: EffectMap) -> None:
    layout = drawn(facts)["layout"]
    (frame,) = layout["shapes"]
    assert (frame["x0"] < 2 < frame["x1"], frame["y0"] < 1 < frame["y1"]) == (True, True)
    assert "fillcolor" not in frame
    words = {(one["x"], one["y"]): one["text"] for one in layout["annotations"]}
    assert words[1, 1] == words[2, 2] == "not proposed"
    assert (2, 1) not in words
    assert words[1, 0].startswith("<b>-2.00")


def test_a_map_without_any_effect_can_be_drawn() -> None:
    nothing = replace(WHOLE, known=(), covariance=np.zeros((0, 0)))
    layout = drawn(effect_map(nothing, 2, PLAIN_COST))["layout"]
    assert layout["coloraxis"]["cmax"] > 0
    assert len(layout["shapes"]) == 1
