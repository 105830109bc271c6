"""Let manufacturers in: one operator proposes, another one confirms; and hold one, which ends nothing it issued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from signer.domain.parties import Announcement, Manufacturer, Role, normalise_uscc
from signer.domain.values import beijing_day, parse_day, tidy, unprintable
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.register import audit, onboardings, parties, sessions
from signer.register.drafts import draw_ref
from signer.register.onboardings import Proposal
from signer.services.invitations import Invited, checked

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.register.parties import Tenant
    from signer.services.invitations import Inviting
    from signer.services.mailing import Mailing

LEAST_REASON, MOST_REASON = 3, 400
FIRST_ROLES: Final = frozenset({Role.ADMIN})
"""What the first person of a manufacturer is invited to: everybody else is invited by that one."""
_PLACES: Final = {"admin_login": "admin_login", "login": "admin_login", "name": "admin_name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A proposal as an operator typed it; `language` is that of the first administrator's mail."""

    legal_name: str
    legal_name_en: str
    uscc: str
    role: str
    announcement: str
    checked_on: str
    address: str
    contact: str
    wmis: str
    admin_name: str
    admin_login: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A proposal as operators see it, with the names of who asked and who decided."""

    proposal: Proposal
    asked_by: str
    decided_by: str


class Onboarding:
    """Propose, confirm and drop manufacturers; suspend one, and let it go on. `bits` draws n random bits."""

    def __init__(
        self,
        *,
        database: Database,
        inviting: Inviting,
        mailing: Mailing,
        clock: Callable[[], datetime],
        bits: Callable[[int], int],
    ) -> None:
        self._database = database
        self._inviting = inviting
        self._mailing = mailing
        self._clock = clock
        self._bits = bits

    def makers(self) -> tuple[tuple[Proposal, ...], tuple[Tenant, ...]]:
        """Return what waits for a second operator, and every manufacturer in the register."""
        with self._database.read() as tx:
            return onboardings.waiting(tx), parties.tenants(tx)

    def maker(self, uscc: str) -> Tenant:
        """Return one manufacturer. NotFound."""
        with self._database.read() as tx:
            return parties.tenant(tx, uscc)

    def propose(self, typed: Typed, *, by: str) -> Proposal:
        """
        Write down whom to let in, and tell the other operators; nothing is there before one of them confirms it.

        NotPermitted; InvalidInput names the first wrong field; Conflict if it is there, or proposed, already.
        """
        at = self._clock()
        proposal = self._read(typed, by=by, at=at)
        with self._database.write() as tx:
            _refuse_unappointed(tx, by)
            _refuse_known(tx, proposal.record.uscc)
            onboardings.add(tx, proposal)
            _note(tx, "manufacturer.proposed", proposal, by=by, at=at)
            path = f"/portal/office/makers/proposed/{proposal.ref}"
            self._tell(tx, "maker-proposed", path, by=by, maker=proposal.record.legal_name)
        return proposal

    def find(self, ref: str) -> Shown:
        """Return a proposal. NotFound."""
        with self._database.read() as tx:
            proposal = onboardings.get(tx, ref)
            people = frozenset(filter(None, (proposal.asked_by, proposal.decided_by)))
            names = parties.names_of(tx, people)
        asked, decided = proposal.asked_by, proposal.decided_by or ""
        return Shown(proposal=proposal, asked_by=names.get(asked, asked), decided_by=names.get(decided, decided))

    def confirm(self, ref: str, *, by: str, factor: str) -> Proposal:
        """
        Let a manufacturer in on a second operator's word, and invite its first administrator, in one transaction.

        NotFound, NotPermitted for who proposed it, Conflict if it was decided or is there already.
        """
        at = self._clock()
        with self._database.write() as tx:
            _refuse_unappointed(tx, by)
            proposal = onboardings.get(tx, ref)
            if proposal.asked_by == by:
                raise NotPermitted("who proposed a manufacturer cannot confirm it")
            _refuse_known(tx, proposal.record.uscc)
            onboardings.decide(tx, ref, "done", by=by, at=at, factor=factor)
            tenant_id = parties.save_manufacturer(tx, proposal.record, tsa_policy=None, at=at)
            tenant = parties.tenant_of(tx, tenant_id)
            invited = Invited(
                login=proposal.admin_login, name=proposal.admin_name, roles=FIRST_ROLES, language=proposal.language
            )
            self._inviting.write(tx, tenant, invited, by=parties.person_of(tx, by))
            _note(tx, "manufacturer.onboarded", proposal, by=by, at=at, maker=tenant_id, second=proposal.asked_by)
        return proposal

    def drop(self, ref: str, *, by: str) -> None:
        """Let nothing come of a proposal. NotFound, NotPermitted, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            _refuse_unappointed(tx, by)
            proposal = onboardings.get(tx, ref)
            onboardings.decide(tx, ref, "dropped", by=by, at=at)
            _note(tx, "manufacturer.dropped", proposal, by=by, at=at)

    def suspend(self, maker: Uscc, *, reason: str, by: str) -> None:
        """
        Let a manufacturer issue nothing, and its people in no more, at once and on one operator's word.

        What it issued stays what it is, and is verified as before. The other operators are told, for one of them lets
        it go on. NotFound, InvalidInput, NotPermitted, Conflict.
        """
        told, at = _reason(reason), self._clock()
        with self._database.write() as tx:
            _refuse_unappointed(tx, by)
            tenant = parties.tenant(tx, maker)
            onboardings.suspend(tx, tenant.id, by=by, reason=told, at=at)
            audit.note(
                tx, "manufacturer.suspended", actor=by, subject=maker, at=at, manufacturer_id=tenant.id, reason=told
            )
            path, name = f"/portal/office/makers/of/{maker}", tenant.manufacturer.legal_name
            self._tell(tx, "maker-suspended", path, by=by, maker=name, reason=told)

    def resume(self, maker: Uscc, *, by: str, factor: str) -> None:
        """Let a manufacturer go on, on the word of another operator than the one who held it. As `suspend`."""
        at = self._clock()
        with self._database.write() as tx:
            _refuse_unappointed(tx, by)
            tenant = parties.tenant(tx, maker)
            held = tenant.suspension
            if held is not None and held.by == by:
                raise NotPermitted("another operator than the one who suspended it lets it go on")
            onboardings.resume(tx, tenant.id)
            audit.note(
                tx, "manufacturer.resumed", actor=by, subject=maker, at=at, manufacturer_id=tenant.id, factor=factor
            )

    def _tell(self, tx: Transaction, kind: str, path: str, *, by: str, **words: str) -> None:
        """Write to the other operators what waits for one of them."""
        name = parties.person_of(tx, by).name
        self._mailing.queue_for_operators(tx, kind, path=path, but=frozenset({by}), by=name, **words)

    def _read(self, typed: Typed, *, by: str, at: datetime) -> Proposal:
        wanted = Invited(login=typed.admin_login, name=typed.admin_name, roles=FIRST_ROLES)
        record = _record(typed, beijing_day(at))
        try:
            login, name = checked(wanted, allowed=FIRST_ROLES)
        except InvalidInput as error:
            raise InvalidInput(_PLACES.get(error.field, "admin_login"), error.reason) from error
        return Proposal(
            ref=draw_ref(self._bits),
            record=record,
            admin_name=name,
            admin_login=login,
            language="en" if typed.language == "en" else "zh",
            asked_by=by,
            asked_at=at,
        )


def _record(typed: Typed, today: date) -> Manufacturer:
    try:
        checked_on = parse_day(tidy(typed.checked_on))
    except ValueError as error:
        raise InvalidInput("checked_on", "is written YYYY-MM-DD") from error
    if checked_on > today:
        raise InvalidInput("checked_on", "is after today")
    plain = {
        "legal_name": tidy(typed.legal_name),
        "legal_name_en": tidy(typed.legal_name_en) or None,
        "uscc": normalise_uscc(typed.uscc),
        "role": typed.role,
        "address": tidy(typed.address),
        "contact": tidy(typed.contact),
        "wmis": tuple(typed.wmis.upper().split()),
    }
    try:
        entry = Announcement(entry=tidy(typed.announcement), checked_on=checked_on)
    except ValidationError as error:
        raise InvalidInput("announcement", "is 1 to 120 plain characters") from error
    try:
        return Manufacturer.model_validate({**plain, "announcement": entry})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput(str(first["loc"][0]), first["msg"]) from error


def _reason(typed: str) -> str:
    told = tidy(typed)
    if not LEAST_REASON <= len(told) <= MOST_REASON or unprintable(told):
        raise InvalidInput("reason", f"has {LEAST_REASON} to {MOST_REASON} plain characters")
    return told


def _refuse_unappointed(tx: Transaction, person: str) -> None:
    """Refuse whoever is no operator of the whole deployment: one that a manufacturer entered lets nobody in."""
    if Role.OPERATOR not in sessions.appointments_of(tx, person):
        raise NotPermitted(f"{person} is not appointed as {Role.OPERATOR}")


def _refuse_known(tx: Transaction, uscc: Uscc) -> None:
    try:
        parties.tenant(tx, uscc)
    except NotFound:
        return
    raise Conflict(f"{uscc} is in the register already")


def _note(
    tx: Transaction,
    event: str,
    proposal: Proposal,
    *,
    by: str,
    at: datetime,
    maker: int | None = None,
    **fields: str,
) -> None:
    told = {"name": proposal.record.legal_name, **fields}
    audit.note(tx, event, actor=by, subject=proposal.record.uscc, at=at, manufacturer_id=maker, **told)
