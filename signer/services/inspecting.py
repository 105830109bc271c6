"""What an officer may ask after signing in: where a vehicle is named, a full record, and the history of own checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from signer.domain.values import format_instant, tidy, unprintable
from signer.domain.vehicle import normalise_vin
from signer.errors import InvalidInput, NotFound
from signer.register import audit, checks, lookup, overview, parties, restores, vehicles
from signer.register.checks import EVERYTHING, Check, Sieve
from signer.register.drafts import draw_ref
from signer.register.scope import Scope, unknown
from signer.services.confirming import parse
from signer.services.evidence import pack
from signer.services.export import CUT_OFF, csv_of
from signer.verification import record as records

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.register.blobs import Blobs
    from signer.register.checks import Kind
    from signer.register.database import Database, Transaction
    from signer.register.overview import File
    from signer.register.vehicles import Naming
    from signer.services.receipts import Receipt

MOST_FOUND: Final = 50
MOST_REFERENCE: Final = 120
PER_PAGE: Final = 25
MOST_PACKED: Final = 500
"""Receipts in one ZIP."""
_LIST: Final = ("file", "asked_at", "kind", "subject", "reference", "answer", "outcome", "receipt")
_MOST_SUBJECT, _MOST_ANSWER = 200, 40
_ALL = Scope.everything("an officer looks for a vehicle, or at a record")
_LENGTHS = (vehicles.WHOLE, vehicles.TAIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where a vehicle is named: `sought` as it was looked for, each line with its manufacturer; `has_more`: cut off."""

    sought: str
    lines: tuple[tuple[Naming, str], ...]
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A full record: what the register holds, the stored files, and whether a gap makes its word doubtful."""

    record: RecordFacts
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked and answered, for the history: `answer` is a verdict's code, or a count in figures."""

    kind: Kind
    subject: str
    answer: str
    outcome: str
    reference: str = ""
    receipt: Receipt | None = None


class Inspecting:
    """Search, look at records, and remember. `bits` draws n random bits."""

    def __init__(
        self, *, database: Database, blobs: Blobs, clock: Callable[[], datetime], bits: Callable[[int], int]
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._bits = bits

    def search(self, typed: str, *, reference: str, by: str) -> Found:
        """
        Return every confirmation on record that names a VIN, or whose VINs end in eight characters.

        The audit is told who looked for what, before anything is answered. InvalidInput names the wrong field.
        """
        sought, told, at = normalise_vin(typed[:60]), reference_of(reference), self._clock()
        if len(sought) not in _LENGTHS or not (sought.isascii() and sought.isalnum()):
            raise InvalidInput("vin", "is a whole VIN (17 characters), or its last 8")
        with self._database.write() as tx:
            audit.note(tx, "vehicle.sought", actor=by, subject=sought, at=at, manufacturer_id=None, reference=told)
        with self._database.read() as tx:
            lines = vehicles.named(tx, sought, scope=_ALL, at=at, most=MOST_FOUND + 1)
            names = {tenant.id: tenant.manufacturer.legal_name for tenant in parties.tenants(tx)}
        shown = tuple((line, names[line.manufacturer_id]) for line in lines[:MOST_FOUND])
        many = f"{len(shown)}+" if len(lines) > MOST_FOUND else str(len(shown))
        outcome = "pass" if shown else "none"
        self.keep(Asked(kind="vehicle", subject=sought, answer=many, outcome=outcome, reference=told), by=by)
        return Found(sought=sought, lines=shown, has_more=len(lines) > MOST_FOUND)

    def record(self, typed: str, *, by: str) -> Seen:
        """Return a full record; the audit is told who looked. NotFound, also for what was never issued."""
        number, at = parse(typed), self._clock()
        with self._database.read() as tx:
            record = _public(tx, number, at)
            files = overview.files(tx, number, scope=_ALL)
            gaps = restores.gaps(tx)
        self._note("record.seen", number, by=by, at=at)
        return Seen(record=record.over(gaps), files=files)

    def file(self, typed: str, *, by: str) -> tuple[Number, bytes]:
        """Return the sealed file of a record, its digest checked; the audit is told who took it. NotFound."""
        number, at = parse(typed), self._clock()
        with self._database.read() as tx:
            _public(tx, number, at)
            digests = [file.file_digest for file in overview.files(tx, number, scope=_ALL) if file.kind == "sealed"]
        if not digests:
            raise unknown(number)
        data = self._blobs.get(digests[-1])
        self._note("record.taken", number, by=by, at=at)
        return number, data

    def keep(self, asked: Asked, *, by: str) -> str:
        """Remember what somebody asked and was answered, with the receipt; return its reference."""
        check = Check(
            ref=draw_ref(self._bits),
            person_id=by,
            kind=asked.kind,
            subject=asked.subject[:_MOST_SUBJECT],
            reference=asked.reference,
            answer=asked.answer[:_MOST_ANSWER],
            outcome=asked.outcome,
            jti=asked.receipt.jti if asked.receipt else None,
            receipt=asked.receipt.token if asked.receipt else None,
            asked_at=self._clock(),
        )
        with self._database.write() as tx:
            checks.add(tx, check)
        return check.ref

    def history(
        self, person: str, *, before: str = "", sieve: Sieve = EVERYTHING, per_page: int = PER_PAGE
    ) -> tuple[tuple[Check, ...], bool]:
        """Return a page of a person's own checks, the latest (`before` one of them) first, and whether more follow."""
        with self._database.read() as tx:
            found = checks.of_person(tx, person, most=per_page + 1, before=before, sieve=sieve)
        return found[:per_page], len(found) > per_page

    def packed(
        self, person: str, *, refs: tuple[str, ...] = (), sieve: Sieve = EVERYTHING, most: int = MOST_PACKED
    ) -> bytes:
        """
        Return a ZIP of a person's own receipts, those of `refs` or else all that fit, and a list of them as CSV.

        At most `most`: where more fit, the list's last line says so. NotFound if there is none.
        """
        with self._database.read() as tx:
            if refs:
                found = checks.chosen(tx, refs, person=person)
            else:
                found = checks.of_person(tx, person, most=most + 1, sieve=replace(sieve, with_receipt=True))
        kept = [(f"receipt-{one.jti}.jwt", one) for one in found if one.receipt is not None]
        if not kept:
            raise NotFound("no receipt of this person fits")
        rows = [_listed(name, one) for name, one in kept[:most]]
        if len(kept) > most:
            rows.append({**dict.fromkeys(_LIST, ""), "file": CUT_OFF})
        files = {"list.csv": csv_of(_LIST, rows).encode()}
        return pack(files | {name: (one.receipt or "").encode() for name, one in kept[:most]})

    def one(self, ref: str, *, person: str) -> Check:
        """Return one of a person's own checks. NotFound, also for another person's."""
        with self._database.read() as tx:
            return checks.get(tx, ref, person=person)

    def _note(self, event: str, number: Number, *, by: str, at: datetime) -> None:
        with self._database.write() as tx:
            audit.note(tx, event, actor=by, subject=number, at=at, manufacturer_id=None)


def _listed(name: str, check: Check) -> dict[str, str]:
    own = {column: str(getattr(check, column)) for column in ("kind", "subject", "reference", "answer", "outcome")}
    return {"file": name, "asked_at": format_instant(check.asked_at), "receipt": check.jti or "", **own}


def reference_of(typed: str) -> str:
    """Return a reference to a case file as typed, trimmed; it may be empty. InvalidInput."""
    told = tidy(typed[: MOST_REFERENCE + 200])
    if len(told) > MOST_REFERENCE or unprintable(told):
        raise InvalidInput("reference", f"has at most {MOST_REFERENCE} plain characters")
    return told


def _public(tx: Transaction, number: Number, at: datetime) -> RecordFacts:
    record = lookup.by_number(tx, number, scope=_ALL, at=at)
    if record is None or not records.is_public(record):
        raise NotFound(f"no confirmation {number} on record")
    return record
