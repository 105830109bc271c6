"""Who else on this computer may read what is kept: modes of folders and of files that hold secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_OTHERS = 0o007
_PUBLIC = (".jws", ".pub.pem", ".crt.pem")
"""What is meant for everybody, though it lies beside the keys."""


def open_to_everyone(data: Path, *, keys: Path, others: Iterable[Path]) -> Iterator[Path]:
    """
    Return what others may open: folders, and files of secrets.

    A folder below the data folder is closed if that is. A secret's own mode counts wherever it lies: it may be copied.
    """
    if _is_open(data):
        yield data
    is_closed = data.is_dir() and not _is_open(data)
    for folder in dict.fromkeys((keys, *others)):
        if folder != data and _is_open(folder) and not (is_closed and folder.is_relative_to(data)):
            yield folder
    for path in sorted(keys.rglob("*")):
        if path.is_file() and not path.name.endswith(_PUBLIC) and _is_open(path):
            yield path


def _is_open(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & _OTHERS)
