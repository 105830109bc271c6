"""Words for machines: what rules found, in the language that the asker accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.web import languages
from signer.web.machines.shapes import FindingAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from signer.errors import Finding


def findings(found: Iterable[Finding]) -> tuple[FindingAnswer, ...]:
    """Return what rules found, sentences in Chinese or English."""
    is_chinese = languages.answered() == "zh"
    return tuple(
        FindingAnswer(
            rule=finding.rule,
            severity=finding.severity,
            pointer=finding.pointer,
            message=finding.zh if is_chinese else finding.en,
            source=finding.source,
        )
        for finding in found
    )
