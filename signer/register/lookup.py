"""Reading the register for a verdict: a record by number or digest, with the standing of every line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, select

from signer.domain import content
from signer.domain.confirmation import Standing
from signer.domain.evidence import ClosedOutlet, LineFacts, RecordFacts
from signer.domain.number import Number
from signer.domain.values import beijing_day
from signer.register import outlets, tables
from signer.register.ready import Ready
from signer.register.scope import Scope, unknown

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.engine import Connection, Row

    from signer.domain.confirmation import Confirmation
    from signer.domain.evidence import ContentFacts

_UNSPOKEN = (Standing.PENDING.value, Standing.ABANDONED.value)
_heads, _files, _rows, _claims = tables.confirmations, tables.files, tables.lines, tables.vin_claims
_HEAD = Ready(
    select(
        _heads.c.id,
        _heads.c.manufacturer_id,
        _heads.c.content,
        _heads.c.content_digest,
        _heads.c.standing,
        _heads.c.recorded_at,
        _heads.c.suspended_until,
    ).where(_heads.c.number == bindparam("number"))
)
_SEALED = Ready(select(_files.c.sealed_digest).where(_files.c.confirmation_id == bindparam("id")))
_rival = (_claims.c.vin == _rows.c.vin) & (_claims.c.slot == "live") & (_claims.c.manufacturer_id != bindparam("maker"))
_LINES = Ready(
    select(
        _rows.c.vin,
        _rows.c.standing,
        _rows.c.ended_at,
        _rows.c.reason_class,
        _rows.c.successor,
        exists().where(_rival).label("is_conflict"),
    )
    .where(_rows.c.confirmation_id == bindparam("id"))
    .order_by(_rows.c.position)
)
_TAILS = Ready(
    select(_rows.c.vin, _heads.c.manufacturer_id)
    .join(_heads, _heads.c.id == _rows.c.confirmation_id)
    .where(_heads.c.number == bindparam("number"), *(_heads.c.standing != unspoken for unspoken in _UNSPOKEN))
)
"""What every verdict asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One confirmation of a list: number, standing, exporter, and how many vehicles it names."""

    number: Number
    standing: Standing
    reserved_at: datetime
    end_reason: str | None
    file_digest: bytes | None


def by_number(
    tx: Connection, number: Number, *, scope: Scope, at: datetime, known: ContentFacts | None = None
) -> RecordFacts | None:
    """
    Return the record of a number as it stands at an instant, or None; a suspension ends by itself in time.

    `known` is content that was parsed already: if the record's is the same, byte for byte, it is not parsed again.
    """
    head = _HEAD.first(tx, {"number": number})
    if head is None or not scope.admits(head.manufacturer_id):
        return None
    digests = [row.sealed_digest for row in _SEALED.rows(tx, {"id": head.id})]
    is_over = head.suspended_until is not None and head.suspended_until <= at
    standing, confirmation = Standing(head.standing), _parsed(head.content, known)
    return RecordFacts(
        number=number,
        confirmation=confirmation,
        content_digest=head.content_digest.hex(),
        issued_at=confirmation.issued_at,
        until=confirmation.until,
        sealed_digests=tuple(sorted({digest.hex() for digest in digests if digest is not None})),
        recorded_at=head.recorded_at,
        standing=Standing.ISSUED if is_over and standing is Standing.SUSPENDED else standing,
        lines=_lines(tx, head.id, manufacturer_id=head.manufacturer_id, is_over=is_over),
        suspended_until=head.suspended_until,
        closed_outlets=_closed(tx, confirmation, scope=Scope.of(head.manufacturer_id), on=beijing_day(at)),
    )


def _closed(tx: Connection, confirmation: Confirmation, *, scope: Scope, on: date) -> tuple[ClosedOutlet, ...]:
    ids = frozenset(outlet.id for outlet in confirmation.terms.outlets)
    found = outlets.closed(tx, ids, scope=scope, on=on)
    return tuple(ClosedOutlet(id=outlet_id, since=since) for outlet_id, since in found)


def _parsed(encoded: bytes, known: ContentFacts | None) -> Confirmation:
    is_same = known is not None and content.content_digest(encoded).hex() == known.content_digest
    if known is not None and known.confirmation is not None and is_same:
        return known.confirmation
    return _parse(encoded)


@lru_cache(maxsize=256)
def _parse(encoded: bytes) -> Confirmation:
    """Parse content that was parsed before, byte for byte, only once: it never changes, and is read each time."""
    return content.parse(encoded)


def _lines(tx: Connection, confirmation_id: int, *, manufacturer_id: int, is_over: bool) -> tuple[LineFacts, ...]:
    rows = _LINES.rows(tx, {"id": confirmation_id, "maker": manufacturer_id})
    return tuple(line_of(row, is_over=is_over, is_conflict=bool(row.is_conflict)) for row in rows)


def line_of(row: Row[Any], *, is_over: bool, is_conflict: bool) -> LineFacts:
    """Return how one line stands; `is_over`: the suspension of its confirmation ended by itself."""
    return LineFacts(
        vin=row.vin,
        standing=Standing.ISSUED if is_over and row.standing == Standing.SUSPENDED else Standing(row.standing),
        ended_at=row.ended_at,
        reason_class=row.reason_class,
        successor=Number(row.successor) if row.successor else None,
        is_conflict=is_conflict,
    )


def number_of_sealed(tx: Connection, sealed_digest: bytes, *, scope: Scope) -> Number | None:
    """Return the number under which the digest of S is filed, or None."""
    files, heads = tables.files, tables.confirmations
    wanted = select(heads.c.number).join(files, files.c.confirmation_id == heads.c.id)
    found = tx.execute(scope.only(wanted, heads).where(files.c.sealed_digest == sealed_digest)).scalar()
    return Number(found) if found else None


def summary(tx: Connection, number: Number, *, scope: Scope) -> Summary:
    """Return a confirmation's head and the digest of its sealed file; NotFound also for another manufacturer's."""
    heads, files = tables.confirmations, tables.files
    head = tx.execute(scope.only(select(heads).where(heads.c.number == number), heads)).first()
    if head is None:
        raise unknown(number)
    wanted = select(files.c.file_digest).where(files.c.confirmation_id == head.id, files.c.kind == "sealed")
    return Summary(
        number=number,
        standing=Standing(head.standing),
        reserved_at=head.reserved_at,
        end_reason=head.end_reason,
        file_digest=tx.execute(wanted).scalar(),
    )


def newest(tx: Connection, *, scope: Scope, before: datetime, limit: int = 50) -> tuple[Summary, ...]:
    """Return the confirmations of one manufacturer that were reserved before an instant, the newest first: one page."""
    heads, files = tables.confirmations, tables.files
    page = (
        scope.only(select(heads.c.id, heads.c.number, heads.c.standing, heads.c.reserved_at, heads.c.end_reason), heads)
        .where(heads.c.reserved_at < before)
        .order_by(heads.c.reserved_at.desc())
        .limit(limit)
        .subquery()
    )
    sealed = and_(files.c.confirmation_id == page.c.id, files.c.kind == "sealed")
    wanted = select(page, files.c.file_digest).outerjoin(files, sealed).order_by(page.c.reserved_at.desc())
    return tuple(
        Summary(
            number=Number(row.number),
            standing=Standing(row.standing),
            reserved_at=row.reserved_at,
            end_reason=row.end_reason,
            file_digest=row.file_digest,
        )
        for row in tx.execute(wanted)
    )


def number_of_file(tx: Connection, file_digest: bytes, *, scope: Scope) -> Number | None:
    """Return the number under which a whole file's digest is filed, or None."""
    files, heads = tables.files, tables.confirmations
    wanted = select(heads.c.number).join(files, files.c.confirmation_id == heads.c.id)
    found = tx.execute(scope.only(wanted, heads).where(files.c.file_digest == file_digest)).scalar()
    return Number(found) if found else None


def is_ours(tx: Connection, file_digest: bytes, *, scope: Scope) -> bool:
    """Tell whether a whole file's digest is filed as one that was sealed, or archived, here."""
    return bool(ours_of(tx, frozenset({file_digest}), scope=scope))


def ours_of(tx: Connection, file_digests: frozenset[bytes], *, scope: Scope) -> frozenset[bytes]:
    """Return those digests of whole files that are filed as sealed, or archived, here."""
    files, heads = tables.files, tables.confirmations
    wanted = select(files.c.file_digest).join(heads, files.c.confirmation_id == heads.c.id)
    mine = scope.only(wanted, heads).where(files.c.file_digest.in_(file_digests))
    return frozenset(map(bytes, tx.execute(mine.where(files.c.kind.in_(("sealed", "archive")))).scalars()))


def file_digests(tx: Connection, *, scope: Scope) -> tuple[tuple[bytes, Number], ...]:
    """Return the digest of every stored file with its number, the oldest first: for operators only."""
    files, heads = tables.files, tables.confirmations
    wanted = select(files.c.file_digest, heads.c.number).join(heads, heads.c.id == files.c.confirmation_id)
    return tuple(
        (row.file_digest, Number(row.number)) for row in tx.execute(scope.only(wanted, heads).order_by(files.c.id))
    )


def tails_of(tx: Connection, number: str, *, scope: Scope) -> frozenset[str]:
    """Return the last six characters of every VIN of a number; none for an unknown, pending or abandoned one."""
    rows = _TAILS.rows(tx, {"number": number})
    return frozenset(row.vin[-6:] for row in rows if scope.admits(row.manufacturer_id))


def vins_standing(tx: Connection, number: str, standing: Standing, *, scope: Scope) -> tuple[str, ...]:
    """Return the VINs of a number whose lines stand so."""
    heads, lines = tables.confirmations, tables.lines
    wanted = select(lines.c.vin).join(heads, heads.c.id == lines.c.confirmation_id)
    wanted = scope.only(wanted, heads).where(heads.c.number == number, lines.c.standing == standing)
    wanted = wanted.order_by(lines.c.position)
    return tuple(tx.execute(wanted).scalars())


def note_failure(tx: Connection, *, number: str, network: str, at: datetime) -> None:
    """Count one failed look-up of a number from a network."""
    tx.execute(insert(tables.lookup_failures).values(number=number[:16], network=network[:64], at=at))


def failures(tx: Connection, *, since: datetime, number: str | None = None, network: str | None = None) -> int:
    """Return how many look-ups of a number, from a network, or of one from the other, failed since an instant."""
    asked = {name: value for name, value in (("number", number), ("network", network)) if value is not None}
    found: int = _failures(tuple(asked)).first(tx, {"since": since, **asked}).failed
    return found


@lru_cache(maxsize=4)
def _failures(places: tuple[str, ...]) -> Ready:
    table = tables.lookup_failures
    wanted = select(func.count().label("failed")).select_from(table).where(table.c.at >= bindparam("since"))
    return Ready(wanted.where(*(table.c[place] == bindparam(place) for place in places)))


def prune_failures(tx: Connection, *, before: datetime) -> int:
    """Forget failures that count no longer; return how many."""
    return tx.execute(delete(tables.lookup_failures).where(tables.lookup_failures.c.at < before)).rowcount
