"""Gather what a draft is judged against: the same for who types, who approves, and for issuing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signer.domain.circumstances import Circumstances, Predecessor, SealCircumstances
from signer.domain.confirmation import Standing
from signer.domain.number import Number
from signer.domain.parties import Role, normalise_uscc, uscc_fault
from signer.domain.trust import SealState
from signer.domain.vehicle import normalise_vin, vin_fault
from signer.register import confirmations, lookup, outlets, parties, production, seals

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.confirmation import Draft
    from signer.domain.parties import Exporter
    from signer.register.database import Transaction
    from signer.services.engines import Page, SealBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Whose draft it is, by person ids; nobody has approved where there is no approver."""

    tenant: parties.Tenant
    preparer: str
    approver: str | None = None


class Gathering:
    """Gathers circumstances from the register, the trust list and the fonts."""

    def __init__(self, *, page: Page, seals: SealBox) -> None:
        self._page = page
        self._seals = seals

    def circumstances(
        self, tx: Transaction, draft: Draft, asking: Asking, *, seal: parties.Seal | None, at: datetime
    ) -> Circumstances:
        """Return everything outside a draft that the rules look at. Raises NotFound, and what the seal's entry may."""
        tenant = asking.tenant
        preparer = parties.person_of(tx, asking.preparer)
        approver = None if asking.approver is None else parties.person_of(tx, asking.approver)
        typed_vins = {vin for vin in (normalise_vin(each.vin) for each in draft.vehicles) if not vin_fault(vin)}
        roles = frozenset() if approver is None else parties.roles_of(tx, approver.id, scope=tenant.scope)
        choosing = outlets.choosing_of(tx, scope=tenant.scope)
        return Circumstances(
            at=at,
            manufacturer=tenant.manufacturer,
            exporter=exporter_of(tx, draft.exporter),
            outlets=choosing.as_authorised(parties.outlets_of(tx, scope=tenant.scope)),
            choosing=choosing,
            seal=None if seal is None else self._of_seal(tx, seal, tenant, at),
            live=confirmations.claims_of(tx, typed_vins, scope=tenant.scope),
            predecessor=predecessor(tx, draft.supersedes, tenant, at),
            preparer=preparer,
            approver=approver,
            preparer_may_prepare=Role.PREPARER in parties.roles_of(tx, preparer.id, scope=tenant.scope),
            approver_may_approve=Role.APPROVER in roles,
            production=production.known(tx, typed_vins, scope=tenant.scope),
            uncovered=self._page.uncovered,
            template_version=self._page.version,
        )

    def _of_seal(self, tx: Transaction, seal: parties.Seal, tenant: parties.Tenant, at: datetime) -> SealCircumstances:
        found = self._seals.circumstances(seal, tenant.manufacturer)
        return replace(found, reached_limit=seals.reached_limit(tx, seal.certificate_digest, at=at))


def usable_seal(tx: Transaction, tenant: parties.Tenant, *, at: datetime) -> parties.Seal | None:
    """Return the seal that a manufacturer would use now, an active one first."""
    found = parties.seals_of(tx, scope=tenant.scope, at=at)
    active = tuple(seal for seal in found if seal.state is SealState.ACTIVE)
    return next(iter(active or found), None)


def exporter_of(tx: Transaction, typed: str) -> Exporter | None:
    """Return the exporter on record under a typed USCC, or None."""
    uscc = normalise_uscc(typed)
    return None if uscc_fault(uscc) else parties.exporter_of(tx, uscc)


def predecessor(tx: Transaction, typed: str, tenant: parties.Tenant, at: datetime) -> Predecessor | None:
    """Return the manufacturer's confirmation of a typed number, as the rules look at it, or None."""
    try:
        number = Number.parse(typed)
    except ValueError:
        return None
    record = lookup.by_number(tx, number, scope=tenant.scope, at=at)
    if record is None:
        return None
    held = (Standing.ISSUED, Standing.SUSPENDED)
    live = frozenset(line.vin for line in record.lines if line.standing in held)
    return Predecessor(number=number, exporter=record.whole.terms.exporter.uscc, live_vins=live)
