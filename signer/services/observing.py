"""What a deployment tells of itself to machines that watch it: figures looked up now, and which code it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from signer import metrics, resources
from signer.document import catalogue as templates
from signer.domain.trust import SealState
from signer.errors import SignerError
from signer.metrics import Figure
from signer.metrics import catalogue as known
from signer.register import jobs, queues, status_lists
from signer.register.scope import Scope
from signer.seal.certificates import Certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from signer.register.database import Database
    from signer.services.doctor import Doctor
    from signer.services.log_examining import Health
    from signer.services.room import Level, Room
    from signer.services.trust import TrustSource

_LEVELS: Mapping[Level, int] = {"ok": 0, "low": 1, "stopped": 2}
_HEALTH: Mapping[Health, int] = {"ok": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """
    Which code answers, and over which register.

    `commit` is '' where it is not known; `renderers` are the digests (hex) by template version; `migration` is None
    where the register does not answer.
    """

    commit: str
    renderers: Mapping[str, str]
    migration: str | None


class Observing:
    """Look at a deployment for those who watch it; nothing is changed, and nobody is asked over the network."""

    def __init__(
        self,
        *,
        database: Database,
        room: Room,
        trust: TrustSource,
        doctor: Doctor,
        version: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._room = room
        self._doctor = doctor
        self._version = version
        self._trust = trust
        self._clock = clock

    def code(self) -> Code:
        """Return which code answers."""
        migration = None
        with suppress(SignerError):
            migration = self._database.version()
        return Code(commit=resources.commit(), renderers=self._renderers, migration=migration)

    def page(self) -> str:
        """Return everything that is counted and looked up, as Prometheus' text; what cannot be looked up is missing."""
        return metrics.page(self._figures())

    @cached_property
    def _renderers(self) -> Mapping[str, str]:
        folder = resources.templates_dir()
        return {
            version: templates.digest_of(templates.load(folder, version)).hex()
            for version in templates.versions(folder)
        }

    def _figures(self) -> Iterator[Figure]:
        code = self.code()
        yield Figure(known.INFO, (self._version, code.commit, code.migration or ""), 1)
        for part, health in self._doctor.healths().items():
            yield Figure(known.HEALTH, (part,), _HEALTH[health])
        yield from self._of_disks()
        yield from self._of_queues()
        yield from self._of_trust()

    def _of_disks(self) -> Iterator[Figure]:
        with suppress(SignerError):
            for place in self._room.look():
                yield Figure(known.DISK_FREE, (place.name,), place.free)
                yield Figure(known.DISK_LEVEL, (place.name,), _LEVELS[place.level])

    def _of_queues(self) -> Iterator[Figure]:
        at, everything = self._clock(), Scope.everything("who watches a deployment sees no record")
        with suppress(SignerError):
            with self._database.read() as tx:
                found = tuple(queues.lengths(tx, scope=everything, at=at))
                failed = sum(job.state == "failed" for job in jobs.jobs(tx))
                lists = status_lists.signed(tx)
            for one in found:
                yield Figure(known.QUEUE_LENGTH, (one.name,), one.length)
                age = timedelta(0) if one.since is None or not one.length else max(timedelta(0), at - one.since)
                yield Figure(known.QUEUE_AGE, (one.name,), age.total_seconds())
            yield Figure(known.JOBS_FAILED, (), failed)
            if lists:
                yield Figure(known.STATUS_LIST_AGE, (), (at - min(kept.at for _, kept in lists)).total_seconds())

    def _of_trust(self) -> Iterator[Figure]:
        """Tell what ends, and when: the list itself, and each certificate on it that is in use."""
        at = self._clock()
        with suppress(SignerError):
            trust = self._trust.current(at)
            yield Figure(known.TRUST_LIST_DAYS, (), _days(trust.expires - at))
            for entry in trust.entries:
                if entry.state is SealState.ACTIVE and entry.is_entitled(at):
                    left = _days(Certificate(entry.der).not_after - at)
                    yield Figure(known.CERTIFICATE_DAYS, (entry.purpose, entry.certificate_digest[:16]), left)


def _days(left: timedelta) -> float:
    return round(left / timedelta(days=1), 2)
