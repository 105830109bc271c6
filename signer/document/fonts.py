"""The fonts of every page: families in the order in which they are asked for a character, and their files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

LATIN = "manimgx_fonts"
CJK = "manimgx_fonts_cjk"
ARABIC = "fontpkg_almarai"


@dataclass(frozen=True, slots=True)
class Face:
    """One font: its family, the package and file that hold it, its place in a collection (-1: a single font)."""

    family: str
    package: str
    file: str
    index: int = -1

    @property
    def path(self) -> Path:
        """Where the file is installed."""
        return Path(str(resources.files(self.package).joinpath(self.file)))


_SCRIPTS = (
    "Hebrew Armenian Georgian Thai Lao Khmer Myanmar Devanagari Bengali Gujarati Gurmukhi Kannada Malayalam Oriya "
    "Sinhala Tamil Telugu Ethiopic"
)
FACES = (
    Face("Noto Sans", LATIN, "NotoSans[wght].ttf"),
    Face("Noto Sans CJK SC", CJK, "NotoSansCJK-VF.otf.ttc", 2),
    Face("Almarai", ARABIC, "files/Almarai-Regular.ttf"),
    *(Face(f"Noto Sans {script}", LATIN, f"NotoSans{script}[wght].ttf") for script in _SCRIPTS.split()),
)
"""
Latin, Greek and Cyrillic first, Chinese second: the template's font lists rely on this order. All OFL-1.1.

Arabic is not Noto's: its letters are drawn as body and dots, which Typst writes as two runs of text with the
same letter, so that readers extract it twice.
"""
WEIGHTS = tuple(Face("Almarai", ARABIC, f"files/Almarai-{weight}.ttf") for weight in ("Light", "Bold", "ExtraBold"))
"""Further weights of faces that are not variable."""


@cache
def folders() -> tuple[Path, ...]:
    """Return the folders to search; no two files in them share a family and style."""
    return tuple(dict.fromkeys(face.path.parent for face in FACES))
