"""One rule as data: its id, how grave it is, its sentences with placeholders, and its source."""

from __future__ import annotations

from dataclasses import dataclass

from signer.domain.values import unprintable
from signer.errors import Finding, Severity

Words = str | tuple[str, str]
"""What fills a placeholder: a text, or a pair (Chinese, English)."""

MOST_SHOWN = 300

NOTICE = "商贸函〔2025〕648号"
GUIDE = "商务部工作指引 2025-12-11 (MOFCOM working guidelines)"
GUIDE_WINDOW = f"{GUIDE}, I (1)"
VIN_STANDARD = "GB 16735-2019"
USCC_STANDARD = "GB 32100-2015"
ESEAL = "国办发〔2025〕33号"


@dataclass(frozen=True, slots=True)
class Rule:
    """
    Name one thing that can be said about a draft, in Chinese and English.

    Both sentences have the same {placeholders}, and say what to do. `source` cites the text that demands it;
    "signer B4" is a rule of this software's own (docs/explanation/the-rule.md).
    """

    id: str
    severity: Severity
    zh: str
    en: str
    source: str

    def at(self, pointer: str, **said: Words) -> Finding:
        """Return the finding for one field; the values are made fit to show."""
        zh = {name: shown(words if isinstance(words, str) else words[0]) for name, words in said.items()}
        en = {name: shown(words if isinstance(words, str) else words[1]) for name, words in said.items()}
        return Finding(
            rule=self.id,
            severity=self.severity,
            pointer=pointer,
            zh=self.zh.format(**zh),
            en=self.en.format(**en),
            source=self.source,
        )


def code_point(char: str) -> str:
    """Return a character's code point as people write it: `U+202E`."""
    return f"U+{ord(char):04X}"


def shown(text: str) -> str:
    """Return text fit for a sentence: at most 300 characters, what must not be shown as its code point."""
    cut = text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"
    if not unprintable(cut):
        return cut
    return "".join(f"[{code_point(char)}]" if unprintable(char) else char for char in cut)
