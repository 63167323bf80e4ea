"""One `search confirm`: train what is missing, then read the test images, once for each model."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from space import Architecture, Refusal, cost, placements_in_words, plain
from studies import OpenStudy, database_of
from studies.confirmation.comparison import Confirmation
from studies.confirmation.ledger import LedgerEntry, open_entry, readings, store_reading
from studies.confirmation.stored import Trainings, known_trainings, standing_of
from studies.store.extras import Extra, fail_extra
from studies.store.sessions import begin_session, end_session

from .. import session
from ..config import StudyConfig, config_of
from ..executors import LocalExecutor
from ..executors.environments import Environment, worker_environments
from ..extra_trainings import Place, Task, train_tasks
from ..forecast import Speed
from ..surroundings import surroundings
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
    hardware: str  # of the processor or the GPUs


def bench_of(
    study: OpenStudy, device: str, num_workers: int | None, data_dir: Path | None
) -> Bench:
    """Return the stored study with the machine's workers.

    Raises:
        Refusal: no such device.
    """
    return bench_at(study, config_of(dict(study.settings)), device, num_workers, data_dir)


def bench_at(
    study: OpenStudy,
    config: StudyConfig,
    device: str,
    num_workers: int | None,
    data_dir: Path | None,
) -> Bench:
    """Return a study of these settings with the machine's workers.

    Raises:
        Refusal: no such device.
    """
    from ..training.device import hardware_in_words, resolve_device

    found = resolve_device(device)
    environments = worker_environments(found.name, found.count, num_workers)
    return Bench(study, config, found.name, environments, data_dir, hardware_in_words(found))


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
    folder = database_of(study.url).beside(f"{study.name}.confirm")
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
    """Do the trainings that are missing, as a session of the study; return how many failed."""
    if all(one.extra.state == "complete" for one in tasks):
        return 0
    around = surroundings(bench.device, bench.hardware, len(bench.environments))
    number = begin_session(bench.study, around)
    folder = next((one.save.parent for one in tasks if one.save is not None), None)
    if folder is not None:
        folder.mkdir(exist_ok=True)
    executor = LocalExecutor(session.TRAINER, bench.environments)
    try:
        place = Place(bench.device, bench.data_dir)
        failed = train_tasks(
            bench.study, tasks, executor, place, console=console, interrupted=interrupted
        )
        end_session(bench.study, number, "interrupted" if interrupted() else "total")
        return failed
    finally:
        executor.close()


def read_models(
    bench: Bench,
    plan: Confirmation,
    read_test: ReadTest,
    say: Callable[[str], None],
    *,
    again: bool,
    reason: str = REASON,
) -> None:
    """Read the test images for each trained model that was never read, or for all once more.

    They stay closed while a training is missing that was not given up. What is given up is settled
    here, before any reading. Reading anew goes on where it was cut short.

    Raises:
        Refusal: the weights of a model that was read before are gone.
    """
    found = standing_of(bench.study, plan)
    if found.num_missing:
        total = len(known_trainings(bench.study, plan).confirm)
        say(
            f"the test images stay closed: {found.num_missing} of {total} trainings are missing; "
            "the same command goes on, and gives up what fails twice"
        )
        return
    if found.lacks_plain:
        say(
            "the test images stay closed: too few trainings of the plain network ended, and every "
            "gain is over it; the same command tries them again, --epochs asks anew"
        )
        return
    wanted = _to_read(bench.study, found.models, again=again)
    if _lost(bench.study, wanted, say):
        return
    for count, one in enumerate(wanted, 1):
        entry = open_entry(bench.study, one, reason)
        accuracy, correct = read_test(one.wanted.architecture, weights_of(bench.study, one), entry)
        store_reading(bench.study, entry, accuracy, correct)
        words = placements_in_words(one.wanted.architecture)
        say(f"test images read, {count} of {len(wanted)}: {words}, {100 * accuracy:.2f} %")


def _to_read(study: OpenStudy, models: Sequence[Extra], *, again: bool) -> list[Extra]:
    """Return the models of this round of readings; one that was cut short comes to its end."""
    counts = Counter(one.extra_id for one in readings(study))
    least, most = (which(counts[one.id] for one in models) for which in (min, max))
    wanted = most + (least == most) if again else 1
    return [one for one in models if counts[one.id] < wanted]


def _lost(study: OpenStudy, wanted: Sequence[Extra], say: Callable[[str], None]) -> int:
    """Give back, to be trained anew, the models whose weights are gone; return how many.

    Raises:
        Refusal: one of them was read before: another training may not take its place.
    """
    gone = [one for one in wanted if not weights_of(study, one).is_file()]
    seen = {one.extra_id for one in readings(study)}
    for one in gone:
        path = weights_of(study, one)
        if one.id in seen:
            raise Refusal(
                f"the weights of a model that is read anew must lie at {path}, got no such file; "
                "restore it, or leave out --again"
            )
        fail_extra(study, one, f"its weights are gone from {path}")
    if gone:
        say(f"the weights of {len(gone)} models are gone; the same command trains them anew")
    return len(gone)
