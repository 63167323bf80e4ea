"""What a run on a cluster refuses before it reaches for one."""

import sys

import pytest

from search.cli import run_command
from search.executors.cluster import cluster_of
from space import Refusal


def test_an_executor_is_local_or_ray_and_ray_alone_has_an_address() -> None:
    assert cluster_of("local", None, None, 2) is None
    found = cluster_of("ray", None, 0.5, 2)
    assert found is not None
    assert (found.address, found.gpus_per_trial, found.num_workers) == ("auto", 0.5, 2)


@pytest.mark.parametrize(
    ("executor", "address", "gpus", "line"),
    [
        ("dask", None, None, "--executor must be local or ray, got dask"),
        ("local", "auto", None, "--address goes with --executor ray, got --executor local"),
        ("local", None, 0.5, "--gpus-per-trial goes with --executor ray, got --executor local"),
        ("ray", None, 0.0, "--gpus-per-trial must be above 0 and at most 1, .*, got 0"),
        ("ray", None, 2.0, "--gpus-per-trial must be above 0 and at most 1, .*, got 2"),
        ("ray", None, float("nan"), "--gpus-per-trial must be above 0 and at most 1, .*, got nan"),
        ("ray", "ray://head:10001", None, "--address must be .*, got ray://head:10001: "),
    ],
)
def test_other_executors_and_shares_are_refused(
    executor: str, address: str | None, gpus: float | None, line: str
) -> None:
    with pytest.raises(Refusal, match=f"^{line}"):
        cluster_of(executor, address, gpus, None)


def test_without_ray_the_refusal_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "search.executors.ray_cluster", raising=False)
    assert run_command(["run", "--executor", "ray", "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.endswith('which is not installed: pip install "attention-search[ray]"')
