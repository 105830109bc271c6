"""A verdict as JSON: the one shape of API, command line and receipts (docs/reference/verdicts.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.evidence import State
from signer.verification import wording

if TYPE_CHECKING:
    from signer.domain.json_text import Json
    from signer.domain.verdict import Verdict
    from signer.verification.wording import Language

Texts = dict[str, tuple[str, str]]


def as_json(verdict: Verdict, language: Language, *, check_texts: Texts) -> dict[str, Json]:
    """Return a verdict as plain JSON; codes, reasons and check ids are never translated, sentences are."""
    plain: dict[str, Json] = verdict.model_dump(mode="json", by_alias=True)
    confirmation = verdict.confirmation
    plain["outcome"] = verdict.outcome.value
    plain["sentence"] = wording.sentence(verdict, language)
    plain["confirmation"] = (
        confirmation.model_dump(mode="json", by_alias=True, exclude_none=True) if confirmation else None
    )
    plain["checks"] = [
        {
            "id": check.id,
            "state": check.state.value,
            "reason": check.reason,
            "sub_indication": check.sub_indication,
            "text": wording.check(check, language, check_texts),
        }
        for check in verdict.checks
    ]
    plain["receipt"] = None
    first = ("code", "outcome", "sentence", "subject", "test", "would_be", "reason", "number")
    return {**{key: plain[key] for key in first}, **{key: value for key, value in plain.items() if key not in first}}


def failed_checks(verdict: Verdict) -> tuple[str, ...]:
    """Return the ids of the checks that did not pass, for a line of text or a log."""
    return tuple(check.id for check in verdict.checks if check.state is not State.PASSED)
