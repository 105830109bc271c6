"""Hand out one manufacturer's seal register or audit, whole and in order, as CSV or as lines of JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from signer.register import audit, parties
from signer.register.audit import EVERYTHING, Sieve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from signer.register.audit import Entry, SealUse
    from signer.register.database import Database

What = Literal["seal-register", "audit"]
Form = Literal["csv", "jsonl"]
WHATS: tuple[What, ...] = get_args(What)
FORMS: tuple[Form, ...] = get_args(Form)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SEAL_REGISTER = (
    "used_at",
    "number",
    "seal_digest",
    "sealed_digest",
    "preparer_id",
    "approver_id",
    "origin",
)
_AUDIT = ("at", "actor", "event", "subject", "detail")


class Exporting:
    """Export what is only ever added to."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def text(self, what: What, form: Form, *, manufacturer: str, sieve: Sieve = EVERYTHING) -> str:
        """Return the export as text, the oldest entry first; NotFound for an unknown manufacturer."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, manufacturer)
            if what == "audit":
                entries = [asdict(entry) for entry in audit.entries(tx, scope=tenant.scope, sieve=sieve)]
            else:
                entries = [asdict(use) for use in audit.seal_uses(tx, scope=tenant.scope, sieve=sieve)]
        columns = _AUDIT if what == "audit" else _SEAL_REGISTER
        rows = ({column: _plain(entry[column]) for column in columns} for entry in entries)
        return _csv(columns, rows) if form == "csv" else "".join(_lines(rows))

    def seal_uses(self, manufacturer: str, sieve: Sieve, *, most: int, skip: int) -> tuple[SealUse, ...]:
        """Return a page of the seal register, the latest use first. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, manufacturer).scope
            return audit.seal_uses(tx, scope=scope, sieve=sieve, most=most, skip=skip)

    def entries(self, manufacturer: str, sieve: Sieve, *, most: int, skip: int) -> tuple[Entry, ...]:
        """Return a page of the audit, the latest entry first. NotFound."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, manufacturer).scope
            return audit.entries(tx, scope=scope, sieve=sieve, most=most, skip=skip)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.hex() if isinstance(value, bytes) else str(value)


def _lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def _csv(columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> str:
    """Write CSV for spreadsheets: a byte order mark, and no cell that one of them would run as a formula."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_inert(row[column]) for column in columns])
    return out.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
