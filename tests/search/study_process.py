"""Run a study with the fake trainer in a process of its own, which tests may kill.

Arguments: URL, total of trials, workers, and the address of their Ray cluster, if they have one.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # workers import tests.search.fake_trainer

from search.config import config_of
from search.crew import Crew
from search.driver import Driver, Limits
from search.executors import LocalExecutor
from search.listener import Listener
from studies import create_or_open, only_driver

SETTINGS: dict[str, object] = {
    "dataset": "cifar10-sample",
    "train_images": 100,
    "epochs": 3,
    "batch_size": 10,
    "learning_rate": 0.1,
    "backbone": "resnet20",
}


def crew(num_workers: int, address: str | None) -> Crew:
    """Start workers here, or on the cluster."""
    trainer = "tests.search.fake_trainer:train"
    if address is None:
        return LocalExecutor(trainer, [{}] * num_workers)
    from search.executors.ray import RayExecutor
    from search.executors.ray_cluster import connect

    connect(address)
    environment = {"FAKE_SECONDS": "0.1", "PYTHONPATH": sys.path[0]}
    executor = RayExecutor(trainer, [environment] * num_workers)
    executor.gather(lambda: False)
    return executor


def main(url: str, num_trials: int, num_workers: int, address: str | None = None) -> None:
    """Reach the total, or be killed."""
    config = config_of(SETTINGS)
    with only_driver(url, "fake"):
        study = create_or_open(url, "fake", config.settings())
        executor = crew(num_workers, address)
        driver = Driver(study, config, executor, listener=Listener())
        print(driver.run(Limits(num_trials), lambda: False), flush=True)  # noqa: T201
        executor.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
