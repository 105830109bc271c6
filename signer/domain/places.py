"""Places on the globe: degrees as typed, the distance between two, and the ports that we know by name."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from signer.domain.values import tidy

__all__ = ["Place", "degrees", "distance_km", "port_place"]

EARTH_KM = 6371.0088
"""The mean radius of the Earth. Source: IUGG, (2a + b) / 3 of WGS 84."""
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,7})?")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A point in decimal degrees: latitude -90..90 (north positive), longitude -180..180 (east positive)."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        """Refuse what is no point on the globe. ValueError."""
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise ValueError("place.range")

    @classmethod
    def of(cls, latitude: str, longitude: str) -> Place | None:
        """Read two typed numbers of degrees; None if both are empty. ValueError for anything else."""
        texts = [tidy(typed).replace("\N{MINUS SIGN}", "-") for typed in (latitude, longitude)]
        if not any(texts):
            return None
        if not all(_DEGREES.fullmatch(text) for text in texts):
            raise ValueError("place.form")
        return cls(float(texts[0]), float(texts[1]))


def degrees(value: float) -> str:
    """Return degrees as decimal text, as they are stored: at most seven digits after the point (a centimetre)."""
    return f"{value:.7f}".rstrip("0").rstrip(".")


def distance_km(one: Place, other: Place) -> float:
    """Return the great-circle distance in kilometres (haversine: exact enough to order outlets, also nearby)."""
    north, other_north = math.radians(one.latitude), math.radians(other.latitude)
    east = math.radians(other.longitude - one.longitude)
    chord = math.sin((other_north - north) / 2) ** 2
    chord += math.cos(north) * math.cos(other_north) * math.sin(east / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, max(0.0, chord))))


_PORTS: tuple[tuple[str, Place, str], ...] = (
    ("KZ", Place(44.21, 80.41), "khorgos|horgos|altynkol|霍尔果斯|阿腾科里"),
    ("KZ", Place(45.17, 82.57), "dostyk|多斯特克"),
    ("KZ", Place(43.65, 51.16), "aktau|阿克套"),
    ("KG", Place(40.5, 75.38), "torugart|图噜噶尔特"),
    ("RU", Place(49.64, 117.33), "zabaikalsk|后贝加尔"),
    ("RU", Place(43.11, 131.89), "vladivostok|符拉迪沃斯托克|海参崴"),
    ("RU", Place(59.89, 30.2), "saint petersburg|st. petersburg|圣彼得堡"),
    ("RU", Place(44.72, 37.78), "novorossiysk|新罗西斯克"),
    ("AE", Place(25.01, 55.06), "jebel ali|杰贝阿里"),
    ("AE", Place(24.52, 54.37), "abu dhabi|khalifa port|阿布扎比"),
    ("SA", Place(21.47, 39.17), "jeddah|吉达"),
    ("SA", Place(26.49, 50.21), "dammam|达曼"),
    ("OM", Place(24.49, 56.63), "sohar|苏哈尔"),
    ("JO", Place(29.52, 35.0), "aqaba|亚喀巴"),
    ("MX", Place(19.06, -104.31), "manzanillo|曼萨尼约"),
    ("MX", Place(17.95, -102.17), "lazaro cardenas|拉萨罗·卡德纳斯"),
    ("MX", Place(19.2, -96.13), "veracruz|韦拉克鲁斯"),
    ("CL", Place(-33.59, -71.61), "san antonio|圣安东尼奥"),
    ("BR", Place(-23.96, -46.3), "santos|桑托斯"),
    ("GE", Place(41.65, 41.65), "batumi|巴统"),
    ("GE", Place(42.15, 41.66), "poti|波季"),
    ("UZ", Place(41.21, 69.22), "tashkent|塔什干"),
    ("BY", Place(52.1, 23.7), "brest|布列斯特"),
    ("EG", Place(31.19, 29.87), "alexandria|亚历山大"),
)
"""Country, place and names of ports and border stations, to about a kilometre."""


def port_place(country: str, port: str) -> Place | None:
    """Return where a typed port of a country is, if its name is one that we know."""
    typed = tidy(port).casefold()
    known = ((place, name) for code, place, names in _PORTS if code == country for name in names.split("|"))
    return next((place for place, name in known if name in typed), None)
