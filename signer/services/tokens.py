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
    from collections.abc import Callable
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
        at, label = self._clock(), plain(wish.label)[:_LABEL]
        if not label:
            raise InvalidInput("/label", "say what the token is for, in 1 to 60 characters")
        if not wish.rights:
            raise InvalidInput("/rights", "choose at least one right")
        if not at < at + wish.lasts <= at + LONGEST:
            raise InvalidInput("/days", f"a token lasts 1 to {LONGEST.days} days")
        secret = draw(is_test=self._is_test, bits=self._bits)
        with self._database.write() as tx:
            if left := wish.rights - rights_of(wish.kind, _roles(tx, by, wish.kind, wish.of)):
                raise NotPermitted(f"this takes another role: {', '.join(sorted(left))}")
            if kept.count_live(tx, by, at=at) >= MOST_TOKENS:
                raise Conflict(f"at most {MOST_TOKENS} tokens of one person are in use at once")
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
            )
            kept.add(tx, wanted)
            told = {"rights": " ".join(sorted(wish.rights)), "until": wanted.ends_at.date().isoformat()}
            audit.note(tx, "token.made", actor=by, subject=wanted.ref, at=at, manufacturer_id=maker, **told)
            also(tx, wanted.ref)
            return Made(token=kept.get(tx, wanted.ref), secret=secret)

    def renew(self, caller: Caller, *, lasts: timedelta, also: Also = nothing) -> Made:
        """Make a token that says what a caller's own says, so that the old one can be revoked after it."""
        with self._database.read() as tx:
            old = kept.get(tx, caller.token)
        wish = Wish(kind=old.kind, of=old.maker or old.exporter, label=old.label, rights=old.rights, lasts=lasts)
        return self.make(wish, by=caller.by, also=also)

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
                kind=token.kind,
                person=parties.person_of(tx, token.person_id),
                language=sessions.language_of(tx, token.person_id),
                rights=token.rights & rights_of(token.kind, roles),
                maker=token.maker,
                exporter=token.exporter,
            )

    def ration(self, caller: Caller) -> Ration:
        """
        Count one question, and return what is left; `left` is -1 for one too many.

        Each process books a few of a minute at a time: what it booked and did not use is lost, never doubled.
        """
        at = self._clock()
        window, second = divmod(int(at.timestamp()), 60)
        with self._turn:
            found = self._booked.get(caller.token_id)
            if found is None or found.window != window or (found.mine == 0 and found.beyond > 0):
                found = self._book(caller.token_id, window, at)
                self._booked[caller.token_id] = found
            left = found.mine + found.beyond - 1
            found.mine = max(found.mine - 1, 0)
        return Ration(limit=A_MINUTE, left=left, resets_in_s=60 - second)

    def _book(self, token_id: int, window: int, at: datetime) -> _Booked:
        with self._database.write() as tx:
            given, beyond = kept.book(tx, token_id, window=window, wanted=_BOOKED, most=A_MINUTE)
            kept.touch(tx, token_id, at=at)
        return _Booked(window, given, beyond)

    def get(self, ref: str) -> Token:
        """Return a token by its public reference. NotFound."""
        with self._database.read() as tx:
            return kept.get(tx, ref)

    def of(self, person: str) -> tuple[Token, ...]:
        """Return a person's tokens, the newest first."""
        with self._database.read() as tx:
            return kept.of_person(tx, person)

    def of_maker(self, maker: Uscc) -> tuple[tuple[Token, str], ...]:
        """Return the tokens that speak for a manufacturer, each with its person's name, the newest first."""
        with self._database.read() as tx:
            found = kept.of_maker(tx, parties.tenant(tx, maker).id)
            names = parties.names_of(tx, frozenset(token.person_id for token in found))
        return tuple((token, names[token.person_id]) for token in found)

    def revoke(self, ref: str, *, by: str) -> Token:
        """
        Let a token open nothing from now on: one's own, or any that speaks for a manufacturer one administers.

        NotFound, in one form, for others' and unknown ones; revoked twice is revoked.
        """
        at = self._clock()
        with self._database.write() as tx:
            token = kept.get(tx, ref)
            administers = token.maker is not None and Role.ADMIN in _roles(tx, by, "maker", token.maker)
            operates = Role.OPERATOR in sessions.appointments_of(tx, by)
            if token.person_id != by and not administers and not operates:
                raise NotFound(f"no token {ref!r}")
            if kept.revoke(tx, ref, by=by, at=at):
                owner = parties.tenant(tx, token.maker).id if token.maker else None
                audit.note(tx, "token.revoked", actor=by, subject=ref, at=at, manufacturer_id=owner)
            return replace(token, revoked_at=token.revoked_at or at)


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
