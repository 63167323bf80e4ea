"""A Ray cluster of several nodes on this machine, for tests of what a cluster does."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[2]
ACTOR = "ray::Worker"  # how Ray names the process of our actor


@contextmanager
def nodes(*cpus: int) -> Iterator["Cluster"]:
    """Join a new cluster with a head that trains nothing and nodes of so many CPUs."""
    pytest.importorskip(
        "ray", reason='tests on a Ray cluster need the extra ray: pip install "ray>=2.52"'
    )
    import ray
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Ray leaves sockets to their finalizers
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        head = {"num_cpus": 0, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            for count in cpus:
                cluster.add_node(num_cpus=count)
            ray.init(cluster.address, log_to_driver=False, logging_level=logging.ERROR)
            yield cluster
        finally:
            ray.shutdown()
            cluster.shutdown()


def actors() -> list[psutil.Process]:
    """Return the processes of the workers on the nodes that this process has started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if " ".join(process.cmdline()).startswith(ACTOR):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found
