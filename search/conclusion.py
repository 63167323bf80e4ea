"""The end of a run: the front, the files, and the next commands."""

from pathlib import Path

from studies import database_of, read_front
from studies.figures import front_figure

from .dashboard_feed import feed
from .next_commands import next_commands, resume_command
from .plan import Plan
from .reporting import make_console, print_front, title_of
from .session import Result


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
