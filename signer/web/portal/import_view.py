"""What the pages of an import show: remarks by cell, the drafts that rows become, and how far a run is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.confirmation import USUAL_VEHICLES
from signer.domain.importing import parted
from signer.domain.parties import Country, country_code
from signer.domain.rule_text import shown
from signer.domain.values import tidy

if TYPE_CHECKING:
    from datetime import timedelta

    from signer.domain.importing import Said, SheetRow
    from signer.services.importing import Shown
    from signer.verification.wording import Language

MOST_LINES: Final = 200
"""Remarks of one kind on a page; the file with the reasons has all of them."""
_MOST_TYPED = 60
_ELSEWHERE = frozenset({"issuer.name", "issuer.stock"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One remark: cell, header, what was typed, why."""

    place: str
    header: str
    typed: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows that belong together, and into how many drafts they go."""

    maker: str
    exporter: str
    country: str
    contract: str
    vehicles: int
    drafts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """One import, for its page. `elsewhere` is how many bad rows are another manufacturer's."""

    wrong: tuple[Line, ...]
    odd: tuple[Line, ...]
    whole: tuple[str, ...]
    more: int
    bad: int
    elsewhere: int
    batches: tuple[Batch, ...]
    is_of_several: bool
    minutes: int | None


def view_of(found: Shown, language: Language) -> ImportView:
    """Return what a page shows of an import."""
    wrong = [said for said in found.report.said if said.row and said.severity == "violation"]
    odd = [said for said in found.report.said if said.row and said.severity == "warning"]
    batches = _batches(found, language)
    lines = (tuple(line_of(said, language) for said in each[:MOST_LINES]) for each in (wrong, odd))
    return ImportView(
        wrong=next(lines),
        odd=next(lines),
        whole=tuple(said.zh if language == "zh" else said.en for said in found.report.said if not said.row),
        more=max(0, len(wrong) - MOST_LINES),
        bad=len(found.plan.bad_rows),
        elsewhere=len({said.row for said in wrong if said.rule in _ELSEWHERE}),
        batches=batches,
        is_of_several=len({batch.maker for batch in batches}) > 1,
        minutes=_minutes(found.remaining),
    )


def line_of(said: Said, language: Language) -> Line:
    """Return a remark as a page shows it, cut where it is long."""
    cut = said.typed if len(said.typed) <= _MOST_TYPED else said.typed[:_MOST_TYPED] + "…"
    text = said.zh if language == "zh" else said.en
    return Line(place=said.place, header=shown(said.header), typed=shown(cut), text=text)


def _batches(found: Shown, language: Language) -> tuple[Batch, ...]:
    size = found.plan.chosen.size if found.plan.chosen else USUAL_VEHICLES
    groups: dict[tuple[str, ...], list[tuple[SheetRow, ...]]] = {}
    for group in parted(found.plan.good, size):
        groups.setdefault(group[0].key, []).append(group)
    return tuple(
        Batch(
            maker=found.names.get(each[0][0].maker, ""),
            exporter=shown(tidy(each[0][0].exporter)),
            country=_country(each[0][0].country, language),
            contract=shown(tidy(each[0][0].contract)),
            vehicles=sum(map(len, each)),
            drafts=len(each),
        )
        for each in groups.values()
    )


def _country(typed: str, language: Language) -> str:
    code = country_code(tidy(typed))
    if code in ("", "CN"):
        return shown(tidy(typed))
    country = Country.of(code)
    return country.name_zh if language == "zh" else country.name_en


def _minutes(remaining: timedelta | None) -> int | None:
    return None if remaining is None else max(1, round(remaining.total_seconds() / 60))
