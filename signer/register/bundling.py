"""What the register says, as an offline bundle's lines: which records changed, and each as it stands at an instant."""

from __future__ import annotations

import base64
import json
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import and_, func, or_, select, union

from signer.domain.bundle import Copy, LineWord, Record, Revocation, SealWord
from signer.domain.confirmation import Standing
from signer.domain.trust import SealState
from signer.register import tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

    from signer.register.scope import Scope

_CHUNK = 400
"""So many records are in memory at a time; fewer than a statement's parameters may be."""
_heads, _lines, _files, _claims = tables.confirmations, tables.lines, tables.files, tables.vin_claims
_copies, _notices = tables.official_copies, tables.notices
_Line: TypeAlias = Any
"""A row of `_OF_LINE`."""
Ids: TypeAlias = "array[int]"
"""Ids in eight bytes each: a million of them are no burden."""
_OF_HEAD = (
    _heads.c.id,
    _heads.c.number,
    _heads.c.content,
    _heads.c.content_digest,
    _heads.c.seal_digest,
    _heads.c.standing,
    _heads.c.recorded_at,
    _heads.c.suspended_until,
)
_OF_LINE = (
    _lines.c.confirmation_id,
    _lines.c.vin,
    _lines.c.standing,
    _lines.c.ended_at,
    _lines.c.reason_class,
    _lines.c.successor,
)
_OF_FILE = (_files.c.confirmation_id, _files.c.file_digest, _files.c.sealed_digest)
_GONE = (Standing.SUPERSEDED, Standing.WITHDRAWN, Standing.ABANDONED)


@dataclass(slots=True)
class _Parts:
    """What belongs to the records of one chunk, by their ids."""

    lines: dict[int, list[_Line]] = field(default_factory=lambda: defaultdict(list))
    sealed: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    files: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    copies: dict[int, list[Copy]] = field(default_factory=lambda: defaultdict(list))
    conflicts: set[tuple[int, str]] = field(default_factory=set)


def ids(tx: Connection, *, scope: Scope, since: datetime | None) -> Ids:
    """
    Return the ids of all confirmations in the order of their numbers, or of those that changed since an instant.

    A record changes also when another manufacturer's claim on one of its vehicles comes or goes, and when the time
    of its suspension is over; what is suspended is therefore always among them.
    """
    wanted = scope.only(select(_heads.c.id), _heads)
    if since is not None:
        wanted = wanted.where(_heads.c.id.in_(_touched(since)))
    order = _heads.c.number.collate("C") if tx.dialect.name == "postgresql" else _heads.c.number
    return array("q", tx.execute(wanted.order_by(order)).scalars())


def _touched(since: datetime) -> Any:  # noqa: ANN401 -- SQLAlchemy's own word for a union has three parameters
    of_heads = [column >= since for column in (_heads.c.reserved_at, _heads.c.recorded_at, _heads.c.ended_at)]
    told = select(_notices.c.number).where(_notices.c.queued_at >= since)
    is_touched = or_(*of_heads, _heads.c.standing == Standing.SUSPENDED, _heads.c.number.in_(told))
    of_copies = or_(_copies.c.compared_at >= since, _copies.c.retracted_at >= since)
    changed = union(
        select(_heads.c.id).where(is_touched),
        select(_lines.c.confirmation_id).where(_lines.c.ended_at >= since),
        select(_files.c.confirmation_id).where(_files.c.made_at >= since),
        select(_copies.c.confirmation_id).where(of_copies),
    ).subquery()
    vehicles = select(_lines.c.vin).join(changed, changed.c[0] == _lines.c.confirmation_id)
    beside = select(_claims.c.confirmation_id).where(_claims.c.vin.in_(vehicles))
    return union(select(changed.c[0]), beside)


def records(tx: Connection, wanted: Ids, *, scope: Scope, at: datetime) -> Iterator[Record]:
    """Return confirmations by their ids, in that order, as they stand at an instant."""
    for start in range(0, len(wanted), _CHUNK):
        chunk = tuple(wanted[start : start + _CHUNK])
        rows = tx.execute(scope.only(select(*_OF_HEAD).where(_heads.c.id.in_(chunk)), _heads))
        heads = {head.id: head for head in rows}
        parts = _parts(tx, chunk)
        for one in chunk:
            yield _record(heads[one], parts, at=at)


def one(tx: Connection, number: str, *, scope: Scope, at: datetime) -> Record | None:
    """Return one confirmation as it stands at an instant, or None."""
    found = tx.execute(scope.only(select(_heads.c.id).where(_heads.c.number == number), _heads)).scalar()
    return None if found is None else next(records(tx, array("q", [found]), scope=scope, at=at))


def _parts(tx: Connection, chunk: tuple[int, ...]) -> _Parts:
    found = _Parts()
    listed = select(*_OF_LINE).where(_lines.c.confirmation_id.in_(chunk)).order_by(_lines.c.position)
    for row in tx.execute(listed):
        found.lines[row.confirmation_id].append(row)
    for file in tx.execute(select(*_OF_FILE).where(_files.c.confirmation_id.in_(chunk))):
        found.files[file.confirmation_id].add(file.file_digest.hex())
        if file.sealed_digest is not None:
            found.sealed[file.confirmation_id].add(file.sealed_digest.hex())
    counts = and_(_copies.c.compared_at.is_not(None), _copies.c.retracted_at.is_(None))
    for row in tx.execute(select(_copies).where(_copies.c.confirmation_id.in_(chunk), counts)):
        found.copies[row.confirmation_id].append(Copy(file_digest=row.file_digest.hex(), filed_at=row.compared_at))
    elsewhere = (
        select(_lines.c.confirmation_id, _lines.c.vin)
        .join(_heads, _heads.c.id == _lines.c.confirmation_id)
        .join(_claims, and_(_claims.c.vin == _lines.c.vin, _claims.c.manufacturer_id != _heads.c.manufacturer_id))
        .where(_lines.c.confirmation_id.in_(chunk), _claims.c.slot == "live", _lines.c.standing.not_in(_GONE))
    )
    found.conflicts = {(row.confirmation_id, row.vin) for row in tx.execute(elsewhere)}
    return found


def _record(head: Row[Any], parts: _Parts, *, at: datetime) -> Record:
    is_over = head.suspended_until is not None and head.suspended_until <= at
    words = [_word(row, parts, is_over=is_over) for row in parts.lines[head.id]]
    standing = _standing(head.standing, is_over=is_over)
    is_alike = all(word == words[0] for word in words) and words[0].standing is standing
    content = json.loads(head.content)
    copies = tuple(sorted(parts.copies[head.id], key=lambda copy: copy.file_digest))
    alike = words[0].model_dump() if is_alike else {"standing": standing, "lines": tuple(words)}
    return Record(
        number=head.number,
        content_digest=head.content_digest.hex(),
        issued_at=content["issued_at"],
        until=content.get("until"),
        recorded_at=head.recorded_at,
        suspended_until=head.suspended_until if standing is Standing.SUSPENDED else None,
        sealed_digests=tuple(sorted(parts.sealed[head.id])),
        file_digests=tuple(sorted(parts.files[head.id])),
        copies=copies,
        seal_digest=head.seal_digest if copies else None,
        **alike,
    )


def _word(row: _Line, parts: _Parts, *, is_over: bool) -> LineWord:
    return LineWord(
        standing=_standing(row.standing, is_over=is_over),
        ended_at=row.ended_at,
        reason_class=row.reason_class,
        successor=row.successor,
        conflict=True if (row.confirmation_id, row.vin) in parts.conflicts else None,
    )


def _standing(found: str, *, is_over: bool) -> Standing:
    return Standing.ISSUED if is_over and found == Standing.SUSPENDED else Standing(found)


def revocations(tx: Connection) -> tuple[Revocation, ...]:
    """Return the newest answers about certificates, in the order of these."""
    table = tables.revocation_answers
    return tuple(
        Revocation(
            certificate_digest=row.certificate_digest,
            kind=row.kind,
            data=base64.b64encode(row.data).decode("ascii"),
            this_update=row.this_update,
            revoked_at=row.revoked_at,
        )
        for row in sorted(tx.execute(select(table)), key=lambda row: str(row.certificate_digest))
    )


def seals(tx: Connection, *, scope: Scope, at: datetime) -> tuple[SealWord, ...]:
    """Return the seals that are held or retired at an instant, in the order of their certificates."""
    table = tables.seals
    held = table.c.state == SealState.SUSPENDED, or_(table.c.suspended_until.is_(None), table.c.suspended_until > at)
    rows = tx.execute(scope.only(select(table).where(or_(and_(*held), table.c.state == SealState.VERIFY_ONLY)), table))
    return tuple(
        SealWord.model_validate(
            {
                "certificate_digest": row.certificate_digest,
                "state": SealState(row.state),
                "state_since": row.state_since,
            }
        )
        for row in sorted(rows, key=lambda row: str(row.certificate_digest))
    )


def restored_since(tx: Connection, since: datetime) -> bool:
    """Tell whether the register was restored from a backup since: then what changed cannot be told by its times."""
    newest = tx.execute(select(func.max(tables.restores.c.restored_at))).scalar()
    return newest is not None and newest >= since
