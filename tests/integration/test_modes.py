"""What is kept is for its owner alone, whatever the umask; and the doctor names what others may open."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
import world as worlds

from signer import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLIC = (".jws", ".pub.pem", ".crt.pem")


@pytest.fixture
def database() -> str:
    """Modes are those of files."""
    return "sqlite"


@pytest.fixture
def wide() -> Iterator[None]:
    """The widest umask that there is."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_whatever_the_umask_the_register_sealed_files_keys_and_counts_are_for_their_owner_alone(
    tmp_path: Path, wide: None
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    world = worlds.World(worlds.build(folder))
    metrics.begin(world.settings.run_dir, "web")
    try:
        world.verify(world.issue(worlds.sample(worlds.KAZAKHSTAN)).pdf)
    finally:
        metrics.end()
    kept = sorted(folder.glob("register.sqlite3*"))
    assert [path.name.removeprefix("register.sqlite3") for path in kept] == ["", "-shm", "-wal"]
    assert [path.name for path in kept if mode(path) & 0o077] == []
    assert mode(folder / "blobs") == mode(folder / "keys") == mode(folder / "run") == 0o700
    assert not any(mode(path) & 0o077 for path in (folder / "run").iterdir())
    secrets = [path for path in (folder / "keys").rglob("*") if path.is_file() and not path.name.endswith(PUBLIC)]
    assert len(secrets) >= 10
    assert [path.name for path in secrets if mode(path) & 0o077] == []
    world.services.database.close()


def told(world: worlds.World) -> list[str]:
    return [one.detail for one in world.services.doctor.examine() if one.part == "modes" and one.health == "warning"]


def test_the_doctor_names_each_folder_and_each_secret_that_others_may_open(world: worlds.World) -> None:
    world.folder.chmod(0o700)
    assert told(world) == []
    secret = world.settings.keys / "password"
    secret.chmod(0o604)
    assert told(world) == [f"{secret} is open to everyone: chmod 600 {secret}"]
    secret.chmod(0o600)
    world.settings.keys.chmod(0o755)
    assert told(world) == []
    world.folder.chmod(0o750)
    assert told(world) == []
    world.folder.chmod(0o711)
    assert [line.rpartition(" ")[2] for line in told(world)][:2] == [str(world.folder), str(world.settings.keys)]
