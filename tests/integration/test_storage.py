"""Disk full and disk read-only while storing: a clear error, the number accounted for, nothing half done."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from world import KAZAKHSTAN, World, sample

from signer.domain.verdict import Code
from signer.errors import NotFound, StorageUnavailable
from signer.register.blobs import DiskBlobs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def small_disk(world: World) -> Iterator[Path]:
    """A file system of 100 kB under the folder of sealed files: less than one of them."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    folder = world.folder / "blobs"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this machine allows no mounts")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_issues_nothing_and_says_so(world: World, small_disk: Path) -> None:
    with pytest.raises(StorageUnavailable, match="No space") as caught:
        world.issue(sample(KAZAKHSTAN))
    ((number, standing, reason),) = world.rows("SELECT number, standing, end_reason FROM confirmations")
    assert (standing, "storage-unavailable" in reason) == ("abandoned", True)
    assert any(number in note for note in caught.value.__notes__)
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    with pytest.raises(NotFound):
        world.services.issuing.fetch(number)


def test_after_the_disk_is_mended_the_same_vehicles_can_be_sealed(world: World, small_disk: Path) -> None:
    with pytest.raises(StorageUnavailable):
        world.issue(sample(KAZAKHSTAN))
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    assert world.verify(world.issue(sample(KAZAKHSTAN)).pdf).code is Code.VALID


def test_a_read_only_disk_issues_nothing(world: World, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageUnavailable, match="Read-only"):
        world.issue(sample(KAZAKHSTAN))
    assert world.rows("SELECT standing FROM confirmations") == [("abandoned",)]


def test_a_damaged_file_is_never_handed_out(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    (stored,) = [path for path in (world.folder / "blobs").rglob("*") if path.is_file()]
    stored.write_bytes(issued.pdf[:-1])
    with pytest.raises(StorageUnavailable, match="damaged"):
        world.services.issuing.fetch(issued.number)


def test_putting_the_same_bytes_twice_keeps_one_file(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path)
    assert blobs.put(b"same") == blobs.put(b"same")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
