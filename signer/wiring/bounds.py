"""What bounds a process: the disks that are looked at, and how many files are judged at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from signer import metrics
from signer.metrics.catalogue import JUDGING_SECONDS
from signer.register.blobs import DiskBlobs
from signer.services.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from signer.domain.evidence import SealFacts
    from signer.domain.scan import Scan
    from signer.domain.trust import TrustList
    from signer.register.blobs import Blobs
    from signer.register.database import Database
    from signer.services.verify import Judge
    from signer.settings import Settings

    Judging: TypeAlias = Callable[[], AbstractContextManager[None]]


def room_of(settings: Settings, *, database: Database, blobs: Blobs) -> Room:
    """Return what looks at the disks of a deployment: the data folder's, the sealed files', the register's."""
    places = {"data folder": settings.data_dir}
    if isinstance(blobs, DiskBlobs):
        places["sealed files"] = blobs.folder
    if database.file:
        places["register"] = Path(database.file).parent
    levels = {"warn_mb": settings.disk_warn_mb, "stop_mb": settings.disk_stop_mb}
    return Room(places, **levels, maintenance=settings.maintenance_path)


def in_turn(judge: Judge, judging: Judging) -> Judge:
    """Return a judge of which only so many work at once."""

    def judged(data: bytes, trust: TrustList, at: datetime, /, *, is_known: bool = False) -> SealFacts:
        with judging(), metrics.timed(JUDGING_SECONDS):
            return judge(data, trust, at, is_known=is_known)

    return judged


def scanning(scanner: Callable[[bytes], Scan], judging: Judging) -> Callable[[bytes], Scan]:
    """Return the same for what reads codes from pictures."""

    def scanned(data: bytes) -> Scan:
        with judging():
            return scanner(data)

    return scanned
