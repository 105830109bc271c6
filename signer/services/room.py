"""Whether anything new is begun here: not below a level of room on the disks, and not while somebody works on it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from signer.errors import StorageLow, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Level = Literal["ok", "low", "stopped"]
_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place that was looked at: what lies there, how many bytes are free, what that means, in words."""

    name: str
    free: int
    level: Level
    told: str


class Room:
    """
    Looks at the disks of a deployment at each question: that costs a few microseconds.

    `places` names folders by what lies there; one that is not made yet is looked at where it will be. What lies in a
    database server or an object store has its own operators, and is not seen from here. `maintenance` is the file by
    which an operator says that this machine is drained.
    """

    def __init__(self, places: Mapping[str, Path], *, warn_mb: int, stop_mb: int, maintenance: Path) -> None:
        self._places = places
        self._maintenance = maintenance
        self._warn, self._stop = warn_mb * _MB, stop_mb * _MB

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are looked at."""
        return tuple(self._places.values())

    def look(self) -> tuple[Place, ...]:
        """Return every place as it is. StorageUnavailable for one that cannot be looked at."""
        return tuple(self._look(name, folder) for name, folder in self._places.items())

    def refuse_low(self) -> None:
        """Refuse to begin anything that takes room, before a number is used up. StorageLow, StorageUnavailable."""
        for place in self.look():
            if place.level == "stopped":
                raise StorageLow(f"{place.name}: {place.told}")

    def is_draining(self) -> bool:
        """Tell whether somebody works on this machine: pages are answered, and workers begin nothing."""
        return self._maintenance.exists()

    def _look(self, name: str, folder: Path) -> Place:
        try:
            there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
            free = shutil.disk_usage(there).free
        except OSError as error:
            raise StorageUnavailable(f"{folder} cannot be looked at: {error.strerror}") from error
        told = f"{free // _MB} MB free in {folder}"
        if free < self._stop:
            told += f", less than {self._stop // _MB} (SIGNER_DISK_STOP_MB): nothing new is begun until there is more"
            return Place(name=name, free=free, level="stopped", told=told)
        if free < self._warn:
            told += f", less than {self._warn // _MB}; below {self._stop // _MB} nothing new is begun"
            return Place(name=name, free=free, level="low", told=told)
        return Place(name=name, free=free, level="ok", told=told)
