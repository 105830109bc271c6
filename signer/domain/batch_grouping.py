"""
Which vehicles of a batch stand in one confirmation: those of one exporter, destination and model, and so on. Pure.

Whatever a confirmation can say once is the same for all of its vehicles; they stand in the order of the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.values import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signer.domain.importing import SheetRow


@dataclass(frozen=True, slots=True)
class Group:
    """The vehicles of one confirmation; `place` counts from 1 in the order of the groups' first rows."""

    place: int
    rows: tuple[SheetRow, ...]


def grouped(rows: Iterable[SheetRow], size: int) -> Iterator[Group]:
    """
    Yield rows as groups of at most so many: a full one at once, the others at the end.

    Each row is in exactly one group, in the order in which it came; only groups that are not full are kept.
    """
    growing: dict[tuple[str, ...], tuple[int, list[SheetRow]]] = {}
    places = 0
    for row in rows:
        key = (*row.key, tidy(row.vehicle.model))
        if key not in growing:
            places += 1
            growing[key] = (places, [])
        place, members = growing[key]
        members.append(row)
        if len(members) == size:
            del growing[key]
            yield Group(place, tuple(members))
    for place, members in growing.values():
        yield Group(place, tuple(members))
