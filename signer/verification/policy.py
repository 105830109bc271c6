"""The verification policy as data: what one deployment demands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    What a deployment demands of a file.

    `mode` is `test` or `production`; only `test` counts TEST seals. `clock_skew` is how far a time in a
    file may lie ahead of our clock. `longest_gap` is for how long a record's standing may have gone unheard of, in a
    register that was restored, and the record still be good with a notice: as for a status list.
    """

    mode: Literal["test", "production"]
    clock_skew: timedelta = timedelta(minutes=5)
    longest_gap: timedelta = timedelta(hours=24)
    name: str = "signer-policy/1"
