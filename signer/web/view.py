"""What a verdict page shows, worked out before any template: answers, vehicles, coverage, details."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.evidence import Part, State
from signer.domain.vehicle import WINDOW_DAYS
from signer.domain.verdict import Code, Colour, Outcome
from signer.verification import wording
from signer.web import telling
from signer.web.fields import look_alikes

if TYPE_CHECKING:
    from signer.domain.confirmation import Confirmation
    from signer.domain.evidence import Asked, LineFacts, RecordFacts
    from signer.domain.json_text import Json
    from signer.domain.vehicle import Vehicle
    from signer.domain.verdict import Check, Coverage, Line, Verdict, VinCoverage, VinWindow
    from signer.services.receipts import Receipt
    from signer.verification.wording import Speech
    from signer.web.intake import Upload
    from signer.web.languages import Phrases

_MOST_DETAIL = 300
_EDGE_DAYS = 3
_NOT_A_FILE_OF_OURS = (Code.UNREADABLE, Code.NOT_A_CONFIRMATION)
_STANDING_CODES = frozenset(
    {
        Code.NOT_REGISTERED,
        Code.NOT_ISSUED,
        Code.NOT_ON_RECORD,
        Code.WITHDRAWN,
        Code.NOT_COVERED,
        Code.SUPERSEDED,
        Code.PARTLY_SUPERSEDED,
        Code.PAST_END,
    }
)
"""Codes whose banner is itself the answer to whether it is in force."""
_OTHER_WAYS = ("copy", "sheet")
"""Kinds of answers that are known otherwise than by examining a seal."""
_MARKS = {State.PASSED: "yes", State.FAILED: "no", State.UNDETERMINED: "open"}
_OUTCOME_COLOURS = {Outcome.PASS: "green", Outcome.REVIEW: "amber", Outcome.FAIL: "red", Outcome.NONE: "grey"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One check as question and answer."""

    id: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One of the three answers: its question, its words, how we know, and the checks behind it."""

    part: str
    question: str
    mark: str
    word: str
    how: str
    checks: tuple[CheckView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleView:
    """One vehicle of the sealed content, with its window and, if it ended, its standing."""

    vehicle: Vehicle
    registered: str
    through: str
    free_from: str
    standing: str
    ended: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedView:
    """One VIN that was asked for, and what the record says of it."""

    vin: str
    mark: str
    word: str
    ended: str
    n: str
    window: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedView:
    """The destination or the exporter that was asked for, compared."""

    label: str
    typed: str
    mark: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A signed receipt: its id, its text, and the address under which a browser saves it."""

    jti: str
    token: str
    href: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherView:
    """The answer about another number in the same file."""

    colour: str
    banner: str
    number: str
    issuer: str
    sentence: str
    vins: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """Everything on a verdict page, in page order."""

    verdict: Verdict
    colour: str
    banner: str
    title: str
    sentence: str
    contact: str
    answers: tuple[AnswerView, ...]
    confirmation: Confirmation | None
    vehicles: tuple[VehicleView, ...]
    closed: dict[str, str]
    asked: tuple[AskedView, ...]
    compared: tuple[ComparedView, ...]
    extra: tuple[str, ...]
    details: tuple[tuple[str, str], ...]
    checks: tuple[CheckView, ...]
    line: str
    json_href: str
    file_name: str
    digest: str
    checked: str
    by_record: bool
    others: tuple[OtherView, ...]
    receipt: ReceiptView | None


def of(
    verdict: Verdict, t: Phrases, *, asked: Asked, upload: Upload | None, receipt: Receipt | None = None
) -> VerdictView:
    """Return what the page of a verdict shows."""
    speech = t.speech
    digest = hashlib.sha256(upload.data).hexdigest() if upload else ""
    confirmation = verdict.confirmation
    return VerdictView(
        verdict=verdict,
        colour=verdict.code.colour.value,
        banner=wording.banner(verdict.code, speech),
        title=title(verdict, speech),
        sentence=wording.sentence(verdict, speech),
        contact=confirmation.terms.manufacturer.contact if confirmation else "",
        answers=tuple(_answer(verdict, part, t) for part in Part),
        confirmation=confirmation,
        vehicles=_vehicles(confirmation, verdict.lines, t) if confirmation else (),
        closed={outlet.id: t.day(outlet.since) for outlet in verdict.closed_outlets},
        asked=tuple(_asked(vin, t) for vin in verdict.coverage.vins),
        compared=_compared(verdict.coverage, asked, t),
        extra=verdict.coverage.extra,
        details=_details(verdict, t, digest=digest, upload=upload),
        checks=tuple(_check(check, speech) for check in verdict.checks),
        line=telling.verdict_line(verdict, speech, digest=digest or None, receipt=receipt),
        json_href=_download(
            "application/json", json.dumps(_json(verdict, speech, receipt), ensure_ascii=False, indent=1)
        ),
        file_name=upload.name if upload else "",
        digest=digest,
        checked=t.instant(verdict.checked_at),
        by_record=verdict.subject != "file" and upload is None,
        others=tuple(_other(one, speech) for one in verdict.others),
        receipt=receipt_of(receipt),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """What was sealed, as a page of the record shows it; the same names as a verdict's."""

    confirmation: Confirmation
    vehicles: tuple[VehicleView, ...]
    closed: dict[str, str]


def of_record(record: RecordFacts, t: Phrases) -> RecordView:
    """Return what the page of a record shows of its content."""
    return RecordView(
        confirmation=record.whole,
        vehicles=_vehicles(record.whole, record.lines, t),
        closed={outlet.id: t.day(outlet.since) for outlet in record.closed_outlets},
    )


def title(verdict: Verdict, speech: Speech) -> str:
    """Return the page's title, which starts with the verdict."""
    words = [wording.banner(verdict.code, speech), "TEST" if verdict.test else "", verdict.number or ""]
    return " · ".join(word for word in words if word)


def _other(verdict: Verdict, speech: Speech) -> OtherView:
    return OtherView(
        colour=verdict.code.colour.value,
        banner=title(verdict, speech).removesuffix(f" · {verdict.number}"),
        number=verdict.number or "",
        issuer=verdict.issuer.name if verdict.issuer else "",
        sentence=wording.sentence(verdict, speech),
        vins=verdict.paper.vins if verdict.paper else (),
    )


def _json(verdict: Verdict, speech: Speech, receipt: Receipt | None) -> dict[str, Json]:
    return telling.verdict_json(verdict, speech, receipt)


def receipt_of(receipt: Receipt | None) -> ReceiptView | None:
    """Return a receipt as a page shows it, if there is one."""
    if receipt is None:
        return None
    href = _download("application/jwt", receipt.token)
    return ReceiptView(jti=receipt.jti, token=receipt.token, href=href, file_name=f"receipt-{receipt.jti}.jwt")


def _download(mime: str, text: str) -> str:
    """Return text as an address that a browser saves: nothing is kept on the server for it."""
    return f"data:{mime};base64,{base64.b64encode(text.encode()).decode('ascii')}"


def csv_href(text: str) -> str:
    """Return a sheet as an address that a browser saves."""
    return _download("text/csv", text)


def outcome_colour(outcome: Outcome) -> str:
    """Return the colour of a licence's outcome."""
    return _OUTCOME_COLOURS[outcome]


def _answer(verdict: Verdict, part: Part, t: Phrases) -> AnswerView:
    state = {
        Part.INTEGRITY: verdict.parts.integrity,
        Part.SEAL: verdict.parts.seal,
        Part.STANDING: verdict.parts.standing,
    }[part]
    kind, is_paper = _answer_kind(verdict, part, state), verdict.subject == "paper" and part is not Part.STANDING
    mark = "none" if kind in ("sheet", "none") or (kind, part) == ("copy", Part.SEAL) else _MARKS[state]
    word = t(f"answer.{part.value}.{kind}")
    if part is Part.STANDING and kind == State.FAILED.value and verdict.code in _STANDING_CODES:
        mark = "open" if verdict.code.colour is Colour.AMBER else "no"
        word = wording.banner(verdict.code, t.speech)
    return AnswerView(
        part=part.value,
        question=t(f"question.paper.{part.value}" if is_paper else f"question.{part.value}"),
        mark=mark,
        word=word,
        how=t(f"how.{part.value}.{'paper' if is_paper else kind if kind in _OTHER_WAYS else 'file'}"),
        checks=tuple(_check(check, t.speech) for check in verdict.checks if check.part is part),
    )


def _answer_kind(verdict: Verdict, part: Part, state: State) -> str:
    """Choose the words: of an official copy, a sheet that was not examined, a file not ours, or of the state."""
    if part is not Part.STANDING and any(check.id == "official-copy" for check in verdict.checks):
        return "copy"
    if verdict.subject == "paper" and part is not Part.STANDING:
        return f"paper-{state.value}"
    if verdict.subject != "file" and part is not Part.STANDING:
        return "sheet"
    if verdict.code in _NOT_A_FILE_OF_OURS or (verdict.code is Code.UNSEALED and part is not Part.STANDING):
        return "none"
    return state.value


def _check(check: Check, speech: Speech) -> CheckView:
    text = wording.check(check, speech, telling.CHECK_TEXTS)
    return CheckView(id=check.id, mark=_MARKS[check.state], text=text[:_MOST_DETAIL])


def _vehicles(confirmation: Confirmation, lines: tuple[Line | LineFacts, ...], t: Phrases) -> tuple[VehicleView, ...]:
    standing = {line.vin: line for line in lines}
    found = []
    for vehicle in confirmation.terms.vehicles:
        line = standing.get(vehicle.vin)
        ended = line is not None and line.standing is not Standing.ISSUED
        found.append(
            VehicleView(
                vehicle=vehicle,
                registered=t.day(vehicle.registered_on),
                through=t.day(vehicle.window.through),
                free_from=t.day(vehicle.window.free_from),
                standing=t(f"standing.{line.standing.value}") if line and ended else "",
                ended=t.instant(line.ended_at) if line and line.ended_at else "",
            )
        )
    return tuple(found)


def _asked(vin: VinCoverage, t: Phrases) -> AskedView:
    window = vin.window
    return AskedView(
        vin=vin.vin,
        mark={"matched": "yes", "missing": "no", "withdrawn": "no"}.get(vin.state, "open"),
        word=t(f"line.{vin.state}"),
        ended=t.instant(vin.ended_at) if vin.ended_at else "",
        n=str(window.n) if window else "",
        window=window_words(window, t) if window else "",
        hint=t("hint.look-alike") if look_alikes((vin.vin,)) else "",
    )


def window_words(window: VinWindow, t: Phrases) -> str:
    """Return the 180-day window in words; near its edge both readings, since a re-filed date is disputed."""
    if window.n < 0:
        return t("window.error")
    days = {"through": t.day(window.through), "free_from": t.day(window.free_from)}
    told = t("window.inside" if window.n <= WINDOW_DAYS else "window.after", **days)
    return f"{told} {t('window.edge')}" if abs(window.n - WINDOW_DAYS) <= _EDGE_DAYS else told


def _compared(coverage: Coverage, asked: Asked, t: Phrases) -> tuple[ComparedView, ...]:
    rows = (
        (t("field.destination"), asked.destination, coverage.destination),
        (t("field.exporter"), asked.exporter, coverage.exporter),
    )
    marks = {"equal": "yes", "different": "no"}
    return tuple(
        ComparedView(label=label, typed=typed, mark=marks.get(found, "open"), word=t(f"compared.{found}"))
        for label, typed, found in rows
        if typed
    )


def _details(verdict: Verdict, t: Phrases, *, digest: str, upload: Upload | None) -> tuple[tuple[str, str], ...]:
    sealed = verdict.seal_report
    rows = (
        ("file", upload.name if upload else ""),
        ("size", t.amount(len(upload.data)) if upload else ""),
        ("sha256", digest),
        ("code", verdict.code.value + (f" ({verdict.would_be})" if verdict.would_be else "")),
        ("reason", f"{verdict.reason}: {wording.reason(verdict.reason, t.speech)}" if verdict.reason else ""),
        ("claimed", t.instant(verdict.sealed_at) if verdict.sealed_at else ""),
        ("proven", t.instant(verdict.proven_at) if verdict.proven_at else ""),
        ("proven-by", t(f"proven.{verdict.proven_by}") if verdict.proven_by else ""),
        ("seal-class", verdict.issuer.seal_class.value if verdict.issuer else ""),
        ("level", sealed.level or "" if sealed else ""),
        ("indication", " / ".join(filter(None, (sealed.indication, sealed.sub_indication))) if sealed else ""),
        ("trust-list", str(verdict.trust_list) if verdict.trust_list is not None else ""),
        ("log-head", f"{verdict.log_head.size}, {verdict.log_head.root}" if verdict.log_head else ""),
        ("policy", verdict.policy),
    )
    return tuple((t(f"detail.{name}"), value[:_MOST_DETAIL]) for name, value in rows if value)
