"""A verdict as JSON: the one shape of API, command line and receipts (docs/reference/verdicts.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from signer.domain.evidence import State
from signer.verification import wording

if TYPE_CHECKING:
    from pydantic.main import IncEx

    from signer.domain.json_text import Json
    from signer.domain.verdict import Verdict
    from signer.verification.wording import Speech

Texts = dict[str, tuple[str, str]]
KEYS = (
    "code",
    "outcome",
    "subject",
    "test",
    "would_be",
    "reason",
    "number",
    "issuer",
    "sealed_at",
    "proven_at",
    "proven_by",
    "checked_at",
    "policy",
    "parts",
    "coverage",
    "seal_report",
    "confirmation",
    "checks",
    "receipt",
)
"""The keys of a verdict, in order: frozen, so that a client may refuse any other."""
_NOT_TOLD: IncEx = cast(
    "IncEx", {"coverage": {"vins": {"__all__": {"ended_at"}}}, "confirmation": True, "checks": True}
)
"""What stands in no answer, and what is told in a form of its own."""


def as_json(verdict: Verdict, speech: Speech, *, check_texts: Texts, receipt: str | None = None) -> dict[str, Json]:
    """
    Return a verdict as plain JSON: `KEYS`, in their order, and no other.

    Codes, reasons and check ids are never translated. The text of a check that argues for the verdict's code holds
    the whole sentence, with the day of an end and the successor where they may be told. `receipt` is a compact JWS.
    A verdict on paper, and no other, has one key more: `paper`.
    """
    plain: dict[str, Json] = verdict.model_dump(mode="json", by_alias=True, exclude=_NOT_TOLD)
    confirmation = verdict.confirmation
    plain["outcome"] = verdict.outcome.value
    plain["confirmation"] = (
        confirmation.model_dump(mode="json", by_alias=True, exclude_none=True) if confirmation else None
    )
    plain["checks"] = [
        {
            "id": check.id,
            "state": check.state.value,
            "sub_indication": check.sub_indication,
            "text": wording.told(check, verdict, speech, check_texts),
        }
        for check in verdict.checks
    ]
    plain["receipt"] = receipt
    told = {key: plain[key] for key in KEYS}
    if verdict.paper is not None:
        told["paper"] = _paper(verdict, speech, check_texts)
    return told


def _paper(verdict: Verdict, speech: Speech, check_texts: Texts) -> Json:
    """Return what was read on paper, with the answers about other numbers in the same file, each by itself."""
    others: list[Json] = [as_json(other, speech, check_texts=check_texts) for other in verdict.others]
    found: dict[str, Json] = verdict.paper.model_dump(mode="json") if verdict.paper else {}
    return {**found, "others": others}


def failed_checks(verdict: Verdict) -> tuple[str, ...]:
    """Return the ids of the checks that did not pass, for a line of text or a log."""
    return tuple(check.id for check in verdict.checks if check.state is not State.PASSED)
