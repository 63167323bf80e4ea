"""CIFAR-10 on this machine: whole, or can it be fetched?"""

import os
from pathlib import Path

from ..training import cifar
from ..training.disk import NEEDED_MB
from .finding import Finding
from .machine import disk_finding

FETCH = "search data fetch"


def data_findings(data_dir: Path | None) -> list[Finding]:
    """Return whether every byte of the data is there, and if not whether the folder takes it."""
    folder = cifar.where(data_dir)
    remedy = FETCH if data_dir is None else f"{FETCH} --data-dir {data_dir}"
    checks = cifar.verify(data_dir)
    wrong = [f"{one.name} {one.state}" for one in checks if one.state != "ok"]
    if not wrong:
        return [Finding("data", "ok", f"CIFAR-10 is whole in {folder}")]
    is_corrupt = any(one.state == "corrupt" for one in checks)
    what = f"CIFAR-10 in {folder}: {', '.join(wrong)}"
    found = [Finding("data", "problem" if is_corrupt else "warning", what, remedy)]
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        mend = f"name another with --data-dir, or make {there} a folder that you can write to"
        return [*found, Finding("data", "problem", f"{there} takes no files", mend)]
    return [*found, disk_finding("data", folder, NEEDED_MB * 1e6)]
