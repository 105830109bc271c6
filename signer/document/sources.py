"""
The template's files as a private copy on a disk: Typst parses what it reads there once, and what it is handed always.

It is a copy of what was held to the manifest, so that a page is made of nothing else, whatever happens to the folder of
the templates meanwhile. Where no copy can be kept, the files are handed over.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from signer.document.catalogue import Template


_MAIN, _PAGE = "main.typ", "page.typ"
"""Typst wants to be handed the first file; it is one line, which leads to the copy's."""


class Sources:
    """The copies of one process, in a folder that nobody else may enter and that goes with the process."""

    def __init__(self, process: int) -> None:
        """Make the folder; where there is no place for one, `root` is None."""
        self.root: Path | None = None
        try:
            self.root = Path(tempfile.mkdtemp(prefix="signer-page-"))
            self._identity = _identity(self.root)
        except OSError:
            return
        atexit.register(_remove, self.root, process)

    def of(self, template: Template) -> tuple[Path | None, dict[str, bytes]]:
        """Return the folder of a template's copy and what Typst is handed beside it, or no folder and all of it."""
        files = {_PAGE if path == _MAIN else path: content for path, content in template.files}
        main = {_MAIN: f'#include "{_PAGE}"'.encode()}
        folder = self._copied(hashlib.sha256(template.manifest).hexdigest()[:32], files)
        return folder, main | (files if folder is None else {})

    def _copied(self, name: str, files: dict[str, bytes]) -> Path | None:
        """Return the copy, after writing what is not there; a folder that was made anew by anyone is not ours."""
        if self.root is None:
            return None
        try:
            if _identity(self.root) != self._identity:
                return None
            for path, content in files.items():
                _place(self.root / name / path, content)
        except OSError:
            return None
        return self.root / name


@lru_cache(maxsize=1)
def of_process(process: int) -> Sources:
    """Return the copies of this process; one that was forked from it has others."""
    return Sources(process)


def _identity(folder: Path) -> tuple[int, int, int, int]:
    told = folder.stat()
    return told.st_dev, told.st_ino, told.st_mode, told.st_uid


def _place(path: Path, content: bytes) -> None:
    try:
        if path.stat().st_size == len(content):
            return
    except FileNotFoundError:
        path.parent.parent.mkdir(exist_ok=True)
        path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f"{path.name}.{threading.get_ident()}")
    beside.write_bytes(content)
    beside.replace(path)


def _remove(root: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(root, ignore_errors=True)
