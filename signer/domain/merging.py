"""
Merge what two people made of one draft: both edits where they do not meet, and a named clash where they do.

Pure. No edit is lost without a clash that names it. Vehicles are matched by their VIN: a valid VIN says which car a row
is about, and a row without one is still being typed, so the row in the same gap is taken for it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from signer.domain.confirmation import MOST_DRAFT_ROWS, MOST_OUTLETS, Draft, DraftVehicle
from signer.domain.vehicle import normalise_vin, vin_fault
from signer.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from signer.domain.values import Frozen

__all__ = ["Clash", "Merged", "Value", "merge"]

Value: TypeAlias = str | int | bool | tuple[str, ...] | DraftVehicle | None
"""What a field holds; a whole vehicle, or None for a removed one, where one removed what the other changed."""

_GROUPS = ("destination", "commitment")
_NEW_ROW = DraftVehicle()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A field that both changed, each otherwise; `pointer` leads into the merged draft, which holds `theirs`."""

    pointer: str
    mine: Value
    theirs: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """One draft out of two, and what only a person can decide."""

    draft: Draft
    clashes: tuple[Clash, ...]


def merge(base: Draft, mine: Draft, theirs: Draft) -> Merged:
    """
    Return both edits of a draft as one; where they clash it holds theirs.

    A vehicle that one removed and the other changed stays, and the clash says so. TooLarge for more rows than fit.
    """
    clashes: list[Clash] = []
    plain = _fields(base, mine, theirs, "", clashes, skipped={*_GROUPS, "vehicles", "outlets", "schema_id"})
    for name in _GROUPS:
        group: Frozen = getattr(theirs, name)
        told = _fields(getattr(base, name), getattr(mine, name), getattr(theirs, name), f"/{name}", clashes)
        plain[name] = group.model_copy(update=told)
    plain["outlets"] = _list((base.outlets, mine.outlets, theirs.outlets), "/outlets", MOST_DRAFT_ROWS, clashes)
    plain["vehicles"] = _vehicles(base.vehicles, mine.vehicles, theirs.vehicles, clashes)
    return Merged(draft=theirs.model_copy(update=plain), clashes=tuple(clashes))


def _fields(
    base: Frozen, mine: Frozen, theirs: Frozen, at: str, clashes: list[Clash], *, skipped: set[str] | None = None
) -> dict[str, object]:
    """Merge the plain fields of two records, one by one."""
    return {
        name: _value(getattr(base, name), getattr(mine, name), getattr(theirs, name), f"{at}/{name}", clashes)
        for name in type(base).model_fields
        if name not in (skipped or ())
    }


def _value(base: Value, mine: Value, theirs: Value, pointer: str, clashes: list[Clash]) -> Value:
    if mine in (base, theirs):
        return theirs
    if theirs != base:
        clashes.append(Clash(pointer=pointer, mine=mine, theirs=theirs))
        return theirs
    return mine


def _list(
    three: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], pointer: str, most: int, clashes: list[Clash]
) -> tuple[str, ...]:
    """Merge two lists as sets, in their order: what one added is in, what one removed is out."""
    base, mine, theirs = three
    if mine in (base, theirs):
        return theirs
    if theirs == base:
        return mine
    gone = {each for each in base if each not in mine}
    kept = [each for each in theirs if each not in gone]
    added = [each for each in mine if each not in base and each not in kept]
    merged = tuple(dict.fromkeys((*kept, *added)))
    if len(merged) > most:
        clashes.append(Clash(pointer=pointer, mine=mine, theirs=theirs))
        return theirs
    return merged


@dataclass(frozen=True, slots=True)
class _Row:
    """A vehicle of the result: which rows it comes from; None where a draft has it not."""

    base: DraftVehicle | None
    mine: DraftVehicle | None
    theirs: DraftVehicle | None


def _vehicles(
    base: tuple[DraftVehicle, ...],
    mine: tuple[DraftVehicle, ...],
    theirs: tuple[DraftVehicle, ...],
    clashes: list[Clash],
) -> tuple[DraftVehicle, ...]:
    if mine in (base, theirs):
        return theirs
    if theirs == base:
        return mine
    kept = [row for row in _rows(base, mine, theirs) if _stays(row)]
    if len(kept) > MOST_DRAFT_ROWS:
        raise TooLarge(f"{len(kept)} vehicles; at most {MOST_DRAFT_ROWS}")
    return tuple(_row(row, f"/vehicles/{place}", clashes) for place, row in enumerate(kept))


def _rows(base: Sequence[DraftVehicle], mine: Sequence[DraftVehicle], theirs: Sequence[DraftVehicle]) -> Iterator[_Row]:
    """Return the rows of all three, matched: in their order, with what is only mine behind the row before it."""
    in_mine, in_theirs = _matched(base, mine), _matched(base, theirs)
    link = {i: in_theirs[b] for b, i in in_mine.items() if b in in_theirs}
    base_of_mine, base_of_theirs = _inverse(in_mine), _inverse(in_theirs)
    link |= _same_added(mine, theirs, taken=base_of_mine, theirs_taken=base_of_theirs)
    linked = _inverse(link)
    behind: defaultdict[int, list[int]] = defaultdict(list)
    anchor = -1
    for i in range(len(mine)):
        if i in link:
            anchor = link[i]
        else:
            behind[anchor].append(i)
    for j in range(-1, len(theirs)):
        if j >= 0:
            b = base_of_theirs.get(j)
            yield _Row(_at(base, b), _at(mine, linked.get(j)), theirs[j])
        for i in behind[j]:
            yield _Row(_at(base, base_of_mine.get(i)), mine[i], None)


def _stays(row: _Row) -> bool:
    """Tell whether a row is in the result: not if one removed it and the other left it as it was, or both did."""
    if row.base is None:
        return True
    left = [each for each in (row.mine, row.theirs) if each is not None]
    return len(left) == 2 or any(each != row.base for each in left)


def _row(row: _Row, at: str, clashes: list[Clash]) -> DraftVehicle:
    if row.mine is None or row.theirs is None:
        kept = row.mine or row.theirs or _NEW_ROW
        if row.base is not None:
            clashes.append(Clash(pointer=at, mine=row.mine, theirs=row.theirs))
        return kept
    base = row.base or _NEW_ROW
    told = _fields(base, row.mine, row.theirs, at, clashes, skipped={"outlets"})
    three = (base.outlets, row.mine.outlets, row.theirs.outlets)
    return row.theirs.model_copy(update={**told, "outlets": _list(three, f"{at}/outlets", MOST_OUTLETS, clashes)})


def _matched(base: Sequence[DraftVehicle], other: Sequence[DraftVehicle]) -> dict[int, int]:
    """Return which row of another version each row of the base has become."""
    found = _by(list(map(_vin_of, base)), list(map(_vin_of, other)), {}, set())
    found = _by(list(base), list(other), found, set(found.values()))
    taken = set(found.values())
    for place in range(len(base)):
        if place in found:
            continue
        low = max((j for i, j in found.items() if i < place), default=-1)
        high = min((j for i, j in found.items() if i > place), default=len(other))
        for candidate in range(low + 1, high):
            if candidate not in taken and _may_be(base[place], other[candidate]):
                found[place] = candidate
                taken.add(candidate)
                break
    return found


def _by(base: Sequence[object], other: Sequence[object], found: dict[int, int], taken: set[int]) -> dict[int, int]:
    """Match what is equal and not empty, the first with the first."""
    places: defaultdict[object, list[int]] = defaultdict(list)
    for j, each in enumerate(other):
        if each and j not in taken:
            places[each].append(j)
    matched = dict(found)
    for i, each in enumerate(base):
        if i not in matched and each and places[each]:
            matched[i] = places[each].pop(0)
    return matched


def _same_added(
    mine: Sequence[DraftVehicle], theirs: Sequence[DraftVehicle], *, taken: dict[int, int], theirs_taken: dict[int, int]
) -> dict[int, int]:
    """Match what both added: the same car, or the very same row."""
    own = [None if i in taken else row for i, row in enumerate(mine)]
    others = [None if j in theirs_taken else row for j, row in enumerate(theirs)]
    found = _by([row and _vin_of(row) for row in own], [row and _vin_of(row) for row in others], {}, set())
    return _by(own, others, found, set(found.values()))


def _may_be(before: DraftVehicle, after: DraftVehicle) -> bool:
    """Tell whether a row may have become another: not if both name a car, each another one."""
    return bool(vin_fault(_vin_of(before)) or vin_fault(_vin_of(after)))


def _vin_of(row: DraftVehicle) -> str:
    return normalise_vin(row.vin)


def _inverse(found: dict[int, int]) -> dict[int, int]:
    return {j: i for i, j in found.items()}


def _at(rows: Sequence[DraftVehicle], place: int | None) -> DraftVehicle | None:
    return None if place is None else rows[place]
