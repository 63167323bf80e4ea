"""The way to a Ray cluster, and whether it can give what a run asks for."""

import logging
import os
import secrets
import socket
from collections.abc import Mapping

from space import Refusal

from .cluster import Cluster, Share
from .ray_address import HERE, host_and_port

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray starts: nothing is sent

try:
    import ray
    from ray.exceptions import RayError
except ImportError as error:
    raise Refusal(
        '--executor ray needs Ray, which is not installed: pip install "attention-search[ray]"'
    ) from error

START = "start one with `ray start --head`, or use --address local"
TOKEN = "one that wants a token (`ray get-auth-token` on its head) takes it from RAY_AUTH_TOKEN"
TOKENS = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
REACH_SECONDS = 5.0  # Ray itself tries for minutes, and then ends the process
Room = Mapping[str, int]  # workers that fit on each node, by its id


def connect(address: str) -> None:
    """Join the cluster as its driver; `auto` is this machine's, `local` a new one.

    Raises:
        Refusal: there is none, it does not answer, or it runs other versions.
    """
    if ray.is_initialized():
        return
    name = "--address"
    if address == "auto" and os.environ.get("RAY_ADDRESS"):
        name, address = "RAY_ADDRESS", os.environ["RAY_ADDRESS"]
    if address not in HERE:
        _refuse_unreachable(address, name)
    if address == "local" and not any(name in os.environ for name in TOKENS):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)  # for this cluster only, in no file
    try:
        ray.init(
            address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False if address == "local" else None,
        )
    except ConnectionError as error:
        raise Refusal(
            f"--address {address} must lead to a Ray cluster, got none; {START}; {TOKEN}"
        ) from error
    except (RayError, RuntimeError, ValueError) as error:
        # Among them: no token or a wrong one, another version of Ray or Python.
        reason = " ".join(str(error).split())
        raise Refusal(
            f"--address must lead to a Ray cluster, got {address}: {reason}; {TOKEN}"
        ) from error


def _refuse_unreachable(address: str, name: str) -> None:
    where = host_and_port(address, name)
    try:
        socket.create_connection(where, REACH_SECONDS).close()
    except (OSError, UnicodeError) as error:  # no host's name has a part of 64 characters
        raise Refusal(
            f"{name} must be a Ray cluster that answers, got {address}: {error}; {START}"
        ) from error


def share_of(cluster: Cluster, device: str) -> Share:
    """Return what each worker needs of the cluster for `auto`, `cpu` or `cuda`.

    Raises:
        Refusal: the device and the GPUs asked for exclude each other, or there is none.
    """
    num_gpus = ray.cluster_resources().get("GPU", 0)
    wanted = cluster.gpus_per_trial
    if device == "cpu" and wanted is not None:
        raise Refusal(f"--gpus-per-trial must be left out with --device cpu, got {wanted:g}")
    if num_gpus == 0 and (device == "cuda" or wanted is not None):
        asked = "--device cuda" if wanted is None else f"--gpus-per-trial {wanted:g}"
        raise Refusal(
            f"{asked} needs a GPU, got a cluster with none: add nodes with GPUs, or use "
            "--device cpu"
        )
    if device == "cpu" or num_gpus == 0:
        return Share()
    return Share(gpus=1.0 if wanted is None else wanted)


def room_for(share: Share, wanted: int | None) -> Room:
    """Return how many workers each node holds; nodes that hold none are left out.

    What others use at the moment counts as free: a worker waits for its place.

    Raises:
        Refusal: not so many as wanted fit, or none.
    """
    counts = {
        node["NodeID"]: _count(node["Resources"], share) for node in ray.nodes() if node["Alive"]
    }
    room = {node: count for node, count in counts.items() if count}
    most = sum(room.values())
    if most < (wanted or 1):
        gives = ray.cluster_resources()
        raise Refusal(
            f"--workers must be at most {most} where each takes {share.cpus:g} CPU and "
            f"{share.gpus:g} GPU of one node, got {wanted or 1} on a cluster with "
            f"{gives.get('CPU', 0):g} CPUs and {gives.get('GPU', 0):g} GPUs; "
            "add nodes or ask for less"
        )
    return room


def _count(resources: Mapping[str, float], share: Share) -> int:
    """Return how many such shares a node has; a share cannot span two GPUs."""
    by_cpu = int(resources.get("CPU", 0) / share.cpus)
    if not share.gpus:
        return by_cpu
    return min(by_cpu, int(resources.get("GPU", 0)) * int(1 / share.gpus + 1e-9))
