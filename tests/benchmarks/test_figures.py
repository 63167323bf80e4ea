"""What benchmarks work out from their measurements, on numbers by hand."""

from argparse import Namespace

import pytest
import torch

from benchmarks.attention_time import PLAIN, gates_of, gates_speed_ratio
from benchmarks.contenders import split_of
from benchmarks.engine import environments, shares_of, workers_of
from benchmarks.time_to_accuracy import row_of, verdict
from benchmarks.trainings import Trained
from space import cost, plain


def test_gates_are_the_mechanisms_whose_usual_place_is_the_residual_branch() -> None:
    seconds = {PLAIN: [1.0], "se": [1.0], "non_local": [1.0], "eca": [1.0], "bam": [1.0]}
    assert gates_of(seconds) == ["se", "eca"]


def test_the_gates_speed_is_the_geometric_mean_of_each_round() -> None:
    seconds = {
        PLAIN: [1.0, 2.0, 4.0],
        "se": [2.0, 2.0, 4.0],  # 1/2, 1 and 1 of plain's images/s
        "eca": [8.0, 8.0, 4.0],  # 1/8, 1/4 and 1
        "non_local": [99.0, 99.0, 99.0],  # no gate
    }
    assert gates_speed_ratio(seconds).median == pytest.approx(0.5)  # of 1/4, 1/2 and 1


def test_images_beyond_the_sample_begin_it_again() -> None:
    split = split_of(3_600)
    assert len(split.train_labels) == 3_600
    assert (split.train_images[3_000:] == split.train_images[:600]).all()
    assert len(split.validation_labels) == 400


def test_the_share_counts_six_operations_for_each_multiply_accumulate() -> None:
    macs = cost(plain("resnet20")).macs
    options = Namespace(backbone="resnet20", device=torch.device("cuda"), workers=[2], mixed=False)
    speeds = {name: [100.0] for name in workers_of(options)}
    shares = shares_of(speeds, 600.0 * 4 * macs, options)
    assert [one.median for one in shares.values()] == pytest.approx([0.25] * 3)  # one GPU for all


def test_ours_has_a_workers_variables_and_the_tutorials_loop_has_not() -> None:
    cpu = torch.device("cpu")
    assert environments("tutorial", 1, cpu) == ({},)
    assert [one["OMP_NUM_THREADS"] for one in environments("ours", 3, cpu)] == ["1"] * 3
    every_thread = environments("ours, all threads", 1, cpu)[0]
    assert "OMP_NUM_THREADS" not in every_thread
    assert every_thread.keys() < environments("ours", 1, cpu)[0].keys()


def test_a_number_of_epochs_is_enough_when_every_seed_ends_at_the_accuracy() -> None:
    over = Trained((0.5, 0.94), (2.0, 3.0))
    under = Trained((0.95, 0.93), (2.0, 4.0))  # the last epoch counts, not the best
    row = row_of(2, [over, over], 0.94)
    assert row.is_enough
    assert row.seconds.median == 5.0
    assert (
        verdict([row], 0.94)
        == "94 % validation accuracy with all seeds: 2 epochs, 5.0 (5.0–5.0) s"
    )
    missed = row_of(2, [over, under], 0.94)
    assert (missed.num_reached, missed.is_enough) == (1, False)
    assert "no number of epochs" in verdict([missed], 0.94)
