"""Judge a sheet by the rules of issuing, as the drafts that it would become; every finding is a cell of the sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain import rules
from signer.domain.confirmation import MOST_VEHICLES, DraftCommitment
from signer.domain.importing import assigned, draft_of, judged, parted, placed
from signer.domain.ledger import Ledger
from signer.domain.parties import Role
from signer.domain.reader import Reader
from signer.domain.sheet_rules import finding
from signer.domain.table import address
from signer.register import imports, parties, sessions
from signer.services.gathering import Asking, Gathering

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.importing import Plan, Report, SheetRow
    from signer.domain.table import Table
    from signer.errors import Finding
    from signer.register.database import Transaction
    from signer.register.imports import Kind
    from signer.register.parties import Tenant
    from signer.services.engines import Page, SealBox


class SheetJudging:
    """Judges sheets against the register as it is."""

    def __init__(self, *, page: Page, seals: SealBox) -> None:
        self._gathering = Gathering(page=page, seals=seals)
        self._page = page

    def judge(
        self,
        tx: Transaction,
        kind: Kind,
        read: tuple[Plan, Report],
        table: Table,
        *,
        person: str,
        own: Tenant,
        at: datetime,
    ) -> tuple[Plan, Report]:
        """Return plan and report with what the rules and the register say about each row."""
        plan, report = read
        if kind == "production":
            return judged(plan, report, self._of_production(plan), table)
        tenants = _prepared_by(tx, person, own)
        names = {
            uscc: (one.manufacturer.legal_name, *(former.legal_name for former in one.manufacturer.former_names))
            for uscc, one in tenants.items()
        }
        plan = assigned(plan, names, own=own.manufacturer.uscc)
        found: list[Finding] = []
        for group in parted(plan.rows, MOST_VEHICLES):
            found.extend(self._of_group(tx, group, plan, tenants[group[0].maker], person, at))
        for uscc, tenant in tenants.items():
            found.extend(_drafted(tx, [row for row in plan.rows if row.maker == uscc], plan, tenant))
        return judged(plan, report, found, table)

    def _of_group(
        self, tx: Transaction, group: tuple[SheetRow, ...], plan: Plan, tenant: Tenant, person: str, at: datetime
    ) -> tuple[Finding, ...]:
        draft = draft_of(group, tenant.manufacturer.legal_name, DraftCommitment())
        given = self._gathering.circumstances(tx, draft, Asking(tenant=tenant, preparer=person), seal=None, at=at)
        return placed(rules.check(draft, given), group, plan.places)

    def _of_production(self, plan: Plan) -> tuple[Finding, ...]:
        ledger = Ledger()
        reader = Reader(ledger, self._page.uncovered)
        for turn, row in enumerate(plan.rows):
            reader.vin(f"/vehicles/{turn}/vin", row.vehicle.vin)
            reader.text(f"/vehicles/{turn}/model", row.vehicle.model, required=True)
            reader.day(f"/vehicles/{turn}/built_on", row.built_on)
        return placed(ledger.in_order(), plan.rows, plan.places)


def _prepared_by(tx: Transaction, person: str, own: Tenant) -> dict[str, Tenant]:
    """Return the manufacturers for whom a person may prepare, the one at hand among them."""
    roles = sessions.roles_of(tx, person)
    others: dict[str, Tenant] = {
        str(uscc): parties.tenant(tx, uscc) for uscc, held in roles.items() if Role.PREPARER in held
    }
    return {str(own.manufacturer.uscc): own, **others}


def _drafted(tx: Transaction, rows: list[SheetRow], plan: Plan, tenant: Tenant) -> list[Finding]:
    known = imports.drafted(tx, {row.vin for row in rows if row.vin}, scope=tenant.scope)
    return [
        finding("vin.drafted", address(row.row, plan.places["vin"]), draft=known[row.vin])
        for row in rows
        if row.vin in known
    ]
