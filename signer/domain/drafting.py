"""From bytes to a draft: hostile JSON in, a `Draft` or all that is wrong with its shape out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pydantic import ValidationError

from signer.domain import json_text
from signer.domain.confirmation import DRAFT_SCHEMA, MOST_DRAFT_ROWS, Draft
from signer.domain.ledger import Ledger
from signer.domain.rule_text import code_point
from signer.errors import InvalidInput, RuleViolation

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from signer.domain.json_text import Json

__all__ = ["MOST_DRAFT_BYTES", "MOST_FINDINGS", "in_chinese", "parse_draft", "pointer"]

MOST_DRAFT_BYTES = 1_000_000
MOST_FINDINGS = 100
MOST_STEP = 200
"""A longer field name is cut in its pointer: it is no field of ours."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_EXPECTED = {
    "string_type": ("文本", "text"),
    "int_type": ("整数", "a whole number"),
    "bool_type": ("true 或 false", "true or false"),
    "tuple_type": ("列表", "a list"),
    "model_type": ("对象", "an object"),
    "model_attributes_type": ("对象", "an object"),
}
_CHINESE = (
    (r"the text is UTF-16 or UTF-32; .*", "文件是 UTF-16 或 UTF-32 编码"),
    (r"the text begins with a byte order mark; .*", "文件开头有字节顺序标记（BOM）"),
    (r"not UTF-8 at byte (\d+)", r"第 \1 字节起不是 UTF-8 编码"),
    (r"nested deeper than (\d+) levels", r"嵌套超过 \1 层"),
    (r"the key (.*) stands twice in one object", r"同一对象中 \1 出现两次"),
    (r"(.*) is not a JSON number", r"\1 不是 JSON 数字"),
    (r"(.*) is not a whole number; .*", r"\1 不是整数，小数请写成文本"),
    (r"a number is 2\^53 or larger", "有数字过大（不小于 2^53）"),
    (r"not JSON: .* at line (\d+), column (\d+)", r"第 \1 行第 \2 列不符合 JSON 语法"),
    (r"longer than (\d+) bytes", r"超过 \1 字节"),
    (r"not an object", "不是对象"),
)
_OTHER = ("其他类型的值", "another kind of value")


def parse_draft(data: bytes) -> Draft:
    """
    Parse a draft (`signer.draft/1`, JSON in UTF-8, at most 1 MB).

    What the text says is judged later, by `rules.check`; this judges its shape alone.

    Raises TooLarge, or RuleViolation with at most 100 findings, each with the JSON pointer of its field.
    """
    ledger = Ledger()
    try:
        value = json_text.load(data, most_bytes=MOST_DRAFT_BYTES)
    except InvalidInput as error:
        ledger.note("draft.json", "", reason=(in_chinese(error.reason), error.reason))
        raise RuleViolation(ledger.in_order()) from error
    plain = _without_surrogates(_shortened(value, ledger), "", ledger)
    try:
        draft = Draft.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True)[:MOST_FINDINGS]:
            _note(detail, ledger)
        raise RuleViolation(ledger.in_order()[:MOST_FINDINGS]) from error
    if findings := ledger.in_order():
        raise RuleViolation(findings[:MOST_FINDINGS])
    return draft


def in_chinese(reason: str) -> str:
    """Return a reason of `json_text` in Chinese; as it is if it has none."""
    for pattern, chinese in _CHINESE:
        if found := re.fullmatch(pattern, reason, re.DOTALL):
            return found.expand(chinese)
    return reason


def pointer(steps: tuple[int | str, ...]) -> str:
    """Return a JSON pointer (RFC 6901): `/vehicles/0/vin`; characters that must not be shown are replaced."""
    return "".join("/" + _plain(str(step)[:MOST_STEP]).replace("~", "~0").replace("/", "~1") for step in steps)


def _plain(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _shortened(value: Json, ledger: Ledger) -> Json:
    """Return the draft with lists cut to their cap, and note it, before each row costs an error of its own."""
    if not isinstance(value, dict):
        return value
    whole = dict(value)
    for name in ("vehicles", "outlets"):
        rows = whole.get(name)
        if isinstance(rows, list) and len(rows) > MOST_DRAFT_ROWS:
            ledger.note("draft.too-many", f"/{name}", most=str(MOST_DRAFT_ROWS))
            whole[name] = rows[:MOST_DRAFT_ROWS]
    return whole


def _without_surrogates(value: Json, at: str, ledger: Ledger) -> Json:
    """Return the value with lone surrogates replaced, and note each text that has one (its depth is bounded)."""
    if isinstance(value, str):
        if (found := _SURROGATE.search(value)) and len(ledger) < MOST_FINDINGS:
            place, character = str(found.start() + 1), code_point(found.group())
            ledger.note("text.control", at, field=at or "/", place=place, character=character)
        return _plain(value)
    if isinstance(value, list):
        return [_without_surrogates(each, f"{at}/{place}", ledger) for place, each in enumerate(value)]
    if isinstance(value, dict):
        return {_plain(key): _without_surrogates(each, at + pointer((key,)), ledger) for key, each in value.items()}
    return value


def _note(detail: ErrorDetails, ledger: Ledger) -> None:
    where, kind, context = pointer(detail["loc"]), detail["type"], detail.get("ctx", {})
    name = str(detail["loc"][-1]) if detail["loc"] else "/"
    if kind == "extra_forbidden":
        ledger.note("draft.unknown-field", where, field=name)
    elif kind == "literal_error":
        ledger.note("draft.schema", where, expected=DRAFT_SCHEMA)
    elif kind == "string_too_long":
        length = len(str(detail["input"]))
        ledger.note("text.too-long", where, field=name, most=str(context["max_length"]), length=str(length))
    elif kind == "too_long":
        ledger.note("draft.too-many", where, most=str(context["max_length"]))
    else:
        ledger.note("draft.type", where, expected=_EXPECTED.get(kind, _OTHER))
