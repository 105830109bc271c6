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
from signer.register.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from signer.register.audit import Entry, SealUse
    from signer.register.database import Database, Transaction

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
_AUDIT_OF_ALL = ("at", "manufacturer", "actor", "event", "subject", "detail")
MOST_EXPORTED = 100_000
CUT_OFF = "export.cut-off"
"""The event of the last line of an export that would hold more: narrow the filter."""
_PIECE = 1000


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
        return csv_of(columns, rows) if form == "csv" else "".join(_lines(rows))

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


class AuditReading:
    """Read the whole audit: for operators and auditors of the deployment."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def entries(self, maker: str, sieve: Sieve, *, most: int, skip: int) -> tuple[Entry, ...]:
        """Return a page of the audit, the latest entry first; `maker` (USCC): only this one's, '' for all. NotFound."""
        with self._database.read() as tx:
            return audit.entries(tx, scope=_scope(tx, maker), sieve=sieve, most=most, skip=skip)

    def makers(self) -> dict[int, tuple[str, str]]:
        """Return the USCC and the legal name of every manufacturer, by the id that entries have."""
        with self._database.read() as tx:
            found = parties.tenants(tx)
        return {tenant.id: (tenant.manufacturer.uscc, tenant.manufacturer.legal_name) for tenant in found}

    def csv(self, maker: str, sieve: Sieve, *, by: str) -> Iterator[str]:
        """
        Return the audit as CSV, the oldest entry first, in pieces; that somebody took it is told in the audit first.

        At most `MOST_EXPORTED` entries: where more fit, the last line says so. Each piece is read in a transaction of
        its own, so that a slow reader holds nobody up. NotFound.
        """
        at, names = self._clock(), {key: uscc for key, (uscc, _) in self.makers().items()}
        with self._database.write() as tx:
            scope = _scope(tx, maker)
            audit.note(tx, "audit.exported", actor=by, subject=maker or "all", at=at, manufacturer_id=None)
        return self._pieces(scope, sieve, names)

    def _pieces(self, scope: Scope, sieve: Sieve, names: Mapping[int, str]) -> Iterator[str]:
        yield csv_of(_AUDIT_OF_ALL, ())
        last, left = 0, MOST_EXPORTED
        while left:
            with self._database.read() as tx:
                found = audit.after(tx, last, scope=scope, sieve=sieve, most=min(_PIECE, left))
            if not found:
                return
            yield _rows(_AUDIT_OF_ALL, (_told(entry, names) for _, entry in found))
            last, left = found[-1][0], left - len(found)
        with self._database.read() as tx:
            if audit.after(tx, last, scope=scope, sieve=sieve, most=1):
                yield _rows(_AUDIT_OF_ALL, ({**dict.fromkeys(_AUDIT_OF_ALL, ""), "event": CUT_OFF},))


def _scope(tx: Transaction, maker: str) -> Scope:
    return parties.tenant(tx, maker).scope if maker else Scope.everything("operators and auditors read the whole audit")


def _told(entry: Entry, names: Mapping[int, str]) -> dict[str, str]:
    maker = "" if entry.manufacturer_id is None else names.get(entry.manufacturer_id, "")
    return {"manufacturer": maker, **{name: _plain(getattr(entry, name)) for name in _AUDIT}}


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.hex() if isinstance(value, bytes) else str(value)


def _lines(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def csv_of(columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> str:
    """Write CSV for spreadsheets: a byte order mark, and no cell that one of them would run as a formula."""
    return "\ufeff" + _rows(columns, ({column: column for column in columns},)) + _rows(columns, rows)


def _rows(columns: tuple[str, ...], rows: Iterable[Mapping[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([_inert(row[column]) for column in columns])
    return out.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
