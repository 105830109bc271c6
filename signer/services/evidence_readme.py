"""The README of an evidence bundle, in each language: what is in it, and how to check each file without us."""

from __future__ import annotations

import hashlib
import json
import textwrap
from typing import TYPE_CHECKING, Any, Final

from signer.services.evidence_parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.domain.number import Number

LANGUAGES: Final = ("ar", "en", "es", "fr", "ru", "zh")
_COMMANDS: Final = {
    "content": ("pdfdetach -savefile confirmation.json -o attached.json {pdf}", "cmp attached.json confirmation.json"),
    "proof": ("signer log verify log-proof.json",),
    "receipt": ("signer receipt receipt.jwt",),
}
_WIDTH: Final = 110


class Readme:
    """Write READMEs. `templates` holds their words, `verify` is the address of the verify page."""

    def __init__(self, templates: Path, *, verify: str) -> None:
        self._templates = templates
        self._verify = verify

    def write(self, language: str, number: Number, files: dict[str, bytes], *, sequence: int, is_test: bool) -> bytes:
        """Return the README of a bundle of these files, the PDF first: UTF-8 with a byte order mark."""
        words = json.loads((self._templates / f"{language}.json").read_bytes())
        pdf = f"{number}.pdf"
        lines = [
            line.format(number=number, pdf=pdf, sequence=sequence, verify=self._verify)
            for line in _lines(words, pdf, files)
        ]
        if is_test:
            lines += ["", words["test"]]
        return "\n".join(lines).encode("utf-8-sig") + b"\n"


def _lines(words: Any, pdf: str, files: dict[str, bytes]) -> Iterator[str]:  # noqa: ANN401 -- JSON of ours
    """Return the lines of a README, with what is to be filled in still in braces."""
    here = {part: name for part, name in PARTS.items() if name in files}
    missing = [name for name in PARTS.values() if name not in files]
    yield from (words["title"], "=" * 60, "", words["contents"], f"  {pdf:<22} {words['files']['pdf']}")
    yield from (f"  {name:<22} {words['files'][part]}" for part, name in here.items())
    if missing:
        yield from _wrapped(f"{words['absent']} {', '.join(missing)}", "  ")
    yield from ("", *_wrapped(words["today"], ""), "", words["whole"], *_wrapped(words["whole-told"], "  "))
    yield from ("       signer verify --offline --root trust-root.pub.pem {number}-evidence.zip", "", "SHA-256")
    yield from (f"  {hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items())
    yield from ("", words["each"])
    checks = ("pdf", *(part for part in here if part in words["checks"]))
    for place, part in enumerate(checks, start=1):
        yield from _wrapped(f"{place}. {words['checks'][part]}", "  ")
        yield from (f"       {command}" for command in _COMMANDS.get(part, ()))
    yield from ("", words["fail"])


def _wrapped(text: str, indent: str) -> list[str]:
    """Break a long line between its words; Chinese has none, and is left to the reader's own breaking."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
