"""What trains: this machine's workers or a cluster's. It is found at each start, never stored."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .config import Precision
from .executors.cluster import Cluster, Share
from .executors.environments import ONE_THREAD, Environment, worker_environments

Ensure = Callable[[str, Path | None, Callable[[str], None]], None]  # the data set where it trains


@dataclass(frozen=True, slots=True)
class Machine:
    """The device, one environment for each worker, and what brings the data to them.

    With `finds_workers` there is one environment for each device.
    """

    device: str
    precision: Precision
    hardware: str
    environments: tuple[Environment, ...]
    ensure: Ensure
    finds_workers: bool = False
    share: Share | None = None  # of a cluster's node; None on this machine


def find_machine(device: str, num_workers: int | None, cluster: Cluster | None) -> Machine:
    """Return what `auto`, `cpu` or `cuda` is here, or on the cluster.

    Raises:
        Refusal: there is no such device, or the cluster cannot give what is asked.
    """
    return _here(device, num_workers) if cluster is None else _there(device, cluster)


def _here(device: str, num_workers: int | None) -> Machine:
    from .training.data import ensure
    from .training.device import hardware_in_words, resolve_device

    found = resolve_device(device)
    return Machine(
        found.name,
        found.precision,
        hardware_in_words(found),
        worker_environments(found.name, found.count, num_workers),
        ensure,
        finds_workers=num_workers is None and found.name == "cuda",
    )


def _there(device: str, cluster: Cluster) -> Machine:
    from .executors.ray_cluster import connect, room_for, share_of  # first: it refuses without Ray
    from .executors.ray_probe import fetched, seen

    connect(cluster.address)
    share = share_of(cluster, device)
    room = room_for(share, cluster.num_workers)
    name = "cuda" if share.gpus else "cpu"
    nodes = seen(tuple(room), name, share)
    workers = cluster.num_workers or sum(room.values())
    hardware = ", ".join(sorted({one.hardware for one in nodes}))
    return Machine(
        name,
        "bfloat16" if all(one.precision == "bfloat16" for one in nodes) else "float32",
        f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}: {hardware}",
        _environments(name, workers),
        lambda dataset, data_dir, _: fetched(tuple(room), dataset, data_dir),
        share=share,
    )


def _environments(device: str, num_workers: int) -> tuple[Environment, ...]:
    """Return the variables of workers whose GPU, if any, the cluster chooses."""
    if device == "cpu":
        return worker_environments("cpu", 1, num_workers)
    return (ONE_THREAD,) * num_workers
