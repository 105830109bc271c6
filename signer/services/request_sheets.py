"""A sheet of vehicles that an exporter hands in with a request: read, judged, given back with what is wrong in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from signer.domain.importing import judged, placed, read_plan
from signer.domain.vehicle_columns import VEHICLE_COLUMNS
from signer.services import import_files
from signer.sheets import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signer.domain.confirmation import DraftVehicle
    from signer.domain.importing import Plan, Report, Said
    from signer.domain.table import Table
    from signer.errors import Finding
    from signer.verification.wording import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A sheet as read: its bytes, its cells, its rows as vehicles, and what is wrong in it. It is kept nowhere."""

    data: bytes
    table: Table
    plan: Plan
    report: Report

    @property
    def wrong(self) -> tuple[Said, ...]:
        """What has to be mended, by cell."""
        return tuple(one for one in self.report.said if one.severity == "violation" and one.row > 0)

    @property
    def vehicles(self) -> tuple[DraftVehicle, ...]:
        """Its vehicles, a row each."""
        return tuple(row.vehicle for row in self.plan.rows)

    def marked(self, language: Language) -> bytes:
        """Return the sheet as it was (XLSX), wrong cells marked, and why in a comment and in a column of its own."""
        return import_files.with_reasons(
            self.data, self.plan, self.report, form="xlsx", language=language, is_rest=False
        )


def read(data: bytes) -> HandedIn:
    """Read a sheet, before any rule of a request looks at it. RuleViolation for a file that is none."""
    table = reading.read(data)
    plan, report = read_plan(table, VEHICLE_COLUMNS)
    return HandedIn(data=data, table=table, plan=plan, report=report)


def judge(sheet: HandedIn, findings: Iterable[Finding]) -> HandedIn:
    """
    Return a sheet with what the rules of a request say of its vehicles (`/vehicles/<row from 0>/<field>`) besides.

    A cell that cannot be read is not judged again.
    """
    known = {one.place for one in sheet.wrong}
    fresh = (each for each in placed(findings, sheet.plan.rows, sheet.plan.places) if each.pointer not in known)
    plan, report = judged(sheet.plan, sheet.report, fresh, sheet.table)
    return replace(sheet, plan=plan, report=report)
