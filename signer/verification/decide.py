"""The decision: all checks of the subject, then precedence. A proven failure outranks an earlier doubt (ADR 0004)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.evidence import Form, Part, State
from signer.domain.verdict import (
    Check,
    Code,
    Coverage,
    Issuer,
    Line,
    Parts,
    SealReport,
    Verdict,
    VinCoverage,
    VinWindow,
    combine,
)
from signer.verification import checks, log_checks

if TYPE_CHECKING:
    from datetime import date

    from signer.domain.evidence import Asked, Facts, LineFacts, RecordFacts
    from signer.domain.trust import TrustEntry
    from signer.domain.verdict import Comparison, LineState
    from signer.verification.policy import Policy

_GREYS = (Form.UNREADABLE, Form.STRANGER)


def decide(facts: Facts, asked: Asked, policy: Policy) -> Verdict:
    """Return the verdict on a file: every check runs, and the code of highest precedence wins."""
    done = _checks(facts, asked, policy)
    inner = combine(done, default=Code.VALID)
    is_test = facts.trust.test or facts.seal.test_policy
    code = Code.TEST_ONLY if is_test and policy.mode == "production" and inner.rank > Code.TEST_ONLY.rank else inner
    parts = _parts(done)
    is_proven = _is_proven(parts)
    record = facts.register_.record
    issuer = issuer_of(facts.trust.entry) if parts.integrity is State.PASSED else None
    first_end = next((line for line in record.lines if line.standing.is_final), None) if record else None
    return Verdict(
        code=code,
        subject="file",
        test=is_test,
        would_be=inner if code is Code.TEST_ONLY else None,
        reason=_reason(done, inner),
        notices=tuple(check.reason for check in done if check.argues_for is Code.VALID_WITH_NOTICE and check.reason),
        number=record.number if record else facts.seal.claimed_number,
        issuer=issuer,
        sealed_at=facts.seal.claimed_at if parts.integrity is State.PASSED else None,
        proven_at=facts.proven_at,
        proven_by=facts.proven_by,
        checked_at=facts.at,
        policy=f"{policy.name} {policy.mode}",
        parts=parts,
        coverage=_coverage(facts, asked, shows_extra=is_proven and _is_ours(facts)),
        seal_report=_seal_report(facts),
        confirmation=record.confirmation if record and is_proven and _is_ours(facts) else None,
        lines=lines_of(record) if record and record.confirmation and is_proven and _is_ours(facts) else (),
        closed_outlets=record.closed_outlets if record and is_proven and _is_ours(facts) else (),
        standing_as_of=record.as_of if record else None,
        ended_at=first_end.ended_at if first_end else None,
        end_reason=first_end.reason_class if first_end else None,
        successor=first_end.successor if record and first_end and is_proven and names_exporter(record, asked) else None,
        checks=done,
        trust_list=facts.trust.sequence,
        log_head=facts.log.head,
    )


def _checks(facts: Facts, asked: Asked, policy: Policy) -> tuple[Check, ...]:
    done = [checks.form(facts)]
    record = facts.register_.record
    if facts.seal.form is Form.SEALED:
        authoritative = checks.is_authoritative(facts.trust, facts)
        done += [checks.finding(found, facts, authoritative=authoritative) for found in facts.seal.findings]
        done += [checks.trust_list(facts), checks.times(facts, policy), checks.content_form(facts)]
        of_signer = (checks.content_issuer(facts), checks.entitled(facts), checks.revocation_since(facts))
        done += [check for check in of_signer if check is not None]
        done.append(checks.record_known(facts, policy))
        of_log = (log_checks.attached(facts), log_checks.brought(facts), log_checks.issued(facts, policy))
        done += [check for check in of_log if check is not None]
    if record is not None and facts.seal.form not in _GREYS:
        done.append(checks.standing(record, asked))
        done += [check for check in (checks.standing_current(record, policy, at=facts.at),) if check is not None]
        done.append(checks.conflict(record, asked))
        done.append(checks.until(record, asked, today=facts.today))
        done += checks.covered(record, asked)
        closed = checks.outlets(record) if _is_proven(_parts(tuple(done))) and _is_ours(facts) else None
        done += [closed] if closed is not None else []
    return tuple(done)


def names_exporter(record: RecordFacts, asked: Asked) -> bool:
    """Tell whether the asker named the exporter: a successor's number is for the same one, not for any holder."""
    known = record.confirmation
    return known is not None and asked.exporter is not None and asked.exporter == known.terms.exporter.uscc


def _parts(done: tuple[Check, ...]) -> Parts:
    def state(part: Part) -> State:
        states = {check.state for check in done if check.part is part and not _is_notice(check)}
        if State.FAILED in states:
            return State.FAILED
        return State.PASSED if states == {State.PASSED} else State.UNDETERMINED

    integrity, seal = state(Part.INTEGRITY), state(Part.SEAL)
    if integrity is State.FAILED and seal is State.PASSED:
        seal = State.UNDETERMINED  # what an altered file carries says nothing of whose seal it was
    return Parts(integrity=integrity, seal=seal, standing=state(Part.STANDING))


def _is_proven(parts: Parts) -> bool:
    """Tell whether the file is as it was sealed, by whom it says: what else is on record may be shown with it."""
    return parts.integrity is State.PASSED and parts.seal is State.PASSED


def _is_notice(check: Check) -> bool:
    return check.argues_for is Code.VALID_WITH_NOTICE


def _reason(done: tuple[Check, ...], inner: Code) -> str | None:
    """Return the reason of the first check that argues for a code; one that failed tells more than one left open."""
    told = [check for check in done if check.argues_for is inner and check.reason]
    return next((check.reason for check in (*(one for one in told if one.state is State.FAILED), *told)), None)


def issuer_of(entry: TrustEntry | None) -> Issuer | None:
    """Return whose seal an entry of the trust list is; None for no seal's."""
    if entry is None or entry.uscc is None or entry.seal_class is None:
        return None
    return Issuer(name=entry.legal_name, uscc=entry.uscc, seal_class=entry.seal_class)


def _is_ours(facts: Facts) -> bool:
    record = facts.register_.record
    return record is not None and facts.file.sealed_digest in record.sealed_digests


def _seal_report(facts: Facts) -> SealReport | None:
    if facts.seal.form is not Form.SEALED:
        return None
    return SealReport(
        indication=facts.seal.indication, sub_indication=facts.seal.sub_indication, level=facts.seal.level
    )


def lines_of(record: RecordFacts) -> tuple[Line, ...]:
    """Return the standing of every line of a record."""
    return tuple(Line(vin=line.vin, standing=line.standing, ended_at=line.ended_at) for line in record.lines)


def _coverage(facts: Facts, asked: Asked, *, shows_extra: bool) -> Coverage:
    record = facts.register_.record
    if record is None or record.confirmation is None or facts.seal.form in _GREYS:
        return uncompared(asked)
    terms = record.confirmation.terms
    applied_on = asked.applied_on or facts.today
    extra = tuple(str(vin) for vin in terms.vins if vin not in asked.vins) if asked.vins and shows_extra else ()
    return Coverage(
        vins=tuple(vin_coverage(vin, record, applied_on) for vin in asked.vins),
        extra=extra,
        destination=compare(asked.destination, terms.destination.country.alpha2),
        exporter=compare(asked.exporter, terms.exporter.uscc),
    )


def uncompared(asked: Asked) -> Coverage:
    """Return that nothing could be compared."""
    return Coverage(
        vins=tuple(VinCoverage(vin=vin, state="missing") for vin in asked.vins),
        destination="unknown" if asked.destination else "not-asked",
        exporter="unknown" if asked.exporter else "not-asked",
    )


def compare(asked: str | None, recorded: str) -> Comparison:
    """Compare a value with the record's; what was not asked is not compared."""
    if not asked:
        return "not-asked"
    return "equal" if asked == recorded else "different"


def vin_coverage(vin: str, record: RecordFacts, applied_on: date) -> VinCoverage:
    """Return what a record says of one VIN, with its window at an application date."""
    vehicles = record.confirmation.terms.vehicles if record.confirmation else ()
    vehicle = next((vehicle for vehicle in vehicles if vehicle.vin == vin), None)
    line = next((line for line in record.lines if line.vin == vin), None)
    if vehicle is None or line is None:
        return VinCoverage(vin=vin, state="missing")
    window = vehicle.window
    return VinCoverage(
        vin=vin,
        state=_line_state(line),
        window=VinWindow(
            n=window.days(applied_on),
            state=window.state(applied_on),
            through=window.through,
            free_from=window.free_from,
        ),
        ended_at=line.ended_at,
    )


def _line_state(line: LineFacts) -> LineState:
    if line.standing is Standing.SUPERSEDED:
        return "superseded"
    if line.standing is Standing.WITHDRAWN:
        return "withdrawn"
    if line.is_conflict:
        return "conflict"
    return "matched" if line.standing in (Standing.ISSUED, Standing.SUSPENDED) else "missing"
