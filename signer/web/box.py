"""The one input box: numbers, VINs, a VIN's last six, a USCC, a SHA-256 and signed codes, in any mix."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from signer.domain.number import ALPHABET, LENGTH, Number
from signer.domain.parties import uscc_fault
from signer.domain.values import fold_code

MOST_TEXT = 200_000
_MOST_LINES = 2_000
_MOST_SHOWN = 40
_CELLS = re.compile(r"[\t,;|，；、]+")
_CODE = re.compile(r"[0-9A-Z]+")
_DIGEST = re.compile(r"[0-9A-F]{64}")
_NUMBER_FORM = re.compile(r"[0-9A-Z]{5}[-\s\u2010-\u2014][0-9A-Z]{5}[-\s\u2010-\u2014][0-9A-Z]{4}")
_WORD = re.compile(r"\S+")
_SIGNED = re.compile(r"(?<![0-9A-Za-z])[0-9]{100,4000}(?![0-9])", re.ASCII)
_TAIL = re.compile(r"[0-9A-Z]{6}")
_MOST_JOINED = 3
_LONG = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """A line in which nothing was recognised, and what it may have been meant for: `number`, `vin` or nothing."""

    line: int
    text: str
    meant: str = ""
    length: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What stands in the box, each thing once, in typed order."""

    numbers: tuple[str, ...] = ()
    vins: tuple[str, ...] = ()
    tails: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    exporters: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()


@dataclass(slots=True)
class _Sorting:
    numbers: dict[str, None] = field(default_factory=dict)
    vins: dict[str, None] = field(default_factory=dict)
    tails: dict[str, None] = field(default_factory=dict)
    digests: dict[str, None] = field(default_factory=dict)
    exporters: dict[str, None] = field(default_factory=dict)

    def take(self, text: str) -> bool:
        """File a piece of text under what it is; tell whether it is anything."""
        code = fold_code(text)
        if not _CODE.fullmatch(code):
            return False
        shelf = self._shelf(code)
        if shelf is None:
            return False
        shelf[str(Number.parse(code)) if shelf is self.numbers else code] = None
        return True

    def _shelf(self, code: str) -> dict[str, None] | None:
        if len(code) == 17:
            return self.vins
        if len(code) == LENGTH and _is_number(code):
            return self.numbers
        if len(code) == 18 and not uscc_fault(code):
            return self.exporters
        if _DIGEST.fullmatch(code):
            return self.digests
        return self.tails if _TAIL.fullmatch(code) and any(char.isdigit() for char in code) else None


def read(text: str) -> Contents:
    """Sort what was typed or pasted; other cells of a row that holds something known are passed over."""
    found, strays = _Sorting(), []
    text = text[:MOST_TEXT]
    codes: dict[str, None] = {}
    rest = _WORD.sub(lambda word: _without_code(word[0], codes), text)
    for number, line in enumerate(rest.splitlines()[:_MOST_LINES], start=1):
        cells = [cell.strip() for cell in _CELLS.split(line) if cell.strip()]
        known = [_sort(cell, found) for cell in cells]
        wrong = [cell for cell, is_known in zip(cells, known, strict=True) if not is_known]
        near = [stray for stray in (_near(number, cell) for cell in wrong) if stray.meant]
        if near:
            strays += near[:1]
        elif cells and not any(known):
            strays.append(Stray(line=number, text=line.strip()[:_MOST_SHOWN]))
    return Contents(
        numbers=tuple(found.numbers),
        vins=tuple(found.vins),
        tails=tuple(found.tails),
        digests=tuple(found.digests),
        exporters=tuple(found.exporters),
        codes=tuple(codes),
        strays=tuple(strays),
    )


def _without_code(word: str, codes: dict[str, None]) -> str:
    """Take a signed code out of a word: its digits, whatever address stands before them or was appended."""
    found = _SIGNED.search(word) if len(word) > _LONG else None
    if found is None:
        return word
    codes[f"#{found[0]}"] = None
    return ""


def _sort(cell: str, found: _Sorting) -> bool:
    """File a cell: whole, or else word by word; a VIN or number may be written in up to three groups."""
    if found.take(cell):
        return True
    words, place, is_known = cell.split(), 0, False
    while place < len(words):
        step = next((size for size in _sizes(words, place) if found.take("".join(words[place : place + size]))), 0)
        is_known = is_known or step > 0
        place += step or 1
    return is_known


def _sizes(words: list[str], place: int) -> range:
    """Three words are joined before two, so that a VIN in groups of 3, 6 and 8 is not taken for a last six."""
    return range(min(_MOST_JOINED, len(words) - place), 0, -1)


def _near(line: int, cell: str) -> Stray:
    """Guess what a cell that is nothing was meant for, to say what is wrong with it."""
    code, shown = fold_code(cell), cell[:_MOST_SHOWN]
    if _NUMBER_FORM.fullmatch(cell.upper()) or (len(code) == LENGTH and _is_in_alphabet(code) and "-" in cell):
        return Stray(line=line, text=shown, meant="number", length=len(code))
    if 15 <= len(code) <= 19 and _CODE.fullmatch(code) and any(char.isdigit() for char in code):
        return Stray(
            line=line, text=shown, meant="uscc" if len(code) == 18 and code[0] in "159" else "vin", length=len(code)
        )
    return Stray(line=line, text=shown)


def _is_number(code: str) -> bool:
    try:
        Number.parse(code)
    except ValueError:
        return False
    return True


def _is_in_alphabet(code: str) -> bool:
    return all(char in ALPHABET or char in "ILO" for char in code)
