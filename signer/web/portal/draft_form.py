"""
The form of a draft: from its fields to a draft and back, losing nothing that was typed.

A field's id is its JSON pointer with hyphens: `/vehicles/0/vin` is `vehicles-0-vin`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from signer.domain.columns import as_day
from signer.domain.confirmation import (
    MOST_DRAFT_ROWS,
    MOST_OUTLETS,
    Draft,
    DraftCommitment,
    DraftDestination,
    DraftVehicle,
)
from signer.domain.values import tidy
from signer.domain.vehicle import normalise_vin
from signer.errors import TooLarge
from signer.web.problems import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from werkzeug.datastructures import MultiDict

    from signer.domain.merging import Clash, Value
    from signer.register.drafts import Kept

MOST_TYPED = 1000
"""What a draft holds of one field."""
PLAIN = ("exporter", "contract", "application_planned_on", "until", "supersedes")
DESTINATION = ("country", "port", "buyer")
PROMISES = ("text_zh", "text_en", "from_on", "until_on", "localised", "localised_note")
COUNTS = ("warranty_months", "warranty_km", "parts_years", "parts_lead_days")
ROW = (
    "vin",
    "brand",
    "model",
    "registered_on",
    "certificate_manufacturer",
    "transfer_pending_on",
    "certificate_no",
    "engine_no",
    "colour",
    "energy",
    "battery_code",
)
_IN_ROW = re.compile(r"vehicles-([0-9]{1,4})-([a-z_]+)")
USUAL_END, NO_END_ZH = "required-through", "不限"
_NO_END = frozenset({NO_END_ZH, "none"})
_BLANK = DraftVehicle()
Shown: TypeAlias = str | int | bool | tuple[str, ...] | None
_COPIED = ("brand", "model", "certificate_manufacturer", "energy")
"""What pasted vehicles take from the row before them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form said: the draft as far as one can hold it, its title, and what could not be held, by field."""

    body: Draft
    title: str
    title_shown: str
    version: int
    faults: tuple[Fault, ...]
    kept: Mapping[str, str]


def field_id(pointer: str) -> str:
    """Return the id of the field that a JSON pointer leads to."""
    return pointer.lstrip("/").replace("/", "-")


def values_of(draft: Draft) -> dict[str, str]:
    """Return what the fields of a draft's form hold, by id."""
    held: dict[str, str] = {name: getattr(draft, name) for name in PLAIN}
    held["until"] = _until_shown(draft.until)
    held |= {f"destination-{name}": getattr(draft.destination, name) for name in DESTINATION}
    held |= {f"commitment-{name}": getattr(draft.commitment, name) for name in PROMISES}
    held |= {f"commitment-{name}": _shown(getattr(draft.commitment, name)) for name in COUNTS}
    held["commitment-battery_service"] = _shown(draft.commitment.battery_service)
    held["outlets"] = _shown(draft.outlets)
    for place, row in enumerate(draft.vehicles):
        held |= {f"vehicles-{place}-{name}": getattr(row, name) for name in ROW}
        held[f"vehicles-{place}-modified"] = "yes" if row.modified else ""
        held[f"vehicles-{place}-outlets"] = _shown(row.outlets)
    return held


def _until_shown(kept: str) -> str:
    """Return the end for licence applications as a form has it: the usual end is the empty field."""
    return "" if kept == USUAL_END else kept


def _until(reader: _Reader, now: Draft) -> str:
    typed = reader.text("until")
    if typed.strip() in _NO_END:
        return "none"
    if typed.strip():
        return typed
    return now.until if now.until in ("", USUAL_END) else USUAL_END


def shown(clash_value: Value) -> str:
    """Return one side of a clash as text; '' for nothing."""
    return clash_value.vin if isinstance(clash_value, DraftVehicle) else _shown(clash_value)


def _shown(value: Shown) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    return "" if value is None else str(value)


def read(form: MultiDict[str, str], kept: Kept) -> Form:
    """
    Read a form over the draft as it is kept now, whose values stand for what cannot be held. Raises TooLarge.

    A clash for which theirs was picked is no edit; one for which nothing was picked stays open.
    """
    now = kept.body
    reader = _Reader(form, {**values_of(now), "title": kept.head.title})
    destination = DraftDestination(**{name: reader.text(f"destination-{name}") for name in DESTINATION})
    body = now.model_copy(
        update={
            **{name: reader.text(name) for name in PLAIN if name != "until"},
            "until": _until(reader, now),
            "destination": destination,
            "commitment": _commitment(reader, now),
            "outlets": _outlets(reader, now),
            "vehicles": _vehicles(reader),
        }
    )
    return Form(
        body=body,
        title=reader.text("title"),
        title_shown=form.get("title_shown", "")[:MOST_TYPED],
        version=_whole(form.get("version", "")) or 0,
        faults=tuple(reader.faults),
        kept=reader.kept,
    )


class _Reader:
    """Reads fields one by one, and remembers what could not be held."""

    def __init__(self, form: MultiDict[str, str], now: Mapping[str, str]) -> None:
        self.form = form
        self.now = now
        self.faults: list[Fault] = []
        self.kept: dict[str, str] = {}
        self.rows = _rows(form)

    def text(self, at: str) -> str:
        """Return a typed text, cut to what a draft holds, and said so."""
        if self.is_theirs(at):
            return self.now.get(at, "")
        typed = self.form.get(at, "").replace("\r\n", "\n")
        if len(typed) <= MOST_TYPED:
            return typed
        self.note(at, typed, "text.too-long", f"最多 {MOST_TYPED} 个字符", f"At most {MOST_TYPED} characters are kept.")
        return typed[:MOST_TYPED]

    def whole(self, at: str, now: int | None) -> int | None:
        """Return a typed whole number; what is none stays in the form and changes nothing."""
        if self.is_theirs(at):
            return now
        typed = tidy(self.form.get(at, ""))
        if not typed:
            return None
        found = _whole(typed)
        if found is None:
            self.note(at, typed, "commitment.number", "请填整数，如 36。", "Enter a whole number, such as 36.")
            return now
        return found

    def is_theirs(self, at: str) -> bool:
        """Tell whether a clash leaves a field as it is kept: theirs was picked, or nothing yet."""
        if at not in self.form.getlist("clash"):
            return False
        picked = self.form.get(f"pick-{at}")
        if picked is None:
            typed = self.form.get(at, "")
            self.note(at, typed, "clash", "请选择保留哪一个。", "Choose which of the two is kept.")
        return picked != "mine"

    def note(self, at: str, typed: str, code: str, zh: str, en: str) -> None:
        self.faults.append(Fault(pointer=at, code=code, zh=zh, en=en))
        self.kept[at] = typed


def _commitment(reader: _Reader, now: Draft) -> DraftCommitment:
    texts = {name: reader.text(f"commitment-{name}") for name in PROMISES}
    counts = {name: reader.whole(f"commitment-{name}", getattr(now.commitment, name)) for name in COUNTS}
    battery = {"yes": True, "no": False}.get(reader.text("commitment-battery_service"))
    return now.commitment.model_copy(update={**texts, **counts, "battery_service": battery})


def _outlets(reader: _Reader, now: Draft) -> tuple[str, ...]:
    if reader.is_theirs("outlets"):
        return now.outlets
    typed = (each.strip()[:MOST_TYPED] for each in reader.form.getlist("outlets")[:MOST_DRAFT_ROWS])
    return tuple(dict.fromkeys(each for each in typed if each))


def _rows(form: MultiDict[str, str]) -> dict[int, set[str]]:
    """Return which fields came for which rows."""
    rows: dict[int, set[str]] = {}
    for name in form:
        if (found := _IN_ROW.fullmatch(name)) and (found[2] in ROW or found[2] in ("modified", "outlets")):
            rows.setdefault(int(found[1]), set()).add(found[2])
    if len(rows) > MOST_DRAFT_ROWS:
        raise TooLarge(f"{len(rows)} vehicles; at most {MOST_DRAFT_ROWS}")
    return rows


def _vehicles(reader: _Reader) -> tuple[DraftVehicle, ...]:
    """Return the rows in order; empty ones at the end are only there to be typed into."""
    typed = [_vehicle(reader, f"vehicles-{place}") for place in sorted(reader.rows)]
    while typed and typed[-1] == _BLANK:
        typed.pop()
    return tuple(typed)


def _vehicle(reader: _Reader, at: str) -> DraftVehicle:
    texts = {name: reader.text(f"{at}-{name}") for name in ROW}
    outlets = tuple(dict.fromkeys(re.findall(r"[^\s,，、;；]+", reader.text(f"{at}-outlets"))))
    return DraftVehicle(**texts, modified=reader.text(f"{at}-modified") == "yes", outlets=outlets[:MOST_OUTLETS])


def _whole(typed: str) -> int | None:
    found = re.fullmatch(r"(-?[0-9]{1,12})", re.sub(r"[,，\s]", "", typed.translate(_WIDE)))
    return int(found[1]) if found else None


_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)}


def pasted(body: Draft, typed: str, *, maker: str) -> Draft:
    """
    Return a draft with a row for each pasted VIN that it has not yet; what is no VIN becomes a row as well, to mend.

    A line's cells are parted by tabs, commas or semicolons. The one day that stands beside a VIN is that of its first
    registration. Raises TooLarge.
    """
    known = {normalise_vin(row.vin) for row in body.vehicles}
    last = body.vehicles[-1] if body.vehicles else DraftVehicle(certificate_manufacturer=maker)
    copied = {name: getattr(last, name) for name in _COPIED}
    fresh: dict[str, str] = {}
    for vin, day in _lines(typed):
        if normalise_vin(vin) not in known:
            fresh.setdefault(vin, day)
    if len(body.vehicles) + len(fresh) > MOST_DRAFT_ROWS:
        raise TooLarge(f"{len(fresh)} vehicles; at most {MOST_DRAFT_ROWS}")
    rows = tuple(DraftVehicle(vin=vin[:MOST_TYPED], registered_on=day, **copied) for vin, day in fresh.items())
    return body.model_copy(update={"vehicles": body.vehicles + rows})


def _lines(typed: str) -> Iterable[tuple[str, str]]:
    """Return each VIN, or line that holds none, with the day that stands beside it, '' for none or several."""
    for line in typed.splitlines():
        cells = [cell.strip() for cell in re.split(r"[\t,，、;；]", line)]
        words = [word for cell in cells for word in ([cell] if len(normalise_vin(cell)) == 17 else cell.split())]
        found = [word for word in words if len(normalise_vin(word)) == 17]
        days = {day for day in map(as_day, (*cells, *words)) if _is_day(day)}
        day = days.pop() if len(found) == len(days) == 1 else ""
        yield from ((vin, day) for vin in found or [line.strip()] * bool(line.strip()))


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return date.fromisoformat(text).isoformat() == text
    return False


def without_row(body: Draft, place: int) -> Draft:
    """Return a draft without one row."""
    rows = body.vehicles
    return body.model_copy(update={"vehicles": rows[:place] + rows[place + 1 :]})


def is_row(place: str) -> bool:
    """Tell whether an id is a whole vehicle's."""
    return re.fullmatch(r"vehicles-[0-9]+", place) is not None


def sides(clashes: tuple[Clash, ...]) -> dict[str, tuple[str, str]]:
    """Return what both wrote, mine first, by the id of the field; whole vehicles are left out."""
    told = {field_id(clash.pointer): (shown(clash.mine), shown(clash.theirs)) for clash in clashes}
    if "until" in told:
        mine, theirs = told["until"]
        told["until"] = (_until_shown(mine), _until_shown(theirs))
    return {place: both for place, both in told.items() if not is_row(place)}
