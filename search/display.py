"""What a run shows while it works: a line for each training, a bar for the whole."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as Remaining

from space import Cost, cost, count_in_words, placements_in_words, plain, share_in_words
from studies import Epoch, Evaluation, Front

from .config import StudyConfig
from .listener import Listener
from .noise_warning import MIN_TRAININGS, noise_warning
from .reporting import noise_line

WIDTH = 46  # columns of a placement in a line


class Display(Listener):
    """A live display on a terminal, plain lines elsewhere."""

    def __init__(
        self, console: Console, config: StudyConfig, *, num_trials: int, done: int
    ) -> None:
        self.console = console
        self.config = config
        self.epochs = config.protocol.epochs
        self.plain = cost(plain(config.backbone))
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            Elapsed(),
            Remaining(),
            console=console,
            transient=True,
        )
        self.total = self.progress.add_task("trainings", total=num_trials, completed=done, note="")
        self.tasks: dict[int, TaskID] = {}
        self.noise_is_told = False

    @contextmanager
    def shown(self) -> Iterator["Display"]:
        """Show the bars while the run lasts."""
        with self.progress:
            yield self

    def started(self, row: Evaluation) -> None:
        """Add a bar for the training."""
        self.tasks[row.id] = self.progress.add_task(_label(row), total=self.epochs, note="")

    def epoch(self, row: Evaluation, epoch: Epoch) -> None:
        """Move the training's bar."""
        note = f"{100 * epoch.accuracy:.1f} %"
        self.progress.update(self.tasks[row.id], completed=epoch.epoch, note=note)

    def finished(self, row: Evaluation) -> None:
        """Print the training's line."""
        task = self.tasks.pop(row.id, None)
        if task is not None:
            self.progress.remove_task(task)
        if row.counts:
            self.progress.advance(self.total)
        self.console.print(_line(row, self.plain), highlight=False, markup=False, soft_wrap=True)

    def audited(self, row: Evaluation) -> None:
        """Name the training's bar anew."""
        self.progress.update(self.tasks[row.id], description=_label(row))

    def learned(self, front: Front) -> None:
        """Print the noise once it is known, with a warning where it drowns the differences."""
        if self.noise_is_told or front.noise is None or front.num_trainings < MIN_TRAININGS:
            return
        self.noise_is_told = True
        for line in filter(None, (noise_line(front), noise_warning(front, self.config))):
            self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def halved(self, row: Evaluation, batch_size: int) -> None:
        """Print with what batch a training begins again."""
        self.progress.remove_task(self.tasks.pop(row.id))
        line = f"{_name(row)}: memory ran out; again with batch {batch_size}, half the rate"
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def refused(self, row: Evaluation) -> None:
        """Print why a proposal was not trained."""
        self.console.print(_line(row, self.plain), highlight=False, markup=False, soft_wrap=True)


def _label(row: Evaluation) -> str:
    return f"  {_name(row)} {placements_in_words(row.architecture)}"[:WIDTH]


def _name(row: Evaluation) -> str:
    if row.purpose == "reference":
        return f"reference {row.architecture.backbone}"
    return f"{row.purpose} {row.trial}"


def _line(row: Evaluation, base: Cost) -> str:
    price = f"{count_in_words(row.cost.macs)} MACs ({share_in_words(row.cost.macs, base.macs)})"
    what = f"{_name(row):<20} {placements_in_words(row.architecture)}"
    if row.state == "complete":
        return f"{100 * (row.accuracy or 0):6.2f} %  {what}, {price}, {row.seconds or 0:.0f} s"
    return f"{row.state:>8}  {what}, {price}: {row.reason}"
