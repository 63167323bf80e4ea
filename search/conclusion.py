"""The end of a run: the front, the files, and the next commands."""

import shlex
import shutil
import sys
from pathlib import Path

from studies import database_of, read_front
from studies.figures import front_figure

from .config import config_of
from .dashboard_feed import feed
from .defaults import with_defaults
from .executors.cluster import Cluster
from .forecast import Speed, forecast_seconds, scaled
from .options import DEFAULT_STORAGE, DEFAULT_STUDY, in_words
from .plan import Plan
from .reporting import SAMPLE, make_console, print_front, title_of
from .session import Result

FULL_TRIALS = 200


def conclude(plan: Plan, result: Result) -> None:
    """Print the front with its verdict, the paths of database and figure, and what comes next."""
    console = make_console()
    front = read_front(result.study)
    title = title_of(front, plan.study, plan.config.protocol.dataset)
    print_front(console, front, title)
    drawn = front_figure(front, title, plan.config.limits)
    path = figure_path(plan.url, plan.study)
    drawn.write_html(path, include_plotlyjs=True)
    feed(result.study, plan.config, front, title)
    lines = [f"database: {database_of(plan.url).label}", f"figure:   {path}"]
    if result.ending != "total":
        lines.append(f"go on:    {resume_command(plan)}")
    lines += [f"next:     {line}" for line in next_commands(plan, result.speed)]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def figure_path(url: str, study: str) -> Path:
    """Return where a study's figure lies: beside its database."""
    return database_of(url).beside(f"{study}.html")


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
