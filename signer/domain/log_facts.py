"""What can be known of the transparency log about a file, before anyone judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from signer.domain.values import Frozen, Hex256, Instant

if TYPE_CHECKING:
    from datetime import datetime


class LogHead(Frozen):
    """How many leaves a log had when it was asked, and the root of their tree."""

    size: Annotated[int, Field(ge=0)]
    root: Hex256


class ProofFacts(Frozen):
    """
    What a log proof proves: nothing, if it has a `fault`; else that its leaf stands in a log that counts.

    `at` is the end of the minute that the leaf names: the earliest time of which the log can be said to know.
    `log-unknown`: no key that counts, or counted in that minute, has signed its checkpoint. `other-leaf`: it opens a
    leaf of another confirmation, of another content or of another kind.
    """

    fault: Literal["schema-unknown", "malformed", "not-canonical", "log-unknown", "not-in-log", "other-leaf"] | None = (
        None
    )
    detail: Annotated[str, Field(max_length=400)] = ""
    at: Instant | None = None
    head: LogHead | None = None


class LoggedFacts(Frozen):
    """
    What the register's own log holds of a confirmation that is issued.

    `began_at` is when the log signed its first checkpoint. `issued_at`: the end of the minute of the leaf that says so
    (`issued`, or `backfill` for one from before the log), if a signed checkpoint covers it; `is_of_these_bytes` tells
    whether that leaf has the digest of S. `is_waiting`: such a leaf is queued and not in the log yet.
    """

    began_at: Instant
    issued_at: Instant | None = None
    is_of_these_bytes: bool = False
    is_waiting: bool = False


class LogFacts(Frozen):
    """
    What the log says of a file: nothing at all, if nobody asked one and the file brings no proof.

    `attached` is the proof of `intent` inside the file, `issued` that of the leaf of S, if somebody brought one;
    `logged` is the word of the register's own log, and `head` its newest checkpoint.
    """

    attached: ProofFacts | None = None
    issued: ProofFacts | None = None
    logged: LoggedFacts | None = None
    head: LogHead | None = None

    @property
    def sealed_at(self) -> datetime | None:
        """The earliest time of which a log that counts says that S existed."""
        logged, issued = self.logged, self.issued
        found = [issued.at] if issued is not None and issued.fault is None else []
        if logged is not None and logged.is_of_these_bytes:
            found.append(logged.issued_at)
        return min((at for at in found if at is not None), default=None)


NO_LOG = LogFacts()
