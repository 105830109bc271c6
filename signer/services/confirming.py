"""A manufacturer's issued confirmations: found, shown with everything known of them, and ended on two people's word."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.domain.parties import Role, normalise_uscc, uscc_fault
from signer.domain.vehicle import normalise_vin
from signer.errors import Conflict, InvalidInput, NotPermitted
from signer.register import audit, lookup, official, overview, parties, second_words
from signer.register.drafts import draw_ref, nothing, plain
from signer.register.endings import REASONS
from signer.register.scope import unknown
from signer.register.second_words import Given, Wish
from signer.services import records
from signer.services.official import Place
from signer.services.records import Held
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from signer.domain.evidence import LineFacts, RecordFacts
    from signer.domain.parties import Uscc
    from signer.register.audit import Entry
    from signer.register.blobs import Blobs
    from signer.register.database import Database, Transaction
    from signer.register.drafts import Also
    from signer.register.official import Copy
    from signer.register.overview import File, Row
    from signer.register.second_words import Outcome
    from signer.services.official import Copying
    from signer.services.records import Listed, Wanted
    from signer.services.withdraw import Ending

HELD = (Standing.ISSUED, Standing.SUSPENDED)
_MOST_TYPED = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """
    Everything known of one confirmation.

    `names` are the names of the people in its history; `held_by` and `held_until` tell of a suspension, `wishes` of
    what waits for a second person.
    """

    record: RecordFacts
    files: tuple[File, ...]
    copies: tuple[Copy, ...]
    history: tuple[Entry, ...]
    wishes: tuple[Wish, ...]
    names: dict[str, str]
    held_by: str | None
    held_until: datetime | None

    @property
    def in_force(self) -> tuple[LineFacts, ...]:
        """The lines that can still be ended."""
        return tuple(line for line in self.record.lines if line.standing in HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a withdrawal would do: the lines that lose cover, and those that stay in force."""

    ended: tuple[LineFacts, ...]
    left: tuple[LineFacts, ...]


class Confirming:
    """Find confirmations, show one, and ask for what needs a second person."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        ending: Ending,
        copying: Copying,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._ending = ending
        self._copying = copying
        self._clock = clock
        self._bits = bits

    def listed(self, maker: Uscc, *, typed: str = "", after: str = "") -> tuple[tuple[Row, ...], bool]:
        """
        Return one page of confirmations, the newest first, and whether more follow; `after` is the last one's number.

        `typed` is a number, a VIN, an exporter's USCC or part of its name. Raises NotFound for a number to follow upon
        that is not this manufacturer's.
        """
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            sought = _sought(tx, plain(typed[:_MOST_TYPED]))
            return overview.page(tx, sought, scope=scope, after=_parsed(after), at=self._clock())

    def part(self, maker: Uscc, wanted: Wanted) -> Listed:
        """Return a part of the confirmations, the newest first. NotFound for a number to follow upon, as `listed`."""
        with self._database.read() as tx:
            return records.part(tx, wanted, scope=parties.tenant(tx, maker).scope, at=self._clock())

    def held(self, maker: Uscc, typed: str) -> Held:
        """Return the record of a confirmation, and its stored files. NotFound."""
        number = parse(typed)
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            record = records.record(tx, number, scope=scope, at=self._clock())
            if record is None:
                raise unknown(number)
            files = overview.files(tx, number, scope=scope)
        return Held(record=record, files=tuple(file for file in files if file.kind in ("sealed", "archive")))

    def whole(self, maker: Uscc, typed: str) -> Whole:
        """Return everything known of one confirmation. NotFound."""
        number, at = parse(typed), self._clock()
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            record = lookup.by_number(tx, number, scope=scope, at=at)
            if record is None:
                raise unknown(number)
            history, wishes = (
                overview.history(tx, number, scope=scope),
                second_words.waiting(tx, scope=scope, number=number),
            )
            copies = official.copies(tx, official.head(tx, number, scope=scope))
            held_by, held_until = overview.held_by(tx, number, scope=scope)
            people = _people(history, wishes, copies)
            return Whole(
                record=record,
                files=overview.files(tx, number, scope=scope),
                copies=copies,
                history=history,
                wishes=wishes,
                names=parties.names_of(tx, people),
                held_by=held_by,
                held_until=held_until,
            )

    def file(self, maker: Uscc, typed: str, kind: str) -> bytes:
        """Return the newest stored file of a kind (`sealed`, `archive`), its digest checked. NotFound."""
        number = parse(typed)
        with self._database.read() as tx:
            found = overview.files(tx, number, scope=parties.tenant(tx, maker).scope)
        digests = [file.file_digest for file in found if file.kind == kind]
        if not digests:
            raise unknown(number)
        return self._blobs.get(digests[-1])

    def note_taken(self, maker: Uscc, typed: str, kind: str, *, by: str, token: str = "") -> None:
        """Tell the audit that somebody of a manufacturer, or a machine by a token, took a file of a confirmation."""
        number = parse(typed)
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            at, event = self._clock(), "confirmation.taken"
            told = {"kind": kind} | ({"token": token} if token else {})
            audit.note(tx, event, actor=by, subject=number, at=at, manufacturer_id=tenant.id, **told)

    def effect(self, maker: Uscc, typed: str, vins: Iterable[str]) -> Effect:
        """Return what the withdrawal of exactly these lines would do. NotFound; InvalidInput for none or others."""
        held = self.whole(maker, typed).in_force
        wanted = {normalise_vin(vin) for vin in vins}
        if not wanted or wanted - {line.vin for line in held}:
            raise InvalidInput("vin", "choose among the lines in force")
        ended = tuple(line for line in held if line.vin in wanted)
        return Effect(ended=ended, left=tuple(line for line in held if line.vin not in wanted))

    def ask_withdrawal(
        self, maker: Uscc, typed: str, *, vins: Iterable[str], reason: str, by: str, also: Also = nothing
    ) -> Wish:
        """
        Ask for the withdrawal of lines; nothing ends before a second person says yes. `also` goes with it.

        Raises as `effect`; Conflict.
        """
        if reason not in REASONS:
            raise InvalidInput("reason", f"is one of {', '.join(REASONS)}")
        ended = tuple(line.vin for line in self.effect(maker, typed, vins).ended)
        return self._ask(maker, parse(typed), by, vins=ended, reason=reason, also=also)

    def ask_retraction(self, maker: Uscc, typed: str, *, digest: bytes, by: str) -> Wish:
        """Ask that an official copy counts no longer; nothing changes before a second person says yes. NotFound."""
        number = parse(typed)
        self._copying.fetch(number, digest, manufacturer=maker)
        return self._ask(maker, number, by, digest=digest)

    def _ask(
        self,
        maker: Uscc,
        number: Number,
        by: str,
        *,
        vins: tuple[str, ...] = (),
        reason: str | None = None,
        digest: bytes | None = None,
        also: Also = nothing,
    ) -> Wish:
        wish = Wish(
            ref=draw_ref(self._bits),
            number=number,
            kind="retract" if digest else "withdraw",
            vins=vins,
            reason=reason,
            file_digest=digest,
            asked_by=by,
            asked_at=self._clock(),
        )
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            _refuse_without(tx, by, (Role.PREPARER, Role.APPROVER), tenant)
            if any(each.kind == wish.kind == "withdraw" for each in _waiting(tx, tenant, number)):
                raise Conflict(f"a withdrawal of {number} waits for a second person already")
            second_words.add(tx, wish, scope=tenant.scope)
            also(tx, wish.ref)
        return wish

    def agree(
        self, maker: Uscc, ref: str, *, by: str, factor: str, external_ref: str = "", also: Also = nothing
    ) -> Wish:
        """
        Do what was asked, on a second person's word; `also` is done in the same transaction.

        Raises NotFound, NotPermitted for the same person, Conflict.
        """
        at, given = self._clock(), Given(by=by, factor=factor, external_ref=external_ref)
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            wish = second_words.get(tx, ref, scope=tenant.scope)

        def decided(tx: Transaction) -> None:
            second_words.decide(tx, wish, "done", given, scope=tenant.scope, at=at)
            also(tx, ref)

        if wish.asked_by == by:
            raise NotPermitted("who asked for this cannot be the second person")
        if wish.kind == "retract":
            place = Place(number=wish.number, manufacturer=maker, by=wish.asked_by)
            self._copying.retract(place, wish.file_digest or b"", second=by, also=decided)
            return wish
        withdrawal = Withdrawal(
            number=wish.number,
            manufacturer=maker,
            by=wish.asked_by,
            second=by,
            reason=wish.reason or "other",
            vins=wish.vins,
        )
        self._ending.withdraw(withdrawal, also=decided)
        return wish

    def drop(self, maker: Uscc, ref: str, *, by: str, external_ref: str = "", also: Also = nothing) -> Wish:
        """Let nothing come of what was asked; `also` goes with it. NotFound, NotPermitted, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            _refuse_without(tx, by, (Role.PREPARER, Role.APPROVER), tenant)
            wish = second_words.get(tx, ref, scope=tenant.scope)
            given = Given(by=by, external_ref=external_ref)
            second_words.decide(tx, wish, "dropped", given, scope=tenant.scope, at=at)
            also(tx, ref)
        return wish

    def wish(self, maker: Uscc, ref: str) -> Wish:
        """Return what was asked. NotFound."""
        with self._database.read() as tx:
            return second_words.get(tx, ref, scope=parties.tenant(tx, maker).scope)

    def withdrawals(
        self, maker: Uscc, outcomes: tuple[Outcome | None, ...], *, before: int, limit: int
    ) -> tuple[tuple[int, Wish], ...]:
        """Return a part of the withdrawals that were asked for, and one more than asked for if there is more."""
        with self._database.read() as tx:
            scope = parties.tenant(tx, maker).scope
            return second_words.part(tx, scope=scope, outcomes=outcomes, before=before, limit=limit)

    def wishes(self, maker: Uscc) -> tuple[Wish, ...]:
        """Return everything that waits for a second person, the oldest first."""
        with self._database.read() as tx:
            return second_words.waiting(tx, scope=parties.tenant(tx, maker).scope)


def parse(typed: str) -> Number:
    """Return a number from an address. NotFound for what is none."""
    found = _parsed(typed)
    if found is None:
        raise unknown(typed[:20])
    return found


def _parsed(typed: str) -> Number | None:
    try:
        return Number.parse(typed[:40])
    except ValueError:
        return None


def _sought(tx: Transaction, typed: str) -> overview.Sought:
    if not typed:
        return overview.Sought()
    if (number := _parsed(typed)) is not None:
        return overview.Sought(number=number)
    if not uscc_fault(normalise_uscc(typed)):
        return overview.Sought(exporters=(normalise_uscc(typed),))
    vin = normalise_vin(typed)
    if len(vin) == 17 and vin.isascii() and vin.isalnum():
        return overview.Sought(vin=vin)
    return overview.Sought(exporters=overview.exporters_named(tx, typed))


def _people(history: tuple[Entry, ...], wishes: tuple[Wish, ...], copies: tuple[Copy, ...]) -> frozenset[str]:
    found = {entry.actor for entry in history} | {wish.asked_by for wish in wishes}
    found |= {str(json.loads(entry.detail).get("second")) for entry in history}
    return frozenset(found | {one for copy in copies for one in (copy.offered_by, copy.compared_by) if one})


def _waiting(tx: Transaction, tenant: parties.Tenant, number: Number) -> tuple[Wish, ...]:
    return second_words.waiting(tx, scope=tenant.scope, number=number)


def _refuse_without(tx: Transaction, person: str, roles: tuple[Role, ...], tenant: parties.Tenant) -> None:
    if not parties.roles_of(tx, person, scope=tenant.scope) & set(roles):
        raise NotPermitted(f"{person} is not {' or '.join(roles)} of this manufacturer")
