"""The rules about vehicles: how many, which VINs, in which window, by which manufacturer (B1, B3, B5)."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from signer.domain.confirmation import MOST_VEHICLES, USUAL_VEHICLES
from signer.domain.parties import comparable_name, is_same_name

if TYPE_CHECKING:
    from datetime import date

    from signer.domain.circumstances import Circumstances
    from signer.domain.ledger import Ledger
    from signer.domain.parties import FormerName, Manufacturer
    from signer.domain.reading import ReadDraft, ReadVehicle

__all__ = ["judge_vehicles"]

_MODEL = re.compile(r"[A-Z]{1,4}[0-9]{4,5}[A-Z0-9/()\-]*")
_MODEL_BRACKETS = str.maketrans("（）", "()")
MODEL_YEAR_AHEAD = 1
"""A model year may begin in the year before it."""
MODEL_YEAR_BEHIND = 3
"""A new vehicle is registered at most this many years after its model year."""


def judge_vehicles(read: ReadDraft, given: Circumstances, ledger: Ledger, *, count: int) -> None:
    """Note what the rules say about the vehicles; `count` is how many the draft has, read or not."""
    _judge_count(count, ledger)
    _judge_duplicates(read, ledger)
    _judge_several(read, given.manufacturer, ledger)
    for vehicle in read.vehicles:
        _judge_vin(vehicle, read, given, ledger)
        _judge_particulars(vehicle, ledger)
        _judge_name(vehicle, given.manufacturer, ledger)
        _judge_dates(vehicle, given.today, ledger)
        _judge_window(vehicle, read.planned_on, given.today, ledger)
    if read.vehicles and read.planned_on is None:
        ledger.note("application.missing", "/application_planned_on", today=f"{given.today}")
    elif read.planned_on is not None and read.planned_on < given.today:
        ledger.note("application.past", "/application_planned_on", planned=f"{read.planned_on}", today=f"{given.today}")


def _judge_count(count: int, ledger: Ledger) -> None:
    if count == 0:
        ledger.note("vehicles.none", "/vehicles")
    elif count > MOST_VEHICLES:
        ledger.note("vehicles.too-many", "/vehicles", count=str(count), most=str(MOST_VEHICLES))
    elif count > USUAL_VEHICLES:
        ledger.note("vehicles.many", "/vehicles", count=str(count), usual=str(USUAL_VEHICLES))


def _judge_duplicates(read: ReadDraft, ledger: Ledger) -> None:
    rows: defaultdict[str, list[ReadVehicle]] = defaultdict(list)
    for vehicle in read.vehicles:
        rows[vehicle.vin_text].append(vehicle)
    for vin, same in rows.items():
        if vin and len(same) > 1:
            lines = ", ".join(vehicle.line for vehicle in same)
            for vehicle in same[1:]:
                ledger.note("vin.duplicate", f"{vehicle.pointer}/vin", lines=lines)


def _judge_vin(vehicle: ReadVehicle, read: ReadDraft, given: Circumstances, ledger: Ledger) -> None:
    vin, pointer = vehicle.vin, f"{vehicle.pointer}/vin"
    if vin is None:
        return
    number = given.live.get(vin)
    if number is not None and number != read.supersedes:
        ledger.note("vin.live", pointer, number=number)
    wmis = given.manufacturer.wmis
    if wmis and vin.wmi not in wmis:
        ledger.note("vin.wmi", pointer, wmi=vin.wmi, own=", ".join(wmis))
    registered = vehicle.registered_on
    if registered is not None and not _is_plausible_year(vin.model_year, registered.year):
        ledger.note("vin.model-year", pointer, character=vin[9], registered=f"{registered}")
    if given.production is not None:
        ledger.note("production.known" if vin in given.production else "production.unknown", pointer)


def _is_plausible_year(model_year: int | None, registered: int) -> bool:
    if model_year is None:
        return False
    candidates = (model_year, model_year - 30)
    return any(-MODEL_YEAR_AHEAD <= registered - year <= MODEL_YEAR_BEHIND for year in candidates)


def _judge_particulars(vehicle: ReadVehicle, ledger: Ledger) -> None:
    if vehicle.model and not _MODEL.fullmatch(vehicle.model.translate(_MODEL_BRACKETS)):
        ledger.note("model.form", f"{vehicle.pointer}/model", model=vehicle.model)
    if vehicle.modified:
        ledger.note("vehicle.modified", f"{vehicle.pointer}/modified")


def _former_name(manufacturer: Manufacturer, name: str) -> FormerName | None:
    borne = (former for former in manufacturer.former_names if is_same_name(former.legal_name, name))
    return max(borne, key=lambda former: former.until, default=None)


def _judge_name(vehicle: ReadVehicle, manufacturer: Manufacturer, ledger: Ledger) -> None:
    name, pointer = vehicle.certificate_manufacturer, f"{vehicle.pointer}/certificate_manufacturer"
    if not name or is_same_name(name, manufacturer.legal_name):
        return
    if former := _former_name(manufacturer, name):
        _judge_former_name(vehicle, former, ledger)
    elif _without_stock(name) == _without_stock(manufacturer.legal_name):
        ledger.note("issuer.stock", pointer, name=name, issuer=manufacturer.legal_name)
    else:
        ledger.note("issuer.name", pointer, name=name, issuer=manufacturer.legal_name)


def _without_stock(name: str) -> str:
    return comparable_name(name).replace("股份", "")


def _judge_former_name(vehicle: ReadVehicle, former: FormerName, ledger: Ledger) -> None:
    registered = vehicle.registered_on
    if registered is None:  # its own violation
        return
    pointer = f"{vehicle.pointer}/certificate_manufacturer"
    name, until = vehicle.certificate_manufacturer, f"{former.until}"
    if registered <= former.until:
        ledger.note(
            "issuer.former-name", pointer, name=name, until=until, evidence=former.evidence, registered=f"{registered}"
        )
    else:
        ledger.note("issuer.former-name-late", pointer, name=name, until=until, registered=f"{registered}")


def _judge_several(read: ReadDraft, manufacturer: Manufacturer, ledger: Ledger) -> None:
    lines: defaultdict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    for vehicle in read.vehicles:
        if name := vehicle.certificate_manufacturer:
            own = manufacturer.legal_name if _former_name(manufacturer, name) else name
            names.setdefault(comparable_name(own), own)
            lines[comparable_name(own)].append(vehicle.line)
    if len(lines) > 1:
        zh = "；".join(f"{names[key]}：第 {'、'.join(rows)} 行" for key, rows in lines.items())
        en = "; ".join(f"{names[key]}: lines {', '.join(rows)}" for key, rows in lines.items())
        ledger.note("issuer.several", "/vehicles", lines=(zh, en))


def _judge_dates(vehicle: ReadVehicle, today: date, ledger: Ledger) -> None:
    registered, transferred = vehicle.registered_on, vehicle.transfer_pending_on
    if registered is not None and registered > today:
        ledger.note(
            "registration.future", f"{vehicle.pointer}/registered_on", registered=f"{registered}", today=f"{today}"
        )
    if transferred is None:
        return
    pointer = f"{vehicle.pointer}/transfer_pending_on"
    if registered is not None and transferred < registered:
        ledger.note("transfer.before-registration", pointer, transferred=f"{transferred}", registered=f"{registered}")
    if transferred > today:
        ledger.note("transfer.future", pointer, transferred=f"{transferred}", today=f"{today}")


def _judge_window(vehicle: ReadVehicle, planned_on: date | None, today: date, ledger: Ledger) -> None:
    """Judge B1 as of the planned application, or of today in Beijing when none is planned."""
    window = vehicle.window
    if window is None:
        return
    pointer, applied = f"{vehicle.pointer}/registered_on", planned_on or today
    state = window.state(applied)
    if state == "error":
        if planned_on is not None:
            ledger.note(
                "window.before-registration", pointer, applied=f"{applied}", registered=f"{window.registered_on}"
            )
        return
    through, free = f"{window.through}", f"{window.free_from}"
    ledger.note(
        "window.required" if state == "inside" else "window.voluntary",
        pointer,
        applied=f"{applied}",
        days=str(window.days(applied)),
        through=through,
        free=free,
    )
    if window.is_near_edge(applied):
        ledger.note("window.edge", pointer, applied=f"{applied}", through=through, free=free)
