"""Run a study with the fake trainer in a process of its own, which tests may kill.

Arguments: URL, total of trials, workers.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # workers import tests.search.fake_trainer

from search.config import config_of
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


def main(url: str, num_trials: int, num_workers: int) -> None:
    """Reach the total, or be killed."""
    config = config_of(SETTINGS)
    with only_driver(url, "fake"):
        study = create_or_open(url, "fake", config.settings())
        executor = LocalExecutor("tests.search.fake_trainer:train", [{}] * num_workers)
        driver = Driver(study, config, executor, listener=Listener())
        print(driver.run(Limits(num_trials), lambda: False), flush=True)  # noqa: T201
        executor.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
