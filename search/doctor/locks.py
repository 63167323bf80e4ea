"""Who holds a lock file, asked of the system: trying the lock could keep a run from starting."""

from pathlib import Path

LOCKS = Path("/proc/locks")


def locks() -> str:
    """Return what the system says of all locks; nothing where it does not."""
    return LOCKS.read_text() if LOCKS.exists() else ""


def lock_holder(path: Path, text: str) -> int | None:
    """Return the process that holds a lock on the file, by the text of /proc/locks.

    The device in that text is not the file's own on every file system, so where the process can be
    looked into, it must have the file open. One of another container has the number 0 or -1.
    """
    try:
        inode = path.stat().st_ino
    except OSError:
        return None
    for line in text.splitlines():
        # 1: FLOCK  ADVISORY  WRITE 9065 fe:00:3137743 0 EOF; one that waits has -> behind the 1:
        words = [word for word in line.split() if word != "->"]
        if "->" not in line and words[5].rpartition(":")[2] == str(inode):
            holder = int(words[4])
            if _may_hold(holder, path):
                return holder
    return None


def _may_hold(process: int, path: Path) -> bool:
    try:
        files = [one.resolve() for one in Path(f"/proc/{process}/fd").iterdir()]
    except OSError:
        return True  # another user's, or another container's
    return path.resolve() in files
