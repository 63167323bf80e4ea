"""What one `search run` shall do, where, and until when."""

from dataclasses import dataclass
from pathlib import Path

from .config import StudyConfig
from .driver import Limits
from .executors.cluster import Cluster, Share
from .executors.environments import Environment


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, where, and until when.

    There is one environment for each worker; with `finds_workers` one for each device, and the
    run finds out how many workers to start in each.
    """

    config: StudyConfig
    url: str
    study: str
    limits: Limits
    device: str
    environments: tuple[Environment, ...]
    data_dir: Path | None = None
    finds_workers: bool = False
    hardware: str = ""  # of the processor or the GPUs
    cluster: Cluster | None = None  # None is this machine
    share: Share | None = None  # of a cluster's node, that each worker holds
