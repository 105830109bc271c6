"""Share links: an exporter lets somebody without an account see one paper, for a time, until it is revoked."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain.confirmation import Standing
from signer.domain.values import tidy, unprintable
from signer.errors import Conflict, InvalidInput, NotFound
from signer.register import audit, exporters, lookup, parties, restores, shares
from signer.register.drafts import draw_ref
from signer.register.scope import Scope, unknown
from signer.register.shares import Share, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.services.limits import Limits
    from signer.services.papers import Papers

DAYS: Final = (7, 30, 90)
"""For how many days a link may be good."""
MOST_OPEN: Final = 40
"""How many links to one paper may be open at once."""
_MOST_LABEL: Final = 60
_SECRET = re.compile(r"[0-9a-f]{64}")
_TYPED = re.compile(r"(?:.*#)?\s*([0-9A-Fa-f]{64})\s*", re.DOTALL)
_ANYBODY: Final = Scope.everything("a share link is its own proof: it names one paper")
_LIMITED: Final = "share-link"
_MOST_TYPED: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the holder of a link sees: the link, and its paper as it stands now."""

    share: Share
    record: RecordFacts


class Sharing:
    """Make, open, list and revoke share links. `limits` makes guessing slow."""

    def __init__(
        self,
        *,
        database: Database,
        papers: Papers,
        limits: Limits,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._papers = papers
        self._limits = limits
        self._clock = clock
        self._bits = bits

    def make(self, exporter: Uscc, number: Number, *, label: str, days: int, by: str) -> str:
        """
        Make a link to one of an exporter's papers and return its secret (64 hexadecimal digits), kept nowhere.

        NotFound; InvalidInput for a label or a number of days that cannot be; Conflict if the paper is not in force,
        may have ended in a gap of a restored register, or has too many links already.
        """
        stored, at = label_of(label), self._clock()
        if days not in DAYS:
            raise InvalidInput("days", f"is one of {', '.join(map(str, DAYS))}")
        record = self._papers.one(exporter, number)
        if record.standing is not Standing.ISSUED or record.gaps:
            raise Conflict(f"{number} is not in force")
        secret = f"{self._bits(256):064x}"
        wanted = Wanted(
            ref=draw_ref(self._bits),
            secret_digest=_digest(secret),
            label=stored,
            by=by,
            at=at,
            ends_at=at + timedelta(days=days),
        )
        with self._database.write() as tx:
            tenant = parties.tenant(tx, record.whole.terms.manufacturer.uscc)
            if shares.count_open(tx, number, scope=tenant.scope, at=at) >= MOST_OPEN:
                raise Conflict(f"{number} has {MOST_OPEN} open links: revoke one first")
            shares.add(tx, wanted, number=number, exporter=exporter, scope=tenant.scope)
            _note(tx, "share.made", number, by=by, at=at, owner=tenant.id, link=wanted.ref, days=str(days))
        return secret

    def open(self, typed: str, *, network: str) -> Held:
        """
        Return what a link opens, and count the use; `typed` is the whole link, or its secret.

        NotFound, in one form, for a secret that is none, unknown, revoked or over, for a paper that is not in
        force, or may have ended in a gap of a restored register, and where the manufacturer refused the exporter.
        TooManyRequests after too many unknown ones from a network.
        """
        self._limits.begin(_LIMITED, network=network)
        match, at = _TYPED.fullmatch(typed[:_MOST_TYPED]), self._clock()
        secret = match[1].lower() if match else ""
        with self._database.read() as tx:
            share = shares.of_secret(tx, _digest(secret), scope=_ANYBODY)
        if share is not None:  # who has the secret of a link, open or not, does not guess
            self._limits.forgive(_LIMITED, network=network)
        with self._database.write() as tx:
            held = self._held(tx, share, at)
            if not shares.note_use(tx, held.share.ref, scope=Scope.of(held.share.manufacturer_id), at=at):
                raise _closed()
            owner, about = held.share.manufacturer_id, {"number": str(held.share.number)}
            subject = held.share.ref
            audit.note(tx, "share-link.opened", actor="holder", subject=subject, at=at, manufacturer_id=owner, **about)
        return held

    def held(self, ref: str) -> Held:
        """Return what a link opens, by its ref, for whom it was opened before. NotFound, in the same form."""
        with self._database.read() as tx:
            return self._held(tx, shares.of_ref(tx, ref, scope=_ANYBODY), self._clock())

    def note_taken(self, held: Held, kind: str) -> None:
        """Tell the audit that the holder of a link took a file of its paper; under the link, as that it was opened."""
        share, at = held.share, self._clock()
        with self._database.write() as tx:
            told = {"number": str(share.number), "kind": kind}
            owner = share.manufacturer_id
            audit.note(tx, "share-link.taken", actor="holder", subject=share.ref, at=at, manufacturer_id=owner, **told)

    @staticmethod
    def _held(tx: Transaction, share: Share | None, at: datetime) -> Held:
        record = None if share is None else lookup.by_number(tx, share.number, scope=_ANYBODY, at=at)
        is_open = share is not None and share.is_open(at)
        if share is None or record is None or not is_open or record.standing is not Standing.ISSUED:
            raise _closed()
        maker = Scope.of(share.manufacturer_id)
        is_accepted = bool(exporters.makers_that_accepted(tx, share.exporter_uscc, scope=maker))
        if not is_accepted or record.over(restores.gaps(tx)).gaps:
            raise _closed()
        return Held(share=share, record=record)

    def of_exporter(self, exporter: Uscc, number: Number) -> tuple[Share, ...]:
        """Return the links to one of an exporter's papers, the newest first. NotFound."""
        self._papers.one(exporter, number)
        with self._database.read() as tx:
            return shares.of_number(tx, number, scope=_ANYBODY)

    def of_maker(self, maker: str, number: Number) -> tuple[Share, ...]:
        """Return the links to one of a manufacturer's confirmations, the newest first. NotFound."""
        at = self._clock()
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            if lookup.by_number(tx, number, scope=scope, at=at) is None:
                raise unknown(number)
            return shares.of_number(tx, number, scope=scope)

    def revoke_by_exporter(self, exporter: Uscc, number: Number, ref: str, *, by: str) -> None:
        """Revoke a link to one of an exporter's papers, at once. NotFound."""
        self._papers.one(exporter, number)
        with self._database.write() as tx:
            self._revoke(tx, number, ref, by=by, scope=_ANYBODY)

    def revoke_by_maker(self, maker: str, number: Number, ref: str, *, by: str) -> None:
        """Revoke a link to one of a manufacturer's confirmations, at once. NotFound."""
        with self._database.write() as tx:
            self._revoke(tx, number, ref, by=by, scope=parties.tenant(tx, maker).scope)

    def _revoke(self, tx: Transaction, number: Number, ref: str, *, by: str, scope: Scope) -> None:
        share, at = shares.of_ref(tx, ref, scope=scope), self._clock()
        if share is None or share.number != number:
            raise NotFound("no such link")
        shares.revoke(tx, ref, by=by, scope=scope, at=at)
        _note(tx, "share.revoked", number, by=by, at=at, owner=share.manufacturer_id, link=ref)


def _note(tx: Transaction, event: str, number: Number, *, by: str, at: datetime, owner: int, **fields: str) -> None:
    audit.note(tx, event, actor=by, subject=number, at=at, manufacturer_id=owner, **fields)


def _closed() -> NotFound:
    """Return the one error for whatever opens nothing."""
    return NotFound("no such link, or one that opens nothing any more")


def label_of(typed: str) -> str:
    """Return for whom a link is, as it is stored: the exporter's own note. InvalidInput."""
    stored = tidy(typed[:400])
    if len(stored) > _MOST_LABEL or unprintable(stored):
        raise InvalidInput("label", f"has at most {_MOST_LABEL} printable characters")
    return stored


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()
