"""The commands that a run ends with: go on with it, and what comes next.

Apart from the figure and the report: a run loads this before its workers start.
"""

import shlex
import shutil
import sys
from pathlib import Path

from .config import SAMPLE, config_of
from .defaults import with_defaults
from .executors.cluster import Cluster
from .forecast import Speed, forecast_seconds, scaled
from .options import DEFAULT_STORAGE, DEFAULT_STUDY, in_words
from .plan import Plan

FULL_TRIALS = 200


def resume_command(plan: Plan) -> str:
    """Return the command that goes on with the study; its settings are stored with it."""
    folder = f" --data-dir {shlex.quote(str(plan.data_dir))}" if plan.data_dir else ""
    workers = "auto" if plan.finds_workers else len(plan.environments)
    here = f" --device {plan.device} --workers {workers}{_cluster(plan.cluster)}"
    return (
        f"{program()} run --trials {plan.limits.num_trials}{_timeout(plan)}{here}{where(plan)}"
        f"{folder}"
    )


def _timeout(plan: Plan) -> str:
    """Return the option that a study does not store."""
    seconds = plan.limits.max_trial_seconds
    return "" if seconds is None else f" --trial-timeout {seconds:.0f}s"


def _cluster(cluster: Cluster | None) -> str:
    """Return the options that name the cluster, if the study trains on one."""
    if cluster is None:
        return ""
    share = cluster.gpus_per_trial
    gpus = "" if share is None else f" --gpus-per-trial {share:g}"
    return f" --executor ray --address {shlex.quote(cluster.address)}{gpus}"


def program() -> str:
    """Return how this program is called from here: its name, if the shell would find it."""
    called = Path(sys.argv[0])
    found = shutil.which("search")
    if called.name != "search" or (found and Path(found).samefile(called)):
        return "search"
    return str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called)


def where(plan: Plan) -> str:
    """Return the options that name the study, as far as they are not the defaults."""
    storage = f" --storage {shlex.quote(plan.url)}" if plan.url != DEFAULT_STORAGE else ""
    study = f" --study {shlex.quote(plan.study)}" if plan.study != DEFAULT_STUDY else ""
    return storage + study


def next_commands(plan: Plan, speed: Speed | None) -> list[str]:
    """Return the commands that a reader wants now."""
    name, named = program(), where(plan)
    if plan.config.protocol.dataset != SAMPLE:
        return [
            f"{name} {one}{named}" for one in ("confirm", "export --out best.yaml", "dashboard")
        ]
    full = f"{name} run --trials {FULL_TRIALS}"
    if speed is not None:
        full += f"   (the full CIFAR-10: about {in_words(_full_seconds(plan, speed))} here)"
    return [full, f"{name} dashboard{named}"]


def _full_seconds(plan: Plan, speed: Speed) -> float:
    """Return the forecast for `search run` with no options on this machine."""
    precision = plan.config.protocol.precision
    values = with_defaults({}, plan.device, precision)
    config = config_of(values)
    faster = scaled(speed, plan.config.backbone, config.backbone)
    return forecast_seconds(config, faster, FULL_TRIALS, ())
