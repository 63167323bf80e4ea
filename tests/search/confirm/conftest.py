"""A finished study, and `search confirm` on a copy of it, without torch."""

import shutil
from pathlib import Path

import pytest

from search.commands import confirm
from search.config import config_of
from search.confirm import session as confirm_session
from search.driver import Driver, Limits
from search.listener import Listener
from studies import create_or_open
from tests.search.confirm.faked import FAILS, Reader, reply
from tests.search.scripted import SETTINGS, ScriptedExecutor


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a study of 12 trainings, its speed among them."""
    folder = tmp_path_factory.mktemp("finished")
    config = config_of({**SETTINGS, "backbone": "resnet8", "sampler": "random"})
    study = create_or_open(f"sqlite:///{folder}/study.db", "attention", config.settings())
    driver = Driver(study, config, ScriptedExecutor(), listener=Listener())
    assert driver.run(Limits(12), lambda: False) == "total"
    study.engine.dispose()
    return folder


@pytest.fixture
def reader(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Work on a copy of the study, in its folder."""
    from search.training import testing

    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(confirm_session, "LocalExecutor", lambda *_: ScriptedExecutor(reply))
    FAILS.clear()
    fake = Reader()
    monkeypatch.setattr(testing, "reader", lambda *_: fake.read)
    monkeypatch.setattr(confirm, "_ratios", lambda _bench, plan: (1.0,) * len(plan.arms))
    return fake
