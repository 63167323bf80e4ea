"""What a model card says, and what it admits."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from space import Cost, SearchSpace, baselines, plain
from studies import Front, OpenStudy, Point
from studies.confirmation.comparison import Arm, Confirmation, Interval
from studies.confirmation.stored import ArmResult, Confirmed
from studies.estimates.posterior import Estimate
from studies.model_card import Card, model_card

MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]
SE = baselines(SearchSpace(backbone="resnet8"))["se"]


@pytest.fixture
def card(make_point: MakePoint, make_front: MakeFront, study: OpenStudy) -> Card:
    """SE at 91 ± 0.5 %, 1 ± 0.25 points over plain, from two trainings."""
    known = Estimate(0.91, 0.005, 2, 0.92, 0.01, 0.0025, 0.999)
    base, point = (
        make_point(0.9, digest="a" * 16),
        make_point(0.91, 101, 110, architecture=SE, estimate=known, trials=(1, 5)),
    )
    return Card(point, make_front(base, point), study, {"model.py": "the network"})


def confirmed(card: Card, accuracies: tuple[float, ...]) -> Confirmed:
    arm = Arm(role="finalist", architecture=SE, seeds=(1, 2))
    own = replace(card.point, digest=arm.digest)
    plan = Confirmation(
        epochs=9,
        num_images=10_000,
        protocol_digest="",
        own_digest="",
        fresh_seeds=(),
        arms=(Arm(role="plain", architecture=plain("resnet8"), seeds=(1,)), arm),
    )
    result = ArmResult(arm, own.cost, accuracies, Interval(0.004, -0.001, 0.009), 0)
    return Confirmed(plan, (result,), None, 1)


def test_numbers_have_intervals_and_counts(card: Card) -> None:
    text = model_card(card)
    assert text.startswith("# se r16 in stages 1, 2, 3 on resnet8\n")
    # 91 ± 1.96 x 0.5 and 1 ± 1.96 x 0.25 points
    assert "| validation accuracy, % | 91.00 ± 0.50 (90.02 to 91.98) |" in text
    assert "| gain over plain, points | +1.00 ± 0.25 (+0.51 to +1.49) |" in text
    assert "| plain network, % | 90.00 ± 0.10 (89.80 to 90.20) |" in text
    assert "| raw mean of its trainings, % | 92.00 |" in text
    assert "Trainings of this network: 2, of plain 1, of the study 2." in text
    assert "Run-to-run sd: 0.20 points (4 degrees of freedom)." in text
    assert "| MACs | 101 (101) | +1.0 % |" in text
    assert "| params | 110 (110) | +10 % |" in text


def test_origin_limits_and_the_command_are_there(card: Card) -> None:
    text = model_card(card)
    assert "study `attention`, trials 1, 5, digest `" in text
    assert "epochs 2, batch_size 50" in text
    assert "written with python 3" in text
    assert ", attention-search " in text
    assert "of 2 epochs of 200 images: a short protocol" in text
    assert "validation images that took part in choosing it" in text
    assert "trained once" not in text
    assert "probability of 0.999" in text
    assert "search train architecture.yaml --dataset cifar10-sample --train-images 200" in text
    assert "--save weights.safetensors\n" in text
    assert "* `model.py`: the network" in text


def test_weights_are_loaded_where_there_are_some(card: Card) -> None:
    assert "load_file" not in model_card(card)
    files = {**card.files, "weights.safetensors": "trained"}
    assert 'load_state_dict(load_file("weights.safetensors"))' in model_card(
        replace(card, files=files)
    )


def test_a_network_is_not_confirmed_until_its_test_images_were_read(card: Card) -> None:
    for found in ((), (confirmed(card, ()),), (confirmed(card, (0.8, 0.81)),)):
        other = replace(card, confirmed=found)  # of another digest, or unread
        assert "Not confirmed: no test image was read for this network" in model_card(other)


def test_of_a_confirmation_that_was_begun_nothing_is_told(card: Card) -> None:
    text = model_card(replace(card, is_begun=True))
    assert "Not confirmed: a confirmation was begun and is not finished" in text
    assert "no test image was read" not in text


def test_the_sample_gives_no_result_and_other_images_have_their_own_name(card: Card) -> None:
    text = model_card(card)
    assert text.splitlines()[2] == "**Installation check on a few sample images: not a result.**"
    assert "chosen on a few sample images of CIFAR-10; nothing is known of other" in text
    real = replace(card.study, settings={**card.study.settings, "dataset": "cifar10"})
    text = model_card(replace(card, study=real))
    assert "not a result" not in text
    assert "* It was chosen on CIFAR-10; nothing is known of other images" in text


def test_a_confirmation_is_quoted_with_its_protocol(card: Card) -> None:
    done = confirmed(card, (0.80, 0.81))
    own = replace(card.point, digest=done.arms[0].arm.digest)
    text = model_card(replace(card, point=own, confirmed=(done,)))
    assert "Not confirmed" not in text
    assert (
        "test accuracy 80.50 % (n = 2) after 9 epochs of 10,000 images; gain over plain " in text
    )
    assert "+0.40 points (95 %, for all compared: -0.10 to +0.90)" in text


def test_the_plain_network_gains_nothing_over_itself(card: Card) -> None:
    text = model_card(replace(card, point=card.front.rows[0]))
    assert text.startswith("# plain on resnet8\n")
    assert "without attention" in text
    assert "gain over plain" not in text
    assert "better than plain" not in text
    assert "* It was trained once" in text


def test_unknown_errors_are_said_to_be(card: Card, unknown: Callable[[float], Estimate]) -> None:
    point = replace(card.point, estimate=unknown(0.9), cost=Cost(100, 100))
    text = model_card(replace(card, point=point, front=replace(card.front, noise=None)))
    assert "| validation accuracy, % | 90.00 ± unknown |" in text
    assert "| gain over plain, points | unknown |" in text
    assert "Run-to-run sd: unknown: nothing was trained twice." in text
    assert "nan" not in text
