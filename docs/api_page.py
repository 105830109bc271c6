"""docs/reference/api.md: what the pages under /docs say, on one page, from the same description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.web import guide

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from signer.web.guide import Body, Described, Field, Guide

STRINGS = Path(__file__).parents[1] / "templates" / "web" / "strings" / "portal" / "docs.en.json"
PARTS = ("first", "tokens", "once", "versions", "lists", "errors", "limits", "bodies", "growth", "trying")
INTRODUCTION = """# The API for machines

Written by `make docs` from the API's own description ([openapi.json](openapi.json)): do not edit. A deployment shows
the same with examples under `/docs`, and serves the description at `/api/v1/openapi.json`. Events:
[webhooks](webhooks.md).
"""


def page(document: dict[str, Any]) -> str:
    """Return the page."""
    read, words = guide.read(document), json.loads(STRINGS.read_text(encoding="utf-8"))
    parts = [INTRODUCTION.strip()]
    parts += [f"## {words[f'docs.{part}']}\n\n{words[f'docs.{part}-text']}" for part in PARTS]
    for room in read.rooms:
        parts.append(f"## {words.get(f'docs.room.{room.name}', room.name)}\n\n{room.text}")
        parts += [_operation(one) for one in room.operations]
    return "\n\n".join((*parts, "## Shapes", *_shapes(read), _problems(read))) + "\n"


def _operation(one: Described) -> str:
    told = [f"### {one.summary}", f"`{one.method} {one.path}`", one.text]
    if one.parameters:
        rows = ((each.place, *_row(each), each.text) for each in one.parameters)
        told.append(_table(("where", "name", "what", "required", "meaning"), rows))
    told += [f"Takes {_body(body)}." for body in one.bodies]
    for reply in one.replies:
        given = " or ".join(map(_body, reply.bodies))
        headers = ", ".join(f"`{name}`" for name, _ in reply.headers)
        told.append(f"{reply.status}: {given or 'no body'}{f'. Headers: {headers}' if headers else ''}.")
    told.append("Problems: " + ", ".join(f"{each.status} `{each.code}`" for each in one.troubles) + ".")
    return "\n\n".join(filter(None, told))


def _shapes(read: Guide) -> Iterator[str]:
    for shape in read.shapes:
        told = [f"### {shape.name}", shape.text]
        if shape.fields:
            told.append(_table(("name", "what", "required"), map(_row, shape.fields)))
        if shape.words:
            told.append(", ".join(f"`{word}`" for word in shape.words))
        yield "\n\n".join(filter(None, told))


def _problems(read: Guide) -> str:
    rows = ((str(each.status), f"`{each.code}`", each.title) for each in read.troubles)
    return "## Problems\n\n" + _table(("status", "code", "meaning"), rows)


def _body(body: Body) -> str:
    what = _named(body.shape) if body.shape else ", ".join(f"`{field.name}`" for field in body.fields)
    return f"{body.kind}: {what}" if what else body.kind


def _row(field: Field) -> tuple[str, str, str]:
    limits = ", ".join(f"`{limit}`" for limit in (*field.words, *field.limits))
    kind = field.kind.replace(field.shape, _named(field.shape)) if field.shape else field.kind
    return f"`{field.name}`", f"{kind}{': ' * bool(limits)}{limits}", "yes" if field.is_needed else "no"


def _named(shape: str) -> str:
    return f"[{shape}](#{shape.lower()})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
