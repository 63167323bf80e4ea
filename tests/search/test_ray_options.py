"""What a run on a cluster refuses before it reaches for one."""

import sys

import pytest

from search.cli import run_command
from search.executors.cluster import cluster_of
from search.executors.ray_address import host_and_port
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
        ("ray", "head:100000", None, "--address must be auto, local or HOST:PORT, got head:1"),
    ],
)
def test_other_executors_and_shares_are_refused(
    executor: str, address: str | None, gpus: float | None, line: str
) -> None:
    with pytest.raises(Refusal, match=f"^{line}"):
        cluster_of(executor, address, gpus, None)


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("head:6379", ("head", 6379)),
        ("[::1]:6379", ("::1", 6379)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
    ],
)
def test_an_address_is_read_alike_by_a_run_and_by_the_doctor(
    address: str, where: tuple[str, int]
) -> None:
    assert host_and_port(address, "--address") == where


@pytest.mark.parametrize(
    "address", ["ray://head:10001", "head", ":6379", "head:", f"head:{'9' * 5000}", "head:\u0661"]
)
def test_what_is_no_address_is_refused_by_the_name_of_what_holds_it(address: str) -> None:
    with pytest.raises(Refusal, match=r"^RAY_ADDRESS must be auto, local or HOST:PORT, got "):
        host_and_port(address, "RAY_ADDRESS")


def test_without_ray_the_refusal_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "search.executors.ray_cluster", raising=False)
    assert run_command(["run", "--executor", "ray", "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.endswith('which is not installed: pip install "attention-search[ray]"')
