"""Everything a GPU has to show, in one command that can be run in slices of some minutes.

    python -m benchmarks.gpu --out DIR [--minutes 9] [--data-dir DIR]

Runs the other benchmarks one after the other, each writing DIR/NAME.json, and skips those whose
file is there. None begins that would not end in the minutes left, going by its estimate; those
that train keep their finished trainings in DIR/NAME.runs and go on in the next slice. The same
command again does what is left. `--small --device cpu` tries all of it with tiny networks.
"""

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from search.training.data import DATASETS

from .timing import device_of

SMALL_MINUTES = 1.0  # that a small one takes on a CPU
RESERVE_MINUTES = 0.3  # for a resumable benchmark to start, and to end its processes


@dataclass(frozen=True, slots=True)
class Step:
    """A benchmark with its options, in full and small, and the minutes it takes on an H200.

    Of a resumable one the minutes are those after which at least one training has ended.
    """

    name: str
    module: str
    full: str
    small: str
    minutes: float
    resumable: bool = False
    has_device: bool = True


TRAINED = "--images 200 --seeds 2 --backbone resnet8"
STEPS = (
    Step(
        "engine-resnet18",
        "engine",
        "--backbone resnet18 --batch 512 --mixed --workers 1 2",
        "--backbone resnet8 --images 144 --rounds 1 --workers 1",
        minutes=7,
    ),
    Step(
        "engine-resnet20",
        "engine",
        "--backbone resnet20 --workers 1 2 4 8",
        "--backbone resnet8 --images 144 --rounds 1 --workers 2",
        minutes=8,
    ),
    Step(
        "attention-resnet18",
        "attention_time",
        "--backbone resnet18 --batch 512",
        "--backbone resnet8 --batch 4 --rounds 1",
        minutes=3,
    ),
    Step(
        "attention-resnet20",
        "attention_time",
        "--backbone resnet20 --batch 128",
        "--backbone resnet8 --batch 2 --rounds 1",
        minutes=3,
    ),
    Step(
        "accuracy-precision",
        "accuracy",
        "--compare precision --backbone resnet18 --epochs 12 --seeds 10",
        f"--compare precision --epochs 1 {TRAINED}",
        minutes=4,
        resumable=True,
    ),
    Step(
        "accuracy-loops",
        "accuracy",
        "--compare loops --backbone resnet18 --epochs 12 --seeds 10",
        f"--compare loops --epochs 1 {TRAINED}",
        minutes=7,
        resumable=True,
    ),
    Step(
        "time-to-accuracy",
        "time_to_accuracy",
        "--backbone resnet18 --accuracy 0.94 --epochs 12 15 18 24 --seeds 5",
        f"--epochs 1 2 {TRAINED}",
        minutes=2,
        resumable=True,
    ),
    Step("start-up", "start_up", "--rounds 10", "--rounds 1", minutes=6),
    Step("fused-attention", "fused_attention", "", "--batch 1 --rounds 1", minutes=2),
    Step(
        "exact-cost",
        "exact_cost",
        "--number 1000",
        "--number 2 --backbones resnet8",
        minutes=6,
        has_device=False,
    ),
)


def left(out: Path) -> list[Step]:
    """Return the benchmarks whose file is not there."""
    return [step for step in STEPS if not (out / f"{step.name}.json").exists()]


def needed_minutes(step: Step, options: Namespace) -> float:
    """Return the minutes that must be left for a benchmark to begin."""
    return RESERVE_MINUTES + (SMALL_MINUTES if options.small else step.minutes)


def command_of(step: Step, options: Namespace, minutes: float | None) -> list[str]:
    """Return what is run."""
    out: Path = options.out
    command = [sys.executable, "-m", f"benchmarks.{step.module}"]
    command += (step.small if options.small else step.full).split()
    command += ["--out", str(out / f"{step.name}.json")]
    if step.has_device:
        command += ["--device", options.device.type]
    if step.resumable:
        command += ["--dataset", options.dataset, "--runs", str(out / f"{step.name}.runs")]
        command += ["--data-dir", str(options.data_dir)] if options.data_dir else []
        command += ["--minutes", f"{minutes - RESERVE_MINUTES:.2f}"] if minutes else []
    return command


def run(step: Step, options: Namespace, minutes: float | None) -> bool:
    """Run a benchmark; say whether it failed, as one does that overruns the minutes."""
    print(f"== {step.name}", flush=True)
    command = command_of(step, options, minutes)
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            return process.wait(None if minutes is None else 60 * minutes) != 0
        except subprocess.TimeoutExpired:
            print(f"{step.name}: ended after {minutes:.1f} minutes; it needs more in one go")
            return True
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that it has started


def run_left(options: Namespace) -> list[str]:
    """Run what is left and fits into the minutes; return the names of what failed."""
    started, failed = time.monotonic(), []
    for step in left(options.out):
        minutes = None
        if options.minutes is not None:
            minutes = options.minutes - (time.monotonic() - started) / 60
            if minutes < needed_minutes(step, options):
                continue
        if run(step, options, minutes):
            failed.append(step.name)
    return failed


def parsed() -> Namespace:
    """Return the options."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--minutes", type=float, help="begin nothing that would take longer")
    parser.add_argument("--data-dir", type=Path, metavar="DIR")
    parser.add_argument("--dataset", choices=DATASETS, default="cifar10", help="to train on")
    parser.add_argument("--device", type=device_of, default="cuda", help="cpu or cuda")
    parser.add_argument("--small", action="store_true", help="tiny networks, one round")
    return parser.parse_args()


def main() -> int:
    """Run what is left in the time; print what is done and what is not; return 1 on a failure."""
    options = parsed()
    options.out.mkdir(parents=True, exist_ok=True)
    failed = run_left(options)
    remaining = left(options.out)
    print(f"== {len(STEPS) - len(remaining)} of {len(STEPS)} benchmarks are in {options.out}")
    for step in remaining:
        needed = f"needs {needed_minutes(step, options):.1f} minutes"
        print(f"left: {step.name} ({'failed' if step.name in failed else needed})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
