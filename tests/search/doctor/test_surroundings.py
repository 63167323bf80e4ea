"""Each fault of machine, packages, device, data, disks, locks and cluster, injected."""

import os
import socket
from pathlib import Path

import pytest

from search.doctor import device, machine, packages, ray
from search.doctor.data import data_findings
from search.doctor.device import device_findings
from search.doctor.locks import lock_holder
from search.doctor.machine import disk_finding, memory_findings
from search.doctor.mounts import mount_findings, mount_of
from search.doctor.packages import package_findings, python_findings, unmet
from search.doctor.ray import ray_findings
from search.training import cifar
from search.training.device import Device

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /mnt tmpfs rw 0 0
//server/share /mnt/a\\040b cifs rw,vers=3.0 0 0
/dev/sr0 /mnt/disc iso9660 ro 0 0
/dev/sdb1 /mnt/disc ext4 rw 0 0
/dev/sdc1 /mnt/kept ext4 ro,relatime 0 0
"""


def test_the_innermost_mount_holds_a_file_and_the_last_of_one_folder() -> None:
    for path, kind in (
        ("/home/study", "ext4"),
        ("/mnt", "tmpfs"),
        ("/mnt/a b/x", "cifs"),
        ("/mnt/a bc", "tmpfs"),
        ("/mnt/disc/x", "ext4"),
    ):
        mount = mount_of(Path(path), MOUNTS)
        assert mount
        assert mount.kind == kind


def test_a_network_disk_and_a_read_only_one_hold_no_study() -> None:
    (network,) = mount_findings(Path("/mnt/a b"), MOUNTS)
    assert network.what == "/mnt/a b is on cifs, where SQLite's write-ahead log does not work"
    (kept,) = mount_findings(Path("/mnt/kept/x"), MOUNTS)
    assert kept.what == "/mnt/kept, which holds /mnt/kept/x, is mounted read-only"
    (fine,) = mount_findings(Path("/home"), MOUNTS)
    assert (fine.state, fine.remedy) == ("ok", "")
    assert mount_findings(Path("/home"), "") == []


def test_the_holder_of_a_lock_is_found_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "study.db.a.lock"
    assert lock_holder(path, "") is None
    path.touch()
    inode, me = path.stat().st_ino, os.getpid()
    held = f"1: FLOCK  ADVISORY  WRITE {me} fe:00:{inode} 0 EOF\n"
    waits = f"1: -> FLOCK  ADVISORY  WRITE {me} fe:00:{inode} 0 EOF\n"
    other = f"2: POSIX  ADVISORY  READ {me} fe:00:{inode + 1} 128 128\n"
    with path.open():
        assert lock_holder(path, other + held) == me
        assert lock_holder(path, other + waits) is None
    assert lock_holder(path, held) is None  # another disk's file of this number
    assert lock_holder(path, held.replace(str(me), "0", 1)) == 0  # in another container


def test_too_little_memory_for_a_worker_on_each_core_is_named() -> None:
    text = "MemTotal:       16000000 kB\nMemAvailable:    4000000 kB\nHugePages_Total:       0\n"
    (enough,) = memory_findings(text, 2)
    assert (enough.state, enough.what) == ("ok", "4.1 GB of memory available")
    (few,) = memory_findings(text, 8)
    assert (few.state, few.remedy) == ("warning", "end other programs, or --workers 2")
    assert memory_findings("", 8) == []


def test_a_disk_is_judged_by_the_folder_that_is_there(tmp_path: Path) -> None:
    assert disk_finding("data", tmp_path / "a" / "b", 0).what.endswith(f" GB free in {tmp_path}")
    full = disk_finding("data", tmp_path, 1e18)
    assert (full.state, full.area) == ("problem", "data")


def test_what_is_missing_or_out_of_range_is_named_with_its_command() -> None:
    asked = ["a>=2.0", "b>=1", "c<3,>=2", "d>=1; extra == 'more'", "e>=9; extra == 'more'"]
    asked += ["f>=1; python_version < '3'", "g>=2.11"]
    versions = {"a": "1.9", "c": "2.5", "e": "8.0", "g": "2.15.0+cu130"}
    found = unmet("this", asked, versions.get)
    assert [(one.state, one.what, one.remedy) for one in found] == [
        ("problem", "this needs a>=2.0, got 1.9", "pip install 'a>=2.0'"),
        ("problem", "this needs b>=1, got none", "pip install 'b>=1'"),
        ("warning", "this needs e>=9, got 8.0", "pip install 'e>=9'"),
    ]


def test_a_python_out_of_range_is_a_problem() -> None:
    assert python_findings(">=3.11,<3.13", "3.12.4") == []
    (found,) = python_findings(">=3.11,<3.13", "3.13.0")
    assert found.what == "Python must be >=3.11,<3.13, got 3.13.0"


def test_the_packages_here_are_those_that_the_program_asks_for() -> None:
    found = package_findings()
    assert [one for one in found if one.state == "problem"] == []
    assert {"torch", "optuna", "sqlalchemy"} <= set(found[0].what.replace(";", "").split())


def test_a_program_that_is_not_installed_cannot_say_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "PROGRAM", "attention-search-of-nobody")
    (found,) = package_findings()
    assert found.state == "warning"


def test_torch_that_cannot_be_loaded_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> Device:
        raise OSError("libcudart.so.13: cannot open shared object file\nNo such file")

    monkeypatch.setattr(device, "resolve_device", broken)
    (found,) = device_findings()
    assert found.what.startswith("torch cannot be loaded: libcudart.so.13: cannot open")


def test_a_gpu_that_torch_cannot_use_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "resolve_device", lambda _: Device("cpu", 1, "float32"))
    monkeypatch.setattr(device, "NVIDIA_DRIVER", tmp_path / "none")
    assert [one.state for one in device_findings()] == ["ok"]
    monkeypatch.setattr(device, "NVIDIA_DRIVER", tmp_path)
    assert [one.state for one in device_findings()] == ["ok", "warning"]


def test_missing_data_is_fetched_and_corrupt_data_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing, _ = data_findings(tmp_path)
    assert missing.state == "warning"
    assert missing.what.startswith(f"CIFAR-10 in {tmp_path}: train_images missing, train_labels m")
    assert missing.remedy == f"search data fetch --data-dir {tmp_path}"
    checks = [cifar.ArrayCheck("test_labels", tmp_path, 1, "corrupt")]
    monkeypatch.setattr(cifar, "verify", lambda _: checks)
    corrupt, _ = data_findings(tmp_path)
    assert (corrupt.state, corrupt.what) == (
        *("problem", f"CIFAR-10 in {tmp_path}: test_labels corrupt"),
    )
    monkeypatch.setattr(cifar, "verify", lambda _: [])
    assert [one.state for one in data_findings(tmp_path)] == ["ok"]


def test_a_folder_of_data_with_a_lines_end_in_its_name_is_one_line(tmp_path: Path) -> None:
    missing, _ = data_findings(tmp_path / "a\nb")
    assert missing.what.startswith(f"CIFAR-10 in {tmp_path}/a\\nb: ")


def test_a_cache_that_takes_no_files_is_a_problem_only_where_data_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert data_findings(tmp_path / "cifar10")[1].what == f"{tmp_path} takes no files"
    (tmp_path / "file").touch()
    monkeypatch.undo()
    assert data_findings(tmp_path / "file" / "x")[1].what == f"{tmp_path}/file takes no files"


def test_a_cluster_that_is_named_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ray.ADDRESS, raising=False)
    assert ray_findings() == []
    monkeypatch.setattr(ray, "find_spec", lambda _: "there")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        monkeypatch.setenv(ray.ADDRESS, f"127.0.0.1:{port}")
        assert [one.state for one in ray_findings()] == ["problem"]  # it does not listen
        server.listen()
        assert [one.state for one in ray_findings()] == ["ok"]
        monkeypatch.setenv(ray.ADDRESS, f"ray://127.0.0.1:{port}")
        (found,) = ray_findings()
        assert (found.state, "start the search on a node" in found.what) == ("problem", True)
    for address, state in (("auto", "ok"), ("nowhere", "problem"), ("a:99999999", "problem")):
        monkeypatch.setenv(ray.ADDRESS, address)
        assert [one.state for one in ray_findings()] == [state]
    monkeypatch.setattr(ray, "find_spec", lambda _: None)
    assert ray_findings()[0].remedy == "pip install 'attention-search[ray]'"


def test_the_memory_of_this_machine_is_read() -> None:
    assert len(machine.machine_findings()) >= 1
