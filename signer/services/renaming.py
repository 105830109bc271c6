"""Rename a company: one person proposes the new name, another one confirms it, and its seals in the old one freeze."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pydantic import ValidationError

from signer.domain.parties import Announcement, FormerName, Manufacturer, Role, is_same_name
from signer.domain.trust import SealState
from signer.domain.values import beijing_day, parse_day, tidy, unprintable
from signer.errors import Conflict, InvalidInput, NotFound, NotPermitted
from signer.register import audit, drafts, evidence, parties, renamings, seals, submissions
from signer.register.renamings import Proposal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from signer.domain.parties import Uscc
    from signer.register.database import Database, Transaction
    from signer.register.evidence import Evidence
    from signer.services.mailing import Mailing

LEAST_REASON, MOST_REASON = 3, 400
_MOST_TITLE = 90
_USABLE = (SealState.ACTIVE, SealState.SUSPENDED)
_DROPPERS = frozenset({Role.ADMIN, Role.APPROVER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """
    What a company is called from now on, and the evidence for it.

    `until` is the last day of the former name, `announcement` the entry that names the company as it is called now.
    """

    legal_name: str
    legal_name_en: str | None
    until: date
    evidence: str
    announcement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A proposal as somebody typed it; `evidence` is the reference of a file that was handed in."""

    legal_name: str
    legal_name_en: str
    from_on: str
    announcement: str
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """
    A proposal as people see it: the names of who asked and who decided, the file that proves it, and what follows.

    `freezing` are the seals that will seal nothing more, `voided` how many submissions wait in the old name.
    """

    proposal: Proposal
    asked_by: str
    decided_by: str
    evidence: Evidence
    freezing: tuple[str, ...]
    voided: int


class Renamings:
    """Propose, confirm and drop new names. `bits` draws n random bits."""

    def __init__(
        self, *, database: Database, mailing: Mailing, clock: Callable[[], datetime], bits: Callable[[int], int]
    ) -> None:
        self._database = database
        self._mailing = mailing
        self._clock = clock
        self._bits = bits

    def propose(self, maker: Uscc, typed: Typed, *, by: str) -> Proposal:
        """
        Write down a new name, and ask the approvers; nothing changes before one of them confirms it.

        NotPermitted; InvalidInput names the first wrong field; Conflict if another new name waits.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            _refuse_without(tx, by, frozenset({Role.ADMIN}), tenant)
            proposal = self._read(tx, typed, tenant, by=by, at=at)
            renamed(tenant.manufacturer, _renaming(tx, proposal, tenant), beijing_day(at))
            renamings.add(tx, proposal, scope=tenant.scope)
            words = {"maker": proposal.former_name, "name": proposal.legal_name, "by": parties.person_of(tx, by).name}
            path, roles = f"/portal/{maker}/facts/renaming/{proposal.ref}", frozenset({Role.APPROVER})
            self._mailing.queue_for(tx, roles, "renaming-asked", scope=tenant.scope, path=path, but=by, **words)
        return proposal

    def _read(self, tx: Transaction, typed: Typed, tenant: parties.Tenant, *, by: str, at: datetime) -> Proposal:
        try:
            from_on = parse_day(tidy(typed.from_on))
        except ValueError as error:
            raise InvalidInput("from_on", "is written YYYY-MM-DD") from error
        if from_on > beijing_day(at):
            raise InvalidInput("from_on", "is after today: a name is changed once it has changed")
        reason = tidy(typed.reason)
        if not LEAST_REASON <= len(reason) <= MOST_REASON or unprintable(reason):
            raise InvalidInput("reason", f"has {LEAST_REASON} to {MOST_REASON} plain characters")
        try:
            proof, _ = evidence.get(tx, typed.evidence, scope=tenant.scope)
        except NotFound as error:
            raise InvalidInput("evidence", "is a file that was handed in") from error
        return Proposal(
            ref=drafts.draw_ref(self._bits),
            former_name=tenant.manufacturer.legal_name,
            legal_name=tidy(typed.legal_name),
            legal_name_en=tidy(typed.legal_name_en) or None,
            from_on=from_on,
            announcement=tidy(typed.announcement),
            reason=reason,
            evidence_ref=proof.ref,
            asked_by=by,
            asked_at=at,
        )

    def find(self, maker: Uscc, ref: str) -> Shown:
        """Return a proposal with what it would do. NotFound."""
        at = self._clock()
        with self._database.read() as tx:
            tenant = parties.tenant(tx, maker)
            proposal = renamings.get(tx, ref, scope=tenant.scope)
            names = parties.names_of(tx, frozenset(filter(None, (proposal.asked_by, proposal.decided_by))))
            return Shown(
                proposal=proposal,
                asked_by=names.get(proposal.asked_by, proposal.asked_by),
                decided_by=names.get(proposal.decided_by or "", ""),
                evidence=evidence.get(tx, proposal.evidence_ref, scope=tenant.scope)[0],
                freezing=_freezing(tx, tenant, at),
                voided=submissions.waiting_count(tx, scope=tenant.scope),
            )

    def waiting(self, maker: Uscc) -> Proposal | None:
        """Return what waits for another person, None if nothing does."""
        with self._database.read() as tx:
            return renamings.waiting(tx, scope=parties.tenant(tx, maker).scope)

    def confirm(self, maker: Uscc, ref: str, *, by: str, factor: str) -> tuple[Manufacturer, tuple[str, ...]]:
        """
        Enter the new name on another person's word; return the record and the seals that are frozen.

        NotFound, NotPermitted for the person who proposed it, Conflict if it was decided or the name changed meanwhile.
        """
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            proposal = renamings.get(tx, ref, scope=tenant.scope)
            _refuse_without(tx, by, frozenset({Role.APPROVER}), tenant)
            if proposal.asked_by == by:
                raise NotPermitted("who proposed a name cannot confirm it")
            if tenant.manufacturer.legal_name != proposal.former_name:
                raise Conflict(f"the company is called {tenant.manufacturer.legal_name} by now")
            renamings.decide(tx, proposal, "done", by=by, scope=tenant.scope, at=at, factor=factor)
            renaming = _renaming(tx, proposal, tenant)
            return enter(tx, tenant, renaming, by=proposal.asked_by, second=by, at=at)

    def drop(self, maker: Uscc, ref: str, *, by: str) -> None:
        """Let nothing come of a proposal. NotFound, NotPermitted, Conflict."""
        at = self._clock()
        with self._database.write() as tx:
            tenant = parties.tenant(tx, maker)
            _refuse_without(tx, by, _DROPPERS, tenant)
            proposal = renamings.get(tx, ref, scope=tenant.scope)
            renamings.decide(tx, proposal, "dropped", by=by, scope=tenant.scope, at=at)


def enter(
    tx: Transaction, tenant: parties.Tenant, renaming: Renaming, *, by: str, second: str, at: datetime
) -> tuple[Manufacturer, tuple[str, ...]]:
    """
    Enter a new name on two people's word, and freeze the seals in the old one; return the record and these seals.

    The former name stays on record with its last day and the evidence, so that certificates of vehicles which
    name it still count (B3). What was sealed names the company as it was called then, for ever. InvalidInput.
    """
    record = renamed(tenant.manufacturer, renaming, beijing_day(at))
    parties.save_manufacturer(tx, record, tsa_policy=tenant.tsa_policy, at=at)
    people, frozen = {"actor": by, "second": second}, _freezing(tx, tenant, at)
    for digest in frozen:
        seals.retire(tx, digest, scope=tenant.scope, at=at)
        told: Mapping[str, str] = {**people, "subject": digest[:16], "reason": "the company was renamed"}
        audit.note(tx, "seal.retired", at=at, manufacturer_id=tenant.id, **told)
    names = {"former": tenant.manufacturer.legal_name, "name": record.legal_name, "evidence": renaming.evidence[:300]}
    told = {**people, "subject": record.uscc, **names}
    audit.note(tx, "manufacturer.renamed", at=at, manufacturer_id=tenant.id, **told)
    return record, frozen


def renamed(maker: Manufacturer, renaming: Renaming, today: date) -> Manufacturer:
    """Return a manufacturer's record under its new name. InvalidInput names the first wrong field."""
    name = tidy(renaming.legal_name)
    if is_same_name(name, maker.legal_name):
        raise InvalidInput("name", "is the name that the company has")
    if renaming.until > today:
        raise InvalidInput("until", f"is after today ({today}): a name is changed once it has changed")
    if maker.former_names and renaming.until <= maker.former_names[-1].until:
        raise InvalidInput("until", f"is before the name began that ends: after {maker.former_names[-1].until}")
    try:
        former = FormerName(legal_name=maker.legal_name, until=renaming.until, evidence=tidy(renaming.evidence))
        changes = {
            "legal_name": name,
            "legal_name_en": renaming.legal_name_en,
            "announcement": Announcement(entry=tidy(renaming.announcement), checked_on=today),
            "former_names": (*maker.former_names, former),
        }
        return Manufacturer.model_validate(maker.model_copy(update=changes).model_dump())
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InvalidInput("/" + "/".join(map(str, first["loc"])), first["msg"]) from error


def _renaming(tx: Transaction, proposal: Proposal, tenant: parties.Tenant) -> Renaming:
    proof, _ = evidence.get(tx, proposal.evidence_ref, scope=tenant.scope)
    return Renaming(
        legal_name=proposal.legal_name,
        legal_name_en=proposal.legal_name_en,
        until=proposal.from_on - timedelta(days=1),
        evidence=f"{proof.title[:_MOST_TITLE]} ({proof.file_digest.hex()[:16]})",
        announcement=proposal.announcement,
    )


def _freezing(tx: Transaction, tenant: parties.Tenant, at: datetime) -> tuple[str, ...]:
    kept = seals.all_of(tx, scope=tenant.scope, at=at)
    return tuple(seal.certificate_digest for seal in kept if seal.state in _USABLE)


def _refuse_without(tx: Transaction, person: str, roles: frozenset[Role], tenant: parties.Tenant) -> None:
    if not parties.roles_of(tx, person, scope=tenant.scope) & roles:
        raise NotPermitted(f"{person} is not {' or '.join(sorted(roles))} of this manufacturer")
