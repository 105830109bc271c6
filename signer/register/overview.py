"""A manufacturer's confirmations as pages show them: found by number, VIN or exporter, one page after the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from sqlalchemy import and_, false, func, not_, or_, select

from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.domain.parties import Exporter
from signer.register import audit, tables
from signer.register.scope import unknown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection
    from sqlalchemy.engine import Row as SqlRow

    from signer.register.scope import Scope

PAGE = 25
_heads, _lines, _files = tables.confirmations, tables.lines, tables.files
_MOST_HISTORY = 300
_TAKEN = "confirmation.taken"
_MOST_EXPORTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One confirmation of a list; `country` is the destination's two-letter code."""

    number: Number
    standing: Standing
    reserved_at: datetime
    maker: str
    maker_uscc: str
    exporter: str
    exporter_uscc: str
    country: str
    country_zh: str
    country_en: str
    vehicles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One stored file of a confirmation: `sealed`, or an archive copy of it."""

    kind: str
    file_digest: bytes
    size: int
    level: str | None
    made_at: datetime
    holds_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """
    What a list is narrowed to: one number, one VIN, exporters by USCC, or manufacturers by id; nothing for everything.

    `standings`: those that the list is narrowed to, `without` those that it leaves out.
    """

    number: Number | None = None
    vin: str | None = None
    exporters: tuple[str, ...] | None = None
    makers: frozenset[int] | None = None
    standings: frozenset[Standing] | None = None
    without: tuple[Standing, ...] = ()


def page(
    tx: Connection, sought: Sought, *, scope: Scope, after: Number | None, at: datetime, limit: int = PAGE
) -> tuple[tuple[Row, ...], bool]:
    """Return the confirmations that follow upon another one in a list, the newest first, and whether more follow."""
    columns = (_heads.c.number, _heads.c.standing, _heads.c.reserved_at, _heads.c.suspended_until, _heads.c.content)
    wanted = scope.only(select(*columns), _heads).where(*_conditions(sought, at))
    if after is not None:
        wanted = wanted.where(_follows(tx, after, scope))
    rows = tx.execute(wanted.order_by(_heads.c.reserved_at.desc(), _heads.c.id.desc()).limit(limit + 1)).all()
    return tuple(_row(row, at) for row in rows[:limit]), len(rows) > limit


def _conditions(sought: Sought, at: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if sought.number is not None:
        found.append(_heads.c.number == sought.number)
    if sought.vin is not None:
        found.append(_heads.c.id.in_(select(_lines.c.confirmation_id).where(_lines.c.vin == sought.vin)))
    if sought.exporters is not None:
        found.append(_heads.c.exporter_uscc.in_(sought.exporters))
    if sought.makers is not None:
        found.append(_heads.c.manufacturer_id.in_(sought.makers))
    if sought.standings is not None:
        found.append(_stands(sought.standings, at))
    if sought.without:
        found.append(_heads.c.standing.not_in(sought.without))
    return found


def _stands(among: frozenset[Standing], at: datetime) -> ColumnElement[bool]:
    """Return the condition that a confirmation has one of these standings: a suspension ends by itself in time."""
    is_over = and_(_heads.c.standing == Standing.SUSPENDED, _heads.c.suspended_until <= at)
    written = and_(_heads.c.standing.in_(sorted(among)), not_(func.coalesce(is_over, false())))
    return or_(written, is_over) if Standing.ISSUED in among else written


def _follows(tx: Connection, after: Number, scope: Scope) -> ColumnElement[bool]:
    mine = scope.only(select(_heads.c.id, _heads.c.reserved_at), _heads).where(_heads.c.number == after)
    last = tx.execute(mine).first()
    if last is None:
        raise unknown(after)
    same = and_(_heads.c.reserved_at == last.reserved_at, _heads.c.id < last.id)
    return or_(_heads.c.reserved_at < last.reserved_at, same)


def _row(row: SqlRow[tuple[object, ...]], at: datetime) -> Row:
    terms = json.loads(row.content)["terms"]
    country = terms["destination"]["country"]
    is_over = row.standing == Standing.SUSPENDED and row.suspended_until is not None and row.suspended_until <= at
    return Row(
        number=Number(row.number),
        standing=Standing.ISSUED if is_over else Standing(row.standing),
        reserved_at=row.reserved_at,
        maker=terms["manufacturer"]["legal_name"],
        maker_uscc=terms["manufacturer"]["uscc"],
        exporter=terms["exporter"]["legal_name"],
        exporter_uscc=terms["exporter"]["uscc"],
        country=country["alpha2"],
        country_zh=country["name_zh"],
        country_en=country["name_en"],
        vehicles=len(terms["vehicles"]),
    )


def exporters_named(tx: Connection, typed: str) -> tuple[str, ...]:
    """Return the USCCs of exporters whose name holds a text."""
    table = tables.exporters
    wanted = select(table.c.record).where(table.c.record.icontains(typed, autoescape=True))
    found = (Exporter.model_validate_json(record) for record in tx.execute(wanted).scalars())
    folded = typed.casefold()
    named = (each for each in found if folded in f"{each.legal_name}\n{each.legal_name_en or ''}".casefold())
    return tuple(each.uscc for each in islice(named, _MOST_EXPORTERS))


def files(tx: Connection, number: Number, *, scope: Scope) -> tuple[File, ...]:
    """Return the stored files of a confirmation, the oldest first."""
    wanted = select(*(_files.c[name] for name in File.__dataclass_fields__)).join(
        _heads, _heads.c.id == _files.c.confirmation_id
    )
    mine = scope.only(wanted, _heads).where(_heads.c.number == number).order_by(_files.c.id)
    return tuple(File(**row) for row in tx.execute(mine).mappings())


def sealed(tx: Connection, numbers: Sequence[Number], *, scope: Scope) -> dict[str, bytes]:
    """Return the digest (SHA-256) of the sealed file of each of these confirmations that has one."""
    wanted = select(_heads.c.number, _files.c.file_digest).join(_heads, _heads.c.id == _files.c.confirmation_id)
    mine = scope.only(wanted, _heads).where(_heads.c.number.in_(numbers), _files.c.kind == "sealed")
    return {row.number: bytes(row.file_digest) for row in tx.execute(mine.order_by(_files.c.id))}


def history(tx: Connection, number: Number, *, scope: Scope) -> tuple[audit.Entry, ...]:
    """Return what the audit tells of a number, the oldest first; who took its files is read in the audit alone."""
    table = tables.audit
    wanted = scope.only(select(*(table.c[name] for name in audit.Entry.__dataclass_fields__)), table)
    told = table.c.subject == number, table.c.event != _TAKEN
    mine = wanted.where(*told).order_by(table.c.id).limit(_MOST_HISTORY)
    return tuple(audit.Entry(**row) for row in tx.execute(mine).mappings())


def held_by(tx: Connection, number: Number, *, scope: Scope) -> tuple[str | None, datetime | None]:
    """Return who holds a confirmation, and until when; NotFound."""
    wanted = select(_heads.c.suspended_by, _heads.c.suspended_until).where(_heads.c.number == number)
    row = tx.execute(scope.only(wanted, _heads)).first()
    if row is None:
        raise unknown(number)
    return row.suspended_by, row.suspended_until
