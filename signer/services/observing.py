"""What a deployment tells of itself to machines that watch it: figures looked up now, and which code it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from signer import metrics, resources
from signer.document import catalogue as templates
from signer.errors import SignerError
from signer.metrics import Figure
from signer.metrics import catalogue as known

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from signer.register.database import Database
    from signer.services.doctor import Doctor
    from signer.services.log_examining import Health
    from signer.services.room import Level, Room

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

    def __init__(self, *, database: Database, room: Room, doctor: Doctor, version: str) -> None:
        self._database = database
        self._room = room
        self._doctor = doctor
        self._version = version

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
        with suppress(SignerError):
            for place in self._room.look():
                yield Figure(known.DISK_FREE, (place.name,), place.free)
                yield Figure(known.DISK_LEVEL, (place.name,), _LEVELS[place.level])
