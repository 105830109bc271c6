"""The transparency log, for anybody and from any origin: its head, and its tiles. Source: C2SP tlog-tiles."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, abort

from signer.errors import InvalidInput
from signer.transparency import tiles
from signer.transparency.tiles import WIDTH
from signer.web import headers
from signer.web.published import for_any_origin

if TYPE_CHECKING:
    from signer.services.logbook import LogBook

PREFIX: Final = "/log"
_FULL, _PARTIAL = timedelta(days=365), timedelta(minutes=10)
"""How long others may keep a tile: none of them ever changes, but a partial one is soon of no use."""


def blueprint(book: LogBook) -> Blueprint:
    """Return the routes of the log; nothing that they hand out is anybody's secret."""
    made = Blueprint("log", __name__, url_prefix=PREFIX)

    @made.get("/checkpoint")
    def checkpoint() -> Response:
        """Hand out the published head, a signed note."""
        answer = for_any_origin(Response(book.checkpoint(), content_type="text/plain; charset=utf-8"))
        headers.must_ask()
        return answer

    @made.get("/tile/<path:place>")
    def tile(place: str) -> Response:
        """Hand out a tile of hashes, or of entries."""
        try:
            wanted = tiles.parse(f"tile/{place}")
        except InvalidInput:
            abort(404)
        data = book.tile(wanted)
        is_full = wanted.width == WIDTH
        headers.may_keep(_FULL if is_full else _PARTIAL, immutable=is_full)
        return for_any_origin(Response(data, mimetype="application/octet-stream"))

    return made
