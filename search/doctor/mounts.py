"""The file system that a file is on."""

import re
from dataclasses import dataclass
from pathlib import Path

from .finding import Finding

MOUNTS = Path("/proc/mounts")
# A write-ahead log needs memory that all its processes share, which these do not give.
NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs")
FUSE_NETWORK = ("fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of /proc/mounts."""

    folder: Path
    kind: str
    options: frozenset[str]


def mount_of(path: Path, text: str) -> Mount | None:
    """Return the innermost mount that holds a path; of several on one folder the last."""
    whole, found = path.resolve(), None
    for line in text.splitlines():
        _, folder, kind, options, *_ = line.split()
        # Blanks within a name stand there in octal.
        point = Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), folder))
        if whole.is_relative_to(point) and (
            found is None or len(point.parts) >= len(found.folder.parts)
        ):
            found = Mount(point, kind, frozenset(options.split(",")))
    return found


def mount_findings(path: Path, text: str) -> list[Finding]:
    """Return whether a database can be on the file system of its folder."""
    mount = mount_of(path, text)
    if mount is None:
        return []
    if mount.kind in NETWORK + FUSE_NETWORK:
        what = f"{path} is on {mount.kind}, where SQLite's write-ahead log does not work"
        remedy = "keep the study on a disk of this machine and copy it with search backup"
        return [Finding("database", "problem", what, remedy)]
    if "ro" in mount.options:
        what = f"{mount.folder}, which holds {path}, is mounted read-only"
        remedy = "copy the study to a disk that can be written and name it with --storage"
        return [Finding("database", "problem", what, remedy)]
    return [Finding("database", "ok", f"{path} is on {mount.kind}, mounted at {mount.folder}")]
