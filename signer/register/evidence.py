"""Evidence for a manufacturer's facts: files that its people hand in, kept as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from signer.errors import NotFound
from signer.register import audit
from signer.register.desk_tables import evidence_files

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One file: `ref` is random and stands in addresses; `file_name` is shown, never used as a path."""

    ref: str
    subject: str
    title: str
    file_name: str
    file_digest: bytes
    media_type: str
    size: int
    added_by: str
    added_at: datetime


def add(tx: Connection, evidence: Evidence, data: bytes, *, scope: Scope) -> None:
    """Keep a file."""
    told = {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
    tx.execute(insert(evidence_files).values(manufacturer_id=scope.owner, data=data, **told))
    about = {"file": evidence.file_digest.hex()[:16], "about": evidence.subject, "actor": evidence.added_by}
    at, whose = evidence.added_at, scope.owner
    audit.note(tx, "evidence.added", subject=evidence.ref, at=at, manufacturer_id=whose, **about)


def count(tx: Connection, *, scope: Scope) -> int:
    """Return how many files a manufacturer has handed in."""
    return int(tx.execute(scope.only(select(func.count()), evidence_files)).scalar_one())


def all_of(tx: Connection, *, scope: Scope) -> tuple[Evidence, ...]:
    """Return a manufacturer's files without their bytes, the last one first."""
    columns = [evidence_files.c[name] for name in Evidence.__dataclass_fields__]
    wanted = scope.only(select(*columns), evidence_files).order_by(evidence_files.c.id.desc())
    return tuple(Evidence(**dict(row)) for row in tx.execute(wanted).mappings())


def get(tx: Connection, ref: str, *, scope: Scope) -> tuple[Evidence, bytes]:
    """Return one file and its bytes. NotFound, also for another manufacturer's."""
    mine = scope.only(select(evidence_files), evidence_files).where(evidence_files.c.ref == ref)
    row = tx.execute(mine).mappings().first()
    if row is None:
        raise NotFound("no such file")
    return Evidence(**{name: row[name] for name in Evidence.__dataclass_fields__}), bytes(row["data"])
