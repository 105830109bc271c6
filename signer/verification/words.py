"""What a language must bring along for verdicts to be told in it, if its words do not stand in the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Words(Protocol):
    """The words of a language, by key: `code.VALID`, `sentence.VALID`, `reason.EMPTY`, `check.form`, `state.passed`."""

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its values put in."""

    def instant(self, at: datetime | None) -> str:
        """Return an instant as it is read in Beijing, or a dash."""

    def knows(self, key: str) -> bool:
        """Tell whether there is such a text."""
