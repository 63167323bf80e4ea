"""One look at every node before a run: the same programs, a device that works, the data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from platform import python_version_tuple
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.config import Precision
from space import Refusal

from .cluster import Share

PROGRAMS = ("attention-search", "torch")
PATIENCE = 120.0  # seconds until a node that says nothing is refused
FETCH_PATIENCE = 1800.0  # for 139 MB, perhaps over a slow line
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Node:
    """What a node has to train with."""

    programs: dict[str, str]  # their versions
    precision: Precision
    hardware: str


def programs() -> dict[str, str]:
    """Return the versions that must be the same everywhere; a build's suffix may differ."""
    python = ".".join(python_version_tuple()[:2])
    return {"python": python, **{name: version(name).split("+")[0] for name in PROGRAMS}}


def look(device: str) -> Node:
    """Return what this node has.

    Raises:
        Refusal: it has no such device that torch can use.
    """
    from search.training.device import hardware_in_words, resolve_device

    found = resolve_device(device)
    return Node(programs(), found.precision, hardware_in_words(found))


def fetch(dataset: str, data_dir: Path | None) -> None:
    """Find or fetch the data on this node.

    Raises:
        Refusal: the data cannot be had.
    """
    from search.training.data import ensure

    ensure(dataset, data_dir, lambda _: None)


def seen(nodes: Sequence[str], device: str, share: Share) -> tuple[Node, ...]:
    """Return what the nodes have.

    Raises:
        Refusal: a node does not answer, lacks the device, or has other programs.
    """
    ours, found = programs(), on_each(nodes, lambda: look(device), share, PATIENCE)
    for node, one in zip(nodes, found, strict=True):
        for name, wanted in ours.items():
            if one.programs[name] != wanted:
                raise Refusal(
                    f"node {_address(node)} must have {name} {wanted} as the driver has, got "
                    f"{one.programs[name]}; install that there, or here what is there"
                )
    return tuple(found)


def fetched(nodes: Sequence[str], dataset: str, data_dir: Path | None) -> None:
    """Have the data on every node.

    Raises:
        Refusal: a node cannot have it, or does not answer.
    """
    on_each(nodes, lambda: fetch(dataset, data_dir), Share(cpus=0), FETCH_PATIENCE)


def on_each(
    nodes: Sequence[str], function: Callable[[], Found], share: Share, patience: float
) -> list[Found]:
    """Return what the function says on each node.

    Raises:
        Refusal: it fails on a node, or a node does not answer in time.
    """
    asked = [_ask(node, function, share) for node in nodes]
    _, silent = ray.wait(asked, num_returns=len(asked), timeout=patience)
    for node, answer in zip(nodes, asked, strict=True):
        if answer in silent:
            raise Refusal(
                f"node {_address(node)} must answer within {patience:.0f} s, got nothing; others "
                "may hold its GPUs, as `ray status` shows: wait, or take it out of the cluster"
            )
    return [_answer(node, answer) for node, answer in zip(nodes, asked, strict=True)]


def _ask(node: str, function: Callable[[], Found], share: Share) -> Any:  # noqa: ANN401
    place = NodeAffinitySchedulingStrategy(node, soft=False)
    needs = {"num_cpus": 0, "num_gpus": share.gpus, "max_retries": 0}
    return ray.remote(function).options(**needs, scheduling_strategy=place).remote()


def _answer(node: str, answer: Any) -> Any:  # noqa: ANN401
    try:
        return ray.get(answer)
    except RayTaskError as error:
        cause = error.cause
        remedy = "" if isinstance(cause, Refusal) else "; install there what the driver has"
        reason = " ".join(f"{cause}".split())
        raise Refusal(f"node {_address(node)}: {reason}{remedy}") from error
    except RayError as error:
        raise Refusal(f"node {_address(node)} was lost while it was asked: run again") from error


def _address(node: str) -> str:
    return next(str(one["NodeManagerAddress"]) for one in ray.nodes() if one["NodeID"] == node)
