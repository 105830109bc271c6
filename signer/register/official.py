"""
Official copies: files that the manufacturer sealed in its own system, kept by their SHA-256 and never parsed.

One person offers such a file under a number, another one compares it with the record; only then it is filed and
counts. What is retracted counts no longer, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from sqlalchemy import ColumnElement, and_, insert, select, update

from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.register import tables
from signer.register.scope import unknown

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

Kind = Literal["pdf", "ofd", "png", "jpeg"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an official copy belongs to: one manufacturer's confirmation, its content and what is sealed of it."""

    id: int
    number: Number
    standing: Standing
    content: bytes
    sealed: tuple[tuple[bytes, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One official copy of a confirmation: a candidate until somebody else has compared it, then filed."""

    id: int
    file_digest: bytes
    kind: Kind
    size: int
    offered_by: str
    offered_at: datetime
    compared_by: str | None
    compared_at: datetime | None
    retracted_by: str | None
    retracted_second: str | None
    retracted_at: datetime | None

    @property
    def is_filed(self) -> bool:
        """Tell whether it counts."""
        return self.compared_at is not None and self.retracted_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Under which number a digest is filed, and since when."""

    number: Number
    at: datetime


def head(tx: Connection, number: Number, *, scope: Scope) -> Head:
    """Return a confirmation; NotFound for one outside the scope."""
    heads, files = tables.confirmations, tables.files
    wanted = select(heads.c.id, heads.c.standing, heads.c.content).where(heads.c.number == number)
    row = tx.execute(scope.only(wanted, heads)).first()
    if row is None:
        raise unknown(number)
    sealed = select(files.c.sealed_digest, files.c.sealed_length).where(
        files.c.confirmation_id == row.id, files.c.sealed_digest.is_not(None)
    )
    return Head(
        id=row.id,
        number=number,
        standing=Standing(row.standing),
        content=bytes(row.content),
        sealed=tuple((bytes(digest), length) for digest, length in tx.execute(sealed.order_by(files.c.id))),
    )


def offer(tx: Connection, head_: Head, *, file_digest: bytes, kind: Kind, size: int, by: str, at: datetime) -> None:
    """Add a candidate; Conflict if the same file is there already."""
    values = {"confirmation_id": head_.id, "file_digest": file_digest, "kind": kind, "size": size}
    tx.execute(insert(tables.official_copies).values(offered_by=by, offered_at=at, **values))


def compared(tx: Connection, copy: Copy, *, by: str, at: datetime) -> None:
    """File a candidate on the word of whoever compared it; Conflict if the digest is filed already."""
    _say(tx, copy, compared_by=by, compared_at=at)


def retract(tx: Connection, copy: Copy, *, by: str, second: str, at: datetime) -> None:
    """Let a copy count no longer."""
    _say(tx, copy, retracted_by=by, retracted_second=second, retracted_at=at)


def _say(tx: Connection, copy: Copy, **words: object) -> None:
    table = tables.official_copies
    tx.execute(update(table).where(table.c.id == copy.id).values(**words))


def copies(tx: Connection, head_: Head) -> tuple[Copy, ...]:
    """Return every copy of a confirmation, retracted ones too, the oldest first."""
    table = tables.official_copies
    wanted = select(table).where(table.c.confirmation_id == head_.id).order_by(table.c.id)
    rows = tx.execute(wanted).mappings()
    return tuple(Copy(**{name: row[name] for name in Copy.__dataclass_fields__}) for row in rows)


def filed(tx: Connection, file_digest: bytes) -> Filed | None:
    """Return the number under which a digest counts as an official copy, or None; a candidate is as if unknown."""
    table, heads = tables.official_copies, tables.confirmations
    wanted = select(heads.c.number, table.c.compared_at).join(heads, heads.c.id == table.c.confirmation_id)
    row = tx.execute(wanted.where(table.c.file_digest == file_digest, _counts())).first()
    return None if row is None else Filed(number=Number(row.number), at=row.compared_at)


def filed_of(tx: Connection, file_digests: frozenset[bytes]) -> frozenset[bytes]:
    """Return those digests that count as official copies."""
    table = tables.official_copies
    wanted = select(table.c.file_digest).where(table.c.file_digest.in_(file_digests), _counts())
    return frozenset(map(bytes, tx.execute(wanted).scalars()))


def _counts() -> ColumnElement[bool]:
    table = tables.official_copies
    return and_(table.c.compared_at.is_not(None), table.c.retracted_at.is_(None))


def digests(tx: Connection) -> tuple[tuple[bytes, Number], ...]:
    """Return the digest of every stored copy, candidates and retracted ones too, with its number: for operators."""
    table, heads = tables.official_copies, tables.confirmations
    wanted = select(table.c.file_digest, heads.c.number).join(heads, heads.c.id == table.c.confirmation_id)
    return tuple((bytes(row.file_digest), Number(row.number)) for row in tx.execute(wanted.order_by(table.c.id)))
