"""What the parent tells the judge beside the file."""

from __future__ import annotations

from signer.domain.trust import TrustList
from signer.domain.values import Frozen, Instant


class Task(Frozen):
    """The trust list that the parent verified, and the time to judge at."""

    at: Instant
    trust: TrustList
