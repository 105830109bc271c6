"""Whose word a checkpoint is: the log keys that the trust list names, and the log's name, which it says too."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from signer.domain.trust import Purpose
from signer.seal import log_key, service_key

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.trust import TrustList
    from signer.transparency.notes import NoteKey


def origin(base_url: str) -> str:
    """Return the name of a service's log: host and path of its address, and `/log`. Source: C2SP tlog-tiles."""
    parts = urlsplit(base_url)
    return f"{parts.netloc}{parts.path.rstrip('/')}/log"


def keys(trust: TrustList, *, at: datetime) -> tuple[NoteKey, ...]:
    """
    Return the keys whose word about an instant counts now; none if the list does not say where the service is.

    One that was retired since counts for what is older than that, a revoked one for nothing: a checkpoint proves no
    time of its own. A younger key counts for older leaves: it signed the tree in which they stand already.
    """
    if trust.base_url is None:
        return ()
    name = origin(trust.base_url)
    counting = (entry for entry in trust.of(Purpose.LOG) if not service_key.past_fault(entry, max(at, entry.from_at)))
    return tuple(log_key.note_key(entry, origin=name) for entry in counting)
