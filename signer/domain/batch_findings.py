"""
What is told of a batch's file: every fault by row and column, however many there are, and not all of them kept.

Pure. A batch is sealed as it is read: unlike drafts, nothing in it is typed later, so that what a draft may lack for a
while is told here as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from signer.domain.importing import MOST_SAID, Report, Said, cells_of, said_of
from signer.domain.outlet_choice import ELECTRIC
from signer.domain.rule_catalogue import finding
from signer.domain.table import address

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from signer.domain.importing import SheetRow
    from signer.errors import Finding

__all__ = ["Telling", "placed_in_file"]

_TOLD_BY_ROW = frozenset({"vin.duplicate", "issuer.several"})
"""Rules about several vehicles of one confirmation, of which each row is told already (`vin.twice`, `issuer.name`)."""
_OUTLETS = "/outlets"
_BATTERY = "commitment.battery"
"""Names lines of the confirmation; in a file these are rows."""


def placed_in_file(
    findings: Iterable[Finding], group: Sequence[SheetRow], places: Mapping[str, int]
) -> tuple[Finding, ...]:
    """
    Return what the rules said about a group's draft, each pointer turned into a cell of the file.

    What comes from no column is about the whole file (''), a destination without outlets about its cells. Notices are
    left out.
    """
    found: list[Finding] = []
    for each in findings:
        if each.rule == _BATTERY:
            found.extend(_batteries(group, places))
        elif each.severity != "notice" and each.rule not in _TOLD_BY_ROW:
            is_destination = each.pointer == _OUTLETS and each.severity == "violation"
            pointer = "/destination/country" if is_destination else each.pointer
            found.extend(replace(each, pointer=place) for place in cells_of(pointer, group, places) or ("",))
    return tuple(found)


def _batteries(group: Sequence[SheetRow], places: Mapping[str, int]) -> Iterator[Finding]:
    for row in group:
        if row.vehicle.energy in ELECTRIC:
            yield finding(_BATTERY, address(row.row, places["energy"]), lines=f"{row.row}")


class Telling:
    """Collects the remarks on a file: at most MOST_SAID are kept, what forbids to go on first; all are counted."""

    def __init__(self, titles: Sequence[str], places: Mapping[str, int]) -> None:
        self._titles = titles
        self._fields = {column: name for name, column in places.items()}
        self._violations: list[Said] = []
        self._others: list[Said] = []
        self._of_all: set[Finding] = set()
        self._unread: set[str] = set()
        self._count = 0
        self.is_faulty = False

    def note_cells(self, findings: Iterable[Finding], cells: Mapping[int, Sequence[str]]) -> None:
        """Note what is wrong with cells, of which the texts are given by row."""
        found = tuple(findings)
        self._unread.update(one.pointer for one in found if one.severity == "violation" and one.rule[:5] == "cell.")
        self._note(found, cells)

    def note_rules(self, findings: Iterable[Finding], rows: Sequence[SheetRow]) -> None:
        """Note what the rules say of some rows; a cell that could not be read is not told to be empty as well."""
        found = [one for one in findings if not (one.rule.endswith(".missing") and one.pointer in self._unread)]
        if found:
            self._note(found, {row.row: self._typed(row) for row in rows})

    def report(self) -> Report:
        """Return what is kept, in the file's order, and how many remarks there are."""
        kept = [*self._violations, *self._others][:MOST_SAID]
        return Report(said=tuple(sorted(kept, key=lambda one: (one.row, one.column, one.rule))), count=self._count)

    def _note(self, findings: Iterable[Finding], cells: Mapping[int, Sequence[str]]) -> None:
        for one in dict.fromkeys(findings):
            if not one.pointer:
                if one in self._of_all:
                    continue
                self._of_all.add(one)
            self._count += 1
            self.is_faulty |= one.severity == "violation"
            kept = self._violations if one.severity == "violation" else self._others
            if len(kept) < MOST_SAID:
                kept.extend(said_of((one,), self._titles, cells))

    def _typed(self, row: SheetRow) -> tuple[str, ...]:
        """Return what a row says by column, as it was read."""
        most = max(self._fields, default=-1) + 1
        return tuple(self._text(row, self._fields.get(column, "")) for column in range(most))

    @staticmethod
    def _text(row: SheetRow, name: str) -> str:
        found = getattr(row.vehicle, name, getattr(row, name, "")) if name else ""
        return found if isinstance(found, str) else ""
