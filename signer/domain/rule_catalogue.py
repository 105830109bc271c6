"""Every rule that a draft can meet: a stable id, how grave it is, what to tell people, and the text that demands it."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from signer.domain import rule_texts_draft, rule_texts_issuing, rule_texts_vehicles
from signer.domain.rule_text import Rule, Words

if TYPE_CHECKING:
    from signer.errors import Finding

__all__ = ["RULES", "Rule", "Words", "finding", "placeholders", "rule"]

RULES: tuple[Rule, ...] = (*rule_texts_draft.RULES, *rule_texts_vehicles.RULES, *rule_texts_issuing.RULES)
_BY_ID = {each.id: each for each in RULES}


def rule(rule_id: str) -> Rule:
    """Return a rule by its id; KeyError for one that is not in the catalogue (a defect of ours)."""
    return _BY_ID[rule_id]


def placeholders(text: str) -> frozenset[str]:
    """Return the names of a sentence's placeholders."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def finding(rule_id: str, pointer: str, **said: Words) -> Finding:
    """
    Return a rule's finding for one field, its sentences filled in.

    `pointer` is a JSON pointer (RFC 6901) into the draft, `said` the values of the placeholders: a text,
    or a pair (Chinese, English). Values come from outside: they are shortened, and characters
    that must not be shown are written as their code points.
    """
    return _BY_ID[rule_id].at(pointer, **said)
