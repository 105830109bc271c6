"""What the pages of a batch show: remarks by cell, what it amounts to, and how long it will go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from signer.domain.parties import Country
from signer.web.portal.import_view import Line, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from signer.domain.batch import BatchReport, Failure
    from signer.domain.confirmation import Terms
    from signer.services.batching import Shown
    from signer.verification.wording import Language

MOST_LINES: Final = 200
"""Remarks of one kind on a page; the file with the reasons has more."""
_MOST_SHARES: Final = 30
_HOUR: Final = 60
_MISSING: Final = "text.missing"
"""What is missing and stands in no cell is the commitment, which no sheet has."""
Share = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """
    One batch, for its page.

    `more` are remarks that the file with the reasons has and the page has not, `lost` those that nothing has: there are
    too many. `lacks_promise`: there is no draft whose commitment could be taken. `minutes` is how long the rest takes,
    None while that is not known.
    """

    wrong: tuple[Line, ...]
    odd: tuple[Line, ...]
    whole: tuple[str, ...]
    more: int
    lost: int
    lacks_promise: bool
    destinations: tuple[Share, ...]
    models: tuple[Share, ...]
    exporters: tuple[Share, ...]
    halted: str
    minutes: int | None

    def left(self, t: Callable[..., str]) -> str:
        """Say how long the rest takes."""
        if self.minutes is None:
            return t("batch.left-unknown")
        if self.minutes == 0:
            return t("batch.left-soon")
        hours, minutes = divmod(self.minutes, _HOUR)
        return t("batch.left-hours", h=hours, m=minutes) if hours else t("batch.left-minutes", n=minutes)


def view_of(found: Shown, language: Language) -> BatchView:
    """Return what a page shows of a batch."""
    report, summary = found.report, found.report.summary
    wrong = [said for said in report.said if said.row and said.severity == "violation"]
    odd = [said for said in report.said if said.row and said.severity != "violation"]
    remaining = found.progress.remaining
    return BatchView(
        wrong=tuple(line_of(said, language) for said in wrong[:MOST_LINES]),
        odd=tuple(line_of(said, language) for said in odd[:MOST_LINES]),
        whole=_whole(report, language),
        more=max(0, len(wrong) - MOST_LINES),
        lost=max(0, report.count - len(report.said)),
        lacks_promise=any(said.rule == _MISSING and not said.place for said in report.said),
        destinations=_shares((country(code, language), count) for code, count in summary.countries),
        models=_shares(summary.models),
        exporters=_shares(summary.exporters),
        halted=told(found.halted, language),
        minutes=None if remaining is None else round(remaining.total_seconds() / 60),
    )


def country(alpha2: str, language: Language) -> str:
    """Return a destination's name."""
    found = Country.of(alpha2)
    return found.name_zh if language == "zh" else found.name_en


def told(failure: Failure | None, language: Language) -> str:
    """Return what failed, as the middle of a sentence; '' for nothing."""
    if failure is None:
        return ""
    return (failure.zh if language == "zh" else failure.en).rstrip(".。")


def outlets(samples: Iterable[Terms], language: Language) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return which outlets the samples name, by destination."""
    found: dict[str, dict[str, None]] = {}
    for terms in samples:
        names = found.setdefault(country(terms.destination.country.alpha2, language), {})
        names |= dict.fromkeys(outlet.name for outlet in terms.outlets)
    return tuple((place, tuple(names)) for place, names in found.items())


def _whole(report: BatchReport, language: Language) -> tuple[str, ...]:
    texts = [said.zh if language == "zh" else said.en for said in report.said if not said.row]
    if report.failure is not None:
        texts.insert(0, report.failure.zh if language == "zh" else report.failure.en)
    return tuple(texts)


def _shares(lines: Iterable[Share]) -> tuple[Share, ...]:
    """Return the first of many shares, and what the others come to in one line."""
    every = tuple(lines)
    rest = sum(count for _, count in every[_MOST_SHARES:])
    return every[:_MOST_SHARES] + ((("…", rest),) if rest else ())
