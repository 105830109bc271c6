"""Sheets that are handed out: in which form and language they are asked for, and how they are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import current_app, request

from signer.errors import NotFound
from signer.services import import_files
from signer.web import languages

if TYPE_CHECKING:
    from flask import Response

    from signer.services.import_files import Form
    from signer.verification.wording import Language


def form_asked() -> Form:
    """Return the form that `?form=` asks for: XLSX unless it is CSV."""
    return "csv" if request.args.get("form") == "csv" else "xlsx"


def words_asked() -> Language:
    """Return the language that `?words=` asks for, the page's unless it is there. NotFound for one that is none."""
    typed = request.args.get("words")
    if typed is None:
        return languages.chosen()
    if typed not in languages.LANGUAGES:
        raise NotFound("no template in this language")
    return "zh" if typed == "zh" else "en"


def sheet(data: bytes, name: str, made: Form) -> Response:
    """Return a sheet as a download; its name may have been somebody's."""
    response = current_app.response_class(data, content_type=import_files.MEDIA_TYPES[made])
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)
    response.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "no-store"
    return response
