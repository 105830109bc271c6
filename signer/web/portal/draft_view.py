"""What the editor of a draft shows: its fields with what was typed, and beside each what the rules say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.confirmation import MOST_OUTLETS
from signer.domain.parties import Country, country_code
from signer.domain.vehicle import normalise_vin, vin_fault
from signer.register.drafts import EDITABLE, plain
from signer.web.portal import draft_form
from signer.web.portal.draft_form import field_id, values_of

if TYPE_CHECKING:
    from signer.domain.parties import Exporter, Outlet
    from signer.errors import Finding
    from signer.register.drafts import Head, Kept
    from signer.services.drafting import Judged
    from signer.verification.wording import Language

MOST_BLANK = 50
MOST_OUTLETS_SHOWN = 300
_TONES = {"violation": "no", "warning": "open", "notice": "none"}
_FOLDED = (*draft_form.ROW[5:], "modified", "outlets")
_TODO = frozenset({"vehicles.none", "commitment.bare"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One finding as it is shown: at which field, how grave (`todo`: nothing was typed yet), in words."""

    place: str
    kind: str
    tone: str
    text: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One vehicle: its place, its VIN as people read it if it is one, and the days of its window."""

    place: int
    vin: str
    through: str
    free_from: str
    is_blank: bool
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One outlet to be chosen."""

    id: str
    outlet: Outlet | None
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The editor's page."""

    head: Head
    heading: str
    values: dict[str, str]
    rows: tuple[Row, ...]
    choices: tuple[Choice, ...]
    suggested: tuple[Outlet, ...]
    told: tuple[Told, ...]
    at: dict[str, tuple[Told, ...]]
    country: str
    exporter: Exporter | None
    exporters: tuple[Exporter, ...]
    sides: dict[str, tuple[str, str]]
    is_editable: bool
    has_seal_answer: bool

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind."""
        kinds = ("todo", "violation", "warning", "notice")
        return {kind: sum(told.kind == kind for told in self.told) for kind in kinds}

    @property
    def is_ready(self) -> bool:
        """Tell whether no rule is violated."""
        return not (self.counts["todo"] or self.counts["violation"])


def of(
    kept: Kept,
    judged: Judged,
    language: Language,
    *,
    may_edit: bool,
    typed: dict[str, str] | None = None,
    sides: dict[str, tuple[str, str]] | None = None,
    blank: int = 1,
) -> View:
    """Return the page of a draft; `typed` are fields that hold something else than what is kept."""
    told = tuple(_told(finding, language) for finding in judged.findings)
    at = grouped(told)
    noticed = {*at, *(sides or {}), *(typed or {})}
    is_editable = may_edit and kept.head.state in EDITABLE
    return View(
        head=kept.head,
        heading=heading(kept),
        values={**_values(kept, language), **(typed or {})},
        rows=_rows(kept, judged, noticed, blank=min(max(blank, 1), MOST_BLANK) if is_editable else 0),
        choices=_choices(kept, judged.outlets),
        suggested=judged.suggested,
        told=told,
        at=at,
        country=called(kept.body.destination.country, language),
        exporter=judged.exporter,
        exporters=judged.exporters,
        sides=sides or {},
        is_editable=is_editable,
        has_seal_answer=judged.has_seal_answer,
    )


def _values(kept: Kept, language: Language) -> dict[str, str]:
    """Return what the fields hold, in the page's words where a word stands for a date."""
    found = {**values_of(kept.body), "title": kept.head.title}
    if language == "zh" and found["until"] == "none":
        found["until"] = draft_form.NO_END_ZH
    return found


def called(typed: str, language: Language) -> str:
    """Return a typed destination as people call it; as it was typed where it is none."""
    code = country_code(typed)
    if code in ("", "CN"):
        return typed
    found = Country.of(code)
    return found.name_zh if language == "zh" else found.name_en


def heading(kept: Kept) -> str:
    """Return how a draft is called: its title, or else its contract and destination; '' for an empty one."""
    typed = (kept.body.contract.strip(), kept.body.destination.country.strip())
    return kept.head.title or plain(" · ".join(part for part in typed if part))


def grouped(told: tuple[Told, ...]) -> dict[str, tuple[Told, ...]]:
    """Return findings by the field that they are shown at."""
    places = dict.fromkeys(each.place for each in told)
    return {place: tuple(each for each in told if each.place == place) for place in places}


def _told(finding: Finding, language: Language) -> Told:
    place = field_id(finding.pointer)
    is_todo = finding.rule.endswith(".missing") or finding.rule in _TODO
    steps = place.split("-")
    if steps[0] == "outlets":
        place = "outlets"
    elif steps[0] == "vehicles" and len(steps) > 3:
        place = "-".join(steps[:3])
    return Told(
        place=place or "draft",
        kind="todo" if is_todo and finding.severity == "violation" else finding.severity,
        tone=_TONES[finding.severity],
        text=finding.zh if language == "zh" else finding.en,
        line=f"{int(steps[1]) + 1}" if steps[0] == "vehicles" and len(steps) > 1 and steps[1].isdecimal() else "",
    )


def _rows(kept: Kept, judged: Judged, noticed: set[str], *, blank: int) -> tuple[Row, ...]:
    rows = [
        Row(
            place=place,
            vin="" if vin_fault(vin := normalise_vin(row.vin)) else vin,
            through=window.through.isoformat() if window else "",
            free_from=window.free_from.isoformat() if window else "",
            is_blank=False,
            is_open=any(f"vehicles-{place}-{name}" in noticed for name in _FOLDED),
        )
        for place, (row, window) in enumerate(zip(kept.body.vehicles, judged.windows, strict=True))
    ]
    empty = {"vin": "", "through": "", "free_from": "", "is_blank": True, "is_open": False}
    return (*rows, *(Row(place=len(rows) + more, **empty) for more in range(blank)))  # type: ignore[arg-type]


def _choices(kept: Kept, outlets: tuple[Outlet, ...]) -> tuple[Choice, ...]:
    """Return the outlets of the destination to choose from, and whatever is chosen already."""
    country = country_code(kept.body.destination.country)
    known = {outlet.id: outlet for outlet in outlets}
    chosen = tuple(dict.fromkeys(each.strip() for each in kept.body.outlets if each.strip()))
    there = [outlet.id for outlet in outlets if outlet.country == country][:MOST_OUTLETS_SHOWN]
    others = [each for each in chosen if each not in there]
    return tuple(Choice(id=each, outlet=known.get(each), is_chosen=each in chosen) for each in (*others, *there))


__all__ = ["MOST_OUTLETS", "Choice", "Row", "Told", "View", "called", "grouped", "heading", "of"]
