"""The stock dashboard in a real browser: our study's points, and a front member's pictures."""

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from search.config import config_of
from search.dashboard_feed import feed
from search.driver import Driver, Limits
from search.listener import Listener
from studies import create_or_open, read_front
from tests.search.scripted import SETTINGS, ScriptedExecutor
from tests.search.test_front_files import reply

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
NUM_TRIALS = 9
PATIENCE = 120.0  # seconds until the server answers
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--window-size=1300,1600", "--dump-dom"]
FLAGS += ["--virtual-time-budget=15000"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a study of nine trainings; yield where it is served."""
    pytest.importorskip("optuna_dashboard")
    folder = tmp_path_factory.mktemp("served")
    url = f"sqlite:///{folder}/study.db"
    config = config_of({**SETTINGS, "backbone": "resnet8", "sampler": "random"})
    study = create_or_open(url, "attention", config.settings())
    driver = Driver(study, config, ScriptedExecutor(reply), listener=Listener())
    assert driver.run(Limits(NUM_TRIALS), lambda: False) == "total"
    feed(study, config, read_front(study), "Front")
    study.engine.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["dashboard", "--storage", url, "--port", str(port), "--snapshot"]
    with subprocess.Popen([sys.executable, "-m", "search", *words]) as server:
        try:
            yield _answering(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def _answering(address: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/api/studies"):
                return address
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the dashboard did not answer")


def page(address: str, profile: Path) -> str:
    """Return what the browser has made of a page."""
    assert BROWSER is not None
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_the_pareto_plot_shows_the_studys_points(address: str, tmp_path: Path) -> None:
    shown = page(f"{address}/dashboard/studies/1", tmp_path)
    plot = shown[shown.index('id="graph-pareto-front"') :]
    plot = plot[: plot.index("History")]
    assert len(re.findall('class="point"', plot)) >= NUM_TRIALS
    assert "accuracy" in shown
    assert "macs" in shown


def test_a_front_trial_shows_its_note_and_its_pictures(address: str, tmp_path: Path) -> None:
    shown = page(f"{address}/dashboard/studies/1/trials?numbers=0", tmp_path)
    assert "On the front:" in shown
    for name in ("architecture.svg", "gates.png"):
        (source,) = set(re.findall(rf'<img[^>]*alt="{name}" src="([^"]+)"', shown))
        with urllib.request.urlopen(f"{address}{source}") as answer:
            assert answer.headers["Content-Type"].startswith("image/")
            assert answer.read(4) in (b"<svg", b"\x89PNG")
