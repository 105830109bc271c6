"""What the parent tells the judge beside the file."""

from __future__ import annotations

from signer.domain.values import Frozen, Hex256, Instant


class Task(Frozen):
    """The time to judge at, and which of the trust lists that the judge was taught: SHA-256 of its JSON."""

    at: Instant
    trust_digest: Hex256
