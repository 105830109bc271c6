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
    register that was restored or in an offline bundle, and the record still be good with a notice: as for a status
    list. `bundle_margin` is by how much a bundle must be complete past a file's proven time for its silence to count:
    the clocks of hosts and of authorities differ a little. `log_delay` is how long the log may take to hold what was
    issued.
    """

    mode: Literal["test", "production"]
    clock_skew: timedelta = timedelta(minutes=5)
    longest_gap: timedelta = timedelta(hours=24)
    bundle_margin: timedelta = timedelta(minutes=15)
    log_delay: timedelta = timedelta(minutes=10)
    name: str = "signer-policy/1"
