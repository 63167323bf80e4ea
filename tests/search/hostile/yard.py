"""A working folder of good files and bad ones, made once and put back when a case changed it."""

import os
import shutil
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

from search.config import config_of
from space import SearchSpace, baselines, plain, write_architecture
from studies import (
    Attempt,
    Epoch,
    OpenStudy,
    Outcome,
    add_epoch,
    add_proposal,
    complete,
    create_or_open,
    read_front,
    start_attempt,
    store_front,
)
from studies.confirmation.comparison import Arm, Confirmation
from studies.confirmation.ledger import open_entry, store_reading
from studies.confirmation.stored import store_latency_ratios, stored_confirmation, trainings_of
from studies.store.extras import complete_extra, fail_extra
from studies.store.sessions import begin_session, end_session
from tests.search.scripted import SETTINGS
from tests.studies.store.test_sessions import HERE

PLAIN, SE = plain("resnet20"), baselines(SearchSpace(backbone="resnet20"))["se"]
STRANGE = "[red] %s {0} \N{FOX FACE}' --"  # a name that is allowed
STUDIES = ("attention", STRANGE)
GOOD = "good.db"  # a database of both studies
DATABASES = (GOOD, "empty.db", "text.db", "zeros.db", "cut.db", "torn.db", "others.db")
PLAN = Confirmation(
    epochs=3,
    num_images=100,
    protocol_digest="p",
    own_digest="q",
    fresh_seeds=(),
    arms=(
        Arm(role="plain", architecture=PLAIN, seeds=(1, 2)),
        Arm(role="finalist", architecture=SE, seeds=(3, 4)),
    ),
)
BESIDE = ("-wal", "-shm", "-journal")  # SQLite's own while a connection is open


def fill(folder: Path) -> None:
    """Make every file that a case may name."""
    write_architecture(SE, folder / "se.yaml")
    write_architecture(PLAIN, folder / "plain.json")
    (folder / "protocol.yaml").write_text("version: 1\nprotocol: {epochs: 2}\n")
    (folder / "binary.yaml").write_bytes(bytes(range(256)))
    (folder / "large.yaml").write_bytes(b"#" * 100_001)
    (folder / "text.safetensors").write_text("no tensors")
    (folder / "huge.safetensors").write_bytes(b"\xff" * 7 + b"\x7f{}")  # claims a head of 2^63
    (folder / "folder.yaml").mkdir()
    (folder / "folder").mkdir()
    (folder / "folder" / "mine.txt").write_text("mine")
    (folder / "outside").symlink_to("/")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe.yaml")
    os.mkfifo(folder / "pipe.safetensors")
    _fill_databases(folder)


def _fill_databases(folder: Path) -> None:
    for name in STUDIES:
        _study(f"sqlite:///{folder / GOOD}", name)
    with closing(sqlite3.connect(folder / GOOD)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    whole = (folder / GOOD).read_bytes()
    (folder / "empty.db").touch()
    (folder / "text.db").write_text("no database")
    (folder / "zeros.db").write_bytes(bytes(8192))
    (folder / "cut.db").write_bytes(whole[:5000])
    (folder / "torn.db").write_bytes(whole[:8192] + b"\xaa" * 16_384 + whole[24_576:])
    with closing(sqlite3.connect(folder / "others.db")) as connection:
        connection.execute("create table studies (name text)")  # so is one of Optuna's called


def _study(url: str, name: str) -> None:
    """Store a study whose front is plain and SE, with a row in every table."""
    study = create_or_open(url, name, config_of(SETTINGS).settings())
    runs = [(PLAIN, 0.80), (PLAIN, 0.801), (SE, 0.90), (SE, 0.901)]
    for number, (architecture, accuracy) in enumerate(runs):
        row = add_proposal(
            study, architecture, trial=number, proposal=number, purpose="trial", seed=number
        )
        start_attempt(study, Attempt(row.id, 1, 10, 0.1), "digest")
        add_epoch(study, row.id, 1, Epoch(1, 2.0, 2.1, accuracy, 5.0))
        complete(study, row.id, 1, Outcome(accuracy, b"\xf0" * 125, 12, 34, 5.5, 678.0))
    end_session(study, begin_session(study, HERE), "total")
    store_front(study, read_front(study))
    _confirm(study)
    study.engine.dispose()


def _confirm(study: OpenStudy) -> None:
    """Store a confirmation that was read, after a training that failed once."""
    stored_confirmation(study, PLAN)
    store_latency_ratios(study, PLAN, [1.0, 1.1])
    for number, one in enumerate(trainings_of(study, PLAN).confirm):
        if number == 0:
            fail_extra(study, one, "the loss became nan")
        accuracy = 0.8 + 0.01 * number
        complete_extra(study, one, Outcome(accuracy, b"\xf0" * 125, 12, 34, 5.5, 678.0))
        store_reading(study, open_entry(study, one, "confirm"), accuracy, b"\xf0" * 125)


def listing(folder: Path) -> dict[str, object]:
    """Return every name with its kind or a sum of its bytes; links are not followed."""
    found: dict[str, object] = {}
    with os.scandir(folder) as entries:
        inside = list(entries)
    for entry in inside:
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            found[entry.name] = "special"
        elif entry.is_dir():
            found[entry.name] = listing(Path(entry.path))
        elif not entry.name.endswith(BESIDE):
            found[entry.name] = zlib.crc32(Path(entry.path).read_bytes())
    return found


def put_back(folder: Path, template: Path) -> None:
    """Make the folder as the template is."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    for entry in template.iterdir():
        target = folder / entry.name
        if entry.is_fifo():
            os.mkfifo(target)
        elif entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, target)
        else:
            shutil.copy2(entry, target, follow_symlinks=False)
