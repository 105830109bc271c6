"""The JSON of outlets, for machines: what is put is text as on the portal's page, lists as lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field

from signer.domain.outlet_entry import MOST_LIST
from signer.domain.values import Day, Frozen, Hex256
from signer.web.machines.shapes import Cursor, Ref

if TYPE_CHECKING:
    from pydantic import BaseModel

Typed = Annotated[str, Field(max_length=1000)]
Word = Annotated[str, Field(max_length=90, pattern=r"^[^;；,，、|\n]*$")]
"""One word of a list; none of the characters that separate the words of a list on a sheet."""
Words = Annotated[tuple[Word, ...], Field(max_length=MOST_LIST)]


class OutletEntry(Frozen):
    """
    An outlet as it is put: the whole of it, and what is left out is empty.

    `country` is a code or a name; days are YYYY-MM-DD; `latitude` and `longitude` are decimal degrees; `scope` names
    `mechanical`, `high-voltage-battery`, `software-and-diagnosis`; `brands` and `energies` are those that it serves,
    none for all.
    """

    country: Typed = ""
    name: Typed = ""
    name_local: Typed = ""
    provider: Typed = ""
    address: Typed = ""
    address_local: Typed = ""
    phone: Typed = ""
    email: Typed = ""
    hours: Typed = ""
    scope: Words = ()
    languages: Words = ()
    authorised_from: Typed = ""
    authorised_until: Typed = ""
    verified_on: Typed = ""
    latitude: Typed = ""
    longitude: Typed = ""
    brands: Words = ()
    energies: Words = ()


class OutletAnswer(Frozen):
    """
    An outlet as it stands today; `outlet` is what can be put again.

    `live`: it can be named. `closing`: it is live until `closed_on`, the first day on which it is closed.
    `is_overdue`: it was not verified for 90 days.
    """

    id: str
    state: Literal["live", "closing", "not-yet", "no-provider", "ended", "closed"]
    is_overdue: bool
    closed_on: Day | None
    outlet: OutletEntry


class OutletList(Frozen):
    """A part of the outlets, by id."""

    items: tuple[OutletAnswer, ...]
    next: Cursor


class FieldChange(Frozen):
    """One field that a list changes; lists stand as on a sheet, with semicolons."""

    field: str
    before: str
    after: str


class OutletChange(Frozen):
    """What a list changes of one outlet."""

    id: str
    fields: tuple[FieldChange, ...]


class WrongCellAnswer(Frozen):
    """One cell that is wrong: by the sheet's own letters and numbers, and by the field of its column."""

    cell: str
    field: str
    rule: str
    message: str


class OutletListAnswer(Frozen):
    """
    A sheet of outlets that was handed in, and what it would do as things are now.

    Nothing is changed before it is applied, in one transaction, by naming `digest`: that of the changes told here.
    `same` counts outlets that stay as they are. While a cell is `wrong`, nothing can be applied.
    """

    ref: Ref
    name: str
    kind: Literal["changes", "whole"]
    state: Literal["read", "done", "dropped"]
    digest: Hex256
    added: tuple[str, ...]
    changed: tuple[OutletChange, ...]
    closed: tuple[str, ...]
    same: int
    wrong: tuple[WrongCellAnswer, ...]


class Application(Frozen):
    """Which changes are to be made: the `digest` of those that were told."""

    digest: Hex256


_ENTRY: Final = {
    "country": "KZ",
    "name": "Almaty Sample Service Centre",
    "name_local": "Сервисный центр «Образец», Алматы",
    "provider": "Sample Motors Kazakhstan LLP",
    "address": "12 Sample Street, Almaty 050000",
    "phone": "+7 700 000 0001",
    "email": "kz-almaty@service.example",
    "hours": "Mon-Sat 09:00-18:00",
    "scope": ["mechanical", "high-voltage-battery"],
    "languages": ["ru", "kk"],
    "authorised_from": "2025-07-01",
    "authorised_until": "2028-06-30",
    "verified_on": "2026-10-20",
    "latitude": "43.2389",
    "longitude": "76.8897",
}
_ANSWER: Final = {"id": "kz-almaty", "state": "live", "is_overdue": False, "closed_on": None, "outlet": _ENTRY}
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SHAPES: tuple[type[BaseModel], ...] = (OutletEntry, OutletAnswer, OutletList, OutletListAnswer, Application)
EXAMPLES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    OutletEntry: _ENTRY,
    OutletAnswer: _ANSWER,
    OutletList: {"items": [_ANSWER], "next": None},
    OutletListAnswer: {
        "ref": "5f0c6a7d9e21b384",
        "name": "outlets.xlsx",
        "kind": "changes",
        "state": "read",
        "digest": _DIGEST,
        "added": ["om-muscat"],
        "changed": [{"id": "kz-almaty", "fields": [{"field": "hours", "before": "", "after": "Mon-Sat 09:00-18:00"}]}],
        "closed": [],
        "same": 11,
        "wrong": [],
    },
    Application: {"digest": _DIGEST},
}
