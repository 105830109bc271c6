"""
Official copies (B11): print what the manufacturer seals in its own system, and keep the sealed file beside the record.

The file is known by its SHA-256 and recognised by its first bytes; nothing of ours ever parses it. That it says what
the record says is the word of two people of the manufacturer.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from signer.domain import content as encoding
from signer.domain.confirmation import Standing
from signer.domain.parties import Role
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted, TooLarge
from signer.register import audit, lookup, official, parties
from signer.register.scope import Scope
from signer.seal.precheck import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.register.official import Copy, Head, Kind
    from signer.services.engines import Page
    from signer.services.room import Room

log = structlog.get_logger()
_BEGINNINGS: tuple[tuple[bytes, Kind], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
)
_ZIP, _OFD_ROOT = b"PK\x03\x04", b"OFD.xml"
_UNISSUED = (Standing.PENDING, Standing.ABANDONED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Under which number of which manufacturer, and who asks (a person's id)."""

    number: Number
    manufacturer: str
    by: str


class Copying:
    """Print forms, and official copies: offer, compare, retract, list, fetch."""

    def __init__(
        self, *, database: Database, blobs: Blobs, page: Page, room: Room, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._page = page
        self._room = room
        self._clock = clock

    def print_form(self, number: Number, *, manufacturer: str) -> bytes:
        """
        Return the PDF to be printed, or sealed in the manufacturer's own system; the same each time.

        Raises NotFound, also for another manufacturer's; Conflict for one that is not in force.
        """
        with self._database.read() as tx:
            head = official.head(tx, number, scope=parties.tenant(tx, manufacturer).scope)
        if head.standing is not Standing.ISSUED:
            raise Conflict(f"{number} is {head.standing}: there is nothing to seal")
        return self._print(head)

    def _print(self, head: Head) -> bytes:
        confirmation = encoding.parse(head.content)
        return self._page.print_form(confirmation, encoded=head.content, sealed_digest=head.sealed[0][0])

    def offer(self, place: Place, data: bytes) -> bytes:
        """
        Keep an officially sealed file as a candidate and return its SHA-256; it counts only once it was compared.

        Raises TooLarge, InvalidInput for a file of another kind or one of our own, NotFound, NotPermitted; Conflict if
        the file is there already or the number was never issued; StorageLow.
        """
        kind, digest = kind_of(data), hashlib.sha256(data).digest()
        self._room.refuse_low()
        with self._database.read() as tx:
            head = self._refuse(tx, place, digest)
        self._refuse_ours(head, data)
        self._blobs.put(data)
        at = self._clock()
        with self._database.write() as tx:
            head = self._refuse(tx, place, digest)
            official.offer(tx, head, file_digest=digest, kind=kind, size=len(data), by=place.by, at=at)
            _note(tx, "copy.offered", place, digest, at, kind=kind, size=str(len(data)))
        log.info("copy.offered", number=place.number, file=digest.hex()[:16], kind=kind)
        return digest

    def _refuse(self, tx: Transaction, place: Place, digest: bytes) -> Head:
        tenant = parties.tenant(tx, place.manufacturer)
        _refuse_without(tx, place.by, (Role.PREPARER, Role.APPROVER), tenant.id)
        head = official.head(tx, place.number, scope=tenant.scope)
        if head.standing in _UNISSUED:
            raise Conflict(f"{place.number} was never issued")
        if lookup.number_of_file(tx, digest, scope=Scope.everything("one digest, one meaning")) is not None:
            raise InvalidInput("FILE", "is a sealed confirmation of this register itself, not an official copy of one")
        if any(copy.file_digest == digest and copy.retracted_at is None for copy in official.copies(tx, head)):
            raise Conflict(f"this file is there already, under {place.number}")
        _refuse_filed(tx, digest)
        return head

    def _refuse_ours(self, head: Head, data: bytes) -> None:
        """Refuse our sealed bytes with something behind them, and the bare print form."""
        for sealed_digest, length in head.sealed:
            if len(data) >= length and hashlib.sha256(data[:length]).digest() == sealed_digest:
                raise InvalidInput("FILE", "is the sealed PDF with something added: seal the print form instead")
        if data == self._print(head):
            raise InvalidInput("FILE", "is the print form itself, without any official seal")

    def compare(self, place: Place, digest: bytes) -> None:
        """
        File a candidate on the word of a second person, an approver, who compared every page of it with the record.

        Raises NotFound, NotPermitted; Conflict if it is filed already, here or under another number.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, place.manufacturer)
            _refuse_without(tx, place.by, (Role.APPROVER,), tenant.id)
            head = official.head(tx, place.number, scope=tenant.scope)
            copy = _copy(official.copies(tx, head), digest)
            if copy.is_filed:
                raise Conflict(f"this file is filed already, under {place.number}")
            if copy.offered_by == place.by:
                raise NotPermitted("a copy is compared by another person than the one who handed it in")
            _refuse_filed(tx, digest)
            official.compared(tx, copy, by=place.by, at=at)
            _note(tx, "copy.filed", place, digest, at, statement="compared with the record, every page")
        log.info("copy.filed", number=place.number, file=digest.hex()[:16])

    def retract(
        self, place: Place, digest: bytes, *, second: str, also: Callable[[Transaction], None] = lambda _: None
    ) -> None:
        """
        Let a copy count no longer, on two people's word, `second` an approver; `also` is done in the same transaction.

        Raises NotFound, NotPermitted.
        """
        at = self._clock()
        if place.by == second:
            raise NotPermitted("to retract a copy needs a second person")
        with self._database.write() as tx:
            also(tx)
            tenant = parties.tenant(tx, place.manufacturer)
            _refuse_without(tx, place.by, (Role.PREPARER, Role.APPROVER), tenant.id)
            _refuse_without(tx, second, (Role.APPROVER,), tenant.id)
            head = official.head(tx, place.number, scope=tenant.scope)
            copy = _copy(official.copies(tx, head), digest)
            official.retract(tx, copy, by=place.by, second=second, at=at)
            _note(tx, "copy.retracted", place, digest, at, second=second)

    def all(self, number: Number, *, manufacturer: str) -> tuple[Copy, ...]:
        """Return every copy of a number, candidates and retracted ones too. NotFound."""
        with self._database.read() as tx:
            head = official.head(tx, number, scope=parties.tenant(tx, manufacturer).scope)
            return official.copies(tx, head)

    def fetch(self, number: Number, digest: bytes, *, manufacturer: str) -> bytes:
        """Return the bytes of a copy, to be looked at before it is compared. NotFound."""
        found = self.all(number, manufacturer=manufacturer)
        if all(copy.file_digest != digest for copy in found):
            raise NotFound("no such copy under this number")
        return self._blobs.get(digest)


def kind_of(data: bytes) -> Kind:
    """Recognise a file by its first bytes, and an OFD by the name of its root inside. TooLarge, InvalidInput."""
    if len(data) > MOST_BYTES:
        raise TooLarge(f"FILE: more than {MOST_BYTES} bytes")
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    if data.startswith(_ZIP) and _OFD_ROOT in data:
        return "ofd"
    raise InvalidInput("FILE", "is neither PDF, OFD, PNG nor JPEG")


def digest_of(typed: str) -> bytes:
    """Parse a SHA-256 as typed. InvalidInput."""
    text = typed.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise InvalidInput("SHA256", "is 64 hexadecimal digits")
    return bytes.fromhex(text)


def _copy(found: tuple[Copy, ...], digest: bytes) -> Copy:
    """Return the one of this digest that is not retracted. NotFound."""
    for copy in found:
        if copy.file_digest == digest and copy.retracted_at is None:
            return copy
    raise NotFound("no such copy under this number")


def _refuse_filed(tx: Transaction, digest: bytes) -> None:
    """Refuse a file that counts under another number; whose it is is not said."""
    if official.filed(tx, digest) is not None:
        raise Conflict("this file is filed already, under another number")


def _refuse_without(tx: Transaction, person: str, roles: tuple[Role, ...], manufacturer_id: int) -> None:
    parties.person_of(tx, person)
    if not parties.roles_of(tx, person, scope=Scope.of(manufacturer_id)) & set(roles):
        raise NotPermitted(f"{person} is not {' or '.join(roles)} of this manufacturer")


def _note(tx: Transaction, event: str, place: Place, digest: bytes, at: datetime, **fields: str) -> None:
    tenant = parties.tenant(tx, place.manufacturer)
    scope = {"actor": place.by, "subject": place.number, "file": digest.hex(), **fields}
    audit.note(tx, event, at=at, manufacturer_id=tenant.id, **scope)
