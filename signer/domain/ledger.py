"""The notebook of one check: findings are written down as they are met, and read out in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.rule_catalogue import finding

if TYPE_CHECKING:
    from signer.domain.rule_text import Words
    from signer.errors import Finding


class Ledger:
    """
    Collect the findings of one check.

    The only thing in the rules that changes; it never leaves `rules.check` and `rules.to_terms`.
    """

    def __init__(self) -> None:
        self._found: list[Finding] = []

    def __len__(self) -> int:
        return len(self._found)

    def note(self, rule_id: str, pointer: str, **said: Words) -> None:
        """Write down a rule's finding for one field (a JSON pointer); see `rule_catalogue.finding`."""
        self._found.append(finding(rule_id, pointer, **said))

    def in_order(self) -> tuple[Finding, ...]:
        """Return each finding once, by pointer (rows in counting order), then by rule."""
        return tuple(sorted(dict.fromkeys(self._found), key=_order))


def _order(found: Finding) -> tuple[list[tuple[int, str]], str, str]:
    steps = [
        (int(step), "") if step.isdecimal() and len(step) < 10 else (-1, step) for step in found.pointer.split("/")
    ]
    return steps, found.rule, found.en
