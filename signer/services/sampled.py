"""The self-check's judge: the fast path for every file, and for a sample the full one beside it. They must agree."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import structlog

from signer.errors import SelfCheckFailed

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.evidence import Level, SealFacts
    from signer.domain.trust import TrustList
    from signer.services.verify import Judge

log = structlog.get_logger()

ONE_IN: Final = 50
"""Of so many files one is judged by both paths; which one, its digest says."""


class Sampled:
    """
    Judge files of our own by `judge`, and some by `whole` too: the first of each seal and level, then a sample.

    What the two say must be equal in every respect. If it is not, one of them is wrong and nobody knows which: nothing
    is sealed on the strength of either. The second opinion is always that of a child of its own.
    """

    def __init__(self, *, judge: Judge, whole: Judge) -> None:
        self._judge = judge
        self._whole = whole
        self._seen: set[tuple[str | None, Level | None]] = set()

    def __call__(self, data: bytes, trust: TrustList, at: datetime, /, *, is_known: bool = False) -> SealFacts:
        """Return the facts of a file's seal. Raises SelfCheckFailed if the two paths disagree about them."""
        facts = self._judge(data, trust, at, is_known=is_known)
        digest = hashlib.sha256(data).hexdigest()
        if self._is_due(digest, facts):
            kind = facts.certificate_digest, facts.level
            self._seen.discard(kind)  # should they disagree, the next file is compared as well
            self._compare(facts, self._whole(data, trust, at), digest)
            self._seen.add(kind)
        return facts

    def _is_due(self, digest: str, facts: SealFacts) -> bool:
        is_first = (facts.certificate_digest, facts.level) not in self._seen
        return is_first or int(digest[:8], 16) % ONE_IN == 0

    def _compare(self, facts: SealFacts, whole: SealFacts, digest: str) -> None:
        if facts == whole:
            return
        one, other = facts.model_dump(), whole.model_dump()
        parted = sorted(key for key in one if one[key] != other[key])
        log.critical("self-check.paths-disagree", file=digest[:16], about=parted)
        told = f"the fast and the full verification path disagree about {', '.join(parted)}"
        raise SelfCheckFailed(f"{told} (file {digest[:16]}): nothing is sealed until that is understood")
