"""Studies, evaluations and points made by hand: no test here needs a training to have them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from math import nan
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Pool, event
from sqlalchemy.engine.interfaces import DBAPIConnection

from search.config import StudyConfig, config_of
from space import Architecture, Cost, cost, digest, plain
from studies import Evaluation, Front, OpenStudy, Point, create_or_open
from studies.estimates.posterior import Estimate, Noise
from tests.postgres import MISSING, PASSWORD, Server, programs, running_server

MakeEvaluation = Callable[..., Evaluation]
MakePoint = Callable[..., Point]
MakeFront = Callable[..., Front]

PLAIN = plain("resnet8")

# Cases that hypothesis draws: the same few in every run, or with --hypothesis-profile=thorough
# new ones, many of them. A case may read what its module made once.
CASES = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
settings.register_profile("quick", CASES, derandomize=True, max_examples=25)
settings.register_profile("thorough", CASES, max_examples=2_000, print_blob=True)
settings.load_profile("quick")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return a PostgreSQL server whose password the environment has from now on."""
    found = programs()
    if found is None:
        pytest.skip(MISSING)
    with pytest.MonkeyPatch.context() as patch, running_server(found) as made:
        patch.setenv("PGPASSWORD", PASSWORD)
        yield made


@pytest.fixture
def server_url(server: Server) -> Iterator[str]:
    """Return an empty database's URL; what the test leaves connected is closed after it."""
    server.empty("postgres")
    connections: list[DBAPIConnection] = []

    def remember(connection: DBAPIConnection, _record: object) -> None:
        connections.append(connection)

    event.listen(Pool, "connect", remember)
    yield server.url()
    event.remove(Pool, "connect", remember)
    for one in connections:
        one.close()


@pytest.fixture
def small_config() -> StudyConfig:
    return config_of(
        {
            "backbone": "resnet8",
            "dataset": "cifar10-sample",
            "train_images": 200,
            "epochs": 2,
            "batch_size": 50,
            "learning_rate": 0.1,
        }
    )


@pytest.fixture
def study(url: str, small_config: StudyConfig) -> Iterator[OpenStudy]:
    made = create_or_open(url, "attention", small_config.settings())
    yield made
    made.engine.dispose()


@pytest.fixture
def pack() -> Callable[[str], bytes]:
    """Return the stored form of correctness written as 0 and 1."""
    return lambda text: np.packbits([int(one) for one in text]).tobytes()


@pytest.fixture
def make_evaluation() -> MakeEvaluation:
    numbers = count()

    def make(
        architecture: Architecture, accuracy: float, correct: bytes = b"\xf0", **changed: object
    ) -> Evaluation:
        number = next(numbers)
        made = Evaluation(
            id=number + 1,
            trial=number,
            proposal=number,
            purpose="trial",
            digest=digest(architecture),
            architecture=architecture,
            cost=cost(architecture),
            seed=number,
            state="complete",
            attempt=1,
            reason=None,
            accuracy=accuracy,
            correct=correct,
            seconds=10.0,
            images_per_second=100.0,
        )
        return replace(made, **changed)  # type: ignore[arg-type] # a test names its own fields

    return make


@pytest.fixture
def make_point() -> MakePoint:
    """Return a maker of points with any cost, on the plain architecture unless another is given.

    The gain is over an accuracy of 0.9.
    """
    numbers = count()

    def make(accuracy: float, macs: int = 100, params: int = 100, **changed: object) -> Point:
        number = next(numbers)
        estimate = Estimate(accuracy, 0.001, 1, accuracy, accuracy - 0.9, 0.002, 0.5)
        trials = (number,)
        made = Point(trials, f"{number:016x}", PLAIN, Cost(macs, params), estimate, (b"\xf0",))
        return replace(made, **changed)  # type: ignore[arg-type] # a test names its own fields

    return make


@pytest.fixture
def make_front() -> MakeFront:
    """Return a maker of fronts whose rows are all their points; plain costs 100 of everything."""

    def make(*rows: Point, **changed: object) -> Front:
        made = Front(
            cost_name="macs",
            rows=rows,
            points=rows,
            references=(),
            plain_cost=Cost(100, 100),
            noise=Noise(0.002, 4),
            flips=0.0,
            num_trainings=len(rows),
        )
        return replace(made, **changed)  # type: ignore[arg-type] # a test names its own fields

    return make


@pytest.fixture
def unknown() -> Callable[[float], Estimate]:
    """Return the estimate of a study without replicates."""
    return lambda accuracy: Estimate(accuracy, nan, 1, accuracy, nan, nan, nan)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch use one thread, as the workers do."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
