"""Trainings beside a study's total: done on this machine's workers, each stored when it ends."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from space import cost, placements_in_words
from studies import OpenStudy, refuse_replaced
from studies.store.extras import Extra, complete_extra, fail_extra

from .batch import Ended, trained
from .checkpoint_files import checkpoint_of, drop_checkpoint
from .config import NUM_VALIDATION, Protocol
from .executors import EpochDone, Executor, Job
from .executors.jobs import Keep
from .forecast import FORWARD_SHARE
from .options import in_words
from .soundness import fault_of, short_reason


@dataclass(frozen=True, slots=True)
class Task:
    """A training to do and how: on the validation images too, its weights kept in a file."""

    extra: Extra
    protocol: Protocol
    with_validation: bool = False
    save: Path | None = None

    @property
    def work(self) -> float:
        """Return MACs times training images, a validation image counting as a forward pass."""
        held_out = NUM_VALIDATION[self.protocol.dataset]
        between = min(self.protocol.curve_images or held_out, held_out)
        images = self.protocol.train_images + self.with_validation * held_out
        per_epoch = images + FORWARD_SHARE * between
        return cost(self.extra.wanted.architecture).macs * self.protocol.epochs * per_epoch

    @property
    def words(self) -> str:
        """Return what is trained, for a line of progress."""
        one = self.extra.wanted.architecture
        return f"{placements_in_words(one)} on {one.backbone}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where trainings are done."""

    device: str
    data_dir: Path | None


@dataclass(slots=True)
class _Clock:
    """How much work is done and in which time."""

    left: float
    done: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def ended(self, work: float) -> str:
        """Return how long the rest will take at the pace so far."""
        self.done += work
        self.left -= work
        seconds = (time.monotonic() - self.began) / self.done * self.left
        return f"about {in_words(seconds)} left" if self.left > 0 else "all done"


def train_tasks(
    study: OpenStudy,
    tasks: Sequence[Task],
    executor: Executor,
    place: Place,
    *,
    console: Console,
    interrupted: Callable[[], bool],
) -> int:
    """Train what is not complete, storing and printing each; return how many failed.

    After Ctrl-C nothing new starts and what runs finishes; a killed training begins again.
    """
    missing = [one for one in tasks if one.extra.state == "waiting"]
    clock, failed = _Clock(sum(one.work for one in missing)), 0
    if missing:
        console.print(f"{len(missing)} of {len(tasks)} trainings are to be done", markup=False)
    with _progress(console, missing) as (progress, bar):

        def hear(task: Task, event: EpochDone) -> None:
            progress.advance(bar)
            progress.update(bar, what=f"{task.words}, epoch {event.epoch.epoch}")

        jobs = trained(
            executor,
            missing,
            lambda *which: _job(study, place, *which),
            lambda _: not interrupted(),
            hear,
        )
        for count, ended in enumerate(jobs, 1):
            refuse_replaced(study)
            reason = _reason_failed(ended)
            failed += reason is not None
            _store(study, ended, reason)
            line = _line(ended, reason, clock.ended(ended.training.work))
            progress.console.print(
                f"{count:4d} of {len(missing)}  {line}", markup=False, soft_wrap=True
            )
    return failed


def _job(study: OpenStudy, place: Place, number: int, attempt: int, task: Task) -> Job:
    return Job(
        number,
        attempt,
        task.extra.wanted.architecture.to_json(),
        task.extra.wanted.seed,
        task.protocol,
        place.device,
        place.data_dir,
        with_validation=task.with_validation,
        keep=None if task.save is None else Keep(task.save),
        checkpoint=checkpoint_of(study, task.extra),
    )


def _reason_failed(ended: Ended[Task]) -> str | None:
    """Say why a training has no result that counts, or None."""
    if ended.outcome is None:
        return ended.reason
    own_cost = cost(ended.training.extra.wanted.architecture)
    return fault_of(ended.outcome, own_cost, ended.training.protocol, ended.curve)


def _store(study: OpenStudy, ended: Ended[Task], reason: str | None) -> None:
    """Store how it ended."""
    extra = ended.training.extra
    drop_checkpoint(study, extra)
    if ended.outcome is not None and reason is None:
        complete_extra(study, extra, ended.outcome)
    else:
        fail_extra(study, extra, short_reason(reason or ""))


def _line(ended: Ended[Task], reason: str | None, left: str) -> str:
    task = ended.training
    if ended.outcome is None or reason is not None:
        return f"{task.words} failed: {reason}; {left}"
    # With the validation images among those for training, accuracy says nothing.
    how = "" if task.with_validation else f" {100 * ended.outcome.accuracy:.2f} %,"
    return f"{task.words}:{how} {in_words(ended.seconds)}; {left}"


@contextmanager
def _progress(console: Console, tasks: Sequence[Task]) -> Iterator[tuple[Progress, TaskID]]:
    """Show a bar of epochs on a terminal, gone at the end; nothing elsewhere."""
    bar = Progress(
        TextColumn("{task.completed:.0f} of {task.total:.0f} epochs"),
        BarColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        yield bar, bar.add_task("", total=sum(one.protocol.epochs for one in tasks), what="")
