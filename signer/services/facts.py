"""A manufacturer's facts: what its administrators may change, what needs more than a form, and the evidence for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from signer.domain.parties import Manufacturer, Role
from signer.domain.values import beijing_day, tidy, unprintable
from signer.errors import Conflict, InvalidInput, NotPermitted, TooLarge
from signer.register import audit, buyers, evidence, parties
from signer.register.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.register.database import Database, Transaction

MOST_BYTES, MOST_FILES = 10_000_000, 200
SUBJECTS: Final = ("name", "announcement", "address", "other")
KINDS: Final[Mapping[bytes, tuple[str, str]]] = {
    b"%PDF-": ("application/pdf", "pdf"),
    b"\x89PNG\r\n\x1a\n": ("image/png", "png"),
    b"\xff\xd8\xff": ("image/jpeg", "jpg"),
}
"""What evidence may be, by its first bytes, whatever it calls itself: nothing that a browser would run."""
_MOST_TEXT = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an administrator may change, as typed; the legal name, USCC and role are none of it."""

    legal_name_en: str
    address: str
    contact: str
    verification_domain: str
    wmis: str
    checked_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A file as somebody hands it in: what it is evidence for, its title and name, its bytes."""

    subject: str
    title: str
    file_name: str
    data: bytes


class Facts:
    """Keep a manufacturer's facts. `bits` draws n random bits."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime], bits: Callable[[int], int]) -> None:
        self._database = database
        self._clock = clock
        self._bits = bits

    def of(self, manufacturer: str) -> tuple[Manufacturer, tuple[Evidence, ...]]:
        """Return a manufacturer's facts and the evidence that was handed in. NotFound."""
        with self._database.read() as tx:
            tenant = parties.tenant(tx, manufacturer)
            return tenant.manufacturer, evidence.all_of(tx, scope=tenant.scope)

    def change(self, manufacturer: str, changes: Changes, *, by: str) -> Manufacturer:
        """Change what may be changed. NotPermitted; InvalidInput names the first wrong field."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_stranger(tx, by, tenant)
            before = tenant.manufacturer
            record = _changed(before, changes)
            if record.announcement.checked_on > beijing_day(at):
                raise InvalidInput("checked_on", "is after today")
            fields = [name for name in Manufacturer.model_fields if getattr(record, name) != getattr(before, name)]
            if fields:
                parties.save_manufacturer(tx, record, tsa_policy=tenant.tsa_policy, at=at)
                told = {"fields": " ".join(fields), "actor": by, "subject": record.uscc}
                audit.note(tx, "facts.changed", at=at, manufacturer_id=tenant.id, **told)
        return record

    def answer_buyers(self, manufacturer: str, *, by: str, is_wanted: bool) -> None:
        """Let buyers and workshops ask about a manufacturer's cars, or no longer. NotPermitted."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_stranger(tx, by, tenant)
            if is_wanted == (buyers.since(tx, scope=tenant.scope) is not None):
                return
            buyers.set_since(tx, at if is_wanted else None, scope=tenant.scope)
            event = "buyers.answered" if is_wanted else "buyers.refused"
            audit.note(tx, event, actor=by, subject=tenant.manufacturer.uscc, at=at, manufacturer_id=tenant.id)

    def answers_buyers_since(self, manufacturer: str) -> datetime | None:
        """Return since when buyers may ask about a manufacturer's cars; None if they may not. NotFound."""
        with self._database.read() as tx:
            return buyers.since(tx, scope=parties.tenant(tx, manufacturer).scope)

    def hand_in(self, manufacturer: str, handed: Handed, *, by: str) -> Evidence:
        """Keep a PDF, PNG or JPEG of at most 10 MB as evidence. NotPermitted, InvalidInput, TooLarge, Conflict."""
        at, kind = self._clock(), kind_of(handed.data)
        if handed.subject not in SUBJECTS:
            raise InvalidInput("subject", f"is one of {', '.join(SUBJECTS)}")
        name, title = _plain(handed.file_name) or "-", _plain(handed.title)
        if not title:
            raise InvalidInput("title", "say what it is")
        made = Evidence(
            ref=f"{self._bits(64):016x}",
            subject=handed.subject,
            title=title,
            file_name=name,
            file_digest=hashlib.sha256(handed.data).digest(),
            media_type=kind,
            size=len(handed.data),
            added_by=by,
            added_at=at,
        )
        with self._database.write() as tx:
            tenant = parties.tenant(tx, manufacturer)
            _refuse_stranger(tx, by, tenant)
            if evidence.count(tx, scope=tenant.scope) >= MOST_FILES:
                raise Conflict(f"there are {MOST_FILES} files already")
            evidence.add(tx, made, handed.data, scope=tenant.scope)
        return made

    def file(self, manufacturer: str, ref: str) -> tuple[Evidence, bytes]:
        """Return one file and its bytes. NotFound."""
        with self._database.read() as tx:
            return evidence.get(tx, ref, scope=parties.tenant(tx, manufacturer).scope)


def kind_of(data: bytes) -> str:
    """Return the media type of a file of evidence, by its first bytes. InvalidInput, TooLarge."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"a file of evidence has at most {MOST_BYTES // 1_000_000} MB")
    for begins, (media_type, _) in KINDS.items():
        if data.startswith(begins):
            return media_type
    raise InvalidInput("file", "is neither a PDF nor a PNG nor a JPEG")


def _changed(before: Manufacturer, changes: Changes) -> Manufacturer:
    words = changes.wmis.upper().replace(",", " ").replace("\uff0c", " ").replace("\u3001", " ").split()
    plain = before.model_dump(mode="json") | {
        "legal_name_en": tidy(changes.legal_name_en) or None,
        "address": tidy(changes.address),
        "contact": tidy(changes.contact),
        "verification_domain": tidy(changes.verification_domain).lower() or None,
        "wmis": list(dict.fromkeys(words)),
        "announcement": {"entry": before.announcement.entry, "checked_on": changes.checked_on.strip()},
    }
    try:
        return Manufacturer.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        place = error.errors(include_input=False)[0]["loc"]
        raise InvalidInput(str(place[1] if place[0] == "announcement" else place[0]), "is not valid") from error


def _plain(text: str) -> str:
    shown = tidy(text.replace("\\", "/").rpartition("/")[2])
    return "" if unprintable(shown) else shown[:_MOST_TEXT]


def _refuse_stranger(tx: Transaction, person: str, tenant: parties.Tenant) -> None:
    if Role.ADMIN not in parties.roles_of(tx, person, scope=tenant.scope):
        raise NotPermitted(f"{person} is not {Role.ADMIN} of this manufacturer")
