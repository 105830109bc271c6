"""The form of a new request: what was typed, pasted or handed in as a sheet, as one list of vehicles."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from signer.domain import requesting
from signer.domain.confirmation import DraftVehicle
from signer.domain.importing import read_plan
from signer.domain.requesting import MOST_ROWS, Wish
from signer.domain.values import parse_day
from signer.domain.vehicle import normalise_vin
from signer.domain.vehicle_columns import VEHICLE_COLUMNS
from signer.errors import RuleViolation
from signer.sheets import reading
from signer.web import languages
from signer.web.pages import countries
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from werkzeug.datastructures import MultiDict

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
    """A form as read: the wish, whether vehicles were added just now, and what is wrong with a sheet."""

    wish: Wish
    has_more: bool
    faults: tuple[Fault, ...]


def read(form: MultiDict[str, str], sheets: tuple[Upload, ...]) -> Read:
    """Return what a form says: its rows but those left out, then what was pasted, then the sheet's; each VIN once."""
    told = {name: form.get(name, "")[:_MOST_TYPED] for name in TEXTS}
    rows = _rows(form)
    pasted = requesting.pasted(form.get("paste", "")[:_MOST_PASTE])
    from_sheet, more, faults = _sheet(sheets)
    told = {name: told[name] or more.get(name, "") for name in told}
    known = {normalise_vin(row.vin) for row in rows}
    added = [each for each in (*pasted, *from_sheet) if normalise_vin(each.vin) not in known]
    once = {normalise_vin(each.vin): each for each in reversed(added)}
    new = [each for each in added if once.pop(normalise_vin(each.vin), None) is not None]
    vehicles = (*rows, *new)[: MOST_ROWS + 1]
    return Read(wish=replace(texts(told), vehicles=vehicles), has_more=bool(new), faults=faults)


def planned(wish: Wish, *, today: date) -> date:
    """Return the day on which windows are counted: that of the licence application, else today."""
    typed = requesting.as_day(wish.planned_on)
    return parse_day(typed) if typed else today


def shown(wish: Wish, *, today: date) -> dict[str, object]:
    """Return what the form shows of a wish: its texts, and its vehicles with their windows."""
    on = planned(wish, today=today)
    return {
        "wish": wish,
        "rows": [(number, each, requesting.need(each, on=on)) for number, each in enumerate(wish.vehicles, 1)],
        "carried": CARRIED,
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


def _rows(form: MultiDict[str, str]) -> tuple[DraftVehicle, ...]:
    numbers = sorted(int(found[1]) for name in form if (found := _ROW.fullmatch(name)))
    vehicles = []
    for number in numbers[: MOST_ROWS + 1]:
        told = {name: form.get(f"{name}-{number}", "").strip()[:_MOST_CELL] for name in (*SHOWN, *CARRIED)}
        is_left_out = form.get(f"drop-{number}") == "yes"
        if not is_left_out and any(told.values()):
            told["registered_on"] = requesting.as_day(told["registered_on"]) or told["registered_on"]
            told["vin"] = normalise_vin(told["vin"])
            is_modified = form.get(f"modified-{number}") == "yes"
            vehicles.append(DraftVehicle.model_validate({**told, "modified": is_modified}))
    return tuple(vehicles)


def _sheet(sheets: tuple[Upload, ...]) -> tuple[tuple[DraftVehicle, ...], dict[str, str], tuple[Fault, ...]]:
    """Return the vehicles of a sheet, what its first row says of the whole, and what is wrong with it."""
    if not sheets or not sheets[0].data:
        return (), {}, ()
    try:
        plan, report = read_plan(reading.read(sheets[0].data), VEHICLE_COLUMNS)
    except RuleViolation as error:
        wrong = error.violations[:_MOST_SHEET_FAULTS]
        return (), {}, tuple(Fault(pointer="sheet", code=one.rule, zh=one.zh, en=one.en) for one in wrong)
    told = [one for one in report.said if one.severity == "violation" and one.row > 0]
    faults = tuple(
        Fault(pointer="sheet", code=one.rule, zh=f"{one.place}：{one.zh}", en=f"{one.place}: {one.en}")
        for one in told[:_MOST_SHEET_FAULTS]
    )
    vehicles = tuple(row.vehicle for row in plan.rows[: MOST_ROWS + 1])
    first = plan.rows[0] if plan.rows else None
    more = {name: getattr(first, of) for name, of in _OF_SHEET.items()} if first else {}
    return vehicles, more, faults
