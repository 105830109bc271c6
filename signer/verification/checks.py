"""The checks: one function a question, each from facts to an answer, none knowing the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.evidence import Form, Part, State
from signer.domain.parties import is_same_name
from signer.domain.trust import SealState
from signer.domain.values import format_instant
from signer.domain.verdict import Check, Code

if TYPE_CHECKING:
    from datetime import date, datetime

    from signer.domain.evidence import Asked, CopyFacts, Facts, LineFacts, RecordFacts, SealFinding, Told, TrustFacts
    from signer.domain.trust import TrustEntry
    from signer.verification.policy import Policy

_FAILED = {Part.INTEGRITY: Code.ALTERED, Part.SEAL: Code.UNKNOWN_SEAL, Part.STANDING: Code.INDETERMINATE}
_MOST_DETAIL = 400
_EXPIRED = "OUT_OF_BOUNDS_NO_POE"
_SPEAKING = ("register", "prospective", "bundle")
"""Sources that were asked, or say as of when: a bundle's word that is too old is a doubt of its own."""


_OF_ARCHIVES = {"NO_CERTIFICATE_CHAIN_FOUND": "ARCHIVED_BY_OTHERS", _EXPIRED: "ARCHIVE_LAPSED"}
_BY_LIST = frozenset({"embedded-certificates", "timestamp-token"})
"""Questions of integrity that the trust list answers: a stale list turns nothing genuine into altered."""


def passed(name: str, part: Part, detail: str = "") -> Check:
    """Answer yes."""
    return Check(id=name, part=part, state=State.PASSED, detail=detail)


def failed(name: str, part: Part, code: Code, *, reason: str | None = None, detail: str = "") -> Check:
    """Answer no, and argue for a code."""
    return Check(id=name, part=part, state=State.FAILED, argues_for=code, reason=reason, detail=detail)


def open_(name: str, part: Part, reason: str, detail: str = "") -> Check:
    """Answer that it could not be checked, which is never fine."""
    return Check(
        id=name, part=part, state=State.UNDETERMINED, argues_for=Code.INDETERMINATE, reason=reason, detail=detail
    )


def noted(name: str, part: Part, reason: str, detail: str = "") -> Check:
    """Answer yes, with something that the reader must be told."""
    return Check(
        id=name, part=part, state=State.PASSED, argues_for=Code.VALID_WITH_NOTICE, reason=reason, detail=detail
    )


def form(facts: Facts) -> Check:
    """Is this a sealed confirmation at all?"""
    seal = facts.seal
    if seal.form is Form.UNREADABLE:
        return failed("form", Part.INTEGRITY, Code.UNREADABLE, reason=seal.reason, detail=seal.detail)
    if seal.form is Form.STRANGER:
        return failed("form", Part.INTEGRITY, Code.NOT_A_CONFIRMATION)
    if seal.form is Form.UNSEALED:
        return failed("form", Part.SEAL, Code.UNSEALED)
    return passed("form", Part.INTEGRITY)


def finding(found: SealFinding, facts: Facts, *, authoritative: bool) -> Check:
    """Translate what the child found: a failure of integrity is ALTERED, one of the seal UNKNOWN_SEAL."""
    found = _lifted(found, facts)
    code, reason = _argument(found, facts, authoritative=authoritative)
    return Check(
        id=found.id,
        part=found.part,
        state=found.state,
        argues_for=code,
        reason=reason,
        sub_indication=found.sub_indication,
        detail=found.detail,
    )


def _lifted(found: SealFinding, facts: Facts) -> SealFinding:
    """Let the register speak for a certificate that expired later: what it recorded in time stays good (rule 9)."""
    begun, ended, proven_at = facts.seal.chain_not_before, facts.seal.chain_not_after, facts.proven_at
    is_only_late = (found.id, found.state, found.sub_indication) == ("chain", State.UNDETERMINED, _EXPIRED)
    if not is_only_late or proven_at is None or begun is None or ended is None or not begun <= proven_at <= ended:
        return found
    changes = {"state": State.PASSED, "sub_indication": None, "detail": f"{found.detail}; recorded before"}
    return found.model_copy(update=changes)


def _argument(found: SealFinding, facts: Facts, *, authoritative: bool) -> tuple[Code | None, str | None]:
    """Return the code that a finding argues for, and why. A word of revocation counts whoever's list is stale."""
    if found.state is State.PASSED:
        return None, None
    if found.state is State.UNDETERMINED:
        return _doubt(found, facts)
    if found.id == "revocation":
        return Code.SEAL_REVOKED, "SEAL_REVOKED"
    if (found.part is Part.SEAL or found.id in _BY_LIST) and not authoritative:
        return Code.INDETERMINATE, "TRUST_LIST_OLDER_THAN_SEAL"
    return _FAILED[found.part], facts.seal.reason or _word(found.id)


def _doubt(found: SealFinding, facts: Facts) -> tuple[Code, str]:
    """
    Return what an open answer argues for: a notice where something better speaks, else INDETERMINATE.

    Without revocation data the trust list speaks, asked live and good about this seal (ADR 0013).
    """
    if found.id == "timestamp":
        return Code.VALID_WITH_NOTICE, "NO_TIMESTAMP"
    if found.id == "archive":
        return Code.VALID_WITH_NOTICE, _OF_ARCHIVES.get(found.sub_indication or "", "ARCHIVE")
    if found.id != "revocation":
        return Code.INDETERMINATE, _word(found.id)
    own = entitled(facts)
    is_vouched = facts.register_.source in _SPEAKING and own is not None and own.state is State.PASSED
    return (Code.VALID_WITH_NOTICE if is_vouched else Code.INDETERMINATE), "NO_REVOCATION_DATA"


def _word(name: str) -> str:
    return name.replace("-", "_").upper()


def trust_list(facts: Facts) -> Check:
    """Is the trust list fresh enough for its silence to mean anything?"""
    trust = facts.trust
    if not is_authoritative(trust, facts):
        return open_(
            "trust-list", Part.SEAL, "TRUST_LIST_STALE", f"list {trust.sequence} expires {trust.expires:%Y-%m-%d}"
        )
    return passed("trust-list", Part.SEAL, f"list {trust.sequence}")


def is_authoritative(trust: TrustFacts, facts: Facts) -> bool:
    """Tell whether the list is unexpired, and at least as new as the file, if the file's time is proven."""
    made_at = facts.seal.timestamp.at if facts.seal.timestamp else None
    is_newer = made_at is None or trust.entry is not None or trust.issued >= made_at
    return facts.at < trust.expires and is_newer


def official_copy(facts: CopyFacts) -> Check:
    """Is it, byte for byte, a copy that two people of the manufacturer filed? Only asked of one that is."""
    return passed("official-copy", Part.INTEGRITY, f"filed {facts.filed_at:%Y-%m-%dT%H:%M:%SZ}")


def content_form(facts: Facts) -> Check:
    """Is the attached content there, of a known schema, and canonical?"""
    fault = facts.content.fault
    if fault is None:
        return passed("content-form", Part.INTEGRITY)
    if fault == "schema-unknown":
        return open_("content-form", Part.INTEGRITY, "SCHEMA_UNKNOWN", facts.content.detail)
    return failed("content-form", Part.INTEGRITY, Code.ALTERED, reason=_word(fault), detail=facts.content.detail)


def content_issuer(facts: Facts) -> Check | None:
    """Does the paper name the manufacturer whose seal it bears, and the seal that was chosen?"""
    confirmation, entry = facts.content.confirmation, facts.trust.entry
    if confirmation is None or entry is None:
        return None
    maker = confirmation.terms.manufacturer
    if entry.uscc != maker.uscc or not is_same_name(entry.legal_name, maker.legal_name):
        return failed("content-issuer", Part.SEAL, Code.UNKNOWN_SEAL, reason="OTHER_MANUFACTURER")
    if confirmation.terms.seal.certificate_digest != facts.seal.certificate_digest:
        return failed("content-issuer", Part.SEAL, Code.UNKNOWN_SEAL, reason="OTHER_SEAL")
    return passed("content-issuer", Part.SEAL)


def entitled(facts: Facts) -> Check | None:
    """Was this seal entitled when the file was proven to exist, and does it still count?"""
    entry, proven_at = facts.trust.entry, facts.proven_at
    if entry is None:
        return None
    at = proven_at or facts.at
    if entry.state is SealState.REVOKED:
        return _revoked(entry, proven_at)
    if proven_at is None and entry.until_at is not None and at >= entry.until_at:
        return open_("entitled", Part.SEAL, "NOT_PROVEN_IN_TIME", _entitlement(entry, proven_at))
    if not entry.is_entitled(at):
        told = _entitlement(entry, proven_at)
        return failed("entitled", Part.SEAL, Code.UNKNOWN_SEAL, reason="NOT_ENTITLED_THEN", detail=told)
    if entry.state is SealState.SUSPENDED:
        return open_("entitled", Part.SEAL, "SEAL_SUSPENDED", f"suspended{_since(entry)}")
    if entry.state is SealState.VERIFY_ONLY:
        told = f"verify-only{_since(entry)}; {_proven(proven_at)}"
        if entry.state_since is not None and at >= entry.state_since:
            return failed("entitled", Part.SEAL, Code.UNKNOWN_SEAL, reason="SEALED_AFTER_VERIFY_ONLY", detail=told)
        return noted("entitled", Part.SEAL, "SEAL_VERIFY_ONLY", told)
    return passed("entitled", Part.SEAL)


def _entitlement(entry: TrustEntry, proven_at: datetime | None) -> str:
    until = f" until {format_instant(entry.until_at)}" if entry.until_at else " on"
    return f"entitled from {format_instant(entry.from_at)}{until}; {_proven(proven_at)}"


def _proven(proven_at: datetime | None) -> str:
    return f"the file is proven as of {format_instant(proven_at)}" if proven_at else "no time is proven"


def _since(entry: TrustEntry) -> str:
    return f" since {format_instant(entry.state_since)}" if entry.state_since else ""


def _revoked(entry: TrustEntry, proven_at: datetime | None) -> Check:
    """Tell when a seal was revoked, from when on its key is known to be another's, and why; a file may be older."""
    cut = entry.compromised_from or entry.revoked_at
    when = f" at {format_instant(entry.revoked_at)}" if entry.revoked_at else ""
    compromised = f", compromised from {format_instant(entry.compromised_from)}" if entry.compromised_from else ""
    because = f" ({entry.reason})" if entry.reason else ""
    told = f"revoked{when}{compromised}{because}; {_proven(proven_at)}"
    if cut is not None and proven_at is not None and proven_at < cut and entry.is_entitled(proven_at):
        return noted("entitled", Part.SEAL, "SEAL_REVOKED_LATER", told)
    return failed("entitled", Part.SEAL, Code.SEAL_REVOKED, reason="SEAL_REVOKED", detail=told)


def revocation_since(facts: Facts) -> Check | None:
    """What have the authorities said of the chain since? Only asked where we keep an answer of theirs."""
    trust, proven_at = facts.trust, facts.proven_at
    if trust.entry is None or trust.revocation_as_of is None:
        return None
    if trust.revoked_at is None:
        return passed("revocation-since", Part.SEAL, f"as of {trust.revocation_as_of:%Y-%m-%dT%H:%M:%SZ}")
    detail = f"revoked at {trust.revoked_at:%Y-%m-%dT%H:%M:%SZ}"
    if proven_at is not None and proven_at < trust.revoked_at:
        return noted("revocation-since", Part.SEAL, "SEAL_REVOKED_LATER", detail)
    return failed("revocation-since", Part.SEAL, Code.SEAL_REVOKED, reason="SEAL_REVOKED", detail=detail)


def times(facts: Facts, policy: Policy) -> Check:
    """Do the times in the file agree with our clock?"""
    latest = facts.at + policy.clock_skew
    claimed = (facts.seal.claimed_at, facts.seal.timestamp.at if facts.seal.timestamp else None)
    if any(time is not None and time > latest for time in claimed):
        return open_("times", Part.SEAL, "TIME_IN_FUTURE", "a time in the file lies ahead of this clock")
    return passed("times", Part.SEAL)


def record_known(facts: Facts, policy: Policy) -> Check:
    """Does the register hold this confirmation, with exactly these sealed bytes?"""
    register, sealed = facts.register_, facts.file.sealed_digest
    record = register.record
    if record is None and register.number_of_digest is None:
        if not register.is_complete:
            return open_("record", Part.STANDING, "REGISTER_INCOMPLETE")
        if register.source == "bundle" and not _is_before(facts, register.as_of - policy.bundle_margin):
            until = f"the offline bundle is complete until {register.as_of:%Y-%m-%dT%H:%M:%SZ}"
            return open_("record", Part.STANDING, "NOT_IN_BUNDLE_YET", until)
        return failed("record", Part.STANDING, Code.NOT_REGISTERED, reason="NUMBER_UNKNOWN")
    if record is None or (register.number_of_digest not in (None, record.number)):
        return failed("record", Part.STANDING, Code.NOT_REGISTERED, reason="NUMBER_DIFFERS")
    if record.standing is Standing.PENDING:
        return open_("record", Part.STANDING, "TRY_LATER")
    if record.standing is Standing.ABANDONED:
        return failed("record", Part.STANDING, Code.NOT_ISSUED, reason="ABANDONED")
    if sealed not in record.sealed_digests or facts.content.content_digest != record.content_digest:
        return failed("record", Part.STANDING, Code.NOT_REGISTERED, reason="BYTES_DIFFER")
    return passed("record", Part.STANDING)


def _is_before(facts: Facts, at: datetime) -> bool:
    """Tell whether a timestamp proves that the file existed before an instant: what the file claims proves nothing."""
    return facts.seal.timestamp is not None and facts.seal.timestamp.at < at


def standing(record: RecordFacts, asked: Asked) -> Check:
    """Are the lines that were asked for, or all when none were, still in force?"""
    named = tuple(line for line in record.lines if line.vin in asked.vins)
    lines = named or record.lines
    found = {line.standing for line in lines}
    if Standing.PENDING in (record.standing, *found):
        return open_("standing", Part.STANDING, "TRY_LATER")
    if Standing.ABANDONED in (record.standing, *found):
        return failed("standing", Part.STANDING, Code.NOT_ISSUED, reason="ABANDONED")
    if Standing.WITHDRAWN in found:
        return _withdrawn(lines, named=bool(named))
    if Standing.SUSPENDED in found:
        return open_("standing", Part.STANDING, "SUSPENDED")
    if Standing.SUPERSEDED in found:
        code = Code.SUPERSEDED if found == {Standing.SUPERSEDED} else Code.PARTLY_SUPERSEDED
        return Check(id="standing", part=Part.STANDING, state=State.FAILED, argues_for=code, reason=code.value)
    if len(lines) < len(record.lines) and any(line.standing.is_final for line in record.lines):
        return noted("standing", Part.STANDING, "OTHER_LINES_ENDED")
    return passed("standing", Part.STANDING)


def standing_current(record: RecordFacts, policy: Policy, *, at: datetime) -> Check | None:
    """Is the standing on record recent enough? Only asked of an offline bundle, and after a restore that left gaps."""
    heard = _heard(record.told, policy, at) if record.told else None
    if record.as_of is None or not record.gaps or (heard and heard.state is not State.PASSED):
        return heard
    detail = f"as of {record.as_of:%Y-%m-%dT%H:%M:%SZ}; the register was restored from a backup"
    answer = noted if record.unknown_for <= policy.longest_gap else open_
    return answer("standing-current", Part.STANDING, "STANDING_INCOMPLETE", detail)


def _heard(told: Told, policy: Policy, at: datetime) -> Check:
    """Judge the age of what was told by an offline bundle: "could not ask" is never fine."""
    detail = f"as of {told.at:%Y-%m-%dT%H:%M:%SZ}; the offline bundle expires {told.expires:%Y-%m-%dT%H:%M:%SZ}"
    if told.at > at + policy.clock_skew:
        return open_("standing-current", Part.STANDING, "BUNDLE_FROM_FUTURE", detail)
    if at >= told.expires:
        return open_("standing-current", Part.STANDING, "BUNDLE_EXPIRED", detail)
    if at - told.at > policy.longest_gap:
        return open_("standing-current", Part.STANDING, "STANDING_TOO_OLD", detail)
    if at - told.at > policy.clock_skew:
        return noted("standing-current", Part.STANDING, "STANDING_AS_OF", detail)
    return passed("standing-current", Part.STANDING, detail)


def _withdrawn(lines: tuple[LineFacts, ...], *, named: bool) -> Check:
    ended = next(line for line in lines if line.standing is Standing.WITHDRAWN)
    if named or all(line.standing.is_final for line in lines):
        return failed("standing", Part.STANDING, Code.WITHDRAWN, reason=_word(ended.reason_class or "other"))
    return open_("standing", Part.STANDING, "PARTLY_WITHDRAWN", "name the VINs to learn which lines are in force")


def conflict(record: RecordFacts, asked: Asked) -> Check:
    """Has another manufacturer the same VIN in force?"""
    lines = tuple(line for line in record.lines if not asked.vins or line.vin in asked.vins)
    if any(line.is_conflict and line.standing is Standing.ISSUED for line in lines):
        return open_("vin-conflict", Part.STANDING, "VIN_CONFLICT")
    return passed("vin-conflict", Part.STANDING)


def outlets(record: RecordFacts) -> Check | None:
    """Which of its outlets have closed since? Only told where one has; that ends no confirmation (B4)."""
    if not record.closed_outlets:
        return None
    told = ", ".join(f"{outlet.id} since {outlet.since}" for outlet in record.closed_outlets)
    return noted("outlets", Part.STANDING, "OUTLET_CLOSED", f"closed: {told}"[:_MOST_DETAIL])


def until(record: RecordFacts, asked: Asked, *, today: date) -> Check:
    """Is the application still within the maker's own last day, if it named one?"""
    end = record.until
    applied_on = asked.applied_on or today
    if end is not None and applied_on > end:
        return Check(
            id="until",
            part=Part.STANDING,
            state=State.FAILED,
            argues_for=Code.PAST_END,
            reason="PAST_END",
            detail=end.isoformat(),
        )
    return passed("until", Part.STANDING)


def covered(record: RecordFacts, asked: Asked) -> tuple[Check, ...]:
    """Is it for what was asked: these VINs, this country, this exporter? Unasked questions are not checked."""
    if record.confirmation is None:
        return _uncompared(asked)
    terms = record.confirmation.terms
    listed = set(terms.vins)
    answers = []
    if asked.vins:
        answers.append(("coverage-vins", all(vin in listed for vin in asked.vins), "VIN_NOT_LISTED"))
    if asked.destination:
        answers.append(("coverage-destination", asked.destination == terms.destination.country.alpha2, "OTHER_COUNTRY"))
    if asked.exporter:
        answers.append(("coverage-exporter", asked.exporter == terms.exporter.uscc, "OTHER_EXPORTER"))
    return tuple(
        passed(name, Part.STANDING) if is_equal else failed(name, Part.STANDING, Code.NOT_COVERED, reason=reason)
        for name, is_equal, reason in answers
    )


def _uncompared(asked: Asked) -> tuple[Check, ...]:
    """Answer what was asked of a record whose content is not known here: it could not be compared."""
    answers = (("vins", asked.vins), ("destination", asked.destination), ("exporter", asked.exporter))
    return tuple(open_(f"coverage-{name}", Part.STANDING, "CONTENT_NOT_KNOWN") for name, value in answers if value)
