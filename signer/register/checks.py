"""What officers asked: each person's own history of checks, with the receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import insert, select

from signer.errors import NotFound
from signer.register.office_tables import checks

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

Kind = Literal["vehicle", "file", "record", "licence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    One question that a person asked, and its answer in a word.

    `subject` is what was asked about: a VIN or its end, a file's name, numbers. `answer` is the verdict's code, a
    count of VINs or of records; `reference` the asker's own, of a case file. `receipt` is a compact JWS, or None.
    """

    ref: str
    person_id: str
    kind: Kind
    subject: str
    reference: str
    answer: str
    outcome: str
    jti: str | None
    receipt: str | None
    asked_at: datetime


def add(tx: Connection, check: Check) -> None:
    """Write a check down."""
    tx.execute(insert(checks).values(**{name: getattr(check, name) for name in Check.__dataclass_fields__}))


def of_person(tx: Connection, person: str, *, most: int, skip: int = 0) -> tuple[Check, ...]:
    """Return a page of a person's checks, the latest first."""
    mine = select(checks).where(checks.c.person_id == person).order_by(checks.c.id.desc()).limit(most).offset(skip)
    rows = tx.execute(mine).mappings()
    return tuple(Check(**{name: row[name] for name in Check.__dataclass_fields__}) for row in rows)


def get(tx: Connection, ref: str, *, person: str) -> Check:
    """Return one check of a person. NotFound, also for another person's."""
    row = tx.execute(select(checks).where(checks.c.ref == ref, checks.c.person_id == person)).mappings().first()
    if row is None:
        raise NotFound("no such check of this person")
    return Check(**{name: row[name] for name in Check.__dataclass_fields__})
