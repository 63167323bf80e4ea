"""The machine: what runs here, how many cores, how much memory and disk are left."""

import os
import platform
import shutil
from pathlib import Path

from studies.store.sessions import system_in_words

from ..executors.environments import num_cores
from .finding import Finding

MEMORY_INFO = Path("/proc/meminfo")
WORKER_BYTES = 1.8e9  # resident 1.75 GB: a worker that trained ResNet-20 on one Zen 3 core


def machine_findings() -> list[Finding]:
    """Return what runs here, its cores and its memory."""
    memory = MEMORY_INFO.read_text() if MEMORY_INFO.exists() else ""
    return [*system_findings(), *memory_findings(memory, num_cores())]


def system_findings() -> list[Finding]:
    """Return Python, the system and the cores that may be used."""
    cores, all_cores = num_cores(), os.cpu_count() or 1
    limited = "" if cores == all_cores else f" of {all_cores}"
    return [
        Finding(
            "machine",
            "ok",
            f"Python {platform.python_version()}, {system_in_words()} on {platform.machine()}, "
            f"{cores}{limited} cores may be used",
        )
    ]


def memory_findings(text: str, cores: int) -> list[Finding]:
    """Return whether one worker for each core has room, from the text of /proc/meminfo."""
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    if "MemAvailable" not in lines:
        return []
    free = 1024 * int(lines["MemAvailable"].split()[0])
    if free >= cores * WORKER_BYTES:
        return [Finding("machine", "ok", f"{free / 1e9:.1f} GB of memory available")]
    fitting = max(1, int(free // WORKER_BYTES))
    what = f"{free / 1e9:.1f} GB of memory available, less than {cores} workers take"
    return [Finding("machine", "warning", what, f"end other programs, or --workers {fitting}")]


def disk_finding(area: str, folder: Path, needed: float) -> Finding:
    """Return whether the disk of a folder, or of what it will be in, has room."""
    there = next(one for one in (folder, *folder.parents) if one.is_dir())
    free = shutil.disk_usage(there).free
    what = f"{free / 1e9:,.1f} GB free in {there}"
    if free >= needed:
        return Finding(area, "ok", what)
    remedy = f"free some, {needed / 1e6:,.0f} MB are needed, or name another folder"
    return Finding(area, "problem", what, remedy)
