"""
One file with everything that the register holds: a ZIP of its tables (a row a line) and sealed files, with digests.

The tables are read in one transaction, so they are of one moment; sealed files never change. The form is no
database's own: what SQLite wrote PostgreSQL reads. Keys and the trust list are not in it.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError
from sqlalchemy import Date, LargeBinary, MetaData, Table, func, insert, inspect, select, text

from signer.domain.values import Frozen, Instant
from signer.errors import Conflict, InvalidInput, NotFound, StorageUnavailable
from signer.register import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, RowMapping

    from signer.register.blobs import Blobs

MANIFEST = "manifest.json"
_CHUNK_ROWS = 500
_NOT_ROWS = (
    "blobs",
    "challenges",
    "deliveries",
    "events",
    "jobs",
    "lookup_failures",
    "mails",
    "sessions",
    "sign_in_failures",
)
"""Sealed files are members of their own; the others are of the hour and of the deployment."""


class Member(Frozen):
    """One member of the archive: its SHA-256 (hex) and size; for a table also how many rows it has."""

    sha256: str
    size: int
    rows: int | None = None


class Manifest(Frozen):
    """What the archive holds, as of when, of which schema; `missing` are sealed files that could not be read."""

    schema_id: Literal["signer.backup/1"] = "signer.backup/1"
    revision: str
    backup_at: Instant
    members: dict[str, Member]
    missing: tuple[str, ...] = ()


def write(path: Path, tx: Connection, blobs: Blobs, *, revision: str, at: Instant) -> Manifest:
    """Write the archive to a path that is not there yet, and return its manifest."""
    members: dict[str, Member] = {}
    missing = []
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        for table in tables.metadata.sorted_tables:
            if table.name not in _NOT_ROWS:
                members[f"tables/{table.name}.jsonl"] = _write_table(archive, tx, table)
        for digest in _stored(tx):
            try:
                data = blobs.get(digest)
            except (NotFound, StorageUnavailable):
                missing.append(digest.hex())
                continue
            archive.writestr(f"blobs/{digest.hex()}", data, zipfile.ZIP_STORED)
            members[f"blobs/{digest.hex()}"] = Member(sha256=digest.hex(), size=len(data))
        manifest = Manifest(revision=revision, backup_at=at, members=members, missing=tuple(missing))
        archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def _stored(tx: Connection) -> tuple[bytes, ...]:
    """Return the digest of everything in the store that a row speaks of, each once, the oldest first."""
    found: dict[bytes, None] = {}
    for table in (tables.files, tables.official_copies):
        found |= dict.fromkeys(map(bytes, tx.execute(select(table.c.file_digest).order_by(table.c.id)).scalars()))
    return tuple(found)


def _write_table(archive: zipfile.ZipFile, tx: Connection, table: Table) -> Member:
    """Write one table as it is stored, in the order of its key."""
    digest, size, rows = hashlib.sha256(), 0, 0
    plain = Table(table.name, MetaData(), autoload_with=tx)
    wanted = select(plain).order_by(*plain.primary_key.columns).execution_options(yield_per=_CHUNK_ROWS)
    with archive.open(f"tables/{table.name}.jsonl", "w") as out:
        for row in tx.execute(wanted).mappings():
            line = json.dumps(_plain(row), ensure_ascii=False, sort_keys=True).encode() + b"\n"
            out.write(line)
            digest.update(line)
            size += len(line)
            rows += 1
    return Member(sha256=digest.hexdigest(), size=size, rows=rows)


def _plain(row: RowMapping) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, bytes | memoryview):
            found[str(name)] = bytes(value).hex()
        else:
            found[str(name)] = value.isoformat() if isinstance(value, date) else value
    return found


def check(archive: zipfile.ZipFile) -> Manifest:
    """Return the manifest after every member was read and its digest found right; InvalidInput otherwise."""
    try:
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
        for name, member in manifest.members.items():
            digest = hashlib.sha256()
            with archive.open(name) as data:
                while chunk := data.read(1 << 20):
                    digest.update(chunk)
            if digest.hexdigest() != member.sha256:
                raise InvalidInput("FILE", f"{name} is damaged: its digest differs")
    except (KeyError, ValidationError, zipfile.BadZipFile, OSError) as error:
        raise InvalidInput("FILE", f"is no whole backup of ours: {error}") from error
    return manifest


def sealed_files(archive: zipfile.ZipFile, manifest: Manifest) -> Iterator[bytes]:
    """Read every sealed file of the archive."""
    for name in manifest.members:
        if name.startswith("blobs/"):
            yield archive.read(name)


def refuse_filled(tx: Connection) -> None:
    """Refuse a register that holds anything. Raises Conflict."""
    present = set(inspect(tx).get_table_names())
    for table in (tables.manufacturers, tables.people, tables.confirmations, tables.audit):
        if table.name in present and tx.execute(select(func.count()).select_from(table)).scalar_one():
            raise Conflict("a backup is restored into an empty register only, and this one is not")


def load(archive: zipfile.ZipFile, manifest: Manifest, tx: Connection) -> None:
    """Fill empty tables of the archive's own schema with its rows."""
    for name in manifest.members:
        if name.startswith("tables/"):
            table = Table(name.removeprefix("tables/").removesuffix(".jsonl"), MetaData(), autoload_with=tx)
            _load_table(archive, name, table, tx)


def _load_table(archive: zipfile.ZipFile, name: str, table: Table, tx: Connection) -> None:
    readers: dict[str, Callable[[Any], object]] = {
        column.name: bytes.fromhex if isinstance(column.type, LargeBinary) else date.fromisoformat
        for column in table.columns
        if isinstance(column.type, LargeBinary | Date)
    }
    chunk = []
    with archive.open(name) as lines:
        for line in lines:
            row = json.loads(line)
            chunk.append(
                {key: readers.get(key, _same)(value) if value is not None else None for key, value in row.items()}
            )
            if len(chunk) == _CHUNK_ROWS:
                tx.execute(insert(table), chunk)
                chunk = []
    if chunk:
        tx.execute(insert(table), chunk)
    if tx.dialect.name == "postgresql" and "id" in table.columns and table.columns["id"].autoincrement:
        _continue_numbering(tx, table.name)


def _same(value: object) -> object:
    return value


def _continue_numbering(tx: Connection, table: str) -> None:
    """Let PostgreSQL's own numbers go on behind the highest one that was loaded."""
    sequence = tx.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table}).scalar()
    if sequence is not None:
        highest = select(func.max(tables.metadata.tables[table].c.id)).scalar_subquery()
        tx.execute(select(func.setval(sequence, func.coalesce(highest, 1), highest.is_not(None))))
