"""Finished trainings, one JSON line each in a file, so that a benchmark goes on where it ended."""

import json
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from search.training.data import DATASETS, ensure
from space import BACKBONES

from .figures import parser_of, positive, writable
from .parallel import in_processes
from .timing import device_of
from .trainings import Trained, Training, trained

Runs = Mapping[Training, Trained]


def stored(path: Path | None, trainings: Sequence[Training]) -> dict[Training, Trained]:
    """Return what the file knows of these trainings.

    A line without an end is a run whose storing was cut short: it counts as not done.
    """
    rows = [json.loads(line) for line in _whole_lines(path).splitlines()]
    known = {_key(row["training"]): row["trained"] for row in rows}
    found = {one: known.get(_key(one.facts())) for one in trainings}
    return {
        one: Trained(tuple(row["accuracies"]), tuple(row["seconds"]))
        for one, row in found.items()
        if row is not None
    }


def store(path: Path | None, training: Training, found: Trained) -> None:
    """Append the training to the file's whole lines."""
    if path is None:
        return
    line = json.dumps({"training": training.facts(), "trained": asdict(found)})
    with path.open("ab") as file:
        file.truncate(len(_whole_lines(path)))
        file.write(f"{line}\n".encode())


def completed(trainings: Sequence[Training], options: Namespace, processes: int) -> Runs:
    """Do the trainings that the file lacks, store each, and return all that are done.

    Says how many there are and, where time runs out, how to go on.
    """
    done = stored(options.runs, trainings)
    missing = [one for one in trainings if one not in done]
    if missing:
        ensure(options.dataset, options.data_dir, print)
    seconds = None if options.ends_at is None else options.ends_at - time.monotonic()
    function = partial(trained, data_dir=options.data_dir)
    for one, found in in_processes(function, missing, processes=processes, seconds=seconds):
        store(options.runs, one, found)
        done[one] = found
        name = f"{one.loop}, {one.protocol.precision}, {one.protocol.epochs} epochs"
        print(f"{name}, seed {one.seed}: {100 * found.accuracies[-1]:.2f} %", flush=True)
    if len(done) < len(trainings):
        print(f"{len(done)} of {len(trainings)} trainings are done: the same command goes on")
    return done


def resumable_parser(description: str | None, *, backbone: str) -> ArgumentParser:
    """Return a parser with the options of every benchmark that trains."""
    parser = parser_of(description)
    parser.add_argument("--backbone", choices=BACKBONES, default=backbone, metavar="NAME")
    parser.add_argument("--images", type=positive, help="to train on")
    parser.add_argument("--seeds", type=positive, default=5, help="trainings of each arm")
    parser.add_argument("--device", type=device_of, default="cpu", help="cpu or cuda")
    parser.add_argument("--dataset", choices=DATASETS, default="cifar10")
    parser.add_argument("--data-dir", type=Path, metavar="DIR")
    parser.add_argument(
        "--runs", type=writable, metavar="FILE", help="finished trainings, as lines"
    )
    parser.add_argument("--minutes", type=float, help="stop then; the same command goes on")
    return parser


def resumable_options(parser: ArgumentParser) -> Namespace:
    """Return the options, with the time at which to stop."""
    options = parser.parse_args()
    if options.minutes is not None and options.runs is None:
        parser.error("--minutes needs --runs FILE, where the next command finds what is done")
    left = options.minutes
    options.ends_at = None if left is None else time.monotonic() + 60 * left
    return options


def _key(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, sort_keys=True)


def _whole_lines(path: Path | None) -> bytes:
    """Return the file up to the end of its last whole line."""
    if path is None or not path.exists():
        return b""
    content = path.read_bytes()
    return content[: content.rfind(b"\n") + 1]
