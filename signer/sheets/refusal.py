"""Why a file is no spreadsheet that we read: a sheet rule's id and what fills its sentence."""

from __future__ import annotations

from signer.errors import SignerError


class SheetRefused(SignerError):
    """A whole file cannot be taken; said in the child, told to people by `reading`."""

    code = "sheet-refused"

    def __init__(self, rule: str, **said: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.said = said
