"""Who signed up for which exporter, and which exporters a manufacturer deals with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, insert, select, update

from signer.domain.parties import Uscc
from signer.errors import Conflict, NotFound
from signer.register import audit
from signer.register.exporter_tables import acceptances, sign_ups

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from signer.register.scope import Scope

SignUpState = Literal["sent", "waiting", "member", "refused"]
AcceptanceState = Literal["asked", "accepted", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    """
    One person's sign-up for one exporter; `password` is an Argon2id string until an account has it.

    `file_name`, `media_type` and `size` are the licence's; `network` is whence it came, until its link comes back.
    """

    ref: str
    token_digest: bytes
    login: str
    name: str
    password: str | None
    language: str
    exporter_uscc: str
    legal_name: str
    file_name: str
    file_digest: bytes
    media_type: str
    size: int
    asked_at: datetime
    network: str = ""
    state: SignUpState = "sent"
    person_id: str | None = None
    confirmed_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """How a manufacturer stands to an exporter; `sign_up_ref` names the sign-up whose licence it is shown."""

    exporter_uscc: str
    sign_up_ref: str
    state: AcceptanceState
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None


_FIELDS = [sign_ups.c[name] for name in SignUp.__dataclass_fields__]


def add(tx: Connection, sign_up: SignUp, licence: bytes) -> None:
    """Keep a sign-up whose link is on its way."""
    told = {name: getattr(sign_up, name) for name in SignUp.__dataclass_fields__}
    tx.execute(insert(sign_ups).values(data=licence, **told))


def of_token(tx: Connection, token_digest: bytes, *, since: datetime) -> SignUp | None:
    """Return the sign-up of a link that was sent since an instant and has not come back."""
    wanted = select(*_FIELDS).where(sign_ups.c.token_digest == token_digest, sign_ups.c.state == "sent")
    row = tx.execute(wanted.where(sign_ups.c.asked_at > since)).mappings().first()
    return None if row is None else SignUp(**dict(row))


def get(tx: Connection, ref: str) -> SignUp:
    """Return a sign-up. NotFound."""
    row = tx.execute(select(*_FIELDS).where(sign_ups.c.ref == ref)).mappings().first()
    if row is None:
        raise NotFound("no such sign-up")
    return SignUp(**dict(row))


def licence(tx: Connection, ref: str) -> bytes:
    """Return the licence that came with a sign-up. NotFound."""
    data = tx.execute(select(sign_ups.c.data).where(sign_ups.c.ref == ref)).scalar()
    if data is None:
        raise NotFound("no such sign-up")
    return bytes(data)


def sent_count(
    tx: Connection, *, login: str | None = None, network: str | None = None, since: datetime | None = None
) -> int:
    """Return how many links have not come back: of all, or to one address, from one network, sent since an instant."""
    wanted = select(func.count()).where(sign_ups.c.state == "sent")
    wanted = wanted if login is None else wanted.where(sign_ups.c.login == login)
    wanted = wanted if network is None else wanted.where(sign_ups.c.network == network)
    wanted = wanted if since is None else wanted.where(sign_ups.c.asked_at > since)
    return int(tx.execute(wanted).scalar_one())


def shed_sent(tx: Connection, *, below: int, network: str | None = None) -> None:
    """
    Forget sign-ups whose link did not come back until fewer than so many are left: of all, or of one network.

    It is the oldest of the network that has most, so that who sends many pushes out its own before anybody else's.
    """
    sent = sign_ups.c.state == "sent"
    by_crowd = select(sign_ups.c.network).where(sent).group_by(sign_ups.c.network)
    fullest = by_crowd.order_by(func.count().desc(), func.min(sign_ups.c.id)).limit(1)
    for _ in range(sent_count(tx, network=network) - below + 1):
        crowd = tx.execute(fullest).scalar_one() if network is None else network
        oldest = select(func.min(sign_ups.c.id)).where(sent, sign_ups.c.network == crowd)
        tx.execute(delete(sign_ups).where(sign_ups.c.id == tx.execute(oldest).scalar_one()))


def forget_sent(tx: Connection, *, before: datetime) -> int:
    """Forget sign-ups whose link did not come back; return how many."""
    return tx.execute(delete(sign_ups).where(sign_ups.c.state == "sent", sign_ups.c.asked_at < before)).rowcount


def confirm(tx: Connection, sign_up: SignUp, *, person: str, state: SignUpState, at: datetime) -> None:
    """Give a sign-up its person, and forget its password and network. Conflict if its link was used."""
    told = {"person_id": person, "state": state, "confirmed_at": at, "password": None, "network": ""}
    mine = update(sign_ups).where(sign_ups.c.ref == sign_up.ref, sign_ups.c.state == "sent")
    if not tx.execute(mine.values(**told)).rowcount:
        raise Conflict("this link was used")
    about = {"exporter": sign_up.exporter_uscc, "state": state}
    audit.note(tx, "exporter.signed-up", actor=person, subject=sign_up.ref, at=at, manufacturer_id=None, **about)


def decide(tx: Connection, sign_up: SignUp, state: SignUpState, *, by: str, at: datetime) -> None:
    """Let a colleague in, refuse one, or end what a member may do. Conflict if it is not as it was read."""
    mine = update(sign_ups).where(sign_ups.c.ref == sign_up.ref, sign_ups.c.state == sign_up.state)
    if not tx.execute(mine.values(state=state, decided_by=by, decided_at=at)).rowcount:
        raise Conflict("this was decided already")
    about = {"exporter": sign_up.exporter_uscc, "person": sign_up.person_id or ""}
    audit.note(tx, f"exporter.{state}", actor=by, subject=sign_up.ref, at=at, manufacturer_id=None, **about)


def people(tx: Connection, exporter: str) -> tuple[SignUp, ...]:
    """Return an exporter's people, those who wait and those who are in, as they came."""
    wanted = select(*_FIELDS).where(sign_ups.c.exporter_uscc == exporter, sign_ups.c.state.in_(("waiting", "member")))
    return tuple(SignUp(**dict(row)) for row in tx.execute(wanted.order_by(sign_ups.c.id)).mappings())


def was_anybody(tx: Connection, exporter: str) -> bool:
    """Tell whether anybody ever came back with a link of this exporter: let in, waiting or put out."""
    wanted = select(sign_ups.c.id).where(sign_ups.c.exporter_uscc == exporter, sign_ups.c.state != "sent")
    return tx.execute(wanted.limit(1)).first() is not None


def waiting(tx: Connection, *, most: int, after: str = "") -> tuple[SignUp, ...]:
    """Return who waits for a word, of any exporter, as they came (after one of them, a `ref`): for operators."""
    wanted = select(*_FIELDS).where(sign_ups.c.state == "waiting").order_by(sign_ups.c.id).limit(most)
    if after:
        one = select(sign_ups.c.id).where(sign_ups.c.ref == after)
        wanted = wanted.where(sign_ups.c.id > one.scalar_subquery())
    return tuple(SignUp(**dict(row)) for row in tx.execute(wanted).mappings())


def of_person(tx: Connection, person_id: str) -> tuple[SignUp, ...]:
    """Return a person's sign-ups that wait or were let in, as they came."""
    wanted = select(*_FIELDS).where(sign_ups.c.person_id == person_id, sign_ups.c.state.in_(("waiting", "member")))
    return tuple(SignUp(**dict(row)) for row in tx.execute(wanted.order_by(sign_ups.c.id)).mappings())


def member_of(tx: Connection, person_id: str) -> frozenset[Uscc]:
    """Return the USCCs of the exporters for whom a person may act."""
    wanted = select(sign_ups.c.exporter_uscc).where(sign_ups.c.person_id == person_id, sign_ups.c.state == "member")
    return frozenset(Uscc(uscc) for uscc in tx.execute(wanted).scalars())


def acceptance(tx: Connection, exporter: str, *, scope: Scope) -> Acceptance | None:
    """Return how a manufacturer stands to an exporter, None while it was never asked."""
    wanted = scope.only(select(acceptances), acceptances).where(acceptances.c.exporter_uscc == exporter)
    row = tx.execute(wanted).mappings().first()
    return None if row is None else _acceptance(row)


def makers_that_accepted(tx: Connection, exporter: str, *, scope: Scope) -> frozenset[int]:
    """Return the ids of the manufacturers that accepted an exporter, and did not refuse it since."""
    mine = acceptances.c.exporter_uscc == exporter, acceptances.c.state == "accepted"
    wanted = scope.only(select(acceptances.c.manufacturer_id), acceptances).where(*mine)
    return frozenset(tx.execute(wanted).scalars())


def acceptances_of(tx: Connection, *, scope: Scope) -> tuple[Acceptance, ...]:
    """Return every exporter that a manufacturer was asked to accept, the newest first."""
    wanted = scope.only(select(acceptances), acceptances).order_by(acceptances.c.asked_at.desc()).limit(500)
    return tuple(_acceptance(row) for row in tx.execute(wanted).mappings())


def ask(tx: Connection, exporter: str, *, sign_up_ref: str, by: str, scope: Scope, at: datetime) -> bool:
    """Ask a manufacturer to accept an exporter, once; tell whether that was new."""
    if acceptance(tx, exporter, scope=scope) is not None:
        return False
    told = {"exporter_uscc": exporter, "sign_up_ref": sign_up_ref, "asked_at": at}
    tx.execute(insert(acceptances).values(manufacturer_id=scope.owner, state="asked", **told))
    audit.note(tx, "exporter.asked", actor=by, subject=exporter, at=at, manufacturer_id=scope.owner)
    return True


def settle(
    tx: Connection, found: Acceptance, state: AcceptanceState, *, by: str, reason: str, scope: Scope, at: datetime
) -> None:
    """Accept or refuse an exporter; what was refused can be accepted later. Conflict if it is not as it was read."""
    mine = update(acceptances).where(
        acceptances.c.exporter_uscc == found.exporter_uscc, acceptances.c.state == found.state
    )
    told = {"state": state, "decided_by": by, "decided_at": at, "reason": reason or None}
    if not tx.execute(scope.only(mine, acceptances).values(**told)).rowcount:
        raise Conflict("this was decided already")
    event = f"exporter.{state}"
    audit.note(tx, event, actor=by, subject=found.exporter_uscc, at=at, manufacturer_id=scope.owner, reason=reason)


def _acceptance(row: object) -> Acceptance:
    return Acceptance(**{name: row[name] for name in Acceptance.__dataclass_fields__})  # type: ignore[index]
