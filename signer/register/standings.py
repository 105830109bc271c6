"""How several confirmations stand, without what they say: for lists, where each content would be read for nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, select

from signer.domain.confirmation import Standing
from signer.domain.evidence import RecordFacts
from signer.register import lookup, tables

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

    from signer.domain.evidence import LineFacts
    from signer.register.scope import Scope

_heads, _lines, _claims = tables.confirmations, tables.lines, tables.vin_claims


def of_numbers(tx: Connection, numbers: Collection[str], *, scope: Scope, at: datetime) -> dict[str, RecordFacts]:
    """Return the records of numbers as they stand at an instant, each line included, but not their content."""
    names = ("id", "number", "standing", "suspended_until", "recorded_at", "content", "content_digest")
    wanted = scope.only(select(*(_heads.c[name] for name in names)), _heads).where(_heads.c.number.in_(numbers))
    heads = tx.execute(wanted).all()
    over = {head.id for head in heads if head.suspended_until is not None and head.suspended_until <= at}
    lines = _lines_of(tx, [head.id for head in heads], over)
    return {head.number: _record(head, tuple(lines.get(head.id, ())), is_over=head.id in over) for head in heads}


def issued_to(tx: Connection, numbers: Collection[str], exporter: str, *, scope: Scope) -> frozenset[str]:
    """Return those of some numbers that were issued to an exporter."""
    wanted = scope.only(select(_heads.c.number), _heads)
    mine = _heads.c.number.in_(numbers), _heads.c.exporter_uscc == exporter, _heads.c.recorded_at.is_not(None)
    return frozenset(tx.execute(wanted.where(*mine)).scalars())


def _lines_of(tx: Connection, ids: list[int], over: set[int]) -> dict[int, list[LineFacts]]:
    rival = and_(
        _claims.c.vin == _lines.c.vin,
        _claims.c.slot == "live",
        _claims.c.manufacturer_id != _heads.c.manufacturer_id,
    )
    wanted = select(_lines, exists().where(rival).label("is_conflict")).join(
        _heads, _heads.c.id == _lines.c.confirmation_id
    )
    found: dict[int, list[LineFacts]] = {}
    for row in tx.execute(wanted.where(_lines.c.confirmation_id.in_(ids)).order_by(_lines.c.position)):
        is_over = row.confirmation_id in over
        line = lookup.line_of(row, is_over=is_over, is_conflict=bool(row.is_conflict))
        found.setdefault(row.confirmation_id, []).append(line)
    return found


def _record(head: Row[Any], lines: tuple[LineFacts, ...], *, is_over: bool) -> RecordFacts:
    told, standing = json.loads(head.content), Standing(head.standing)
    return RecordFacts.model_validate(
        {
            "number": head.number,
            "confirmation": None,
            "content_digest": head.content_digest.hex(),
            "issued_at": told["issued_at"],
            "until": told.get("until"),
            "recorded_at": head.recorded_at,
            "standing": Standing.ISSUED if is_over and standing is Standing.SUSPENDED else standing,
            "lines": lines,
            "suspended_until": head.suspended_until,
        }
    )
