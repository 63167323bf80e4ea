"""What a pilot reads out of its trainings, on accuracies made by hand and bits drawn at random."""

from dataclasses import replace
from io import StringIO
from math import sqrt

import numpy as np
import pytest
from rich.console import Console

from search.config import Protocol
from search.pilot.choice import best, chosen_protocol, curve_images, study_seconds
from search.pilot.facts import Row, Size, rows, sizes
from search.pilot.lines import Finished
from search.pilot.plan import Pace, seconds_of
from search.pilot.table import closing, evidence, table
from search.reporting import MIN_WIDTH
from studies.estimates.variance import Components, Deviation, components

BASE = Protocol(
    dataset="cifar10",
    train_images=45_000,
    epochs=6,
    batch_size=128,
    learning_rate=0.2,
    averaging=0.1,
    curve_images=1_000,
)


def finished(network: str, index: int, accuracy: float, **changed: object) -> Finished:
    made = Finished(4, 5_000, network, index, accuracy, accuracy - 0.1, b"\xf0" * 100, 10.0, 1.0)
    return replace(made, **changed)  # type: ignore[arg-type] # a test names its own fields


def row(between: float, seed: float, seconds: float = 10.0, epochs: int = 4) -> Row:
    """Return what a protocol saw, by its deviations."""
    found = Components(Deviation(between, 0.001, 1), Deviation(seed, 0, 1), 5, 10)
    return Row(epochs, 5_000, averaged=True, components=found, retest=None, seconds=seconds)


def unsure(seen: Row) -> Row:
    """Return it with an interval that holds 0: its networks may not differ at all."""
    between = replace(seen.components.between, low=0.0)
    return replace(seen, components=replace(seen.components, between=between))


def pairs(*means: float, spread: float = 0.01) -> list[Finished]:
    """Return two trainings of each network, `spread` apart."""
    return [
        finished(str(number), index, mean + (index - 0.5) * spread)
        for number, mean in enumerate(means)
        for index in range(2)
    ]


def test_a_protocol_is_read_with_and_without_averaging() -> None:
    noisy = [replace(one, unaveraged=one.accuracy * (1 + one.index)) for one in pairs(0.5, 0.6)]
    with_, without = rows(noisy)
    assert (with_.averaged, without.averaged) == (True, False)
    assert with_.components == components({"0": [0.495, 0.505], "1": [0.595, 0.605]})
    assert without.components.seed.sd > with_.components.seed.sd
    assert with_.retest is not None
    assert with_.retest.tau == 1


def test_a_trainer_that_averages_nothing_has_one_row() -> None:
    (only,) = rows([replace(one, unaveraged=None) for one in pairs(0.5, 0.6)])
    assert not only.averaged
    assert only.components.seed.sd == pytest.approx(0.01 / sqrt(2))


def test_a_protocol_without_replicates_has_no_row() -> None:
    long = [replace(one, epochs=8) for one in pairs(0.5, 0.6)[::2]]
    assert {one.epochs for one in rows([*pairs(0.5, 0.6), *long])} == {4}
    assert rows(long) == ()


def test_the_best_buys_most_among_those_that_see_enough() -> None:
    """Signals 4 in 100 s, 1 in 20 s, and 0.9 in 1 s, which sees less than its noise."""
    long, short, blind = row(0.02, 0.01, 100.0), row(0.01, 0.01, 20.0), row(0.0095, 0.01, 1.0)
    assert best([long, short, blind]) is short
    assert best([long, unsure(short), blind]) is long


def test_where_none_sees_enough_the_longest_is_taken() -> None:
    blind, long = row(0.0095, 0.01, 1.0), row(0.005, 0.01, 9.0, epochs=8)
    assert best([blind, long]) is long
    assert best([unsure(row(0.02, 0.01)), long]) is long
    assert best([blind, row(0.005, 0.01, 0.1)]) is blind  # of one length, what sees more


def test_images_left_out_add_what_sampling_theory_says() -> None:
    """Draw n of N images without returning them: the difference of two runs varies by as much."""
    generator, every = np.random.default_rng(0), 2_000
    right = generator.random((2, every)) < np.array([[0.7], [0.6]])
    runs = [
        finished(str(network), 0, float(one.mean()), correct=np.packbits(one).tobytes())
        for network, one in enumerate(right)
    ]
    change = right[0].astype(float) - right[1]
    few, half, all_ = sizes(runs, row(0.01, 0.01))
    assert [few.num_images, half.num_images, all_.num_images] == [400, 1_000, 2_000]
    drawn = [generator.permutation(change)[:400].mean() for _ in range(4_000)]
    assert few.added_sd == pytest.approx(float(np.std(drawn)), rel=0.04)
    assert all_.added_sd == all_.share == 0
    assert half.share == pytest.approx(half.added_sd**2 / (2 * 0.01**2))


def test_the_fewest_images_that_add_under_a_tenth_are_taken() -> None:
    def of(*shares: float) -> list[Size]:
        numbers = zip((1_000, 2_500, 5_000), shares, strict=True)
        return [Size(number, 0.001, share) for number, share in numbers]

    assert curve_images(of(0.09, 0.02, 0.0)) == 1_000
    assert curve_images(of(0.5, 0.1, 0.0)) == 2_500
    assert curve_images(of(0.9, 0.3, 0.0)) is None


def test_the_choice_becomes_a_protocol() -> None:
    few = [Size(1_000, 0.1, 0.5), Size(2_500, 0.1, 0.05), Size(5_000, 0.0, 0.0)]
    chosen = chosen_protocol(BASE, row(0.02, 0.01, epochs=8), few)
    assert (chosen.epochs, chosen.train_images, chosen.curve_images) == (8, 5_000, 2_500)
    assert chosen.averaging == 0.1
    assert chosen_protocol(BASE, replace(row(0.02, 0.01), averaged=False), few).averaging == 0


def test_the_time_of_a_study_by_hand() -> None:
    """200 trainings of a mean time, 1.5 times as long as planned, on two workers."""
    pace = Pace({"a": 1000.0, "b": 500.0}, 2)
    each = (seconds_of(BASE, 1000.0) + seconds_of(BASE, 500.0)) / 2
    late = [finished("a", 0, 0.5, delay=1.0), finished("b", 0, 0.5, delay=2.0)]
    assert study_seconds(BASE, pace, late, 200) == pytest.approx(100 * each * 1.5)


def test_the_words_say_how_many_networks_a_study_tells_apart() -> None:
    few = (Size(1_000, 0.004, 0.5), Size(2_500, 0.002, 0.2), Size(5_000, 0.0, 0.0))
    seen = "\n".join(closing(row(0.01, 0.01), few, BASE, 7200.0))
    assert "takes about 2 h and can tell about 50 such networks apart" in seen
    assert "differ by 1.41 points" in seen
    assert "4 trainings of each" in seen
    assert "1000: 0.40 points (50%), 2500: 0.20 points (20%)" in seen
    assert "warning" not in seen


def test_the_words_warn_where_nothing_is_seen() -> None:
    few = (Size(5_000, 0.0, 0.0),)
    blind = "\n".join(closing(row(0.0, 0.01), few, BASE, 60.0))
    assert "can tell no two of such networks apart" in blind
    assert "a longer --budget tries longer trainings" in blind
    *others, warning = closing(unsure(row(0.02, 0.01)), few, BASE, 60.0)
    assert warning.startswith("warning: no protocol that fits surely shows networks that differ")
    assert "if these uncertain numbers hold, can tell about" in others[-1]


def test_the_evidence_is_plain() -> None:
    found = rows(pairs(0.5, 0.5))
    data = evidence(found, found[0], sizes(pairs(0.5, 0.5), found[0]), {"device": "cpu"})
    assert data["device"] == "cpu"
    assert data["chosen"] == 0
    assert data["trainings_to_tell_two_apart"] is None  # no difference: no number would do
    assert data["told_apart_by_200_trainings"] == 0


def test_the_table_fits_a_plain_screen_and_marks_the_choice() -> None:
    wide = replace(row(0.1234, 0.1234, 123.4), epochs=32, train_images=45_000)
    console = Console(width=MIN_WIDTH, record=True, file=StringIO())
    console.print(table([wide, row(0.01, 0.01)], wide))
    shown = console.export_text()
    assert "…" not in shown
    assert "→ 32 x 45000" in shown
    assert shown.count("→") == 1
