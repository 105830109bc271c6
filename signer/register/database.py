"""The database: one engine, transactions that say whether they write, and the schema's version."""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import column, create_engine, event, inspect, make_url, select, table
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from signer.errors import Conflict, Misconfigured, RegisterUnavailable
from signer.register import triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import ConnectionPoolEntry

_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = table("alembic_version", column("version_num"))
BUSY_S = 20.0
"""How long a writer waits for the one before it."""
_WRITERS = 5_389_001
"""The advisory lock that every writing transaction on PostgreSQL holds: one writer at a time, as on SQLite."""
_BEGIN_WRITE = (
    "BEGIN; SET LOCAL lock_timeout = '{patience_ms}ms'; SET LOCAL idle_in_transaction_session_timeout = '60s'; "
    "SET LOCAL synchronous_commit = on; "
    f"SELECT pg_advisory_xact_lock({_WRITERS})"
)
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

Transaction = Connection
"""What services hold while a transaction is open, and hand to the register's functions."""


class Database:
    """The register's database. `read` and `write` are its only doors, and each is one transaction."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._finishing: list[Callable[[], object]] = []
        if self.dialect == "sqlite":
            _prepare_sqlite(self._engine)
        else:
            _prepare_postgresql(self._engine)
        self._writer = self._engine.execution_options(signer_writes=True)

    @property
    def file(self) -> str:
        """Return the path of SQLite's file; '' for a server's database, or one in memory."""
        return (self._engine.url.database or "").removeprefix(":memory:") if self.dialect == "sqlite" else ""

    @property
    def dialect(self) -> str:
        """Which database it is: `sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def dsn(self) -> str:
        """The address in the database's own form, password included: not to be logged."""
        return self._engine.url.set(drivername=self.dialect).render_as_string(hide_password=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one moment and writes nothing."""
        with self._transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def write(self, *, patience_s: float = BUSY_S) -> Iterator[Connection]:
        """
        Open a transaction that may write: it takes the one write lock at once, and waits for it if it must.

        Raises RegisterUnavailable if the lock is not to be had in `patience_s`.
        """
        writer = self._writer if patience_s == BUSY_S else self._writer.execution_options(signer_patience_s=patience_s)
        with self._transaction(writer) as connection:
            yield connection

    def upgrade(self, revision: str = "head") -> None:
        """Bring the schema up to a revision of this code; a file that is not there yet is made for its owner alone."""
        self._begin_file()
        with self._transaction(self._writer) as connection, triggers.once(connection):
            _alembic("upgrade", connection, revision)

    def _begin_file(self) -> None:
        """Make SQLite's file: those that SQLite puts beside it take over its mode. Source: sqlite.org, WAL, 2."""
        if self.file and not self.file.startswith("file:"):
            with suppress(OSError):  # the driver says better what is wrong
                os.close(os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))

    def downgrade(self, revision: str) -> None:
        """Take the schema down to a revision."""
        with self._transaction(self._writer) as connection, triggers.once(connection):
            _alembic("downgrade", connection, revision)

    def move(self, revision: str) -> None:
        """Take an empty schema to a revision, from wherever it is. Misconfigured for one that this code has not."""
        if revision not in _revisions():
            raise Misconfigured(f"schema {revision} is none of this code's: it has {_revisions()[-1]} and older ones")
        found = self.version()
        if found not in (None, revision):
            self.downgrade("base")
        if found != revision:
            self.upgrade(revision)

    def version(self) -> str | None:
        """Return the revision of the schema, None for an empty database."""
        with self._transaction(self._engine) as connection:
            if not inspect(connection).has_table(_VERSION.name):
                return None
            return connection.execute(select(_VERSION.c.version_num)).scalar()

    def refuse_other_version(self) -> None:
        """Refuse a database that is behind or ahead of this code."""
        head = _revisions()[-1]
        if (found := self.version()) != head:
            raise Misconfigured(
                f"the register's schema is {found or 'empty'}, this code needs {head}: run `signer db upgrade`"
            )

    def at_close(self, finish: Callable[[], object]) -> None:
        """Have something finished before the connections are given back: what a thread of its own still writes."""
        self._finishing.append(finish)

    def close(self) -> None:
        """Give all connections back, once whoever writes in a thread has finished."""
        for finish in self._finishing:
            finish()
        self._engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        driver = engine.dialect.loaded_dbapi
        try:
            with _begun(engine) as connection:
                yield connection
                connection.commit()
        except (IntegrityError, driver.IntegrityError) as error:
            raise Conflict(f"the register refuses this: {getattr(error, 'orig', error)}") from error
        except (DBAPIError, driver.Error) as error:
            raise RegisterUnavailable(f"the register does not answer: {getattr(error, 'orig', error)}") from error


def _begun(engine: Engine) -> Connection:
    """Begin a transaction; a kept connection that turns out to be dead at its BEGIN is exchanged for a new one."""
    try:
        return _begun_on(engine.connect())
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _begun_on(engine.connect())


def _begun_on(connection: Connection) -> Connection:
    try:
        connection.begin()
    except (DBAPIError, connection.dialect.loaded_dbapi.Error):
        connection.close()
        raise
    return connection


@contextmanager
def together(tx: Connection) -> Iterator[None]:
    """
    Send the statements of a block without waiting for each one's answer, where the driver can; the end waits for all.

    What they answer cannot be read; what the database refuses is raised at the end of the block at the latest.
    """
    if tx.dialect.name == "postgresql":
        with tx.connection.dbapi_connection.pipeline():  # type: ignore[union-attr]
            yield
    else:
        yield


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind == "sqlite":
            return create_engine(parsed, connect_args={"timeout": BUSY_S})
        if kind == "postgresql":
            driven = parsed.set(drivername="postgresql+psycopg")
            return create_engine(driven, connect_args={"connect_timeout": 10, "autocommit": True})  # we say BEGIN
    except (ArgumentError, NoSuchModuleError) as error:
        raise Misconfigured(f"SIGNER_DATABASE_URL: {error}") from error
    except ModuleNotFoundError as error:
        raise Misconfigured("PostgreSQL needs the extra `postgresql`: install signer[postgresql]") from error
    raise Misconfigured(f"SIGNER_DATABASE_URL: {kind} is neither sqlite nor postgresql")


def _revisions() -> list[str]:
    """Return the schemas that this code knows, the oldest first: `NNNN_what_it_does.py` each."""
    return sorted(path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _alembic(verb: Literal["upgrade", "downgrade"], connection: Connection, revision: str) -> None:
    """Move the schema. Alembic is imported when it is needed: not by every process that reads the register."""
    command, config = importlib.import_module("alembic.command"), importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(command, verb)(config, revision)


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # pysqlite's own BEGIN would come too late: we say it ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        cursor = connection.connection.cursor()
        if "signer_patience_s" not in options:
            cursor.execute("BEGIN IMMEDIATE" if options.get("signer_writes", False) else "BEGIN")
            return
        cursor.execute(f"PRAGMA busy_timeout = {_in_ms(options['signer_patience_s'])}")
        try:
            cursor.execute("BEGIN IMMEDIATE")
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {_in_ms(BUSY_S)}")


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        patience_ms = _in_ms(options.get("signer_patience_s", BUSY_S))
        writes = options.get("signer_writes", False)
        connection.exec_driver_sql(_BEGIN_WRITE.format(patience_ms=patience_ms) if writes else _BEGIN_READ)


def _in_ms(seconds: float) -> int:
    return round(seconds * 1000)
