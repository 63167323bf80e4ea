import pytest
import torch

from search.config import StudyConfig
from search.training import probe
from search.training.data import load
from search.training.loop import Images, on_device
from search.training.worker import seeded_model
from space import plain

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def images(small_config: StudyConfig) -> Images:
    return on_device(
        load("cifar10-sample", num_train=200),
        small_config.protocol.crop_padding,
        torch.device("cpu"),
    )


@pytest.mark.parametrize(("seconds", "num_steps"), [(0.5, 3), (8.0, 7)])
def test_the_speed_is_of_the_steps_after_the_warm_up(
    seconds: float,
    num_steps: int,
    images: Images,
    small_config: StudyConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a clock of one second for each look: three steps at least, then until time is over.

    The watch looks at the start and then once at each step, the first of them included: at step
    k it sees k + 1 seconds.
    """
    looks: list[float] = []

    def clock() -> float:
        looks.append(float(len(looks)))
        return looks[-1]

    monkeypatch.setattr(probe._Watch, "_now", lambda _: clock())
    monkeypatch.setattr("search.training.probe.time.perf_counter", clock)
    watch = probe._Watch(torch.device("cpu"), seconds)
    while not watch.is_over():
        pass
    assert watch.num_steps == num_steps
    assert watch.elapsed == looks[-1] - watch.started
    found = probe.probed(
        seeded_model(plain("resnet8"), 0), images, small_config.protocol, seconds=1e-9
    )
    assert found.images_per_second > 0
