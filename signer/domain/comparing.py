"""What changed from one confirmation's terms to another's, line by line; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain import content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from signer.domain.confirmation import Terms
    from signer.domain.json_text import Json

    Path: TypeAlias = tuple[str, ...]

ORDER = "order"
"""The last step of a line that tells in which order the vehicles stand that both have."""
_KEYS = {"vehicles": "vin", "outlets": "id"}


@dataclass(frozen=True, slots=True)
class Change:
    """
    One line that differs; None where one side has no such line.

    `path` is like `("vehicles", "<VIN>", "model")`; a vehicle or outlet that one side lacks altogether is a single line
    `("vehicles", "<VIN>")`.
    """

    path: Path
    before: str | None
    after: str | None


def compare(before: Terms, after: Terms) -> tuple[Change, ...]:
    """Return every line that differs, in the order of the paper; none exactly if both have the same digest."""
    older, newer = _lines(before), _lines(after)
    whole = _whole(before, after)
    found = [
        Change(path, older.get(path), newer.get(path))
        for path in _merged(older, newer)
        if older.get(path) != newer.get(path) and path[:2] not in whole
    ]
    found += [Change(path, *said) for path, said in whole.items()]
    found += _order(before, after)
    return tuple(sorted(found, key=lambda change: _place(change.path)))


def _lines(terms: Terms) -> dict[Path, str]:
    """Return every value of the terms by its path; a vehicle is known by its VIN, an outlet by its id."""
    plain = json.loads(content.encode_terms(terms))
    plain.pop("outlet_order", None)  # `_order` tells of it
    return dict(_walk((), plain))


def _walk(path: Path, value: Json) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _walk((*path, name), each)
    elif isinstance(value, list) and len(path) == 1 and path[0] in _KEYS:
        for each in value:
            if isinstance(each, dict):
                yield from _walk((*path, str(each[_KEYS[path[0]]])), each)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _merged(older: Mapping[Path, str], newer: Mapping[Path, str]) -> dict[Path, None]:
    return dict.fromkeys((*older, *newer))


def _whole(before: Terms, after: Terms) -> dict[Path, tuple[str | None, str | None]]:
    """Return the vehicles and outlets that one side lacks, each with the words by which it is known."""
    found: dict[Path, tuple[str | None, str | None]] = {}
    for older, newer in zip(_named(before), _named(after), strict=True):
        for path in _merged(older, newer):
            if (path in older) is not (path in newer):
                found[path] = (older.get(path), newer.get(path))
    return found


def _named(terms: Terms) -> tuple[dict[Path, str], dict[Path, str]]:
    vehicles: dict[Path, str] = {("vehicles", str(each.vin)): f"{each.brand} {each.model}" for each in terms.vehicles}
    outlets: dict[Path, str] = {("outlets", each.id): each.name for each in terms.outlets}
    return vehicles, outlets


def _order(before: Terms, after: Terms) -> list[Change]:
    """Tell if the vehicles (or outlets) that both have stand in another order: it is printed, and digested."""
    found = []
    for part, older, newer in (
        ("vehicles", [str(each) for each in before.vins], [str(each) for each in after.vins]),
        ("outlets", [each.id for each in before.printed_outlets], [each.id for each in after.printed_outlets]),
    ):
        first, second = [key for key in older if key in newer], [key for key in newer if key in older]
        if first != second:
            found.append(Change((part, ORDER), ", ".join(first), ", ".join(second)))
    return found


_PAPER = (
    "supersedes",
    "until",
    "manufacturer",
    "exporter",
    "contract",
    "destination",
    "application_planned_on",
    "vehicles",
    "outlets",
    "commitment",
    "template",
    "seal",
)


def _place(path: Path) -> tuple[int, Path]:
    return (_PAPER.index(path[0]) if path[0] in _PAPER else len(_PAPER), path)
