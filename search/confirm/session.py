"""One `search confirm`: train what is missing, then read the test images, once for each model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from space import Architecture, Refusal, cost, placements_in_words, plain
from studies import OpenStudy, database_path
from studies.confirmation.comparison import Confirmation
from studies.confirmation.ledger import LedgerEntry, open_entry, readings, store_reading
from studies.confirmation.stored import Trainings, known_trainings
from studies.store.extras import Extra

from .. import session
from ..config import StudyConfig, config_of
from ..executors import LocalExecutor
from ..executors.environments import Environment, worker_environments
from ..extra_trainings import Place, Task, train_tasks
from ..forecast import Speed
from .choice import Question, confirm_protocol

REASON = "search confirm"
# What a model gets right of the test images: accuracy, and one bit for each image.
ReadTest = Callable[[Architecture, Path, LedgerEntry], tuple[float, bytes]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A study and where its confirmation is computed."""

    study: OpenStudy
    config: StudyConfig
    device: str
    environments: tuple[Environment, ...]
    data_dir: Path | None


def bench_of(
    study: OpenStudy, device: str, num_workers: int | None, data_dir: Path | None
) -> Bench:
    """Return the stored study with the machine's workers.

    Raises:
        Refusal: no such device.
    """
    from ..training.device import resolve_device

    found = resolve_device(device)
    environments = worker_environments(found.name, found.count, num_workers)
    config = config_of(dict(study.settings))
    return Bench(study, config, found.name, environments, data_dir)


def is_done(study: OpenStudy, plan: Confirmation) -> bool:
    """Say whether every training has ended well and every model was read; reads only."""
    found = known_trainings(study, plan)
    if any(one.state != "complete" for one in (*found.confirm, *found.fresh)):
        return False
    seen = {one.extra_id for one in readings(study)}
    return all(one.id in seen for one in found.confirm)


def tasks_of(bench: Bench, question: Question, found: Trainings) -> list[Task]:
    """Return the trainings as tasks; those that the test images will see keep their weights."""
    protocol, own = confirm_protocol(bench.config.protocol, question), bench.config.protocol
    return [
        *(
            Task(one, protocol, with_validation=True, save=weights_of(bench.study, one))
            for one in found.confirm
        ),
        *(Task(one, own) for one in found.fresh),
    ]


def weights_of(study: OpenStudy, extra: Extra) -> Path:
    """Return where the weights of a training lie: in a folder beside the database."""
    path = database_path(study.url)
    folder = path.with_name(f"{path.stem}.{study.name}.confirm")
    return (
        folder / f"{extra.digest}-{extra.wanted.protocol_digest}-{extra.wanted.seed}.safetensors"
    )


def work_seconds(bench: Bench, tasks: list[Task], speed: Speed) -> float:
    """Return how long these trainings take at the speed of the study's plain trainings."""
    one_image = cost(plain(bench.config.backbone)).macs
    images = sum(one.work for one in tasks) / one_image
    return images / speed.images_per_second / speed.num_workers


def train(
    bench: Bench, tasks: list[Task], console: Console, interrupted: Callable[[], bool]
) -> int:
    """Do the trainings that are missing; return how many failed."""
    if all(one.extra.state == "complete" for one in tasks):
        return 0
    folder = next((one.save.parent for one in tasks if one.save is not None), None)
    if folder is not None:
        folder.mkdir(exist_ok=True)
    executor = LocalExecutor(session.TRAINER, bench.environments)
    try:
        place = Place(bench.device, bench.data_dir)
        return train_tasks(
            bench.study, tasks, executor, place, console=console, interrupted=interrupted
        )
    finally:
        executor.close()


def read_models(
    bench: Bench,
    plan: Confirmation,
    read_test: ReadTest,
    say: Callable[[str], None],
    *,
    again: bool,
) -> None:
    """Read the test images for each trained model that was never read, or for all once more.

    Raises:
        Refusal: a model's weights are gone.
    """
    models = [one for one in known_trainings(bench.study, plan).confirm if one.state == "complete"]
    seen = {one.extra_id for one in readings(bench.study)}
    wanted = [one for one in models if again or one.id not in seen]
    for one in wanted:
        _refuse_gone(weights_of(bench.study, one))
    for count, one in enumerate(wanted, 1):
        entry = open_entry(bench.study, one, REASON)
        accuracy, correct = read_test(one.wanted.architecture, weights_of(bench.study, one), entry)
        store_reading(bench.study, entry, accuracy, correct)
        words = placements_in_words(one.wanted.architecture)
        say(f"test images read, {count} of {len(wanted)}: {words}, {100 * accuracy:.2f} %")


def _refuse_gone(path: Path) -> None:
    if not path.is_file():
        raise Refusal(
            f"the weights of a confirmed model must lie at {path}, got no such file; restore it, "
            "or confirm with other --seeds"
        )
