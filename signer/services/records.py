"""Records as lists and whoever may know of one are shown them: with those that the register itself cannot vouch for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.values import beijing_day
from signer.register import lookup, overview, restores

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.register.database import Transaction
    from signer.register.overview import File, Row, Sought
    from signer.register.scope import Scope

_OPEN = (Standing.ISSUED, Standing.SUSPENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of a list is wanted: what it is narrowed to, after which number, at most how many."""

    sought: Sought
    after: Number | None = None
    limit: int = overview.PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One part of a list; `doubted`: those of which the register cannot tell how they stand."""

    rows: tuple[Row, ...]
    has_more: bool
    doubted: frozenset[Number]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One record, with the open gaps that concern it, and its stored files, the oldest first."""

    record: RecordFacts
    files: tuple[File, ...]


def part(tx: Transaction, wanted: Wanted, *, scope: Scope, at: datetime) -> Listed:
    """Return a part of a list, the newest first. NotFound for a number to follow upon that is not in the scope."""
    rows, has_more = overview.page(tx, wanted.sought, scope=scope, after=wanted.after, at=at, limit=wanted.limit)
    records = [record(tx, row.number, scope=scope, at=at) for row in rows if row.standing in _OPEN]
    doubted = frozenset(one.number for one in records if one is not None and one.has_doubts(beijing_day(at)))
    return Listed(rows=rows, has_more=has_more, doubted=doubted)


def record(tx: Transaction, number: Number, *, scope: Scope, at: datetime) -> RecordFacts | None:
    """Return the record of a number with the open gaps that concern it, or None."""
    found = lookup.by_number(tx, number, scope=scope, at=at)
    return None if found is None else found.over(restores.gaps(tx))
