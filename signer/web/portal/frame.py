"""The frame around every page behind a sign-in: where one is, as whom, for which manufacturer, and where else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request

from signer.domain.parties import Role
from signer.web import languages

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.parties import Uscc
    from signer.web.pages import Pages
    from signer.web.portal.doors import Visit
    from signer.web.problems import Fault

OWN: Final = frozenset({Role.PREPARER, Role.APPROVER, Role.ADMIN, Role.AUDITOR})
NAVIGATION: tuple[tuple[str, str, frozenset[Role]], ...] = (
    ("desk", "", OWN),
    ("requests", "/requests", OWN),
    ("drafts", "/drafts", OWN),
    ("imports", "/imports", frozenset({Role.PREPARER, Role.ADMIN})),
    ("approvals", "/approvals", OWN),
    ("confirmations", "/confirmations", OWN),
    ("outlets", "/outlets", OWN),
    ("seals", "/seals", OWN),
    ("alarms", "/alarms", OWN),
    ("facts", "/facts", OWN),
    ("people", "/people", OWN),
)
"""The rooms of a manufacturer: the phrase `nav.<name>`, its address below `/portal/<USCC>`, and who sees it."""
_INNER: Final = {"/production": "/drafts"}
"""Pages that belong to a room whose address they do not begin with."""

EXPORTERS_ROOMS: tuple[tuple[str, str], ...] = (
    ("own-requests", "/requests"),
    ("own-people", "/people"),
)
"""The rooms of an exporter, below `/exporter/<USCC>`: everybody who acts for it sees all of them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation."""

    name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the frame shows: who, for which manufacturer (its name), the rooms, and where the others are."""

    person: str
    uscc: str
    maker: str
    items: tuple[Item, ...]
    base: str
    makers: tuple[tuple[str, str], ...]
    done: str


class Frame:
    """Draws portal pages. `name_of` returns the legal name of a manufacturer, `company_of` that of an exporter."""

    def __init__(self, pages: Pages, *, name_of: Callable[[Uscc], str], company_of: Callable[[str], str]) -> None:
        self._pages = pages
        self._name_of = name_of
        self._company_of = company_of

    @property
    def t(self) -> languages.Phrases:
        """The phrases of this request's language."""
        return self._pages.phrases(languages.chosen())

    def name_of(self, maker: Uscc) -> str:
        """Return the legal name of a manufacturer."""
        return self._name_of(maker)

    def draw(self, template: str, visit: Visit | None, *, faults: tuple[Fault, ...] = (), **values: object) -> str:
        """
        Draw one page.

        `faults` are shown as a summary on top with links, and beside their fields: a fault's pointer is the field's id.
        """
        told = [(fault.pointer, fault.text(languages.chosen())) for fault in faults]
        wrong = {place: [text for at, text in told if at == place] for place, _ in told}
        return self._pages.draw(template, desk=self._desk(visit), faults=told, wrong=wrong, **values)

    def _named(self, visit: Visit) -> str:
        if visit.company:
            return self._company_of(visit.company)
        return self._name_of(visit.maker) if visit.maker else ""

    def _desk(self, visit: Visit | None) -> Desk | None:
        if visit is None:
            return None
        base = f"/portal/{visit.maker}" if visit.maker else "/portal"
        base = f"/exporter/{visit.company}" if visit.company else base
        known = visit.principal
        others = tuple((f"/portal/{uscc}", self._name_of(uscc)) for uscc in known.roles)
        others += tuple((f"/exporter/{uscc}", self._company_of(uscc)) for uscc in sorted(known.exporters))
        return Desk(
            person=known.person.name,
            uscc=visit.maker or visit.company or "",
            maker=self._named(visit),
            items=_items(visit, base) if visit.maker or visit.company else (),
            base=base,
            makers=others,
            done=request.args.get("done", "")[:40],
        )


def _items(visit: Visit, base: str) -> tuple[Item, ...]:
    seen = [(name, base + path) for name, path, roles in NAVIGATION if visit.maker and visit.has(*roles)]
    seen = [(name, base + path) for name, path in EXPORTERS_ROOMS] if visit.company else seen
    here = max((href for _, href in seen if _is_at(href, base)), key=len, default="")
    return tuple(Item(name, href, href == here) for name, href in seen)


def _is_at(href: str, base: str) -> bool:
    below = request.path.removeprefix(base)
    here = base + _INNER.get(below, below)
    return here == href or (href != base and here.startswith(href + "/"))
