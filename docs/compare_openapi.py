"""
What of an OpenAPI document would break whoever relies on an older one: `python docs/compare_openapi.py OLD NEW`.

What is taken may only become wider: no field, parameter or right that is newly needed, no type, word, pattern or bound
that became narrower. What is answered may only become surer: no field less, none that may now be absent, null or of
another type. An answer may gain fields, and words where it had some; both are documented for those who read answers.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch")
_AT_MOST = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_AT_LEAST = ("minLength", "minItems", "minimum", "exclusiveMinimum")


@dataclass(frozen=True)
class Break:
    """One thing that breaks: of which operation (`POST /api/v1/drafts`), and how."""

    operation: str
    how: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.how}"


def breaks(old: Schema, new: Schema) -> list[Break]:
    """Return everything that breaks, operation by operation."""
    found = []
    for path, methods in old["paths"].items():
        for method in METHODS:
            if method not in methods:
                continue
            name = f"{method.upper()} {path}"
            now = new["paths"].get(path, {}).get(method)
            told = ["is gone"] if now is None else _operation(methods[method], now, old, new)
            found += [Break(name, how) for how in dict.fromkeys(told)]
    return found


def _operation(was: Schema, now: Schema, old: Schema, new: Schema) -> list[str]:
    taken = _Narrowing(was_in=old, now_in=new)
    told = _Narrowing(was_in=new, now_in=old, is_answer=True)
    return [*_rights(was, now), *_parameters(was, now, taken), *_body(was, now, taken), *_answers(was, now, told)]


def _rights(was: Schema, now: Schema) -> Iterator[str]:
    before = {right for one in was.get("security", []) for rights in one.values() for right in rights}
    after = {right for one in now.get("security", []) for rights in one.values() for right in rights}
    if not _is_open(now) and _is_open(was):
        yield "needs a token now"
    yield from (f"the right {right} no longer opens it" for right in sorted(before - after))


def _is_open(operation: Schema) -> bool:
    """Tell whether an operation needs no token, though it may take one."""
    return {} in operation.get("security", []) or not operation.get("security")


def _parameters(was: Schema, now: Schema, taken: _Narrowing) -> Iterator[str]:
    before = {(each["in"], each["name"]): each for each in was.get("parameters", [])}
    after = {(each["in"], each["name"]): each for each in now.get("parameters", [])}
    for (place, name), each in after.items():
        if each.get("required") and not before.get((place, name), {}).get("required"):
            yield f"the {place} parameter {name} is needed now"
    for (place, name), each in before.items():
        if (place, name) not in after:
            if place != "header":
                yield f"the {place} parameter {name} is gone"
            continue
        yield from taken.of(each["schema"], after[(place, name)]["schema"], f"the {place} parameter {name}")


def _body(was: Schema, now: Schema, taken: _Narrowing) -> Iterator[str]:
    before, after = was.get("requestBody", {}), now.get("requestBody", {})
    if after.get("required") and not before.get("required"):
        yield "a body is needed now"
    for kind, media in before.get("content", {}).items():
        if kind not in after.get("content", {}):
            yield f"{kind} is no longer taken"
            continue
        yield from taken.of(media.get("schema", {}), after["content"][kind].get("schema", {}), "takes")


def _answers(was: Schema, now: Schema, told: _Narrowing) -> Iterator[str]:
    for status, response in was["responses"].items():
        if status not in now["responses"]:
            yield f"{status} is no longer answered"
            continue
        after = now["responses"][status]
        gone = response.get("headers", {}).keys() - after.get("headers", {}).keys()
        yield from (f"{status} has no header {name} any more" for name in sorted(gone))
        for kind, media in response.get("content", {}).items():
            if kind not in after.get("content", {}):
                yield f"{status} is no longer given as {kind}"
                continue
            yield from told.of(after["content"][kind].get("schema", {}), media.get("schema", {}), f"{status} answers")


@dataclass
class _Narrowing:
    """
    What a schema accepts and another one does not.

    For bodies that are taken, the first is the old schema; for answers it is the new one, and what the old one does not
    know of is no fault where it is a field or a word more.
    """

    was_in: Schema
    now_in: Schema
    is_answer: bool = False
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def of(self, wide: Schema, narrow: Schema, where: str) -> list[str]:
        """Return what `wide` accepts and `narrow` refuses."""
        pair = (json.dumps(wide, sort_keys=True), json.dumps(narrow, sort_keys=True))
        if "$ref" in wide:
            if pair in self._seen:
                return []
            self._seen.add(pair)
            try:
                return self._choices(wide, narrow, where)
            finally:
                self._seen.discard(pair)
        return self._choices(wide, narrow, where)

    def _choices(self, wide: Schema, narrow: Schema, where: str) -> list[str]:
        others = _flat(narrow, self.now_in)
        found = []
        for one in _flat(wide, self.was_in):
            tried = [self._plain(one, other, where) for other in others]
            if not all(tried):
                continue
            same = [faults for faults, other in zip(tried, others, strict=True) if one.get("type") == other.get("type")]
            found += min(same, key=len) if same else [f"{where}: {self._became(one, others)}"]
        return found

    def _became(self, one: Schema, others: list[Schema]) -> str:
        kinds = " or ".join(sorted({str(other.get("type", "anything")) for other in others}))
        kind = one.get("type", "anything")
        return f"may be {kind} now, was {kinds}" if self.is_answer else f"{kind} is no longer taken, only {kinds}"

    def _plain(self, wide: Schema, narrow: Schema, where: str) -> list[str]:
        if "type" in narrow and narrow["type"] not in (wide.get("type"), *_within(wide)):
            return [f"{where}: {self._became(wide, [narrow])}"]
        found = [*self._words(wide, narrow, where), *self._bounds(wide, narrow, where)]
        if "items" in narrow:
            found += self.of(wide.get("items", {}), narrow["items"], f"{where}/…")
        return [*found, *self._fields(wide, narrow, where)]

    def _words(self, wide: Schema, narrow: Schema, where: str) -> Iterator[str]:
        mine, theirs = _enumerated(wide), _enumerated(narrow)
        if theirs is None:
            return
        if mine is None:
            yield f"{where}: may be any word now" if self.is_answer else f"{where}: only some words are taken now"
        elif not self.is_answer and (gone := [word for word in mine if word not in theirs]):
            yield f"{where}: {', '.join(map(str, gone))} is no longer taken"

    def _bounds(self, wide: Schema, narrow: Schema, where: str) -> Iterator[str]:
        for word in ("pattern", "format"):
            if word in narrow and wide.get(word) != narrow[word]:
                yield f"{where}: another {word}"
        for word in _AT_MOST:
            if word in narrow and (word not in wide or wide[word] > narrow[word]):
                yield f"{where}: another {word}"
        for word in _AT_LEAST:
            if word in narrow and (word not in wide or wide[word] < narrow[word]):
                yield f"{where}: another {word}"

    def _fields(self, wide: Schema, narrow: Schema, where: str) -> Iterator[str]:
        mine, theirs = wide.get("properties", {}), narrow.get("properties", {})
        is_closed = narrow.get("additionalProperties") is False
        for name in mine:
            if name in theirs:
                yield from self.of(mine[name], theirs[name], f"{where}/{name}")
            elif is_closed and not self.is_answer:
                yield f"{where}/{name} is no longer taken"
        if self.is_answer:
            yield from (f"{where}/{name} is gone" for name in theirs if name not in mine)
        needed = [name for name in narrow.get("required", []) if name not in wide.get("required", [])]
        yield from (
            f"{where}/{name} {'may be absent' if self.is_answer else 'is needed'} now"
            for name in needed
            if not self.is_answer or name in mine
        )


def _flat(schema: Schema, document: Schema) -> list[Schema]:
    """Return what a schema chooses among, without references."""
    while "$ref" in schema:
        place: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            place = place[step]
        schema = place
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [plain for each in schema[word] for plain in _flat(each, document)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": kind} for kind in schema["type"]]
    return [schema]


def _within(schema: Schema) -> tuple[str, ...]:
    return ("number",) if schema.get("type") == "integer" else ()


def _enumerated(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return schema.get("enum")


def unsaid(found: list[Break], changelog: str) -> list[str]:
    """Return the operations that break and are not named under `### Breaking` of the newest heading."""
    newest = changelog.partition("\n## ")[2].partition("\n## ")[0]
    said = newest.partition("\n### Breaking")[2].partition("\n### ")[0]
    return sorted({each.operation for each in found if f"`{each.operation}`" not in said})


def main() -> int:
    """Print what breaks; 1 if anything does."""
    old, new = (json.loads(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:3])
    found = breaks(old, new)
    for each in found:
        print(each)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
