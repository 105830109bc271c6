"""
What a sheet amounts to: rows that belong together become drafts, and every wrong cell is told by row and column.

Pure: the same rows are always parted in the same way, so that a run that was cut off can go on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from signer.domain.columns import find_header, read_rows
from signer.domain.confirmation import (
    MOST_VEHICLES,
    USUAL_VEHICLES,
    Draft,
    DraftCommitment,
    DraftDestination,
    DraftVehicle,
)
from signer.domain.parties import comparable_name, country_code, normalise_uscc
from signer.domain.sheet_rules import finding
from signer.domain.table import address, column_of
from signer.domain.values import Frozen, Instant, tidy
from signer.domain.vehicle import normalise_vin
from signer.errors import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from signer.domain.columns import Column, Header, ReadRow
    from signer.domain.table import Table
    from signer.errors import Finding

MOST_SAID = 3_000
"""Remarks that are kept; more are counted only."""
_OF_GROUP = frozenset({"vin.duplicate", "issuer.several"})
"""Rules that look at several vehicles of one draft: how rows are parted must not change a row's report."""
_FIELDS = {
    "/exporter": "exporter",
    "/destination/country": "country",
    "/destination/port": "port",
    "/destination/buyer": "buyer",
    "/contract": "contract",
    "/application_planned_on": "application_planned_on",
}
_MAY_BE_ADDED = frozenset({"exporter.missing", "country.missing", "application.missing"})
"""What a draft may lack until somebody types it there."""


class Said(Frozen):
    """One remark: the cell (`C5`), a column (`C`) or '' for the whole file, its header, what was typed, and why."""

    place: str
    row: int
    header: str
    typed: str
    rule: str
    severity: Severity
    zh: str
    en: str

    @property
    def column(self) -> int:
        """The column, counted from 0; -1 for the whole file."""
        return column_of(self.place.rstrip("0123456789"))


class SheetRow(Frozen):
    """One vehicle of a sheet. `maker` is the USCC of the manufacturer in whose drafts it belongs."""

    row: int
    maker: str = ""
    exporter: str = ""
    contract: str = ""
    country: str = ""
    port: str = ""
    buyer: str = ""
    application_planned_on: str = ""
    vehicle: DraftVehicle
    built_on: str = ""
    is_good: bool = True

    @property
    def vin(self) -> str:
        """The VIN in its stored form, as far as it is one."""
        return normalise_vin(self.vehicle.vin)

    @property
    def key(self) -> tuple[str, ...]:
        """What one draft can say only once."""
        texts = map(tidy, (self.contract, self.port, self.buyer, self.application_planned_on))
        country = country_code(tidy(self.country)) or tidy(self.country)
        return (self.maker, normalise_uscc(self.exporter), country, *texts)


class Chosen(Frozen):
    """
    How an import is run: whether bad rows are left out, at most how many vehicles a draft gets, since when.

    `commitments` are those that the drafts begin with, by manufacturer: what it promised last.
    """

    only_good: bool
    size: Annotated[int, Field(ge=1, le=MOST_VEHICLES)] = USUAL_VEHICLES
    at: Instant
    commitments: Mapping[str, DraftCommitment] = Field(default_factory=dict)


class Plan(Frozen):
    """What a sheet says, read: its form, its header, its rows; once it runs also how."""

    form: Literal["xlsx", "csv"]
    sheet: str = ""
    others: tuple[str, ...] = ()
    header_row: int
    titles: tuple[str, ...]
    places: Mapping[str, int]
    rows: tuple[SheetRow, ...]
    chosen: Chosen | None = None

    @property
    def good(self) -> tuple[SheetRow, ...]:
        """The rows that break no rule."""
        return tuple(row for row in self.rows if row.is_good)

    @property
    def bad_rows(self) -> frozenset[int]:
        """The numbers of the others."""
        return frozenset(row.row for row in self.rows if not row.is_good)


class DraftMade(Frozen):
    """A draft that an import made: its reference, whose it is, how many vehicles it has."""

    ref: str
    maker: str
    title: str
    vehicles: int


class Failure(Frozen):
    """
    Why an import cannot go on, and what failed, in words for whoever mends it.

    `tries`: it failed as often as it is tried; `sheet`: the file can be read no more; `plan`: what was kept of it is
    damaged.
    """

    code: Literal["tries", "sheet", "plan"]
    words: str = ""


class Report(Frozen):
    """
    What is told of a sheet: the remarks that are kept, how many there are, and what came of it.

    `failure` says why it did not go on to its end.
    """

    said: tuple[Said, ...] = ()
    count: int = 0
    drafts: tuple[DraftMade, ...] = ()
    skipped: tuple[int, ...] = ()
    failure: Failure | None = None


def read_plan(table: Table, columns: tuple[Column, ...]) -> tuple[Plan, Report]:
    """Return what a sheet says and what is wrong with its cells, before any rule looks at it. Raises RuleViolation."""
    header = find_header(table, columns)
    rows = read_rows(table, header, columns)
    noted = [*header.findings, *(found for row in rows for found in row.findings)]
    typed = {row.number: [cell.text for cell in row.cells] for row in table.rows}
    plan = Plan(
        form="xlsx" if table.form == "xlsx" else "csv",
        sheet=table.sheet,
        others=table.others,
        header_row=header.row,
        titles=header.titles,
        places=dict(header.places),
        rows=tuple(map(sheet_row, rows)),
    )
    noted += _twice(plan.rows, header)
    return _marked(plan, said_of(noted, header.titles, typed))


def sheet_row(row: ReadRow) -> SheetRow:
    """Return a row that was read as the vehicle that it tells of, still nobody's."""
    texts: dict[str, object] = {**row.texts, "modified": row.texts.get("modified") == "yes"}
    vehicle = {name: text for name, text in texts.items() if name in DraftVehicle.model_fields}
    others = {name: text for name, text in texts.items() if name in SheetRow.model_fields}
    return SheetRow.model_validate({"row": row.number, "vehicle": vehicle, **others})


def _twice(rows: Sequence[SheetRow], header: Header) -> list[Finding]:
    first: dict[str, int] = {}
    for row in rows:
        first.setdefault(row.vin, row.row)
    return [
        finding("vin.twice", address(row.row, header.places["vin"]), row=f"{first[row.vin]}")
        for row in rows
        if row.vin and first[row.vin] != row.row
    ]


def said_of(findings: Iterable[Finding], titles: Sequence[str], typed: Mapping[int, Sequence[str]]) -> tuple[Said, ...]:
    """Return findings whose pointers are cells as remarks, with the header and what was typed, in the sheet's order."""
    return tuple(sorted((_said(found, titles, typed) for found in dict.fromkeys(findings)), key=_order))


def _said(found: Finding, titles: Sequence[str], typed: Mapping[int, Sequence[str]]) -> Said:
    column = column_of(found.pointer.rstrip("0123456789"))
    row = int(found.pointer.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or 0)
    cells = typed.get(row, ())
    return Said(
        place=found.pointer,
        row=row,
        header=titles[column] if 0 <= column < len(titles) else "",
        typed=cells[column][:200] if 0 <= column < len(cells) else "",
        rule=found.rule,
        severity=found.severity,
        zh=found.zh,
        en=found.en,
    )


def _order(said: Said) -> tuple[int, int, str]:
    return said.row, said.column, said.rule


def _marked(plan: Plan, said: Iterable[Said]) -> tuple[Plan, Report]:
    told = tuple(said)
    bad = {one.row for one in told if one.severity == "violation"}
    rows = tuple(row.model_copy(update={"is_good": row.row not in bad}) for row in plan.rows)
    kept = sorted(told, key=lambda one: one.severity != "violation")[:MOST_SAID]
    report = Report(said=tuple(sorted(kept, key=_order)), count=len(told))
    return plan.model_copy(update={"rows": rows}), report


def judged(plan: Plan, report: Report, findings: Iterable[Finding], table: Table) -> tuple[Plan, Report]:
    """Return plan and report with what the rules found besides; the findings' pointers are cells."""
    typed = {row.number: [cell.text for cell in row.cells] for row in table.rows}
    more = said_of(findings, plan.titles, typed)
    empty = {one.place for one in report.said if one.severity == "violation" and one.rule.startswith("cell.")}
    fresh = [one for one in more if not (one.place in empty and one.rule.endswith(".missing"))]
    return _marked(plan, sorted((*report.said, *fresh), key=_order))


def assigned(plan: Plan, makers: Mapping[str, Iterable[str]], *, own: str) -> Plan:
    """
    Return the plan with each row given to a manufacturer, by the name on its registration certificate.

    `makers` are those for whom the person may prepare: names, former ones too, by USCC. What bears another name stays
    with `own`, where the rules say why it cannot be.
    """
    by_name = {comparable_name(name): uscc for uscc, names in makers.items() for name in names}
    rows = (
        row.model_copy(update={"maker": by_name.get(comparable_name(row.vehicle.certificate_manufacturer), own)})
        for row in plan.rows
    )
    return plan.model_copy(update={"rows": tuple(rows)})


def parted(rows: Iterable[SheetRow], size: int) -> tuple[tuple[SheetRow, ...], ...]:
    """Return rows as drafts of at most so many vehicles: by manufacturer, exporter and destination, as they come."""
    groups: dict[tuple[str, ...], list[SheetRow]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(row)
    return tuple(
        tuple(group[start : start + size]) for group in groups.values() for start in range(0, len(group), size)
    )


def draft_of(group: Sequence[SheetRow], manufacturer: str, commitment: DraftCommitment) -> Draft:
    """Return the draft of rows that belong together, for a manufacturer's name."""
    first = group[0]
    return Draft(
        manufacturer=manufacturer,
        exporter=first.exporter,
        contract=first.contract,
        destination=DraftDestination(country=first.country, port=first.port, buyer=first.buyer),
        application_planned_on=first.application_planned_on,
        vehicles=tuple(row.vehicle for row in group),
        commitment=commitment,
    )


def placed(findings: Iterable[Finding], group: Sequence[SheetRow], places: Mapping[str, int]) -> tuple[Finding, ...]:
    """
    Return what the rules said about a group's draft, each pointer turned into a cell of the sheet.

    Left out are notices, what a draft may lack until later, and what is about the draft as a whole: the draft itself
    will say that.
    """
    found: list[Finding] = []
    for each in findings:
        if each.severity != "notice" and each.rule not in _OF_GROUP | _MAY_BE_ADDED:
            found.extend(replace(each, pointer=place) for place in cells_of(each.pointer, group, places))
    return tuple(found)


def cells_of(pointer: str, group: Sequence[SheetRow], places: Mapping[str, int]) -> tuple[str, ...]:
    """Return the cells of the sheet that a field of a group's draft comes from; none for what is in no column."""
    steps = pointer.split("/")
    if steps[1:2] == ["vehicles"] and len(steps) > 3:
        return (address(group[int(steps[2])].row, places.get(steps[3], places["vin"])),)
    column = places.get(_FIELDS.get(pointer, ""))
    return () if column is None else tuple(address(row.row, column) for row in group)
