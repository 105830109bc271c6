"""Lists, one part after another: a cursor says where the last one ended, so that what is added moves nothing."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlencode

from flask import request

from signer.domain.values import parse_day, unprintable
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

USUAL, MOST = 25, 100
_MOST_CURSOR: Final = 200
_MOST_WORD: Final = 120
_MOST_DIGITS: Final = 16
NO_CURSOR: Final = Fault(pointer="/cursor", code="page.cursor", zh="不是本服务给出的游标", en="none that was given")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list is asked for: after what, at most how many."""

    after: str
    limit: int

    @property
    def before(self) -> int:
        """The id after which a list by ids goes on downwards, 0 for its beginning. Raises Refused for no such one."""
        if not self.after:
            return 0
        if not (self.after.isascii() and self.after.isdigit() and len(self.after) < _MOST_DIGITS):
            raise Refused("invalid-input", (NO_CURSOR,))
        return int(self.after)

    @property
    def day_and_id(self) -> tuple[date, int] | None:
        """The day and id after which a list by days goes on, None for its beginning. Raises Refused for no such one."""
        if not self.after:
            return None
        day, _, last = self.after.partition("/")
        if not (last.isascii() and last.isdigit() and len(last) < _MOST_DIGITS):
            raise Refused("invalid-input", (NO_CURSOR,))
        try:
            return parse_day(day), int(last)
        except ValueError as error:
            raise Refused("invalid-input", (NO_CURSOR,)) from error


def part() -> Part:
    """Return the part that `?limit=` and `?cursor=` ask for. Raises Refused for what they cannot be."""
    faults = []
    limit = request.args.get("limit", str(USUAL))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 6 and 1 <= int(limit) <= MOST):
        faults.append(Fault(pointer="/limit", code="page.limit", zh=f"须为 1 至 {MOST}", en=f"is 1 to {MOST}"))
    cursor = request.args.get("cursor", "")
    last = _read(cursor) if cursor else ""
    if cursor and not last:
        faults.append(NO_CURSOR)
    if faults:
        raise Refused("invalid-input", tuple(faults))
    return Part(last, int(limit))


def cut(found: Sequence[Item], wanted: Part, key: Callable[[Item], str]) -> tuple[Sequence[Item], str | None]:
    """Return at most as many as are wanted, and the cursor for what follows, None for nothing."""
    if len(found) <= wanted.limit:
        return found, None
    mine = found[: wanted.limit]
    return mine, after(key(mine[-1]))


def chosen(name: str, among: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return the one value that `?name=` chooses, all where it is not there. Raises Refused for another one."""
    typed = request.args.get(name)
    found = tuple(value for value in among if typed in (None, value))
    if not found:
        words = ", ".join(map(str, among))
        raise Refused("invalid-input", (_other(name, words),))
    return found


def word(name: str) -> str:
    """Return what `?name=` looks for, '' for nothing. Raises Refused for what is too long, or no plain text."""
    typed = request.args.get(name, "").strip()
    if len(typed) > _MOST_WORD or unprintable(typed):
        raise Refused("invalid-input", (_other(name, f"{_MOST_WORD} plain characters at most"),))
    return typed


def _other(name: str, words: str) -> Fault:
    return Fault(pointer=f"/{name}", code="field.value", zh=f"须为：{words}", en=f"is one of: {words}")


def link(cursor: str | None) -> dict[str, str]:
    """Return the Link header that leads to the next part. Source: RFC 8288."""
    if cursor is None:
        return {}
    args = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    return {"Link": f'<{request.path}?{urlencode([*args, ("cursor", cursor)])}>; rel="next"'}


def after(last: str) -> str:
    """Return the cursor for what follows the last one of a part."""
    return base64.urlsafe_b64encode(f"1:{last}".encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    if len(cursor) > _MOST_CURSOR:
        return ""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
    version, _, last = text.partition(":")
    return last if version == "1" and last.isprintable() and after(last) == cursor else ""
