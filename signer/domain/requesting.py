"""An exporter's wish for confirmations: rows as pasted, parted by manufacturer, and what the calendar says of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, Literal

from signer.domain.confirmation import Draft, DraftDestination, DraftVehicle, Standing
from signer.domain.parties import comparable_name, country_code
from signer.domain.values import parse_day, tidy, unprintable
from signer.domain.vehicle import Window, normalise_vin, vin_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from signer.domain.parties import Manufacturer, Uscc

__all__ = [
    "MOST_ROWS",
    "REFUSALS",
    "Advice",
    "Need",
    "Outcome",
    "Refusal",
    "Wish",
    "as_day",
    "as_words",
    "body_of",
    "faults",
    "last_useful",
    "makers_of",
    "need",
    "need_in",
    "outcome",
    "part",
    "pasted",
    "text_faults",
]

MOST_ROWS: Final = 200
"""Vehicles in one request, of all manufacturers together."""
Refusal = Literal["no-outlet", "not-ours", "not-localised", "exporter-unknown", "other"]
REFUSALS: Final[tuple[Refusal, ...]] = ("no-outlet", "not-ours", "not-localised", "exporter-unknown", "other")
"""Why a manufacturer refuses a request; the last one needs words."""
Outcome = Literal[
    "issued", "suspended", "partly-withdrawn", "partly-superseded", "withdrawn", "superseded", "ended", "unclear"
]
"""How an issued request stands by now. `ended`: some vehicles withdrawn, the others superseded; `unclear`: the register
cannot tell."""
Advice = Literal["unknown", "error", "needed", "wait", "free"]
_NEAR: Final = timedelta(days=30)
"""So close before the end of its window it may pay to wait."""
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_BREAKS = re.compile(r"[\t,;\uff0c\uff1b]")
_MOST_CELL = 200
_LONGEST: Final = {"port": 120, "buyer": 120, "contract": 120, "wanted": 400, "message": 1000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """
    What the 180 days mean for one vehicle, if it is applied for on a day.

    `through` is the last day that needs a confirmation, `free_from` the first one that needs none; both are None where
    the day of first registration is not known. `wait`: needed, but free within 30 days; `free`: not needed any more.
    """

    advice: Advice
    through: date | None = None
    free_from: date | None = None


def need(vehicle: DraftVehicle, *, on: date) -> Need:
    """Tell whether a vehicle needs a confirmation when its licence is applied for on a day, and until when."""
    try:
        window = Window(parse_day(tidy(vehicle.registered_on)))
    except ValueError:
        return Need(advice="unknown")
    return need_in(window, on=on)


def need_in(window: Window, *, on: date) -> Need:
    """Tell what a window means for an application on a day."""
    state = window.state(on)
    advice: Advice = "error" if state == "error" else "free"
    if state == "inside":
        advice = "wait" if window.free_from - on <= _NEAR else "needed"
    return Need(advice=advice, through=window.through, free_from=window.free_from)


def last_useful(vehicles: Iterable[DraftVehicle], *, wished: date | None, today: date) -> date:
    """
    Return the day until which an answer is of use: the exporter's own word, else the first end of a window to come.

    Where neither is known, that is 30 days from today.
    """
    if wished is not None:
        return wished
    ends = (need(vehicle, on=today).through for vehicle in vehicles)
    return min((end for end in ends if end is not None and end >= today), default=today + _NEAR)


def outcome(found: Iterable[Standing]) -> Outcome:
    """
    Return in one word how the vehicles of an issued request stand by now.

    A hold comes before anything, for it may pass; withdrawn comes before superseded, for nothing follows upon it.
    """
    known = frozenset(found)
    ended = known & {Standing.WITHDRAWN, Standing.SUPERSEDED}
    if Standing.SUSPENDED in known:
        return "suspended"
    if Standing.ISSUED in known:
        return "issued" if not ended else "partly-withdrawn" if Standing.WITHDRAWN in ended else "partly-superseded"
    if len(ended) > 1:
        return "ended"
    return "withdrawn" if Standing.WITHDRAWN in ended else "superseded"


def pasted(text: str) -> tuple[DraftVehicle, ...]:
    """
    Return the vehicles of pasted lines, each VIN once; at most one more than a request may have.

    A line begins with a VIN; cells after it (tabs, commas) are a day, the manufacturer's name (a company), brand and
    model, in any order of kinds. A line of nothing but words that look like VINs is as many vehicles. What is no VIN
    is kept as one, so that a person sees what is wrong with it.
    """
    found: dict[str, DraftVehicle] = {}
    for line in text.splitlines():
        for vehicle in _of_line(line):
            found.setdefault(vehicle.vin, vehicle)
            if len(found) > MOST_ROWS:
                return tuple(found.values())
    return tuple(found.values())


def _of_line(line: str) -> tuple[DraftVehicle, ...]:
    cells = [tidy(cell)[:_MOST_CELL] for cell in _BREAKS.split(line)]
    cells = [cell for cell in cells if cell]
    if not cells:
        return ()
    words = [word for cell in cells for word in cell.split()]
    if all(len(normalise_vin(word)) == 17 and word.isascii() for word in words):
        return tuple(DraftVehicle(vin=normalise_vin(word)) for word in words)
    if len(cells) == 1 and len(words) > 1 and len(normalise_vin(words[0])) == 17:
        cells = words
    vin, rest = normalise_vin(cells[0]), cells[1:]
    if vin_fault(vin) and not any(char.isdecimal() for char in vin):
        return ()  # a line of titles
    return (_read(vin, rest),)


def _read(vin: str, cells: Sequence[str]) -> DraftVehicle:
    told = {"vin": vin[:_MOST_CELL]}
    for cell in cells:
        if (day := as_day(cell)) and "registered_on" not in told:
            told["registered_on"] = day
        elif cell.endswith(("公司", "Ltd.", "Ltd")) and "certificate_manufacturer" not in told:
            told["certificate_manufacturer"] = cell
        elif "brand" not in told:
            told["brand"] = cell
        elif "model" not in told:
            told["model"] = cell
    return DraftVehicle.model_validate(told)


def as_day(typed: str) -> str:
    """Return a typed day, year first, as `YYYY-MM-DD`; '' for anything else: nothing is guessed."""
    found = _DAY.fullmatch(tidy(typed))
    if found is None:
        return ""
    year, month, day = found.groups()
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def makers_of(vehicle: DraftVehicle, makers: Sequence[Manufacturer]) -> tuple[Uscc, ...]:
    """
    Return who may have built a vehicle: one by the name on its certificate, else those whose WMI its VIN begins with.

    The name decides, former ones too: a WMI only ever hints.
    """
    typed = comparable_name(vehicle.certificate_manufacturer)
    if typed:
        return tuple(
            maker.uscc
            for maker in makers
            if typed
            in {comparable_name(name) for name in (maker.legal_name, *(each.legal_name for each in maker.former_names))}
        )
    wmi = normalise_vin(vehicle.vin)[:3]
    return tuple(maker.uscc for maker in makers if wmi in maker.wmis)


def part(
    vehicles: Sequence[DraftVehicle], makers: Sequence[Manufacturer]
) -> tuple[dict[Uscc, tuple[DraftVehicle, ...]], tuple[int, ...]]:
    """
    Return vehicles by manufacturer, each in the order typed, and the places of those that belong to none or to several.

    A vehicle without a name on its certificate gets the manufacturer's: it is what the certificate must say.
    """
    names = {maker.uscc: maker.legal_name for maker in makers}
    found: dict[Uscc, tuple[DraftVehicle, ...]] = {}
    lost: list[int] = []
    for place, vehicle in enumerate(vehicles):
        fitting = makers_of(vehicle, makers)
        if len(fitting) != 1:
            lost.append(place)
            continue
        named = vehicle.certificate_manufacturer or names[fitting[0]]
        whole = vehicle.model_copy(update={"certificate_manufacturer": named})
        found[fitting[0]] = (*found.get(fitting[0], ()), whole)
    return found, tuple(lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What an exporter asks for, as typed.

    `planned_on` is the day of the licence application, `last_day` the last day on which an answer is of use, `wanted`
    where outlets are wanted, `message` a first word to the manufacturers.
    """

    country: str
    port: str = ""
    buyer: str = ""
    contract: str = ""
    planned_on: str = ""
    last_day: str = ""
    wanted: str = ""
    message: str = ""
    vehicles: tuple[DraftVehicle, ...] = ()


def faults(wish: Wish, makers: Sequence[Manufacturer], *, today: date) -> tuple[tuple[str, str], ...]:
    """Return everything that keeps a wish from being sent: the field (`vin-3` for the third row) and what is wrong."""
    found: list[tuple[str, str]] = []
    code = country_code(tidy(wish.country))
    if code in ("", "CN"):
        found.append(("country", "country.domestic" if code else "country.unknown"))
    for name in ("planned_on", "last_day"):
        typed = getattr(wish, name)
        if typed.strip() and (not as_day(typed) or as_day(typed) < today.isoformat()):
            found.append((name, "day.wrong"))
    found += text_faults(wish)
    if not wish.vehicles:
        found.append(("paste", "vehicles.none"))
    if len(wish.vehicles) > MOST_ROWS:
        found.append(("paste", "vehicles.many"))
    seen: set[str] = set()
    for place, vehicle in enumerate(wish.vehicles, start=1):
        found += _of_vehicle(place, vehicle, makers, today=today, seen=seen)
    return tuple(found)


def as_words(text: str) -> str:
    """Return what somebody writes as it is stored: its lines tidy, nothing before the first or after the last."""
    return "\n".join(tidy(line) for line in text.replace("\r\n", "\n").split("\n")).strip()


def text_faults(wish: Wish) -> tuple[tuple[str, str], ...]:
    """Return which texts of a wish are too long or hold a character that no text may have; a message may have lines."""
    found: list[tuple[str, str]] = []
    for name, most in _LONGEST.items():
        typed = as_words(getattr(wish, name))
        lines = typed.split("\n") if name == "message" else (typed,)
        if len(typed) > most:
            found.append((name, "text.long"))
        elif any(unprintable(line) for line in lines):
            found.append((name, "text.odd"))
    return tuple(found)


def _of_vehicle(
    place: int, vehicle: DraftVehicle, makers: Sequence[Manufacturer], *, today: date, seen: set[str]
) -> list[tuple[str, str]]:
    vin, found = normalise_vin(vehicle.vin), []
    fault = vin_fault(vin) or ("vin.twice" if vin in seen else "")
    seen.add(vin)
    if fault:
        found.append((f"vin-{place}", fault))
    elif any(unprintable(text) for _, text in vehicle if isinstance(text, str)):
        found.append((f"vin-{place}", "text.odd"))
    if (advice := need(vehicle, on=today).advice) in ("unknown", "error"):
        found.append((f"registered_on-{place}", f"registered.{advice}"))
    if (fitting := len(makers_of(vehicle, makers))) != 1:
        found.append((f"certificate_manufacturer-{place}", "maker.several" if fitting else "maker.unknown"))
    return found


def body_of(wish: Wish, vehicles: tuple[DraftVehicle, ...], *, exporter: str, maker: str) -> Draft:
    """Return what one manufacturer is asked for, as the beginning of a draft."""
    return Draft(
        manufacturer=maker,
        exporter=exporter,
        contract=tidy(wish.contract),
        destination=DraftDestination(
            country=country_code(tidy(wish.country)), port=tidy(wish.port), buyer=tidy(wish.buyer)
        ),
        application_planned_on=as_day(wish.planned_on),
        vehicles=vehicles,
    )
