"""JSON in and out: read with the house's strict loader, written as UTF-8 without NaN."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask.json.provider import JSONProvider

from signer.domain import json_text

if TYPE_CHECKING:
    from signer.domain.json_text import Json


class StrictJson(JSONProvider):
    """Refuse what two readers could understand differently: duplicate keys, NaN, floats, other encodings, depth."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:  # noqa: ANN401 -- Flask's signature
        """Write JSON with real characters, never NaN."""
        del kwargs
        return json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def loads(self, s: str | bytes, **kwargs: Any) -> Json:  # noqa: ANN401 -- Flask's signature
        """Read JSON strictly. Raises InvalidInput, TooLarge."""
        del kwargs
        return json_text.load(s.encode() if isinstance(s, str) else s)
