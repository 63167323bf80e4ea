"""What a run asks of a cluster, in words that need no Ray: where it is, and each trial's share."""

from dataclasses import dataclass

from space import Refusal

from .ray_address import HERE, host_and_port


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where workers run that are not this machine's, and how many; None is as many as fit.

    `gpus_per_trial` is None where the user leaves it to the device: one, or none on CPUs.
    """

    address: str
    gpus_per_trial: float | None = None
    num_workers: int | None = None

    def __post_init__(self) -> None:
        if self.address not in HERE:
            host_and_port(self.address, "--address")
        if self.gpus_per_trial is not None and not 0 < self.gpus_per_trial <= 1:
            raise Refusal(
                "--gpus-per-trial must be above 0 and at most 1, since a training uses one GPU, "
                f"got {self.gpus_per_trial:g}"
            )


@dataclass(frozen=True, slots=True)
class Share:
    """What a worker holds of its node."""

    cpus: float = 1.0  # one thread each, which feeds the GPU if there is one
    gpus: float = 0.0


def cluster_of(
    executor: str, address: str | None, gpus_per_trial: float | None, num_workers: int | None
) -> Cluster | None:
    """Return the cluster to train on, or None for this machine.

    Raises:
        Refusal: no such executor, or an option of a cluster without one.
    """
    if executor not in ("local", "ray"):
        raise Refusal(f"--executor must be local or ray, got {executor or repr(executor)}")
    if executor == "ray":
        return Cluster(address or "auto", gpus_per_trial, num_workers)
    given = {"--address": address, "--gpus-per-trial": gpus_per_trial}
    for name, value in given.items():
        if value is not None:
            raise Refusal(f"{name} goes with --executor ray, got --executor local")
    return None
