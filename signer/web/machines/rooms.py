"""What every room of the API is built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.wiring import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The use cases, and the clock."""

    services: Services
    clock: Callable[[], datetime]
