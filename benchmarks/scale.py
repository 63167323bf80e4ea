"""What each operation on a study costs, against the number of its trials.

    OMP_NUM_THREADS=1 PYTHONPATH=. python -m benchmarks.scale [--trials 100 1000 10000]

Made-up studies of the real space, stored as real ones. Every operation runs in a new process, one
after the other. Seconds are of the processor, since the machine may be busy; the slope is that of
the logarithms between the two largest studies: 1 is linear. Needs no GPU and no data.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from argparse import Namespace
from importlib.metadata import version
from math import log
from pathlib import Path

from rich.table import Table

from .figures import parser_of, positive, publish
from .scales.operations import OPERATIONS
from .scales.study import build

SIZES = (100, 300, 1_000, 3_000, 10_000)
Found = dict[str, dict[int, dict[str, float]]]  # by operation and number of trials


def measured(operation: str, database: Path, folder: Path) -> dict[str, float]:
    """Return what an operation took on a copy of the database."""
    copy = folder / "copy.db"
    shutil.copy(database, copy)
    command = ["-m", "benchmarks.scales.operations", operation, f"sqlite:///{copy}"]
    ran = subprocess.run(
        [sys.executable, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    for left in folder.glob("copy*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    if ran.returncode:
        sys.exit(f"{operation} of {database.name} failed:\n{ran.stderr}")
    found: dict[str, float] = json.loads(ran.stderr.splitlines()[-1])
    return found


def slope(found: dict[int, dict[str, float]], name: str) -> float:
    """Return the power by which a figure grows between the two largest studies."""
    *_, small, large = sorted(found)
    return log(found[large][name] / found[small][name]) / log(large / small)


def table_of(found: Found, sizes: list[int]) -> Table:
    """Return a row for each operation: seconds by size, slope, the rest of the largest study."""
    wide = [f"{size:,}" for size in sizes]
    table = Table("CPU s, trials:", *wide, "slope", "wall s", "MiB", "slope")
    for name, by_size in found.items():
        largest = by_size[sizes[-1]]
        table.add_row(
            name,
            *(f"{by_size[size]['cpu']:.2f}" for size in sizes),
            f"{slope(by_size, 'cpu'):.2f}",
            f"{largest['wall']:.2f}",
            f"{largest['mib']:.0f}",
            f"{slope(by_size, 'mib'):.2f}",
        )
    return table


def parsed() -> Namespace:
    """Return the options."""
    parser = parser_of(__doc__)
    parser.add_argument("--trials", type=positive, nargs="+", default=list(SIZES))
    parser.add_argument("--only", choices=sorted(OPERATIONS), nargs="+", default=list(OPERATIONS))
    parser.add_argument("--folder", type=Path, help="where studies are kept, and found again")
    options = parser.parse_args()
    if len(options.trials) < 2:
        parser.error(f"--trials must be two numbers or more, got {options.trials}")
    return options


def main() -> None:
    """Build what is missing, time every operation on every study, and print the table."""
    options = parsed()
    sizes = sorted(set(options.trials))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        missing = [size for size in sizes if not (folder / f"{size}.db").exists()]
        if missing:
            build(folder, missing)
        found: Found = {name: {} for name in options.only}
        for size in sizes:
            for name, by_size in found.items():
                by_size[size] = measured(name, folder / f"{size}.db", Path(temporary))
                print(size, name, by_size[size], flush=True)
    versions = {name: version(name) for name in ("optuna", "sqlalchemy", "scipy")}
    publish(table_of(found, sizes), {"versions": versions, "operations": found}, options.out)


if __name__ == "__main__":
    main()
