"""Tokens of machines: made by the person for whom they speak, known by their digest, revoked by that person."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from signer.domain.machines import LONGEST, MOST_TOKENS, Caller, Right, draw, is_token, rights_of
from signer.domain.parties import Role
from signer.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, NotPermitted
from signer.register import audit, exporters, parties, sessions
from signer.register import tokens as kept
from signer.register.drafts import draw_ref, nothing, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from signer.domain.machines import Kind
    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.register.drafts import Also
    from signer.register.tokens import Token

A_MINUTE: Final = 600
"""How many questions a token may ask in a minute, whichever process answers."""
_BOOKED = 20
"""How many of them a process books at once, so that not every question writes."""
_LABEL = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What kind of token is wanted, for whom it speaks (a USCC; none for the house), what it may do, and how long."""

    kind: Kind
    of: Uscc | None
    label: str
    rights: frozenset[Right]
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A token that was made just now: `secret` is shown this once, and kept nowhere."""

    token: Token
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """How many questions a token may ask in a minute, how many are left of this one, and when the next begins (s)."""

    limit: int
    left: int
    resets_in_s: int


@dataclass(slots=True)
class _Booked:
    window: int
    mine: int
    beyond: int


class Tokens:
    """
    Makes, knows and revokes tokens.

    A token is one natural person's, who made it and answers for what it does: so who prepares and who approves differ
    as persons, by whichever way they come (ADR 0041).
    """

    def __init__(
        self, *, database: Database, is_test: bool, clock: Callable[[], datetime], bits: Callable[[int], int]
    ) -> None:
        self._database = database
        self._is_test = is_test
        self._clock = clock
        self._bits = bits
        self._booked: dict[int, _Booked] = {}
        self._turn = threading.Lock()

    def make(self, wish: Wish, *, by: str, also: Also = nothing) -> Made:
        """Make a token that speaks for its maker. InvalidInput, NotPermitted for rights it cannot have; Conflict."""
        with self._database.write() as tx:
            return self._make(tx, wish, by=by, also=also)

    def renew(self, caller: Caller, *, lasts: timedelta, also: Also = nothing) -> Made:
        """
        Make a token that says what a caller's own says, so that the old one can be revoked after it.

        All renewals together last no longer than one token may: after that its person makes one, with a second factor.
        Raises as `make`; NotAuthenticated if the old one ended while this was asked.
        """
        with self._database.write() as tx:
            old, at = kept.get(tx, caller.token), self._clock()
            if not old.is_live(at):
                raise NotAuthenticated("no such token")
            lasts = min(lasts, old.begun_at + LONGEST - at)
            wish = Wish(kind=old.kind, of=old.maker or old.exporter, label=old.label, rights=old.rights, lasts=lasts)
            return self._make(tx, wish, by=caller.by, also=also, first=old.first_id)

    def _make(self, tx: Transaction, wish: Wish, *, by: str, also: Also, first: int | None = None) -> Made:
        at, label = self._clock(), plain(wish.label)[:_LABEL]
        if not label:
            raise InvalidInput("/label", "say what the token is for, in 1 to 60 characters")
        if not wish.rights:
            raise InvalidInput("/rights", "choose at least one right")
        if not at < at + wish.lasts <= at + LONGEST:
            raise InvalidInput("/days", f"a token lasts 1 to {LONGEST.days} days")
        if left := wish.rights - rights_of(wish.kind, _roles(tx, by, wish.kind, wish.of)):
            raise NotPermitted(f"this takes another role: {', '.join(sorted(left))}")
        if kept.count_live(tx, by, at=at) >= MOST_TOKENS:
            raise Conflict(f"at most {MOST_TOKENS} tokens of one person are in use at once")
        secret = draw(is_test=self._is_test, bits=self._bits)
        maker = parties.tenant(tx, wish.of).id if wish.kind == "maker" and wish.of else None
        wanted = kept.Wanted(
            ref=draw_ref(self._bits),
            token_digest=digest(secret),
            label=label,
            kind=wish.kind,
            person=by,
            rights=wish.rights,
            at=at,
            ends_at=at + wish.lasts,
            manufacturer_id=maker,
            exporter=wish.of if wish.kind == "exporter" else None,
            first_id=first,
        )
        kept.add(tx, wanted)
        told = {"rights": " ".join(sorted(wish.rights)), "until": wanted.ends_at.date().isoformat()}
        audit.note(tx, "token.made", actor=by, subject=wanted.ref, at=at, manufacturer_id=maker, **told)
        also(tx, wanted.ref)
        return Made(token=kept.get(tx, wanted.ref), secret=secret)

    def may(self, person: str, kind: Kind, of: Uscc | None) -> frozenset[Right]:
        """Return what a token of a kind could be given by a person now."""
        with self._database.read() as tx:
            return rights_of(kind, _roles(tx, person, kind, of))

    def caller(self, secret: str) -> Caller:
        """
        Return whom a token speaks for, with the rights that count now.

        NotAuthenticated, in one form, for one that is unknown, over, revoked, of the other mode, or whose person's
        account is suspended or has no role there any more.
        """
        if not is_token(secret, is_test=self._is_test):
            raise NotAuthenticated("no such token")
        at = self._clock()
        with self._database.read() as tx:
            token = kept.find(tx, digest(secret), at=at)
            if token is None:
                raise NotAuthenticated("no such token")
            of = token.maker or token.exporter
            roles = _roles(tx, token.person_id, token.kind, of)
            if not roles:
                raise NotAuthenticated("no such token")
            if token.maker is not None:
                parties.refuse_suspended(tx, parties.tenant(tx, token.maker).id)
            return Caller(
                token=token.ref,
                token_id=token.id,
                line=token.first_id,
                kind=token.kind,
                person=parties.person_of(tx, token.person_id),
                language=sessions.language_of(tx, token.person_id),
                rights=token.rights & rights_of(token.kind, roles),
                maker=token.maker,
                exporter=token.exporter,
            )

    def ration(self, caller: Caller) -> Ration:
        """
        Count one question, and return what is left; `left` is -1 for one too many. Renewals count as one token.

        Each process books a few of a minute at a time: what it booked and did not use is lost, never doubled.
        """
        at = self._clock()
        window, second = divmod(int(at.timestamp()), 60)
        with self._turn:
            found = self._booked.get(caller.line)
            if found is None or found.window != window or (found.mine == 0 and found.beyond > 0):
                found = self._book(caller, window, at)
                self._booked[caller.line] = found
            left = found.mine + found.beyond - 1
            found.mine = max(found.mine - 1, 0)
        return Ration(limit=A_MINUTE, left=left, resets_in_s=60 - second)

    def _book(self, caller: Caller, window: int, at: datetime) -> _Booked:
        with self._database.write() as tx:
            given, beyond = kept.book(tx, caller.line, window=window, wanted=_BOOKED, most=A_MINUTE)
            kept.touch(tx, caller.token_id, at=at)
        return _Booked(window, given, beyond)

    def get(self, ref: str) -> Token:
        """Return a token by its public reference. NotFound."""
        with self._database.read() as tx:
            return kept.get(tx, ref)

    def of(self, person: str) -> tuple[Token, ...]:
        """Return a person's tokens, the newest first."""
        with self._database.read() as tx:
            return kept.of_person(tx, person)

    def mine(self, caller: Caller) -> tuple[Token, ...]:
        """Return the tokens of a caller's person that speak for whom the caller does, the newest first."""
        of = caller.maker or caller.exporter
        return tuple(token for token in self.of(caller.by) if token.is_of(caller.kind, of))

    def of_maker(self, maker: Uscc) -> tuple[tuple[Token, str], ...]:
        """Return the tokens that speak for a manufacturer, each with its person's name, the newest first."""
        with self._database.read() as tx:
            found = kept.of_maker(tx, parties.tenant(tx, maker).id)
            names = parties.names_of(tx, frozenset(token.person_id for token in found))
        return tuple((token, names[token.person_id]) for token in found)

    def revoke(self, ref: str, *, by: str) -> Token:
        """
        Let a token and what came of it by renewals open nothing from now on.

        One's own, or any that speaks for a manufacturer one administers. NotFound, in one form, for others' and unknown
        ones; revoked twice is revoked.
        """
        at = self._clock()
        with self._database.write() as tx:
            token = kept.get(tx, ref)
            administers = token.maker is not None and Role.ADMIN in _roles(tx, by, "maker", token.maker)
            operates = Role.OPERATOR in sessions.appointments_of(tx, by)
            if token.person_id != by and not administers and not operates:
                raise NotFound(f"no token {ref!r}")
            revoke(tx, (token, *kept.renewed_of(tx, token)), by=by, actor=by, at=at)
            return replace(token, revoked_at=token.revoked_at or at)

    def give_up(self, caller: Caller, ref: str) -> None:
        """
        Let one token of a caller's person open nothing from now on, and leave what came of it: it was renewed.

        NotFound for every one that does not speak for whom the caller does.
        """
        at, of = self._clock(), caller.maker or caller.exporter
        with self._database.write() as tx:
            token = kept.get(tx, ref)
            if token.person_id != caller.by or not token.is_of(caller.kind, of):
                raise NotFound(f"no token {ref!r}")
            revoke(tx, (token,), by=caller.by, actor=caller.by, at=at)


def revoke(tx: Transaction, found: Iterable[Token], *, by: str, actor: str, at: datetime) -> None:
    """Let tokens open nothing from now on, and write of each in the audit; `by` is a person, `actor` who did it."""
    for token in found:
        if kept.revoke(tx, token.ref, by=by, at=at):
            owner = parties.tenant(tx, token.maker).id if token.maker else None
            audit.note(tx, "token.revoked", actor=actor, subject=token.ref, at=at, manufacturer_id=owner)


def end(
    tx: Transaction,
    person: str,
    *,
    actor: str,
    at: datetime,
    maker: Uscc | None = None,
    exporter: Uscc | None = None,
) -> None:
    """Revoke what a person has for a manufacturer or an exporter that it leaves; with neither: everything."""
    revoke(tx, kept.live_of(tx, person, at=at, maker=maker, exporter=exporter), by=person, actor=actor, at=at)


def digest(secret: str) -> bytes:
    """Return the SHA-256 of a token, by which the register knows it: 256 random bits need no slower hash."""
    return hashlib.sha256(secret.encode("ascii")).digest()


def _roles(tx: Transaction, person: str, kind: Kind, of: Uscc | None) -> frozenset[Role]:
    """Return the roles a person has now where a token of a kind would speak."""
    if kind == "house":
        return sessions.appointments_of(tx, person) if of is None else frozenset()
    if of is None:
        return frozenset()
    if kind == "exporter":
        return frozenset({Role.EXPORTER}) if of in exporters.member_of(tx, person) else frozenset()
    return sessions.roles_of(tx, person).get(of, frozenset())
