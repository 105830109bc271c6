"""The form of a new request: what was typed, pasted or handed in as a sheet, as one list of vehicles."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, fields, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from signer.domain import requesting
from signer.domain.confirmation import DraftVehicle
from signer.domain.requesting import MOST_ROWS, Wish
from signer.domain.values import parse_day
from signer.domain.vehicle import normalise_vin, vin_fault
from signer.errors import Finding, RuleViolation
from signer.services import import_files, request_sheets
from signer.web import languages
from signer.web.pages import countries
from signer.web.portal.request_words import WRONG
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from werkzeug.datastructures import MultiDict

    from signer.services.request_sheets import HandedIn
    from signer.web.intake import Upload

SHOWN: Final = ("vin", "registered_on", "certificate_manufacturer", "brand", "model", "transfer_pending_on")
"""The fields of a vehicle that a row shows; the others only travel along."""
CARRIED: Final = ("certificate_no", "engine_no", "colour", "energy", "battery_code")
TEXTS: Final = tuple(field.name for field in fields(Wish) if field.name != "vehicles")
_MOST_TYPED, _MOST_CELL, _MOST_PASTE = 2000, 200, 100_000
_ROW = re.compile(r"vin-([0-9]{1,4})")
_OF_SHEET: Final = {"country": "country", "port": "port", "buyer": "buyer", "contract": "contract"}
_MOST_SHEET_FAULTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """
    A form as read: the wish, whether vehicles were added just now, and what is wrong with a sheet.

    `sheet` is what was handed in, if it could be read, under `file_name`; `odd` are texts of a sheet that are no VIN.
    """

    wish: Wish
    has_more: bool = False
    faults: tuple[Fault, ...] = ()
    sheet: HandedIn | None = None
    file_name: str = ""
    odd: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A sheet with its wrong cells marked: in how many places, and the whole file as the address of a link."""

    count: int
    name: str
    href: str


def read(form: MultiDict[str, str], sheets: tuple[Upload, ...]) -> Read:
    """
    Return what a form says: its rows but those left out, then what was pasted, then the sheet's; each VIN once.

    A sheet that is handed in again corrects the rows with its VINs, and takes the place of what was no VIN in a former
    one.
    """
    told = {name: form.get(name, "")[:_MOST_TYPED] for name in TEXTS}
    sheet, faults = _sheet(sheets)
    from_sheet = () if sheet is None else sheet.vehicles[: MOST_ROWS + 1]
    better = {normalise_vin(each.vin): each for each in reversed(from_sheet)}
    rows, odd = _rows(form, is_handed_in=bool(sheet))
    rows = tuple(better.get(normalise_vin(row.vin), row) for row in rows)
    pasted = requesting.pasted(form.get("paste", "")[:_MOST_PASTE])
    told = {name: told[name] or _first(sheet, name) for name in told}
    known = {normalise_vin(row.vin) for row in rows}
    added = [each for each in (*pasted, *from_sheet) if normalise_vin(each.vin) not in known]
    once = {normalise_vin(each.vin): each for each in reversed(added)}
    new = [each for each in added if once.pop(normalise_vin(each.vin), None) is not None]
    vehicles = (*rows, *new)[: MOST_ROWS + 1]
    return Read(
        wish=replace(texts(told), vehicles=vehicles),
        has_more=bool(new),
        faults=faults,
        sheet=sheet,
        file_name=PurePath(sheets[0].name).stem[:60] if sheets else "",
        odd=odd | {each.vin for each in from_sheet if vin_fault(normalise_vin(each.vin))},
    )


def judged(found: Read, faults_of: Callable[[Wish], tuple[tuple[str, str], ...]]) -> Read:
    """Return a form with its sheet judged by the rules of a request: the first ten wrong cells are told by the page."""
    if found.sheet is None:
        return found
    asked = replace(found.wish, vehicles=found.sheet.vehicles[:MOST_ROWS])
    sheet = request_sheets.judge(found.sheet, _findings(faults_of(asked)))
    faults = tuple(
        Fault(pointer="sheet", code=one.rule, zh=f"{one.place}：{one.zh}", en=f"{one.place}: {one.en}")
        for one in sheet.wrong[:_MOST_SHEET_FAULTS]
    )
    return replace(found, sheet=sheet, faults=faults)


def marked(found: Read) -> Marked | None:
    """
    Return the sheet that was handed in, if anything is wrong in it, every wrong cell marked, as a link of the page.

    The file travels in the page: it is kept nowhere, and needs no script.
    """
    sheet = found.sheet
    if sheet is None or not sheet.wrong:
        return None
    data = base64.b64encode(sheet.marked("zh" if languages.chosen() == "zh" else "en")).decode()
    name = f"{found.file_name or 'vehicles'}-marked.xlsx"
    return Marked(count=len(sheet.wrong), name=name, href=f"data:{import_files.MEDIA_TYPES['xlsx']};base64,{data}")


def _findings(faults: tuple[tuple[str, str], ...]) -> tuple[Finding, ...]:
    """Return what is wrong with single vehicles as findings; a VIN that comes twice is the sheet's own to tell."""
    found: list[Finding] = []
    for place, code in faults:
        name, _, row = place.partition("-")
        if row.isdecimal() and code != "vin.twice":
            zh, en = WRONG[code]
            pointer = f"/vehicles/{int(row) - 1}/{name}"
            found.append(Finding(rule=code, severity="violation", pointer=pointer, zh=zh, en=en, source=""))
    return tuple(found)


def _first(sheet: HandedIn | None, name: str) -> str:
    """Return what the first row of a sheet says of the whole."""
    if sheet is None or not sheet.plan.rows or name not in _OF_SHEET:
        return ""
    return str(getattr(sheet.plan.rows[0], _OF_SHEET[name]))


def planned(wish: Wish, *, today: date) -> date:
    """Return the day on which windows are counted: that of the licence application, else today."""
    typed = requesting.as_day(wish.planned_on)
    return parse_day(typed) if typed else today


def shown(found: Read, *, today: date) -> dict[str, object]:
    """Return what the form shows of a wish: its texts, and its vehicles with their windows."""
    wish, on = found.wish, planned(found.wish, today=today)
    return {
        "wish": wish,
        "rows": [(number, each, requesting.need(each, on=on)) for number, each in enumerate(wish.vehicles, 1)],
        "carried": CARRIED,
        "odd": found.odd,
        "marked": marked(found),
        "countries": countries(languages.chosen()),
        "most": MOST_ROWS,
    }


def texts(form: Mapping[str, str]) -> Wish:
    """Return a wish without vehicles, its texts as typed."""
    told = {name: form.get(name, "")[:_MOST_TYPED] for name in TEXTS}
    return Wish(
        country=told["country"],
        port=told["port"],
        buyer=told["buyer"],
        contract=told["contract"],
        planned_on=told["planned_on"],
        last_day=told["last_day"],
        wanted=told["wanted"],
        message=told["message"],
    )


def _rows(form: MultiDict[str, str], *, is_handed_in: bool) -> tuple[tuple[DraftVehicle, ...], frozenset[str]]:
    """Return the rows of a form, and which of their texts in the place of a VIN came from a sheet and are none."""
    numbers = sorted(int(found[1]) for name in form if (found := _ROW.fullmatch(name)))
    vehicles, odd = [], set()
    for number in numbers[: MOST_ROWS + 1]:
        told = {name: form.get(f"{name}-{number}", "").strip()[:_MOST_CELL] for name in (*SHOWN, *CARRIED)}
        told["registered_on"] = requesting.as_day(told["registered_on"]) or told["registered_on"]
        told["vin"] = normalise_vin(told["vin"])
        is_odd = form.get(f"odd-{number}") == "yes" and bool(vin_fault(told["vin"]))
        is_left_out = form.get(f"drop-{number}") == "yes" or (is_odd and is_handed_in)
        if not is_left_out and any(told.values()):
            is_modified = form.get(f"modified-{number}") == "yes"
            vehicles.append(DraftVehicle.model_validate({**told, "modified": is_modified}))
            odd |= {told["vin"]} if is_odd else set()
    return tuple(vehicles), frozenset(odd)


def _sheet(sheets: tuple[Upload, ...]) -> tuple[HandedIn | None, tuple[Fault, ...]]:
    """Return a sheet as read, or why it cannot be."""
    if not sheets or not sheets[0].data:
        return None, ()
    try:
        return request_sheets.read(sheets[0].data), ()
    except RuleViolation as error:
        wrong = error.violations[:_MOST_SHEET_FAULTS]
        return None, tuple(Fault(pointer="sheet", code=one.rule, zh=one.zh, en=one.en) for one in wrong)
