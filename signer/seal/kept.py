"""What was once read of a trust list and its entries, kept as long as they are the very same objects."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")
_MOST: Final = 512


def kept(function: Callable[_Given, _Found]) -> Callable[_Given, _Found]:
    """
    Ask a function once about the same objects: only for one that depends on them alone, all of which never change.

    Lists and entries are frozen, and long: to compare them costs more than to ask. They are held here, so that none of
    another content can ever have the same identity. What is found must not change either.
    """
    known: dict[tuple[int, ...], tuple[object, _Found]] = {}

    @wraps(function)
    def asked(*given: _Given.args, **named: _Given.kwargs) -> _Found:
        key = tuple(map(id, given))
        found = None if named else known.get(key)
        if found is None:
            found = given, function(*given, **named)
            if not named:
                if len(known) >= _MOST:
                    known.clear()
                known[key] = found
        return found[1]

    return asked
