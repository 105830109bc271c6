"""What it costs to record a confirmation of three vehicles: time beside bare INSERTs, and bytes beside the content."""

from __future__ import annotations

import secrets
import sqlite3
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg
import world as worlds
from cases import Case
from registers import Filled
from sqlalchemy import Column, MetaData, Table

from signer.domain import content as encoding
from signer.domain.number import Number
from signer.register import audit, confirmations, tables
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WRITTEN = (
    (
        ("approvals", "id = (SELECT approval_id FROM confirmations WHERE id = {id})", ""),
        ("confirmations", "id = {id}", ""),
        ("lines", "confirmation_id = {id}", "confirmation_id"),
        ("vin_claims", "confirmation_id = {id}", "manufacturer_id"),
        ("status_entries", "confirmation_id = {id}", "list"),
        ("log_queue", "confirmation_id = {id} AND type = 'intent'", ""),
    ),
    (
        ("files", "confirmation_id = {id}", ""),
        ("seal_uses", "number = '{number}'", ""),
        ("log_queue", "confirmation_id = {id} AND type = 'issued'", ""),
        ("notices", "number = '{number}'", ""),
        ("audit", "subject = '{number}'", ""),
        ("confirmations", "id = {id}", ""),
        ("lines", "confirmation_id = {id}", "confirmation_id"),
        ("vin_claims", "confirmation_id = {id}", "manufacturer_id"),
        ("status_entries", "confirmation_id = {id}", "list"),
    ),
)
"""Which rows the two transactions write, the changed ones last, and what of the key a bare row must have its own of."""
_ROWS = (10, 13)
_MANY = 500
_FIRST_KEY = 1_000_000


def all_cases() -> Iterator[Case]:
    for kind in ("sqlite", "postgresql"):
        recording = Recording(kind)
        yield Case(
            name=f"register.record.{kind}",
            ours=recording.ours,
            peer=recording.bare,
            peer_name="the same rows (10 + 13) in two transactions by the driver's cursor, no promise but primary keys",
            target=0.5,
            prepare=recording.prepare,
        )
    for kind in ("sqlite", "postgresql"):
        size = Size(kind)
        yield Case(
            name=f"register.bytes.{kind}",
            ours=size.without_files,
            peer=size.content,
            peer_name="the content's JSON alone (3 vehicles; ours: all rows and indexes, no PDF)",
            unit="bytes",
        )
        yield Case(
            name=f"register.bytes.pdf.{kind}",
            ours=size.with_files,
            peer=size.content_and_file,
            peer_name="the content's JSON and the sealed PDF (3 vehicles; ours: where the PDF is by default)",
            unit="bytes",
        )


class Recording:
    """
    Transactions 1 and 2 of a confirmation of three vehicles, and bare INSERTs of the same bytes.

    Bare are the rows that ours has just written, as they stand after transaction 2, in the same two transactions,
    in the same database, as durable: into tables of the same columns and primary keys, without any trigger, check,
    foreign key, unique or other index, by the driver's own cursor with ready statements. They are 10 and 13: of
    these 13, ours inserts 5 and changes 8 (head, lines, claims, status); bare inserts those too, as any database
    writes a changed row anew. Ours also asks before it writes; bare does not. Content and digests are made before
    either's time begins.
    """

    def __init__(self, kind: str) -> None:
        self._filled = Filled(kind, 0)
        self._count = 0
        self._key = _FIRST_KEY

    @cached_property
    def _sample(self) -> Any:
        world = self.world
        return world.verify(world.issue(worlds.sample(worlds.KAZAKHSTAN)).pdf).confirmation

    @property
    def world(self) -> worlds.World:
        return self._filled.world

    def prepare(self) -> None:
        """Draw the next confirmation, and have the rows of the last for the peer."""
        at, terms, self._count = self.world.at, self._sample.terms, self._count + 1
        vehicles = tuple(
            vehicle.model_copy(update={"vin": f"{vehicle.vin[:9]}{self._count:06d}{place:02d}"})
            for place, vehicle in enumerate(terms.vehicles)
        )
        terms = terms.model_copy(update={"vehicles": vehicles})
        digest, self.number = encoding.terms_digest(terms), Number.draw(secrets.randbits)
        made = encoding.build(terms=terms, approved_digest=digest, number=self.number, issued_at=at)
        people = {"preparer_id": "chen.sample", "approver_id": "lin.sample"}
        self.reserved = confirmations.Reservation(
            approval=confirmations.Approval(terms_digest=digest, approved_at=at, **people),
            confirmation=made,
            encoded=encoding.encode(made),
            renderer_digest=bytes(32),
        )
        self.file = confirmations.SealedFile(
            file_digest=secrets.token_bytes(32),
            sealed_digest=digest,
            sealed_length=100_000,
            size=110_000,
            level="B-LT",
            timestamp_at=at,
        )
        seal_digest = terms.seal.certificate_digest
        self.use = audit.SealUse(
            seal_digest=seal_digest, number=self.number, sealed_digest=digest, origin="bench", used_at=at, **people
        )

    def ours(self) -> None:
        """Write both transactions."""
        at, database = self.world.at, self.world.services.database
        with database.write() as tx:
            confirmations.reserve(tx, self.reserved, scope=Scope.of(1), at=at, randbelow=secrets.randbelow)
        with database.write() as tx:
            confirmations.record(tx, self.number, self.file, self.use, scope=Scope.of(1), at=at)

    def bare(self) -> None:
        """Write rows of the same bytes, under keys of their own."""
        link, transactions = self._bare
        for statements in transactions:
            cursor = link.cursor()
            if isinstance(link, sqlite3.Connection):
                cursor.execute("BEGIN IMMEDIATE")
            for statement, row, place in statements:
                if place is not None:
                    self._key += 1
                    row[place] = self._key
                cursor.execute(statement, row)
            link.commit()

    @cached_property
    def _bare(self) -> tuple[Any, list[list[tuple[str, list[Any], int | None]]]]:
        world, bare = self.world, MetaData()
        for table in tables.metadata.sorted_tables:
            columns = [Column(each.name, each.type, primary_key=each.primary_key) for each in table.columns]
            Table(f"bare_{table.name}", bare, *columns)
        with world.services.database.write() as tx:
            bare.create_all(tx)
        link = _connect(world)
        (found,) = link.execute(f"SELECT id FROM confirmations WHERE number = '{self.number}'").fetchall()
        mine = {"id": found[0], "number": self.number}
        transactions = []
        for written in _WRITTEN:
            inserts = [_bare_inserts(link, name, which.format(**mine), keyed=keyed) for name, which, keyed in written]
            transactions.append([each for inserted in inserts for each in inserted])
        assert tuple(map(len, transactions)) == _ROWS
        return link, transactions


def _connect(world: worlds.World) -> Any:
    if world.database_url:
        return psycopg.connect(world.services.database.dsn)
    link = sqlite3.connect(world.folder / "register.sqlite3", isolation_level=None)
    link.execute("PRAGMA synchronous = FULL")
    return link


def _bare_inserts(link: Any, name: str, condition: str, *, keyed: str) -> list[tuple[str, list[Any], int | None]]:
    """Return an INSERT for each row of a table that was written, its values, and the place of its key among them."""
    columns = [f'"{each.name}"' for each in tables.metadata.tables[name].columns if each.name != "id"]
    rows = link.execute(f"SELECT {', '.join(columns)} FROM {name} WHERE {condition}").fetchall()
    mark = "?" if isinstance(link, sqlite3.Connection) else "%s"
    statement = f"INSERT INTO bare_{name} ({', '.join(columns)}) VALUES ({', '.join([mark] * len(columns))})"
    return [(statement, list(row), columns.index(f'"{keyed}"') if keyed else None) for row in rows]


class Size:
    """The bytes that a register grows by with each confirmation of three vehicles, over many of them."""

    def __init__(self, kind: str) -> None:
        self._recording = Recording(kind)

    @property
    def _world(self) -> worlds.World:
        return self._recording.world

    @cached_property
    def _pdf(self) -> bytes:
        return self._world.issue(worlds.sample(worlds.EMIRATES)).pdf

    def content(self) -> float:
        """Return the bytes of the content alone."""
        return len(self._recording.reserved.encoded)

    def content_and_file(self) -> float:
        """Return the bytes of the content and of a sealed file."""
        return self.content() + len(self._pdf)

    def without_files(self) -> float:
        """Return what the database grows by, indexes, audit, seal register and queues included."""
        return self._growth(self._write)

    def with_files(self) -> float:
        """Return what database and disk grow by with the sealed file."""
        return self._growth(self._write) + self._growth(self._store)

    def _write(self) -> None:
        self._recording.prepare()
        self._recording.ours()

    def _store(self) -> None:
        self._world.services.issuing._blobs.put(self._pdf + secrets.token_bytes(32))

    def _growth(self, action: Callable[[], None]) -> float:
        action()
        before = self._stored()
        for _ in range(_MANY):
            action()
        return (self._stored() - before) / _MANY

    def _stored(self) -> int:
        disk = sum(each.stat().st_blocks * 512 for each in (self._world.folder / "blobs").rglob("*"))
        if self._world.database_url:
            ((size,),) = self._world.rows("SELECT pg_database_size(current_database())")
        else:
            self._world.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            ((size,),) = self._world.rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(disk) + int(size)
