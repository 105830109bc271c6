"""Disk full and disk read-only while storing: a clear error, the number accounted for, nothing half done."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from world import EMIRATES, KAZAKHSTAN, MEXICO, World, sample

from signer.domain.verdict import Code
from signer.errors import Misconfigured, NotFound, StorageUnavailable
from signer.register.blobs import Blobs, open_blobs
from signer.services.keep import Scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def on_disk(request: pytest.FixtureRequest) -> None:
    """Keep sealed files on the disk, whatever the register is on, to the last byte."""
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        world.overrides = {"SIGNER_BLOB_URL": "disk:", "SIGNER_DISK_STOP_MB": "0"}
        world.rewire()


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


STORES = ["disk:", "database:", "memory:///", "file://{tmp_path}"]


@pytest.fixture(params=STORES, ids=[store.partition(":")[0] for store in STORES])
def blobs(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Blobs:
    """Every kind of store."""
    (tmp_path / "objects").mkdir()
    url = request.param.format(tmp_path=tmp_path / "objects")
    return open_blobs(url, database=world.services.database, folder=tmp_path / "disk")


def test_what_is_put_comes_back_and_the_same_bytes_are_kept_once(blobs: Blobs) -> None:
    digest = blobs.put(b"same")
    assert (blobs.put(b"same"), blobs.get(digest), list(blobs.digests())) == (digest, b"same", [digest])


def test_what_was_never_put_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        blobs.get(bytes(32))


@pytest.mark.parametrize("store", ["disk", "objects"])
def test_a_changed_file_is_damaged_in_any_store(world: World, store: str, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    url = {"disk": "disk:", "objects": f"file://{tmp_path}/objects"}[store]
    blobs = open_blobs(url, database=world.services.database, folder=tmp_path / "disk")
    digest = blobs.put(b"whole")
    (path,) = [path for path in (tmp_path / store).rglob("*") if path.is_file()]
    path.write_bytes(b"whol")
    with pytest.raises(StorageUnavailable, match="damaged"):
        blobs.get(digest)


def test_the_database_never_changes_a_sealed_file(world: World) -> None:
    blobs = open_blobs("database:", database=world.services.database, folder=world.folder)
    blobs.put(b"whole")
    for statement in ("UPDATE blobs SET data = 'x'", "DELETE FROM blobs"):
        with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
            world.change(statement)


@pytest.mark.parametrize("url", ["nonsense://x", "s3:", "ftp://x/y"])
def test_an_address_of_no_store_is_named(world: World, url: str) -> None:
    with pytest.raises(Misconfigured, match="SIGNER_BLOB_URL"):
        open_blobs(url, database=world.services.database, folder=world.folder)


def test_sealed_files_go_where_they_are_told_and_are_found_again(world: World, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    world.overrides = {"SIGNER_BLOB_URL": f"file://{tmp_path}/objects"}
    world.rewire()
    issued = world.issue(sample(KAZAKHSTAN))
    assert world.services.issuing.fetch(issued.number) == issued.pdf
    assert not (world.folder / "blobs").exists()
    assert world.rows("SELECT count(*) FROM blobs") == [(0,)]


def test_scrub_names_what_is_damaged_missing_and_without_a_record(world: World) -> None:
    numbers = [world.issue(sample(name)).number for name in (KAZAKHSTAN, EMIRATES, MEXICO)]
    assert world.services.keeping.scrub() == Scrubbed(sound=3, damaged=(), missing=(), orphans=())
    paths = {path.name: path for path in (world.folder / "blobs").rglob("*") if path.is_file()}
    digests = dict(
        world.rows("SELECT c.number, f.file_digest FROM files f JOIN confirmations c ON c.id = f.confirmation_id")
    )
    damaged, missing = paths[digests[numbers[0]].hex()], paths[digests[numbers[1]].hex()]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    missing.unlink()
    orphan = world.services.issuing._blobs.put(b"an orphan").hex()
    found = world.services.keeping.scrub()
    assert found == Scrubbed(sound=1, damaged=(numbers[0],), missing=(numbers[1],), orphans=(orphan,))
