"""Files handed out to be saved, never to be shown or run under our name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

PDF, ZIP = "application/pdf", "application/zip"
_WALL = "sandbox; default-src 'none'"


def attachment(data: bytes, name: str, mime: str) -> Response:
    """Return a file as a download; `name` is one of ours, of letters, digits, dots and hyphens."""
    response = current_app.response_class(data, mimetype=mime)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = _WALL
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
