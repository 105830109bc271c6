"""What the parent tells the judge beside the file."""

from __future__ import annotations

from signer.domain.values import Frozen, Hex256, Instant


class Task(Frozen):
    """
    The time to judge at, and which of the trust lists that the judge was taught: SHA-256 of its JSON.

    `is_whole`: by the full path alone, whatever the file is. `is_screened`: the parent found nothing to refuse before
    any parser (`precheck`).
    """

    at: Instant
    trust_digest: Hex256
    is_whole: bool = False
    is_screened: bool = False
