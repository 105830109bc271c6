"""The page of a buyer or a workshop: one car, by its VIN and the day of its first registration. No account needed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, request

from signer.domain.places import degrees
from signer.domain.values import parse_day
from signer.domain.vehicle import normalise_vin
from signer.errors import TooManyRequests
from signer.web import intake, proxies
from signer.web.fields import Faults, look_alikes, vins

if TYPE_CHECKING:
    from signer import wiring
    from signer.domain.parties import Outlet
    from signer.domain.places import Place
    from signer.services.cars import Covered
    from signer.web.pages import Pages

_MOST_BODY = 4_000
_TOO_MANY = (
    "来自您所在网络的错误查询过多，请稍后再试，最迟明天即可；其他网络不受影响。",
    "Too many questions from your network were wrong. Ask again tomorrow at the latest; others are not affected.",
)
_MAP = "https://www.openstreetmap.org/"
_ZOOM = 16
_DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_LIKE_LATIN = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")
"""Cyrillic capitals that look like those of a VIN: on a Russian keyboard they are typed without being noticed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarForm:
    """The form as it was filled in."""

    vin: str = ""
    registered_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where an outlet's place is shown: on a map of the web, and by the telephone's own program (RFC 5870)."""

    map: str
    geo: str
    tel: str


def blueprint(services: wiring.Services, pages: Pages) -> Blueprint:
    """Return the page."""
    public = Blueprint("car", __name__)

    @public.get("/car")
    def form() -> str:
        """Show the empty form."""
        return _draw(pages, CarForm())

    @public.post("/car")
    def answer() -> tuple[str, int] | tuple[str, int, dict[str, str]] | str:
        """Tell who services the car, or the one answer for everything that is not known."""
        intake.refuse_type(intake.MULTIPART, intake.FORM)
        with intake.limited(_MOST_BODY):
            values = request.form
        filled = CarForm(vin=values.get("vin", "")[:60], registered_on=values.get("registered_on", "")[:40])
        faults = Faults()
        vin, day = _vin(filled.vin, faults), _day(filled.registered_on, faults)
        if vin is None or day is None:
            return _draw(pages, filled, faults=faults), 422
        try:
            found = services.cars.ask(vin, day, network=proxies.network(services.settings))
        except TooManyRequests as error:
            faults.add("vin", "vin.too-many", *_TOO_MANY)
            return _draw(pages, filled, faults=faults), 429, {"Retry-After": str(error.retry_after_s)}
        return _draw(pages, filled, answer=found, vin=vin)

    return public


def links(outlet: Outlet, place: Place | None) -> Links:
    """Return the links to an outlet's place: by its coordinates if they are known, else by its address."""
    tel = re.sub(r"[^0-9+]", "", outlet.phone or "")
    if place is None:
        return Links(
            map=f"{_MAP}search?{urlencode({'query': outlet.address_local or outlet.address})}", geo="", tel=tel
        )
    north, east = degrees(place.latitude), degrees(place.longitude)
    return Links(map=f"{_MAP}?mlat={north}&mlon={east}#map={_ZOOM}/{north}/{east}", geo=f"geo:{north},{east}", tel=tel)


def _draw(
    pages: Pages, filled: CarForm, *, faults: Faults | None = None, answer: Covered | None = None, vin: str = ""
) -> str:
    told = [(fault.pointer, fault.text(pages.speech())) for fault in faults.all()] if faults else []
    return pages.draw(
        "car.html",
        form=filled,
        faults=told,
        wrong={place: [text for at, text in told if at == place] for place, _ in told},
        answer=answer,
        vin=vin,
        links=links,
    )


def _vin(typed: str, faults: Faults) -> str | None:
    text = normalise_vin(typed.upper().translate(_LIKE_LATIN))
    if not text:
        faults.add("vin", "field.missing", "请填写车辆识别代号（VIN）", "give the VIN")
        return None
    found = vins((text,), faults, at=lambda _: "vin")
    if look_alikes(found):
        faults.add(
            "vin",
            "vin.look-alike",
            "车辆识别代号不含 I、O、Q：是否应为 1 或 0？",
            "a VIN has no I, O or Q: was 1 or 0 meant?",
        )
        return None
    return found[0] if found else None


def _day(typed: str, faults: Faults) -> date | None:
    text = typed.strip()
    if not text:
        faults.add("registered_on", "field.missing", "请填写首次登记日期", "give the day of first registration")
        return None
    try:
        if of_day := _DAY_FIRST.fullmatch(text):
            day, month, year = map(int, of_day.groups())
            return parse_day(date(year, month, day))
        return parse_day(text)
    except ValueError:
        faults.add(
            "registered_on", "date.form", "日期请写成 YYYY-MM-DD，且须真实存在", "write a real date as YYYY-MM-DD"
        )
        return None
