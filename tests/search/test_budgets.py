from pathlib import Path

import pytest
from optuna.trial import TrialState

from search.budgets import (
    budget,
    excesses,
    limits_in_words,
    limits_of,
    num_baselines_over,
    reason_over,
    with_budgets,
)
from search.config import config_of
from search.driver import Driver, Limits
from search.listener import Listener
from space import Cost, Refusal, baselines, cost, digest, plain
from studies import create_or_open, evaluations
from tests.search.scripted import SETTINGS, ScriptedExecutor

PLAIN = Cost(macs=40_551_040, params=269_722)  # of ResNet-20


def test_the_plain_network_of_these_tests_is_the_real_one() -> None:
    assert cost(plain("resnet20")) == PLAIN


@pytest.mark.parametrize(
    ("text", "name", "most"),
    [
        ("45M", "macs", 45_000_000),
        ("45 m", "macs", 45_000_000),
        ("45000000", "macs", 45_000_000),
        ("0.06G", "macs", 60_000_000),
        ("0.4M", "params", 400_000),
        ("400k", "params", 400_000),
        ("400K", "params", 400_000),
        ("300000.9", "params", 300_000),
        ("1x", "macs", 40_551_040),
        ("1.0x", "params", 269_722),
        ("1.1x", "macs", 44_606_144),  # 1.1 · 40,551,040 exactly
        ("1.1X", "params", 296_694),  # 296,694.2
    ],
)
def test_a_budget_is_read_as_a_count_rounded_down(text: str, name: str, most: int) -> None:
    assert budget(text, name, PLAIN) == most


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "-45M",
        "+45M",
        "45MB",
        "4 5M",
        "1e8",
        "1,1x",
        "x",
        "M",
        ".5G",
        "nan",
        "inf",
        "45%",
    ],
)
def test_what_is_no_count_is_refused_with_what_would_be(text: str) -> None:
    rule = r"^--max-macs must be a number such as 45M, 400k or 1.1x \(of the plain network\), got "
    with pytest.raises(Refusal, match=rule) as caught:
        budget(text, "macs", PLAIN)
    assert str(caught.value).endswith(f"got {text or repr('')}")


def test_a_number_of_a_thousand_digits_is_refused() -> None:
    with pytest.raises(Refusal, match="--max-params must be a number"):
        budget("9" * 10_000, "params", PLAIN)


@pytest.mark.parametrize(
    ("text", "name", "least"),
    [
        ("40551039", "macs", r"40551040 \(40.6 M\)"),
        ("0.999x", "macs", r"40551040 \(40.6 M\)"),
        ("0", "macs", r"40551040 \(40.6 M\)"),
        ("269k", "params", r"269722 \(270 k\)"),
    ],
)
def test_less_than_the_plain_network_is_refused_with_its_cost_and_the_way_out(
    text: str, name: str, least: str
) -> None:
    rule = (
        rf"^--max-{name} must be at least the plain network's {least}, got {text}; .*--backbone$"
    )
    with pytest.raises(Refusal, match=rule):
        budget(text, name, PLAIN)


def test_budgets_among_settings_become_counts_and_the_rest_stays() -> None:
    given = {"max_macs": "1.1x", "max_params": "0.4M", "epochs": 6}
    found = with_budgets(given, "resnet20")
    assert found == {"max_macs": 44_606_144, "max_params": 400_000, "epochs": 6}
    assert with_budgets(found, "resnet20") == found
    assert with_budgets({"epochs": 6}, "resnet20") == {"epochs": 6}


def test_limits_are_the_budgets_that_are_set() -> None:
    assert limits_of({"max_macs": 7, "max_params": None, "epochs": 6}) == {"macs": 7}
    assert limits_of({"max_macs": None, "max_params": None}) == {}


def test_an_excess_is_relative_to_its_limit_and_at_most_zero_is_allowed() -> None:
    found = excesses(Cost(macs=150, params=50), {"macs": 100, "params": 50})
    assert found == {"macs": pytest.approx(0.5), "params": 0.0}
    assert excesses(Cost(macs=75, params=1), {"macs": 100}) == {"macs": pytest.approx(-0.25)}
    assert excesses(Cost(macs=75, params=1), {}) == {}


def test_one_more_than_a_real_limit_is_an_excess() -> None:
    """Optuna's constraint and our reason must agree on the last multiply-accumulate."""
    most = 10**12
    for above in (-1, 0, 1):
        price = Cost(macs=most + above, params=1)
        is_over = excesses(price, {"macs": most})["macs"] > 0
        assert is_over == (reason_over(price, {"macs": most}) is not None) == (above > 0)


def test_the_reason_names_every_broken_limit_and_the_cost_in_words() -> None:
    price, limits = Cost(macs=49_500_000, params=500_000), {"macs": 45_000_000, "params": 400_000}
    assert reason_over(price, limits) == (
        "49.5 M macs are over the limit of 45 M (+10 %); "
        "500 k params are over the limit of 400 k (+25 %)"
    )
    assert reason_over(price, {"macs": 49_500_000}) is None
    assert reason_over(price, {}) is None


def test_limits_are_said_as_people_say_them() -> None:
    both = {"macs": 45_000_000, "params": 400_000}
    assert limits_in_words(both) == "at most 45 M macs and 400 k params"
    assert limits_in_words({"params": 400_000}) == "at most 400 k params"
    assert limits_in_words({}) == "no limit of cost"


@pytest.mark.slow
def test_both_budgets_of_a_study_hold_and_are_constraints_in_optuna(tmp_path: Path) -> None:
    budgets = with_budgets({"max_macs": "1.01x", "max_params": "1.03x"}, "resnet20")
    config = config_of({**SETTINGS, **budgets, "sampler": "random", "references": False})
    study = create_or_open(f"sqlite:///{tmp_path}/s.db", "tried", config.settings())
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    assert driver.run(Limits(15), lambda: False) == "total"
    broken = set()
    for row in evaluations(study):
        trial = study.optuna.trials[row.trial or 0]
        excess = {f"max_{name}": row.cost[name] / most - 1 for name, most in config.limits.items()}
        assert trial.constraints == {"place": trial.constraints["place"], **excess}
        over = [name for name, value in excess.items() if value > 0]
        broken.update(over)
        if over:
            assert (row.state, row.accuracy, trial.state) == ("refused", None, TrialState.PRUNED)
            assert "over the limit of" in (row.reason or "")
    assert broken == {"max_macs", "max_params"}


def test_baselines_over_a_budget_are_left_out_and_the_others_take_their_turn(
    tmp_path: Path,
) -> None:
    config = config_of({**SETTINGS, **with_budgets({"max_params": "1.03x"}, "resnet20")})
    most = config.limits["params"]
    usual = list(baselines(config.search_space).values())
    cheap = [digest(one) for one in usual if cost(one).params <= most]
    assert 3 < len(cheap) < len(usual)
    assert num_baselines_over(config.search_space, config.limits) == len(usual) - len(cheap)
    assert num_baselines_over(config.search_space, {}) == 0
    study = create_or_open(f"sqlite:///{tmp_path}/s.db", "tried", config.settings())
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    driver.run(Limits(9), lambda: False)  # three plain networks, a third of nine baselines
    assert [row.digest for row in evaluations(study)][3:6] == cheap[:3]
