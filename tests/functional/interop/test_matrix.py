"""Six other programs judge our seals as docs/reference/interop.md says, and none takes a changed file for genuine."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import matrix
import readers


def test_each_program_says_of_each_key_and_level_what_the_page_says() -> None:
    assert matrix.measure() == matrix.documented()


def test_a_changed_byte_is_seen_by_every_program_that_checks_it(tmp_path: Path) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    world = matrix.Today(tmp_path / "pki", at)
    root = world.made.root
    for kind, level, pdf in matrix.sealed_files(world, at):
        if level == "B-LT":
            changed = pdf.replace(b"signer.test/1", b"signer.test/2") if b"signer.test/1" in pdf else _flip(pdf)
            told = readers.ask_all(changed, matrix._pem(root.der), root.der, at=at)
            assert told["pyHanko"].startswith("broken"), kind
            assert told["pdfsig"].startswith("not valid"), kind
            assert told["mutool"] != "unchanged", kind
            assert told["openssl cms"] == "not verified", kind


def _flip(pdf: bytes) -> bytes:
    """Change one letter of the header's comment, which every program skips and every seal covers."""
    return pdf[:12] + bytes([pdf[12] ^ 1]) + pdf[13:]
