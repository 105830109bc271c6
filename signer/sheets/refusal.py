"""Why a file is no spreadsheet that we read: a sheet rule's id and what fills its sentence."""

from __future__ import annotations


class SheetRefused(Exception):
    """A whole file cannot be taken: said in the child alone, where `reading` makes a RuleViolation of it."""

    def __init__(self, rule: str, **said: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.said = said
