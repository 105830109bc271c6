"""The frame around every page behind a sign-in: where one is, as whom, for which manufacturer, and where else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import request

from signer.domain.parties import Role
from signer.web import languages
from signer.web.pages import Inside

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
    ("batches", "/batches", OWN),
    ("approvals", "/approvals", OWN),
    ("confirmations", "/confirmations", OWN),
    ("outlets", "/outlets", OWN),
    ("seals", "/seals", OWN),
    ("alarms", "/alarms", OWN),
    ("facts", "/facts", OWN),
    ("people", "/people", OWN),
    ("tokens", "/tokens", OWN),
    ("webhooks", "/webhooks", frozenset({Role.ADMIN})),
)
"""The rooms of a manufacturer: the phrase `nav.<name>`, its address below `/portal/<USCC>`, and who sees it."""
OFFICE: Final = "/portal/office"
"""Below it are the rooms of the whole deployment: officers', operators' and auditors'."""
HOUSE: Final = frozenset({Role.OPERATOR, Role.AUDITOR})
"""Who sees to the deployment, and who reads along."""
OFFICES: tuple[tuple[str, str, frozenset[Role]], ...] = (
    ("check", "/check", frozenset({Role.OFFICER})),
    ("vehicles", "/vehicles", frozenset({Role.OFFICER})),
    ("history", "/history", frozenset({Role.OFFICER})),
    ("receipts", "/receipts", frozenset({Role.OFFICER})),
    ("makers", "/makers", HOUSE),
    ("exporters", "/exporters", frozenset({Role.OPERATOR})),
    ("trust-list", "/trust-list", HOUSE),
    ("all-seals", "/seals", HOUSE),
    ("jobs", "/jobs", HOUSE),
    ("office-webhooks", "/webhooks", HOUSE),
    ("audit", "/audit", HOUSE),
    ("settings", "/settings", HOUSE),
    ("tokens", "/tokens", frozenset({Role.OFFICER, *HOUSE})),
)
"""The rooms of the offices, as `NAVIGATION`."""
_INNER: Final = {"/production": "/drafts"}
"""Pages that belong to a room whose address they do not begin with."""

ACTING: Final = frozenset({Role.EXPORTER})
EXPORTERS_ROOMS: tuple[tuple[str, str, frozenset[Role]], ...] = (
    ("own-requests", "/requests", ACTING),
    ("own-papers", "/papers", ACTING),
    ("own-people", "/people", ACTING),
    ("tokens", "/tokens", ACTING),
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
    """
    What the frame shows: who, for which manufacturer (its name), the rooms, and where the others are.

    `is_office`: these are the rooms of the deployment, whose name stands in a manufacturer's place.
    """

    person: str
    uscc: str
    maker: str
    items: tuple[Item, ...]
    base: str
    makers: tuple[tuple[str, str], ...]
    done: str
    is_office: bool


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
        told = [(fault.pointer, fault.text(self._pages.speech())) for fault in faults]
        wrong = {place: [text for at, text in told if at == place] for place, _ in told}
        return self._pages.draw(template, desk=self._desk(visit), faults=told, wrong=wrong, **values)

    def inside(self, visit: Visit, action: str, *, reference: str = "", kept: str = "") -> Inside:
        """Return what draws a public page within this frame; its forms lead to `action`."""
        around: dict[str, object] = {"desk": self._desk(visit), "faults": (), "wrong": {}}
        return Inside(action=action, values=around, reference=reference, kept=kept)

    def _named(self, visit: Visit, *, is_office: bool) -> str:
        if visit.company:
            return self._company_of(visit.company)
        if visit.maker:
            return self._name_of(visit.maker)
        return self.t("office.name") if is_office else ""

    def _desk(self, visit: Visit | None) -> Desk | None:
        if visit is None:
            return None
        is_office = request.path.startswith(OFFICE)
        base = f"/portal/{visit.maker}" if visit.maker else OFFICE if is_office else "/portal"
        base = f"/exporter/{visit.company}" if visit.company else base
        known = visit.principal
        others = [(f"/portal/{uscc}", self._name_of(uscc)) for uscc in known.roles]
        others += [(f"/exporter/{uscc}", self._company_of(uscc)) for uscc in sorted(known.exporters)]
        if known.appointments:
            others.append((OFFICE, self.t("office.name")))
        return Desk(
            person=known.person.name,
            uscc=visit.maker or visit.company or "",
            maker=self._named(visit, is_office=is_office),
            items=_items(visit, base, is_office=is_office),
            base=base,
            makers=tuple(others),
            done=request.args.get("done", "")[:40],
            is_office=is_office,
        )


def _items(visit: Visit, base: str, *, is_office: bool) -> tuple[Item, ...]:
    if visit.company:
        return rooms(visit, base, EXPORTERS_ROOMS)
    return rooms(visit, base, OFFICES if is_office else NAVIGATION) if visit.maker or is_office else ()


def rooms(visit: Visit, base: str, those: tuple[tuple[str, str, frozenset[Role]], ...]) -> tuple[Item, ...]:
    """Return the rooms among those that somebody sees, and which of them this is."""
    seen = [(name, base + path) for name, path, roles in those if visit.company or visit.has(*roles)]
    here = max((href for _, href in seen if _is_at(href, base)), key=len, default="")
    return tuple(Item(name, href, href == here) for name, href in seen)


def _is_at(href: str, base: str) -> bool:
    below = request.path.removeprefix(base)
    here = base + _INNER.get(below, below)
    return here == href or (href != base and here.startswith(href + "/"))
