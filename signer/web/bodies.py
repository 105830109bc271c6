"""Bodies of JSON: read strictly into their shape, every wrong field named at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from signer.domain import json_text
from signer.errors import InvalidInput
from signer.web import intake
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Body = TypeVar("Body", bound=BaseModel)


def escape(name: str) -> str:
    """Escape a name for a JSON pointer. Source: RFC 6901, section 3."""
    return name.replace("~", "~0").replace("/", "~1")


def parse(model: type[Body], data: bytes, *, most_bytes: int = intake.MOST_JSON) -> Body:
    """Read a JSON body strictly into its shape; what is wrong is named by JSON pointers. Raises Refused."""
    try:
        json_text.load(data, most_bytes=most_bytes)
    except InvalidInput as error:
        fault = Fault(pointer="", code="json.form", zh=error.reason, en=error.reason)
        raise Refused("malformed-json", (fault,)) from error
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise Refused("invalid-input", tuple(map(_fault, error.errors(include_input=False)))) from error


_WORDS = {
    "missing": ("field.missing", "此项必填", "is needed"),
    "extra_forbidden": ("field.unknown", "没有此字段", "there is no such field"),
}


def _fault(found: ErrorDetails) -> Fault:
    pointer = "".join(f"/{escape(str(step))}" for step in found["loc"])
    code, zh, en = _WORDS.get(found["type"], ("field.type", "类型或格式有误", found["msg"]))
    return Fault(pointer=pointer, code=code, zh=zh, en=en)
