"""The pages that explain the API: how it is asked, its rooms, its shapes, its problems. From its own description."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from flask import Blueprint, abort

from signer.web import guide

if TYPE_CHECKING:
    from flask_openapi.openapi import OpenAPI

    from signer.web.guide import Guide
    from signer.web.pages import Pages


def blueprint(app: OpenAPI, pages: Pages, *, base_url: str) -> Blueprint:
    """Return the pages; the description is read when the first of them is asked for."""
    docs = Blueprint("docs", __name__)

    @cache
    def read() -> Guide:
        return guide.read(app.api_doc)

    @docs.get("/docs")
    def start() -> str:
        """Tell how the API is asked, and what there is."""
        return pages.draw("docs/start.html", guide=read(), base=base_url.rstrip("/"))

    @docs.get("/docs/shapes")
    def shapes() -> str:
        """Show every shape."""
        return pages.draw("docs/shapes.html", guide=read())

    @docs.get("/docs/<name>")
    def room(name: str) -> str:
        """Show the operations of one room."""
        found = next((room for room in read().rooms if room.name == name), None)
        if found is None:
            abort(404)
        return pages.draw("docs/room.html", guide=read(), room=found, base=base_url.rstrip("/"))

    return docs
