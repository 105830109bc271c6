"""The checks of the transparency log: what it holds of a file, and what is missing there (ADR 0051)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import Standing
from signer.domain.evidence import Part
from signer.domain.verdict import Code
from signer.verification.checks import failed, open_, passed

if TYPE_CHECKING:
    from signer.domain.evidence import Facts
    from signer.domain.log_facts import ProofFacts
    from signer.domain.verdict import Check
    from signer.verification.policy import Policy

_ISSUED = frozenset({Standing.ISSUED, Standing.SUSPENDED, Standing.SUPERSEDED, Standing.WITHDRAWN})


def attached(facts: Facts) -> Check | None:
    """Does the log proof inside the file hold? Only asked where there is one: a missing proof is no failure."""
    return _proof("log-proof", facts.log.attached)


def brought(facts: Facts) -> Check | None:
    """Does the proof hold that these sealed bytes were issued? Only asked where somebody brought one."""
    return _proof("log-issued-proof", facts.log.issued)


def _proof(name: str, found: ProofFacts | None) -> Check | None:
    """
    Judge a proof. One that contradicts the file is a failure, but no forgery: the seal covers the file, not the log.

    One by a log that does not count proves nothing, and so takes nothing away but its own word.
    """
    if found is None:
        return None
    if found.fault is None:
        return passed(name, Part.STANDING, found.detail)
    if found.fault == "schema-unknown":
        return open_(name, Part.STANDING, "SCHEMA_UNKNOWN", found.detail)
    if found.fault == "log-unknown":
        doubt = open_(name, Part.STANDING, "LOG_NOT_TRUSTED", found.detail)
        return doubt.model_copy(update={"argues_for": Code.VALID_WITH_NOTICE})
    return failed(name, Part.STANDING, Code.INDETERMINATE, reason="LOG_PROOF_WRONG", detail=found.detail)


def issued(facts: Facts, policy: Policy) -> Check | None:
    """
    Does the register's own log say that these bytes were issued? Not asked before it is due, nor without a log.

    What was issued before the log began is due only once somebody queued it.
    """
    logged, record = facts.log.logged, facts.register_.record
    if logged is None or record is None or record.standing not in _ISSUED:
        return None
    if logged.issued_at is not None:
        if logged.is_of_these_bytes:
            return passed("log-issued", Part.STANDING, f"by {logged.issued_at:%Y-%m-%dT%H:%M:%SZ}")
        return failed("log-issued", Part.STANDING, Code.INDETERMINATE, reason="LOG_DIFFERS")
    recorded_at = record.recorded_at or record.issued_at
    if recorded_at < logged.began_at and not logged.is_waiting:
        return None
    due_at = max(recorded_at, logged.began_at) + policy.log_delay
    if facts.at < due_at:
        return None
    return open_("log-issued", Part.STANDING, "LOG_ISSUED_ABSENT", f"it was due by {due_at:%Y-%m-%dT%H:%M:%SZ}")
