"""The decision about records that were looked up without a file: they exist and stand so; no sheet was examined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from signer.domain.confirmation import SealClass, Standing
from signer.domain.evidence import Part, RecordFacts, State
from signer.domain.values import Frozen, Instant
from signer.domain.verdict import Check, Code, Comparison, Coverage, Issuer, Parts, Verdict, VinCoverage, combine
from signer.verification import checks
from signer.verification.decide import compare, issuer_of, lines_of, names_exporter, uncompared, vin_coverage

if TYPE_CHECKING:
    from datetime import date, datetime

    from signer.domain.evidence import Asked, CopyFacts, LineFacts
    from signer.verification.policy import Policy

_UNKNOWN = Parts(integrity=State.UNDETERMINED, seal=State.UNDETERMINED, standing=State.UNDETERMINED)


class RecordQuestion(Frozen):
    """What was found for a look-up: one record by number and tail or by digest, or several by numbers."""

    at: Instant
    test: bool
    trust_list: int | None
    records: tuple[RecordFacts, ...]
    subject: Literal["record", "digest", "file"] = "record"
    is_complete: bool = True


def absent(question: RecordQuestion, policy: Policy) -> Verdict:
    """
    Answer that nothing matches: one answer for unknown, wrong tail, pending, abandoned and other tenants'.

    While a restored register has an open gap, its silence proves nothing: then the one answer is that.
    """
    if not question.is_complete:
        gap = checks.open_("record", Part.STANDING, "REGISTER_INCOMPLETE")
        return _verdict(question, policy, done=(gap,), default=Code.INDETERMINATE, parts=_UNKNOWN)
    check = checks.failed("record", Part.STANDING, Code.NOT_ON_RECORD, reason="NOT_ON_RECORD")
    parts = _UNKNOWN.model_copy(update={"standing": State.FAILED})
    return _verdict(question, policy, done=(check,), default=Code.NOT_ON_RECORD, parts=parts)


def unknown_digest(question: RecordQuestion, policy: Policy) -> Verdict:
    """Answer that a SHA-256 alone proves nothing when it is not on record: send the file."""
    check = checks.open_("record", Part.STANDING, "SEND_FILE")
    return _verdict(question, policy, done=(check,), default=Code.INDETERMINATE, parts=_UNKNOWN)


def needs_register(question: RecordQuestion, policy: Policy) -> Verdict:
    """Answer that a look-up by VINs needs the register: an offline bundle holds none."""
    check = checks.open_("record", Part.STANDING, "REGISTER_NEEDED")
    return _verdict(question, policy, done=(check,), default=Code.INDETERMINATE, parts=_UNKNOWN)


def on_record(question: RecordQuestion, asked: Asked, policy: Policy, *, today: date) -> Verdict:
    """Answer that one record exists, with its standing: ON_RECORD unless the standing says otherwise."""
    (record,) = question.records
    done = (checks.passed("record", Part.STANDING), *_standing(record, asked, policy, at=question.at, today=today))
    found = _verdict(question, policy, done=done, default=Code.ON_RECORD, parts=_parts(done))
    shown = {**_shown(record), "coverage": _coverage(question.records, asked, today)}
    return found.model_copy(update={**shown, "sealed_at": record.recorded_at})


def official_copy(facts: CopyFacts, asked: Asked, policy: Policy) -> Verdict:
    """
    Answer about a file that is filed as an official copy: OFFICIAL_COPY unless the record's standing says otherwise.

    The file is byte for byte what was filed, so its integrity passed. Its own seal was not examined, only by people:
    that part stays undetermined, no time of sealing is told, and nothing is proven of when it existed.
    """
    record = facts.record
    question = RecordQuestion(
        at=facts.at, test=facts.test, trust_list=facts.trust_list, records=(record,), subject="file"
    )
    done = (checks.official_copy(facts), *_standing(record, asked, policy, at=facts.at, today=facts.today))
    parts = _parts(done).model_copy(update={"integrity": State.PASSED})
    found = _verdict(question, policy, done=done, default=Code.OFFICIAL_COPY, parts=parts)
    coverage = _coverage(question.records, asked, facts.today)
    extra = tuple(vin for vin in record.vins if vin not in asked.vins) if asked.vins else ()
    ended = _first_end(record)
    shown = {
        **_shown(record),
        "issuer": _issuer(record) or issuer_of(facts.entry),
        "coverage": coverage.model_copy(update={"extra": extra}),
        "successor": ended.successor if ended and names_exporter(record, asked) else None,
    }
    return found.model_copy(update=shown)


def _shown(record: RecordFacts) -> dict[str, object]:
    """Return what a verdict tells of a record that may be shown."""
    ended = _first_end(record)
    return {
        "number": record.number,
        "issuer": _issuer(record),
        "confirmation": record.confirmation,
        "lines": lines_of(record) if record.confirmation else (),
        "closed_outlets": record.closed_outlets,
        "standing_as_of": record.as_of,
        "ended_at": ended.ended_at if ended else None,
        "end_reason": ended.reason_class if ended else None,
    }


def _first_end(record: RecordFacts) -> LineFacts | None:
    return next((line for line in record.lines if line.standing.is_final), None)


def covered(question: RecordQuestion, asked: Asked, policy: Policy, *, today: date) -> Verdict:
    """Answer whether records cover every VIN asked, for this destination and exporter, all in force: COVERED if so."""
    coverage = _coverage(question.records, asked, today)
    at = question.at
    done = [check for record in question.records for check in _of_one(record, asked, policy, at=at, today=today)]
    listed = all(vin.state != "missing" for vin in coverage.vins)
    done.append(
        checks.passed("coverage-vins", Part.STANDING)
        if listed
        else checks.failed("coverage-vins", Part.STANDING, Code.NOT_COVERED, reason="VIN_NOT_LISTED")
    )
    found = _verdict(question, policy, done=tuple(done), default=Code.COVERED, parts=_parts(tuple(done)))
    one = question.records[0]
    ended = next((vin for vin in coverage.vins if vin.ended_at), None)
    makers = {record.whole.terms.manufacturer.uscc for record in question.records}
    shown = {
        "number": one.number if len(question.records) == 1 else None,
        "issuer": _issuer(one) if len(makers) == 1 else None,
        "coverage": coverage,
        "standing_as_of": min((record.as_of for record in question.records if record.as_of), default=None),
        "ended_at": ended.ended_at if ended else None,
    }
    return found.model_copy(update=shown)


def _of_one(record: RecordFacts, asked: Asked, policy: Policy, *, at: datetime, today: date) -> tuple[Check, ...]:
    """Judge one of several records: its own share of the VINs, and the destination and exporter of all."""
    mine = asked.model_copy(update={"vins": tuple(vin for vin in asked.vins if vin in record.vins)})
    if not mine.vins:
        return ()
    return tuple(check for check in _standing(record, mine, policy, at=at, today=today) if check.id != "coverage-vins")


def _standing(record: RecordFacts, asked: Asked, policy: Policy, *, at: datetime, today: date) -> tuple[Check, ...]:
    current, closed = checks.standing_current(record, policy, at=at), checks.outlets(record)
    return (
        checks.standing(record, asked),
        *((current,) if current else ()),
        checks.conflict(record, asked),
        checks.until(record, asked, today=today),
        *checks.covered(record, asked),
        *((closed,) if closed else ()),
    )


def _coverage(records: tuple[RecordFacts, ...], asked: Asked, today: date) -> Coverage:
    known = tuple(record.confirmation for record in records if record.confirmation is not None)
    if not known:
        return uncompared(asked)
    found = tuple(_best(vin, records, asked, today) for vin in asked.vins)
    destinations = {compare(asked.destination, one.terms.destination.country.alpha2) for one in known}
    exporters = {compare(asked.exporter, one.terms.exporter.uscc) for one in known}
    return Coverage(vins=found, destination=_all(destinations), exporter=_all(exporters))


def _best(vin: str, records: tuple[RecordFacts, ...], asked: Asked, today: date) -> VinCoverage:
    order = ("matched", "conflict", "superseded", "withdrawn", "missing")
    found = (vin_coverage(vin, record, asked.applied_on or today) for record in records)
    return min(found, key=lambda coverage: order.index(coverage.state))


def _all(found: set[Comparison]) -> Comparison:
    return next(iter(found)) if len(found) == 1 else "different"


def _parts(done: tuple[Check, ...]) -> Parts:
    states = {check.state for check in done if check.argues_for is not Code.VALID_WITH_NOTICE}
    standing = (
        State.FAILED if State.FAILED in states else State.PASSED if states <= {State.PASSED} else State.UNDETERMINED
    )
    return _UNKNOWN.model_copy(update={"standing": standing})


def _issuer(record: RecordFacts) -> Issuer | None:
    if record.confirmation is None:
        return None
    terms = record.confirmation.terms
    return Issuer(name=terms.manufacturer.legal_name, uscc=terms.manufacturer.uscc, seal_class=terms.seal.seal_class)


def _verdict(
    question: RecordQuestion, policy: Policy, *, done: tuple[Check, ...], default: Code, parts: Parts
) -> Verdict:
    """A green or blue look-up never becomes `VALID_WITH_NOTICE`, which speaks of a file."""
    doubts = tuple(check for check in done if check.argues_for is not Code.VALID_WITH_NOTICE)
    code = combine(doubts, default=default)
    known = (record.confirmation for record in question.records)
    is_test = question.test or any(one is not None and one.terms.seal.seal_class is SealClass.TEST for one in known)
    shown = Code.TEST_ONLY if is_test and policy.mode == "production" else code
    return Verdict(
        code=shown,
        subject=question.subject,
        test=is_test,
        would_be=code if shown is Code.TEST_ONLY else None,
        reason=next((check.reason for check in done if check.argues_for is code and check.reason), None),
        notices=tuple(check.reason for check in done if check.argues_for is Code.VALID_WITH_NOTICE and check.reason),
        checked_at=question.at,
        policy=f"{policy.name} {policy.mode}",
        parts=parts,
        coverage=Coverage(),
        checks=done,
        trust_list=question.trust_list,
    )


def is_public(record: RecordFacts) -> bool:
    """Tell whether a look-up may speak of a record at all: what is pending or abandoned is as if unknown."""
    return record.standing not in (Standing.PENDING, Standing.ABANDONED)
