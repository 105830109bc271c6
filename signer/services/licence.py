"""Check an export licence against confirmations: every VIN of it, several files and numbers, one table, one outcome."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from signer.domain.evidence import Asked, Part, State
from signer.domain.verdict import Outcome
from signer.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from signer.domain.verdict import Verdict, VinWindow
    from signer.services.answering import FileVerifying, RecordLookups
    from signer.services.on_paper import Listed

MOST_VINS = 200
MOST_SOURCES = 40
_MOST_AT_ONCE = 4
"""A request reads at most so many files at a time, so that one licence does not take a whole machine."""
RowState = Literal["matched", "missing", "extra", "superseded", "withdrawn", "conflict", "unproven"]
_BEST_FIRST: tuple[RowState, ...] = ("conflict", "matched", "superseded", "withdrawn", "unproven", "missing")
_SILENT = ("REGISTER_INCOMPLETE", "NOT_IN_BUNDLE_YET", "REGISTER_NEEDED")
"""Reasons of a source that could not say what it lists."""
_REVIEW: frozenset[RowState] = frozenset({"conflict", "superseded", "unproven"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    What stands on a licence: its VINs, destination (ISO alpha-2), exporter (USCC) and application date.

    `files` are (name, bytes) of PDFs and pictures, `numbers` are typed confirmation numbers, `codes` the texts of
    signed codes; all in any mix.
    """

    vins: tuple[str, ...]
    destination: str
    exporter: str
    applied_on: date
    files: tuple[tuple[str, bytes], ...] = ()
    numbers: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    One file, number or code of a licence check, and the verdict on it; a file's SHA-256 (hex) and size.

    A file that holds codes of several numbers is as many sources.
    """

    name: str
    verdict: Verdict
    sha256: str | None = None
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One VIN: `state` is the best that any source says of it; `number` and `issuer` say which."""

    vin: str
    state: RowState
    number: str | None = None
    issuer: str | None = None
    window: VinWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The whole answer: rows in the licence's order, then what the papers list beyond it; one outcome."""

    outcome: Outcome
    test: bool
    rows: tuple[Row, ...]
    sources: tuple[Source, ...]
    issuers: tuple[str, ...]
    matched: int
    asked: int
    checked_at: datetime
    question: Question


class LicenceChecking:
    """Check licences. No account is needed: the answer speaks only about what was handed in."""

    def __init__(self, *, verifying: FileVerifying, lookups: RecordLookups, clock: Callable[[], datetime]) -> None:
        self._verifying = verifying
        self._lookups = lookups
        self._clock = clock

    def check(self, question: Question, *, network: str) -> Answer:
        """
        Return one table and one outcome for a licence.

        `pass` needs every VIN matched and every source green; one missing or withdrawn VIN, or one red source,
        is `fail`; anything else is `review`. Raises InvalidInput, TooManyRequests.
        """
        _refuse(question)
        sources = self._files(question)
        sources += tuple(
            Source(name=number, verdict=self._lookups.share(number, _asked(question, question.vins), network=network))
            for number in question.numbers
        )
        sources += self._codes(question)
        sources = tuple(one for source in sources for one in _parted(source))
        rows = tuple(_row(vin, sources) for vin in question.vins)
        return Answer(
            outcome=_outcome(rows, sources),
            test=any(source.verdict.test for source in sources),
            rows=rows + _extra(question, sources),
            sources=sources,
            issuers=tuple(dict.fromkeys(source.verdict.issuer.name for source in sources if source.verdict.issuer)),
            matched=sum(row.state == "matched" for row in rows),
            asked=len(question.vins),
            checked_at=self._clock(),
            question=question,
        )

    def _codes(self, question: Question) -> tuple[Source, ...]:
        asked = _asked(question, question.vins)
        return tuple(Source(name=f"…{code[-12:]}", verdict=self._lookups.code(code, asked)) for code in question.codes)

    def _files(self, question: Question) -> tuple[Source, ...]:
        """Judge the files in children: one more at once than processors, so that none waits for our own part."""
        judge = partial(_file, self._verifying.sitting(tuple(data for _, data in question.files)))
        with ThreadPoolExecutor(max_workers=min((os.cpu_count() or 1) + 1, _MOST_AT_ONCE)) as workers:
            asked = [
                (name, data, workers.submit(copy_context().run, judge, data, question)) for name, data in question.files
            ]
            return tuple(
                Source(name=name, verdict=verdict.result(), sha256=hashlib.sha256(data).hexdigest(), size=len(data))
                for name, data, verdict in asked
            )


def _file(verifying: FileVerifying, data: bytes, question: Question) -> Verdict:
    """Judge a file for those of the licence's VINs that it lists; one that lists none is judged as it is."""

    def ask(record: Listed | None) -> Asked:
        listed = set(record.vins) if record else set()
        return _asked(question, tuple(vin for vin in question.vins if vin in listed))

    return verifying.file_for(data, ask)


def _parted(source: Source) -> tuple[Source, ...]:
    """Part a file that holds codes of several numbers into as many sources: each is an answer by itself."""
    verdicts = (source.verdict, *source.verdict.others)
    return tuple(replace(source, verdict=one.model_copy(update={"others": ()})) for one in verdicts)


def _refuse(question: Question) -> None:
    if not question.vins:
        raise InvalidInput("vin", "give the licence's VINs, each in full")
    if len(question.vins) > MOST_VINS or len(set(question.vins)) != len(question.vins):
        raise InvalidInput("vin", f"give each VIN once, at most {MOST_VINS}")
    if not 1 <= len(question.files) + len(question.numbers) + len(question.codes) <= MOST_SOURCES:
        raise InvalidInput("file", f"give 1 to {MOST_SOURCES} files and numbers")


def _asked(question: Question, vins: tuple[str, ...]) -> Asked:
    return Asked(
        vins=vins, destination=question.destination, exporter=question.exporter, applied_on=question.applied_on
    )


def _row(vin: str, sources: tuple[Source, ...]) -> Row:
    found = [row for source in sources if (row := _said(vin, source)) is not None]
    makers = {row.issuer for row in found if row.state == "matched"}
    best = min(found, key=lambda row: _BEST_FIRST.index(row.state), default=_unsaid(vin, sources))
    if len(makers) > 1:
        return Row(vin=vin, state="conflict", number=best.number, window=best.window)
    return best


def _unsaid(vin: str, sources: tuple[Source, ...]) -> Row:
    """Tell that no source lists a VIN; where a register or bundle is incomplete, what it has not may list it."""
    is_lost = any(source.verdict.reason in _SILENT for source in sources)
    return Row(vin=vin, state="unproven" if is_lost else "missing")


def _said(vin: str, source: Source) -> Row | None:
    """Return what one source says of a VIN: only a source whose every part passed may say `matched`."""
    verdict = source.verdict
    coverage = next((line for line in verdict.coverage.vins if line.vin == vin and line.state != "missing"), None)
    if coverage is None:
        return None
    state: RowState = coverage.state
    if state == "matched" and verdict.outcome is not Outcome.PASS and not _is_only_other_lines(verdict):
        state = "unproven"
    issuer = verdict.issuer.name if verdict.issuer else None
    return Row(vin=vin, state=state, number=verdict.number, issuer=issuer, window=coverage.window)


def _is_only_other_lines(verdict: Verdict) -> bool:
    """
    Tell whether a source falls short only because of other lines than the matched one.

    Paper never does: it proves no sheet, and needs a review whatever its lines are.
    """
    if verdict.subject == "paper":
        return False
    proven = verdict.parts.integrity is not State.FAILED and verdict.parts.seal is not State.FAILED
    blaming = [check for check in verdict.checks if check.argues_for is not None and check.state is not State.PASSED]
    return (
        proven
        and bool(blaming)
        and all(
            check.part is Part.STANDING and check.id == "standing" and check.state is State.FAILED for check in blaming
        )
    )


def _extra(question: Question, sources: tuple[Source, ...]) -> tuple[Row, ...]:
    rows = []
    for source in sources:
        confirmation, verdict = source.verdict.confirmation, source.verdict
        if verdict.subject != "file" or confirmation is None:
            continue
        issuer = verdict.issuer.name if verdict.issuer else None
        rows += [
            Row(vin=vin, state="extra", number=verdict.number, issuer=issuer)
            for vin in confirmation.terms.vins
            if vin not in question.vins
        ]
    return tuple({row.vin: row for row in rows}.values())


def _outcome(rows: tuple[Row, ...], sources: tuple[Source, ...]) -> Outcome:
    states = {row.state for row in rows}
    others = tuple(source for source in sources if not _is_only_other_lines(source.verdict))
    outcomes = {source.verdict.outcome for source in (others if states == {"matched"} else sources)} or {Outcome.PASS}
    if Outcome.FAIL in outcomes or not states <= {"matched", *_REVIEW}:
        return Outcome.FAIL
    return Outcome.PASS if states == {"matched"} and outcomes == {Outcome.PASS} else Outcome.REVIEW
