"""What officers asked: each person's own history of checks, with the receipts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import insert, select

from signer.errors import NotFound
from signer.register.office_tables import checks

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection, RowMapping

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """Which checks are wanted: from `since` on, before `until`, of an outcome, with a text in the reference."""

    since: datetime | None = None
    until: datetime | None = None
    outcome: str = ""
    reference: str = ""
    with_receipt: bool = False


EVERYTHING = Sieve()


def add(tx: Connection, check: Check) -> None:
    """Write a check down."""
    tx.execute(insert(checks).values(**{name: getattr(check, name) for name in Check.__dataclass_fields__}))


def of_person(
    tx: Connection, person: str, *, most: int, before: str = "", sieve: Sieve = EVERYTHING
) -> tuple[Check, ...]:
    """Return a page of a person's checks, the latest first, or what is older than one of them (a `ref`)."""
    mine = _sifted(select(checks).where(checks.c.person_id == person), sieve)
    if before:
        one = select(checks.c.id).where(checks.c.ref == before, checks.c.person_id == person)
        mine = mine.where(checks.c.id < one.scalar_subquery())
    return tuple(_check(row) for row in tx.execute(mine.order_by(checks.c.id.desc()).limit(most)).mappings())


def chosen(tx: Connection, refs: tuple[str, ...], *, person: str) -> tuple[Check, ...]:
    """Return those of some checks that are a person's own, the latest first."""
    mine = select(checks).where(checks.c.person_id == person, checks.c.ref.in_(refs)).order_by(checks.c.id.desc())
    return tuple(_check(row) for row in tx.execute(mine).mappings())


def get(tx: Connection, ref: str, *, person: str) -> Check:
    """Return one check of a person. NotFound, also for another person's."""
    row = tx.execute(select(checks).where(checks.c.ref == ref, checks.c.person_id == person)).mappings().first()
    if row is None:
        raise NotFound("no such check of this person")
    return _check(row)


def _check(row: RowMapping) -> Check:
    return Check(**{name: row[name] for name in Check.__dataclass_fields__})


def _sifted(wanted: Select[Any], sieve: Sieve) -> Select[Any]:
    if sieve.since is not None:
        wanted = wanted.where(checks.c.asked_at >= sieve.since)
    if sieve.until is not None:
        wanted = wanted.where(checks.c.asked_at < sieve.until)
    if sieve.outcome:
        wanted = wanted.where(checks.c.outcome == sieve.outcome)
    if sieve.reference:
        wanted = wanted.where(checks.c.reference.contains(sieve.reference, autoescape=True))
    return wanted.where(checks.c.receipt.is_not(None)) if sieve.with_receipt else wanted
