"""What is wrong with a request: the fields of the rules of requests as JSON pointers, in the words of the pages."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from signer.errors import InvalidInput, ManufacturerSuspended, NotPermitted
from signer.web.portal.request_words import WRONG
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_POINTERS: Final[Mapping[str, str]] = {
    "country": "/destination/country",
    "port": "/destination/port",
    "buyer": "/destination/buyer",
    "planned_on": "/application_planned_on",
    "last_day": "/last_useful_on",
    "paste": "/vehicles",
    "vin": "/vins",
}
_TURNED_AWAY: Final = (
    "{maker}未接受贵企业，本次申请未发送。请与其联系，或将其车辆移出本次申请。",
    "{maker} does not deal with your company, and nothing was sent. Ask it why, or leave its vehicles out.",
)


def refuse(faults: Iterable[tuple[str, str]]) -> None:
    """Raise Refused naming every wrong field at once, if there is one."""
    if found := tuple(_fault(field, code) for field, code in faults):
        raise Refused("invalid-input", found)


@contextmanager
def in_words() -> Iterator[None]:
    """Say what a use case refuses by a field's name in words, by a pointer. Raises Refused."""
    try:
        yield
    except InvalidInput as error:
        raise Refused("invalid-input", (_fault(error.field, error.reason),)) from error


@contextmanager
def sending() -> Iterator[None]:
    """As `in_words`, where an exporter sends: a manufacturer that does not deal with it is named. Raises Refused."""
    try:
        with in_words():
            yield
    except ManufacturerSuspended:
        raise
    except NotPermitted as error:
        zh, en = (words.format(maker=error) for words in _TURNED_AWAY)
        raise Refused("not-permitted", (Fault(pointer="", code="exporter.refused", zh=zh, en=en),)) from error


def _fault(field: str, code: str) -> Fault:
    zh, en = WRONG[code]
    return Fault(pointer=_pointer(field), code=code, zh=zh, en=en)


def _pointer(field: str) -> str:
    """Return where a field stands in the body; `vin-3` is that of the third vehicle."""
    name, _, place = field.partition("-")
    return f"/vehicles/{int(place) - 1}/{name}" if place else _POINTERS.get(name, f"/{name}")
